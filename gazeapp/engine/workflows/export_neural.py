"""The archives, surfaces and figures about brain responses that an export has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gazeapp.engine.project import Project
from gazeapp.engine.reports.files import free_name
from gazeapp.engine.reports.neural.archive import write_predictions, write_vertex_scores
from gazeapp.engine.reports.neural.chosen import Told
from gazeapp.engine.reports.neural.cortex import write_cortex
from gazeapp.engine.reports.neural.figures import neural_figures
from gazeapp.engine.reports.neural.heat_figure import write_heat
from gazeapp.engine.reports.neural.tidy import NeuralTables
from gazeapp.engine.reports.results.draw import write_figure
from gazeapp.engine.reports.results.neural_heat import heat
from gazeapp.engine.reports.results.neural_measures import NeuralAsked
from gazeapp.engine.scoring.presets import TUEBINGEN
from gazeapp.engine.workflows.neural_report import colours_of, read_all, used_atlases, vertex_maps

PREDICTIONS = "encoding_predictions.npz"
VERTEX_SCORES = "vertex_scores.npz"
_FIGURES = "figures/neural"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class NeuralExport:
    """What an export writes about brain responses beside the tables.

    Parameters
    ----------
    project
        The project.
    figures
        Whether figures are written, too.
    """

    def __init__(self, project: Project, *, figures: bool) -> None:
        self._project = project
        self.tables = NeuralTables(project, used_atlases(project))
        self._n_models = sum(1 for _ in self.tables.each())
        self._reads = read_all(project, TUEBINGEN.id) if figures and self._n_models else []
        self._drawn = [read for read in self._reads if read.results is not None]

    @property
    def total(self) -> int:
        """Units to write: encoding models, maps of vertices, and the figures of each set of responses."""
        return self._n_models + len(self.tables.vertices) + len(self._drawn)

    @property
    def files(self) -> list[str]:
        """Names of the archives and surface files, relative to the folder."""
        places = self.tables.vertices.values()
        surfaces = [file for place in places for file in (place.left_file, place.right_file)]
        return [*([PREDICTIONS] if self._n_models else []), *([VERTEX_SCORES] if surfaces else []), *surfaces]

    def write(self, folder: Path) -> Iterator[str]:
        """Write archives and surface files, yielding the name of each archive for each unit.

        Raises
        ------
        GazeError
            If a file cannot be written; an older one stays as it was.
        """
        if self._n_models:
            for _ in write_predictions(self._project, self.tables, folder / PREDICTIONS):
                yield PREDICTIONS
        if self.tables.vertices:
            for _ in write_vertex_scores(self._project, self.tables, folder, VERTEX_SCORES):
                yield VERTEX_SCORES

    def draw(self, folder: Path) -> Iterator[list[str]]:
        """Draw the figures of each set of responses, yielding their names, relative to the folder.

        Raises
        ------
        GazeError
            If a file cannot be written, or the meshes cannot be read.
        """
        maps = list(vertex_maps(self._project, self._drawn))
        colours = colours_of(maps)
        taken: set[str] = set()
        for read in self._drawn:
            assert read.results is not None
            group = f"{_FIGURES}/{free_name(_safe(read.name).strip('.-') or 'responses', taken)}"
            own: set[str] = set()
            names: list[str] = []
            for task in read.results.tasks:
                told = Told(read.results, task)
                made = heat(read.results, NeuralAsked(task))
                if made.table.rows:
                    names.append(f"{group}/{free_name(_safe(f'neural_regions_{task}'), own)}.svg")
                    write_heat(made, read.results.simulated, folder / names[-1])
                for figure in neural_figures(told):
                    names.append(f"{group}/{free_name(_safe(figure.id), own)}.svg")
                    write_figure(figure, folder / names[-1])
            for one in maps:
                if one.responses == read.name:
                    names.append(f"{group}/{free_name(_safe(f'cortex_{one.task}_{one.source.id}'), own)}.png")
                    title = f"{one.source.name}, task {one.task}"
                    write_cortex(one.values, colours[one.responses], title, one.simulated, folder / names[-1])
            yield names


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name)
