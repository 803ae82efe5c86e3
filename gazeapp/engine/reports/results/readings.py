"""One honest sentence about the numbers of each analysis: what differs clearly, by how much, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gazeapp.engine.reports.numbers import is_share, listed
from gazeapp.engine.reports.results.comparisons import is_pair
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.reports.results.findings import in_source_order, p_text
from gazeapp.engine.reports.results.maps import SMALL_SIDE
from gazeapp.engine.reports.results.people import is_count
from gazeapp.engine.reports.results.tasks import CHANGE, CORRECTED, SPECIFICITY, WITH_PEOPLE
from gazeapp.engine.reports.results.words import (
    contrast_name,
    interval_text,
    is_clear,
    is_same_everywhere,
    known,
    measured,
    term_name,
    value_text,
)
from gazeapp.engine.scoring.analyses.factorial import DECODER, ENCODER, INTERACTION
from gazeapp.engine.scoring.analyses.maps import MATCHED
from gazeapp.engine.scoring.analyses.scanpaths import OTHER_IMAGES
from gazeapp.engine.scoring.findings import (
    CONCENTRATION,
    CROSS_TASK,
    DIFFERENTIATION,
    FACTORIAL,
    LATERALITY,
    MODEL_TASK,
    OBSERVERS,
    SCANPATH,
    Finding,
)
from gazeapp.engine.scoring.sources import HUMAN, MODEL

_PROPER = ("Gini",)


def amount(finding: Finding, metric: str = "", unit: str = "") -> str:
    """Return a number with its interval, unit and p, such as ``0.12 [0.08, 0.16] bits/fixation, p = 0.002``."""
    metric = metric or finding.metric
    numbers = (value_text(finding.estimate, metric), interval_text(finding.low, finding.high, metric), unit)
    parts = [" ".join(text for text in numbers if text)]
    p = finding.p_holm if known(finding.p_holm) else finding.p
    if known(p):
        parts.append(f"p\u00a0{p_text(p)}")
    return ", ".join(parts)


def factorial_reading(results: Results, metric: str, task: str) -> str:
    """Return what encoder and decoder contribute under a task; empty without effects."""
    found = [one for one in results.of(FACTORIAL, task, metric) if not is_share(one.unit)]
    parts = []
    for term, factor in ((DECODER, "decoder"), (ENCODER, "encoder")):
        for one in found:
            if one.term == term and known(one.estimate):
                parts.append(_main_effect(one, factor, measured(metric).name))
    for one in found:
        if one.term == INTERACTION and known(one.estimate):
            depends = "depends" if is_clear(one) else "is not shown to depend"
            parts.append(f"what one contributes {depends} on the other ({amount(one)})")
    under = f"Task {task}: " if task else "Over tasks: "
    return f"{under}{'; '.join(parts)}." if parts else ""


def model_task_reading(results: Results, metric: str) -> str:
    """Return which models the task changes; empty without findings."""
    found = [one for one in results.of(MODEL_TASK, None, metric) if not is_share(one.unit)]
    alone = [one for one in found if not is_pair(one)]
    pairs = [one for one in found if is_pair(one)]
    if not alone:
        return ""
    name = measured(metric).name
    changed = [
        f"{term_name(results, one.term)} ({contrast_name(one.against)} {amount(one)})"
        for one in alone
        if is_clear(one)
    ]
    text = (
        f"By {name}, scores differ between the tasks for {listed(changed)}."
        if changed
        else f"By {name}, no model's score is shown to differ between the tasks."
    )
    if not pairs:
        return text
    apart = [term_name(results, one.term) for one in pairs if is_clear(one)]
    rest = (
        f"Some models change more than others: {listed(apart)}."
        if apart
        else "No model is shown to change more than another."
    )
    return f"{text} {rest}"


def concentration_reading(results: Results, task: str, measure: str) -> str:
    """Return whether models' maps are as concentrated as people's; empty without findings."""
    against = [
        one
        for one in in_source_order(results, results.of(CONCENTRATION, task, measure + MATCHED))
        if one.against and one.kind == MODEL
    ]
    if not against:
        return ""
    name = measured(measure).name
    parts = _sides(
        results,
        against,
        lambda names: f"{listed(names)} {_have(names)} a higher {_in_sentence(name)} than people",
        lambda names: f"{listed(names)} {_have(names)} a lower {_in_sentence(name)} than people",
        lambda names: f"{listed(names)} {_do(names)} not differ clearly from people",
    )
    return f"At people’s number of fixations {'; '.join(parts)}."


def differentiation_reading(results: Results, pair: tuple[str, str]) -> str:
    """Return how much maps change with the task; empty without findings."""
    found = [one for one in results.of(DIFFERENTIATION, pair[0]) if one.against == pair[1]]
    people = {one.metric: one for one in found if one.kind == HUMAN}
    sentences = []
    if CORRECTED in people and known(people[CORRECTED].estimate):
        test = people.get(CHANGE)
        tested = (
            f"; permuted task labels: p\u00a0{p_text(test.p)}" if test is not None and known(test.p) else ""
        )
        sentences.append(
            f"Without the noise of few fixations people’s maps change by D = {amount(people[CORRECTED])}{tested}."
        )
    changes = [one for one in in_source_order(results, found) if one.metric == CHANGE and one.kind == MODEL]
    if changes:
        sizes = [f"{term_name(results, one.term, one.kind)} {amount(one)}" for one in changes]
        sentences.append(f"Models’ maps change by D = {'; '.join(sizes)}.")
    related = [
        one for one in in_source_order(results, found) if one.metric == WITH_PEOPLE and one.kind == MODEL
    ]
    if related:
        where = [
            f"{term_name(results, one.term, one.kind)} (ρ = {amount(one)})"
            for one in related
            if is_clear(one) and one.estimate > 0
        ]
        sentences.append(
            f"Maps change on the images where people’s change: {listed(where)}."
            if where
            else "No model’s maps are shown to change on the images where people’s change."
        )
    return " ".join(sentences)


def cross_task_reading(results: Results, pair: tuple[str, str]) -> str:
    """Return whose maps are about their task; empty without findings."""
    found = [one for one in results.of(CROSS_TASK, pair[0], SPECIFICITY) if one.against == pair[1]]
    shown = [one for one in in_source_order(results, found) if one.kind in (HUMAN, MODEL)]
    if not shown:
        return ""
    metric = next((one.metric for one in results.of(CROSS_TASK) if one.metric != SPECIFICITY), SPECIFICITY)
    better = [
        f"{term_name(results, one.term, one.kind)} ({amount(one, metric)})"
        for one in shown
        if is_clear(one) and one.estimate > 0
    ]
    rest = [
        term_name(results, one.term, one.kind) for one in shown if not (is_clear(one) and one.estimate > 0)
    ]
    parts = (
        [f"a map of its own task predicts better than that of the other for {listed(better)}"]
        if better
        else []
    )
    if rest:
        parts.append(f"this is not shown for {listed(rest)}")
    return f"By {measured(metric).name} {'; '.join(parts)}."


def laterality_reading(results: Results, task: str, measure: str) -> str:
    """Return who looks at one side; empty without findings."""
    shown = [
        one
        for one in in_source_order(results, results.of(LATERALITY, task, measure))
        if not one.against and one.kind in (HUMAN, MODEL)
    ]
    if not shown:
        return ""
    same = [one for one in shown if is_same_everywhere(one)]
    hardly = [one for one in shown if one not in same and is_clear(one) and abs(one.estimate) < SMALL_SIDE]
    parts = _sides(
        results,
        [one for one in shown if one not in same and one not in hardly],
        lambda names: f"{listed(names)} {_lie(names)} to the right",
        lambda names: f"{listed(names)} {_lie(names)} to the left",
        lambda names: f"{listed(names)} {_show(names)} no clear difference from the middle",
        sized=True,
    )
    if hardly:
        names = [f"{term_name(results, one.term, one.kind)} ({amount(one)})" for one in hardly]
        parts.append(f"{listed(names)} {_lie(names)} hardly to a side")
    parts += [
        f"{term_name(results, one.term, one.kind)} has the same value on every image, "
        f"{value_text(one.estimate, measure)} ({_where(one.estimate)})"
        for one in same
    ]
    return f"By {_in_sentence(measured(measure).name)}, {'; '.join(parts)}."


def observer_reading(results: Results, metric: str) -> str:
    """Return what the last people added; empty with fewer than two numbers of people."""
    sentences = []
    for task in dict.fromkeys(one.task for one in results.of(OBSERVERS, None, metric)):
        curve = sorted(
            (one for one in results.of(OBSERVERS, task, metric) if is_count(one)),
            key=lambda one: int(one.term),
        )
        if len(curve) > 1:
            before, last = curve[-2:]
            sentences.append(
                f"Task {task}: from {before.term} to {last.term} other people {measured(metric).name} goes from "
                f"{value_text(before.estimate, metric)} to {value_text(last.estimate, metric)}."
            )
    return " ".join(sentences)


def scanpath_reading(results: Results, task: str) -> str:
    """Return by which measures scanpaths are more alike on one image than on different ones; empty without any."""
    above = [one for one in results.of(SCANPATH, task) if one.against == OTHER_IMAGES]
    if not above:
        return ""
    alike = [f"{measured(one.metric).name} ({amount(one)})" for one in above if is_clear(one)]
    rest = [measured(one.metric).name for one in above if not is_clear(one)]
    parts = (
        [f"people’s scanpaths on one image differ from those on different images by {listed(alike)}"]
        if alike
        else []
    )
    if rest:
        parts.append(
            f"{'there is' if alike else 'people’s scanpaths on one image show'} no clear difference from chance by "
            f"{listed(rest)}"
        )
    return f"Task {task}: {'; '.join(parts)}."


def _main_effect(one: Finding, factor: str, name: str) -> str:
    second, _, first = one.against.partition(" - ")
    high, low = (contrast_name(level) for level in (second, first))
    unit = measured(one.metric).unit
    size = amount(one, unit=f"{unit} ({name})" if unit else name)
    if not is_clear(one):
        return f"{high} and {low} {factor}s do not differ clearly ({size})"
    where = "above" if one.estimate > 0 else "below"
    return f"{high} {factor}s score {where} {low} {factor}s (difference {size})"


def _sides(
    results: Results,
    found: Sequence[Finding],
    high: Callable[[list[str]], str],
    low: Callable[[list[str]], str],
    middle: Callable[[list[str]], str],
    *,
    sized: bool = False,
) -> list[str]:
    """Return one part of a sentence each for sources above 0, below 0, and not clearly either."""
    names: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for one in found:
        side = 0 if not is_clear(one) else 1 if one.estimate > 0 else -1
        name = term_name(results, one.term, one.kind)
        names[side].append(f"{name} ({amount(one)})" if sized and side else name)
    return [words(names[side]) for side, words in ((1, high), (-1, low), (0, middle)) if names[side]]


def _in_sentence(name: str) -> str:
    """Return the name of a measure as it stands within a sentence."""
    return name if name.startswith(_PROPER) else name[:1].lower() + name[1:]


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _do(names: Sequence[str]) -> str:
    return "does" if _is_one(names) else "do"


def _show(names: Sequence[str]) -> str:
    return "shows" if _is_one(names) else "show"


def _is_one(names: Sequence[str]) -> bool:
    return len(names) == 1 and not names[0].startswith("People")


def _where(estimate: float) -> str:
    """Return on which side a laterality lies, in words."""
    if abs(estimate) < SMALL_SIDE:
        return "hardly off the middle"
    return "right" if estimate > 0 else "left"


def _lie(names: Sequence[str]) -> str:
    return "lies" if _is_one(names) else "lie"
