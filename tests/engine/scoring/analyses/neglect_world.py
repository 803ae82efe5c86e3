"""Lesioned studies whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gazeapp.engine.scoring.analyses.neglect_outcomes import Condition, Outcomes
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.types import DoubleArray

DESIGN = {
    "cnn-lstm": ("cnn", "lstm"),
    "cnn-transformer": ("cnn", "transformer"),
    "vit-lstm": ("vit", "lstm"),
    "vit-transformer": ("vit", "transformer"),
}
MODELS = tuple(DESIGN)
MATCHED = (("random", 0), ("random", 1), ("equal_mass", 0))


def conditions(
    masks: Sequence[str] = ("left", "right"),
    strengths: Sequence[float] = (1.0,),
    controls: Sequence[tuple[str, int]] = MATCHED,
) -> list[Condition]:
    """Return lesions and their controls."""
    return [
        Condition(mask, control, draw, "keys", strength)
        for mask in masks
        for strength in strengths
        for control, draw in (("", 0), *controls)
    ]


def study(
    rng: np.random.Generator,
    n: int,
    of: Sequence[Condition],
    effects: Mapping[str, float] | None = None,
    base: float = 1.0,
    noise: float = 0.4,
    models: Sequence[str] = MODELS,
    **how: object,
) -> Outcomes:
    """Return a study in which lesions and controls cost ``base`` x strength, and the lesion ``effects`` besides.

    Images differ in how much they cost under whatever is taken away, in all models; each value has noise of its
    own. ``effects`` is of the models at full strength.
    """
    of_image = rng.gamma(4.0, 0.25, n)
    values: dict[Condition, dict[str, DoubleArray]] = {}
    for condition in of:
        values[condition] = {}
        for model in models:
            more = (effects or {}).get(model, 0.0) if not condition.control else 0.0
            cost = base * of_image + more * rng.normal(1.0, 0.3, n)
            values[condition][model] = condition.strength * cost + rng.normal(0.0, noise, n)
    return Outcomes("describe", "log_probability_drop", "nats", values, **how)  # type: ignore[arg-type]


def only(found: Sequence[Finding], **wanted: str) -> Finding:
    """Return the one finding with these attributes, in the outcome's unit unless another is wanted."""
    wanted = {"unit": "nats", **wanted}
    (one,) = [row for row in found if all(getattr(row, key) == value for key, value in wanted.items())]
    return one
