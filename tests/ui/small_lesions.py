"""Lesions with planted outcomes in a small study, so that what the page shows can be worked out by hand."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import LesionKey, MadeOf, Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.lesion_findings import assess

DESIGN = {
    "cnn-lstm": ("cnn", "lstm"),
    "cnn-transformer": ("cnn", "transformer"),
    "vit-lstm": ("vit", "lstm"),
    "vit-transformer": ("vit", "transformer"),
}
SIZE = {"cnn-lstm": 2.0, "cnn-transformer": 1.0, "vit-lstm": 1.6, "vit-transformer": 0.8}
"""What the left lesion at full strength costs each model on average, nats per token."""
SIDES = {"left": 1.0, "right": 0.5}
CONTROL = 0.2
"""What every control costs at full strength."""
STRENGTHS = (0.5, 1.0)
SHAPE = (8, 8)


def spread(n: int) -> np.ndarray:
    """What each image has more or less than the mean, of which the mean is 0."""
    return 0.1 * (np.arange(n) - (n - 1) / 2)


def cost(model: str, mask: str, control: str, strength: float, n: int) -> np.ndarray:
    """The planted loss of every image under a lesion or a control of it."""
    if control:
        return np.full(n, CONTROL * strength)
    return strength * (SIZE[model] * SIDES[mask] + spread(n))


def put_lesions(
    project: Project,
    *,
    strengths: tuple[float, ...] = STRENGTHS,
    images: int | None = None,
    assessed: bool = True,
) -> None:
    """Store lesions of the runs of a study: left and right, with matched controls."""
    for model, (encoder, decoder) in DESIGN.items():
        name = next(row.name for row in project.runs.models() if row.id == model)
        project.runs.put_model(
            ModelInfo(model, name, "captioner", encoder=encoder, decoder=decoder, domain="demo-world")
        )
    settings = project.settings.put("lesion", {"seed": 0})
    with project.transaction():
        for run in project.runs.all():
            ids = [image.id for image in project.images.all()]
            place = ids.index(run.image_id)
            if images is not None and place >= images:
                continue
            for mask in SIDES:
                for control in ("", "random", "mirrored"):
                    for strength in strengths:
                        _put(
                            project,
                            run,
                            LesionKey(mask, control, 0, "keys", strength),
                            place,
                            len(ids),
                            settings,
                        )
    if assessed:
        assess(project, SILENT)


def _put(project, run, key, place, n, settings) -> None:
    row = project.images.get(run.image_id)
    mean = np.full(SHAPE, 1 / 64, np.float32)
    caption = Caption(
        (Word("a", -0.1, True),), mean[None], np.ones(1, np.float32), row.rect, run.task, run.method
    )
    drop = float(cost(run.model, key.mask, key.control, key.strength, n)[place])
    outcomes = {"log_probability_drop": drop, "words_changed": drop / 10, "laterality_shift": 0.1}
    project.lesions.put(
        run.id, key, MadeOf(f"{key.mask}{key.control}"), 0.5, caption, mean, outcomes, 0.05, settings
    )
