"""The places of the demo world: field, beach and room, drawn behind everything else."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gazeapp.engine.demo.pen import Colour, Pen, Point, shade


def _tone(rng: np.random.Generator, colour: Colour, spread: int = 8) -> Colour:
    r, g, b = (
        int(np.clip(v + d, 0, 255)) for v, d in zip(colour, rng.integers(-spread, spread + 1, 3), strict=True)
    )
    return r, g, b


def _cloud(pen: Pen, x: float, y: float, size: float) -> None:
    for dx, dy, r in ((-0.9, 0.1, 0.5), (-0.3, -0.2, 0.65), (0.4, -0.05, 0.6), (0.95, 0.15, 0.42)):
        cx, cy, rx, ry = x + dx * size, y + dy * size, r * size, r * size * 0.62
        pen.glaze_ellipse(cx - rx, cy - ry, cx + rx, cy + ry, (255, 255, 255), 200)


def _sun(pen: Pen, x: float, y: float) -> None:
    for r, alpha in ((0.11, 26), (0.085, 40), (0.065, 60)):
        pen.glaze_ellipse(x - r, y - r, x + r, y + r, (255, 246, 190), alpha)
    pen.disc((x, y), 0.045, (255, 240, 170))


def _ridge(rng: np.random.Generator, height: float, rise: float) -> list[Point]:
    phase, pace = rng.uniform(0, math.tau), rng.uniform(5, 8)
    xs = [i / 40 for i in range(41)]
    line = [(x, height - rise * (0.6 + 0.4 * math.sin(phase + pace * x))) for x in xs]
    return [*line, (1.0, height + 0.02), (0.0, height + 0.02)]


def _field(pen: Pen, horizon: float, rng: np.random.Generator) -> None:
    pen.gradient(0, horizon + 0.02, _tone(rng, (122, 182, 236)), _tone(rng, (214, 234, 248)))
    _sun(pen, float(rng.uniform(0.08, 0.92)), float(rng.uniform(0.07, 0.12)))
    for _ in range(3):
        _cloud(pen, float(rng.uniform(0, 1)), float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.05, 0.09)))
    pen.polygon(_ridge(rng, horizon, 0.09), _tone(rng, (150, 190, 168)))
    pen.polygon(_ridge(rng, horizon, 0.045), _tone(rng, (122, 178, 122)))
    near = _tone(rng, (104, 168, 74))
    pen.gradient(horizon, 1, _tone(rng, (158, 204, 112)), near)
    for x, y in rng.random((70, 2)):
        top = horizon + 0.03 + (0.95 - horizon) * y
        high = 0.006 + 0.016 * y
        pen.path(
            [(x - high * 0.4, top - high), (x, top), (x + high * 0.5, top - high)], shade(near, 0.84), 0.003
        )


def _beach(pen: Pen, horizon: float, rng: np.random.Generator) -> None:
    shore = horizon + 0.015
    sea = horizon - 0.11
    pen.gradient(0, sea, _tone(rng, (108, 186, 232)), _tone(rng, (222, 240, 246)))
    _sun(pen, float(rng.uniform(0.08, 0.92)), float(rng.uniform(0.07, 0.12)))
    _cloud(pen, float(rng.uniform(0, 1)), float(rng.uniform(0.06, 0.16)), float(rng.uniform(0.05, 0.08)))
    pen.gradient(sea, shore, _tone(rng, (36, 112, 178)), _tone(rng, (96, 190, 208)))
    for x, y in rng.random((14, 2)):
        row = sea + 0.01 + (shore - sea - 0.03) * y
        pen.path([(x - 0.03, row), (x + 0.03, row)], (186, 222, 236), 0.003)
    sand = _tone(rng, (226, 200, 146))
    pen.gradient(shore - 0.01, 1, _tone(rng, (244, 226, 182)), sand)
    foam = [(i / 30, shore - 0.008 + 0.007 * math.sin(i * 0.9 + shore * 90)) for i in range(31)]
    pen.path(foam, (250, 252, 252), 0.014)
    for x, y in rng.random((60, 2)):
        row = shore + 0.03 + (0.96 - shore) * y
        pen.disc((x, row), 0.0028, shade(sand, 0.86))


def _room(pen: Pen, horizon: float, rng: np.random.Generator) -> None:
    wall = _tone(rng, ((226, 216, 200), (204, 216, 218), (222, 208, 212))[int(rng.integers(3))])
    floor = horizon + 0.03
    pen.gradient(0, floor, wall, shade(wall, 0.9))
    x = float(rng.uniform(0.1, 0.62))
    _window(pen, x, 0.05, 0.26, 0.2)
    y = x + 0.36 if x < 0.36 else x - 0.2
    _frame(pen, y, 0.08, rng)
    wood = _tone(rng, (178, 128, 86))
    pen.gradient(floor, 1, shade(wood, 1.22), wood)
    for i in range(1, 9):
        row = floor + (1 - floor) * (i / 9) ** 1.5
        pen.path([(0, row), (1, row)], shade(wood, 0.9), 0.003)
    for i in range(-3, 14):
        pen.path(
            [(0.5 + (i / 10 - 0.5) * 0.8, floor), (0.5 + (i / 10 - 0.5) * 1.7, 1)], shade(wood, 0.94), 0.002
        )
    pen.polygon([(0, floor - 0.022), (1, floor - 0.022), (1, floor), (0, floor)], (246, 244, 240))


def _window(pen: Pen, x: float, y: float, wide: float, high: float) -> None:
    pen.rounded(x - 0.014, y - 0.014, x + wide + 0.014, y + high + 0.014, 0.006, (250, 248, 244))
    pen.polygon([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)], (176, 214, 242))
    pen.glaze(
        [(x, y + high), (x + wide * 0.5, y), (x + wide * 0.75, y), (x + wide * 0.25, y + high)],
        (255, 255, 255),
        90,
    )
    for points in (
        [(x + wide / 2, y), (x + wide / 2, y + high)],
        [(x, y + high / 2), (x + wide, y + high / 2)],
    ):
        pen.path(points, (250, 248, 244), 0.01)


def _frame(pen: Pen, x: float, y: float, rng: np.random.Generator) -> None:
    pen.rounded(x - 0.01, y - 0.01, x + 0.12, y + 0.1, 0.004, (120, 88, 60))
    pen.polygon([(x, y), (x + 0.11, y), (x + 0.11, y + 0.09), (x, y + 0.09)], (238, 234, 226))
    pen.polygon(
        [
            (x, y + 0.09),
            (x + 0.04, y + 0.035),
            (x + 0.075, y + 0.07),
            (x + 0.11, y + 0.05),
            (x + 0.11, y + 0.09),
        ],
        _tone(rng, (150, 164, 160)),
    )


DRAW_PLACE: dict[str, Callable[[Pen, float, np.random.Generator], None]] = {
    "field": _field,
    "beach": _beach,
    "room": _room,
}
