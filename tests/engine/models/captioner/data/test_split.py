"""Who is for training, for choosing and for measuring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.caption_set import CaptionSet, CaptionText, Picture
from gazeapp.engine.models.captioner.data.split import Splits, fingerprint, split_pictures
from gazeapp.engine.models.captioner.data.words import make_vocabulary


def _picture(name: str, split: str = "", folder: Path = Path()) -> Picture:
    return Picture(name, folder / name, split, (CaptionText("general", f"a {name}"),))


def _set(pictures: Iterable[Picture]) -> CaptionSet:
    return CaptionSet(tuple(pictures), "table")


def _many(count: int) -> CaptionSet:
    return _set(_picture(f"{i}.png") for i in range(count))


def _names(pictures: Iterable[Picture]) -> set[str]:
    return {picture.name for picture in pictures}


def _where(splits: Splits) -> dict[str, str]:
    return {
        picture.name: split for split in ("train", "validation", "test") for picture in getattr(splits, split)
    }


def test_a_share_is_held_out_and_no_picture_is_twice() -> None:
    captions = _many(3000)
    splits = split_pictures(captions, 1, 100, 50)
    found = [p.name for p in (*splits.train, *splits.validation, *splits.test)]
    assert len(found) == len(set(found))
    # Shares of 1/16 and 1/32 give at least 100 and 50; what is more of them is in no split.
    assert (len(splits.validation), len(splits.test)) == (100, 50)
    assert len(splits.train) == pytest.approx(3000 * (1 - 1 / 16) * (1 - 1 / 32), rel=0.02)
    assert all(p.split == "validation" for p in splits.validation)
    assert split_pictures(captions, 1, 100, 50) == splits
    assert _where(split_pictures(captions, 2, 100, 50)) != _where(splits)


def test_pictures_that_come_later_move_no_other() -> None:
    before = split_pictures(_many(2000), 1, 10**6, 10**6)
    after = split_pictures(_many(3900), 1, 10**6, 10**6)
    assert _where(before).items() <= _where(after).items()
    assert len(after.train) > len(before.train)


def test_pictures_for_training_stay_so_when_a_smaller_share_is_held_out() -> None:
    before = split_pictures(_many(2000), 1, 100, 0)
    after = split_pictures(_many(5000), 1, 100, 0)
    assert len(before.train) < 0.96 * 2000
    assert len(after.train) > 0.96 * 5000
    assert _names(before.train) <= _names(after.train)


def test_few_pictures_have_one_held_out_and_none_where_none_is_wanted() -> None:
    for count in range(3, 9):
        splits = split_pictures(_many(count), 1, 1, 1)
        assert (len(splits.validation), len(splits.test)) == (1, 1)
    whole = split_pictures(_many(9), 1, 0, 0)
    assert len(whole.train) == 9


def test_the_captions_own_split_is_kept_up_to_the_wanted_number() -> None:
    kinds = ("train", "train", "train", "validation", "test", "")
    captions = _set(_picture(f"{i}.png", kinds[i % 6]) for i in range(60))
    splits = split_pictures(captions, 1, 8, 100)
    assert splits.train == tuple(p for p in captions.pictures if p.split == "train")
    assert splits.test == tuple(p for p in captions.pictures if p.split == "test")
    assert len(splits.validation) == 8
    assert _names(splits.validation) < {p.name for p in captions.pictures if p.split == "validation"}
    assert splits.notes == (
        "10 pictures are in no split and were left out.",
        "2 held-out pictures are more than was asked for, and in no split.",
    )


def test_a_split_that_is_not_told_is_taken_from_the_others() -> None:
    kinds = ("train", "train", "train", "validation")
    splits = split_pictures(_set(_picture(f"{i}.png", kinds[i % 4]) for i in range(400)), 1, 100, 100)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (300, 50, 50)
    assert "half of the validation pictures" in splits.notes[0]
    kinds = ("train", "train", "train", "test")
    splits = split_pictures(_set(_picture(f"{i}.png", kinds[i % 4]) for i in range(400)), 1, 10, 100)
    assert len(splits.test) == 100
    assert len(splits.validation) == 10
    assert "some training pictures" in splits.notes[0]
    only = split_pictures(_set(_picture(f"{i}.png", "validation") for i in range(40)), 1, 3, 3)
    assert len(only.train) > 25
    assert {p.split for p in only.train} == {"train"}


def test_no_picture_for_training_is_a_sentence() -> None:
    captions = _set([_picture("a.png", "validation"), _picture("b.png", "test")])
    with pytest.raises(GazeError, match="No picture is left for training"):
        split_pictures(captions, 1, 1, 1)


@pytest.mark.parametrize("held", ["validation", "test"])
def test_held_out_pictures_are_never_trained_on_because_the_others_have_no_split(held: str) -> None:
    captions = _set(_picture(f"{i}.png", held if i % 3 == 0 else "") for i in range(30))
    with pytest.raises(GazeError, match="No picture is left for training"):
        split_pictures(captions, 1, 1, 1)
    marked = _set(_picture(f"{i}.png", "train" if i % 3 == 0 else "") for i in range(30))
    splits = split_pictures(marked, 1, 1, 1)
    assert splits.notes[0].startswith("The captions tell only one split")
    assert split_pictures(_many(30), 1, 1, 1).notes[0].startswith("The captions tell no splits")


def _files(folder: Path, contents: dict[str, bytes], splits: dict[str, str]) -> CaptionSet:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return _set(_picture(name, splits.get(name, ""), folder) for name in contents)


def test_the_same_bytes_under_two_names_are_never_in_two_splits(tmp_path: Path) -> None:
    contents = {f"{i:03d}.png": b"same size %03d" % (i % 100) for i in range(200)}
    captions = _files(tmp_path, contents, {})
    blind = _where(split_pictures(captions, 1, 99, 99))
    assert any(blind[f"{i:03d}.png"] != blind[f"{i + 100:03d}.png"] for i in range(100))
    aware = _where(split_pictures(captions, 1, 99, 99, by_content=True))
    assert len(aware) == 200
    assert set(aware.values()) == {"train", "validation", "test"}
    assert all(aware[f"{i:03d}.png"] == aware[f"{i + 100:03d}.png"] for i in range(100))


def test_copies_stay_where_they_measure(tmp_path: Path) -> None:
    contents = {"a": b"one", "b": b"one", "c": b"one", "d": b"two", "e": b"six", "f": b"seven"}
    told = {"a": "train", "b": "validation", "c": "test", "d": "train", "e": "validation", "f": "test"}
    splits = split_pictures(_files(tmp_path, contents, told), 1, 9, 9, by_content=True)
    assert _where(splits) == {"c": "test", "d": "train", "e": "validation", "f": "test"}
    assert splits.notes == ("2 pictures are in another split under another name and were left out.",)


def test_a_file_that_went_away_is_a_sentence(tmp_path: Path) -> None:
    captions = _set([_picture("a", "", tmp_path), _picture("b", "", tmp_path)])
    with pytest.raises(GazeError, match="cannot be read"):
        split_pictures(captions, 1, 1, 1, by_content=True)


def test_the_fingerprint_tells_vocabulary_split_and_captions_apart() -> None:
    captions = _many(40)
    splits = split_pictures(captions, 1, 4, 4)
    words = make_vocabulary(splits.train, captions.tasks, 1)
    first = captions.pictures[0]
    renamed = replace(first, captions=(CaptionText("general", "another"),))
    moved = replace(first, path=Path("elsewhere") / first.name)
    base = fingerprint(words, splits, captions)
    others = {
        fingerprint(replace(words, entries=(*words.entries, "x")), splits, captions),
        fingerprint(replace(words, content_words=()), splits, captions),
        fingerprint(words, replace(splits, train=splits.train[1:]), captions),
        fingerprint(words, replace(splits, validation=splits.test, test=splits.validation), captions),
        fingerprint(words, splits, _set([renamed, *captions.pictures[1:]])),
        fingerprint(words, splits, _set(captions.pictures[::-1])),
    }
    assert len(others | {base}) == 7
    assert len(base) == 64
    assert fingerprint(words, splits, _set([moved, *captions.pictures[1:]])) == base
