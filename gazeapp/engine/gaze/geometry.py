"""Where an image lay on the screen, and what a degree of visual angle is in pixels."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import IMAGE, Facts, Frame, Placement
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
    def fitted(
        cls, screen_width: float, screen_height: float, image_width: int, image_height: int
    ) -> ScreenToImage:
        """Return the transform of an image shown as large as fits, undistorted, in the middle."""
        scale = min(screen_width / image_width, screen_height / image_height)
        width, height = image_width * scale, image_height * scale
        x, y = (screen_width - width) / 2, (screen_height - height) / 2
        return cls(x, y, width, height, image_width, image_height)

    @classmethod
    def placed(
        cls, placement: Placement, screen: tuple[float, float], image_width: int, image_height: int
    ) -> ScreenToImage:
        """Return the transform for an image that the recording itself places on the screen."""
        if placement.anchor == "fill":
            return cls(0.0, 0.0, screen[0], screen[1], image_width, image_height)
        if placement.anchor == "fit":
            return cls.fitted(*screen, image_width, image_height)
        width = placement.width if placement.width > 0 else float(image_width)
        height = placement.height if placement.height > 0 else float(image_height)
        x, y = placement.x, placement.y
        if placement.anchor == "center" or math.isnan(x) or math.isnan(y):
            x = (screen[0] / 2 if math.isnan(x) else x) - width / 2
            y = (screen[1] / 2 if math.isnan(y) else y) - height / 2
        return cls(x, y, width, height, image_width, image_height)

    def in_frame(self, frame: Frame, screen: tuple[float, float] | None) -> Affine:
        """Return where the image lies in the units in which positions were recorded.

        Parameters
        ----------
        frame
            Frame of the positions as read.
        screen
            Screen size (width, height), px; needed for shares, a middle or an upward y of the screen.

        Raises
        ------
        GazeError
            When the screen size is needed and unknown.
        """
        if frame.of == IMAGE:
            size: tuple[float, float] | None = (float(self.image_width), float(self.image_height))
        else:
            size = screen
        plain = frame.unit == "px" and not frame.y_up and not frame.centred
        if plain:
            return Affine(self.offset_x, self.offset_y, self.shown_width, self.shown_height)
        if size is None:
            raise _no_screen()
        scale_x, scale_y = size if frame.unit == "share" else (1.0, 1.0)
        zero_x, zero_y = (size[0] / 2, size[1] / 2) if frame.centred else (0.0, 0.0)
        if frame.y_up:
            scale_y = -scale_y
            zero_y = zero_y if frame.centred else size[1]
        return Affine(
            (self.offset_x - zero_x) / scale_x,
            (self.offset_y - zero_y) / scale_y,
            self.shown_width / scale_x,
            self.shown_height / scale_y,
        )

    def apply(self, x: ArrayLike, y: ArrayLike) -> tuple[DoubleArray, DoubleArray]:
        """Return positions in image px, from positions in screen px."""
        xs = (np.asarray(x, dtype=np.float64) - self.offset_x) * (self.image_width / self.shown_width)
        ys = (np.asarray(y, dtype=np.float64) - self.offset_y) * (self.image_height / self.shown_height)
        return xs, ys


@dataclass(frozen=True, slots=True)
class Affine:
    """Where an image lies in the units in which positions were recorded; stored with each trial.

    x_image = (x_read - offset_x) * image_width / shown_width, and the same for y; a shown height below
    0 means that y as read grows upwards.
    """

    offset_x: float
    offset_y: float
    shown_width: float
    shown_height: float


PLACEMENTS = {
    "recorded": "As the recording says, else at its own size in the middle",
    "own size": "At its own size in the middle",
    "fit": "As large as fits the screen, undistorted, in the middle",
    "fill": "Stretched over the whole screen",
    "explicit": "At a place that you give",
}
"""Where an image can have lain on the screen: id and what it means."""


@dataclass(frozen=True)
class Geometry:
    """What the user says about screen and distance; None or ``recorded`` leaves it to the file.

    Parameters
    ----------
    screen
        Screen size (width, height), px.
    placement
        A key of :data:`PLACEMENTS`; empty leaves it to the project's default.
    rect
        Where the image lay, for ``explicit``: x, y of its top-left corner, width, height, screen px.
    distance_cm
        From the eye to the screen, cm.
    screen_width_cm
        Width of the screen, cm.
    px_per_deg
        Screen px in a degree of visual angle, where it is known directly.
    """

    screen: tuple[float, float] | None = None
    placement: str = ""
    rect: tuple[float, float, float, float] | None = None
    distance_cm: float | None = None
    screen_width_cm: float | None = None
    px_per_deg: float | None = None

    def __post_init__(self) -> None:
        if self.placement and self.placement not in PLACEMENTS:
            raise GazeError(
                f"'{self.placement}' is no way to place an image on a screen.",
                todo=f"Choose one of: {', '.join(PLACEMENTS)}.",
            )
        if self.placement == "explicit" and self.rect is None:
            raise GazeError("An explicit place of the image needs its x, y, width and height in screen px.")
        if self.rect is not None and not (
            all(map(math.isfinite, self.rect)) and self.rect[2] > 0 and self.rect[3] > 0
        ):
            raise GazeError(f"An image cannot have been shown at {self.rect} (x, y, width, height).")
        sizes = [*(self.screen or ()), self.distance_cm, self.screen_width_cm, self.px_per_deg]
        if not all(size is None or (math.isfinite(size) and size > 0) for size in sizes):
            raise GazeError("Screen size, viewing distance and px per degree must all be above 0.")

    def as_json(self) -> Json:
        """Return what is known, for storing."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Geometry:
        """Return the geometry of what :meth:`as_json` gave."""
        known: dict[str, Any] = {entry.name: values.get(entry.name) for entry in fields(cls)}
        for name in ("screen", "rect"):
            known[name] = tuple(known[name]) if known[name] else None
        return cls(**{**known, "placement": known["placement"] or ""})

    def over(self, other: Geometry) -> Geometry:
        """Return this geometry, with what it leaves open taken from ``other``.

        Px per degree that ``other`` gives directly do not count where a distance or a width that is said
        here gives them.
        """
        own, rest = self.as_json(), other.as_json()
        # A place and its rectangle belong together.
        if "placement" in own:
            rest.pop("rect", None)
        merged = Geometry.of({**rest, **own})
        says_size = self.distance_cm is not None or self.screen_width_cm is not None
        if self.px_per_deg is None and says_size:
            by_size = replace(merged, px_per_deg=None)
            return merged if by_size.screen_px_per_degree is None else by_size
        return merged

    @property
    def screen_px_per_degree(self) -> float | None:
        """Screen px in a degree of visual angle; None when it is not known."""
        if self.px_per_deg is not None:
            return self.px_per_deg
        if self.screen is None or self.distance_cm is None or self.screen_width_cm is None:
            return None
        return pixels_per_degree(self.distance_cm, self.screen_width_cm, self.screen[0])


def effective(given: Geometry, facts: Facts, default: Geometry) -> Geometry:
    """Return what holds for a recording: what the user said of it, then its file, then the project."""
    recorded = Geometry(
        screen=facts.screen, distance_cm=facts.distance_cm, screen_width_cm=facts.screen_width_cm
    )
    return given.over(recorded.over(default))


def shown_at(
    geometry: Geometry,
    placement: Placement | None,
    frame: Frame,
    image_width: int,
    image_height: int,
) -> ScreenToImage:
    """Return where an image lay on the screen; for positions on the image itself, its own rectangle.

    Raises
    ------
    GazeError
        When the screen size is needed and unknown.
    """
    if frame.of == IMAGE:
        return ScreenToImage.identity(image_width, image_height)
    how = geometry.placement or "recorded"
    if how == "explicit" and geometry.rect is not None:
        return ScreenToImage(*geometry.rect, image_width, image_height)
    screen = geometry.screen
    if how == "recorded" and placement is not None and not placement.needs_screen:
        return ScreenToImage.placed(placement, screen or (0.0, 0.0), image_width, image_height)
    if screen is None:
        raise _no_screen()
    if how == "recorded" and placement is not None:
        return ScreenToImage.placed(placement, screen, image_width, image_height)
    if how == "fill":
        return ScreenToImage.placed(Placement("fill"), screen, image_width, image_height)
    if how == "fit":
        return ScreenToImage.fitted(*screen, image_width, image_height)
    if how == "own size":
        return ScreenToImage.placed(Placement("center"), screen, image_width, image_height)
    return ScreenToImage.centred(*screen, image_width, image_height)


def _no_screen() -> GazeError:
    return GazeError(
        "The file does not say how large the screen was, so its fixations cannot be laid on the images.",
        todo="Give the screen size in px (--screen on the command line).",
    )


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
