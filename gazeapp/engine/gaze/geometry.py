"""Where an image lay on the screen, and what a degree of visual angle is in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import Placement
from gazeapp.engine.types import BoolArray, DoubleArray, Json


@dataclass(frozen=True, slots=True)
class ScreenToImage:
    """Where an image was shown, and so how screen px become image px.

    x_image = (x_screen - offset_x) * image_width / shown_width, and the same for y. Both frames
    have their origin at the top-left corner of pixel 0.

    Parameters
    ----------
    offset_x, offset_y
        Top-left corner of the shown image, screen px.
    shown_width, shown_height
        Size at which it was shown, screen px.
    image_width, image_height
        The image's own size, px.
    """

    offset_x: float
    offset_y: float
    shown_width: float
    shown_height: float
    image_width: int
    image_height: int

    def __post_init__(self) -> None:
        sizes = (self.shown_width, self.shown_height, self.image_width, self.image_height)
        if not all(math.isfinite(size) and size > 0 for size in sizes):
            shown = f"{self.shown_width} x {self.shown_height}"
            raise GazeError(f"An image cannot have been shown at {shown} px.")
        if not (math.isfinite(self.offset_x) and math.isfinite(self.offset_y)):
            raise GazeError("The corner of an image on the screen must be a number of px.")

    @classmethod
    def identity(cls, image_width: int, image_height: int) -> ScreenToImage:
        """Return the transform of positions that are image px already."""
        return cls(0.0, 0.0, float(image_width), float(image_height), image_width, image_height)

    @classmethod
    def centred(
        cls, screen_width: float, screen_height: float, image_width: int, image_height: int
    ) -> ScreenToImage:
        """Return the default guess: own size in the middle, shrunk to fit when it is too big.

        An image that fits the screen is taken as shown at its own size in the middle. A larger
        one is taken as shrunk, without distortion, until it just fits, with bars at two sides.
        """
        scale = min(1.0, screen_width / image_width, screen_height / image_height)
        shown_width, shown_height = image_width * scale, image_height * scale
        return cls(
            (screen_width - shown_width) / 2,
            (screen_height - shown_height) / 2,
            shown_width,
            shown_height,
            image_width,
            image_height,
        )

    @classmethod
    def placed(
        cls, placement: Placement, screen: tuple[float, float], image_width: int, image_height: int
    ) -> ScreenToImage:
        """Return the transform for an image that the recording itself places on the screen."""
        if placement.anchor == "fill":
            return cls(0.0, 0.0, screen[0], screen[1], image_width, image_height)
        width = placement.width if placement.width > 0 else float(image_width)
        height = placement.height if placement.height > 0 else float(image_height)
        x, y = placement.x, placement.y
        if placement.anchor == "center" or math.isnan(x) or math.isnan(y):
            x = (screen[0] / 2 if math.isnan(x) else x) - width / 2
            y = (screen[1] / 2 if math.isnan(y) else y) - height / 2
        return cls(x, y, width, height, image_width, image_height)

    def apply(self, x: ArrayLike, y: ArrayLike) -> tuple[DoubleArray, DoubleArray]:
        """Return positions in image px, from positions in screen px."""
        xs = (np.asarray(x, dtype=np.float64) - self.offset_x) * (self.image_width / self.shown_width)
        ys = (np.asarray(y, dtype=np.float64) - self.offset_y) * (self.image_height / self.shown_height)
        return xs, ys

    def as_json(self) -> Json:
        """Return the four numbers that are stored with a trial, screen px."""
        return {
            "offset_x": self.offset_x,
            "offset_y": self.offset_y,
            "shown_width": self.shown_width,
            "shown_height": self.shown_height,
        }


def inside(x: ArrayLike, y: ArrayLike, width: int, height: int) -> BoolArray:
    """Return which image px positions lie on the image: floor(x) in [0, width), floor(y) in [0, height)."""
    columns = np.floor(np.asarray(x, dtype=np.float64))
    rows = np.floor(np.asarray(y, dtype=np.float64))
    on_image: BoolArray = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return on_image


def pixels_per_degree(distance_cm: float, screen_cm: float, screen_px: float) -> float:
    """Return the screen px that one degree of visual angle spans in the middle of the screen.

    ppd = 2 d tan(0.5 deg) * screen_px / screen_cm.

    Parameters
    ----------
    distance_cm
        From the eye to the screen, cm.
    screen_cm, screen_px
        Width of the screen in cm and in px.
    """
    values = (distance_cm, screen_cm, screen_px)
    if not all(math.isfinite(value) and value > 0 for value in values):
        raise GazeError("Viewing distance, screen width in cm and screen width in px must all be above 0.")
    return 2 * distance_cm * math.tan(math.radians(0.5)) * screen_px / screen_cm


@dataclass(frozen=True, slots=True)
class Sigma:
    """Standard deviation of the Gaussian that turns fixations into a human map.

    Parameters
    ----------
    value
        The standard deviation (not the full width at half maximum), in ``unit``.
    unit
        ``px`` (image px) or ``deg`` (degrees of visual angle).
    pixels_per_degree
        Px in a degree; needed for ``deg``.
    """

    value: float
    unit: str = "px"
    pixels_per_degree: float | None = None

    def __post_init__(self) -> None:
        if self.unit not in ("px", "deg"):
            raise GazeError(f"Sigma is given in px or deg, not in {self.unit!r}.")
        if not (math.isfinite(self.value) and self.value > 0):
            raise GazeError(f"Sigma must be above 0, not {self.value}.")
        ppd = self.pixels_per_degree
        if self.unit == "deg" and not (ppd is not None and math.isfinite(ppd) and ppd > 0):
            raise GazeError(
                "Sigma in degrees needs the pixels per degree.",
                todo="Give the image px per degree (--px-per-deg on the command line), or sigma in px.",
            )

    def in_pixels(self, image_px_per_screen_px: float = 1.0) -> float:
        """Return sigma in image px.

        Parameters
        ----------
        image_px_per_screen_px
            image_width / shown_width of the image; used for degrees only.
        """
        if self.unit == "px":
            return self.value
        return self.value * float(self.pixels_per_degree or 0) * image_px_per_screen_px
