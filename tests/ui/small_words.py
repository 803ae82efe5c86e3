"""A small project whose runs know attention by layer and head, planted so that each cell can be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gazeapp.engine.models.base import AttentionDetail, Caption, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.engine.types import FloatArray, Rect
from tests.ui.small_study import CAPTION, GRAMMAR, HEIGHT, TASK, WIDTH, Study, build

LAYERS, HEADS, ROWS, COLUMNS = (3, 7), 3, 4, 6
RECT = Rect(20.0, 0.0, 120.0, float(HEIGHT))
"""The middle of the image: a model that crops sees no more."""
HEADED, LAYERED, UNKEPT = "vlm-heads", "vlm-layers", "vlm-none"
N = len(CAPTION)
FACTS = {
    "tokens": [5, 6, 7],
    "n_image_tokens": 24,
    "views": [{"name": "image", "rows": ROWS, "columns": COLUMNS}],
    "dtype": "float32",
    "device": "cpu",
    "ended": True,
    "image_scale": 0.5,
}


def peak(word: int, row: int, head: int) -> tuple[int, int]:
    """The grid cell at which a head looks while a word is written, (row, column)."""
    return (word + 2 * row + head) % ROWS, (2 * word + row + 3 * head) % COLUMNS


def masses() -> FloatArray:
    """Share of attention on the image by word, layer and head."""
    return np.random.default_rng(3).uniform(0.1, 0.9, (N, len(LAYERS), HEADS)).astype(np.float32)


def maps() -> FloatArray:
    """Attention by word, layer and head, each map summing to its share; head 0 is twice as sharp as the others."""
    made = np.ones((N, len(LAYERS), HEADS, ROWS, COLUMNS), np.float64)
    for word in range(N):
        for row in range(len(LAYERS)):
            for head in range(HEADS):
                made[word, row, head][peak(word, row, head)] += 60.0 if head == 0 else 12.0
    made *= masses()[..., None, None] / made.sum(axis=(3, 4), keepdims=True)
    return made.astype(np.float32)


def caption(kept: str) -> Caption:
    """What a model said, with its map of each layer and head, of each layer, or with neither."""
    by_head = maps()
    stored = {"heads": by_head, "layers": by_head.mean(axis=2, keepdims=True), "": None}[kept]
    mean = by_head.mean(axis=(1, 2), dtype=np.float64)
    return Caption(
        words=tuple(Word(word, -0.2 - 0.1 * k, word not in GRAMMAR) for k, word in enumerate(CAPTION)),
        maps=(mean / mean.sum(axis=(1, 2), keepdims=True)).astype(np.float32),
        image_mass=masses().mean(axis=(1, 2)),
        rect=RECT,
        task=TASK,
        method="attention",
        prompt="Describe the picture.",
        detail=AttentionDetail(LAYERS, masses(), None if stored is None else stored.astype(np.float16)),
        facts=FACTS,
    )


def build_words(folder: Path) -> Study:
    """A project with one captioner and three vision-language models that kept heads, layers, and neither."""
    study = build(folder, images=2, models=1, subjects=0, scored=False)
    with Project.open(study.path) as project, project.transaction():
        settings = project.settings.put("extract", {"seed": 1})
        for model, kept in ((HEADED, "heads"), (LAYERED, "layers"), (UNKEPT, "")):
            project.runs.put_model(ModelInfo(id=model, name=model.upper(), kind="vlm"))
            said = caption(kept)
            project.runs.put(study.images[0], model, TASK, said, said.mean_map(), settings, 2.5)
    return study


def density(cell: FloatArray) -> FloatArray:
    """A map relative to an even spread over the whole image."""
    return cell / cell.sum() * cell.size * (WIDTH * HEIGHT) / (RECT.width * RECT.height)
