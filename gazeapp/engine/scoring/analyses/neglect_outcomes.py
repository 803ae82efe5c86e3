"""Outcomes of lesions: values of every image under every lesion and control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gazeapp.engine.scoring.analyses.neglect_controls import Net, mean_of_known, net_of_controls
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.statistics.scored import HeldAgainst
from gazeapp.engine.types import BoolArray, DoubleArray

RANDOM, EQUAL_MASS = "random", "equal_mass"
MATCHED = (RANDOM, EQUAL_MASS)
"""Controls that take as much away as the lesion does, elsewhere: as much area, as much attention."""
CONTROLS = "controls"
"""What an effect is reported against: the mean of the matched controls."""
MIRRORED, FLIPPED, NO_LESION = "mirrored", "flipped", "none"
LATERAL = ("laterality", "laterality_shift")
"""Outcomes with a side: what points right in an image points left in its mirror image."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What was taken away, or is a control of it.

    Parameters
    ----------
    mask
        Name of the lesion's mask, also of its controls.
    control
        Empty for the lesion itself; else ``mirrored``, ``random``, ``equal_mass``, ``none`` or ``flipped``.
    draw
        Number of the draw of a control that is drawn.
    scope, strength
        How it is taken away and how much of it, 0 to 1.
    """

    mask: str
    control: str = ""
    draw: int = 0
    scope: str = "keys"
    strength: float = 1.0


def lesion_label(condition: Condition) -> str:
    """Return what names a lesion in findings, and its controls too, such as ``left · keys · 0.5``."""
    return f"{dose_label(condition)} · {condition.strength:g}"


def dose_label(condition: Condition) -> str:
    """Return what names a lesion of any strength, such as ``left · keys``."""
    return f"{condition.mask} · {condition.scope}"


@dataclass(frozen=True, eq=False)
class Outcomes:
    """One outcome of lesions under one task.

    Parameters
    ----------
    task, outcome, unit
        The task, the id of the outcome, such as ``words_changed`` or ``score_drop:nss``, and its unit.
    values
        Condition -> model -> outcome of each image, shape (n_images,), NaN where there is none; all of the
        same images in the same order.
    more_is_worse
        Whether it is an impairment: the effects of encoder and decoder are asked of these alone.
    is_change
        Whether it is 0 without a lesion by what it means. Levels, such as the mass in the mask, are not: they
        are not tested against 0.
    held
        For the drop of a score: the score's ceiling over the same images.
    """

    task: str
    outcome: str
    unit: str
    values: Mapping[Condition, Mapping[str, DoubleArray]]
    more_is_worse: bool = True
    is_change: bool = True
    held: HeldAgainst | None = None

    @cached_property
    def lesions(self) -> list[Condition]:
        """The lesions themselves, in order."""
        return list(dict.fromkeys(replace(one, draw=0) for one in self.values if not one.control))

    @cached_property
    def known(self) -> BoolArray:
        """Which images have the outcome under any condition, shape (n_images,)."""
        columns = [column for of_models in self.values.values() for column in of_models.values()]
        return np.asarray(np.isfinite(columns).any(axis=0)) if columns else np.zeros(0, dtype=bool)

    @cached_property
    def _draws(self) -> dict[tuple[Condition, str], dict[int, DoubleArray]]:
        """(condition without its draw, model) -> draw -> values."""
        found: dict[tuple[Condition, str], dict[int, DoubleArray]] = {}
        for condition, of_models in self.values.items():
            for model, column in of_models.items():
                own = found.setdefault((replace(condition, draw=0), model), {})
                own[condition.draw] = np.asarray(column, np.float64)
        return found

    def controls(self, lesion: Condition) -> list[str]:
        """Return the controls of a lesion, in order."""
        alike = [replace(one, control="", draw=0) == lesion for one in self.values]
        found = [one.control for one, own in zip(self.values, alike, strict=True) if own and one.control]
        return list(dict.fromkeys(found))

    def models(self, lesion: Condition) -> list[str]:
        """Return the models that have the outcome under a lesion."""
        return [model for condition, model in self._draws if condition == lesion]

    def draws(self, lesion: Condition, control: str, model: str) -> dict[int, DoubleArray]:
        """Return draw -> outcome of each image, of a lesion's control or, without a name, of the lesion."""
        return self._draws.get((replace(lesion, control=control), model), {})

    def of(self, lesion: Condition, control: str, model: str) -> DoubleArray:
        """Return the same, of several draws the mean of those that an image has; NaN without any."""
        draws = list(self.draws(lesion, control, model).values())
        return mean_of_known(np.column_stack(draws)) if draws else np.full(len(self.known), np.nan)

    def net(self, lesion: Condition, model: str) -> Net:
        """Return a lesion minus its matched controls."""
        random, equal_mass = (list(self.draws(lesion, kind, model).values()) for kind in MATCHED)
        return net_of_controls(self.of(lesion, "", model), random, equal_mass)

    def about(self, analysis: str, lesion: Condition, term: str, against: str) -> Finding:
        """Return a finding about a lesion, still without its number; terms are models."""
        names = (analysis, self.task, self.outcome, term, against)
        return Finding(*names, unit=self.unit, kind="model", lesion=lesion_label(lesion))


def family(analysis: str, lesion: Condition, against: str = "") -> str:
    """Return what is corrected together: models, masks and strengths of one analysis, scope and comparison."""
    return f"{analysis}|{lesion.scope}|{against}"
