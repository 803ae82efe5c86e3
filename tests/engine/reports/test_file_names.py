"""Files of an export never take each other's place."""

import numpy as np

from gazeapp.engine.project import Project
from gazeapp.engine.reports.archive import entries
from gazeapp.engine.reports.files import free_name
from gazeapp.engine.reports.results.data import Axes, Figure, Series
from gazeapp.engine.workflows import export as module
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from tests.engine.conftest import MODELS


def test_a_name_that_is_taken_gets_a_number():
    taken: set[str] = set()
    names = [free_name(name, taken) for name in ("map", "Map", "map", "other", "map__2")]
    assert names == ["map", "Map__2", "map__3", "other", "map__2__2"]
    assert len({name.casefold() for name in names}) == len(names)


TASKS = ("見る", "読む")


def test_tasks_of_another_script_have_pictures_of_their_own(study):
    with Project.open(study(n_images=2, tasks=TASKS, models=MODELS[:1], scored=False)) as project:
        overlays = [entry.overlay for entry in entries(project, overlays=True)]
    assert len(overlays) == len({name.casefold() for name in overlays}) == 2 * 2 * 3
    assert all(name.isascii() for name in overlays)


def test_tasks_of_another_script_have_figures_of_their_own(study, tmp_path, monkeypatch):
    axes = Axes("", "", "y", (Series("a", "#0072B2", "model", np.zeros(1), np.ones(1)),))
    drawn = [Figure(f"scores_{task}", f"about {k}", "", (axes,)) for k, task in enumerate(TASKS)]
    monkeypatch.setattr(module, "study_figures", lambda _results: drawn)
    with Project.open(study(n_images=2, tasks=("free",))) as project:
        export(project, ExportSettings(str(tmp_path), overlays=False), SILENT)
    files = sorted((tmp_path / "figures" / "tuebingen").iterdir())
    assert [file.name for file in files] == ["scores_-.svg", "scores_-__2.svg"]
    for k, file in enumerate(files):
        assert f"<dc:title>about {k}</dc:title>" in file.read_text(encoding="utf-8")
