"""Results and cautions as sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gazeapp.engine.reports.content import DataSet, ModelData, SourceRow, TaskResults, TaskScores
from gazeapp.engine.reports.numbers import count, digits, interval, listed, metric_value, p_value, percent
from gazeapp.engine.reports.scores import higher_is_better
from gazeapp.engine.scoring.facts import METRICS

_DOMAINS = {"demo-world": "drawn scenes of the demo world", "photograph": "photographs"}
_KINDS = {"vlm": "vision-language model", "imported": "maps made elsewhere", "truth": "known truth"}
_FAMILIES = {"cnn": "CNN", "vit": "ViT", "lstm": "LSTM", "transformer": "Transformer"}
_FORMATS = {"csv": "CSV\u00a0table", "eyelink-asc": "EyeLink\u00a0.asc"}


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
    return _FORMATS.get(format, format)


def key_results(scores: Sequence[TaskScores], primary: str) -> tuple[TaskResults, ...]:
    """Return what the scores say, a few sentences for each task."""
    found = [TaskResults(task.task, tuple(_task_results(task, primary))) for task in scores]
    return tuple(results for results in found if results.sentences)


def _task_results(task: TaskScores, primary: str) -> list[str]:
    k = next((i for i, metric in enumerate(task.metrics) if metric.id == primary), None)
    if k is None:
        return []
    models = _ranked(task, "model", k, primary)
    sentences = []
    if models:
        sentences.append(_leader(task, models[0], k, primary, alone=len(models) == 1))
    if len(models) > 1:
        others = [f"{row.name} {_share(row, k)}" for row in models[1:]]
        sentences.append(f"Next: {listed(others)}.")
        sentences += _lead(task, models[0].name, models[1].name, primary)
    sentences += _against_baseline(models, _ranked(task, "baseline", k, primary), k)
    sentences += _other_leaders(task, models, k)
    sentences += [
        f"The density that the simulated observers were drawn from reaches {_share(row, k)}; 100\u00a0% is "
        "expected, so this checks the scoring itself."
        for row in _ranked(task, "truth", k, primary)
    ]
    return sentences


def _leader(task: TaskScores, row: SourceRow, k: int, primary: str, *, alone: bool) -> str:
    cell, column = row.cells[k], task.metrics[k]
    assert cell is not None
    name = metric_name(primary)
    people = f"{count(task.n_subjects, 'subject')}, {count(cell.n_images, 'image')}"
    if cell.percent is None:
        return f"{row.name} scores {'' if alone else 'highest: '}{name} {metric_value(cell.mean, primary)} ({people})."
    return (
        f"{row.name} {'' if alone else 'comes closest to people: it '}reaches {_share(row, k)} of the human ceiling "
        f"({name} {metric_value(cell.mean, primary)} of {metric_value(column.ceiling, primary)}; {people})."
    )


def _lead(task: TaskScores, first: str, second: str, primary: str) -> list[str]:
    """Say how far the first model is ahead of the second, and whether the images can tell."""
    pair = next((pair for pair in task.pairs if {pair.first, pair.second} == {first, second}), None)
    if pair is None or not math.isfinite(pair.low):
        return []
    sign = 1.0 if pair.first == first else -1.0
    low, high = sorted((sign * pair.low, sign * pair.high))
    size = f"{metric_value(sign * pair.mean, primary)} {interval(low, high, digits(primary))}"
    p = f"p {p_value(pair.p_holm) if pair.p_holm < 0.001 else '= ' + p_value(pair.p_holm)}"
    if len(task.pairs) > 1:
        p += f", corrected for {len(task.pairs)} comparisons"
    if low <= 0 <= high or pair.p_holm >= 0.05:
        return [
            f"These images do not tell {first} and {second} apart: they differ by {size} {metric_name(primary)} ({p})."
        ]
    return [f"{first} is ahead of {second} by {size} {metric_name(primary)} ({p})."]


def _against_baseline(models: list[SourceRow], baselines: list[SourceRow], k: int) -> list[str]:
    centre = next((row for row in baselines if row.source == "centre_bias"), None)
    mark = centre.cells[k] if centre is not None else None
    if centre is None or mark is None or mark.percent is None:
        return []
    behind = [
        row.name
        for row in models
        if (cell := row.cells[k]) is not None and cell.percent is not None and cell.percent <= mark.percent
    ]
    text = f"The centre bias, which knows nothing of the image, reaches {_share(centre, k)}"
    if not models:
        return [f"{text}."]
    if not behind:
        return [f"{text}; {'every model' if len(models) > 1 else models[0].name} is above it."]
    if len(behind) == len(models) > 1:
        return [f"{text}; no model is above it."]
    return [f"{text}; {listed(behind)} {'is' if len(behind) == 1 else 'are'} not above it."]


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
    rows = [row for row in task.rows if row.kind == kind and _mean(row, k) is not None]
    return sorted(rows, key=lambda row: _mean(row, k) or 0.0, reverse=higher_is_better(metric))


def _mean(row: SourceRow, k: int) -> float | None:
    cell = row.cells[k]
    return cell.mean if cell is not None else None


def _share(row: SourceRow, k: int) -> str:
    cell = row.cells[k]
    assert cell is not None
    return f"{percent(cell.percent)} {interval(cell.low, cell.high)}".strip()


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
    few = [task for task in scores if 0 < task.n_images < 10]
    found += [
        f"Task {task.task} has only {count(task.n_images, 'image')}: its intervals are rough." for task in few
    ]
    return tuple(found)


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
