"""Extraction with models that read a prompt: books of a large batch, what is stored, what makes a run anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.models.base import (
    PLAIN,
    AttentionDetail,
    Caption,
    Decoding,
    DescribeOptions,
    ModelInfo,
    Word,
)
from gazeapp.engine.project import Project
from gazeapp.engine.project.prompts import prompt_of, prompt_versions, set_prompt
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.runners.script import ConsentNeededError
from gazeapp.engine.types import ImageArray, Rect
from gazeapp.engine.workflows import extract as extract_module
from gazeapp.engine.workflows import extract_plan
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings, like_run
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.report import ReportSettings, report
from gazeapp.engine.workflows.score import ScoreSettings, score
from gazeapp.engine.workflows.score_state import outdated_scores
from gazeapp.engine.workflows.trial import trial
from tests.engine.models.vlm.tiny_checkpoint import HEADS, LAYERS, save_tiny
from tests.engine.workflows.test_extract import study as pictures

INFO = ModelInfo("speaker", "Speaker", "vlm", revision="1", methods=("attention",))


class Speaker:
    """Says one word for each half of the picture; runs out of memory on pictures as they are told."""

    def __init__(self, short_of_memory: dict[int, float], info: ModelInfo = INFO) -> None:
        self.info = info
        self.short_of_memory = short_of_memory
        self.asked: list[DescribeOptions] = []
        self.calls = 0

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        self.asked.append(options)
        if options.image_scale > self.short_of_memory.get(int(image[0, 0, 1]), 1.0):
            raise MemoryError
        self.calls += 1
        words = []
        for text in ("light", "dark"):
            if options.should_stop():
                raise StoppedError
            words.append(Word(text, -1.0, True))
        maps = np.full((2, 2, 3), 1 / 6, np.float32)
        rect = Rect.of_image(image.shape[1], image.shape[0])
        detail = AttentionDetail((3, 7), np.full((2, 2, 4), 0.5, np.float32))
        facts = {"image_scale": options.image_scale, "dtype": "float32"}
        return Caption(
            tuple(words),
            maps,
            np.full(2, 0.5, np.float32),
            rect,
            task,
            method,
            "",
            options.prompt,
            detail,
            facts,
        )


class StopAfter:
    """Progress of a user who cancels while a model is in the middle of a caption."""

    def __init__(self, model: Speaker, n_captions: int) -> None:
        self._model = model
        self._n = n_captions

    @property
    def cancelled(self) -> bool:
        return self._model.calls >= self._n

    def report(self, done: int, total: int, message: str) -> None:
        pass


class Pausing:
    """Progress of a user who lets the job wait each time that it asks whether to stop."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s

    @property
    def cancelled(self) -> bool:
        time.sleep(self._wait_s)
        return False

    def report(self, done: int, total: int, message: str) -> None:
        pass


def install(monkeypatch: pytest.MonkeyPatch, model: Speaker) -> None:
    monkeypatch.setattr(extract_plan, "available_models", lambda: [model.info])
    monkeypatch.setattr(extract_plan, "open_model", lambda info, wishes: model)


def number_pictures(folder: Path, n: int) -> Path:
    """Make a study whose pictures carry their number in the first pixel."""
    (folder / "set").mkdir()
    for i in range(n):
        pixels = np.full((24, 36, 3), i, np.uint8)
        pixels[12:] = 200
        Image.fromarray(pixels).save(folder / "set" / f"{i}.png")
    path = folder / "study.gaze"
    with Project.create(path) as project:
        project.tasks.add("general")
        add_images(project, AddImagesSettings((str(folder / "set"),)), SILENT)
    return path


def test_a_hundred_images_with_all_that_can_go_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = number_pictures(tmp_path, 100)
    (tmp_path / "set" / "17.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    model = Speaker({23: 0.7, 42: 0.0})  # 23 fits when it is smaller, 42 never does
    install(monkeypatch, model)
    settings = ExtractSettings(tasks=("general",))
    with Project.open(path) as project:
        first = extract(project, settings, StopAfter(model, 60))
        # The sixtieth caption was in hand when the user stopped it: nothing of it is stored.
        assert first.cancelled
        assert first.done == 59
        assert first.done == len(project.runs.all())
        second = extract(project, settings, SILENT)
        assert (second.done, second.skipped, second.failed) == (98 - 59, 59, 2)
        assert second.done + second.skipped + second.failed == 100
        told = {p.where.rpartition("/")[2]: p.what for p in project.problems.all() if p.verb == "extract"}
        assert len(told) == 3
        assert "memory" in next(what for where, what in told.items() if "42.png" in where)
        assert "70 %" in told["23.png"].replace("\u202f", " ").replace("70%", "70 %")
        assert any("17" in where for where in told)
        calls = model.calls
        third = extract(project, settings, SILENT)
        assert (third.done, third.skipped, third.failed) == (0, 98, 2)
        assert model.calls == calls
        scales = [project.runs.facts(run.id)["image_scale"] for run in project.runs.all()]
        assert sorted(scales)[:2] == [0.7, 1.0]


def test_a_runner_that_is_short_of_memory_is_given_a_smaller_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = number_pictures(tmp_path, 2)
    model = Speaker({1: 0.5}, replace(INFO, kind="runner"))
    install(monkeypatch, model)
    monkeypatch.setattr(extract_module, "check_consent", lambda info: None)
    with Project.open(path) as project:
        assert extract(project, ExtractSettings(tasks=("general",)), SILENT).done == 2
        assert [project.runs.facts(run.id)["image_scale"] for run in project.runs.all()] == [1.0, 0.5]
        assert any("50%" in problem.what for problem in project.problems.all())


def test_another_prompt_makes_new_runs_and_old_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pictures(tmp_path, 2)
    model = Speaker({})
    install(monkeypatch, model)
    with Project.open(path) as project:
        given = prompt_of(project, "general")
        assert given.version == 0
        extract(project, ExtractSettings(tasks=("general",)), SILENT)
        assert {options.prompt for options in model.asked} == {given.text}
        assert set_prompt(project, "general", "  Say what is there. ").version == 1
        assert extract(project, ExtractSettings(tasks=("general",)), SILENT).done == 2
        assert model.asked[-1].prompt == "Say what is there."
        set_prompt(project, "general", given.text)
        assert extract(project, ExtractSettings(tasks=("general",)), SILENT).skipped == 2
        assert [p.text for p in prompt_versions(project, "general")] == [given.text, "Say what is there."]
        assert project.db.execute("SELECT count(*) FROM runs").fetchone()[0] == 4
        facts = [
            project.runs.facts(row[0])["prompt"]
            for row in project.db.execute("SELECT id FROM runs ORDER BY id")
        ]
        assert facts == [given.text] * 2 + ["Say what is there."] * 2
        with pytest.raises(GazeError, match="needs words"):
            set_prompt(project, "general", "  ")


def test_pauses_are_no_part_of_what_a_caption_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pictures(tmp_path, 1)
    install(monkeypatch, Speaker({}))
    with Project.open(path) as project:
        summary = extract(project, ExtractSettings(tasks=("general",)), Pausing(0.15))
        (run,) = project.runs.all()
    # The model asks twice, once before each word, and takes no time itself.
    assert summary.seconds > 0.3
    assert 0.0 < run.seconds < 0.25


def test_decoding_and_what_is_kept_are_part_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pictures(tmp_path, 2)
    model = Speaker({})
    install(monkeypatch, model)
    with Project.open(path) as project:

        def done(**settings: object) -> int:
            return extract(project, ExtractSettings(tasks=("general",), **settings), SILENT).done

        assert done() == 2
        assert done(decoding=Decoding(seed=9)) == 0  # nothing is drawn, so the seed says nothing
        assert done(decoding=Decoding(max_tokens=7)) == 2
        assert done(decoding=Decoding(temperature=0.5, seed=1)) == 2
        first = [options.decoding.seed for options in model.asked[-2:]]
        assert first[0] != first[1]  # each image draws by itself ...
        assert done(decoding=Decoding(temperature=0.5, seed=2)) == 2
        assert set(first).isdisjoint(options.decoding.seed for options in model.asked[-2:])
        assert done(decoding=Decoding(temperature=0.5, seed=1)) == 0
        assert done(keep="layers") == 2
        assert done(keep="heads") == 2
        assert done(keep="layers") == 0
        project.db.execute("DELETE FROM runs")
        assert done(keep="heads") == 2
        assert (
            done(keep="layers") == done() == 0
        )  # whoever keeps heads has the layers and the words' maps, too
        assert done(dtype="bfloat16") == 2


def test_the_settings_of_a_run_make_no_other_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pictures(tmp_path, 1)
    install(monkeypatch, Speaker({}))
    ways: tuple[dict[str, object], ...] = (
        {},
        {"words": "all"},
        {"decoding": Decoding(max_tokens=7)},
        {"decoding": Decoding(temperature=0.5, top_p=0.9, seed=4)},
        {"dtype": "bfloat16", "four_bit": True},
        {"keep": "heads"},
    )
    with Project.open(path) as project:
        for way in ways:
            asked = ExtractSettings(("speaker",), ("social",), "attention", **way)
            assert extract(project, asked, SILENT).done == 1
            (newest,) = project.db.execute("SELECT max(id) FROM runs").fetchone()
            assert like_run(project, newest) == asked
            assert extract(project, like_run(project, newest), SILENT).done == 0
        extract(project, ExtractSettings(tasks=("social",), mirrored=True), SILENT)
        (mirrored,) = project.runs.all(lesion=MIRRORED)
        assert like_run(project, mirrored.id).mirrored
        other = project.settings.put("import maps", {})
        project.db.execute("UPDATE runs SET settings_id = ?", (other,))
        with pytest.raises(GazeError, match="came from elsewhere"):
            like_run(project, mirrored.id)


def test_a_model_that_cannot_be_loaded_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pictures(tmp_path, 3)
    other = ModelInfo("other", "Other", "vlm", revision="2", methods=("attention",))
    broken = True

    def load(info: ModelInfo, wishes: object) -> Speaker:
        if info.id == "other" and broken:
            raise GazeError("Its weights are missing.", where="other", todo="Get them.")
        return Speaker({}, info)

    monkeypatch.setattr(extract_plan, "available_models", lambda: [other, INFO])
    monkeypatch.setattr(extract_plan, "open_model", load)
    with Project.open(path) as project:
        summary = extract(project, ExtractSettings(tasks=("general",)), SILENT)
        assert (summary.done, summary.failed, summary.skipped) == (3, 3, 0)
        assert [problem.what for problem in summary.problems] == ["Its weights are missing."]
        broken = False
        again = extract(project, ExtractSettings(tasks=("general",)), SILENT)
        assert (again.done, again.failed, again.skipped) == (3, 0, 3)
        assert not project.problems.all()


def test_a_model_is_one_of_the_study_with_its_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = number_pictures(tmp_path, 3)
    model = Speaker({0: 0.0, 1: 0.0, 2: 0.0})
    install(monkeypatch, model)
    with Project.open(path) as project:
        assert extract(project, ExtractSettings(), SILENT).failed == 3
        assert project.runs.models() == []
        model.short_of_memory = {0: 0.0, 1: 0.0}
        assert extract(project, ExtractSettings(), SILENT).done == 1
        assert [row.id for row in project.runs.models()] == ["speaker"]


def test_a_layer_that_the_model_lacks_is_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = number_pictures(tmp_path, 4)
    model = Speaker({}, replace(INFO, facts={"layers": [3, 7], "heads": 4}))
    monkeypatch.setattr(extract_plan, "available_models", lambda: [INFO])
    monkeypatch.setattr(extract_plan, "open_model", lambda info, wishes: model)
    with Project.open(path) as project:
        for method, sentence in (("attention-L99", "layer 99"), ("attention-L3-H4", "head")):
            summary = extract(project, ExtractSettings(method=method), SILENT)
            assert (summary.done, summary.failed, model.calls) == (0, 4, 0)
            (problem,) = summary.problems
            assert sentence in problem.what
            assert [row.what for row in project.problems.all()] == [problem.what]
            assert project.runs.models() == []
        assert extract(project, ExtractSettings(method="attention-L7-H3"), SILENT).done == 4
        assert not project.problems.all()
        extract(project, ExtractSettings(method="attention-L99"), SILENT)
        assert len(project.problems.all()) == 1
        # Nothing is left to do with this method, so the model is not loaded, and nothing is wrong any more.
        assert extract(project, ExtractSettings(method="attention-L7-H3"), SILENT).skipped == 4
        assert not project.problems.all()


def test_a_problem_of_other_settings_goes_and_what_holds_for_a_run_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = number_pictures(tmp_path, 2)
    model = Speaker({1: 0.5})
    install(monkeypatch, model)
    with Project.open(path) as project:

        def told(method: str) -> list[str]:
            extract(project, ExtractSettings(method=method), SILENT)
            return [problem.what for problem in project.problems.all()]

        (smaller,) = told("attention")
        assert "50%" in smaller
        model.short_of_memory = {1: 0.0}
        assert told("attention-L3") == [smaller, "There was not enough memory."]
        assert told("attention") == [smaller]
        model.short_of_memory = {}
        assert told("attention-L3") == []


def test_a_runner_is_agreed_to_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    path = number_pictures(tmp_path, 2)
    with Project.open(path) as project:
        with pytest.raises(ConsentNeededError, match="`gazeapp runner agree brightness`"):
            extract(project, ExtractSettings(("brightness",)), SILENT)
        assert (project.runs.models(), project.problems.all()) == ([], [])


def test_a_real_checkpoint_from_its_folder(tmp_path: Path) -> None:
    """The whole way on a tiny network: folder, loading, captions, maps by word, layer and head, trial, resume."""
    path = pictures(tmp_path, 2)
    folder = save_tiny(tmp_path / "tiny-vl")
    settings = ExtractSettings((str(folder),), ("general",), decoding=Decoding(max_tokens=6), keep="heads")
    with Project.open(path) as project:
        tried = trial(project, settings, SILENT)
        assert project.runs.all() == []
        (model,) = tried.details["models"]
        assert model["units"] == 2
        assert model["estimate_bytes"] == 2 * model["bytes_per_run"] > 0
        assert model["plan"]
        summary = extract(project, settings, SILENT)
        assert (summary.done, summary.failed) == (2, 0)
        for run in project.runs.all():
            facts = project.runs.facts(run.id)
            assert len(facts["tokens"]) == 6
            assert facts["prompt"] == prompt_of(project, "general").text
            maps = project.maps.of_run(run.id)
            words = project.runs.words(run.id)
            assert maps.words.shape[0] == len(words) > 0
            mass = project.attention.image_mass(run.id)
            assert mass is not None
            assert mass.shape == (len(words), LAYERS, HEADS)
            assert project.attention.layers(run.id) == tuple(range(LAYERS))
            assert project.attention.kept(run.id) == "heads"
            for i in range(len(words)):
                heads = project.attention.maps_of_word(run.id, i)
                assert heads is not None
                # The word's map is the mean of its heads' maps, and each of those sums to its mass on the image.
                assert np.allclose(heads.sum(axis=(2, 3)), mass[i], rtol=2e-3)
                mean = heads.mean(axis=(0, 1))
                assert np.allclose(mean / mean.sum(), maps.words[i], atol=2e-3)
        stored = project.settings.get(project.runs.all()[0].settings_id).values
        assert stored["revision"]
        assert stored["decoding"] == {"max_tokens": 6, "temperature": 0.0}
        assert extract(project, settings, SILENT).skipped == 2
        row = next(row for row in project.runs.models() if row.id == "tiny-vl")
        assert row.kind == "vlm"
        assert row.facts["layers"] == [0, 1]


def test_scores_never_mix_settings(study: Callable[..., Path], tmp_path: Path) -> None:
    """A model that was run in another way on one image only is scored on that image, and the others are told."""
    path = study(n_images=4)
    with Project.open(path) as project:
        before = {r.source: r.n_images for r in project.scores.summary() if r.task == "general"}
        assert before["cnn-lstm"] == 4
        old = next(r for r in project.runs.all(model="cnn-lstm", task="general"))
        maps, words = project.maps.of_run(old.id), project.runs.words(old.id)
        said = Caption(
            words, maps.words, np.ones(len(words), np.float32), maps.rect, old.model_task, old.method
        )
        values = {**project.settings.get(old.settings_id).values, "words": "all"}
        settings = project.settings.put("extract", values)
        project.runs.put(old.image_id, "cnn-lstm", "general", said, maps.mean, settings, 0.1)
        # Until it is scored again, whatever is written says that its scores are those of other maps.
        assert outdated_scores(project) == {("general", "tuebingen")}
        exported = export(project, ExportSettings(str(tmp_path / "tables"), False, False), SILENT)
        assert "older than its maps" in exported.problems[0].what
        assert "older than its maps" in (tmp_path / "tables" / "problems.csv").read_text()
        page = tmp_path / "report.html"
        report(project, ReportSettings(str(page)), SILENT)
        assert "older than its maps" in page.read_text()
        summary = score(project, ScoreSettings(sigma=6.0, n_splits=10, n_bootstrap=200, threads=1), SILENT)
        after = {r.source: r.n_images for r in project.scores.summary() if r.task == "general"}
        assert after["cnn-lstm"] == 1
        assert after["cnn-transformer"] == 4
        told = [problem.what for problem in summary.problems]
        assert any("mix conditions" in what and "3" in what for what in told)
        assert not outdated_scores(project)
        assert not [row for row in project.problems.all() if "older than" in row.what]
