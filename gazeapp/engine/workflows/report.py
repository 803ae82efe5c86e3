"""Write the report of a study."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import ProblemRow, Project
from gazeapp.engine.reports.content import Gallery
from gazeapp.engine.reports.gallery import gallery, gallery_row, plan_galleries
from gazeapp.engine.reports.gather import current_scores, gather
from gazeapp.engine.reports.numbers import count, listed
from gazeapp.engine.reports.render import write
from gazeapp.engine.scoring.presets import preset as preset_of
from gazeapp.engine.workflows.base import Progress, Summary
from gazeapp.engine.workflows.score_state import tell_outdated

VERB = "report"
_NAMED = 3
"""Missing pictures that are named; the rest are counted."""


@dataclass(frozen=True)
class ReportSettings:
    """What to write, and where.

    Parameters
    ----------
    output
        The HTML file.
    preset
        Metric conventions whose scores are shown.
    n_examples
        Images in the gallery of each task: the better half of them best, the other worst.
    """

    output: str
    preset: str = "tuebingen"
    n_examples: int = 6


def report(project: Project, settings: ReportSettings, progress: Progress) -> Summary:
    """Write the report of a project as one self-contained HTML file.

    One unit is one image of the gallery, and the file itself. An image whose file is missing is left
    out and named in the report, and counts as failed; each reason becomes one problem. Nothing is written
    when the user cancels.

    Returns
    -------
    Summary
        ``details`` has ``output`` and ``bytes``.

    Raises
    ------
    GazeError
        If the preset is unknown, the name does not end in .html, or the file cannot be written.
    """
    started = time.perf_counter()
    path = _checked(settings.output)
    preset_of(settings.preset)
    older = tell_outdated(project)
    content = gather(project, settings.preset, settings.output)
    plans = plan_galleries(
        content.scores,
        current_scores(project, settings.preset, content.methods.primary),
        content.models,
        content.methods.primary,
        settings.n_examples,
    )
    total = sum(len(plan.choices) for plan in plans) + 1
    done = 0
    missing: list[GazeError] = []
    galleries: list[Gallery] = []
    for plan in plans:
        rows = []
        for choice in plan.choices:
            progress.report(
                done + len(missing), total, f"pictures of {project.images.get(choice.image_id).name}"
            )
            if progress.cancelled:
                return Summary(VERB, done, 0, len(missing), True, time.perf_counter() - started)
            try:
                rows.append(gallery_row(project, plan, choice, content.models))
                done += 1
            except GazeError as error:
                missing.append(error)
        galleries.append(gallery(plan, rows))
    without = _without_pictures(missing, path)
    stale = tuple(f"{row.what} {row.todo}" for row in older)
    notes = tuple(f"{error.what} {error.todo}".strip() for error in without)
    size = write(replace(content, galleries=tuple(galleries), notes=stale + content.notes + notes), path)
    problems = (*older, *_store(project, without))
    progress.report(total, total, path.name)
    return Summary(
        VERB,
        done + 1,
        0,
        len(missing),
        False,
        time.perf_counter() - started,
        problems,
        {"output": str(path), "bytes": size},
    )


def _checked(output: str) -> Path:
    path = Path(output)
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        raise GazeError(
            "Reports are written as HTML so far, not as PDF.",
            where=str(path),
            todo="Give a name that ends in .html; a browser can print it to PDF.",
        )
    if suffix not in (".html", ".htm"):
        raise GazeError("A report is an HTML file.", where=str(path), todo="Give a name that ends in .html.")
    return path


def _without_pictures(errors: list[GazeError], path: Path) -> list[GazeError]:
    """Return one error for each reason why pictures are missing; they are named without their folders."""
    files: dict[tuple[str, str], dict[str, None]] = {}
    for error in errors:
        files.setdefault((error.what, error.todo), {})[PurePath(error.where).name] = None
    return [
        GazeError(
            f"The report was written without {count(len(names), 'picture')} ({_some(list(names))}). {what}",
            where=str(path),
            todo=todo,
        )
        for (what, todo), names in files.items()
    ]


def _some(names: list[str]) -> str:
    rest = len(names) - _NAMED
    return listed(names if rest <= 1 else [*names[:_NAMED], f"{rest} more"])


def _store(project: Project, errors: list[GazeError]) -> Iterator[ProblemRow]:
    """Replace the problems of earlier reports by those of this one."""
    if not project.read_only:
        project.problems.clear(VERB)
    for error in errors:
        if project.read_only:
            yield ProblemRow(0, VERB, error.where, error.what, error.todo, "")
        else:
            yield project.problems.add(VERB, error.where, error.what, error.todo)
