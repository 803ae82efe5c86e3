"""What numbers, sources and terms of findings are called, and how they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gazeapp.engine.gaze.scanpaths.measures import MEASURES as SCANPATH_MEASURES
from gazeapp.engine.lesions.outcomes import OUTCOMES, SCORE_DROP, outcome_facts
from gazeapp.engine.maps.measures import MEASURES as MAP_MEASURES
from gazeapp.engine.reports.numbers import count, digits, interval, is_share, number, percent
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.reports.sentences import ALPHA, family_name
from gazeapp.engine.scoring.analyses.maps import MATCHED
from gazeapp.engine.scoring.analyses.scanpaths import OTHER_IMAGES
from gazeapp.engine.scoring.facts import METRICS, SOURCES, metric_facts
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.statistics.two_way import METHODS

PEOPLE = "People"
SIMULATED = "Simulated observers, not people."
CLEAR = (
    "Called a clear difference: the interval leaves out 0 and p, corrected where several were tested, is below 0.05. "
    "One can hold without the other: intervals are for one number each, p is about images alone."
)
"""When a sentence says that a number differs from 0; stands beside each table with tests."""
_SAME = 1e-9
"""Width of an interval, relative to its number, that is rounding alone."""
_EFFECTS = {"encoder": "Encoder", "decoder": "Decoder", "task": "Task", "model": "Model"}
_TERMS = {OTHER_IMAGES: "Other images"}
_DECIMALS = {"map_change": 3}
PEOPLE_TERM = "people"
"""Term of findings about people's own maps."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a metric or measure is: name, unit, meaning, formula, and how many decimals are usual."""

    name: str
    unit: str
    meaning: str
    formula: str
    decimals: int


def measured(metric: str, preset: str = "") -> Measured:
    """Return what a metric or measure is; one that is not known is called by its id."""
    if metric in METRICS:
        facts = metric_facts(metric, preset)
        return Measured(facts.name, facts.unit, facts.meaning, facts.formula, digits(metric))
    plain = metric.removesuffix(MATCHED)
    if plain in MAP_MEASURES:
        measure = MAP_MEASURES[plain]
        matched = (
            "" if plain == metric else " Of maps of as many fixations as people made, drawn from the map."
        )
        return Measured(
            f"{measure.name}, matched" if matched else measure.name,
            measure.unit,
            measure.meaning + matched,
            measure.formula,
            2 if measure.unit == "bits" else 3,
        )
    if metric in OUTCOMES:
        outcome = OUTCOMES[metric]
        return Measured(outcome.name, outcome.unit, outcome.meaning, "", _DECIMALS.get(metric, 2))
    if metric.startswith(SCORE_DROP):
        scored = measured(metric.removeprefix(SCORE_DROP), preset)
        outcome = outcome_facts(metric, scored.name, scored.unit)
        return Measured(outcome.name, outcome.unit, outcome.meaning, "", scored.decimals)
    if metric in SCANPATH_MEASURES:
        path = SCANPATH_MEASURES[metric]
        return Measured(path.name, path.unit, path.meaning, path.formula, 1 if "%" in path.unit else 3)
    return Measured(metric.replace("_", " ").capitalize(), "", "", "", 3)


def value_text(value: float | None, metric: str, unit: str = "") -> str:
    """Return a number with the decimals usual for its metric; a share of the ceiling as ``84 %``."""
    if is_share(unit):
        return percent(value)
    return number(value, measured(metric).decimals)


def interval_text(low: float | None, high: float | None, metric: str, unit: str = "") -> str:
    """Return an interval with the decimals of :func:`value_text`."""
    return interval(low, high, 0 if is_share(unit) else measured(metric).decimals)


def with_unit(name: str, unit: str) -> str:
    """Return a name with its unit, such as ``DTW distance, % of the diagonal``."""
    return f"{name}, {unit}" if unit else name


def term_name(results: Results, term: str, kind: str = "") -> str:
    """Return what a term of a finding is called: a source, an effect, or as it is."""
    if term == PEOPLE_TERM:
        return PEOPLE
    source = results.source(term, kind)
    if source is not None:
        return source.name
    if " - " in term:
        return " − ".join(term_name(results, part) for part in term.split(" - "))
    if all(part in _EFFECTS for part in term.split(":")):
        first, *rest = (_EFFECTS[part] for part in term.split(":"))
        return " × ".join([first, *(part.lower() for part in rest)])
    return _TERMS.get(term, SOURCES.get(term, term))


def contrast_name(against: str) -> str:
    """Return what levels are compared, such as ``ViT − CNN``, or ``(ViT − CNN) × (Transformer − LSTM)``."""
    sides = [" − ".join(map(family_name, side.split(" - "))) for side in against.split(" : ")]
    return sides[0] if len(sides) == 1 else " × ".join(f"({side})" for side in sides)


def people_text(results: Results, n_images: int, n_subjects: int) -> str:
    """Return how many images and people a number rests on."""
    who = ("simulated observer", "") if results.simulated else ("person", "people")
    subjects = f", {count(n_subjects, *who)}" if n_subjects else ""
    return f"{count(n_images, 'image')}{subjects}" if n_images else subjects.removeprefix(", ")


def interval_words(method: str) -> str:
    """Return how an interval was made, in words."""
    return METHODS.get(method, method)


def finite(value: float | None) -> float | None:
    """Return a number, None for NaN and infinity."""
    return value if value is not None and math.isfinite(value) else None


def known(value: float | None) -> bool:
    """Return whether there is a number."""
    return finite(value) is not None


def captioned(results: Results, text: str) -> str:
    """Return a caption that says where observers are simulated."""
    return f"{text} {SIMULATED}".strip() if results.simulated else text


def is_clear(finding: Finding) -> bool:
    """Return whether test and interval both say that a number is not 0, as far as there are any."""
    p = finding.p_holm if known(finding.p_holm) else finding.p
    if known(p) and p >= ALPHA:
        return False
    within = known(finding.low) and known(finding.high) and finding.low <= 0 <= finding.high
    return not within and (known(p) or known(finding.low))


def is_same_everywhere(finding: Finding) -> bool:
    """Return whether the interval of a number has no width: it is the same on every image."""
    return (
        known(finding.low)
        and known(finding.high)
        and finding.n_images > 1
        and finding.high - finding.low <= _SAME * max(abs(finding.low), abs(finding.high), 1.0)
    )


def number_or_nan(value: float | None) -> float:
    """Return a number, NaN for None."""
    return float("nan") if value is None else value
