"""What lesions did, ready to be shown: findings by what they are about, values of images, names and sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from gazeapp.engine.lesions.outcomes import OUTCOMES, SCORE_DROP, OutcomeFacts, outcome_facts
from gazeapp.engine.reports.neglect.words import CONTROL_NAMES
from gazeapp.engine.reports.numbers import is_share, number
from gazeapp.engine.reports.results.data import Results, SourceFacts, id_and_method
from gazeapp.engine.reports.results.findings import p_text
from gazeapp.engine.reports.results.words import (
    SIMULATED,
    finite,
    interval_text,
    known,
    people_text,
    term_name,
    value_text,
)
from gazeapp.engine.reports.sentences import family_name
from gazeapp.engine.reports.style import REFERENCE_COLOUR
from gazeapp.engine.scoring.analyses.neglect import NET
from gazeapp.engine.scoring.analyses.neglect_outcomes import (
    CONTROLS,
    EQUAL_MASS,
    FLIPPED,
    MIRRORED,
    RANDOM,
    Condition,
    Outcomes,
    dose_label,
    lesion_label,
)
from gazeapp.engine.scoring.facts import METRICS, metric_facts
from gazeapp.engine.scoring.findings import (
    LESION,
    LESION_CONTROL,
    LESION_DOSE,
    LESION_FACTORIAL,
    LESION_SIDE,
    Finding,
)

_Value = TypeVar("_Value", bound=Hashable)
ANALYSES = (LESION, LESION_CONTROL, LESION_SIDE, LESION_DOSE, LESION_FACTORIAL)
AGAINST = {
    CONTROLS: "matched controls",
    **{control: CONTROL_NAMES[control] for control in (RANDOM, EQUAL_MASS, MIRRORED, FLIPPED)},
}
"""What an effect is held against, in words."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lesions are shown, and by what.

    Parameters
    ----------
    task, outcome
        The task and the id of the outcome.
    masks
        Masks, in order.
    scope, strength
        How the mask is taken away; figures over strength show all.
    against
        What the effect is held against, a key of :data:`AGAINST`; empty for nothing.
    """

    task: str
    outcome: str
    masks: tuple[str, ...]
    scope: str
    strength: float
    against: str = CONTROLS

    def lesion(self, mask: str, strength: float | None = None) -> Condition:
        """Return the lesion by one of the masks."""
        return Condition(mask, scope=self.scope, strength=self.strength if strength is None else strength)


@dataclass(frozen=True, eq=False)
class OfTask:
    """The values of every image under a task: ids of the images, and by its id each outcome over these images."""

    images: tuple[int, ...]
    outcomes: Mapping[str, Outcomes]


@dataclass(frozen=True, eq=False)
class LesionResults:
    """What an experiment showed.

    Parameters
    ----------
    results
        Findings, names and colours of the study.
    images
        Id -> name of every image.
    of_tasks
        Task -> the values of every image; only tasks with lesions.
    older
        Sentences on what has changed since the findings were made.
    """

    results: Results
    images: Mapping[int, str] = field(default_factory=dict)
    of_tasks: Mapping[str, OfTask] = field(default_factory=dict)
    older: tuple[str, ...] = ()

    @cached_property
    def _found(self) -> dict[tuple[str, ...], list[Finding]]:
        found: dict[tuple[str, ...], list[Finding]] = {}
        for row in self.results.findings:
            one = row.finding
            if one.analysis in ANALYSES:
                found.setdefault((one.analysis, one.task, one.metric), []).append(one)
        return found

    @cached_property
    def _settings(self) -> dict[int, str]:
        """Identity of a finding -> one line that names its settings."""
        rows = self.results.findings
        return {id(row.finding): self.results.settings.get(row.settings_id, "") for row in rows}

    def settings_of(self, finding: Finding) -> str:
        """Return one line that names the settings of a finding."""
        return self._settings.get(id(finding), "")

    def of(self, analysis: str, asked: Asked, *, percent: bool = False) -> list[Finding]:
        """Return the findings of an analysis by the outcome that is asked for, in its unit or in percent."""
        own = self._found.get((analysis, asked.task, asked.outcome), [])
        return [one for one in own if is_share(one.unit) == percent]

    def one(
        self, analysis: str, asked: Asked, lesion: str, term: str, against: str = "", *, percent: bool = False
    ) -> Finding | None:
        """Return the finding about a lesion, a term and what it is compared with; None where there is none."""
        wanted = lesion, term, against
        own = self.of(analysis, asked, percent=percent)
        return next((one for one in own if (one.lesion, one.term, one.against) == wanted), None)

    def values(self, asked: Asked) -> Outcomes | None:
        """Return the values of the images by the outcome that is asked for."""
        return self._outcomes(asked.task, asked.outcome)

    def columns(self, asked: Asked) -> tuple[int, ...]:
        """Return the ids of the images that these values are of."""
        of_task = self.of_tasks.get(asked.task)
        return of_task.images if of_task is not None else ()

    def n_images(self, asked: Asked) -> dict[str, int]:
        """Return on how many images each mask was taken away, by any model."""
        outcomes, found = self.values(asked), {}
        for mask in asked.masks:
            lesion = asked.lesion(mask)
            own = (
                [] if outcomes is None else [outcomes.of(lesion, "", one) for one in outcomes.models(lesion)]
            )
            found[mask] = int(np.isfinite(own).any(axis=0).sum()) if own else 0
        return found

    def outcome_ids(self, task: str) -> list[str]:
        """Return the outcomes of a task: impairments first, losses of agreement with people behind them."""
        of_task = self.of_tasks.get(task)
        known_ids = list(of_task.outcomes) if of_task is not None else []
        scores = [one for one in known_ids if one.startswith(SCORE_DROP)]
        order = [one for one in OUTCOMES if OUTCOMES[one].impairment]
        order += [*scores, *(one for one in OUTCOMES if not OUTCOMES[one].impairment)]
        return [one for one in order if one in known_ids]

    def about(self, outcome: str) -> OutcomeFacts:
        """Return what an outcome is."""
        metric = outcome.removeprefix(SCORE_DROP)
        if metric == outcome or metric not in METRICS:
            return outcome_facts(outcome)
        facts = metric_facts(metric, self.results.preset)
        return outcome_facts(outcome, facts.name, facts.unit)

    def masks(self, task: str, outcome: str) -> list[str]:
        """Return the masks that were taken away, in order."""
        return list(dict.fromkeys(one.mask for one in self._lesions(task, outcome)))

    def scopes(self, task: str, outcome: str, masks: Sequence[str]) -> list[str]:
        """Return the scopes that every one of these masks has, else those of any; that with most lesions first."""
        found = [one for one in self._lesions(task, outcome) if one.mask in masks]
        counts = Counter(one.scope for one in found)
        return _common([(one.mask, one.scope) for one in found], sorted(counts, key=lambda one: -counts[one]))

    def strengths(self, task: str, outcome: str, scope: str) -> list[float]:
        """Return the strengths above 0 of a scope, rising."""
        found = {one.strength for one in self._lesions(task, outcome) if one.scope == scope}
        return sorted(one for one in found if one > 0)

    def common_strengths(self, task: str, outcome: str, scope: str, masks: Sequence[str]) -> list[float]:
        """Return the strengths of a scope that every one of these masks has, else those of any; rising."""
        own = [
            (one.mask, one.strength)
            for one in self._lesions(task, outcome)
            if one.scope == scope and one.mask in masks and one.strength > 0
        ]
        return _common(own, sorted({strength for _, strength in own}))

    def controls(self, task: str, outcome: str) -> list[str]:
        """Return what effects can be held against: the matched controls first."""
        outcomes = self._outcomes(task, outcome)
        if outcomes is None:
            return []
        there = {one.control for one in outcomes.values}
        found = [one for one in AGAINST if one in there]
        return [CONTROLS, *found] if {RANDOM, EQUAL_MASS} & there else found

    def models(self, asked: Asked) -> list[str]:
        """Return the models under any of the lesions, in the order of the study."""
        outcomes = self.values(asked)
        if outcomes is None:
            return []
        there = {model for mask in asked.masks for model in outcomes.models(asked.lesion(mask))}
        order = list(self.results.sources)
        return sorted(there, key=lambda model: (_place(order, self.source(model)), model))

    def source(self, model: str) -> SourceFacts | None:
        """Return the source of a model, also of one that is named with its map method."""
        return self.results.source(model, "model") or self.results.source(plain_id(model), "model")

    def name(self, model: str) -> str:
        """Return the name of a model."""
        return term_name(self.results, model, "model")

    def colour(self, model: str) -> str:
        """Return the colour of a model."""
        source = self.source(model)
        return source.colour if source is not None else REFERENCE_COLOUR

    def _lesions(self, task: str, outcome: str) -> list[Condition]:
        outcomes = self._outcomes(task, outcome)
        return outcomes.lesions if outcomes is not None else []

    def _outcomes(self, task: str, outcome: str) -> Outcomes | None:
        of_task = self.of_tasks.get(task)
        return of_task.outcomes.get(outcome) if of_task is not None else None


def label_of(asked: Asked, mask: str) -> str:
    """Return what findings call a lesion, such as ``left · keys · 1``."""
    return lesion_label(asked.lesion(mask))


def dose_of(asked: Asked, mask: str) -> str:
    """Return what findings over strength call it, such as ``left · keys``."""
    return dose_label(asked.lesion(mask))


def plain_id(model: str) -> str:
    """Return the id of a model without the map method behind it."""
    return id_and_method(model)[0]


def lesion_phrase(mask: str) -> str:
    """Return a lesion in a sentence: ``the left lesion``, ``the lesion “people 20%”``."""
    sides = ("left", "right", "top", "bottom")
    return f"the {mask} lesion" if mask in sides else f"the lesion “{mask}”"


def compared_with(lesions: LesionResults, finding: Finding) -> str:
    """Return what a finding about lesions is the number of."""
    if finding.analysis == LESION_FACTORIAL:
        return _effect(finding)
    own = lesions.name(finding.term)
    what = AGAINST.get(finding.against, f"the lesion “{finding.against}”")
    if finding.analysis == LESION:
        return f"{own}, control: {what}" if finding.against else own
    return f"{own}, minus {what}" if finding.against else own


def _effect(finding: Finding) -> str:
    """Return an effect of the design, or a cell of it."""
    term, levels = finding.term.removesuffix(NET), finding.against.split(" : ")
    net = ", lesion minus controls" if finding.term.endswith(NET) else ""
    if net:
        levels = levels[:-1]
    if term == "cell":
        return " + ".join(map(family_name, levels)) + net
    sides = [" − ".join(map(family_name, level.split(" - "))) for level in levels]
    if len(sides) > 1:
        return f"Encoder × decoder{net}"
    names = {"encoder": "Encoder", "decoder": "Decoder"}
    return f"{names.get(term, term)}: {sides[0]}{net}"


def origin(lesions: LesionResults, finding: Finding) -> str:
    """Return where a number comes from: what it is, interval, test, images, notes, settings; lines."""
    facts = lesions.about(finding.metric)
    what = "% of the human ceiling above chance" if is_share(finding.unit) else facts.unit
    ends = interval_text(finding.low, finding.high, finding.metric, finding.unit)
    lines = [
        f"{facts.name}: {compared_with(lesions, finding)}",
        f"Lesion {finding.lesion}, task {finding.task}",
        facts.meaning,
        " ".join(part for part in (value_text(finding.estimate, finding.metric), what) if part)
        + (f", 95 % interval {ends}" if ends else ""),
        f"p {p_text(finding.p)}, corrected (Holm) {p_text(finding.p_holm)}" if known(finding.p_holm) else "",
        f"d_z = {number(finding.effect)}" if known(finding.effect) else "",
        people_text(lesions.results, finding.n_images, finding.n_subjects),
        finding.note,
        SIMULATED if lesions.results.simulated else "",
        lesions.settings_of(finding),
    ]
    return "\n".join(line for line in lines if line)


def n_tests(lesions: LesionResults, asked: Asked, finding: Finding) -> int:
    """Return how many tests a p is corrected for: its analysis, task, outcome, scope and comparison."""
    net = finding.term.endswith(NET)
    against = "" if finding.analysis in (LESION_FACTORIAL, LESION_SIDE) else finding.against

    def alike(one: Finding) -> bool:
        if one.term.endswith(NET) != net or _scope_of(one) != asked.scope:
            return False
        return finding.analysis in (LESION_FACTORIAL, LESION_SIDE) or one.against == against

    return sum(alike(one) and finite(one.p) is not None for one in lesions.of(finding.analysis, asked))


def _scope_of(finding: Finding) -> str:
    """Return the scope in a finding's lesion, ``mask · scope`` or ``mask · scope · strength``; masks may have dots."""
    parts = finding.lesion.split(" · ")
    return parts[-1] if finding.analysis == LESION_DOSE else parts[-2] if len(parts) > 1 else ""


def _common(found: Sequence[tuple[str, _Value]], values: list[_Value]) -> list[_Value]:
    """Return those values that were found with every mask; all of them where no value was."""
    masks, pairs = {mask for mask, _ in found}, set(found)
    return [value for value in values if all((mask, value) in pairs for mask in masks)] or values


def _place(order: Sequence[SourceFacts], source: SourceFacts | None) -> int:
    return order.index(source) if source is not None else len(order)
