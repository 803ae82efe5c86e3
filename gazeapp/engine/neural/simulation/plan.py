"""What is planted where: which regions answer to what, through which fields, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CONTRAST = "contrast"
GENERAL = "people, general"
SOCIAL = "people, social"
PEOPLE = {"general": GENERAL, "social": SOCIAL}
"""Drive of each task under which people look."""
NO_DRIVE = "none"


@dataclass(frozen=True)
class Planted:
    """What drives one region of both hemispheres.

    Parameters
    ----------
    region
        Name of the region.
    drives
        Parts of the signal's variance that each drive has before they are added; they sum to 1.
    share
        Share of signal in the variance over images of the mean over subjects, in (0, 1).
    x, y
        Centre of the region's fields: x as distance from the vertical midline, to the right of it for the left
        hemisphere and to the left for the right one; y from the top edge. In shares of the image.
    scatter
        Standard deviation of the fields' centres about it, in shares of the image.
    size
        Standard deviation of each field, in shares of the image.
    lean
        How far the fields of both hemispheres lie to the right of that, in shares of the image; to the left if
        negative.
    """

    region: str
    drives: Mapping[str, float]
    share: float
    x: float
    y: float
    scatter: float
    size: float
    lean: float = 0.0

    @property
    def drive(self) -> str:
        """Names of the drives, in words."""
        return " + ".join(self.drives)


LEAN = -0.22
"""How far the fields of higher regions lie to the left in both hemispheres. Were they the same to both sides, a
region's mean would be hardly more than how central a map is, and that alone would predict it."""

PLANTED = (
    Planted("pericalcarine", {CONTRAST: 1.0}, 0.96, x=0.08, y=0.50, scatter=0.08, size=0.06),
    Planted("lateraloccipital", {CONTRAST: 0.5, GENERAL: 0.5}, 0.91, x=0.10, y=0.55, scatter=0.08, size=0.10),
    Planted("lingual", {CONTRAST: 1.0}, 0.87, x=0.12, y=0.38, scatter=0.08, size=0.07),
    Planted("fusiform", {GENERAL: 1.0}, 0.76, x=0.08, y=0.50, scatter=0.08, size=0.12, lean=LEAN),
    Planted("superiortemporal", {SOCIAL: 1.0}, 0.70, x=0.08, y=0.45, scatter=0.08, size=0.12, lean=LEAN),
    Planted("cuneus", {CONTRAST: 1.0}, 0.64, x=0.12, y=0.68, scatter=0.08, size=0.07),
    Planted("parahippocampal", {GENERAL: 1.0}, 0.56, x=0.08, y=0.70, scatter=0.08, size=0.14, lean=LEAN),
    Planted("inferiorparietal", {SOCIAL: 1.0}, 0.44, x=0.08, y=0.58, scatter=0.08, size=0.14, lean=LEAN),
    Planted("inferiortemporal", {GENERAL: 1.0}, 0.34, x=0.06, y=0.60, scatter=0.08, size=0.12, lean=LEAN),
    Planted("superiorparietal", {SOCIAL: 1.0}, 0.25, x=0.08, y=0.70, scatter=0.08, size=0.14, lean=LEAN),
)
"""Regions that answer, most signal first; all others are noise. The fields of cuneus lie in the lower and those of
lingual in the upper half of the picture, as those parts of the cortex do."""
