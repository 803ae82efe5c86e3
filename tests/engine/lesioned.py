"""Lesions of a small study with planted outcomes, stored straight through the project."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.models.base import Caption, Word
from gazeapp.engine.project import LesionKey, LesionRow, MadeOf, Project
from gazeapp.engine.types import Rect
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.lesion_findings import assess

FOUR = (
    ("cnn-lstm", "CNN-LSTM"),
    ("cnn-transformer", "CNN-Transformer"),
    ("vit-lstm", "ViT-LSTM"),
    ("vit-transformer", "ViT-Transformer"),
)
SPARED = 2.0
"""How much more LSTM decoders lose under the left mask than under its controls, nats per token at strength 1."""


def add_lesions(
    project: Project,
    masks: Sequence[str] = ("left", "right"),
    strengths: Sequence[float] = (0.5, 1.0),
    *,
    said: str = "a red dog near a person",
    scope: str = "keys",
    spoiled: str = "",
    assessed: bool = True,
) -> None:
    """Store lesions of every run with random, equal-attention, mirrored and no-op controls.

    Equal attention is missing on the first image. ``spoiled`` is a model that does not repeat its intact run.
    """
    rng = np.random.default_rng(11)
    settings: dict[tuple[str, str], int] = {}
    controls = ("", "random", "equal_mass", "mirrored")
    keys = [LesionKey(m, c, 0, scope, s) for m in masks for s in strengths for c in controls]
    first = project.images.all()[0].id
    for run in project.runs.all():
        if run.method == "imported":
            continue
        values = {"model": run.model, "task": run.task, "method": run.method, "words": "content", "seed": 0}
        if (run.model, run.task) not in settings:
            settings[run.model, run.task] = project.settings.put("lesion", values)
        for key in (*keys, LesionKey("none", "none", 0, scope, 1.0)):
            if key.control == "equal_mass" and run.image_id == first:
                continue
            outcomes = _outcomes(rng, key, run.model, spoiled)
            grid = rng.dirichlet(np.ones(49)).reshape(7, 7).astype(np.float32)
            words = tuple(Word(text, -0.5, text not in ("a", "near")) for text in said.split(" "))
            rect = Rect.of_image(120, 90)
            caption = Caption(
                words, grid[None].repeat(len(words), 0), np.ones(len(words)), rect, run.task, "raw"
            )
            area = 0.0 if key.control == "none" else 0.5
            project.lesions.put(
                run.id,
                key,
                MadeOf("f" * 64),
                area,
                caption,
                grid,
                outcomes,
                0.03,
                settings[run.model, run.task],
            )
    if assessed:
        assess(project, SILENT)


def _outcomes(rng: np.random.Generator, key: LesionKey, model: str, spoiled: str) -> dict[str, float]:
    if key.control == "none":
        return dict.fromkeys(("log_probability_drop", "words_changed", "map_change"), float(model == spoiled))
    hit = SPARED * (model.endswith("lstm") and key.mask == "left" and not key.control)
    return {
        "log_probability_drop": key.strength * (0.5 + hit) + float(rng.normal(0.0, 0.05)),
        "words_changed": float(rng.uniform(0.1, 0.4)),
        "map_change": float(rng.uniform(0.1, 0.3)),
        "mass_in_mask": 0.6,
        "mass_in_mask_lesioned": 0.6 * (1 - key.strength),
        "laterality": float("nan"),
    }


def values_of(rows: Sequence[LesionRow], outcome: str, **which: object) -> dict[int, float]:
    """Return image -> outcome of the lesions that these attributes, of the row or its key, tell."""
    return {
        row.image_id: row.outcomes[outcome]
        for row in rows
        if all(getattr(row, name, getattr(row.key, name, None)) == value for name, value in which.items())
    }
