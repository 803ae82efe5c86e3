"""Score a study and measure its maps, in one go: what *Score* in the window and on the command line does."""

from __future__ import annotations

from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import Progress, Stage, Summary
from gazeapp.engine.workflows.lesion_findings import assess
from gazeapp.engine.workflows.measure import MeasureSettings, measure
from gazeapp.engine.workflows.score import ScoreSettings, score


def evaluate(project: Project, settings: ScoreSettings, progress: Progress) -> Summary:
    """Score all maps against people, measure what the maps are like, and what lesions change in the scores.

    Returns
    -------
    Summary
        That of :func:`~gazeapp.engine.workflows.score.score`, with the units, problems and time of both;
        ``details`` has that of the second under ``measured``.

    Raises
    ------
    GazeError
        As :func:`~gazeapp.engine.workflows.score.score` does.
    """
    scored = score(project, settings, Stage(progress, "scoring"))
    if scored.cancelled:
        return scored
    how = MeasureSettings(n_bootstrap=settings.n_bootstrap, seed=settings.seed, threads=settings.threads)
    measured = measure(project, how, Stage(progress, "measuring maps"))
    if not measured.cancelled:
        assess(project, Stage(progress, "what lesions changed"))
    return Summary(
        verb=scored.verb,
        done=scored.done,
        skipped=scored.skipped,
        failed=scored.failed + measured.failed,
        cancelled=measured.cancelled,
        seconds=scored.seconds + measured.seconds,
        problems=(*scored.problems, *measured.problems),
        details={**scored.details, "measured": measured.as_json()},
    )
