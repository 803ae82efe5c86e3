"""Sentences that read the numbers about brain responses, chosen by rule."""

from __future__ import annotations

from collections.abc import Iterator

from gazeapp.engine.neural.records import DIFFERENCE, NeuralFinding
from gazeapp.engine.reports.neural.chosen import Found, Place, Told
from gazeapp.engine.reports.numbers import count, interval, listed, number, p_value, percent
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.neural_measures import (
    ALPHA,
    MINUS,
    P_FDR,
    RHO,
    NeuralAsked,
    R,
    p_of,
    shown,
)
from gazeapp.engine.reports.results.neural_tables import dissociation_sentence
from gazeapp.engine.reports.results.words import known

_ALIKE = 0.05
"""Difference in r below which two sources are said to predict about as well."""


def neural_readings(told: Told) -> tuple[str, ...]:
    """Return what was found under a task: in how many regions, who is best where, controls, differences, fixations."""
    found = [_counts(told)]
    for place in told.groups or told.best_regions[:3]:
        parts = [
            _best(told, place),
            _control(told, place),
            _differences(told, place),
            _second_view(told, place),
        ]
        found.append(" ".join(part for part in parts if part))
    found.append(_dissociation(told))
    return tuple(text for text in found if text)


def _counts(told: Told) -> str:
    """Say in how many single regions each source predicts above chance."""
    parts = []
    for source in told.sources:
        own = [
            one
            for one in told.results.of(NeuralAsked(told.task), R, source).values()
            if known(one.estimate) and known(one.p_fdr)
        ]
        if own:
            parts.append((source, sum(one.p_fdr < ALPHA for one in own), len(own)))
    if not parts:
        return ""
    n = max(total for _, _, total in parts)
    said = [f"{_called(source)} in {above}" for source, above, _ in parts]
    return (
        f"Of {count(n, 'region')}, responses are predicted above chance (p < 0.05, corrected for false discovery over "
        f"regions) from the maps of {listed(said)}."
    )


def _best(told: Told, place: Place) -> str:
    best = told.best(place, told.models) or told.best(place, told.people)
    if best is None:
        return ""
    where = _where(place)
    if not shown(best.finding, R).is_clear(P_FDR):
        tested = known(best.finding.p)
        why = "above chance" if tested else "with a test of it"
        return f"{where} no model is shown to predict responses {why}; the highest is {_with_number(best)}."
    text = f"{where} {_with_number(best)} predicts best of the models"
    if not told.models:
        text = f"{where} {_with_number(best)} predict responses"
    if known(best.finding.ceiling) and best.finding.ceiling > 0:
        text += f", {percent(100 * best.finding.estimate / best.finding.ceiling)} of the noise ceiling"
    people = told.best(place, told.people)
    if people is not None and told.models:
        text += f"; people’s fixations predict r {number(people.finding.estimate)}"
    return f"{text}."


def _control(told: Told, place: Place) -> str:
    """Name the best control, held against the best model, and say what the model predicts beyond it."""
    model = told.best(place, told.models) or told.best(place, told.people)
    control = told.best(place, told.controls)
    if model is None or control is None:
        return ""
    if not shown(model.finding, R).is_clear(P_FDR):
        return f"{_control_alone(control)}."
    first = _control_beside(told, place, model, control)
    beyond = told.results.part(
        NeuralAsked(told.task, region=place[0], groups=place[1]), "unique", model.source, control.source.id
    )
    if beyond is None or not known(beyond.estimate):
        return f"{first}."
    p = p_of(beyond, P_FDR)
    share = f"unique R² {number(beyond.estimate, 3)}{_tested(beyond)}"
    if known(p) and p < ALPHA and beyond.estimate > 0:
        return f"{first}; {model.source.name} predicts more than it: {share}."
    return f"{first}; that {model.source.name} predicts anything beyond it is not shown ({share})."


def _control_alone(control: Found) -> str:
    """Return how well the best control predicts where no model is shown to."""
    said = _with_number(control, _lower(control.source.name))
    if shown(control.finding, R).is_clear(P_FDR):
        return f"The control {said} predicts them"
    if known(control.finding.p):
        return f"The best control, {said}, is not shown to either"
    return f"The best control is {said}"


def _control_beside(told: Told, place: Place, model: Found, control: Found) -> str:
    """Return how well the best control predicts beside the best model: better only where the difference is clear."""
    name, r = _lower(control.source.name), number(control.finding.estimate)
    gap = control.finding.estimate - model.finding.estimate
    if gap <= 0:
        return f"The best control, {name}, reaches r {r}"
    tested = told.results.of(
        NeuralAsked(told.task, groups=place[1]), MINUS, model.source, control.source.id
    ).get(place[0])
    if tested is not None and tested.estimate < 0 and shown(tested, MINUS).is_clear(P_FDR):
        spread = interval(-tested.high, -tested.low, 2)
        by = f"by {number(-tested.estimate)}{f' {spread}' if spread else ''}{_tested(tested)}"
        return f"The control {name} predicts better (r {r}; {by})"
    if gap < _ALIKE:
        return f"The control {name} does about as well (r {r})"
    return (
        f"The control {name} reaches r {r}, more than {model.source.name} (whether that holds is not shown)"
    )


def _differences(told: Told, place: Place) -> str:
    """Say which models differ clearly."""
    asked = NeuralAsked(told.task, region=place[0], groups=place[1])
    models = {one.id for one in told.models}
    own = [
        one
        for one in told.results.of_region(asked, DIFFERENCE, R)
        if known(one.p_fdr) and {one.source, one.against} <= models
    ]
    if not own:
        return ""
    clear = sorted((one for one in own if one.p_fdr < ALPHA), key=lambda one: -abs(one.estimate))
    if not clear:
        return "No two models differ clearly."
    said = [_difference(told, one) for one in clear[:3]]
    rest = len(clear) - len(said)
    if rest:
        said.append(f"{rest} more pairs differ" if rest > 1 else "one more pair differs")
    return f"Clear differences: {'; '.join(said)}."


def _difference(told: Told, one: NeuralFinding) -> str:
    first, second = told.results.facts(one.source, one.kind).name, told.results.facts(one.against).name
    if one.estimate < 0:
        first, second = second, first
    ends = (one.low, one.high) if one.estimate >= 0 else (-one.high, -one.low)
    spread = interval(*ends, 2)
    return f"{first} over {second} by {number(abs(one.estimate))} {spread}".strip()


def _second_view(told: Told, place: Place) -> str:
    """Say whom RSA puts first, where that is another one, or nobody; and the best control beside."""
    rsa, encoding = told.best(place, told.models, RHO), told.best(place, told.models)
    if rsa is None or encoding is None:
        return ""
    control = told.best(place, told.controls, RHO)
    named = "" if control is None else _with_number(control, _lower(control.source.name), "ρ")
    if not shown(rsa.finding, RHO).is_clear(P_FDR):
        clear = control is not None and shown(control.finding, RHO).is_clear(P_FDR)
        return "By dissimilarities (RSA) no model is shown to share the region’s geometry" + (
            f"; the control {named} is." if clear else "."
        )
    beside = f"; the best control is {named}" if named else ""
    if rsa.source == encoding.source:
        return f"RSA agrees: {_with_number(rsa, symbol='ρ')}{beside}."
    return f"By RSA {_with_number(rsa, symbol='ρ')} comes first of the models{beside}."


def _dissociation(told: Told) -> str:
    """Return what the group that is predicted best says against fixations."""
    ranked = sorted(_best_of_places(told), key=lambda pair: -pair[1].finding.estimate)
    return next(
        (text for place, _ in ranked if (text := dissociation_sentence(told.results, told.asked(place)))), ""
    )


def _best_of_places(told: Told) -> Iterator[tuple[Place, Found]]:
    for place in told.groups or told.best_regions[:3]:
        best = told.best(place, told.models)
        if best is not None:
            yield place, best


def _with_number(one: Found, name: str = "", symbol: str = "r") -> str:
    said = f"{symbol} {number(one.finding.estimate)}{_interval(one.finding)}{_tested(one.finding)}"
    return f"{name or one.source.name} ({said})"


def _interval(one: NeuralFinding) -> str:
    ends = interval(one.low, one.high, 2)
    return f" {ends}" if ends else ""


def _tested(one: NeuralFinding) -> str:
    p = one.p_fdr if known(one.p_fdr) else one.p
    if not known(p):
        return ""
    text = p_value(p)
    return f", p {text if text.startswith('<') else f'= {text}'}"


def _where(place: Place) -> str:
    return f"{'Group' if place[1] else 'Region'} {place[0]}:"


def _called(source: SourceFacts) -> str:
    return source.name if source.kind == "model" else _lower(source.name)


def _lower(name: str) -> str:
    return f"{name[:1].lower()}{name[1:]}"
