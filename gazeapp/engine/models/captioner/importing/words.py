"""The word map of a checkpoint from elsewhere: which word has which number."""

from __future__ import annotations

import json
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import END, PAD, START, UNKNOWN
from gazeapp.engine.models.vlm.words import split_words

_LARGEST = 200_000_000
SPECIAL = (PAD, START, END, UNKNOWN)


def read_words(path: Path) -> tuple[str, ...]:
    """Return the words of a ``WORDMAP_*.json`` in the order of their numbers.

    Parameters
    ----------
    path
        A JSON object that gives every word its number, from 0 on, without a gap, with ``<pad>`` as 0 and ``<start>``
        and ``<end>`` among them.

    Raises
    ------
    GazeError
        When it cannot be read or is no such map.
    """
    try:
        with path.open("rb") as file:
            numbers = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise GazeError(
            "The word map cannot be read.",
            where=str(path),
            todo="Choose the WORDMAP_*.json of the checkpoint.",
        ) from error
    if not isinstance(numbers, dict) or not all(type(number) is int for number in numbers.values()):
        raise _no_map(path, "it is no list of words with their numbers")
    order = sorted(numbers, key=lambda word: int(numbers[word]))
    if [numbers[word] for word in order] != list(range(len(order))):
        raise _no_map(path, "its numbers do not go from 0 on without a gap")
    missing = [word for word in (PAD, START, END) if word not in numbers]
    if missing or order[0] != PAD:
        raise _no_map(path, f"it lacks {', '.join(missing)}" if missing else f"{PAD} is not number 0")
    halves = [word for word in order if not _is_text(word)]
    if halves:
        raise _no_map(path, f"{ascii(halves[0])[:100]} has half a character, which cannot be written down")
    return tuple(order)


def _is_text(word: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def content_words(vocabulary: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that name or describe something: all but English grammar words, marks and special tokens."""
    return tuple(word for word in vocabulary if word not in SPECIAL and _has_content(word))


def _has_content(word: str) -> bool:
    return any(part.is_content for part in split_words((0,), lambda _: word)[1])


def _no_map(path: Path, why: str) -> GazeError:
    return GazeError(
        f"This is no word map: {why}.",
        where=str(path),
        todo="Choose the WORDMAP_*.json that was made with the checkpoint's training data.",
    )
