"""Whether the models of an encoder x decoder design were trained alike, so that only architecture tells them apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gazeapp.engine.project.rows import ModelRow

_SHARED = ("data", "fingerprint", "steps", "batch")
"""Settings of a training that two captioners share when they were trained alike; seeds may differ."""


def not_trained_alike(models: Iterable[ModelRow]) -> str:
    """Return a sentence on models that were trained differently; empty where they were trained alike, or none tells.

    Effects of encoder and decoder over such models are effects of their trainings, too.

    Parameters
    ----------
    models
        Those that take part in the design.
    """
    ways: dict[tuple[Any, ...], list[str]] = {}
    unknown = []
    for model in models:
        training = model.facts.get("training")  # of imported maps, what their file says of it
        if not isinstance(training, dict) or "imported_from" in training or not training.get("data"):
            unknown.append(model.name)
        else:
            ways.setdefault(tuple(str(training.get(key)) for key in _SHARED), []).append(model.name)
    if not ways or len(ways) + bool(unknown) < 2:
        return ""
    parts = [f"{', '.join(names)} on {way[0]}, {way[2]} steps" for way, names in ways.items()]
    if unknown:
        parts.append(
            f"how {', '.join(unknown)} {'was' if len(unknown) == 1 else 'were'} trained is not known"
        )
    return (
        f"The models were not all trained alike ({'; '.join(parts)}), so effects of encoder and decoder are "
        "effects of their trainings, too."
    )
