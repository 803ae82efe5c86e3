"""Pictures of masks, and of images on which lesions changed much: caption and map before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from gazeapp.engine.lesions.outcomes import changed_words
from gazeapp.engine.project import ImageRow, LesionRow, Project
from gazeapp.engine.reports import pictures
from gazeapp.engine.reports.content import ModelData, Picture
from gazeapp.engine.reports.neglect.data import Example, MaskData, SaidWord
from gazeapp.engine.reports.numbers import number, percent
from gazeapp.engine.reports.style import REFERENCE_COLOUR
from gazeapp.engine.types import BoolArray, FloatArray, ImageArray, MaskArray

MaskOf = Callable[[str, ImageRow, str, str], MaskArray]
"""Mask, image, task, model -> the mask on that image, shape (height, width), 0 to 255."""

SIDE = 320
MASK_SIDE = 160
"""Longer sides of pictures, px."""
_DIMMED = 0.72
"""How dark a part is that is taken away."""
_OUTLINE = np.array([230, 40, 140], np.uint8)
_RANKED_BY = "log_probability_drop"


def most_changed(rows: Sequence[LesionRow], n: int) -> list[LesionRow]:
    """Return the lesions that changed most at the highest strength: of each model one, then the next ones.

    An image is shown once, as long as there are others.
    """
    own = [row for row in rows if not row.key.control and row.key.strength > 0]
    top = max((row.key.strength for row in own), default=0.0)
    ranked = sorted(
        (row for row in own if row.key.strength == top),
        key=lambda row: (-row.outcomes.get(_RANKED_BY, 0.0), -row.outcomes.get("words_changed", 0.0), row.id),
    )
    chosen: list[LesionRow] = []
    for fresh in (("model", "image_id"), ("image_id",), ()):
        for row in ranked:
            seen = any(getattr(row, name) == getattr(one, name) for one in chosen for name in fresh)
            if row not in chosen and not seen and len(chosen) < n:
                chosen.append(row)
    return chosen


def example(project: Project, row: LesionRow, mask_of: MaskOf, models: Sequence[ModelData]) -> Example:
    """Return one example with its pictures; both maps share one scale.

    Raises
    ------
    GazeError
        If the image's file, or its mask, is missing.
    """
    image = project.images.get(row.image_id)
    picture = pictures.thumbnail(project.images.file(image), SIDE)
    height, width = picture.shape[:2]
    mask = mask_of(row.key.mask, image, row.task, row.model)
    stored = (project.maps.mean_of_run(row.run_id), project.lesions.map_of(row.id))
    maps = [pictures.times_uniform(one.values, one.rect, image.rect, height, width) for one in stored]
    high = pictures.shared_scale(maps)
    model = next(one for one in models if one.id == row.model)
    own = row.outcomes
    before, after = _said([word.text for word in project.runs.words(row.run_id)], [w.text for w in row.words])
    left = [own.get(name, float("nan")) for name in ("mass_in_mask", "mass_in_mask_lesioned")]
    shown = (
        _picture("Image and mask", with_mask(picture, mask), f"{percent(100 * row.area)} taken away"),
        _picture(
            "Before",
            _on(picture, maps[0], mask, high),
            f"{percent(100 * left[0])} of the attention on the mask",
        ),
        _picture(
            "After",
            _on(picture, maps[1], mask, high),
            f"{percent(100 * left[1])} of the attention on the mask",
        ),
    )
    return Example(
        image=image.name,
        task=row.task,
        model=model.name,
        colour=model.colour,
        lesion=f"{row.key.mask} · {row.key.scope} · {row.key.strength:g}",
        numbers=(
            ("words changed", percent(100 * own.get("words_changed", float("nan")))),
            ("loss of the intact caption", f"{number(own.get(_RANKED_BY))} nats per token"),
            ("change of the map", f"{number(own.get('map_change'), 3)} bits"),
        ),
        before=before,
        after=after,
        pictures=shown,
        scale_high=high,
    )


def mask_picture(project: Project, mask: MaskData, rows: Sequence[LesionRow], mask_of: MaskOf) -> Picture:
    """Return how a mask looks on the first image that it was taken from.

    Raises
    ------
    GazeError
        If the image's file, or its mask, is missing.
    """
    row = min(
        (row for row in rows if row.key.mask == mask.name and not row.key.control),
        key=lambda row: (row.image_id, row.id),
    )
    image = project.images.get(row.image_id)
    picture = pictures.thumbnail(project.images.file(image), MASK_SIDE)
    return _picture(mask.name, with_mask(picture, mask_of(mask.name, image, row.task, row.model)), image.name)


def with_mask(picture: ImageArray, mask: MaskArray) -> ImageArray:
    """Return a picture on which a part is dimmed, the more the more of it is taken away, with its outline."""
    share = _at_size(mask, picture)
    dimmed = np.rint(picture * (1.0 - _DIMMED * share[:, :, None])).astype(np.uint8)
    return _outlined(dimmed, share)


def _on(picture: ImageArray, values: FloatArray, mask: MaskArray, high: float) -> ImageArray:
    return _outlined(pictures.overlay(picture, values, high), _at_size(mask, picture))


def _at_size(mask: MaskArray, picture: ImageArray) -> FloatArray:
    height, width = picture.shape[:2]
    scaled = Image.fromarray(mask).resize((width, height), Image.Resampling.BOX)
    share: FloatArray = np.asarray(scaled, np.float32) / np.float32(255)
    return share


def _outlined(picture: ImageArray, share: FloatArray) -> ImageArray:
    """Return a picture with the line along which half is taken away."""
    inside: BoolArray = share >= 0.5
    edge = np.zeros_like(inside)
    edge[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    edge[1:] |= inside[1:] != inside[:-1]
    # Two pixels wide, to be seen on any picture.
    edge[:, :-1] |= edge[:, 1:]
    edge[:-1] |= edge[1:]
    outlined = picture.copy()
    outlined[edge] = _OUTLINE
    return outlined


def _said(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[SaidWord, ...], tuple[SaidWord, ...]]:
    gone, new = changed_words(before, after)
    return (
        tuple(SaidWord(text, k in gone) for k, text in enumerate(before)),
        tuple(SaidWord(text, k in new) for k, text in enumerate(after)),
    )


def _picture(title: str, pixels: ImageArray, caption: str) -> Picture:
    height, width = pixels.shape[:2]
    return Picture(
        title, REFERENCE_COLOUR, pictures.jpeg(pixels), width, height, caption, None, is_model=False
    )
