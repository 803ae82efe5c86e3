"""Following the mask: the latest wins, the model in focus comes first, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Word
from gazeapp.engine.project import Project
from gazeapp.engine.types import Rect
from gazeapp.ui.canvas.heat import difference_layer
from gazeapp.ui.lesions.facts import Effect
from gazeapp.ui.lesions.live import LiveLesion
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks.questions import MaskQuestion
from gazeapp.ui.scene import MapView
from gazeapp.ui.selection import Selection
from tests.ui.small_study import HEIGHT, TASK, WIDTH, blob, build

MODELS = ["cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer"]


class Drawn(QObject):
    """A mask that tests draw."""

    changed = Signal()
    switched = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name, self.image_id, self.mask = "mask 1", None, None

    def draw(self, columns: int) -> None:
        self.mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        self.mask[:, :columns] = 255
        self.changed.emit()


class Runs:
    """Runs no model: the caption tells the mask, and each step waits until it may go on."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.may_go.set()
        self.begun = threading.Event()
        self.loaded: list[str] = []
        self.asked: list[tuple[int, str]] = []
        self.trouble: Exception | None = None

    def load(self, model_id):
        self.loaded.append(model_id)

    def effect(self, request, model_id) -> Effect:
        self.asked.append((request.number, model_id))
        self.begun.set()
        assert self.may_go.wait(20)
        if self.trouble is not None:
            raise self.trouble
        flat, rect = blob(8, 8, 0.5, 0.5, 0.2), Rect.of_image(WIDTH, HEIGHT)
        words = (Word(str(int((request.mask[0] == 255).sum())), -1.0, True),)
        return Effect(
            request.number,
            request.subject.image_id,
            request.subject.task,
            model_id,
            model_id,
            words,
            words,
            frozenset(),
            frozenset(),
            MapView.of(flat, rect, WIDTH, HEIGHT),
            flat[None],
            difference_layer((flat, rect), (flat, rect), WIDTH, HEIGHT),
            {"strength": request.strength},
            0.5,
            request.scope,
            request.strength,
        )

    def scored(self, _request, effect):
        return replace(effect, nss=(1.0, 0.5))

    def controlled(self, _request, effect, is_wanted):
        assert is_wanted()
        return replace(effect, controls={"random": {"words_changed": 0.25}})


class Desk:
    def __init__(self, qtbot, study) -> None:
        self.qtbot, self.study = qtbot, study
        self.selection, self.loader, self.drawn, self.runs = Selection(), Loader(), Drawn(), Runs()
        self.live = LiveLesion(self.selection, self.loader, self.drawn, make=lambda: self.runs)
        with qtbot.waitSignal(self.loader.listed):
            self.loader.open(study.path)
        self.choose(0)

    def choose(self, number: int) -> None:
        self.drawn.image_id, self.drawn.mask = self.study.images[number], None
        self.selection.update(image_id=self.study.images[number], task=TASK)
        self.loader.request(self.study.images[number], TASK)

    def said(self) -> dict[str, str]:
        return {model: effect.after[0].text for model, effect in self.live.effects.items()}

    def wait_for(self, columns: int) -> None:
        wanted = dict.fromkeys(MODELS, str(columns))
        self.qtbot.waitUntil(lambda: self.said() == wanted and not self.live.is_busy)


@pytest.fixture
def desk(qtbot, tmp_path):
    made = Desk(qtbot, build(tmp_path))
    yield made
    made.runs.may_go.set()
    made.live.stop()
    made.loader.close()


def test_it_follows_only_while_somebody_paints_shows_or_watches(desk) -> None:
    desk.drawn.draw(10)
    assert desk.live.request is None
    desk.live.watch(True)
    desk.wait_for(10)
    assert desk.runs.loaded == MODELS
    desk.live.watch(False)
    before = desk.live.request
    desk.drawn.draw(20)
    assert desk.live.request is before
    desk.selection.update(painting=True)
    desk.wait_for(20)
    assert desk.selection.display.lesion == "lesioned"
    desk.selection.update(painting=False)
    assert desk.selection.display.lesion == ""


def test_the_model_in_focus_comes_first(desk) -> None:
    desk.selection.source = "vit-lstm"
    desk.live.watch(True)
    desk.drawn.draw(10)
    desk.wait_for(10)
    assert [model for _, model in desk.runs.asked][:4] == [
        "vit-lstm",
        "cnn-lstm",
        "cnn-transformer",
        "vit-transformer",
    ]


def test_the_latest_mask_wins_and_what_was_overtaken_is_not_run_to_its_end(desk, qtbot) -> None:
    desk.live.watch(True)
    desk.runs.may_go.clear()
    desk.drawn.draw(10)
    qtbot.waitUntil(desk.runs.begun.is_set)
    first = desk.live.request.number
    for columns in (20, 30, 40):
        desk.drawn.draw(columns)
    desk.runs.may_go.set()
    desk.wait_for(40)
    last = desk.live.request.number
    assert [number for number, _ in desk.runs.asked] == [first] + 4 * [last]


def test_an_effect_on_another_image_is_dropped(desk, qtbot) -> None:
    desk.live.watch(True)
    desk.runs.may_go.clear()
    desk.drawn.draw(10)
    qtbot.waitUntil(desk.runs.begun.is_set)
    desk.choose(1)
    desk.runs.may_go.set()
    desk.drawn.draw(50)
    desk.wait_for(50)
    assert {effect.image_id for effect in desk.live.effects.values()} == {desk.study.images[1]}
    desk.choose(2)
    assert desk.live.effects == {}


def test_scope_and_strength_are_followed_and_the_same_mask_is_not_asked_twice(desk) -> None:
    desk.live.watch(True)
    desk.drawn.draw(10)
    desk.wait_for(10)
    number = desk.live.request.number
    desk.drawn.switched.emit()
    desk.drawn.changed.emit()
    assert desk.live.request.number == number
    desk.live.set_lesion("zero", 0.25)
    desk.wait_for(10)
    assert {(one.scope, one.numbers["strength"]) for one in desk.live.effects.values()} == {("zero", 0.25)}


def test_scores_and_controls_come_after_the_effects(desk, qtbot) -> None:
    desk.live.watch(True)
    qtbot.waitUntil(lambda: desk.live._fixations() is not None)
    desk.drawn.draw(10)
    desk.wait_for(10)
    assert {one.nss for one in desk.live.effects.values()} == {(1.0, 0.5)}
    desk.live.set_controls(True)
    desk.wait_for(10)
    assert all(one.controls for one in desk.live.effects.values())
    number = desk.live.request.number
    desk.live.set_controls(False)
    assert not any(one.controls for one in desk.live.effects.values())
    assert desk.live.request.number == number


def test_an_error_of_the_models_is_a_sentence_and_the_next_stroke_goes_on(desk, qtbot) -> None:
    desk.live.watch(True)
    desk.runs.trouble = GazeError("The lesion takes the whole image away.", todo="Leave a part out.")
    desk.drawn.draw(WIDTH)
    qtbot.waitUntil(lambda: len(desk.live.failures) == 4)
    assert {error.what for error in desk.live.failures.values()} == {"The lesion takes the whole image away."}
    desk.runs.trouble = RuntimeError("out of memory")
    desk.drawn.draw(11)
    qtbot.waitUntil(lambda: len(desk.live.failures) == 4 and not desk.live.is_busy)
    assert all("did not expect" in error.what for error in desk.live.failures.values())
    assert desk.live.effects == {}
    desk.runs.trouble = None
    desk.drawn.draw(12)
    desk.wait_for(12)
    assert not desk.live.failures


def test_a_project_that_closes_takes_its_effects_along(desk) -> None:
    desk.live.watch(True)
    desk.drawn.draw(10)
    desk.wait_for(10)
    desk.live.close_project()
    assert desk.live.effects == {}
    assert desk.live.request is None


def test_it_stops_after_the_model_in_hand(desk, qtbot) -> None:
    desk.live.watch(True)
    desk.runs.may_go.clear()
    desk.drawn.draw(10)
    qtbot.waitUntil(desk.runs.begun.is_set)
    threading.Timer(0.05, desk.runs.may_go.set).start()
    desk.live.stop()
    assert len(desk.runs.asked) == 1
    desk.drawn.draw(20)
    assert len(desk.runs.asked) == 1


def test_a_window_that_closes_does_not_wait_for_models_that_load(desk, qtbot) -> None:
    may_go, begun = threading.Event(), threading.Event()

    def load(_model):
        begun.set()
        assert may_go.wait(20)
        raise RuntimeError("the program is ending")

    desk.runs.load = load
    desk.live.watch(True)
    desk.drawn.draw(10)
    qtbot.waitUntil(begun.is_set)
    (thread,) = (one for one in threading.enumerate() if one.name == "live lesion")
    began = time.monotonic()
    desk.live.stop()
    assert time.monotonic() - began < 2.0
    assert thread.is_alive()
    assert not thread.daemon  # the program waits for it: torn from an import it would end in a crash
    may_go.set()
    thread.join(20)
    assert not thread.is_alive()
    qtbot.wait(20)
    assert not desk.live.failures
    assert not desk.runs.asked


_OPEN_WITHOUT_CLOSING = """
import os
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtWidgets import QApplication
from gazeapp.ui.lesions.live_worker import LesionWorker, Newest
app = QApplication([])
class Runs:
    def load(self, model): print(model, flush=True)
worker = LesionWorker(Newest(), Runs)
worker.ask_to_load(("one",))
"""


def test_a_program_that_ends_without_closing_its_window_ends() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _OPEN_WITHOUT_CLOSING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "one\n"), ended.stderr


def test_a_picture_that_is_gone_is_told_in_the_rows_until_it_is_back(desk, qtbot) -> None:
    with Project.open(desk.study.path) as project:
        file = project.images.file(project.images.get(desk.study.images[0]))
    away = file.rename(file.with_name("away"))
    desk.live.watch(True)
    desk.drawn.draw(10)
    qtbot.waitUntil(lambda: set(desk.live.failures) == set(MODELS))
    assert not desk.live.is_busy
    away.rename(file)
    desk.loader.refresh()
    desk.wait_for(10)
    assert not desk.live.failures


def test_a_mask_that_is_looked_at_is_asked_for_until_it_is_there(desk, qtbot) -> None:
    asked = []
    desk.loader.answered.connect(lambda question, _answer: asked.append(question))
    desk.live.watch(True)
    desk.loader.refresh()  # what waited is not answered any more
    wanted = MaskQuestion("mask 1", desk.study.images[0], 0)
    qtbot.waitUntil(lambda: wanted in asked)
