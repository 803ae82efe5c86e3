"""The loader: scenes off the GUI thread, stale ones dropped, files that cannot be read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.score_state import outdated_models, remember_scored, score_states
from gazeapp.ui import loader as loader_module
from gazeapp.ui.loader import Loader
from gazeapp.ui.reading import read_catalogue, read_scene
from tests.ui.small_study import CAPTION, HEIGHT, MODELS, TASK, WIDTH, add_run, build

KEY = (TASK, "tuebingen", "nss")


@pytest.fixture
def study(tmp_path):
    return build(tmp_path, images=5)


@pytest.fixture
def loader(qtbot):
    made = Loader()
    yield made
    made.close()


@pytest.fixture
def opened(qtbot, loader, study):
    with qtbot.waitSignal(loader.listed):
        loader.open(study.path)
    return loader


def test_a_scene_holds_what_the_project_holds(qtbot, opened, study) -> None:
    with qtbot.waitSignal(opened.loaded) as heard:
        opened.request(study.images[1], TASK)
    scene = heard.args[0]
    assert (scene.image_id, scene.name, scene.task) == (study.images[1], "scene-002.png", TASK)
    assert (scene.width, scene.height) == (WIDTH, HEIGHT)
    assert scene.simulated
    assert scene.picture.levels[0].width() == WIDTH
    assert scene.people.subjects == ("S01", "S02", "S03", "S04")
    with Project.open(study.path) as project:
        table = project.gaze.fixations(scene.image_id, TASK)
    assert np.array_equal(scene.people.fixations.x, table.x)
    assert [(model.id, model.name) for model in scene.models] == list(MODELS)
    model = scene.models[0]
    assert [word.text for word in model.words] == CAPTION
    assert model.word_maps.shape == (len(CAPTION), 8, 8)
    assert not model.map.values.flags.writeable
    assert not model.outside_training


def test_the_catalogue_lists_images_models_and_scores(opened, study) -> None:
    catalogue = opened.catalogue
    assert [entry.id for entry in catalogue.images] == list(study.images)
    assert catalogue.models == MODELS
    assert catalogue.tasks == (TASK,)
    entry = catalogue.entry(study.images[0])
    assert entry.score(KEY, "cnn-lstm") == pytest.approx(1.8)
    assert entry.score(KEY) == pytest.approx(np.mean([1.8, 1.6, 1.4, 1.2]))
    assert entry.score((TASK, "mit", "nss")) is None
    assert entry.ceilings[KEY] == 2.0
    assert catalogue.share(KEY, "vit-lstm").percent == pytest.approx(62)


def test_a_score_of_an_earlier_map_is_not_shown_over_a_newer_one(study) -> None:
    with Project.open(study.path) as project:
        remember_scored(project, "tuebingen", score_states(project))
        assert read_catalogue(project).share(KEY, "vit-lstm") is not None
        settings = project.settings.put("extract", {"model": "vit-lstm", "words": "all"})
        add_run(project, study.images[0], "vit-lstm", TASK, CAPTION, settings)
        catalogue = read_catalogue(project)
        assert outdated_models(project) == {(TASK, "tuebingen", "vit-lstm")}
        assert catalogue.share(KEY, "vit-lstm") is None
        assert catalogue.share(KEY, "cnn-lstm") is not None
        scored = catalogue.entry(study.images[0]).scores[KEY]
        assert "vit-lstm" not in scored
        assert "cnn-lstm" in scored
        # A model that was never scored makes nobody's scores older.
        project.runs.put_model(ModelInfo("new", "New", "captioner"))
        add_run(project, study.images[0], "new", TASK, CAPTION, settings)
        assert outdated_models(project) == {(TASK, "tuebingen", "vit-lstm")}


def test_only_the_last_of_many_requests_arrives(qtbot, loader, study, monkeypatch) -> None:
    gate = threading.Event()

    def slow(project, image_id, task):
        gate.wait(60)
        return read_scene(project, image_id, task)

    monkeypatch.setattr(loader_module, "read_scene", slow)
    with qtbot.waitSignal(loader.listed):
        loader.open(study.path)
    heard = []
    loader.loaded.connect(lambda scene: heard.append(scene.image_id))
    for image_id in study.images:
        loader.request(image_id, TASK)
    gate.set()
    qtbot.waitUntil(lambda: bool(heard))
    qtbot.waitUntil(lambda: loader.is_ready(study.images[-2], TASK))
    assert heard == [study.images[-1]]


def test_neighbours_are_read_ahead_and_answered_at_once(qtbot, opened, study) -> None:
    with qtbot.waitSignal(opened.loaded):
        opened.request(study.images[2], TASK)
    qtbot.waitUntil(lambda: opened.is_ready(study.images[1], TASK) and opened.is_ready(study.images[3], TASK))
    heard = []
    opened.loaded.connect(heard.append)
    opened.request(study.images[3], TASK)
    assert [scene.image_id for scene in heard] == [study.images[3]]


def test_scenes_read_on_another_thread_with_a_connection_of_its_own(qtbot, study) -> None:
    threads = []

    def opener(path):
        threads.append(threading.get_ident())
        return Project.open(path)

    loader = Loader(opener=opener)
    with qtbot.waitSignal(loader.listed):
        loader.open(study.path)
    loader.close()
    assert threads
    assert threads[0] != threading.get_ident()


def test_stepping_follows_the_given_order(opened, study) -> None:
    first, second, third = study.images[:3]
    opened.set_order([third, first, second])
    assert opened.neighbour(third, 1) == first
    assert opened.neighbour(third, -1) is None
    assert opened.neighbour(None, 1) == third


def test_a_refresh_reads_what_was_added(qtbot, opened, study) -> None:
    with qtbot.waitSignal(opened.loaded):
        opened.request(study.images[0], TASK)
    with Project.open(study.path) as project, project.transaction():
        project.db.execute("UPDATE words SET text = 'woman' WHERE text = 'man'")
    with qtbot.waitSignal(opened.loaded) as heard:
        opened.refresh()
    assert heard.args[0].models[0].words[1].text == "woman"


def test_what_another_connection_stores_is_noticed(qtbot, study, monkeypatch) -> None:
    monkeypatch.setattr(loader_module, "_LOOK_SECONDS", 0.05)
    loader = Loader()
    with qtbot.waitSignal(loader.listed):
        loader.open(study.path)
    with qtbot.waitSignal(loader.loaded):
        loader.request(study.images[0], TASK)
    scenes = []
    loader.loaded.connect(scenes.append)
    with Project.open(study.path) as project, project.transaction():
        project.db.execute("UPDATE words SET text = 'woman' WHERE text = 'man'")
        project.tasks.add("social")
    qtbot.waitUntil(lambda: bool(scenes) and loader.catalogue.tasks == (TASK, "social"))
    assert scenes[0].models[0].words[1].text == "woman"
    unasked = []
    loader.listed.connect(unasked.append)
    qtbot.wait(300)
    assert unasked == []
    loader.close()


@pytest.mark.parametrize("harm", ["missing", "truncated", "text"])
def test_a_picture_that_cannot_be_read_is_a_sentence(qtbot, opened, study, harm) -> None:
    file = study.path.parent / "scene-001.png"
    content = file.read_bytes()
    file.unlink()
    if harm == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "text":
        file.write_text("no picture")
    with qtbot.waitSignal(opened.loaded) as heard:
        opened.request(study.images[0], TASK)
    scene = heard.args[0]
    assert scene.picture is None
    assert "scene-001.png" in scene.error.where
    assert scene.models[0].map is not None
    with qtbot.waitSignal(opened.thumbnail_ready) as heard:
        opened.thumbnail(study.images[0])
    assert heard.args[0].picture is None


def test_thumbnails_are_small_and_keep_their_shape(qtbot, opened, study) -> None:
    with qtbot.waitSignal(opened.thumbnail_ready) as heard:
        assert opened.thumbnail(study.images[0]) is None
    picture = heard.args[0].picture
    assert max(picture.width(), picture.height()) <= loader_module.THUMBNAIL_SIDE
    assert picture.width() / picture.height() == pytest.approx(WIDTH / HEIGHT, rel=0.02)
    assert opened.thumbnail(study.images[0]) is heard.args[0]


def test_a_file_that_is_no_project_is_reported(qtbot, loader, tmp_path) -> None:
    path = tmp_path / "other.gaze"
    path.write_text("no project")
    with qtbot.waitSignal(loader.failed) as heard:
        loader.open(path)
    assert "project" in heard.args[0].what


def test_closing_the_project_empties_the_list(qtbot, opened, study) -> None:
    heard = []
    opened.loaded.connect(heard.append)
    opened.request(study.images[0], TASK)
    opened.close_project()
    assert opened.catalogue.images == ()
    qtbot.wait(100)
    assert heard == []


def test_photographs_are_outside_what_drawn_worlds_trained(qtbot, loader, tmp_path) -> None:
    study = build(tmp_path, images=1, origin="photograph")
    with qtbot.waitSignal(loader.listed):
        loader.open(study.path)
    with qtbot.waitSignal(loader.loaded) as heard:
        loader.request(study.images[0], TASK)
    assert all(model.outside_training for model in heard.args[0].models)


def test_thumbnails_scrolled_out_of_sight_are_not_read(qtbot, opened, study, monkeypatch) -> None:
    go_on, began, read = threading.Event(), threading.Event(), []
    real = loader_module._read_thumbnail

    def slow(project, image_id):
        began.set()
        assert go_on.wait(60)
        read.append(image_id)
        return real(project, image_id)

    monkeypatch.setattr(loader_module, "_read_thumbnail", slow)
    monkeypatch.setattr(loader_module, "_THUMBNAILS_WAITING", 2)
    first, second, third, *last = study.images
    opened.thumbnail(first)
    assert began.wait(60)
    for image_id in (second, third, *last):
        opened.thumbnail(image_id)
    go_on.set()
    qtbot.waitUntil(lambda: opened.thumbnail(last[0]) is not None)
    assert read == [first, *reversed(last)]
    with qtbot.waitSignal(opened.thumbnail_ready) as heard:
        opened.thumbnail(second)
    assert heard.args[0].image_id == second


@dataclass(frozen=True)
class HowMany:
    """A question that waits at the gate before it counts images."""

    number: int
    gate: threading.Event = field(compare=False, default_factory=threading.Event)
    begun: threading.Event = field(compare=False, default_factory=threading.Event)

    def read(self, project: Project) -> int:
        self.begun.set()
        self.gate.wait(60)
        return len(project.images.all()) + self.number


@dataclass(frozen=True)
class Broken:
    """A question that cannot be answered."""

    def read(self, project: Project) -> int:
        raise GazeError("That cannot be read.")


def test_a_question_is_answered_off_the_gui_thread(qtbot, opened, study) -> None:
    threads = []

    class Where(HowMany):
        def read(self, project):
            threads.append(threading.current_thread().name)
            return super().read(project)

    question = Where(100)
    question.gate.set()
    with qtbot.waitSignal(opened.answered) as heard:
        opened.ask(question)
    assert heard.args == [question, 105]
    assert threads == ["loader"]


def test_a_question_overtakes_those_of_its_kind_that_wait_and_all_asked_ahead(qtbot, opened) -> None:
    answers = []
    opened.answered.connect(lambda question, answer: answers.append(question.number))
    gate = threading.Event()
    first = HowMany(0, gate)
    opened.ask(first)
    assert first.begun.wait(60)  # it is being read, the others wait
    for number in (1, 2):
        opened.ask(HowMany(number, gate))
    opened.ask(HowMany(3, gate), ahead=True)
    opened.ask(HowMany(4, gate))
    opened.ask(HowMany(5, gate), ahead=True)
    gate.set()
    qtbot.waitUntil(lambda: 5 in answers)
    assert answers == [0, 4, 5]


def test_answers_from_before_a_change_are_dropped(qtbot, opened) -> None:
    answers = []
    opened.answered.connect(lambda question, answer: answers.append(question.number))
    gate = threading.Event()
    first = HowMany(1, gate)
    opened.ask(first)
    assert first.begun.wait(60)
    with qtbot.waitSignal(opened.listed):
        opened.refresh()
        gate.set()
    opened.ask(HowMany(2, gate))
    qtbot.waitUntil(lambda: 2 in answers)
    assert answers == [2]


def test_a_question_that_fails_is_told_unless_it_was_asked_ahead(qtbot, opened) -> None:
    told = []
    opened.failed.connect(told.append)
    opened.ask(Broken(), ahead=True)
    question = HowMany(0)
    question.gate.set()
    with qtbot.waitSignal(opened.answered):
        opened.ask(question, ahead=True)
    assert not told
    opened.ask(Broken())
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].what == "That cannot be read."
