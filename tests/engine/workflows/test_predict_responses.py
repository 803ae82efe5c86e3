"""Predicted responses: what is missing is asked for, what comes back is checked, what is done is kept."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.neural.prediction import Clip, ImageFile, predict
from gazeapp.engine.neural.records import N_VERTICES, Responses
from gazeapp.engine.project import Project
from gazeapp.engine.resources import resource_path
from gazeapp.engine.runners.process import RunnerProcess
from gazeapp.engine.runners.script import ConsentNeededError, read_script
from gazeapp.engine.workflows.base import SILENT, Summary
from gazeapp.engine.workflows.predict_responses import (
    PredictionCount,
    PredictResponsesSettings,
    count_predictions,
    predict_responses,
)
from tests.engine.runners import scripts
from tests.engine.runners.tribe_world import TribeWorld, response

LAB = (
    scripts.RUN_HEAD
    + """
import json, time
from pathlib import Path

import numpy as np
from gazeapp_runner import serve


def run(request, progress):
    images, folder = request.values["images"], Path(request.values["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    do = (folder / "do").read_text() if (folder / "do").exists() else ""
    with (folder / "asked").open("a") as file:
        file.write(json.dumps([image["name"] for image in images]) + "\\n")
    progress(0, len(images), "begins")
    progress(len(images), len(images), "ends")
    names = [image["name"] for image in images]
    if do == "wait" and "4.png" in names:
        progress(1, len(images), "waits")
        time.sleep(600)
    if do == "die":
        raise SystemExit(3)
    if do == "memory":
        raise MemoryError("too much")
    if do == "fail once" and "0.png" in names:
        raise ValueError("not this one")
    rows = np.stack([np.full(20484, float(name[0])) for name in names])
    meta = {"source": "Our model", "simulated": True, "version": 2 if do == "newer" else 1}
    problems = []
    if do == "backwards":
        names, rows = names[::-1], rows[::-1]
    if do == "one bad":
        problems = [{"name": names[0], "what": "Too\\ndark."}]
        names, rows = names[1:], rows[1:]
    if do == "one lost":
        names, rows = names[1:], rows[1:]
    if do == "stranger":
        names[0] = "elsewhere.png"
    if do == "twice":
        names[0] = names[1]
    if do == "short":
        rows = rows[:, :-1]
    if do == "nan":
        rows[0, 0] = np.nan
    if do == "large":
        rows[0, 0] = 1e300
    if do == "no json":
        meta = float("nan")
    if do == "nothing":
        return {"values": {}}
    np.savez(
        request.folder / "responses.npz", Y=rows, image_ids=np.array(names), meta_json=np.array(json.dumps(meta))
    )
    return {"values": {"problems": problems}, "files": ["responses.npz"]}


serve(run=run)
"""
)


class Stop:
    """Progress that cancels when a message is told."""

    def __init__(self, message: str = "") -> None:
        self.cancelled = False
        self.told: list[tuple[int, int, str]] = []
        self._message = message

    def report(self, done: int, total: int, message: str) -> None:
        self.told.append((done, total, message))
        self.cancelled = self.cancelled or (bool(self._message) and message == self._message)


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts run by the Python of the tests, and nothing of theirs is left behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(exchange))
    stand_in = tmp_path / "uv"
    stand_in.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} "$@"\n')
    stand_in.chmod(0o700)
    monkeypatch.setattr("gazeapp.engine.runners.launch.find_uv", lambda: str(stand_in))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "study.gaze")
    for k in range(5):
        path = tmp_path / f"{k}.png"
        Image.new("RGB", (20, 10), (40 * k, 40 * k, 40 * k)).save(path)
        made.images.add(path, path.name, sha256_of(path), 20, 10, "")
    return made


@pytest.fixture
def consents(tmp_path: Path) -> ConsentStore:
    return ConsentStore(tmp_path / "consents.json")


@pytest.fixture
def lab(tmp_path: Path, project: Project, consents: ConsentStore) -> Callable[..., Summary]:
    """Predict with a lab's own script; ``do`` says how it behaves."""
    path = scripts.write(tmp_path, LAB, "lab_model.py")
    read_script(path).agree(consents)
    folder = tmp_path / "kept"

    def call(do: str = "", progress: Any = SILENT, **options: Any) -> Summary:
        folder.mkdir(exist_ok=True)
        (folder / "do").write_text(do)
        settings = PredictResponsesSettings(
            **{"runner": str(path), "name": "Lab", "folder": str(folder), "at_once": 2, **options}
        )
        return predict_responses(project, settings, progress, consents)

    call.asked = lambda: [json.loads(line) for line in (folder / "asked").read_text().splitlines()]  # type: ignore[attr-defined]
    return call


def stored(project: Project, name: str = "Lab") -> Responses:
    return project.responses.read(name)


def test_every_image_gets_its_own_response(project: Project, lab: Callable[..., Summary]) -> None:
    progress = Stop()
    summary = lab("backwards", progress)
    assert (summary.done, summary.failed, summary.cancelled) == (5, 0, False)
    assert lab.asked() == [["0.png", "1.png"], ["2.png", "3.png"], ["4.png"]]  # type: ignore[attr-defined]
    responses = stored(project)
    assert responses.images == tuple(f"{k}.png" for k in range(5))
    assert responses.values.shape == (1, 5, N_VERTICES)
    np.testing.assert_array_equal(responses.values[0], np.repeat(np.arange(5.0)[:, None], N_VERTICES, axis=1))
    assert responses.simulated
    assert responses.subjects == ("",)
    assert responses.ceilings is None
    assert responses.source == "prediction of a model, Our model; no noise ceiling"
    assert responses.facts["model"] == {"source": "Our model", "simulated": True, "version": 1}
    assert responses.facts["settings"]["clip_seconds"] == 10.0
    assert project.settings.get(project.responses.get("Lab").settings_id).values["runner"] == "lab_model"
    assert summary.details["facts"]["source"] == "Our model"
    done = [step[0] for step in progress.told]
    assert done == sorted(done)
    assert progress.told[-1][:2] == (5, 5)
    assert (2, 5, "ends") in progress.told


def test_only_what_is_missing_is_asked_for(project: Project, lab: Callable[..., Summary]) -> None:
    lab(images=("3.png", "1.png"))
    assert stored(project).images == ("1.png", "3.png")
    summary = lab()
    assert (summary.done, summary.skipped) == (3, 2)
    assert lab.asked()[1:] == [["0.png", "2.png"], ["4.png"]]  # type: ignore[attr-defined]
    responses = stored(project)
    assert responses.images == tuple(f"{k}.png" for k in range(5))
    np.testing.assert_array_equal(responses.values[0, :, 7], np.arange(5.0))
    again = lab("die")
    assert (again.done, again.skipped, again.failed) == (0, 5, 0)


def test_what_is_done_when_it_is_cancelled_is_kept(project: Project, lab: Callable[..., Summary]) -> None:
    summary = lab("wait", Stop("waits"))
    assert (summary.done, summary.cancelled, summary.failed) == (4, True, 0)
    assert stored(project).images == tuple(f"{k}.png" for k in range(4))
    assert lab().done == 1


def test_what_another_program_stored_meanwhile_is_kept(project: Project, lab: Callable[..., Summary]) -> None:
    class Meanwhile(Stop):
        def report(self, done: int, total: int, message: str) -> None:
            super().report(done, total, message)
            if done == 4 and message == "3.png":
                other = stored(project, "Two")
                project.responses.put("Lab", other, project.responses.get("Two").settings_id)

    lab(name="Two", images=("3.png", "4.png"))
    assert lab("wait", Meanwhile("waits")).cancelled
    assert stored(project).images == tuple(f"{k}.png" for k in range(5))
    np.testing.assert_array_equal(stored(project).values[0, :, 3], np.arange(5.0))


def test_one_image_that_cannot_be_used_fails_alone(project: Project, lab: Callable[..., Summary]) -> None:
    summary = lab("one bad", at_once=5)
    assert (summary.done, summary.failed) == (4, 1)
    assert [(p.where, p.what) for p in summary.problems] == [("0.png", "Too dark.")]
    assert lab().done == 1
    assert project.problems.all() == []
    project.responses.remove("Lab")
    summary = lab("one lost", at_once=5)
    assert [(p.where, p.what) for p in summary.problems] == [("0.png", "The model gave no response to it.")]


def test_a_file_that_is_lost_fails_alone(
    project: Project, lab: Callable[..., Summary], tmp_path: Path
) -> None:
    (tmp_path / "2.png").unlink()
    summary = lab()
    assert (summary.done, summary.failed) == (4, 1)
    assert "not where it was" in summary.problems[0].what
    assert lab.asked() == [["0.png", "1.png"], ["3.png", "4.png"]]  # type: ignore[attr-defined]


BAD_ANSWERS = {
    "stranger": "names the image 'elsewhere.png', which was not asked for",
    "twice": "names an image twice",
    "short": r"'Y' has the shape \(5, 20483\), not \(5, 20484\)",
    "nan": "'Y' holds values that are no numbers",
    "large": "values that are too large",
    "no json": "'meta_json' is no JSON",
    "nothing": "made no file 'responses.npz'",
}


def test_an_answer_that_is_none_is_refused_with_a_sentence(
    project: Project, tmp_path: Path, consents: ConsentStore
) -> None:
    script = read_script(scripts.write(tmp_path, LAB, "lab_model.py"))
    script.agree(consents)
    images = [ImageFile(i.name, project.images.file(i), i.sha256) for i in project.images.all()]
    with RunnerProcess(script, consents) as process:
        for do, sentence in BAD_ANSWERS.items():
            (tmp_path / "do").write_text(do)
            with pytest.raises(GazeError, match=f"gave an answer that cannot be used.*{sentence}"):
                predict(process, images, Clip(), tmp_path)
        (tmp_path / "do").write_text("")
        assert predict(process, images, Clip(), tmp_path).images == tuple(f"{k}.png" for k in range(5))


def test_a_script_that_dies_or_answers_nonsense_stores_nothing(
    project: Project, lab: Callable[..., Summary]
) -> None:
    for do, sentence in (("die", "ended by itself"), ("nan", "no numbers"), ("memory", "memory .*too much")):
        summary = lab(do, at_once=5)
        assert (summary.done, summary.failed, len(summary.problems)) == (0, 5, 1)
        assert re.search(sentence, summary.problems[0].what)
        assert project.responses.all() == []


def test_what_fails_twice_in_the_same_way_is_not_tried_on_every_image(
    project: Project, lab: Callable[..., Summary]
) -> None:
    summary = lab("memory", at_once=1)
    assert (summary.failed, len(summary.problems)) == (5, 1)
    assert lab.asked() == [["0.png"], ["1.png"]]  # type: ignore[attr-defined]
    # What only some images bring about does not hold up the others.
    assert (lab("fail once", at_once=1).done, len(stored(project).images)) == (4, 4)


def test_predictions_of_different_origin_are_not_mixed(project: Project, lab: Callable[..., Summary]) -> None:
    lab(images=("0.png",))
    with pytest.raises(
        GazeError, match=r"predicted in another way .*clips of 10 s with 10 frames per second, 4 s to"
    ):
        lab(clip_seconds=8.0)
    newer = lab("newer")
    assert newer.done == 0
    assert "another version of the model" in newer.problems[0].what
    assert stored(project).images == ("0.png",)
    measured = Responses(
        np.zeros((1, 1, 2), np.float32),
        ("0.png",),
        ("S1",),
        np.ones((1, 1), np.int64),
        "regions",
        False,
        ("a", "b"),
    )
    project.responses.put("fMRI", measured, project.settings.put("import", {}))
    with pytest.raises(GazeError, match="other responses called “fMRI”"):
        lab(name="fMRI")
    assert not project.responses.get("fMRI").simulated
    assert lab(name="Lab 8 s", clip_seconds=8.0).done == 5


def test_nothing_runs_without_consent(project: Project, tmp_path: Path, consents: ConsentStore) -> None:
    with pytest.raises(ConsentNeededError, match="gazeapp runner agree tribe"):
        predict_responses(project, PredictResponsesSettings(), SILENT, consents)
    assert not (tmp_path / "cache").exists()
    assert project.responses.all() == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": " "}, "need a name"),
        ({"clip_seconds": 61.0}, "between 1 and 60 s"),
        ({"clip_seconds": float("nan")}, "Clips of nan s"),
        ({"fps": 0}, "between 1 and 60"),
        ({"window": (4.0, 11.0)}, "has to lie inside the clip"),
        ({"window": (9.5, None)}, "last at least 1 s"),
        ({"window": (-1.0, None)}, "has to lie inside"),
        ({"device": "tpu"}, "no device 'tpu'"),
        ({"at_once": 0}, "at least one image"),
        ({"runner": "brightness"}, "cannot be asked to predict responses"),
        ({"runner": "nobody"}, "no runner script 'nobody'"),
        ({"images": ("9.png",)}, "no image '9.png'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    project: Project, consents: ConsentStore, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(GazeError, match=sentence):
        predict_responses(project, PredictResponsesSettings(**options), SILENT, consents)


def test_how_much_there_is_to_do_is_counted_without_running(
    project: Project, lab: Callable[..., Summary]
) -> None:
    settings = PredictResponsesSettings(runner=str(project.folder / "lab_model.py"), name="Lab")
    assert count_predictions(project, settings) == PredictionCount(5, 0)
    lab(images=("0.png", "4.png"))
    assert count_predictions(project, settings) == PredictionCount(5, 2)
    assert count_predictions(project, PredictResponsesSettings()) == PredictionCount(5, 0)


def test_the_script_of_tribe_does_what_it_is_asked(
    project: Project, consents: ConsentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = TribeWorld(tmp_path / "world", monkeypatch)
    read_script(resource_path("runners", "tribe.py")).agree(consents)
    summary = predict_responses(project, PredictResponsesSettings(at_once=3), SILENT, consents)
    assert (summary.done, summary.failed) == (5, 0)
    assert [call["n"] for call in world.calls("predict")] == [3, 2]
    assert len(world.calls("load")) == 1
    responses = stored(project, "TRIBE")
    for k, row in enumerate(responses.values[0]):
        np.testing.assert_allclose(row, response(40 * k, 6.5), rtol=1e-6)
    assert responses.source == "prediction of a model, TRIBE v2; no noise ceiling"
    assert responses.facts["model"]["licence"] == "CC-BY-NC-4.0"
    assert (tmp_path / "cache" / "gazeapp" / "responses" / "tribe" / "rows").is_dir()
    assert [path for path in (tmp_path / "exchange").iterdir() if path.name.startswith("gazeapp")] == []


def test_the_example_of_the_guide_works(project: Project, consents: ConsentStore, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "tribe.md").read_text("utf-8")
    first, last = "    # /// script", "    serve(run=run)"
    text = textwrap.dedent(guide[guide.index(first) : guide.index(last) + len(last)])
    path = scripts.write(tmp_path, text + "\n", "guide.py")
    read_script(path).agree(consents)
    assert (
        predict_responses(project, PredictResponsesSettings(str(path), name="Guide"), SILENT, consents).done
        == 5
    )
    np.testing.assert_array_equal(stored(project, "Guide").values[0, :, 9], 40.0 * np.arange(5))
