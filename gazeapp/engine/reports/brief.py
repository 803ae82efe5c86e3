"""The result of scoring in a few lines: what a terminal shows, and a script reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gazeapp.engine.project import Project, SummaryRow
from gazeapp.engine.reports.numbers import UNKNOWN, interval, listed, metric_value, percent
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.read import read_results, summary_of
from gazeapp.engine.scoring.facts import METRICS, is_lower_bound
from gazeapp.engine.types import Json

_BESIDE = ("centre_bias", "loso_mixture", "loso")
"""What stands beside the models: where people look anyway, and one person predicted from the others."""
# What changes the score of an image; its name in a sentence.
_SETTINGS = {
    "sigma": "blur",
    "sigma_unit": "unit of the blur",
    "px_per_deg": "px per degree",
    "transform": "map transform",
    "weighting": "weighting of fixations",
    "n_splits": "halvings",
    "seed": "seed",
    "max_side_px": "longest side",
    "formulas": "version of the formulas",
}


def brief_results(project: Project, preset: str, tasks: Collection[str]) -> list[Json]:
    """Return how the models did by the primary metric, task by task.

    Parameters
    ----------
    project
        The project.
    preset
        Metric conventions.
    tasks
        Names of the tasks to tell.

    Returns
    -------
    list of dict
        For each task ``task``, ``metric`` (id), ``name``, ``lower_bound`` (whether 100 % is a lower bound of the human
        ceiling), ``n_images`` (the largest) and ``sources``: models, known truths, the centre bias and one person
        predicted from the others, each with ``source``, ``name``, ``kind``, ``method``, ``n_images``, ``mean``,
        ``percent``, ``ci_low`` and ``ci_high`` (%, None where there is none).
    """
    results = read_results(project, preset, images=False)
    metric = results.primary
    found = []
    for task in results.tasks:
        if task not in tasks:
            continue
        rows = [
            (source, row)
            for source in results.sources
            if (source.kind in ("model", "truth") or source.id in _BESIDE)
            and (row := summary_of(results, source, task, metric)) is not None
        ]
        if rows:
            found.append(
                {
                    "task": task,
                    "metric": metric,
                    "name": METRICS[metric].name,
                    "lower_bound": any(
                        is_lower_bound(row.estimator) for _, row in rows if row.percent is not None
                    ),
                    "n_images": max(row.n_images for _, row in rows),
                    "sources": [_source(source, row) for source, row in rows],
                }
            )
    return found


def _source(source: SourceFacts, row: SummaryRow) -> Json:
    return {
        "source": source.id,
        "name": source.name,
        "kind": source.kind,
        "method": source.method,
        "n_images": row.n_images,
        "mean": row.mean,
        "percent": row.percent,
        "ci_low": row.ci_low,
        "ci_high": row.ci_high,
    }


def results_in_lines(results: Sequence[Json]) -> list[str]:
    """Return the results of :func:`brief_results` as lines of plain text in columns."""
    lines = []
    for task in results:
        share = any(source["percent"] is not None for source in task["sources"])
        mark = "lower bound of the human ceiling" if task["lower_bound"] else "human ceiling"
        of = f"; percent of the {mark}, 95 % interval" if share else ""
        lines.append(f"{task['task']}: {task['name']} over {_images(task['n_images'])}{of}")
        cells = [_cells(source, task, share) for source in task["sources"]]
        widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
        for name, *numbers, few in cells:
            columns = [f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=False)]
            lines.append("  ".join(["", f"{name:<{widths[0]}}", *columns, few]).rstrip())
    return lines


def _cells(source: Json, task: Json, share: bool) -> list[str]:
    few = f"({_images(source['n_images'])})" if source["n_images"] < task["n_images"] else ""
    cells = [source["name"], metric_value(source["mean"], task["metric"])]
    if share:
        cells += [percent(source["percent"]), interval(source["ci_low"], source["ci_high"])]
    return [plain(cell) for cell in [*cells, few]]


def plain(text: str) -> str:
    """Return a number's text for terminals, which may know neither a true minus, nor a long dash, nor a tied space."""
    return text.replace("\u2212", "-").replace(UNKNOWN, "-").replace("\u00a0", " ")


def _images(n: int) -> str:
    return f"{n} {'image' if n == 1 else 'images'}"


@dataclass(frozen=True)
class ShownScores:
    """Which scores of a preset are shown and exported: tasks, metrics, and what they were made with."""

    tasks: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)


def shown_scores(project: Project, preset: str) -> ShownScores:
    """Return which scores of a preset the project shows now."""
    rows = project.scores.summary(preset)
    if not rows:
        return ShownScores()
    settings = project.settings.get(max(row.settings_id for row in rows)).values
    scored = {row.metric for row in rows}
    tasks = dict.fromkeys(row.task for row in rows)
    return ShownScores(tuple(tasks), tuple(metric for metric in METRICS if metric in scored), settings)


def no_longer_shown(before: ShownScores, now: ShownScores) -> list[str]:
    """Return sentences about scores that were shown before and are not now, because the settings differ."""
    if not before.tasks or before.settings == now.settings:
        return []
    sentences = []
    gone = [METRICS[metric].name for metric in before.metrics if metric not in now.metrics]
    if gone:
        sentences.append(
            f"{listed(gone)} of the earlier settings {'stays' if len(gone) == 1 else 'stay'} in the file but "
            f"{'is' if len(gone) == 1 else 'are'} no longer shown or exported."
        )
    first, second = (str(shown.settings.get("primary", "")) for shown in (before, now))
    if first != second and first in METRICS and second in METRICS:
        sentences.append(f"The primary metric is {METRICS[second].name} now; it was {METRICS[first].name}.")
    # A setting that is not stored is none: older projects do not name what could not be chosen then.
    changes = {
        name: [shown.settings.get(key, "none") for shown in (before, now)] for key, name in _SETTINGS.items()
    }
    other = [f"{name} {first}, now {second}" for name, (first, second) in changes.items() if first != second]
    if other:
        sentences.append(
            f"Scores of the earlier settings ({'; '.join(other)}) stay in the file but are no longer shown or exported."
        )
    tasks = [task for task in before.tasks if task not in now.tasks]
    if tasks:
        sentences.append(
            f"{listed([repr(task) for task in tasks])} {'was' if len(tasks) == 1 else 'were'} scored with the earlier "
            "settings only, which are no longer shown or exported: score all tasks with the same settings."
        )
    return sentences
