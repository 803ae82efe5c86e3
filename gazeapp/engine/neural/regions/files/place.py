"""What a file's name says: which hemisphere it is of, and what its atlas is called."""

from __future__ import annotations

import re
from pathlib import Path

from gazeapp.engine.neural.records import LEFT, RIGHT

SUFFIXES = (".annot", ".label.gii.gz", ".label.gii", ".gii.gz", ".gii", ".label", ".mgz", ".mgh")
"""Ends of the names of files that hold regions, longest first among those that end alike."""
TABLES = (".csv", ".tsv", ".txt")
OWN = (".regions.json", ".json")

_SIDE = re.compile(r"(?:^|(?<=[._-]))(lh|rh|LH|RH|left|right|Left|Right|hemi-[LRlr]|[LR])(?=[._-]|$)")
_VERSION = re.compile(r"\.v\d+_\d+$")
_OTHER = {
    **{"lh": "rh", "LH": "RH", "left": "right", "Left": "Right", "L": "R"},
    **{"hemi-L": "hemi-R", "hemi-l": "hemi-r"},
}
_OTHER |= {there: here for here, there in _OTHER.items()}


def suffix_of(path: Path) -> str:
    """Return the end of a file's name that tells its kind, in small letters; the last part of it if unknown."""
    name = path.name.lower()
    return next((end for end in (*SUFFIXES, *TABLES, *OWN) if name.endswith(end)), path.suffix.lower())


def stem_of(path: Path) -> str:
    """Return a file's name without what tells its kind."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def hemisphere_of(path: Path) -> str:
    """Return ``left`` or ``right`` as the file's name says; empty where it says neither, or both.

    A name that begins with a side is of that side, whatever follows.
    """
    marks = _marks(path)
    return {"l": LEFT, "r": RIGHT}[_letter(marks[0][1])] if marks else ""


def key_of(path: Path) -> str:
    """Return what the two files of one atlas share in their names: ``lh.aparc.annot`` is of ``aparc``."""
    rest = _VERSION.sub("", _with_side(path, ""))
    return re.sub(r"([._-])[._-]+", r"\1", rest).strip("._- ") or stem_of(path)


def partner_of(path: Path) -> Path | None:
    """Return where the file of the other hemisphere would lie; None where the name speaks of no hemisphere."""
    if not hemisphere_of(path):
        return None
    return path.with_name(_with_side(path, None) + path.name[len(stem_of(path)) :])


def _marks(path: Path) -> list[re.Match[str]]:
    """Return where a file's name tells its side; nowhere, if it speaks of both."""
    found = list(_SIDE.finditer(stem_of(path)))
    if found and found[0].start() == 0:
        return found[:1]
    return found if len({_letter(mark[1]) for mark in found}) == 1 else []


def _with_side(path: Path, text: str | None) -> str:
    """Return the stem of a file's name with its side replaced: by a text, or (None) by the other side."""
    stem = stem_of(path)
    for mark in reversed(_marks(path)):
        stem = stem[: mark.start()] + (_OTHER[mark[1]] if text is None else text) + stem[mark.end() :]
    return stem


def _letter(side: str) -> str:
    return side.lower().removeprefix("hemi-")[0]
