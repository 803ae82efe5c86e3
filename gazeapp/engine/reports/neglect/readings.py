"""Sentences that read the numbers about lesions."""

from __future__ import annotations

from collections.abc import Sequence

from gazeapp.engine.reports.neglect.shown import Shown
from gazeapp.engine.reports.neglect.words import SIDES_CAUTION, dose_parts_of, parts_of, quoted
from gazeapp.engine.reports.numbers import count, listed
from gazeapp.engine.reports.results.findings import in_source_order, p_text
from gazeapp.engine.reports.results.words import (
    contrast_name,
    interval_text,
    is_clear,
    known,
    measured,
    term_name,
    value_text,
)
from gazeapp.engine.reports.sentences import family_name
from gazeapp.engine.scoring.analyses.factorial import DECODER, ENCODER, INTERACTION
from gazeapp.engine.scoring.analyses.neglect import NET
from gazeapp.engine.scoring.analyses.neglect_outcomes import CONTROLS
from gazeapp.engine.scoring.findings import (
    LESION_CONTROL,
    LESION_DOSE,
    LESION_FACTORIAL,
    LESION_SIDE,
    Finding,
)


def neglect_readings(shown: Shown) -> tuple[str, ...]:
    """Return what lesions did, task by task: effect, decoder and encoder, sides, strength."""
    about = measured(shown.outcome, shown.results.preset)
    found = [
        f"By {about.name.lower()} ({about.unit}), scope {shown.scope}, strength {shown.strength:g}; numbers are lesion "
        "minus matched controls, with 95 % intervals and p corrected (Holm)."
    ]
    for task in shown.results.tasks:
        parts = [_effects(shown, task), _factors(shown, task), _sides(shown, task), _doses(shown, task)]
        said = [part for part in parts if part]
        if said:
            found.append(f"Task {task}. {' '.join(said)}")
    return tuple(found) if len(found) > 1 else ()


def _effects(shown: Shown, task: str) -> str:
    """Say for each mask which models lose more under it than under its controls."""
    own = [one for one in shown.of(LESION_CONTROL, task) if one.against == CONTROLS and known(one.estimate)]
    parts = []
    for mask in shown.masks:
        here = in_source_order(shown.results, [one for one in own if parts_of(one.lesion)[0] == mask])
        if not here:
            continue
        clear = [one for one in here if is_clear(one)]
        worse = [f"{_model(shown, one)} ({_amount(one)})" for one in clear if one.estimate > 0]
        better = [f"{_model(shown, one)} ({_amount(one)})" for one in clear if one.estimate < 0]
        rest = [_model(shown, one) for one in here if one not in clear]
        said = []
        if worse:
            said.append(f"{listed(worse)} {_lose(worse)} clearly more than under matched controls")
        if better:
            said.append(f"{listed(better)} {_lose(better)} clearly less than under them")
        if rest:
            which = "no model differs" if not clear else f"{listed(rest)} {_do(rest)} not differ"
            said.append(f"{which} clearly from matched controls")
        parts.append(
            f"With {quoted(mask)} taken away, {'; '.join(said)} ({count(here[0].n_images, 'image')})."
        )
    if not parts:
        return ""
    return " ".join(parts)


def _factors(shown: Shown, task: str) -> str:
    """Say whether the lesion hits one decoder, or encoder, harder than another, beyond matched controls."""
    effects = [one for one in shown.of(LESION_FACTORIAL, task) if known(one.estimate)]
    found = []
    for factor in (DECODER, ENCODER):
        own = [one for one in effects if one.term == factor + NET]
        clear = [one for one in own if is_clear(one)]
        found += [_factor(one, factor) for one in clear]
        rest = [one for one in own if one not in clear]
        if rest:
            masks = [quoted(parts_of(one.lesion)[0]) for one in rest]
            what = listed([f"{mask} {_amount(one)}" for mask, one in zip(masks, rest, strict=True)])
            levels = contrast_name(rest[0].against.partition(" : lesion - ")[0])
            said = f"Under {listed(masks)} it is" if clear else f"That the {factor} matters is"
            found.append(f"{said} not shown ({levels}, beyond controls: {what}).")
    found += [
        f"Under {quoted(parts_of(one.lesion)[0])}, what the decoder contributes depends on the encoder "
        f"({_amount(one)})."
        for one in effects
        if one.term == INTERACTION + NET and is_clear(one)
    ]
    return " ".join(found)


def _factor(one: Finding, factor: str) -> str:
    first, second = one.against.partition(" : ")[0].split(" - ")
    harder, softer = (first, second) if one.estimate > 0 else (second, first)
    unit = one.unit or measured(one.metric).unit
    mask = quoted(parts_of(one.lesion)[0])
    return (
        f"With {mask} taken away, models with {_a(family_name(harder))} {factor} lose {_size(one)} "
        f"{unit} more beyond matched controls than those with {_a(family_name(softer))} {factor} ({_test(one)}; "
        f"{count(one.n_images, 'image')})."
    )


def _sides(shown: Shown, task: str) -> str:
    own = [one for one in shown.of(LESION_SIDE, task) if known(one.estimate)]
    if not own:
        return ""
    clear = [one for one in own if is_clear(one)]
    if not clear:
        return "No model is shown to suffer more under one side than under the other."
    said = [
        f"{_model(shown, one)} suffers more under {_worse_side(one)} "
        f"({_amount(one, absolute=True)}{_beyond(shown, one)})"
        for one in clear
    ]
    return f"As they are, not minus controls: {listed(said)}. {SIDES_CAUTION}"


def _beyond(shown: Shown, one: Finding) -> str:
    """Return the effects of both sides beyond matched controls; empty where one of them is not known."""
    net = {
        parts_of(own.lesion)[0]: own.estimate
        for own in shown.of(LESION_CONTROL, one.task)
        if (own.term, own.against) == (one.term, CONTROLS) and known(own.estimate)
    }
    sides = (parts_of(one.lesion)[0], one.against)
    if any(side not in net for side in sides):
        return ""
    values = [f"{value_text(net[side], one.metric, one.unit)} under {quoted(side)}" for side in sides]
    return f"; beyond matched controls {listed(values)}"


def _worse_side(one: Finding) -> str:
    mask = quoted(parts_of(one.lesion)[0])
    other = "its mirror image" if one.against == "mirrored" else quoted(one.against)
    return f"{mask} than under {other}" if one.estimate > 0 else f"{other} than under {mask}"


def _doses(shown: Shown, task: str) -> str:
    own = [
        one for one in shown.of_doses(LESION_DOSE, task) if one.against == CONTROLS and known(one.estimate)
    ]
    if not own:
        return ""
    clear = [one for one in in_source_order(shown.results, own) if is_clear(one) and one.estimate > 0]
    if not clear:
        return "No effect is shown to grow with the strength."
    said = [f"{_model(shown, one)} under {quoted(dose_parts_of(one.lesion)[0])}" for one in clear]
    return f"The effect grows clearly with the strength for {listed(said)}."


def _amount(one: Finding, *, absolute: bool = False) -> str:
    """Return a number with its interval and test, such as ``0.80 [0.40, 1.20], p = 0.003``."""
    size = _size(one) if absolute else _number(one.estimate, one.low, one.high, one)
    return f"{size}, {_test(one)}" if _test(one) else size


def _size(one: Finding) -> str:
    """Return a number without its sign, with its interval turned along."""
    if one.estimate >= 0:
        return _number(one.estimate, one.low, one.high, one)
    return _number(-one.estimate, -one.high, -one.low, one)


def _number(estimate: float, low: float, high: float, one: Finding) -> str:
    ends = interval_text(low, high, one.metric, one.unit)
    return f"{value_text(estimate, one.metric, one.unit)} {ends}".strip()


def _test(one: Finding) -> str:
    p = one.p_holm if known(one.p_holm) else one.p
    return f"p {p_text(p)}".replace(" ", "\N{NO-BREAK SPACE}") if known(p) else ""


def _model(shown: Shown, finding: Finding) -> str:
    return term_name(shown.results, finding.term, finding.kind)


def _lose(items: Sequence[str]) -> str:
    return "loses" if len(items) == 1 else "lose"


def _do(items: Sequence[str]) -> str:
    return "does" if len(items) == 1 else "do"


def _a(name: str) -> str:
    # LSTM is said letter by letter.
    return f"an {name}" if name[:1] in "AEIOULaeiou" else f"a {name}"
