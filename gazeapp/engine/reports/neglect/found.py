"""Tables of what lesions did: against controls, by other outcomes, by side, over strength, by encoder and decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gazeapp.engine.reports.neglect.shown import Shown, by_mask, impairments
from gazeapp.engine.reports.neglect.words import CONTROL_NAMES, SIDES_CAUTION, dose_parts_of, parts_of
from gazeapp.engine.reports.numbers import is_share
from gazeapp.engine.reports.results.data import ResultTable
from gazeapp.engine.reports.results.findings import Words, finding_table, in_source_order, source_table
from gazeapp.engine.reports.results.words import CLEAR, contrast_name, measured, term_name
from gazeapp.engine.scoring.analyses.factorial import CELL
from gazeapp.engine.scoring.analyses.neglect import NET
from gazeapp.engine.scoring.analyses.neglect_outcomes import CONTROLS, MIRRORED
from gazeapp.engine.scoring.findings import (
    LESION_CONTROL,
    LESION_DOSE,
    LESION_FACTORIAL,
    LESION_SIDE,
    Finding,
)

_HOLM = "corrected (Holm) over models, masks and strengths of one task, outcome and scope"
_PARTS = ("objects_lost_inside", "objects_lost_outside")
"""Parts of an outcome that is shown; findings.csv has them."""
_D_Z = "d_z: mean of the paired differences / their standard deviation over images."


def neglect_tables(shown: Shown) -> Iterator[ResultTable]:
    """Yield the tables that have something to show."""
    name = f"{measured(shown.outcome, shown.results.preset).name.lower()}, scope {shown.scope}"
    yield from _table(
        shown,
        [one for one in _highest(shown, LESION_CONTROL) if one.against == CONTROLS],
        Words(
            "lesion_control",
            f"Lesion minus matched controls: {name}, at the highest strength",
            "Model and mask",
            "The effect to report: mean over images of the lesion minus its matched controls, within each image. 95 % "
            f"intervals; p: permutation test over images, {_HOLM}; {_D_Z} {CLEAR}",
        ),
        by_mask(shown),
    )
    yield from _other_outcomes(shown)
    yield from _table(
        shown,
        _effects(shown),
        Words(
            "lesion_factorial",
            f"Encoder and decoder under the lesion: {name}",
            "Effect",
            "How the effect of the lesion differs between levels of a factor: of the lesion minus its matched controls "
            "(the claim), and of the lesion alone, where also counts that some models mind any disturbance more. p: "
            f"sign-flip permutation test over images, corrected (Holm) over effects, masks and strengths; {_D_Z}",
        ),
        lambda finding: _effect(shown, finding),
    )
    yield from _table(
        shown,
        _highest(shown, LESION_SIDE),
        Words(
            "lesion_side",
            f"One side against the other: {name}, at the highest strength",
            "Model and masks",
            "First mask minus the other one, within each image, as they are; above 0 the first does more harm. "
            f"{SIDES_CAUTION} p: sign-flip permutation test over images, {_HOLM}; {_D_Z}",
        ),
        lambda finding: f"{by_mask(shown)(finding)} − {_other(shown, finding)}",
    )
    yield from _table(
        shown,
        [one for one in shown.of_doses(LESION_DOSE) if one.against == CONTROLS],
        Words(
            "lesion_dose",
            f"Rise with strength beyond matched controls: {name}",
            "Model and mask",
            "Rise from no lesion to full strength along each image’s least-squares line, lesion minus matched "
            "controls. A line through all strengths sums the response up: its rise is not the effect at full strength, "
            "and does not say that the response is straight. p: permutation test over images, corrected (Holm) over "
            f"models and masks; {_D_Z}",
        ),
        lambda finding: f"{_model(shown, finding)}, {shown.label(dose_parts_of(finding.lesion)[0])}",
    )


def _table(
    shown: Shown, found: Sequence[Finding], words: Words, name: Callable[[Finding], str]
) -> Iterator[ResultTable]:
    if found:
        yield finding_table(shown.results, found, words, name)


def _other_outcomes(shown: Shown) -> Iterator[ResultTable]:
    """Yield the effect by the outcomes that do not lead, a table for each task."""
    others = [one for one in impairments(shown.results) if one not in (shown.outcome, *_PARTS)]
    found = [
        one
        for outcome in others
        for one in _highest(shown, LESION_CONTROL, outcome)
        if one.against == CONTROLS
    ]
    for task in dict.fromkeys(one.task for one in found):
        yield source_table(
            shown.results,
            # The table keeps the order of the last to the first of each model.
            [one for one in reversed(found) if one.task == task],
            others,
            Words(
                f"lesion_outcomes_{task}",
                f"Other outcomes, lesion minus matched controls: task {task}, scope {shown.scope}",
                "Model and mask",
                "Means over images with 95 % intervals, at the highest strength; above 0 is worse than under the "
                "controls. p is corrected within each outcome, not over them: the outcome that claims rest on is the "
                "one above.",
            ),
            by_mask(shown),
        )


def _highest(shown: Shown, analysis: str, outcome: str = "") -> list[Finding]:
    """Return findings at the highest strength of each mask and scope, in the order of models."""
    found = [
        one
        for one in shown.results.of(analysis, None, outcome or shown.outcome)
        if not is_share(one.unit) and parts_of(one.lesion)[1] == shown.scope
    ]
    top: dict[tuple[str, str], float] = {}
    for one in found:
        mask, scope, strength = parts_of(one.lesion)
        top[mask, scope] = max(strength, top.get((mask, scope), 0.0))
    kept = [one for one in found if top[parts_of(one.lesion)[:2]] == parts_of(one.lesion)[2]]
    return sorted(in_source_order(shown.results, kept), key=lambda one: shown.results.tasks.index(one.task))


def _effects(shown: Shown) -> list[Finding]:
    """Return the effects of the design, those beyond controls before those of the lesion alone."""
    found = [one for one in shown.of(LESION_FACTORIAL) if not one.term.startswith(CELL)]
    return sorted(found, key=lambda one: (shown.results.tasks.index(one.task), not one.term.endswith(NET)))


def _effect(shown: Shown, finding: Finding) -> str:
    term = term_name(shown.results, finding.term.removesuffix(NET))
    levels, _, net = finding.against.partition(" : lesion - ")
    beyond = "beyond controls" if net else "lesion alone"
    return f"{term}: {contrast_name(levels)}, {shown.label(parts_of(finding.lesion)[0])}, {beyond}"


def _other(shown: Shown, finding: Finding) -> str:
    """Return the mask that a side is held against."""
    return CONTROL_NAMES[MIRRORED] if finding.against == MIRRORED else shown.label(finding.against)


def _model(shown: Shown, finding: Finding) -> str:
    return term_name(shown.results, finding.term, finding.kind)
