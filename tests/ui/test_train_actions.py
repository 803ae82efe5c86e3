"""Trainings from the window: started apart from it, watched, stopped, taken up, and told of when they end."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
import shiboken6
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMainWindow, QMessageBox

from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.ui import theme, training_process
from gazeapp.ui.actions import Actions
from gazeapp.ui.dialogs.train import TrainDialog
from gazeapp.ui.drops import sort_drop
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.train_actions import TrainActions
from gazeapp.ui.training_folder import FAILED, FINISHED, RUNNING, SILENT, STOPPED, TrainingReader
from tests.ui.test_training_folder import Fake, evaluation, line

TRAINER = Path(__file__).with_name("fake_trainer.py")


@pytest.fixture
def trainer(monkeypatch):
    """Let trainings be done by a stand-in; those that are left end with the test."""
    monkeypatch.setattr(training_process, "own_program", lambda: [sys.executable, str(TRAINER)])
    monkeypatch.setattr("gazeapp.ui.training_folder._START_S", 0.5)
    yield
    for child in training_process._children:
        child.kill()
        child.wait()
    training_process._children.clear()


class Plain(QMainWindow):
    """As much of the window as trainings need."""

    def __init__(self, app):
        super().__init__()
        self.actions_ = Actions(self)
        self.notifications = Notifications(app)
        self.train_actions = TrainActions(self, self.actions_, self.notifications)


@pytest.fixture
def fast(qapp):
    """A window whose trainings are looked at more often than people need."""
    look = theme.Theme(qapp, "light")
    made = Plain(qapp)
    made.train_actions.watch._timer.setInterval(50)
    made.show()
    yield made
    made.train_actions.stop()
    shiboken6.delete(made)
    shiboken6.delete(look)


def state_of(window, folder):
    found = [each for each in window.train_actions.watch.trainings if each.folder == folder]
    return found[0].state if found else ""


def one_of(window, folder):
    return next(each for each in window.train_actions.watch.trainings if each.folder == folder)


def start(window, folder, steps=50_000):
    """Start a training that does not end before the test, however busy the machine."""
    words = ["train", "--output", str(folder), "--steps", str(steps)]
    window.train_actions._start(words, folder)


def test_a_training_is_started_stopped_and_taken_up_where_it_stopped(fast, trainer, qtbot, tmp_path):
    folder = tmp_path / "new"
    start(fast, folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) == RUNNING and one_of(fast, folder).step > 2)
    shown = fast.train_actions._shown
    assert shown.isVisible()
    assert shown.current.folder == folder
    assert shown.stop_button.isEnabled()
    assert not shown.go_on_button.isEnabled()
    assert not fast.train_actions.line.isHidden()
    assert fast.train_actions.line.text().startswith("CNN-LSTM")
    shown.stop_button.click()
    qtbot.waitUntil(lambda: state_of(fast, folder) == STOPPED)
    at = one_of(fast, folder).step
    assert 2 < at < 50_000
    assert shown.go_on_button.isEnabled()
    assert fast.train_actions.line.isHidden()
    (folder / "training" / "settings.json").write_text(
        json.dumps({"encoder": "cnn", "decoder": "lstm", "steps": at + 5})
    )
    qtbot.waitUntil(lambda: one_of(fast, folder).settings["steps"] == at + 5)
    shown.go_on_button.click()
    qtbot.waitUntil(lambda: state_of(fast, folder) == FINISHED)
    steps = one_of(fast, folder).curve.steps.tolist()
    assert steps == list(range(1, at + 6))
    assert shown.add_button.isEnabled()


def test_a_training_that_broke_is_told_with_what_it_wrote_in_need(fast, trainer, qtbot, tmp_path):
    folder = tmp_path / "new"
    settings = {"encoder": "cnn", "decoder": "lstm", "steps": 9, "breaks_at": 3}
    file = folder / "training" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(settings))
    notices = []
    fast.notifications.notified.connect(notices.append)
    fast.train_actions._start(training_process.words_of("train", file), folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) == SILENT)
    qtbot.waitUntil(lambda: bool(notices))
    assert "ended before its time" in notices[-1].what
    assert notices[-1].details == "The disk is full."
    shown = fast.train_actions._shown
    assert shown._details.text() == "The disk is full."
    assert shown.go_on_button.isEnabled()


def test_a_training_outlives_the_window_and_is_there_again_in_the_next(fast, trainer, qtbot, tmp_path):
    folder = tmp_path / "new"
    start(fast, folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) == RUNNING and one_of(fast, folder).step > 2)
    pid = one_of(fast, folder).pid
    fast.train_actions.stop()
    assert psutil.pid_exists(pid)
    assert QSettings().value("trainings") in (str(folder), [str(folder)])
    assert TrainingReader(folder).read().state == RUNNING


@pytest.mark.parametrize(
    ("answer", "closes", "stops"), [(0, True, False), (1, True, True), (2, False, False)]
)
def test_closing_asks_what_becomes_of_it(fast, trainer, qtbot, tmp_path, monkeypatch, answer, closes, stops):
    folder = tmp_path / "new"
    start(fast, folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) == RUNNING)
    monkeypatch.setattr(QMessageBox, "exec", lambda _box: 0)
    monkeypatch.setattr(QMessageBox, "clickedButton", lambda box: _by_place(box, answer))
    assert fast.train_actions.may_close() == closes
    assert (
        (folder / "training" / "stop").exists() or not stops or TrainingReader(folder).read().state == STOPPED
    )


def _by_place(box, answer):
    roles = (
        QMessageBox.ButtonRole.AcceptRole,
        QMessageBox.ButtonRole.DestructiveRole,
        QMessageBox.ButtonRole.RejectRole,
    )
    return next(button for button in box.buttons() if box.buttonRole(button) == roles[answer])


def test_the_four_of_a_factorial_are_followed_by_their_folder_and_drawn_together(fast, qtbot, tmp_path):
    for number, name in enumerate(("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")):
        fake = Fake(tmp_path / "all" / name)
        encoder, decoder = name.split("-")
        fake.write("settings.json", json.dumps({"encoder": encoder, "decoder": decoder, "steps": 1000}))
        fake.status("finished", step=1000)
        fake.add(
            *(line(step, 3.0 + number) for step in range(20, 1001, 20)), evaluation(1000, 0.5, best=True)
        )
    fast.train_actions.follow(tmp_path / "all")
    shown = fast.train_actions._shown
    qtbot.waitUntil(lambda: len(shown.shown) == 4)
    assert [name.text() for name in shown.curves._names] == [
        "CNN-LSTM",
        "CNN-Transformer",
        "ViT-LSTM",
        "ViT-Transformer",
    ]
    assert len({name.brush().color().name() for name in shown.curves._names}) == 4
    assert shown.design_button.isHidden()
    (tmp_path / "all" / "FACTORIAL.md").write_text("# The four")
    qtbot.waitUntil(lambda: not shown.design_button.isHidden())
    fifth = Fake(tmp_path / "fifth")
    fifth.status("stopped", step=20)
    fast.train_actions.follow(tmp_path / "fifth")
    qtbot.waitUntil(lambda: shown.list.count() == 5)
    assert len(shown.shown) == 4
    item = shown.list.item(4)
    item.setCheckState(Qt.CheckState.Checked)
    assert item.checkState() == Qt.CheckState.Unchecked
    assert "untick one first" in item.toolTip()
    shown.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    item.setCheckState(Qt.CheckState.Checked)
    assert [each.folder.name for each in shown.shown][-1] == "fifth"


def test_one_of_four_can_be_taken_off_and_the_others_stay(fast, qtbot, tmp_path):
    for name in ("a", "b"):
        Fake(tmp_path / "all" / name).status("stopped", step=20)
    watch = fast.train_actions.watch
    watch.add(tmp_path / "all")
    qtbot.waitUntil(lambda: len(watch.trainings) == 2)
    watch.remove(tmp_path / "all" / "a")
    assert [each.folder.name for each in watch.trainings] == ["b"]
    watch.look()
    qtbot.wait(200)
    assert [each.folder.name for each in watch.trainings] == ["b"]


def test_keys_move_along_the_curves(fast, qtbot, tmp_path):
    fake = Fake(tmp_path / "one")
    fake.status("stopped", step=60)
    fake.add(line(20, 3.0), line(40, 2.0), line(60, 1.0))
    fast.train_actions.follow(fake.folder)
    curves = fast.train_actions._shown.curves
    qtbot.waitUntil(lambda: bool(curves._drawn))
    for key, step in (
        (Qt.Key.Key_Home, 20),
        (Qt.Key.Key_Right, 40),
        (Qt.Key.Key_End, 60),
        (Qt.Key.Key_Left, 40),
    ):
        qtbot.keyClick(curves, key)
        assert f"step {step} " in curves.readout.whole
    qtbot.keyClick(curves, Qt.Key.Key_Escape)
    assert "arrow keys" in curves.readout.whole


def drop_on(window, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(QPoint(5, 5)), action, data, Qt.MouseButton.LeftButton, none))


def test_dropped_trainings_are_followed_and_dropped_captions_open_the_dialog(
    window, qtbot, tmp_path, monkeypatch
):
    fake = Fake(tmp_path / "one")
    fake.status("stopped", step=20)
    drop_on(window, fake.folder)
    qtbot.waitUntil(lambda: state_of(window, fake.folder) == STOPPED)
    captions = tmp_path / "captions.csv"
    captions.write_text("image,caption\na.png,a ball\n")
    asked = []
    monkeypatch.setattr(TrainActions, "train", lambda _self, paths=(): asked.append(paths))
    drop_on(window, captions)
    assert asked == [[captions]]
    table = tmp_path / "fixations.csv"
    table.write_text("image,x,y,duration\na.png,1,2,200\n")
    assert sort_drop([table]).captions == []
    assert sort_drop([table]).gaze == [table]


def test_a_dialog_that_is_accepted_starts_its_training(fast, trainer, qtbot, tmp_path, monkeypatch):
    folder = tmp_path / "new"

    def accept(dialog):
        dialog.data.kind.setCurrentIndex(1)
        dialog.budget.fields["steps"].setValue(5)
        dialog.out.set_path(folder)
        return dialog.DialogCode.Accepted

    monkeypatch.setattr(TrainDialog, "exec", accept)
    fast.actions_["models.train"].trigger()
    qtbot.waitUntil(lambda: state_of(fast, folder) == FINISHED)
    assert one_of(fast, folder).curve.steps.tolist() == [1, 2, 3, 4, 5]


def test_the_real_command_trains_a_captioner_that_is_then_offered_among_the_models(fast, qtbot, tmp_path):
    from gazeapp.engine.models.captioner.own import own_folders

    folder = tmp_path / "tiny"
    values = asdict(TrainSettings(steps=2, batch=2, n_scenes=4, n_validation=1, n_test=1, out=str(folder)))
    fast.train_actions._start(training_process.training_words("train", values), folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) in (FINISHED, SILENT, FAILED))
    training = one_of(fast, folder)
    assert training.state == FINISHED, training.errors
    assert training.curve.steps.tolist()[-1] == 2
    assert (training.name, training.steps) == ("CNN-LSTM", 2)
    assert training.has_card
    fast.train_actions._shown.add_button.click()
    assert own_folders() == (folder.resolve(),)
