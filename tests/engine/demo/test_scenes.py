"""Scenes: seeded, drawn inside the picture, and captions that agree with the drawn facts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.scenes import (
    CATEGORIES,
    COLOURS,
    SEXES,
    Scene,
    captions,
    make_scene,
    scene_seeds,
)

SCENES = [make_scene(seed) for seed in scene_seeds("test", 300, start=5000)]


def test_same_seed_same_scene_and_picture() -> None:
    assert make_scene(7) == make_scene(7)
    assert make_scene(7) != make_scene(8)
    np.testing.assert_array_equal(render(make_scene(7), 64), render(make_scene(7), 64))


@pytest.mark.parametrize("size", [64, 128, 300, 512])
def test_pictures_have_the_asked_size(size: int) -> None:
    picture = render(SCENES[0], size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8


def test_a_picture_is_the_same_scene_at_every_size() -> None:
    small = render(SCENES[1], 128).astype(float)
    large = render(SCENES[1], 512).astype(float).reshape(128, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - large).mean() < 5


def test_splits_never_share_a_seed() -> None:
    splits = [set(scene_seeds(split, 1000)) for split in ("train", "validation", "test", "demo")]
    assert len(set.union(*splits)) == 4000
    with pytest.raises(ValueError, match="room"):
        scene_seeds("train", 200_000_000)


def test_boxes_lie_in_the_picture_and_hold_what_is_drawn() -> None:
    for scene in SCENES:
        for box in (*scene.boxes, *(p.head for p in scene.people)):
            assert 0 <= box.x0 < box.x1 <= 1
            assert 0 <= box.y0 < box.y1 <= 1


def test_drawing_an_object_changes_its_box_and_little_else() -> None:
    for scene in SCENES[:10]:
        without = Scene(scene.seed, scene.place, scene.objects[1:], scene.people, scene.horizon)
        changed = np.abs(render(scene, 128).astype(int) - render(without, 128)).max(axis=2) > 12
        box = scene.boxes[0]
        rows, columns = np.nonzero(changed)
        assert len(rows) > 100
        inside = (
            (columns >= box.x0 * 128 - 2)
            & (columns <= box.x1 * 128 + 2)
            & (rows >= box.y0 * 128 - 2)
            & (rows <= box.y1 * 128 + 2)
        )
        assert inside.mean() > 0.85  # its shadow lies beside it


def test_general_captions_name_everything_from_left_to_right() -> None:
    for scene in SCENES:
        truth = captions(scene)["general"]
        assert truth.words[:3] == ("a", scene.place, "with")
        named = [i for word, i in zip(truth.words, truth.boxes, strict=True) if word in (*CATEGORIES, *SEXES)]
        assert sorted(named) == list(range(len(scene.objects) + len(scene.people)))
        entities = (*scene.objects, *scene.people)
        columns = [entities[i].column for i in named]
        assert columns == sorted(columns)


def test_words_agree_with_the_boxes_they_name() -> None:
    for scene in SCENES:
        entities = (*scene.objects, *scene.people, *scene.held)
        for truth in captions(scene).values():
            assert len(truth.words) == len(truth.boxes) <= 24
            for word, index in zip(truth.words, truth.boxes, strict=True):
                if index < 0:
                    assert word not in (*CATEGORIES, *SEXES)
                    continue
                thing = entities[index]
                facts = {getattr(thing, name, "") for name in ("colour", "category", "sex", "shirt")}
                assert word in facts


def test_articles_are_right() -> None:
    for scene in SCENES:
        for truth in captions(scene).values():
            for word, following in zip(truth.words, truth.words[1:], strict=False):
                assert (word == "an") == (following == "orange" and word in ("a", "an"))


def test_people_mean_the_first_thing_in_their_direction() -> None:
    """The picture alone settles the target: nothing of the same height lies in between."""
    for scene in SCENES:
        for person in scene.people:
            if person.held is not None or person.act == "faces" or person.target >= len(scene.objects):
                continue
            target = scene.objects[person.target]
            between = [
                thing
                for thing in scene.objects
                if thing.row == target.row
                and (thing.column - person.column) * person.facing > 0
                and abs(thing.column - person.column) < abs(target.column - person.column)
            ]
            assert not between
            assert math.copysign(1, target.x - person.x) == person.facing


def test_pointing_arms_point_at_their_target() -> None:
    pointing = [(s, p) for s in SCENES for p in s.people if p.act == "points"]
    assert len(pointing) > 30
    for scene, person in pointing:
        (sx, sy), (hx, hy) = person.shoulder, person.hand
        tx, ty = scene.target_box(person).centre
        cross = (hx - sx) * (ty - sy) - (hy - sy) * (tx - sx)
        assert abs(cross) < 1e-9
        assert (hx - sx) * (tx - sx) > 0


def test_sexes_and_shirts_say_nothing_about_the_target() -> None:
    """Knowing the shirt's colour does not tell the target's: equal as often as chance says."""
    scenes = [make_scene(seed) for seed in scene_seeds("test", 1500, start=9000)]
    pairs = [
        (person.shirt, scene.objects[person.target].colour)
        for scene in scenes
        for person in scene.people
        if person.target < len(scene.objects)
    ]
    same = np.mean([shirt == colour for shirt, colour in pairs])
    chance = 1 / len(COLOURS)
    assert abs(same - chance) < 4 * math.sqrt(chance * (1 - chance) / len(pairs))
    both = [s.people for s in scenes if len(s.people) == 2]
    alike = np.mean([a.sex == b.sex for a, b in both])
    assert abs(alike - 0.5) < 4 * math.sqrt(0.25 / len(both))


def test_an_act_stays_open_when_only_the_colours_are_known() -> None:
    """Naming the target's colour often leaves more than one object of that colour."""
    open_cases = [
        sum(thing.colour == scene.objects[person.target].colour for thing in scene.objects) > 1
        for scene in SCENES
        for person in scene.people
        if person.target < len(scene.objects)
    ]
    assert np.mean(open_cases) > 0.2
