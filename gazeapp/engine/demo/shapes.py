"""The shapes of the demo world: eight objects and a person, drawn with a pen in unit coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable

from gazeapp.engine.demo.pen import PAINT, Colour, Pen, Point, mix, shade
from gazeapp.engine.demo.scenes import PROPORTIONS, Person, Thing

_SKIN: tuple[Colour, ...] = ((247, 212, 182), (226, 172, 132), (178, 122, 84), (120, 80, 56))
_HAIR: tuple[Colour, ...] = ((44, 32, 26), (94, 58, 32), (168, 112, 52), (70, 70, 78))
_INK: Colour = (38, 34, 40)
_GLASS: Colour = (190, 222, 244)


class _Place:
    """Maps (u, v) in [0, 1] within an object's own box to unit coordinates of the picture."""

    def __init__(self, pen: Pen, thing: Thing) -> None:
        wide, high = PROPORTIONS[thing.category]
        self.pen = pen
        self.wide, self.high = wide * thing.size, high * thing.size
        self.left, self.top = thing.x - self.wide / 2, thing.base - self.high
        self.colour = PAINT[thing.colour]

    def at(self, u: float, v: float) -> Point:
        return self.left + u * self.wide, self.top + v * self.high

    def polygon(self, points: list[Point], fill: Colour, outline: Colour | None = None) -> None:
        self.pen.polygon([self.at(*p) for p in points], fill, outline)

    def ellipse(self, u0: float, v0: float, u1: float, v1: float, fill: Colour) -> None:
        self.pen.ellipse(*self.at(u0, v0), *self.at(u1, v1), fill)

    def block(self, u0: float, v0: float, u1: float, v1: float, fill: Colour, radius: float = 0.04) -> None:
        self.pen.rounded(*self.at(u0, v0), *self.at(u1, v1), radius * self.wide, fill)

    def path(self, points: list[Point], ink: Colour, width: float) -> None:
        self.pen.path([self.at(*p) for p in points], ink, width * self.wide)


def draw_thing(pen: Pen, thing: Thing) -> None:
    """Draw an object in its box."""
    _SHAPES[thing.category](_Place(pen, thing))


def _ball(p: _Place) -> None:
    x, y = p.at(0.5, 0.5)
    r = p.wide / 2
    p.pen.orb((x, y), r, p.colour)
    p.pen.arc(x - r * 1.7, y - r * 0.9, x + r * 0.1, y + r * 0.9, (-55, 55), shade(p.colour, 0.55), r * 0.09)
    p.pen.arc(x - r * 0.1, y - r * 0.9, x + r * 1.7, y + r * 0.9, (125, 235), shade(p.colour, 0.55), r * 0.09)
    p.pen.glaze_ellipse(x - r * 0.6, y - r * 0.72, x - r * 0.12, y - r * 0.36, (255, 255, 255), 150)


def _box(p: _Place) -> None:
    c = p.colour
    p.polygon([(0, 0.28), (0.78, 0.28), (0.78, 1), (0, 1)], c)
    p.polygon([(0, 0.28), (0.22, 0), (1, 0), (0.78, 0.28)], shade(c, 1.35))
    p.polygon([(0.78, 0.28), (1, 0), (1, 0.74), (0.78, 1)], shade(c, 0.62))
    tape = shade(c, 0.8)
    p.polygon([(0.32, 0.28), (0.46, 0.28), (0.46, 1), (0.32, 1)], tape)
    p.polygon([(0.32, 0.28), (0.54, 0), (0.68, 0), (0.46, 0.28)], shade(c, 1.1))
    p.path([(0, 0.28), (0.78, 0.28), (0.78, 1)], shade(c, 0.55), 0.02)
    p.path([(0.78, 0.28), (1, 0)], shade(c, 0.55), 0.02)


def _tree(p: _Place) -> None:
    bark: Colour = (112, 76, 48)
    p.polygon([(0.43, 0.5), (0.57, 0.5), (0.64, 1), (0.36, 1)], bark)
    p.polygon([(0.5, 0.5), (0.57, 0.5), (0.64, 1), (0.52, 1)], shade(bark, 0.75))
    for u, v, r in ((0.27, 0.5, 0.27), (0.73, 0.5, 0.27), (0.5, 0.34, 0.36)):
        p.pen.orb(p.at(u, v), r * p.wide, p.colour)
    for u, v in ((0.35, 0.28), (0.6, 0.22), (0.25, 0.5), (0.55, 0.46), (0.76, 0.5)):
        p.ellipse(u - 0.05, v - 0.025, u + 0.05, v + 0.025, shade(p.colour, 1.3))


def _cup(p: _Place) -> None:
    c = p.colour
    x0, y0 = p.at(0.56, 0.24)
    x1, y1 = p.at(1.0, 0.8)
    p.pen.arc(x0, y0, x1, y1, (-100, 110), shade(c, 0.7), p.wide * 0.09)
    p.polygon([(0, 0.1), (0.76, 0.1), (0.68, 0.92), (0.08, 0.92)], c)
    p.ellipse(0.08, 0.84, 0.68, 1, c)
    p.polygon([(0.5, 0.1), (0.76, 0.1), (0.68, 0.92), (0.5, 0.98)], shade(c, 0.78))
    p.polygon([(0.1, 0.14), (0.2, 0.14), (0.24, 0.9), (0.15, 0.88)], shade(c, 1.45))
    p.ellipse(0, 0, 0.76, 0.2, shade(c, 0.6))
    p.ellipse(0.06, 0.03, 0.7, 0.17, (92, 60, 42))


def _dog(p: _Place) -> None:
    c, dark = p.colour, shade(p.colour, 0.68)
    p.path([(0.14, 0.5), (0.03, 0.22)], c, 0.09)
    for u in (0.2, 0.62):
        p.block(u, 0.62, u + 0.1, 1, dark)
    for u in (0.1, 0.52):
        p.block(u, 0.62, u + 0.11, 1, c)
    p.ellipse(0.06, 0.36, 0.72, 0.8, c)
    p.ellipse(0.12, 0.38, 0.6, 0.58, shade(c, 1.25))
    p.polygon([(0.5, 0.4), (0.62, 0.2), (0.8, 0.45), (0.66, 0.68)], c)
    p.ellipse(0.54, 0.02, 0.9, 0.5, c)
    p.ellipse(0.74, 0.22, 1, 0.46, shade(c, 1.2))
    p.ellipse(0.92, 0.22, 1, 0.33, _INK)
    p.ellipse(0.54, 0.06, 0.68, 0.5, dark)
    p.ellipse(0.74, 0.13, 0.82, 0.24, (255, 255, 255))
    p.ellipse(0.765, 0.15, 0.815, 0.23, _INK)


def _house(p: _Place) -> None:
    c = p.colour
    p.polygon([(0.08, 0.4), (0.92, 0.4), (0.92, 1), (0.08, 1)], c)
    p.polygon([(0.62, 0.4), (0.92, 0.4), (0.92, 1), (0.62, 1)], shade(c, 0.82))
    roof: Colour = (124, 70, 56)
    p.polygon([(0.68, 0.06), (0.79, 0.06), (0.79, 0.3), (0.68, 0.2)], shade(roof, 0.8))
    p.polygon([(0, 0.45), (0.5, 0), (1, 0.45)], roof)
    p.polygon([(0.5, 0), (1, 0.45), (0.66, 0.45)], shade(roof, 0.78))
    p.block(0.4, 0.62, 0.6, 1, (96, 64, 46), 0.03)
    p.ellipse(0.54, 0.8, 0.58, 0.84, (240, 210, 120))
    for u in (0.15, 0.68):
        p.block(u - 0.015, 0.51, u + 0.185, 0.74, (250, 250, 250), 0.01)
        p.block(u, 0.525, u + 0.17, 0.725, _GLASS, 0.01)
        p.path([(u + 0.085, 0.525), (u + 0.085, 0.725)], (250, 250, 250), 0.02)


def _car(p: _Place) -> None:
    c = p.colour
    p.polygon([(0.16, 0.48), (0.3, 0.02), (0.68, 0.02), (0.85, 0.48)], c)
    p.polygon([(0.24, 0.44), (0.34, 0.1), (0.48, 0.1), (0.48, 0.44)], _GLASS)
    p.polygon([(0.53, 0.44), (0.53, 0.1), (0.65, 0.1), (0.77, 0.44)], _GLASS)
    p.block(0, 0.4, 1, 0.84, c, 0.1)
    p.block(0.01, 0.66, 0.99, 0.84, shade(c, 0.7), 0.07)
    p.block(0.06, 0.44, 0.92, 0.5, shade(c, 1.4), 0.02)
    p.ellipse(0.93, 0.48, 1, 0.62, (255, 244, 190))
    for u in (0.12, 0.62):
        p.ellipse(u, 0.56, u + 0.27, 1, (34, 34, 38))
        p.ellipse(u + 0.075, 0.68, u + 0.195, 0.88, (196, 200, 206))


def _star(p: _Place) -> None:
    c = p.colour
    tips = [
        (
            0.5 + 0.52 * radius * math.sin(i * math.pi / 5),
            0.54 - 0.54 * radius * math.cos(i * math.pi / 5),
        )
        for i, radius in enumerate((1.0, 0.46) * 5)
    ]
    for i in range(10):
        facet = shade(c, 1.3) if i % 2 else shade(c, 0.72)
        p.polygon([(0.5, 0.54), tips[i], tips[(i + 1) % 10]], mix(c, facet, 0.8))
    p.path([*tips, tips[0]], shade(c, 0.55), 0.025)


_SHAPES: dict[str, Callable[[_Place], None]] = {
    "ball": _ball,
    "box": _box,
    "tree": _tree,
    "cup": _cup,
    "dog": _dog,
    "house": _house,
    "car": _car,
    "star": _star,
}


def draw_person(pen: Pen, person: Person) -> None:
    """Draw a person: legs, body, head, arms, and what is in the hands."""
    skin, hair = _SKIN[person.skin], _HAIR[person.hair]
    cloth = PAINT[person.shirt]
    _far_arm(pen, person, cloth, skin)
    _body(pen, person, cloth, skin)
    _head(pen, person, skin, hair)
    if person.held is not None:
        draw_thing(pen, person.held)
    _arm(pen, person, shade(cloth, 0.8), skin)


def _body(pen: Pen, person: Person, cloth: Colour, skin: Colour) -> None:
    x, h = person.x, person.height
    top, base = person.head_centre[1] + person.head_radius * 0.9, person.base
    pen.limb((x, top - 0.02 * h), (x, top + 0.04 * h), shade(skin, 0.85), 0.06 * h)
    outline = shade(cloth, 0.6)
    if person.sex == "woman":
        hem = base - 0.24 * h
        for side in (-1, 1):
            pen.limb(
                (x + side * 0.045 * h, hem - 0.02 * h),
                (x + side * 0.045 * h, base - 0.02 * h),
                skin,
                0.045 * h,
            )
            pen.ellipse(
                x + side * 0.05 * h - 0.035 * h, base - 0.035 * h, x + side * 0.05 * h + 0.035 * h, base, _INK
            )
        dress = [
            (x - 0.085 * h, top + 0.03 * h), (x + 0.085 * h, top + 0.03 * h), (x + 0.06 * h, top + 0.2 * h),
            (x + 0.16 * h, hem), (x - 0.16 * h, hem), (x - 0.06 * h, top + 0.2 * h),
        ]  # fmt: skip
        pen.polygon(dress, cloth, outline)
        pen.polygon(
            [
                (x + 0.02 * h, top + 0.2 * h),
                (x + 0.06 * h, top + 0.2 * h),
                (x + 0.155 * h, hem),
                (x + 0.07 * h, hem),
            ],
            shade(cloth, 0.82),
        )
        pen.path([(x - 0.06 * h, top + 0.2 * h), (x + 0.06 * h, top + 0.2 * h)], outline, 0.014 * h)
        return
    trousers: Colour = (58, 64, 92)
    hip = base - 0.40 * h
    for side in (-1, 1):
        tone = trousers if side < 0 else shade(trousers, 0.84)
        pen.limb((x + side * 0.045 * h, hip), (x + side * 0.052 * h, base - 0.045 * h), tone, 0.085 * h)
        pen.ellipse(
            x + side * 0.06 * h - 0.045 * h, base - 0.04 * h, x + side * 0.06 * h + 0.045 * h, base, _INK
        )
    pen.rounded(x - 0.108 * h, top + 0.02 * h, x + 0.108 * h, hip + 0.03 * h, 0.035 * h, outline)
    pen.rounded(x - 0.1 * h, top + 0.028 * h, x + 0.1 * h, hip + 0.022 * h, 0.03 * h, cloth)
    pen.polygon(
        [
            (x + 0.03 * h, top + 0.06 * h),
            (x + 0.1 * h, top + 0.06 * h),
            (x + 0.1 * h, hip),
            (x + 0.03 * h, hip),
        ],
        shade(cloth, 0.84),
    )


def _far_arm(pen: Pen, person: Person, cloth: Colour, skin: Colour) -> None:
    h, side = person.height, -person.facing
    x, y = person.x + side * 0.09 * h, person.shoulder[1]
    elbow = (x + side * 0.045 * h, y + 0.16 * h)
    hand = (x + side * 0.035 * h, y + 0.31 * h)
    pen.limb((x, y), elbow, shade(cloth, 0.72), 0.055 * h)
    pen.limb(elbow, hand, skin, 0.042 * h)


def _arm(pen: Pen, person: Person, cloth: Colour, skin: Colour) -> None:
    h = person.height
    shoulder, hand = person.shoulder, person.hand
    elbow = ((shoulder[0] + hand[0]) / 2, (shoulder[1] + hand[1]) / 2)
    if person.act == "holds":
        elbow = (shoulder[0] + person.facing * 0.05 * h, shoulder[1] + 0.17 * h)
    elif person.act != "points":
        elbow = (shoulder[0] + person.facing * 0.06 * h, elbow[1])
    pen.limb(shoulder, elbow, cloth, 0.062 * h)
    pen.limb(elbow, hand, skin, 0.048 * h)
    pen.disc(hand, 0.034 * h, skin)
    if person.act == "points":
        dx, dy = hand[0] - shoulder[0], hand[1] - shoulder[1]
        pen.limb(hand, (hand[0] + dx * 0.22, hand[1] + dy * 0.22), skin, 0.026 * h)


def _head(pen: Pen, person: Person, skin: Colour, hair: Colour) -> None:
    (x, y), r, side = person.head_centre, person.head_radius, person.facing
    gx, gy = person.gaze
    if person.sex == "woman":
        pen.rounded(
            x - r * (1.12 if side > 0 else 0.85),
            y - r * 0.4,
            x + r * (0.85 if side > 0 else 1.12),
            y + r * 1.5,
            r * 0.4,
            hair,
        )
    pen.disc((x - side * r * 0.1, y - r * 0.1), r * 1.08, hair)
    if person.sex == "man":
        pen.disc((x - side * r * 0.28, y + r * 0.36), r * 0.72, skin)
        pen.disc((x - side * r * 0.62, y + r * 0.16), r * 0.2, shade(skin, 0.9))
    nose = (x + gx * r * 1.48, y + gy * r * 1.48 + r * 0.1)
    px, py = -gy * r * 0.36, gx * r * 0.36
    root = (x + gx * r * 0.75, y + gy * r * 0.75 + r * 0.1)
    pen.polygon([(root[0] + px, root[1] + py), nose, (root[0] - px, root[1] - py)], shade(skin, 0.88))
    fx, fy = x + side * r * 0.16, y + r * (0.14 + 0.16 * gy)
    pen.ellipse(fx - r * 0.86, fy - r * 0.84, fx + r * 0.86, fy + r * 0.86, skin)
    pen.glaze_ellipse(
        fx + side * r * 0.1 - r * 0.2,
        fy + r * 0.2,
        fx + side * r * 0.1 + r * 0.2,
        fy + r * 0.5,
        (230, 90, 80),
        46,
    )
    for off in (0.02, 0.62):
        ex, ey = fx + side * r * off, fy + r * (-0.22 + 0.12 * gy)
        wide = r * (0.29 if off < 0.3 else 0.25)
        pen.ellipse(ex - wide, ey - r * 0.3, ex + wide, ey + r * 0.3, (255, 255, 255))
        pen.disc((ex + gx * wide * 0.5, ey + gy * r * 0.2), r * 0.165, (24, 26, 40))
        pen.arc(ex - wide, ey - r * 0.62, ex + wide, ey - r * 0.2, (200, 340), shade(hair, 0.8), r * 0.08)
    mx, my = fx + side * r * 0.36, fy + r * (0.46 + 0.1 * gy)
    pen.arc(mx - r * 0.22, my - r * 0.16, mx + r * 0.22, my + r * 0.16, (20, 160), (150, 52, 52), r * 0.09)
