"""What the neural panel does off the GUI thread, and what it shows where what is asked for is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.reports.results.neural import NeuralResults, with_region
from gazeapp.engine.reports.results.neural_measures import NeuralAsked
from gazeapp.engine.reports.results.neural_read import NeuralRead
from gazeapp.engine.types import IntArray

if TYPE_CHECKING:
    from gazeapp.engine.project import Project


def read_work(preset: str, name: str, atlas: str) -> Callable[[Any, Any], NeuralRead]:
    """Return the work of reading what was found of responses."""

    def work(project: Project, _progress: Any) -> NeuralRead:
        from gazeapp.engine.workflows.neural_results import read_neural

        return read_neural(project, preset, name, atlas)

    return work


def own_names(project: Project, _progress: Any) -> tuple[str, ...]:
    """Return the names of the user's own regions."""
    from gazeapp.engine.workflows.regions import OWN

    there = OWN in (row.name for row in project.atlases.all())
    return tuple(region.name for region in project.atlases.get(OWN).regions) if there else ()


def keep_work(name: str, vertices: IntArray, *, replaces: bool) -> Callable[[Any, Any], str]:
    """Return the work of storing a region of one's own; its result is the name.

    Only where ``replaces`` is true one of that name may be there.
    """

    def work(project: Project, progress: Any) -> str:
        from gazeapp.engine.workflows.regions import put_own_region

        if not replaces and name in own_names(project, progress):
            raise GazeError(f"There is an own region called “{name}” already.", todo="Choose another name.")
        put_own_region(project, name, vertices)
        return name

    return work


def settled(results: NeuralResults | None, asked: NeuralAsked) -> NeuralAsked:
    """Return what is asked for as far as there is that, else what comes nearest; no region where nothing is there."""
    if results is None or asked.task not in results.tasks:
        return replace(asked, region="")
    subject = asked.subject if asked.subject in results.subjects else next(iter(results.subjects), "")
    measures = [one.id for one in results.measures(asked.task, subject)]
    if not measures:
        return replace(asked, region="")
    made = replace(
        asked,
        subject=subject,
        measure=asked.measure if asked.measure in measures else measures[0],
        groups=asked.groups and results.has_groups,
    )
    against = results.held_against(made)
    made = replace(made, against=made.against if made.against in against else next(iter(against), ""))
    corrections = results.corrections(made)
    if corrections and made.correction not in corrections:
        made = replace(made, correction=corrections[0])
    return with_region(results, made)
