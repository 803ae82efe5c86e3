"""Write the report of a study."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import TypeVar

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.project import ProblemRow, Project
from gazeapp.engine.reports.gallery import gallery, gallery_row, plan_galleries
from gazeapp.engine.reports.gather import current_scores, gather
from gazeapp.engine.reports.neglect.examples import example, mask_picture, most_changed
from gazeapp.engine.reports.neglect.words import lesion_name
from gazeapp.engine.reports.numbers import count, listed
from gazeapp.engine.reports.render import write
from gazeapp.engine.scoring.presets import preset as preset_of
from gazeapp.engine.workflows.base import Progress, Summary
from gazeapp.engine.workflows.lesion_results import older_lesions
from gazeapp.engine.workflows.masks import mask_for
from gazeapp.engine.workflows.neural_report import (
    cortex_plans,
    gather_neural,
    read_all,
    vertex_maps,
    with_cortexes,
)
from gazeapp.engine.workflows.score_state import tell_outdated

VERB = "report"
_Drawn = TypeVar("_Drawn")
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

    One unit is one image of the gallery, one mask or example of a lesion, one picture of the cortex, and the file
    itself. An image whose file is missing is left out and named in the report, and counts as failed; each reason
    becomes one problem. Nothing is written when the user cancels.

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
    neglect = content.neglect
    drawn = [mask for mask in neglect.masks if not mask.is_gone] if neglect else []
    lesions = [row for row in project.lesions.all() if row.key.mask in {mask.name for mask in drawn}]
    changed = most_changed(lesions, settings.n_examples)
    reads = read_all(project, settings.preset)
    neural = gather_neural(project, reads)
    cortexes = cortex_plans(list(vertex_maps(project, reads)))
    n_pictures = sum(len(plan.choices) for plan in plans) + len(changed) + len(drawn) + len(cortexes)
    drawing = _Drawing(progress, n_pictures + 1)
    mask_of = partial(mask_for, project)
    try:
        galleries = [
            gallery(
                plan,
                drawing.all(
                    (
                        project.images.get(choice.image_id).name,
                        partial(gallery_row, project, plan, choice, content.models),
                    )
                    for choice in plan.choices
                ),
            )
            for plan in plans
        ]
        if neglect is not None:
            pictures = {
                mask.name: drawing.of(
                    f"mask {mask.name}", partial(mask_picture, project, mask, lesions, mask_of)
                )
                for mask in drawn
            }
            masks = [replace(mask, picture=pictures.get(mask.name)) for mask in neglect.masks]
            examples = drawing.all(
                (lesion_name(row.key), partial(example, project, row, mask_of, content.models))
                for row in changed
            )
            cautions = (*older_lesions(project), *neglect.cautions)
            neglect = replace(neglect, masks=tuple(masks), examples=tuple(examples), cautions=cautions)
        if neural is not None:
            pictures_of = [
                (one, drawing.of(f"the cortex, {one.source.name}", make)) for one, make in cortexes
            ]
            neural = with_cortexes(
                neural, [(one, picture) for one, picture in pictures_of if picture is not None]
            )
    except StoppedError:
        return Summary(VERB, drawing.done, 0, len(drawing.missing), True, time.perf_counter() - started)
    without = _without_pictures(drawing.missing, path)
    stale = tuple(f"{row.what} {row.todo}" for row in older)
    notes = tuple(f"{error.what} {error.todo}".strip() for error in without)
    whole = replace(
        content,
        neglect=neglect,
        neural=neural,
        galleries=tuple(galleries),
        notes=stale + content.notes + notes,
    )
    size = write(whole, path)
    problems = (*older, *_store(project, without))
    progress.report(n_pictures + 1, n_pictures + 1, path.name)
    return Summary(
        VERB,
        drawing.done + 1,
        0,
        len(drawing.missing),
        False,
        time.perf_counter() - started,
        problems,
        {"output": str(path), "bytes": size},
    )


class _Drawing:
    """Draws the pictures of a report one by one; one that cannot be drawn is left out, the others go on."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.done = 0
        self.missing: list[GazeError] = []
        self._progress = progress
        self._total = total

    def of(self, name: str, make: Callable[[], _Drawn]) -> _Drawn | None:
        """Return what is drawn, None where it cannot be.

        Raises
        ------
        StoppedError
            When the user cancelled.
        """
        self._progress.report(self.done + len(self.missing), self._total, f"pictures of {name}")
        if self._progress.cancelled:
            raise StoppedError
        try:
            drawn = make()
        except GazeError as error:
            self.missing.append(GazeError(error.what, where=error.where or name, todo=error.todo))
            return None
        self.done += 1
        return drawn

    def all(self, wanted: Iterable[tuple[str, Callable[[], _Drawn]]]) -> list[_Drawn]:
        """Return what can be drawn of (name, how to draw it)."""
        return [drawn for name, make in wanted if (drawn := self.of(name, make)) is not None]


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
