"""Masks that need no drawing: a side of the image, or a gradient from it, named by a text.

``left``              the left half
``left 30%``          the left 30 % of the width
``left graded``       all at the left border, falling linearly to nothing at the right border
``left 60% graded``   the same, falling to nothing at 60 % of the width
``left soft 10%``     the left half, its edge fading linearly over 10 % of the width, centred on the edge

and likewise ``right``, ``top`` and ``bottom`` (of the height). A hard side takes the columns (or rows) whose centre
lies in it. A centre on the edge belongs to the right (or lower) side, so ``left P%`` and the rest from the right take
every pixel exactly once; at an odd width the left half is a column narrower than the right half.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from math import ceil

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import MaskArray

SIDES = ("left", "right", "top", "bottom")

BUILT_IN = {
    "left": "The left half of the image.",
    "right": "The right half of the image.",
    "top": "The upper half of the image.",
    "bottom": "The lower half of the image.",
    "left 30%": "The left 30 % of the width; any percentage, from any side.",
    "left graded": "All at the left border, falling evenly to nothing at the right border.",
    "left 60% graded": "All at the left border, falling evenly to nothing at 60 % of the width.",
    "left soft 10%": "The left half; its edge fades over 10 % of the width.",
}
"""Examples of each kind, as sentences."""

_NUMBER = r"([+-]?\d+(?:\.\d+)?)\s*%"
_TEXT = re.compile(
    rf"({'|'.join(SIDES)})(?:\s+{_NUMBER})?(?:\s+(graded)|\s+soft\s+{_NUMBER})?", re.IGNORECASE
)
_MIRRORED = {"left": "right", "right": "left"}


def built_in(text: str, height: int, width: int) -> MaskArray | None:
    """Return the mask that a text names, for an image of ``height`` x ``width`` px; None when it names none.

    Raises
    ------
    GazeError
        When a percentage makes no sense, or takes no pixel of the image.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        return None
    side, share, graded, soft = found.groups()
    mask = side_mask(
        side.lower(),
        height,
        width,
        _share(text, share) if share else (Fraction(1) if graded else Fraction(1, 2)),
        graded=bool(graded),
        soft=_share(text, soft) if soft else 0,
    )
    if not mask.any():
        raise GazeError(
            f"'{text.strip()}' takes no pixel of an image of {width} x {height} px.",
            todo="Give a larger percentage.",
        )
    return mask


def side_mask(
    side: str,
    height: int,
    width: int,
    share: float | Fraction = Fraction(1, 2),
    *,
    graded: bool = False,
    soft: float | Fraction = 0,
) -> MaskArray:
    """Return one side of an image as a mask.

    Parameters
    ----------
    side
        One of `SIDES`.
    height, width
        Of the image, px.
    share
        Of the width (or height) that it takes from its border, 0 to 1.
    graded
        Whether cover falls linearly from 255 at the border to 0 at ``share``.
    soft
        Share of the width (or height) over which the edge fades linearly, half of it to either side; 0 for a hard
        edge.

    Raises
    ------
    GazeError
        When there is no such side.
    """
    if side not in SIDES:
        raise GazeError(f"An image has no side '{side}'.", todo=f"Use {', '.join(SIDES)}.")
    length = width if side in _MIRRORED else height
    edge = Fraction(share) * length
    if graded:
        profile = _falling(length, Fraction(0), edge)
    elif soft:
        reach = Fraction(soft) * length / 2
        profile = _falling(length, edge - reach, edge + reach)
    else:
        return _hard(side, height, width, edge)
    if side in ("right", "bottom"):
        profile = profile[::-1]
    line = profile[None, :] if side in _MIRRORED else profile[:, None]
    return np.ascontiguousarray(np.broadcast_to(line, (height, width)))


def mirrored_name(text: str) -> str | None:
    """Return the text of the mask mirrored left to right, such as "right 30%" for "left 30%"; None for other texts."""
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        return None
    side = found.group(1)
    return _MIRRORED.get(side.lower(), side.lower()) + text.strip()[len(side) :]


def plain_name(text: str) -> str | None:
    """Return the shortest text of the same mask, such as "left" for "LEFT 50%"; None for texts that name none."""
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        return None
    side, share, graded, soft = found.groups()
    parts = [side.lower()]
    if share and Decimal(share) != (100 if graded else 50):
        parts.append(plain_percent(share))
    if graded:
        parts.append("graded")
    if soft:
        parts += ["soft", plain_percent(soft)]
    return " ".join(parts)


def plain_percent(number: str) -> str:
    """Return a percentage as it is written in names, such as "30%" for "030.0"."""
    return f"{Decimal(number).normalize():f}%"


def _share(text: str, percent: str) -> Fraction:
    """Return a percentage as a share."""
    share = Fraction(percent) / 100
    if not 0 < share <= 1:
        raise GazeError(
            f"'{text.strip()}' asks for {percent} %.", todo="A mask takes more than 0 % and at most 100 %."
        )
    return share


def _hard(side: str, height: int, width: int, edge: Fraction) -> MaskArray:
    """Return a side that ends ``edge`` px from its border; fractions keep centres on the edge on one side of it."""
    mask: MaskArray = np.zeros((height, width), dtype=np.uint8)
    half = Fraction(1, 2)
    if side == "left":
        mask[:, : max(ceil(edge - half), 0)] = 255
    elif side == "right":
        mask[:, max(ceil(width - edge - half), 0) :] = 255
    elif side == "top":
        mask[: max(ceil(edge - half), 0)] = 255
    else:
        mask[max(ceil(height - edge - half), 0) :] = 255
    return mask


def _falling(length: int, full: Fraction, none: Fraction) -> MaskArray:
    """Return cover at pixel centres along a line: 255 up to ``full`` px, 0 from ``none`` px, linear between."""
    centres = np.arange(length) + 0.5
    level = 255.0 * (float(none) - centres) / float(none - full)
    profile: MaskArray = np.floor(np.clip(level, 0.0, 255.0) + 0.5).astype(np.uint8)
    return profile
