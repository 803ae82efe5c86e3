"""Whether the models of an encoder x decoder design were trained alike, so that only architecture tells them apart."""

from __future__ import annotations

from collections.abc import Iterable

from gazeapp.engine.models.captioner.training.alike import KnownTraining, differing_trainings
from gazeapp.engine.project.rows import ModelRow

_NAMED = 3
"""Differences that a sentence names; it counts the others."""


def not_trained_alike(models: Iterable[ModelRow]) -> str:
    """Return a sentence on models that were trained differently; empty where they were trained alike, or none tells.

    Effects of encoder and decoder over such models are effects of their trainings, too. All settings that captioners
    of a factorial design share are compared, what they started from, and after how many steps they ended; seeds may
    differ.

    Parameters
    ----------
    models
        Those that take part in the design.
    """
    known, unknown = [], []
    for model in models:
        training = model.facts.get("training")  # of imported maps, what their file says of it
        if not isinstance(training, dict) or "imported_from" in training or not training.get("data"):
            unknown.append(model.name)
        else:
            known.append(KnownTraining(model.name, model.decoder, training))
    found = differing_trainings(known)
    if not known or not (found or unknown):
        return ""
    parts = found[:_NAMED]
    if len(found) > _NAMED:
        more = len(found) - _NAMED
        parts.append(f"{more} other setting{'s' if more > 1 else ''}")
    if unknown:
        parts.append(
            f"how {', '.join(unknown)} {'was' if len(unknown) == 1 else 'were'} trained is not known"
        )
    return (
        f"The models were not all trained alike ({'; '.join(parts)}), so effects of encoder and decoder are "
        "effects of their trainings, too."
    )
