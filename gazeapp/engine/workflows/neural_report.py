"""Read what a report and an export say of brain responses, and draw their pictures of the cortex."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import Atlas
from gazeapp.engine.neural.surface.colouring import Colouring
from gazeapp.engine.project import Project
from gazeapp.engine.reports.neural.cortex import cortex_colouring, cortex_drawn
from gazeapp.engine.reports.neural.data import Drawn, NeuralData, NeuralPart, NeuralTask
from gazeapp.engine.reports.neural.gather import neural_data
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.neural_read import NeuralRead
from gazeapp.engine.types import FloatArray
from gazeapp.engine.workflows.encode_atlas import SEPARATE_SUFFIX, TABLE
from gazeapp.engine.workflows.neural_results import read_neural
from gazeapp.engine.workflows.regions import atlas_for


@dataclass(frozen=True)
class VertexMap:
    """How well each vertex is predicted from the maps of one source under one task, for the mean over subjects."""

    responses: str
    simulated: bool
    task: str
    source: SourceFacts
    values: FloatArray


def read_all(project: Project, preset: str) -> list[NeuralRead]:
    """Return what was read of each set of responses, with the atlas that was used last."""
    return [read_neural(project, preset, row.name) for row in project.responses.all()]


def used_atlases(project: Project) -> dict[str, Atlas]:
    """Return the atlases that were used, by the name under which results are stored, without those that are gone."""
    found = {}
    for row in project.responses.all():
        for key in project.encodings.atlases(row.name):
            if key != TABLE and key not in found:
                try:
                    found[key] = atlas_for(project, key.removesuffix(SEPARATE_SUFFIX))
                except GazeError:
                    continue
    return found


def gather_neural(project: Project, reads: list[NeuralRead]) -> NeuralData | None:
    """Return what the report says of brain responses, without pictures of the cortex."""
    return neural_data(project, reads, used_atlases(project))


def vertex_maps(project: Project, reads: list[NeuralRead]) -> Iterator[VertexMap]:
    """Yield how well vertices are predicted, of each source and task that has it, people before models."""
    for read in reads:
        if read.results is None:
            continue
        for task in read.results.tasks:
            for source in read.results.sources:
                values = project.encodings.vertex_map(read.name, "", task, source.kind, source.id)
                if values is not None:
                    yield VertexMap(read.name, read.results.simulated, task, source, values)


def colours_of(maps: list[VertexMap]) -> dict[str, Colouring]:
    """Return name of responses -> colours of all maps of them."""
    names = dict.fromkeys(one.responses for one in maps)
    return {name: cortex_colouring([one.values for one in maps if one.responses == name]) for name in names}


def cortex_plans(maps: list[VertexMap]) -> list[tuple[VertexMap, Callable[[], Drawn]]]:
    """Return how to draw each map; all of one set of responses are on one scale."""
    colours = colours_of(maps)
    return [
        (one, partial(cortex_drawn, one.values, colours[one.responses], one.source.name, one.simulated))
        for one in maps
    ]


def with_cortexes(data: NeuralData, drawn: list[tuple[VertexMap, Drawn]]) -> NeuralData:
    """Return the same with pictures of the cortex in their places."""
    colours = colours_of([one for one, _ in drawn])

    def of_task(part: NeuralPart, task: NeuralTask) -> NeuralTask:
        key = (part.responses, task.task)
        pictures = tuple(picture for one, picture in drawn if (one.responses, one.task) == key)
        if not pictures:
            return task
        colouring = colours[part.responses]
        return replace(task, cortexes=pictures, limits=(colouring.low, colouring.high))

    parts = (replace(part, tasks=tuple(of_task(part, task) for task in part.tasks)) for part in data.parts)
    return replace(data, parts=tuple(parts))
