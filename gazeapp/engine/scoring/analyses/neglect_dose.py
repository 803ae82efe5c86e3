"""How an outcome of lesions grows with their strength."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.scoring.analyses.neglect_controls import net_of_controls
from gazeapp.engine.scoring.analyses.neglect_numbers import Contrast
from gazeapp.engine.scoring.analyses.neglect_outcomes import (
    CONTROLS,
    EQUAL_MASS,
    RANDOM,
    Condition,
    Outcomes,
    dose_label,
    family,
)
from gazeapp.engine.scoring.findings import LESION_DOSE, Finding
from gazeapp.engine.types import DoubleArray


def dose_contrasts(outcomes: Outcomes) -> Iterator[Contrast]:
    """Yield the slopes over strength of every lesion and model, and of the lesion minus its matched controls."""
    by_lesion: dict[str, list[Condition]] = {}
    for lesion in sorted(outcomes.lesions, key=lambda one: one.strength):
        by_lesion.setdefault(dose_label(lesion), []).append(lesion)
    for lesions in by_lesion.values():
        for model in dict.fromkeys(model for lesion in lesions for model in outcomes.models(lesion)):
            yield from _dose(outcomes, lesions, model)
            yield from _net_dose(outcomes, lesions, model)


def _dose(outcomes: Outcomes, lesions: Sequence[Condition], model: str) -> Iterator[Contrast]:
    """Yield the slope of the outcome, of the strengths at which the model has it."""
    at = {one.strength: outcomes.of(one, "", model) for one in lesions}
    at = {strength: values for strength, values in at.items() if np.isfinite(values).any()}
    line = _Line(list(at), outcomes.is_change)
    if line.has_slope:
        about = outcomes.about(LESION_DOSE, lesions[0], model, "")
        about = line.described(about, dose_label(lesions[0]), list(at.values()))
        yield Contrast(about, line.slopes(list(at.values())), family(LESION_DOSE, lesions[0]))


def _net_dose(outcomes: Outcomes, lesions: Sequence[Condition], model: str) -> Iterator[Contrast]:
    """Yield the slope of the lesion minus that of its matched controls, of the strengths that have controls."""
    lesions = [one for one in lesions if one.strength > 0]
    lesions = [one for one in lesions if np.isfinite(outcomes.net(one, model).values).any()]
    # Lesion and controls begin at the same intact run: where that lies cancels, and their difference is 0 there.
    line = _Line([one.strength for one in lesions], anchored=True)
    if not line.has_slope:
        return
    (own,), random, equal_mass = (_draws(outcomes, lesions, kind, model) for kind in ("", RANDOM, EQUAL_MASS))
    if random or equal_mass:
        net = net_of_controls(
            line.slopes(own), *([line.slopes(one) for one in kind] for kind in (random, equal_mass))
        )
        nets = [
            net_of_controls(own[k], [one[k] for one in random], [one[k] for one in equal_mass]).values
            for k in range(len(lesions))
        ]
        about = outcomes.about(LESION_DOSE, lesions[0], model, CONTROLS)
        about = line.described(about, dose_label(lesions[0]), nets)
        yield Contrast(about, net.values, family(LESION_DOSE, lesions[0], CONTROLS), net.relabelled)


def _draws(
    outcomes: Outcomes, lesions: Sequence[Condition], control: str, model: str
) -> list[list[DoubleArray]]:
    """Return the draws of a control that all strengths have, as values at each strength.

    An image has a draw if it has it at all strengths; else all of its values are NaN.
    """
    at = [outcomes.draws(one, control, model) for one in lesions]
    found = []
    for draw in at[0]:
        if all(draw in own for own in at):
            values = np.array([own[draw] for own in at])
            found.append(list(np.where(np.isfinite(values).all(axis=0), values, np.nan)))
    return found


class _Line:
    """The least-squares line of each image through its outcomes at some strengths.

    Parameters
    ----------
    strengths
        In order.
    anchored
        Whether the outcome is 0 at strength 0, so that this is a point of the line, too.
    """

    def __init__(self, strengths: Sequence[float], anchored: bool) -> None:
        self._from_zero = anchored and bool(strengths) and strengths[0] > 0
        self._strengths = np.array([0.0, *strengths] if self._from_zero else strengths)

    @property
    def has_slope(self) -> bool:
        """Whether there are two strengths that take something away."""
        return int((self._strengths > 0).sum()) > 1

    def slopes(self, values: Sequence[DoubleArray]) -> DoubleArray:
        """Return the rise from strength 0 to 1 on each image, of its values at each strength."""
        from_mean = self._strengths - self._strengths.mean()
        slopes: DoubleArray = self._table(values) @ from_mean / np.square(from_mean).sum()
        return slopes

    def described(self, about: Finding, label: str, values: Sequence[DoubleArray]) -> Finding:
        """Return a finding about all strengths, with a note on whether the values fall between some."""
        table = self._table(values)
        table = table[np.isfinite(table).all(axis=1)]
        return replace(about, lesion=label, note=_steps(self._strengths, table) if len(table) else "")

    def _table(self, values: Sequence[DoubleArray]) -> DoubleArray:
        return np.column_stack([np.zeros(len(values[0])), *values] if self._from_zero else list(values))


def _steps(strengths: DoubleArray, table: DoubleArray) -> str:
    """Return whether the outcome rises with every step of strength, in the mean and image by image."""
    falls = np.flatnonzero(np.diff(table.mean(axis=0)) < 0)
    said = "The mean never falls with strength."
    if len(falls):
        steps = ", ".join(f"{strengths[k]:g} to {strengths[k + 1]:g}" for k in falls)
        said = f"The mean falls from strength {steps}."
    never = int((np.diff(table, axis=1) >= 0).all(axis=1).sum())
    return f"{said} On {never} of {len(table)} images it never falls."
