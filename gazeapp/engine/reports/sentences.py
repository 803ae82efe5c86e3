"""Results and cautions as sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gazeapp.engine.gaze.formats import FORMATS
from gazeapp.engine.models.given import is_given
from gazeapp.engine.reports.content import (
    Cell,
    DataSet,
    ModelData,
    PairRow,
    SourceRow,
    TaskResults,
    TaskScores,
)
from gazeapp.engine.reports.numbers import count, digits, interval, listed, metric_value, p_value, percent
from gazeapp.engine.reports.scores import higher_is_better, standing
from gazeapp.engine.scoring.facts import METRICS, is_lower_bound
from gazeapp.engine.scoring.statistics.two_way import MIN_IMAGES

ALPHA = 0.05
"""Level of the tests, of p values corrected for their number."""
_FEW_IMAGES = 10
"""Images below which intervals are said to be rough."""
_DOMAINS = {"demo-world": "drawn scenes of the demo world", "photograph": "photographs"}
_KINDS = {
    "vlm": "vision-language model",
    "runner": "model in a program of its own",
    "imported": "maps made elsewhere",
    "truth": "known truth",
}
_FAMILIES = {"cnn": "CNN", "vit": "ViT", "lstm": "LSTM", "transformer": "Transformer"}


def metric_name(metric: str) -> str:
    """Return the name of a metric to show."""
    return METRICS[metric].name if metric in METRICS else metric


def domain_name(domain: str) -> str:
    """Return what images of an origin, or a model's training images, are called."""
    return _DOMAINS.get(domain, domain)


def model_kind(kind: str) -> str:
    """Return what a kind of model is called."""
    return _KINDS.get(kind, kind)


def family_name(family: str) -> str:
    """Return the name of an encoder's or decoder's family to show."""
    return _FAMILIES.get(family, family)


def format_name(format: str) -> str:
    """Return the name of a recording's format to show."""
    return FORMATS[format].name if format in FORMATS else format


def key_results(scores: Sequence[TaskScores], primary: str) -> tuple[TaskResults, ...]:
    """Return what the scores say, a few sentences for each task."""
    found = [TaskResults(task.task, tuple(_task_results(task, primary))) for task in scores]
    return tuple(results for results in found if results.sentences)


def _task_results(task: TaskScores, primary: str) -> list[str]:
    k = next((i for i, metric in enumerate(task.metrics) if metric.id == primary), None)
    if k is None:
        return []
    models, given = _ranked_models(task, k, primary)
    baselines = _ranked(task, "baseline", k, primary)
    centre = next((row for row in baselines if row.source == "centre_bias"), None)
    tested = _against_centre(task, models, primary) if centre is not None else {}
    none_above = bool(models) and len(tested) == len(models) and "above" not in tested.values()
    sentences = []
    if centre is not None and none_above:
        sentences.append(_none_above(task, tested, centre, k, primary))
    if models:
        sentences.append(_leader(task, models, k, primary, behind=none_above))
    if len(models) > 1:
        others = [f"{row.name} {_short(row, k, primary)}" for row in models[1:]]
        sentences.append(f"Next: {listed(others)}.")
        sentences += _lead(task, models, primary)
    if centre is not None and not none_above:
        sentences.append(_standing_to_centre(task, tested, centre, k, primary))
    sentences += _along_given(task, given, centre, k, primary)
    sentences += _different_images([*models, *given, *baselines], k)
    sentences += _other_leaders(task, models, k)
    sentences += [
        f"The density that the simulated observers were drawn from reaches {_short(row, k, primary)}; 100\u00a0% is "
        "expected, so this checks the scoring itself."
        for row in _ranked(task, "truth", k, primary)
    ]
    return sentences


def _along_given(
    task: TaskScores, given: list[SourceRow], centre: SourceRow | None, k: int, primary: str
) -> list[str]:
    """Say how maps along captions that the models did not choose stand, apart from the others."""
    if not given:
        return []
    first, *rest = given
    sentences = [f"{first.name} {_reach(task, first, k, primary)}."]
    if rest:
        others = [f"{row.name} {_short(row, k, primary)}" for row in rest]
        sentences += [f"Next of those along given captions: {listed(others)}.", *_lead(task, given, primary)]
    tested = _against_centre(task, given, primary)
    if centre is not None and tested:
        sentences.append(f"As for the centre bias, {_stand(tested)}.")
    return ["Maps along given captions are compared with one another only.", *sentences]


def _leader(task: TaskScores, models: list[SourceRow], k: int, primary: str, *, behind: bool) -> str:
    """Say how the best model stands; ``behind``: the sentence before said that none is above the centre bias."""
    row = models[0]
    if len(models) == 1:
        return f"{row.name} {_reach(task, row, k, primary)}."
    if behind:
        return f"The best of the models, {row.name}, {_reach(task, row, k, primary)}."
    if _cell(row, k).percent is None:
        return f"{row.name} is first of the models: it {_reach(task, row, k, primary)}."
    return f"{row.name} comes closest to people: it {_reach(task, row, k, primary)}."


def _against_centre(task: TaskScores, models: list[SourceRow], metric: str) -> dict[str, str]:
    """Return for each model that was tested against the centre bias how it stands: above, below or unclear."""
    better = 1.0 if higher_is_better(metric) else -1.0
    stands = {
        pair.first: "unclear" if not _is_clear(pair) else "above" if better * pair.mean > 0 else "below"
        for pair in task.against_centre
    }
    return {row.name: stands[row.name] for row in models if row.name in stands}


def _is_clear(pair: PairRow) -> bool:
    """Return whether the interval leaves out 0 and the corrected p is small."""
    return pair.p_holm < ALPHA and not pair.low <= 0 <= pair.high


def _none_above(task: TaskScores, tested: Mapping[str, str], centre: SourceRow, k: int, primary: str) -> str:
    knows = f"which knows nothing of the image and {_centre_reach(task, centre, k, primary)}"
    if len(tested) > 1:
        return f"No model is clearly above the centre bias, {knows}: {_stand(tested)}."
    [(name, stands)] = tested.items()
    verb = "is below" if stands == "below" else "does not differ clearly from"
    return f"{name} {verb} the centre bias, {knows}."


def _stand(tested: Mapping[str, str]) -> str:
    """Say of each model how it stands to the centre bias, called it."""
    names = {
        how: [name for name, own in tested.items() if own == how] for how in ("above", "below", "unclear")
    }
    parts = [
        f"{listed(names[how])} {'is' if len(names[how]) == 1 else 'are'} {how} it"
        for how in ("above", "below")
        if names[how]
    ]
    if names["unclear"]:
        do = "does" if len(names["unclear"]) == 1 else "do"
        parts.append(f"{listed(names['unclear'])} {do} not differ clearly from it")
    *first, last = parts
    return f"{', '.join(first)}, and {last}" if first else last


def _centre_reach(task: TaskScores, centre: SourceRow, k: int, primary: str) -> str:
    """Say what the centre bias scores."""
    if primary == "ig":
        return "is the zero of information gain by definition"
    return _reach(task, centre, k, primary)


def _reach(task: TaskScores, row: SourceRow, k: int, primary: str) -> str:
    """Say what a source scores, with its share of the ceiling over its own images."""
    cell, name = _cell(row, k), metric_name(primary)
    people = f"{count(task.n_subjects, 'person', 'people')}, {count(cell.n_images, 'image')}"
    mean = metric_value(cell.mean, primary)
    if cell.percent is None:
        return f"scores {name} {mean} ({people}; there is no human ceiling to hold it against)"
    return (
        f"reaches {_share(row, k)} of {_ceiling_name(task, k)} "
        f"({name} {mean} of {metric_value(cell.ceiling, primary)}; {people})"
    )


def _ceiling_name(task: TaskScores, k: int) -> str:
    bound = "the lower bound of " if is_lower_bound(task.metrics[k].estimator) else ""
    return f"{bound}the human ceiling"


def _lead(task: TaskScores, models: Sequence[SourceRow], primary: str) -> list[str]:
    """Say how far the first of some models is ahead of the second, and whether the images can tell."""
    first, second, *_ = names = [row.name for row in models]
    pair = next((pair for pair in task.pairs if {pair.first, pair.second} == {first, second}), None)
    if pair is None or not math.isfinite(pair.low):
        return []
    sign = 1.0 if pair.first == first else -1.0
    low, high = sorted((sign * pair.low, sign * pair.high))
    size = f"{metric_value(sign * pair.mean, primary)} {interval(low, high, digits(primary))}"
    p = f"p {p_value(pair.p_holm) if pair.p_holm < 0.001 else '= ' + p_value(pair.p_holm)}"
    n_pairs = sum(pair.first in names for pair in task.pairs)
    if n_pairs > 1:
        p += f", corrected for {n_pairs} comparisons"
    unit = METRICS[primary].unit if primary in METRICS else ""
    of = f"{unit} ({metric_name(primary)}; {p})" if unit else f"{metric_name(primary)} ({p})"
    if not _is_clear(pair):
        return [f"{first} and {second} do not differ clearly on these images: {size} {of}."]
    if high < 0:
        size = f"{metric_value(-sign * pair.mean, primary)} {interval(-high, -low, digits(primary))}"
        first, second = f"On the {count(pair.n_images, 'image')} of both, {second}", first
    return [f"{first} is ahead of {second} by {size} {of}."]


def _standing_to_centre(
    task: TaskScores, tested: Mapping[str, str], centre: SourceRow, k: int, primary: str
) -> str:
    text = "The centre bias, which knows nothing of the image,"
    if not tested:
        return f"{text} {_centre_reach(task, centre, k, primary)}."
    reach = (
        f"reaches {_short(centre, k, primary)}"
        if primary != "ig"
        else _centre_reach(task, centre, k, primary)
    )
    if len(tested) > 1 and set(tested.values()) == {"above"}:
        return f"{text} {reach}; every model is above it."
    return f"{text} {reach}; {_stand(tested)}."


def _different_images(rows: list[SourceRow], k: int) -> list[str]:
    """Say which sources were scored on how many images, where these differ."""
    by_number: dict[int, list[str]] = {}
    for row in rows:
        by_number.setdefault(_cell(row, k).n_images, []).append(row.name)
    if len(by_number) < 2:
        return []
    parts = [f"{listed(names)} on {count(n, 'image')}" for n, names in sorted(by_number.items())]
    return [
        f"Not all were scored on the same images: {'; '.join(parts)}. Each is held against the ceiling of its own "
        "images."
    ]


def _other_leaders(task: TaskScores, models: list[SourceRow], k: int) -> list[str]:
    """Say whether the other metrics agree on which model comes first."""
    if len(models) < 2:
        return []
    same, different = [], []
    for i, metric in enumerate(task.metrics):
        best = next((row for row in models if (cell := row.cells[i]) is not None and cell.best), None)
        if i == k or best is None:
            continue
        if best is models[0]:
            same.append(metric_name(metric.id))
        else:
            different.append(f"{best.name} by {metric_name(metric.id)}")
    if different:
        return [f"The metrics do not all agree on the first place: it goes to {listed(different)}."]
    return [f"{models[0].name} is also first by {listed(same)}."] if same else []


def _ranked(task: TaskScores, kind: str, k: int, metric: str) -> list[SourceRow]:
    rows = [row for row in task.rows if row.kind == kind and _has_mean(row.cells[k])]
    return sorted(rows, key=lambda row: standing(_cell(row, k), metric), reverse=True)


def _ranked_models(task: TaskScores, k: int, metric: str) -> tuple[list[SourceRow], list[SourceRow]]:
    """Return the models by their maps along words of their own, and by those along given captions."""
    rows = _ranked(task, "model", k, metric)
    return [row for row in rows if not is_given(row.method)], [row for row in rows if is_given(row.method)]


def _has_mean(cell: Cell | None) -> bool:
    return cell is not None and cell.mean is not None


def _cell(row: SourceRow, k: int) -> Cell:
    cell = row.cells[k]
    assert cell is not None
    return cell


def _short(row: SourceRow, k: int, primary: str) -> str:
    return _share(row, k) or f"{metric_name(primary)} {metric_value(_cell(row, k).mean, primary)}"


def _share(row: SourceRow, k: int) -> str:
    """Return the percentage with its interval; empty where there is none."""
    cell = _cell(row, k)
    return (
        f"{percent(cell.percent)} {interval(cell.low, cell.high)}".strip() if cell.percent is not None else ""
    )


def notes(data: DataSet, models: Sequence[ModelData], scores: Sequence[TaskScores]) -> tuple[str, ...]:
    """Return what a reader has to know before believing the numbers."""
    found = [*_outside(data, models), *_stand_ins(models)]
    if not data.images:
        found.append("The project has no images yet, so there is nothing to compare.")
    elif not data.n_kept:
        read = f"{count(data.n_read, 'fixation')} read, but none" if data.n_read else "No fixation"
        found.append(f"{read} lies on an image of the project, so there is no human map to compare with.")
    elif not scores:
        found.append(
            "Nothing has been scored by this preset yet: run gazeapp score, then write the report again."
        )
    found += [_few_images(task) for task in scores if 0 < task.n_images < _FEW_IMAGES]
    return tuple(found)


def _few_images(task: TaskScores) -> str:
    cost = "too few for intervals" if task.n_images < MIN_IMAGES else "its intervals are rough"
    return f"Task {task.task} has only {count(task.n_images, 'image')}: {cost}."


def _outside(data: DataSet, models: Sequence[ModelData]) -> list[str]:
    found = []
    for domain in dict.fromkeys(model.domain for model in models if model.n_outside):
        own = [model for model in models if model.domain == domain and model.n_outside]
        n = max(model.n_outside for model in own)
        kinds = listed([domain_name(origin) for origin, _ in data.origins if origin != domain])
        found.append(
            f"{n:,} of {count(len(data.images), 'image')} are {kinds}, but {listed([m.name for m in own])} "
            f"{'was' if len(own) == 1 else 'were'} trained on {domain_name(domain)} only. These captions and maps "
            "show what such a model does outside its training; they are no evidence about its architecture."
        )
    return found


def _stand_ins(models: Sequence[ModelData]) -> list[str]:
    pairs: dict[tuple[str, str], list[str]] = {}
    for model in models:
        for pair in model.stand_ins:
            pairs.setdefault(pair, []).append(model.name)
    return [
        f"{listed(names)} {'does' if len(names) == 1 else 'do'} not know the task {task} and "
        f"{'was' if len(names) == 1 else 'were'} given the task {given} in its place."
        for (task, given), names in pairs.items()
    ]
