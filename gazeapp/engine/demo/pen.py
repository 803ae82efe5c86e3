"""A pen that draws in unit coordinates, with the few kinds of shading that the demo world uses."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

PAINT: dict[str, Colour] = {
    "red": (212, 46, 44),
    "orange": (243, 134, 36),
    "yellow": (246, 212, 52),
    "green": (42, 150, 70),
    "blue": (44, 98, 210),
    "purple": (136, 66, 172),
    "white": (244, 244, 246),
}


def shade(colour: Colour, factor: float) -> Colour:
    """Darken (``factor`` below 1) or lighten towards white (above 1) a colour."""
    if factor <= 1:
        r, g, b = (int(v * factor) for v in colour)
    else:
        r, g, b = (int(v + (255 - v) * (factor - 1)) for v in colour)
    return r, g, b


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return ``first`` with ``share`` of ``second`` in it."""
    r, g, b = (int(p + (q - p) * share) for p, q in zip(first, second, strict=True))
    return r, g, b


class Pen:
    """Draws in unit coordinates on a square canvas of ``pixels`` x ``pixels``."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self.image = Image.new("RGB", (pixels, pixels))
        self._solid = ImageDraw.Draw(self.image)
        self._glaze = ImageDraw.Draw(self.image, "RGBA")

    def _px(self, points: list[Point] | tuple[Point, ...]) -> list[Point]:
        return [(x * self.pixels, y * self.pixels) for x, y in points]

    def gradient(self, top: float, bottom: float, first: Colour, last: Colour) -> None:
        """Fill the rows from ``top`` to ``bottom`` with a vertical gradient."""
        start, stop = round(top * self.pixels), round(bottom * self.pixels)
        share = np.linspace(0, 1, max(stop - start, 1))[:, None, None]
        column = (np.asarray(first) * (1 - share) + np.asarray(last) * share).astype(np.uint8)
        band = Image.fromarray(column, "RGB").resize((self.pixels, stop - start), Image.Resampling.NEAREST)
        self.image.paste(band, (0, start))

    def polygon(self, points: list[Point], fill: Colour, outline: Colour | None = None) -> None:
        """Fill a polygon, with an outline if one is given."""
        self._solid.polygon(self._px(points), fill=fill)
        if outline is not None:
            self.path([*points, points[0]], outline, 0.004)

    def glaze(self, points: list[Point], fill: Colour, alpha: int) -> None:
        """Lay a see-through polygon over the drawing."""
        self._glaze.polygon(self._px(points), fill=(*fill, alpha))

    def ellipse(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        """Fill an ellipse."""
        self._solid.ellipse(self._px([(x0, y0), (x1, y1)]), fill=fill)

    def glaze_ellipse(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, alpha: int) -> None:
        """Lay a see-through ellipse over the drawing."""
        self._glaze.ellipse(self._px([(x0, y0), (x1, y1)]), fill=(*fill, alpha))

    def disc(self, centre: Point, radius: float, fill: Colour) -> None:
        """Fill a circle."""
        x, y = centre
        self.ellipse(x - radius, y - radius, x + radius, y + radius, fill)

    def rounded(self, x0: float, y0: float, x1: float, y1: float, radius: float, fill: Colour) -> None:
        """Fill a rectangle with round corners."""
        self._solid.rounded_rectangle(self._px([(x0, y0), (x1, y1)]), radius * self.pixels, fill=fill)

    def arc(
        self, x0: float, y0: float, x1: float, y1: float, angles: tuple[float, float], ink: Colour,
        width: float,
    ) -> None:  # fmt: skip
        """Draw an arc between two angles in degrees, clockwise from the right."""
        stroke = max(1, round(width * self.pixels))
        self._solid.arc(self._px([(x0, y0), (x1, y1)]), *angles, fill=ink, width=stroke)

    def path(self, points: list[Point], ink: Colour, width: float) -> None:
        """Draw a line through points."""
        stroke = max(1, round(width * self.pixels))
        self._solid.line(self._px(points), fill=ink, width=stroke, joint="curve")

    def limb(self, start: Point, end: Point, ink: Colour, width: float) -> None:
        """Draw a thick line with round ends."""
        self.path([start, end], ink, width)
        self.disc(start, width / 2, ink)
        self.disc(end, width / 2, ink)

    def orb(self, centre: Point, radius: float, colour: Colour) -> None:
        """Draw a ball lit from the upper left."""
        steps = int(min(max(radius * self.pixels / 6, 3), 28))
        dark, light = shade(colour, 0.66), shade(colour, 1.42)
        for i in range(steps):
            share = i / steps
            r, off = radius * (1 - share), radius * share * 0.36
            tone = (
                mix(dark, colour, share / 0.45) if share < 0.45 else mix(colour, light, (share - 0.45) / 0.55)
            )
            self.disc((centre[0] - off, centre[1] - off), r, tone)

    def shadow(self, x: float, base: float, half: float) -> None:
        """Lay a soft shadow on the ground under something that stands at (x, base)."""
        steps = int(min(max(half * self.pixels / 20, 2), 10))
        for i in range(steps):
            r = half * (1.15 - 0.5 * i / steps)
            self.glaze_ellipse(x - r, base - r * 0.16, x + r, base + r * 0.22, (20, 20, 40), 80 // steps)
