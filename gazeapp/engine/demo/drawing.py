"""Drawing a scene at any size: a place with light and depth, shaded objects, people with plain cues."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.demo.pen import Pen
from gazeapp.engine.demo.places import DRAW_PLACE
from gazeapp.engine.demo.scenes import Person, Scene, Thing
from gazeapp.engine.demo.shapes import draw_person, draw_thing
from gazeapp.engine.types import ImageArray


def render(scene: Scene, size: int) -> ImageArray:
    """Draw ``scene`` as an RGB picture of ``size`` x ``size`` px.

    The drawing is done at two or three times the size and averaged down, so edges are smooth.
    The same scene and size always give the same picture.
    """
    factor = 2 if size <= 256 else 3
    pen = Pen(size * factor)
    rng = np.random.default_rng(scene.seed + 1)
    DRAW_PLACE[scene.place](pen, scene.horizon, rng)
    standing: list[Thing | Person] = [*scene.objects, *scene.people]
    for entity in sorted(standing, key=lambda e: e.base):
        if isinstance(entity, Thing):
            pen.shadow(entity.x, entity.base, entity.size * 0.5)
            draw_thing(pen, entity)
        else:
            pen.shadow(entity.x, entity.base, entity.height * 0.19)
            draw_person(pen, entity)
    return np.asarray(pen.image.reduce(factor), dtype=np.uint8)
