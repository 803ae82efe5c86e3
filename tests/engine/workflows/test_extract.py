from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.workflows import extract_plan
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from tests.engine.workflows.stand_in import INFOS, StandIn, install


def study(folder: Path, n_images: int = 3, red: int | None = None) -> Path:
    rng = np.random.default_rng(3)
    (folder / "set").mkdir(parents=True)
    for i in range(n_images):
        pixels = rng.integers(0, 255, (24, 36, 3), dtype=np.uint8)
        pixels[0, 0] = (255, 0, 0) if i == red else (0, 0, 0)
        Image.fromarray(pixels).save(folder / "set" / f"{i}.png")
    path = folder / "study.gaze"
    with Project.create(path) as project:
        project.tasks.add("general")
        project.tasks.add("social")
        add_images(project, AddImagesSettings((str(folder / "set"),)), SILENT)
    return path


def rows(path: Path) -> list[tuple]:
    """Everything that extraction stores, without row numbers and times."""
    with Project.open(path) as project:
        return sorted(
            (
                run.image_id,
                run.model,
                run.task,
                run.method,
                run.caption,
                run.log_probability,
                tuple(word.text for word in project.runs.words(run.id)),
                project.maps.of_run(run.id).mean.tobytes(),
                project.maps.of_run(run.id).words.tobytes(),
            )
            for run in project.runs.all()
        )


def test_every_image_model_and_task_gets_a_run(tmp_path: Path, monkeypatch):
    install(monkeypatch)
    path = study(tmp_path)
    with Project.open(path) as project:
        summary = extract(project, ExtractSettings(), SILENT)
        assert (summary.done, summary.failed, summary.skipped) == (12, 0, 0)
        run = project.runs.all(task="social", model="second")[0]
        assert run.model_task == "general", "a model that knows no such task uses its first, and says so"
        assert run.caption == "a Second scene"
        stored = project.maps.of_run(run.id)
        np.testing.assert_allclose(stored.mean, stored.words[1:].mean(axis=0), rtol=2e-3)
        values = project.settings.get(run.settings_id).values
        assert values["model"] == "second"
        assert values["words"] == "content"
        assert summary.details["outside_training"] == {"second": 3}


def test_photographs_are_not_held_against_what_a_user_says_a_model_was_trained_on(
    tmp_path: Path, monkeypatch
):
    install(monkeypatch)
    theirs = [replace(info, domain="COCO Captions") for info in INFOS]
    monkeypatch.setattr(extract_plan, "available_models", lambda: theirs)
    with Project.open(study(tmp_path)) as project:
        assert extract(project, ExtractSettings(), SILENT).details["outside_training"] == {}


def test_running_again_computes_nothing(tmp_path: Path, monkeypatch):
    loaded: list[StandIn] = []
    install(monkeypatch, loaded)
    path = study(tmp_path)
    with Project.open(path) as project:
        extract(project, ExtractSettings(), SILENT)
        before = len(loaded)
        summary = extract(project, ExtractSettings(device="cpu"), SILENT)
    assert (summary.done, summary.skipped) == (0, 12)
    assert len(loaded) == before, "no model is even loaded"


def test_changed_settings_make_new_rows_beside_the_old(tmp_path: Path, monkeypatch):
    install(monkeypatch)
    path = study(tmp_path, 1)
    with Project.open(path) as project:
        extract(project, ExtractSettings(("bright",), ("general",)), SILENT)
        extract(project, ExtractSettings(("bright",), ("general",), words="all"), SILENT)
        extract(project, ExtractSettings(("bright",), ("general",), method="dark"), SILENT)
        assert project.db.execute("SELECT count(*) FROM runs").fetchone()[0] == 3
        assert sorted(run.method for run in project.runs.all()) == ["dark", "light"]


def test_one_bad_image_does_not_stop_the_rest(tmp_path: Path, monkeypatch):
    install(monkeypatch)
    path = study(tmp_path, red=1)
    (tmp_path / "set" / "2.png").unlink()
    with Project.open(path) as project:
        summary = extract(project, ExtractSettings(("bright",), ("general",)), SILENT)
        assert (summary.done, summary.failed) == (1, 2)
        whats = [problem.what for problem in project.problems.all()]
        assert any("Red corners" in what for what in whats)
        assert any("not where it was" in what for what in whats)


def test_unknown_model_and_method_name_what_there_is(tmp_path: Path, monkeypatch):
    install(monkeypatch)
    path = study(tmp_path, 1)
    with Project.open(path) as project:
        with pytest.raises(GazeError, match="bright, second"):
            extract(project, ExtractSettings(("brite",)), SILENT)
        with pytest.raises(GazeError, match="light, dark"):
            extract(project, ExtractSettings(("bright",), method="blue"), SILENT)


def test_a_project_without_images(tmp_path: Path, monkeypatch):
    install(monkeypatch)
    with Project.create(tmp_path / "empty.gaze") as project, pytest.raises(GazeError, match="no images"):
        extract(project, ExtractSettings(), SILENT)


def test_two_programs_on_one_project_do_not_trip_over_each_other(tmp_path: Path, monkeypatch):
    install(monkeypatch)
    path = study(tmp_path, 2)

    class AnotherProgram:
        """Finishes the whole extraction while the first one is on its first unit."""

        cancelled = False
        started = False

        def report(self, done: int, total: int, message: str) -> None:
            if done == 1 and not self.started:
                self.started = True
                with Project.open(path) as other:
                    extract(other, ExtractSettings(), SILENT)

    with Project.open(path) as project:
        summary = extract(project, ExtractSettings(), AnotherProgram())
        assert summary.failed == 0
        assert len(project.runs.all()) == 8
        assert project.problems.all() == []


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[2])
import pytest
from tests.engine.workflows.stand_in import install
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings
class Told:
    cancelled = False
    def report(self, done, total, message):
        print(done, flush=True)
with pytest.MonkeyPatch.context() as patch, Project.open(sys.argv[1]) as project:
    install(patch, pause_s=0.05)
    extract(project, ExtractSettings(), Told())
"""


def test_ten_kills_in_the_middle_change_nothing_in_the_end(tmp_path: Path, monkeypatch):
    install(monkeypatch)
    undisturbed, killed = study(tmp_path / "undisturbed", 16), study(tmp_path / "killed", 16)
    with Project.open(undisturbed) as project:
        extract(project, ExtractSettings(), SILENT)
    counts = [0]
    for kill in range(10):
        command = [sys.executable, "-c", SCRIPT, str(killed), str(Path(__file__).parents[3])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        while int(process.stdout.readline()) < counts[-1] + kill % 4:
            pass  # what earlier runs stored, and up to three units more
        time.sleep(0.005 * kill)  # at another place of the unit in hand each time
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with Project.open(killed) as project:
            assert project.integrity_problems() == []
            counts.append(len(project.runs.all()))
    assert counts == sorted(counts)
    assert 0 < counts[-1] < 64, "the kills fell into the middle of the work"
    with Project.open(killed) as project:
        summary = extract(project, ExtractSettings(), SILENT)
        assert (summary.done, summary.skipped) == (64 - counts[-1], counts[-1])
    assert rows(killed) == rows(undisturbed)
