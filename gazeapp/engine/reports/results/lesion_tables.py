"""Tables of what lesions did, and sentences that read them."""

from __future__ import annotations

from collections.abc import Sequence

from gazeapp.engine.lesions.outcomes import SCORE_DROP
from gazeapp.engine.reports.neglect.words import SIDES_CAUTION
from gazeapp.engine.reports.numbers import UNKNOWN, count, interval, number, percent
from gazeapp.engine.reports.results.data import Cell, Column, ResultTable, Row
from gazeapp.engine.reports.results.findings import count_cell, p_cell, p_text
from gazeapp.engine.reports.results.lesion_figures import side_findings, side_names
from gazeapp.engine.reports.results.lesions import (
    AGAINST,
    Asked,
    LesionResults,
    compared_with,
    dose_of,
    label_of,
    lesion_phrase,
    n_tests,
    origin,
)
from gazeapp.engine.reports.results.words import SIMULATED, finite, interval_text, is_clear, known, value_text
from gazeapp.engine.reports.sentences import family_name
from gazeapp.engine.scoring.analyses.factorial import CELL, DECODER, ENCODER, INTERACTION
from gazeapp.engine.scoring.analyses.neglect import NET
from gazeapp.engine.scoring.analyses.neglect_outcomes import (
    CONTROLS,
    EQUAL_MASS,
    MATCHED,
    RANDOM,
    lesion_label,
)
from gazeapp.engine.scoring.findings import (
    LESION,
    LESION_CONTROL,
    LESION_DOSE,
    LESION_FACTORIAL,
    Finding,
)

_HOW = (
    "95 % intervals over images. p: permutation test within images, two-sided; corrected (Holm) over the models, masks "
    "and strengths of one task, outcome and scope. d_z: mean / standard deviation over images."
)
_SHARE = "share of "
_P = Column("p", "p", "", "p of the permutation test within images, two-sided.")
_P_HOLM = Column(
    "p_holm", "p, Holm", "", "The same, corrected for the number of tests of its family (Holm 1979)."
)
_D_Z = Column("effect", "d_z", "", "Effect size: mean / standard deviation over images.")
_IMAGES = Column("n_images", "Images", "", "Images that it rests on.")
_NOTE = Column("note", "Note")
_HEADS = {RANDOM: "As much area elsewhere", EQUAL_MASS: "As much attention elsewhere"}


def model_table(lesions: LesionResults, asked: Asked) -> ResultTable | None:
    """Return a row for each model and mask: the lesion, its controls, the difference and its test."""
    about, held = lesions.about(asked.outcome), AGAINST.get(asked.against, "")
    beside = [one for one in _beside(asked) if one in lesions.controls(asked.task, asked.outcome)]
    rows = []
    for model in lesions.models(asked):
        for mask in asked.masks:
            label = label_of(asked, mask)
            raw = lesions.one(LESION, asked, label, model)
            if raw is None:
                continue
            tested = lesions.one(LESION_CONTROL, asked, label, model, asked.against) if held else raw
            tests = _tests(tested, lesions)
            own = [_value_cell(lesions, lesions.one(LESION, asked, label, model, one)) for one in beside]
            difference = [_value_cell(lesions, tested), tests[0]] if held else []
            cells = [*difference, _value_cell(lesions, raw), *([] if held else [tests[0]]), *own]
            rows.append(
                Row(
                    "model",
                    f"{lesions.name(model)} · {mask}",
                    lesions.colour(model),
                    (*cells, *tests[1:]),
                )
            )
    if not rows:
        return None
    columns = [Column("lesion", "Lesion", about.unit, about.meaning), *([] if held else [_P_HOLM])]
    columns += [
        Column(one, _HEADS.get(one, "Mirrored"), about.unit, f"The same under the control: {AGAINST[one]}.")
        for one in beside
    ]
    if held:
        columns[:0] = [Column("difference", "Difference", about.unit, f"The lesion minus {held}."), _P_HOLM]
    return ResultTable(
        "lesion_models",
        f"{about.name}, by model",
        (*columns, _P, _D_Z, _IMAGES, _NOTE),
        tuple(rows),
        _note(lesions),
        "Model · mask",
    )


def _beside(asked: Asked) -> Sequence[str]:
    return MATCHED if asked.against == CONTROLS else (asked.against,) if asked.against else ()


def dose_table(lesions: LesionResults, asked: Asked) -> ResultTable | None:
    """Return a row for each model and mask: the rise from strength 0 to 1, and the same minus matched controls."""
    about = lesions.about(asked.outcome)
    rows = []
    for model in lesions.models(asked):
        for mask in asked.masks:
            raw = lesions.one(LESION_DOSE, asked, dose_of(asked, mask), model)
            if raw is None:
                continue
            net = lesions.one(LESION_DOSE, asked, dose_of(asked, mask), model, CONTROLS)
            cells = (_value_cell(lesions, raw), _value_cell(lesions, net), *_tests(net or raw, lesions))
            rows.append(Row("model", f"{lesions.name(model)} · {mask}", lesions.colour(model), cells))
    if not rows:
        return None
    rise = (
        "From strength 0 to 1, on the least-squares line through all strengths of each image; not the value at full "
        "strength, which the figure has."
    )
    return ResultTable(
        "lesion_doses",
        f"{about.name}, rise with strength",
        (
            Column("rise", "Rise", about.unit, rise),
            Column(
                "difference",
                "Rise minus controls",
                about.unit,
                f"{rise} The lesion minus {AGAINST[CONTROLS]}.",
            ),
            *(_P_HOLM, _P, _D_Z, _IMAGES, _NOTE),
        ),
        tuple(rows),
        _note(lesions),
        "Model · mask",
    )


def side_table(lesions: LesionResults, asked: Asked) -> ResultTable | None:
    """Return a row for each model: one side minus the other."""
    about, found = lesions.about(asked.outcome), side_findings(lesions, asked)
    if not found:
        return None
    rows = tuple(
        Row(
            "model",
            f"{lesions.name(one.term)}, {' − '.join(side_names(asked, one))}",
            lesions.colour(one.term),
            (_value_cell(lesions, one), *_tests(one, lesions)),
        )
        for one in found
    )
    how = f"One side minus the other, image by image, as they are. {SIDES_CAUTION}"
    column = Column("difference", "Difference", about.unit, how)
    columns = (column, _P_HOLM, _P, _D_Z, _IMAGES, _NOTE)
    return ResultTable(
        "lesion_sides", f"{about.name}, side by side", columns, rows, _note(lesions), "Model, sides"
    )


def design_table(lesions: LesionResults, asked: Asked) -> ResultTable | None:
    """Return a row for each effect of encoder and decoder and each mask: minus matched controls, and as it is."""
    about, rows = lesions.about(asked.outcome), []
    for mask in asked.masks:
        own = [one for one in lesions.of(LESION_FACTORIAL, asked) if one.lesion == label_of(asked, mask)]
        net = {one.term.removesuffix(NET): one for one in own if one.term.endswith(NET)}
        for one in own:
            if one.term != CELL and not one.term.endswith(NET):
                minus = net.get(one.term)
                tests, raw_tests = _tests(minus, lesions), _tests(one, lesions)
                cells = (_value_cell(lesions, minus), tests[0], _value_cell(lesions, one), raw_tests[0])
                rows.append(Row("", f"{compared_with(lesions, one)} · {mask}", "", (*cells, *tests[1:])))
    if not rows:
        return None
    effect = "Difference of two levels, averaged over the other factor; of the interaction, difference of differences."
    columns = (
        Column(
            "difference", "Minus controls", about.unit, f"{effect} Of the lesion minus {AGAINST[CONTROLS]}."
        ),
        _P_HOLM,
        Column("raw", "As it is", about.unit, f"{effect} {about.meaning}"),
        Column("raw_p_holm", "p, Holm, as it is", "", _P_HOLM.meaning),
        *(_P, _D_Z, _IMAGES, _NOTE),
    )
    title = f"{about.name}, encoder and decoder"
    return ResultTable("lesion_design", title, columns, tuple(rows), _note(lesions), "Effect · mask")


def _note(lesions: LesionResults) -> str:
    return f"{_HOW} {SIMULATED}" if lesions.results.simulated else _HOW


def _value_cell(lesions: LesionResults, finding: Finding | None) -> Cell:
    if finding is None:
        return Cell(UNKNOWN)
    return Cell(
        value_text(finding.estimate, finding.metric, finding.unit),
        finite(finding.estimate),
        origin(lesions, finding),
        finite(finding.low),
        finite(finding.high),
    )


def _tests(finding: Finding | None, lesions: LesionResults) -> tuple[Cell, ...]:
    """Return p corrected, p, d_z, number of images and note of a finding."""
    if finding is None:
        return tuple(Cell(UNKNOWN) for _ in range(5))
    text = origin(lesions, finding)
    p, p_holm = p_cell(finding.p), p_cell(finding.p_holm)
    return (
        Cell(p_holm.text, p_holm.value, text),
        Cell(p.text, p.value, text),
        Cell(number(finding.effect), finite(finding.effect), text),
        count_cell(finding.n_images),
        Cell(finding.note, tooltip=finding.note),
    )


def model_sentence(lesions: LesionResults, asked: Asked) -> str:
    """Return the largest effect in a sentence; empty without any."""
    analysis = LESION_CONTROL if asked.against else LESION
    labels = {label_of(asked, mask): mask for mask in asked.masks}
    found = [
        one
        for one in lesions.of(analysis, asked)
        if one.lesion in labels and one.against == asked.against and known(one.estimate)
    ]
    if not found:
        return ""
    clear = sum(is_clear(one) and known(one.p) for one in found)
    most = max(found, key=lambda one: one.estimate)
    tested = (
        f" {clear} of {len(found)} effects of models and masks are clear (interval and corrected p)."
        if any(known(one.p) for one in found)
        else ""
    )
    return (
        f"Largest under {lesion_phrase(labels[most.lesion])} in {lesions.name(most.term)}: "
        f"{_told(lesions, asked, most, asked.against)}.{tested}"
    )


def _told(lesions: LesionResults, asked: Asked, finding: Finding, against: str, over: str = "") -> str:
    """Return an effect with its evidence: as it is, or how much more or less it is than under what it is held against.

    ``over`` stands between both.
    """
    if not against:
        return f"{_amount(lesions, finding)}{over} {_evidence(lesions, asked, finding)}"
    more = "more" if finding.estimate >= 0 else "less"
    amount = _amount(lesions, finding, absolute=True)
    return f"{amount} {more} than under {AGAINST[against]}{over} {_evidence(lesions, asked, finding, absolute=True)}"


def dose_sentence(lesions: LesionResults, asked: Asked) -> str:
    """Return the steepest rise with strength in a sentence; empty without any."""
    labels = {dose_of(asked, mask): mask for mask in asked.masks}
    wanted = CONTROLS if asked.against else ""
    found = [
        one
        for one in lesions.of(LESION_DOSE, asked)
        if one.lesion in labels and one.against == wanted and known(one.estimate)
    ]
    if not found:
        return ""
    most = max(found, key=lambda one: one.estimate)
    return (
        f"Steepest under {lesion_phrase(labels[most.lesion])} in {lesions.name(most.term)}: the line through all "
        f"strengths rises by {_told(lesions, asked, most, wanted, ' from none to 1')}."
        f"{_at_highest(lesions, asked, labels[most.lesion], most)}"
    )


def _at_highest(lesions: LesionResults, asked: Asked, mask: str, rise: Finding) -> str:
    """Return what the highest strength itself does; empty where that is not known."""
    strength = max(lesions.strengths(asked.task, asked.outcome, asked.scope), default=0.0)
    analysis = LESION_CONTROL if rise.against else LESION
    label = lesion_label(asked.lesion(mask, strength))
    top = lesions.one(analysis, asked, label, rise.term, rise.against)
    if top is None or not known(top.estimate):
        return ""
    is_less = bool(rise.against) and top.estimate < 0
    amount = f"{_amount(lesions, top, absolute=True)} less" if is_less else _amount(lesions, top)
    return f" At strength {strength:g} itself it is {amount}."


def side_sentence(lesions: LesionResults, asked: Asked) -> str:
    """Return the largest difference of the sides in a sentence; empty without any."""
    found = [one for one in side_findings(lesions, asked) if known(one.estimate)]
    if not found:
        return ""
    most = max(found, key=lambda one: abs(one.estimate))
    first, second = side_names(asked, most)
    more, less = (first, second) if most.estimate >= 0 else (second, first)
    return (
        f"Largest difference in {lesions.name(most.term)}, as they are: {_amount(lesions, most, absolute=True)} more "
        f"under the {more} than under the {less} lesion {_evidence(lesions, asked, most, absolute=True)}."
        f"{_beyond(lesions, asked, most)} {SIDES_CAUTION}"
    )


def _beyond(lesions: LesionResults, asked: Asked, finding: Finding) -> str:
    """Return both sides beyond matched controls, which the difference itself is not; empty where they are not known."""
    said = []
    for side in side_names(asked, finding):
        net = lesions.one(LESION_CONTROL, asked, label_of(asked, side), finding.term, CONTROLS)
        if net is not None and known(net.estimate):
            said.append(f"{_amount(lesions, net)} under the {side}")
    return f" Beyond {AGAINST[CONTROLS]} it is {' and '.join(said)}." if len(said) == 2 else ""


def design_sentences(lesions: LesionResults, asked: Asked) -> tuple[str, ...]:
    """Return what decoder and encoder do under each mask: minus controls where it is known, else as it is.

    The decoder is always told, an encoder and an interaction where they are clear.
    """
    said = []
    for mask in asked.masks:
        for ending in (NET, ""):
            effects = {
                one.term.removesuffix(NET): one
                for one in lesions.of(LESION_FACTORIAL, asked)
                if one.term.endswith(NET) == bool(ending)
                and one.lesion == label_of(asked, mask)
                and known(one.estimate)
            }
            parts = [
                _level(lesions, asked, mask, effects[factor], factor)
                for factor in (DECODER, ENCODER)
                if factor in effects and (factor == DECODER or is_clear(effects[factor]))
            ]
            both = effects.get(INTERACTION)
            if both is not None and is_clear(both):
                parts.append(_interaction(lesions, asked, mask, both))
            if parts:
                said.append(" ".join(parts))
                break
    return tuple(said)


def _interaction(lesions: LesionResults, asked: Asked, mask: str, finding: Finding) -> str:
    beyond = f", beyond {AGAINST[CONTROLS]}" if finding.term.endswith(NET) else ""
    return (
        f"Under {lesion_phrase(mask)}, what the decoder contributes depends on the encoder: a difference of "
        f"differences of {_amount(lesions, finding)}{beyond} {_evidence(lesions, asked, finding)}."
    )


def _level(lesions: LesionResults, asked: Asked, mask: str, finding: Finding, factor: str) -> str:
    levels = finding.against.split(" : ")[0].split(" - ")
    first, second = levels if finding.estimate >= 0 else reversed(levels)
    net = finding.term.endswith(NET)
    amount = _amount(lesions, finding, absolute=True)
    beyond = f", beyond {AGAINST[CONTROLS]}" if net else ""
    evidence = _evidence(lesions, asked, finding, absolute=True)
    start = f"Under {lesion_phrase(mask)}"
    one, two = family_name(first), family_name(second)
    if asked.outcome == "log_probability_drop":
        said = f"{start}, captions of {one} {factor}s lose {amount} more than those of {two} {factor}s"
    elif asked.outcome == "words_changed":
        said = f"{start}, {amount} more change with {one} than with {two} {factor}s"
    elif asked.outcome.startswith(SCORE_DROP):
        said = f"{start}, maps of {one} {factor}s lose {amount} more than those of {two} {factor}s"
    else:
        name = lesions.about(asked.outcome).name.lower()
        said = f"{start}, {name} is larger by {amount} with {one} than with {two} {factor}s"
    return f"{said}{beyond} {evidence}."


def _amount(lesions: LesionResults, finding: Finding, *, absolute: bool = False) -> str:
    """Return a number with its unit; a share of something in percent of it."""
    unit = lesions.about(finding.metric).unit
    estimate = abs(finding.estimate) if absolute else finding.estimate
    if unit.startswith(_SHARE):
        return f"{percent(100.0 * estimate)} of the {unit.removeprefix(_SHARE)}"
    return f"{value_text(estimate, finding.metric)} {unit}".strip()


def _evidence(lesions: LesionResults, asked: Asked, finding: Finding, *, absolute: bool = False) -> str:
    """Return interval, p and images in brackets; turned with the number where that is given without its sign."""
    low, high = finding.low, finding.high
    if absolute and finding.estimate < 0:
        low, high = -high, -low
    is_share = lesions.about(finding.metric).unit.startswith(_SHARE)
    ends = interval(100.0 * low, 100.0 * high) if is_share else interval_text(low, high, finding.metric)
    tests = n_tests(lesions, asked, finding)
    p = f"p {p_text(finding.p_holm)} corrected for {count(tests, 'test')}" if known(finding.p_holm) else ""
    parts = [ends, p, count(finding.n_images, "image")]
    unclear = "" if not known(finding.p) or is_clear(finding) else ": no clear difference"
    return f"({', '.join(part for part in parts if part)}){unclear}"
