"""Exported tables, quality and report say the same numbers of a recording of both eyes."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.project import Project
from gazeapp.engine.reports.dataset import data_set
from gazeapp.engine.reports.quality import read_quality
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.marking import choose_fixations

RECORDING = Path(__file__).parents[2] / "data" / "gaze" / "two_trials_binocular.asc"
"""5 fixations of the left and 4 of the right eye in two trials; one of the left lies outside its image."""


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "study.gaze") as opened:
        for name, size in (("wide.png", (640, 480)), ("tall.png", (300, 1000))):
            opened.images.add(tmp_path / name, name, name, *size, "photograph")
        yield opened


def tables(project, folder):
    export(project, ExportSettings(str(folder), overlays=False), SILENT)
    return {
        file.stem: list(csv.DictReader(file.open(encoding="utf-8", newline="")))
        for file in folder.glob("*.csv")
    }


@pytest.mark.parametrize("eye", ["best", "left", "right", "average"])
def test_every_table_counts_the_same_fixations(project, tmp_path, eye):
    import_gaze(project, ImportGazeSettings((str(RECORDING),), "free"), SILENT)
    choose_fixations(project, GazeChoices(eye=eye), SILENT)
    found = tables(project, tmp_path / eye)
    data, quality = data_set(project), read_quality(project).trials
    rows = found["fixations"]
    eyes = Counter(row["eye"] for row in rows)
    assert (eyes["left"], eyes["right"]) == (5, 4)
    if eye == "average":
        assert eyes["average"] > 0
        assert {row["why"] for row in rows if row["eye"] != "average"} == {"other eye"}
        assert "other eye" not in {row["why"] for row in rows if row["eye"] == "average"}
    else:
        assert "average" not in eyes
    (recording,), (told,) = found["recordings"], data.recordings
    assert int(recording["fixations"]) == told.n_read == data.n_read == 9
    assert int(recording["kept"]) == told.n_kept == data.n_kept == sum(row["kept"] == "true" for row in rows)
    assert dict(told.dropped) == Counter(row["why"] for row in rows if row["why"])
    for place, trial in enumerate(found["trials"]):
        own = [row for row in rows if row["trial"] == trial["trial"]]
        used = sum(row["kept"] == "true" for row in own)
        of_its_eye = sum(row["eye"] == trial["eye"] for row in own)
        assert int(trial["n_fixations"]) == sum(row["eye"] != "average" for row in own)
        assert int(trial["n_kept"]) == used == quality.numbers["n_fixations"][place]
        assert int(found["quality"][place]["n_fixations"]) == used
        assert int(found["quality"][place]["n_recorded"]) == of_its_eye
