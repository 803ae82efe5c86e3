"""Differences between sources, and whether these depend on the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gazeapp.engine.reports.numbers import is_share
from gazeapp.engine.reports.results.data import Figure, Line, Results, ResultTable
from gazeapp.engine.reports.results.findings import Name, Words, finding_table, row_axes
from gazeapp.engine.reports.results.words import (
    CLEAR,
    captioned,
    contrast_name,
    measured,
    term_name,
    with_unit,
)
from gazeapp.engine.scoring.findings import DIFFERENCE, MODEL_TASK, Finding

_TESTED = (
    "p: sign-flip permutation test over images, two-sided; Holm: corrected for the comparisons of one metric and "
    f"task. d_z: mean of the paired differences / their standard deviation over images. {CLEAR}"
)


def difference_table(
    results: Results, task: str | None = None, metric: str | None = None
) -> ResultTable | None:
    """Return the paired differences between sources, None without any."""
    found = results.of(DIFFERENCE, task, metric)
    if not found:
        return None
    by = f", {measured(metric, results.preset).name}" if metric else ""
    words = Words(
        "differences",
        f"Differences between models{by}",
        "First − second",
        f"Differences on the same images, with 95 % intervals. {_TESTED}",
    )
    return finding_table(results, found, words)


def difference_figure(results: Results, metric: str, task: str | None = None) -> Figure | None:
    """Return the paired differences by one metric as points with intervals, one plot for each task."""
    own = [finding for finding in results.of(DIFFERENCE, task, metric) if not is_share(finding.unit)]
    by_task: dict[str, list[Finding]] = {}
    for finding in own:
        by_task.setdefault(f"Task {finding.task}", []).append(finding)
    return _figure(
        results,
        by_task,
        f"differences_{metric}",
        f"Differences between models, {measured(metric, results.preset).name}",
        "Mean difference between two sources on the same images with its 95 % interval; the two "
        "differ clearly where it does not touch the line at 0 and the corrected p of the table is below 0.05.",
    )


def model_task_table(results: Results, metric: str | None = None) -> ResultTable | None:
    """Return how scores change between tasks, and how these changes differ between models; None without any."""
    found = results.of(MODEL_TASK, None, metric)
    if not found:
        return None
    by = f", {measured(metric, results.preset).name}" if metric else ""
    words = Words(
        "model_task",
        f"Models and tasks{by}",
        "Model: tasks",
        "Score under the first task − under the second, on images of both; for two models, how much this differs "
        f"between them. 95 % intervals. {_TESTED}",
    )
    return finding_table(results, found, words)


def model_task_figure(results: Results, metric: str) -> Figure | None:
    """Return how the scores by one metric change between tasks: of each model, and between models."""
    own = [finding for finding in results.of(MODEL_TASK, None, metric) if not is_share(finding.unit)]
    tasks = {contrast_name(finding.against) for finding in own}
    of_tasks = f", {tasks.pop()}" if len(tasks) == 1 else ""
    plots = {
        f"Each model{of_tasks}": [finding for finding in own if not is_pair(finding)],
        f"Between models{of_tasks}": [finding for finding in own if is_pair(finding)],
    }
    return _figure(
        results,
        {title: found for title, found in plots.items() if found},
        f"model_task_{metric}",
        f"Models and tasks, {measured(metric, results.preset).name}",
        "Score under the first task minus score under the second, on images that both tasks have, and how much this "
        "differs between two models, with 95 % intervals.",
        (lambda finding: term_name(results, finding.term)) if of_tasks else None,
    )


def is_pair(finding: Finding) -> bool:
    """Return whether a finding about models and tasks compares two models."""
    return " - " in finding.term


def _figure(
    results: Results,
    plots: Mapping[str, Sequence[Finding]],
    id: str,
    title: str,
    caption: str,
    called: Name | None = None,
) -> Figure | None:
    if not plots:
        return None
    about = measured(next(iter(plots.values()))[0].metric, results.preset)
    return Figure(
        id=id,
        title=title,
        caption=captioned(results, caption),
        axes=tuple(
            row_axes(
                results,
                found,
                title=name,
                label=f"Difference in {with_unit(about.name, about.unit)}",
                lines=(Line(0.0, "no difference", dashed=False),),
                name=called,
            )
            for name, found in plots.items()
        ),
        simulated=results.simulated,
    )
