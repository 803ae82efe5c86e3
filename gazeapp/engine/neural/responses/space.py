"""Which surface a row of numbers is of, told by its length, and how it comes to fsaverage5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import FSAVERAGE5, LEFT, N_HEMISPHERE, N_VERTICES
from gazeapp.engine.types import DoubleArray

SURFACES = {N_HEMISPHERE: FSAVERAGE5, 40_962: "fsaverage6", 163_842: "fsaverage"}
"""Vertices of one hemisphere -> surface. Each subdivides the one before it and keeps its vertices first."""

_OTHER_SURFACES = {
    32_492: "one hemisphere of fs_LR 32k",
    64_984: "both hemispheres of fs_LR 32k",
    29_696: "the left cortex of fs_LR 32k without the medial wall",
    29_716: "the right cortex of fs_LR 32k without the medial wall",
    59_412: "the cortex of fs_LR 32k without the medial wall",
    91_282: "the grayordinates of the Human Connectome Project",
    170_494: "the grayordinates of the Human Connectome Project at 1.6 mm",
}


@dataclass(frozen=True, slots=True)
class Placement:
    """How the numbers of a row come to the vertices of fsaverage5.

    Parameters
    ----------
    surface
        Surface of the file.
    n_hemisphere
        Vertices of one hemisphere of it.
    hemisphere
        The one that the row is of; empty for both, left first.
    """

    surface: str
    n_hemisphere: int
    hemisphere: str = ""

    @property
    def note(self) -> str:
        """What was done to the vertices, as a sentence; empty where nothing was."""
        parts = []
        if self.surface != FSAVERAGE5:
            parts.append(
                f"The values are on {self.surface}; of each hemisphere the first {N_HEMISPHERE:,} of "
                f"{self.n_hemisphere:,} vertices are taken, by rule: they are those of fsaverage5. "
                "Nothing is smoothed or averaged."
            )
        if self.hemisphere:
            parts.append(f"Only the {self.hemisphere} hemisphere has values.")
        return " ".join(parts)

    def place(self, row: DoubleArray) -> DoubleArray:
        """Return the values of the vertices of fsaverage5, shape (20484,); NaN on a hemisphere without any."""
        if not self.hemisphere:
            return np.concatenate(
                [row[:N_HEMISPHERE], row[self.n_hemisphere : self.n_hemisphere + N_HEMISPHERE]]
            )
        placed = np.full(N_VERTICES, np.nan)
        start = 0 if self.hemisphere == LEFT else N_HEMISPHERE
        placed[start : start + N_HEMISPHERE] = row[:N_HEMISPHERE]
        return placed


def is_surface(width: int) -> bool:
    """Return whether that many numbers can be one or both hemispheres of a surface, of ours or another."""
    return width in SURFACES or (width % 2 == 0 and width // 2 in SURFACES) or width in _OTHER_SURFACES


def placement(width: int, hemisphere: str, wanted: str, where: str) -> Placement:
    """Return how rows of that width come to fsaverage5.

    Parameters
    ----------
    width
        Numbers in a row.
    hemisphere
        The one hemisphere that the file is of, as its name says; empty where it does not.
    wanted
        The one hemisphere that the user said to read alone; empty for none.
    where
        The file.

    Raises
    ------
    GazeError
        If the width is of no surface that can be brought to fsaverage5, or one hemisphere is alone.
    """
    if width % 2 == 0 and width // 2 in SURFACES and not hemisphere:
        return Placement(SURFACES[width // 2], width // 2)
    if width in SURFACES:
        if not wanted:
            raise GazeError(
                f"The responses have {width:,} values for each image: one hemisphere of {SURFACES[width]} alone.",
                where=where,
                todo="Give both hemispheres, left first; or say which one this is (--hemisphere left or right), and "
                "the other one has no values.",
            )
        if hemisphere and hemisphere != wanted:
            raise GazeError(
                f"The file is of the {hemisphere} hemisphere, not of the {wanted} one.",
                where=where,
                todo="Check its name, or name the other hemisphere.",
            )
        return Placement(SURFACES[width], width, wanted)
    if width in _OTHER_SURFACES:
        raise GazeError(
            f"The responses have {width:,} values for each image: {_OTHER_SURFACES[width]}, whose vertices are not "
            "those of fsaverage.",
            where=where,
            todo="Average them over the regions of an atlas and import the table of images x regions; or resample "
            "them to fsaverage5 first.",
        )
    raise GazeError(
        f"The responses have {width:,} values for each image, which is no surface that is known here "
        f"(fsaverage5 has {N_VERTICES:,}), and no names of regions.",
        where=where,
        todo="Resample them to fsaverage5; or, for regions, name them: roi_names in an NPZ file, or a table.",
    )
