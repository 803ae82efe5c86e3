"""Which hemisphere a file is of, told by its name, and the file of the other one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, RIGHT

_TOKENS = tuple(
    re.compile(rf"(?:^|(?<=[._\-]))(?:(?P<left>{left})|(?P<right>{right}))(?=[._\-]|$)", flags)
    for left, right, flags in (
        ("lh", "rh", re.IGNORECASE),
        ("hemi-l(?:eft)?", "hemi-r(?:ight)?", re.IGNORECASE),
        ("L", "R", re.NOFLAG),
        ("left", "right", re.IGNORECASE),
    )
)
"""What names the hemisphere in a file's name, surest first."""

_SUBJECT = re.compile(
    r"(?:^|(?<=[._\-/]))(?:sub|subj|subject|participant|s)[-_]?[0-9][A-Za-z0-9]*|(?:^|(?<=[._\-/]))sub-[A-Za-z0-9]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Pair:
    """The files of both hemispheres, or of one.

    Parameters
    ----------
    stem
        What is left of their names without hemisphere and suffix.
    left, right
        The files; None where there is none.
    """

    stem: str
    left: Path | None
    right: Path | None

    @property
    def alone(self) -> str:
        """The hemisphere that is there alone; empty where both are."""
        if self.left is not None and self.right is not None:
            return ""
        return LEFT if self.left is not None else RIGHT

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, left first."""
        return tuple(file for file in (self.left, self.right) if file is not None)


def hemisphere_of(name: str) -> tuple[str, str]:
    """Return the hemisphere that a file's name tells, and the name without it; two empty texts where it tells none."""
    for token in _TOKENS:
        if found := token.search(name):
            rest = re.sub(r"[._\-]{2,}", ".", name[: found.start()] + name[found.end() :])
            return (LEFT if found["left"] else RIGHT), rest.strip("._-")
    return "", ""


def stem_of(name: str) -> str:
    """Return a file's name without the suffixes of surfaces, tables and arrays."""
    return re.sub(
        r"(?:\.(?:func|shape|gii|gz|mgh|mgz|npy|npz|csv|tsv|txt))+$", "", name, flags=re.IGNORECASE
    ).strip("._-")


def subject_of(name: str) -> str:
    """Return the part of a name that names a subject, such as ``sub-01`` or ``subj03``; empty where there is none."""
    found = _SUBJECT.search(name)
    return found[0] if found else ""


def pairs_of(files: Iterable[Path]) -> list[Pair]:
    """Return the pairs that files make, in the order of their names.

    Raises
    ------
    GazeError
        If a name does not tell the hemisphere, or two files are of the same hemisphere under one name.
    """
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(files):
        hemisphere, rest = hemisphere_of(file.name)
        if not hemisphere:
            raise GazeError(
                "The file's name does not tell which hemisphere it is of.",
                where=str(file),
                todo="Name the files like lh.betas.func.gii and rh.betas.func.gii, or with hemi-L and hemi-R.",
            )
        sides = found.setdefault(stem_of(rest), {})
        if hemisphere in sides:
            raise GazeError(
                f"Two files are of the {hemisphere} hemisphere: {sides[hemisphere].name} and {file.name}.",
                where=str(file.parent),
                todo="Keep one of them, or give one file of the pair.",
            )
        sides[hemisphere] = file
    return [Pair(stem, sides.get(LEFT), sides.get(RIGHT)) for stem, sides in found.items()]


def pair_with(file: Path) -> Pair:
    """Return a file with the one of the other hemisphere that lies beside it.

    Raises
    ------
    GazeError
        If the name does not tell the hemisphere.
    """
    hemisphere, rest = hemisphere_of(file.name)
    # Only the suffix is compared in the folder: others there may be of no pair at all.
    beside = [
        other
        for other in sorted(file.parent.iterdir())
        if other.suffix.lower() == file.suffix.lower()
        and hemisphere_of(other.name)[1] == rest
        and hemisphere_of(other.name)[0] != hemisphere
    ]
    return pairs_of([file, *(beside if hemisphere else [])])[0]
