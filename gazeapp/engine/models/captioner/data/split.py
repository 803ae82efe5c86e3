"""Which pictures are for training, for choosing and for measuring; and what tells one set of data from another."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.models.captioner.data.caption_set import TEST, TRAIN, VALIDATION, CaptionSet, Picture
from gazeapp.engine.models.captioner.data.words import Vocabulary

_LARGEST_SHARE = 1 / 8
"""Largest share of the pictures that are held out for choosing, and again for measuring."""


@dataclass(frozen=True, slots=True)
class Splits:
    """The pictures of each split; none is in two.

    Parameters
    ----------
    train, validation, test
        Pictures in the order of their set.
    notes
        Sentences on where the split comes from, and what is in none.
    """

    train: tuple[Picture, ...]
    validation: tuple[Picture, ...]
    test: tuple[Picture, ...]
    notes: tuple[str, ...] = ()


def split_pictures(
    captions: CaptionSet, seed: int, n_validation: int, n_test: int, by_content: bool = False
) -> Splits:
    """Split pictures as their file says, or by a hash of their names where it says nothing or only one split.

    A hash of its name and the seed puts a picture into a split, so that pictures that come later do not move it. A
    share of 1/8, 1/16 and so on is held out, the smallest that gives the wanted number; only when the pictures have
    become twice as many do some held-out ones go to training. A file with pictures for validation and none for tests
    gives half of those, and one with pictures for tests only gives a share of its training pictures for validation.

    Parameters
    ----------
    captions
        The pictures.
    seed
        Seed of what the file does not settle.
    n_validation, n_test
        Most pictures of these splits; what is more is in no split. 0 for none.
    by_content
        Whether a picture that is there under two names counts as one when it is put into a split. Costs a look at the
        size of every file, and the reading of those that have the size of another.

    Raises
    ------
    GazeError
        When no picture is left for training, or ``by_content`` is set and a file cannot be read.
    """
    pictures = list(captions.pictures)
    same = _names_of_same(pictures) if by_content else {}
    told = {picture.split for picture in pictures}
    # Pictures without a split beside held-out ones are not asked to be trained on, and these never are.
    if len(told - {""}) > 1 or ("" in told and told & {VALIDATION, TEST}):
        pictures, notes = _as_told(pictures, seed, n_validation, n_test, same)
    else:
        count = "only one split" if any(told) else "no splits"
        notes = [f"The captions tell {count}; the splits follow from the pictures' names and the seed."]
        pictures = [replace(picture, split=TRAIN) for picture in pictures]
        pictures = _held_out(pictures, TEST, seed, n_test, same)
        pictures = _held_out(pictures, VALIDATION, seed, n_validation, same)
    train = tuple(picture for picture in pictures if picture.split == TRAIN)
    if not train:
        raise GazeError(
            "No picture is left for training.",
            todo="Give the captions of the training pictures too, or hold out fewer pictures.",
        )
    validation, test = (
        _at_most([picture for picture in pictures if picture.split == split], seed, most)
        for split, most in ((VALIDATION, n_validation), (TEST, n_test))
    )
    more = len(pictures) - len(train) - len(validation) - len(test)
    if more:
        notes.append(f"{more} held-out pictures are more than was asked for, and in no split.")
    return Splits(train, validation, test, tuple(notes))


def _as_told(
    pictures: list[Picture], seed: int, n_validation: int, n_test: int, same: dict[str, str]
) -> tuple[list[Picture], list[str]]:
    """Return the pictures in the splits that their captions tell, each of which there is, and notes."""
    notes: list[str] = []
    without = sum(not picture.split for picture in pictures)
    if without:
        notes.append(f"{without} pictures are in no split and were left out.")
    kept, dropped = _without_copies([picture for picture in pictures if picture.split], same)
    if dropped:
        notes.append(f"{dropped} pictures are in another split under another name and were left out.")
    if n_test and not any(picture.split == TEST for picture in kept):
        notes.append("The captions tell no split for tests; half of the validation pictures are.")
        kept = _halved(kept, seed, same)
    if n_validation and not any(picture.split == VALIDATION for picture in kept):
        notes.append("The captions tell no split for validation; some training pictures are.")
        kept = _held_out(kept, VALIDATION, seed, n_validation, same)
    return kept, notes


def fingerprint(vocabulary: Vocabulary, splits: Splits, captions: CaptionSet) -> str:
    """Return the SHA-256 of a vocabulary, of who is in which split, and of all captions, hexadecimal.

    Pictures count by name, not by content, and where they lie on the disk does not count.
    """
    digest = hashlib.sha256()
    for line in _lines(vocabulary, splits, captions):
        digest.update(json.dumps(line, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def _lines(vocabulary: Vocabulary, splits: Splits, captions: CaptionSet) -> Iterator[list[object]]:
    yield ["vocabulary", *vocabulary.entries]
    yield ["content", *vocabulary.content_words]
    named = ((TRAIN, splits.train), (VALIDATION, splits.validation), (TEST, splits.test))
    for split, pictures in named:
        yield [split, *(picture.name for picture in pictures)]
    for picture in captions.pictures:
        yield [picture.name, *([caption.task, caption.text] for caption in picture.captions)]


def _chance(seed: int, purpose: str, name: str) -> float:
    """Return a number in [0, 1) that follows from a name."""
    digest = hashlib.sha256(f"{seed}\0{purpose}\0{name}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _held_out(
    pictures: list[Picture], split: str, seed: int, wanted: int, same: dict[str, str]
) -> list[Picture]:
    """Return the pictures with a share of those for training put into ``split``."""
    chances = {p.name: _chance(seed, split, same.get(p.name, p.name)) for p in pictures if p.split == TRAIN}
    if not wanted or not chances:
        return pictures
    share = _LARGEST_SHARE
    while share / 2 * len(chances) >= wanted:
        share /= 2
    # However few there are, one is held out.
    limit = max(share, min(chances.values()) * (1 + 1e-9) + 1e-15)
    return [
        replace(picture, split=split) if chances.get(picture.name, 1.0) < limit else picture
        for picture in pictures
    ]


def _halved(pictures: list[Picture], seed: int, same: dict[str, str]) -> list[Picture]:
    """Return the pictures with half of those for validation put to those for tests."""
    names = sorted(
        {same.get(picture.name, picture.name) for picture in pictures if picture.split == VALIDATION},
        key=lambda name: _chance(seed, TEST, name),
    )
    moved = frozenset(names[: len(names) // 2])
    return [
        replace(picture, split=TEST)
        if picture.split == VALIDATION and same.get(picture.name, picture.name) in moved
        else picture
        for picture in pictures
    ]


def _at_most(pictures: list[Picture], seed: int, most: int) -> tuple[Picture, ...]:
    chosen = sorted(pictures, key=lambda picture: _chance(seed, "most", picture.name))[:most]
    names = frozenset(picture.name for picture in chosen)
    return tuple(picture for picture in pictures if picture.name in names)


def _names_of_same(pictures: Iterable[Picture]) -> dict[str, str]:
    """Return, for every name, the first name by alphabet among the pictures with the same bytes."""
    groups = defaultdict(list)
    for size_group in _by_size(pictures):
        for picture in size_group:
            groups[sha256_of(picture.path)].append(picture.name)
    return {name: min(names) for names in groups.values() for name in names}


def _by_size(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    """Yield the pictures whose files are of the same size as another's: only these can be the same."""
    sizes: dict[int, list[Picture]] = defaultdict(list)
    for picture in pictures:
        sizes[_size(picture.path)].append(picture)
    yield from (group for group in sizes.values() if len(group) > 1)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _without_copies(pictures: list[Picture], same: dict[str, str]) -> tuple[list[Picture], int]:
    """Return the pictures, of which each is in one split, and how many are left out; held-out ones stay."""
    split_of: dict[str, str] = {}
    for split in (TEST, VALIDATION, TRAIN):
        for picture in pictures:
            if picture.split == split:
                split_of.setdefault(same.get(picture.name, picture.name), split)
    kept = [p for p in pictures if split_of[same.get(p.name, p.name)] == p.split]
    return kept, len(pictures) - len(kept)
