"""What lesions do to models: against controls, left against right, over strength, by encoder and decoder.

Everything is formed within each image and goes through the interval over images and the sign-flip test;
formulas and families of tests are in docs/methods/neglect.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gazeapp.engine.scoring.analyses.factorial import CELL, Crossed, Design, Effect
from gazeapp.engine.scoring.analyses.maps import Resampling
from gazeapp.engine.scoring.analyses.neglect_numbers import Contrast, measured
from gazeapp.engine.scoring.findings import (
    LESION,
    LESION_CONTROL,
    LESION_DOSE,
    LESION_FACTORIAL,
    LESION_SIDE,
    Finding,
)
from gazeapp.engine.scoring.statistics.scored import HeldAgainst
from gazeapp.engine.types import BoolArray, DoubleArray

RANDOM, EQUAL_MASS = "random", "equal_mass"
MATCHED = (RANDOM, EQUAL_MASS)
"""Controls that take as much away as the lesion does, elsewhere: as much area, as much attention."""
CONTROLS = "controls"
"""What an effect is reported against: the mean of the matched controls."""
MIRRORED, FLIPPED, NO_LESION = "mirrored", "flipped", "none"
NET = ":lesion"
"""Ending of the term of an effect of the design on the lesion minus its matched controls."""
_NET_AGAINST = f" : lesion - {CONTROLS}"
LATERAL = ("laterality", "laterality_shift")
"""Outcomes with a side: what points right in an image points left in its mirror image."""
_FOLLOWS = "Half of the difference from the mirrored image under the mirrored mask: what follows the picture."


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
        Number of the draw of a random control.
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
    def _draws(self) -> dict[tuple[Condition, str], list[DoubleArray]]:
        """(condition without its draw, model) -> values of all draws."""
        found: dict[tuple[Condition, str], list[DoubleArray]] = {}
        for condition, of_models in self.values.items():
            for model, column in of_models.items():
                found.setdefault((replace(condition, draw=0), model), []).append(
                    np.asarray(column, np.float64)
                )
        return found

    def controls(self, lesion: Condition) -> list[str]:
        """Return the controls of a lesion, in order."""
        return list(
            dict.fromkeys(one.control for one in self.values if one.control and _of(one) == _of(lesion))
        )

    def models(self, lesion: Condition) -> list[str]:
        """Return the models that have the outcome under a lesion."""
        return [model for condition, model in self._draws if condition == lesion]

    def of(self, condition: Condition, model: str) -> DoubleArray:
        """Return the outcome of each image, of the random draws that are there the mean; NaN without any."""
        return _mean_of_known(self._draws.get((condition, model), []), len(self.known))

    def matched(self, lesion: Condition, model: str) -> tuple[DoubleArray, BoolArray]:
        """Return the mean of a lesion's matched controls on each image, and which images lack some of them.

        Random draws are averaged first, then the kinds of controls that the image has.
        """
        kinds = [self.of(replace(lesion, control=control), model) for control in MATCHED]
        kinds = [column for column in kinds if np.isfinite(column).any()]
        fewer = (
            np.isfinite(kinds).sum(axis=0) < len(kinds) if kinds else np.zeros(len(self.known), dtype=bool)
        )
        return _mean_of_known(kinds, len(self.known)), np.asarray(fewer)


def neglect_findings(
    outcomes: Outcomes,
    design: Design | None = None,
    sides: Sequence[tuple[str, str]] = (),
    resampling: Resampling | None = None,
) -> list[Finding]:
    """Return what lesions do to models, by one outcome under one task.

    Parameters
    ----------
    outcomes
        The outcome under every lesion and control.
    design
        Model -> (encoder, decoder), for the effects of these.
    sides
        Pairs of masks that are each other's mirror images, the second taken off the first. Besides these,
        masks named ``left …`` and ``right …`` are a pair; any other mask is compared with its mirrored control.
    resampling
        How intervals and tests are made.

    Returns
    -------
    list
        ``lesion`` names the lesion (:func:`lesion_label`, without strength where the finding is about all
        strengths), ``term`` is the model where nothing else is said:

        - analysis ``lesion``: the outcome; ``against`` is empty, or the name of the control that it is of.
        - ``lesion_control``: lesion minus control; ``against`` is ``controls`` (the mean of the matched ones,
          the effect to report), ``random``, ``equal_mass``, ``mirrored`` or ``flipped``.
        - ``lesion_side``: lesion minus its mirror image; ``against`` is the other mask or ``mirrored``.
        - ``lesion_dose``: rise of the outcome from strength 0 to 1 on the least-squares line of each image;
          ``against`` is empty, or ``controls`` for the lesion minus its matched controls.
        - ``lesion_factorial``, of impairments: ``term`` and ``against`` as of
          :func:`gazeapp.engine.scoring.analyses.factorial.factorial`; with ``:lesion`` behind the term of the
          lesion minus its matched controls.

        Drops of scores with a ceiling come a second time in percent of it.
    """
    how = resampling or Resampling()
    contrasts = [
        *_lesions(outcomes),
        *_against_controls(outcomes),
        *_sides(outcomes, sides),
        *_doses(outcomes),
        *(_effects(outcomes, design) if design and outcomes.more_is_worse else ()),
    ]
    return measured(contrasts, outcomes.known, outcomes.held, how)


def _lesions(outcomes: Outcomes) -> Iterator[Contrast]:
    for lesion in outcomes.lesions:
        for model in outcomes.models(lesion):
            for control in ("", *outcomes.controls(lesion)):
                about = _about(outcomes, LESION, lesion, model, control)
                taken = outcomes.is_change and lesion.strength > 0 and control != NO_LESION
                values = outcomes.of(replace(lesion, control=control), model)
                yield Contrast(about, values, _family(about, lesion) if taken else "")


def _against_controls(outcomes: Outcomes) -> Iterator[Contrast]:
    for lesion, model in _effective(outcomes):
        own = outcomes.of(lesion, model)
        matched, fewer = outcomes.matched(lesion, model)
        about = _about(outcomes, LESION_CONTROL, lesion, model, CONTROLS)
        about = replace(about, note=_one_kind(own - matched, fewer))
        yield Contrast(about, own - matched, _family(about, lesion))
        for control in (*MATCHED, MIRRORED, FLIPPED):
            about = _about(outcomes, LESION_CONTROL, lesion, model, control)
            difference = own - outcomes.of(replace(lesion, control=control), model)
            if control == FLIPPED and outcomes.outcome in LATERAL:
                about, difference = replace(about, note=_FOLLOWS), difference / 2.0
            yield Contrast(about, difference, _family(about, lesion))


def _one_kind(net: DoubleArray, fewer: BoolArray) -> str:
    alone = int((np.isfinite(net) & fewer).sum())
    return (
        f"{alone} of {int(np.isfinite(net).sum())} images have one of the kinds of controls alone."
        if alone
        else ""
    )


def _sides(outcomes: Outcomes, sides: Sequence[tuple[str, str]]) -> Iterator[Contrast]:
    pairs = _pairs([lesion.mask for lesion in outcomes.lesions], sides)
    paired = {mask for pair in pairs.items() for mask in pair}
    # A shift to the right under a left mask and one to the left under a right mask are the same, mirrored.
    turn = -1.0 if outcomes.outcome in LATERAL else 1.0
    for lesion, model in _effective(outcomes):
        if lesion.mask in pairs:
            against = pairs[lesion.mask]
            other = outcomes.of(replace(lesion, mask=against), model)
        elif lesion.mask not in paired:
            against = MIRRORED
            other = outcomes.of(replace(lesion, control=MIRRORED), model)
        else:
            continue
        about = _about(outcomes, LESION_SIDE, lesion, model, against)
        yield Contrast(
            about, outcomes.of(lesion, model) - turn * other, _family(replace(about, against=""), lesion)
        )


def _pairs(masks: Sequence[str], given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return mask -> its mirror image, of those given and of the masks named after a side."""
    named = {mask: "right" + mask[4:] for mask in masks if mask.split(" ")[0] == "left"}
    return {one: two for one, two in {**named, **dict(given)}.items() if one in masks and two in masks}


def _doses(outcomes: Outcomes) -> Iterator[Contrast]:
    by_lesion: dict[tuple[str, str], list[Condition]] = {}
    for lesion in outcomes.lesions:
        by_lesion.setdefault((lesion.mask, lesion.scope), []).append(lesion)
    for lesions in by_lesion.values():
        lesions = sorted(lesions, key=lambda one: one.strength)
        models = dict.fromkeys(model for lesion in lesions for model in outcomes.models(lesion))
        for model in models:
            own = [outcomes.of(lesion, model) for lesion in lesions]
            net = [
                column - outcomes.matched(lesion, model)[0]
                for lesion, column in zip(lesions, own, strict=True)
            ]
            for against, columns in (("", own), (CONTROLS, net)):
                yield from _dose(outcomes, lesions, columns, model, against)


def _dose(
    outcomes: Outcomes, lesions: Sequence[Condition], columns: Sequence[DoubleArray], model: str, against: str
) -> Iterator[Contrast]:
    """Yield the slope over strength, of the strengths at which the model has values; it takes two above 0."""
    has = [np.isfinite(column).any() for column in columns]
    strengths = [one.strength for one, there in zip(lesions, has, strict=True) if there]
    values = [column for column, there in zip(columns, has, strict=True) if there]
    if (outcomes.is_change or against) and strengths and strengths[0] > 0:
        strengths, values = [0.0, *strengths], [np.zeros(len(outcomes.known)), *values]
    if len(strengths) < 2 or sum(strength > 0 for strength in strengths) < 2:
        return
    table = np.column_stack(values)
    from_mean = np.array(strengths) - np.mean(strengths)
    slopes = table @ from_mean / np.square(from_mean).sum()
    about = replace(
        _about(outcomes, LESION_DOSE, lesions[0], model, against),
        lesion=dose_label(lesions[0]),
        note=_steps(np.array(strengths), table[np.isfinite(slopes)]),
    )
    yield Contrast(about, slopes, _family(about, lesions[0]))


def _steps(strengths: DoubleArray, table: DoubleArray) -> str:
    """Return whether the outcome rises with every step of strength, in the mean and image by image."""
    if not len(table):
        return ""
    falls = np.flatnonzero(np.diff(table.mean(axis=0)) < 0)
    said = "The mean never falls with strength."
    if len(falls):
        steps = ", ".join(f"{strengths[k]:g} to {strengths[k + 1]:g}" for k in falls)
        said = f"The mean falls from strength {steps}."
    never = int((np.diff(table, axis=1) >= 0).all(axis=1).sum())
    return f"{said} On {never} of {len(table)} images it never falls."


def _effects(outcomes: Outcomes, design: Design) -> Iterator[Contrast]:
    for lesion in outcomes.lesions:
        if not lesion.strength > 0:
            continue
        own = {model: outcomes.of(lesion, model) for model in outcomes.models(lesion)}
        net = {model: column - outcomes.matched(lesion, model)[0] for model, column in own.items()}
        for columns, ending, against in ((own, "", ""), (net, NET, _NET_AGAINST)):
            scored = {model: column for model, column in columns.items() if np.isfinite(column).any()}
            crossed = Crossed(list(scored), design)
            effects = crossed.effects()
            if not effects:
                continue
            about = _about(outcomes, LESION_FACTORIAL, lesion, "", "")
            remark = crossed.remark()
            table = np.column_stack([scored[model] for model in crossed.models])
            for effect in [*_cells(crossed), *effects]:
                one = replace(about, term=effect.term + ending, against=effect.against + against, note=remark)
                family = "" if effect.term == CELL else _family(replace(about, against=ending), lesion)
                yield Contrast(one, table @ crossed.weights(effect.weights), family)


def _cells(crossed: Crossed) -> Iterator[Effect]:
    for encoder, decoder in crossed.cells:
        yield Effect(CELL, f"{encoder} : {decoder}", {(encoder, decoder): 1.0})


def _effective(outcomes: Outcomes) -> Iterator[tuple[Condition, str]]:
    """Yield the lesions that take something away, with each model that has the outcome under them."""
    for lesion in outcomes.lesions:
        if lesion.strength > 0:
            for model in outcomes.models(lesion):
                yield lesion, model


def _about(outcomes: Outcomes, analysis: str, lesion: Condition, term: str, against: str) -> Finding:
    kind = "model" if term else ""
    return Finding(
        *(analysis, outcomes.task, outcomes.outcome, term, against),
        unit=outcomes.unit,
        kind=kind,
        lesion=lesion_label(lesion),
    )


def _family(about: Finding, lesion: Condition) -> str:
    """Return what is corrected together: models, masks and strengths of one analysis, scope and comparison."""
    return f"{about.analysis}|{lesion.scope}|{about.against}"


def _of(condition: Condition) -> tuple[str, str, float]:
    return condition.mask, condition.scope, condition.strength


def _mean_of_known(columns: Sequence[DoubleArray], n_images: int) -> DoubleArray:
    """Return the mean of the values that each image has; NaN without any."""
    if not columns:
        return np.full(n_images, np.nan)
    if len(columns) == 1:
        return columns[0]
    table = np.array(columns)
    known = np.isfinite(table)
    with np.errstate(invalid="ignore"):
        mean: DoubleArray = np.where(known, table, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean
