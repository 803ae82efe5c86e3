"""Drawn scenes as facts: which place, which objects, who looks at, points to or holds what.

A scene is drawn from a seed and knows everything that can be asked about it: the box of each
object, person and head, and two captions whose words name their boxes. All coordinates are
unit coordinates, x and y in [0, 1] from the top-left corner, so a scene has no size in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

PLACES = ("field", "beach", "room")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white")
CATEGORIES = ("ball", "box", "tree", "cup", "dog", "house", "car", "star")
HELD_CATEGORIES = ("ball", "box", "cup", "star")
SEXES = ("man", "woman")
TASKS = ("general", "social")

Act = Literal["looks", "points", "holds", "faces"]
Row = Literal["far", "near"]
Split = Literal["train", "validation", "test", "demo"]

_SPLIT_START: dict[Split, int] = {
    "train": 0,
    "validation": 100_000_000,
    "test": 200_000_000,
    "demo": 300_000_000,
}
_SPLIT_ROOM = 100_000_000

# Width and height of each category as multiples of its size.
PROPORTIONS: dict[str, tuple[float, float]] = {
    "ball": (0.86, 0.86),
    "box": (0.92, 0.84),
    "tree": (0.88, 1.25),
    "cup": (0.90, 0.84),
    "dog": (1.15, 0.90),
    "house": (1.05, 1.12),
    "car": (1.15, 0.66),
    "star": (0.98, 0.96),
}

_COLUMN = 0.25
_BASE: dict[Row, float] = {"far": 0.555, "near": 0.945}
_SIZE: dict[Row, float] = {"far": 0.175, "near": 0.225}
_HEAD_RADIUS = 0.135
_ARM = 0.36


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in unit coordinates: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y)."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        """Share of the image that the box covers."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def clipped(self) -> Box:
        """Return the part of the box inside the image."""
        return Box(max(0.0, self.x0), max(0.0, self.y0), min(1.0, self.x1), min(1.0, self.y1))


@dataclass(frozen=True, slots=True)
class Thing:
    """A coloured object: its category, colour, the centre of its base and its box."""

    category: str
    colour: str
    x: float
    base: float
    size: float
    column: int
    row: Row

    @property
    def box(self) -> Box:
        """Box of the drawn object."""
        wide, high = PROPORTIONS[self.category]
        half = wide * self.size / 2
        return Box(self.x - half, self.base - high * self.size, self.x + half, self.base).clipped()


@dataclass(frozen=True, slots=True)
class Body:
    """A person's looks and place, before it is known what they do.

    Parameters
    ----------
    sex, shirt, skin, hair
        ``man`` or ``woman``, shirt colour, and indices of skin and hair tone.
    x, base, height
        Centre and bottom of the figure, and its height.
    column
        Column of the layout, 0 to 3.
    """

    sex: str
    shirt: str
    skin: int
    hair: int
    x: float
    base: float
    height: float
    column: int

    @property
    def head_centre(self) -> tuple[float, float]:
        """Centre (x, y) of the head."""
        return self.x, self.base - self.height + self.head_radius * 1.15

    @property
    def head_radius(self) -> float:
        """Radius of the head."""
        return _HEAD_RADIUS * self.height


@dataclass(frozen=True, slots=True)
class Person(Body):
    """A person and what they do.

    Parameters
    ----------
    act
        ``looks``, ``points``, ``holds`` or ``faces`` (face each other).
    target
        Index into ``Scene.boxes`` of what the act is about.
    aim
        Point (x, y) that the eyes are turned to.
    held
        The object in the hands, for ``holds``.
    """

    act: Act
    target: int
    aim: tuple[float, float]
    held: Thing | None

    @property
    def facing(self) -> int:
        """1 when turned to the right, -1 when turned to the left."""
        return 1 if self.aim[0] > self.x else -1

    @property
    def gaze(self) -> tuple[float, float]:
        """Unit vector from the head to the aim."""
        return _unit(self.head_centre, self.aim)

    @property
    def shoulder(self) -> tuple[float, float]:
        """Shoulder (x, y) of the arm that points or holds."""
        x, y = self.head_centre
        return x + self.facing * 0.07 * self.height, y + self.head_radius * 1.5

    @property
    def hand(self) -> tuple[float, float]:
        """Hand (x, y) of the arm that points or holds, or that hangs down."""
        sx, sy = self.shoulder
        if self.act == "points":
            ux, uy = _unit((sx, sy), self.aim)
            return sx + ux * _ARM * self.height, sy + uy * _ARM * self.height
        if self.held is not None:
            centre = self.held.box.centre
            return centre[0] - self.facing * self.held.size * 0.3, centre[1] + self.held.size * 0.15
        return sx + self.facing * 0.06 * self.height, sy + 0.33 * self.height

    @property
    def head(self) -> Box:
        """Box of the head with its hair."""
        (x, y), r = self.head_centre, self.head_radius * 1.15
        return Box(x - r, y - r, x + r, y + r).clipped()

    @property
    def box(self) -> Box:
        """Box of the whole figure, arms included."""
        half, hand = 0.16 * self.height, self.hand[0]
        left, right = min(self.x - half, hand), max(self.x + half, hand)
        return Box(left, self.base - self.height, right, self.base).clipped()


@dataclass(frozen=True, slots=True)
class Scene:
    """A place with objects and people.

    Parameters
    ----------
    seed
        The seed that it was drawn from.
    place
        ``field``, ``beach`` or ``room``.
    objects, people
        Objects that stand about, and people.
    horizon
        Height of the line where the ground ends.
    """

    seed: int
    place: str
    objects: tuple[Thing, ...]
    people: tuple[Person, ...]
    horizon: float

    @property
    def held(self) -> tuple[Thing, ...]:
        """Objects in people's hands, in the order of the people."""
        return tuple(person.held for person in self.people if person.held is not None)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Boxes of the objects, then of the people, then of the held objects."""
        entities: tuple[Thing | Person, ...] = (*self.objects, *self.people, *self.held)
        return tuple(entity.box for entity in entities)

    @property
    def nouns(self) -> tuple[str, ...]:
        """What captions call the thing or person of each of `boxes`."""
        return (
            *(thing.category for thing in self.objects),
            *(person.sex for person in self.people),
            *(thing.category for thing in self.held),
        )

    def target_box(self, person: Person) -> Box:
        """Return where ``person`` attends: an object's box, or the head of a person."""
        index = person.target - len(self.objects)
        return self.people[index].head if 0 <= index < len(self.people) else self.boxes[person.target]


@dataclass(frozen=True, slots=True)
class CaptionTruth:
    """A true caption: its words, and for each word the index of its box in ``Scene.boxes`` (or -1)."""

    words: tuple[str, ...]
    boxes: tuple[int, ...]

    @property
    def text(self) -> str:
        """The caption as one string."""
        return " ".join(self.words)


def scene_seeds(split: Split, count: int, start: int = 0) -> range:
    """Return ``count`` seeds of a split; splits never share a seed."""
    if start < 0 or start + count > _SPLIT_ROOM:
        raise ValueError(f"a split has room for {_SPLIT_ROOM} seeds")
    first = _SPLIT_START[split] + start
    return range(first, first + count)


def make_scene(seed: int) -> Scene:
    """Draw a scene from its seed.

    People fill a column of the layout each, objects stand far or near in the others. A person
    who looks or points means the first thing in that direction at that height, so the picture
    settles what is meant; sexes and colours are drawn independently of it.
    """
    rng = np.random.default_rng(seed)
    place = PLACES[rng.integers(len(PLACES))]
    n_people = 1 + int(rng.random() < 0.6)
    columns = [int(c) for c in rng.permutation(4)]
    objects = _draw_objects(rng, columns[n_people:], n_people)
    drafts = [_draw_body(rng, column) for column in sorted(columns[:n_people])]
    people = _give_acts(rng, drafts, objects)
    return Scene(seed, place, objects, people, horizon=0.36 + float(rng.uniform(-0.03, 0.03)))


def captions(scene: Scene) -> dict[str, CaptionTruth]:
    """Return the two true captions of a scene, by task."""
    return {"general": _general(scene), "social": _social(scene)}


def _unit(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    return dx / length, dy / length


def _jitter(rng: np.random.Generator, width: float) -> float:
    return float(rng.uniform(-width, width))


def _pick(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _draw_objects(rng: np.random.Generator, columns: list[int], n_people: int) -> tuple[Thing, ...]:
    slots: list[tuple[int, Row]] = [(c, r) for c in columns for r in ("far", "near")]
    count = int(rng.integers(2, 5 if n_people == 1 else 4))
    chosen = sorted(int(i) for i in rng.permutation(len(slots))[:count])
    things: list[Thing] = []
    looks: list[tuple[str, str]] = []
    for slot in chosen:
        # A colour is often shared, so that naming the colour does not yet name the object.
        reuse = bool(looks) and rng.random() < 0.3
        colour = looks[int(rng.integers(len(looks)))][1] if reuse else _pick(rng, COLOURS)
        category = _pick(rng, CATEGORIES)
        while (category, colour) in looks:
            category = _pick(rng, CATEGORIES)
        looks.append((category, colour))
        column, row = slots[slot]
        size = _SIZE[row] * (1 + _jitter(rng, 0.07))
        half = PROPORTIONS[category][0] * size / 2 + 0.01
        x = _COLUMN * (column + 0.5) + _jitter(rng, 0.025)
        x = min(max(x, half), 1 - half)
        things.append(Thing(category, colour, x, _BASE[row] + _jitter(rng, 0.018), size, column, row))
    return tuple(sorted(things, key=lambda thing: (thing.column, thing.row)))


def _draw_body(rng: np.random.Generator, column: int) -> Body:
    height = 0.57 * (1 + _jitter(rng, 0.03))
    return Body(
        sex=_pick(rng, SEXES),
        shirt=_pick(rng, COLOURS),
        skin=int(rng.integers(4)),
        hair=int(rng.integers(4)),
        x=_COLUMN * (column + 0.5) + _jitter(rng, 0.02),
        base=0.915 + _jitter(rng, 0.012),
        height=height,
        column=column,
    )


def _aims(
    me: int, bodies: list[Body], objects: tuple[Thing, ...], kinds: str
) -> Iterator[tuple[int, tuple[float, float]]]:
    """Yield (box index, point) of everything that a person can plainly look at or point to.

    Going outwards on either side, that is the first thing at each height; people block the view,
    and near things further than two columns off are left out: the eyes turn too little towards them.
    """
    for side in (-1, 1):
        seen: set[str] = set()
        column = bodies[me].column + side
        while 0 <= column < 4:
            for index, thing in enumerate(objects):
                if thing.column != column or thing.row in seen:
                    continue
                seen.add(thing.row)
                if thing.row == "far" or abs(column - bodies[me].column) <= 2:
                    yield index, thing.box.centre
            blocked = [i for i, body in enumerate(bodies) if body.column == column]
            if blocked:
                if "far" not in seen and kinds == "all":
                    yield len(objects) + blocked[0], bodies[blocked[0]].head_centre
                break
            column += side


def _give_acts(
    rng: np.random.Generator, bodies: list[Body], objects: tuple[Thing, ...]
) -> tuple[Person, ...]:
    pair = len(bodies) == 2 and rng.random() < 0.22
    if pair and abs(bodies[0].column - bodies[1].column) > 1:
        between = range(bodies[0].column + 1, bodies[1].column)
        pair = not any(thing.column in between and thing.row == "far" for thing in objects)
    people: list[Person] = []
    n_held = 0
    for me, body in enumerate(bodies):
        if pair:
            other = 1 - me
            people.append(_person(body, "faces", len(objects) + other, bodies[other].head_centre))
            continue
        act: Act = ("looks", "points", "holds")[int(rng.choice(3, p=(0.4, 0.35, 0.25)))]
        options = list(_aims(me, bodies, objects, "all" if act == "looks" else "objects"))
        if act == "looks" and me == 1 and people[0].target == len(objects) + 1:
            options = [option for option in options if option[0] != len(objects)]
        if act == "holds" or not options:
            held = _draw_held(rng, body, {other.column for other in bodies})
            people.append(_person(body, "holds", len(objects) + len(bodies) + n_held, held.box.centre, held))
            n_held += 1
            continue
        index, point = options[int(rng.integers(len(options)))]
        people.append(_person(body, act, index, point))
    return tuple(people)


def _draw_held(rng: np.random.Generator, body: Body, taken: set[int]) -> Thing:
    inside = [side for side in (-1, 1) if 0 <= body.column + side < 4]
    free = [side for side in inside if body.column + side not in taken] or inside
    side = free[int(rng.integers(len(free)))]
    size = 0.125 * (1 + _jitter(rng, 0.05))
    x = body.x + side * 0.15
    base = body.head_centre[1] + 0.30 * body.height + size / 2
    return Thing(_pick(rng, HELD_CATEGORIES), _pick(rng, COLOURS), x, base, size, body.column, "near")


def _person(body: Body, act: Act, target: int, aim: tuple[float, float], held: Thing | None = None) -> Person:
    looks = {field.name: getattr(body, field.name) for field in fields(Body)}
    return Person(**looks, act=act, target=target, aim=aim, held=held)


class _Writer:
    """Collects words with the index of the box that each one names."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.boxes: list[int] = []

    def add(self, text: str, box: int = -1) -> None:
        for word in text.split():
            self.words.append(word)
            self.boxes.append(box)

    def truth(self) -> CaptionTruth:
        return CaptionTruth(tuple(self.words), tuple(self.boxes))


def _article(name: str) -> str:
    return "an" if name[0] in "aeiou" else "a"


def _general(scene: Scene) -> CaptionTruth:
    entries = [
        ((thing.column, thing.row), f"{thing.colour} {thing.category}", i)
        for i, thing in enumerate(scene.objects)
    ] + [
        ((person.column, "far"), person.sex, len(scene.objects) + i) for i, person in enumerate(scene.people)
    ]
    out = _Writer()
    out.add(f"a {scene.place} with")
    for i, (_, name, box) in enumerate(sorted(entries)):
        out.add(f"{'and ' if i else ''}{_article(name)}")
        out.add(name, box)
    return out.truth()


def _social(scene: Scene) -> CaptionTruth:
    out = _Writer()
    n_objects = len(scene.objects)
    faces = scene.people[0].act == "faces"
    for i, person in enumerate(scene.people):
        out.add("and a" if i else "a")
        out.add(person.sex, n_objects + i)
        out.add("in")
        out.add(person.shirt, n_objects + i)
        if faces:
            continue
        if person.held is not None:
            name = f"{person.held.colour} {person.held.category}"
            out.add(f"holds {_article(name)}")
            out.add(name, person.target)
            continue
        out.add("looks at the" if person.act == "looks" else "points to the")
        if person.target < n_objects:
            thing = scene.objects[person.target]
            out.add(f"{thing.colour} {thing.category}", person.target)
        else:
            out.add(scene.people[person.target - n_objects].sex, person.target)
    if faces:
        out.add("face each other")
    return out.truth()
