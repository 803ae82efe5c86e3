"""What is taken away from one image in an experiment: the masks, and the controls that they are held against."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.controls import equal_mass, mirrored, random_matched
from gazeapp.engine.project import ImageRow, LesionKey, StoredMap
from gazeapp.engine.project.masks import mask_sha256
from gazeapp.engine.types import MaskArray

MIRRORED, RANDOM, EQUAL_MASS, NOTHING, FLIPPED = "mirrored", "random", "equal_mass", "none", "flipped"
CONTROLS = {
    MIRRORED: "The mask mirrored left to right: is it the side, or that something is taken away at all?",
    RANDOM: "A mask of the same area and shape elsewhere: is it this place, or any place of that size?",
    EQUAL_MASS: "A region outside the mask on which the model spent as much attention: is it this place, or any that "
    "the model attends to as much?",
    NOTHING: "Nothing is taken away: has to give the intact run.",
    FLIPPED: "The mirrored image with the mirrored mask: tells a habit of looking to one side from the lesion.",
}
"""Controls of a lesion, as sentences."""


@dataclass(frozen=True)
class Cut:
    """One lesion of one image.

    Parameters
    ----------
    key
        What it is stored under.
    mask
        What is taken away.
    digest
        Tells the mask from others.
    base
        The same of the mask that it is, or is a control of.
    flipped
        Whether it belongs on the mirrored image.
    """

    key: LesionKey
    mask: MaskArray
    digest: str
    base: str
    flipped: bool = False


@dataclass(frozen=True)
class Design:
    """What an experiment varies on each image; see `gazeapp.engine.workflows.lesion.LesionSettings`."""

    masks: Sequence[str]
    controls: Sequence[str]
    n_random: int
    scopes: Sequence[str]
    strengths: Sequence[float]
    seed: int

    def __post_init__(self) -> None:
        unknown = [name for name in self.controls if name not in CONTROLS]
        if unknown:
            raise GazeError(f"There is no control called '{unknown[0]}'.", todo=f"Use {', '.join(CONTROLS)}.")
        if not self.masks:
            raise GazeError(
                "A lesion needs a mask.", todo="Name one, such as left, or a mask of the library."
            )
        if not self.scopes or not self.strengths:
            raise GazeError("A lesion needs a scope and a strength.")
        if any(not 0.0 <= strength <= 1.0 for strength in self.strengths):
            raise GazeError("A lesion's strength lies between 0 and 1.")
        if self.n_random < 1:
            raise GazeError("At least one random mask is drawn.")

    def keys(self, mask: str, scope: str) -> list[LesionKey]:
        """Return the lesions of one mask by one scope, with their controls, at all strengths."""
        kinds = [("", 0)]
        for control in self.controls:
            draws = self.n_random if control in (RANDOM, EQUAL_MASS) else 1
            kinds += [(control, draw) for draw in range(draws) if control != NOTHING]
        return [
            LesionKey(mask, control, draw, scope, float(strength))
            for strength in self.strengths
            for control, draw in kinds
        ]

    def nothing(self, scope: str) -> list[LesionKey]:
        """Return the lesion that takes nothing away, where it is asked for: once for each scope."""
        return [LesionKey(NOTHING, NOTHING, 0, scope, 1.0)] if NOTHING in self.controls else []

    def n_cuts(self) -> int:
        """Return how many lesions one image has under one task and model, over all scopes."""
        return sum(
            sum(len(self.keys(mask, scope)) for mask in self.masks) + len(self.nothing(scope))
            for scope in self.scopes
        )


def cuts_of(
    design: Design, keys: Sequence[LesionKey], image: ImageRow, mask: MaskArray, own: StoredMap
) -> Iterator[Cut]:
    """Yield the lesions of one mask on one image; controls that do not exist are left out.

    There is none of equal attention where there is not as much elsewhere, and no random one where the mask has no
    other place, as with one value everywhere.

    Parameters
    ----------
    design
        Its seed is that of the random controls.
    keys
        Lesions of that mask.
    image
        The image; what is drawn for it does not depend on other images.
    mask
        The mask itself.
    own
        The model's intact map of the image, which equal attention is found on.
    """
    of_mask, made = mask_sha256(mask), {}
    for key in keys:
        kind = key.control, key.draw
        if kind not in made:
            text = f"{design.seed}|{image.sha256}|{of_mask}|{key.control}|{key.draw}"
            found = _control(key.control, mask, own, zlib.crc32(text.encode()))
            made[kind] = None if found is None else (found, mask_sha256(found))
        known = made[kind]
        if known is not None:
            yield Cut(key, *known, of_mask, key.control == FLIPPED)


def _control(control: str, mask: MaskArray, own: StoredMap, seed: int) -> MaskArray | None:
    if control in (MIRRORED, FLIPPED):
        return mirrored(mask)
    if control == RANDOM:
        found = random_matched(mask, seed)
        return None if np.array_equal(found, mask) else found
    if control == EQUAL_MASS:
        return equal_mass(own.values, own.rect, mask, seed)
    return mask


def nothing_of(keys: Sequence[LesionKey], image: ImageRow) -> Iterator[Cut]:
    """Yield the lesions of an image that take nothing away."""
    mask = np.zeros((image.height, image.width), np.uint8)
    for key in keys:
        yield Cut(key, mask, mask_sha256(mask), "")
