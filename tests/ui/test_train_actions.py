"""Trainings from the window: started apart from it, watched, stopped, taken up, and told of when they end."""

import json
import os
import subprocess
import sys
import time
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
from gazeapp.ui.dialogs.train import TrainDialog, why_not_here
from gazeapp.ui.drops import sort_drop
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.panels.training_words import in_a_sentence
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
    qtbot.waitUntil(shown.go_on_button.isEnabled)  # once its process has gone
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
    settings = {
        "encoder": "cnn",
        "decoder": "lstm",
        "steps": 99,
        "breaks_at": 50,
    }  # after it was seen at work
    file = folder / "training" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(settings))
    notices = []
    fast.notifications.notified.connect(notices.append)
    fast.train_actions._start(["train", "--output", str(folder)], folder)
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


def settings_in(folder, **changes):
    """Give a training's folder the settings that a real one has."""
    settings = asdict(TrainSettings(out="/where/it/was", **changes))
    (folder / "training").mkdir(parents=True, exist_ok=True)
    (folder / "training" / "settings.json").write_text(json.dumps(settings))
    return settings


@pytest.mark.parametrize(
    "planted", [["runner", "agree", "run.py", "--yes"], ["models", "allow-code", "x"], ["demo", "made"]]
)
def test_going_on_runs_nothing_but_trainings_whatever_a_folder_says(tmp_path, planted):
    folder = tmp_path / "evil"
    settings_in(folder, steps=7, rate=0.5, data="captions.csv", tasks=("general", "social"))
    (folder / "training" / "command.json").write_text(json.dumps(planted))
    words, where = training_process.words_to_go_on(folder, folder)
    assert where == folder
    assert words[0] == "train"
    assert not set(planted) & set(words)


@pytest.mark.parametrize("encoder", ["cnn", "resnet18"])
@pytest.mark.parametrize("weights", ["none", "timm", "file.safetensors"])
@pytest.mark.parametrize("frozen", [True, False])
def test_going_on_gives_the_settings_in_the_folder_at_hand(tmp_path, encoder, weights, frozen):
    """The command line reads the words as the settings that the folder holds, but for the folder itself."""
    folder = tmp_path / "copied"
    changes = {"rate": 0.1 + 0.2, "grid": (7, 5), "tasks": ("a b", "-c"), "name": "--json", "data": "a.csv"}
    settings = settings_in(
        folder, encoder=encoder, frozen=frozen, seed=3, encoder_weights=weights, evaluate_every=0, **changes
    )
    words, _ = training_process.words_to_go_on(folder, folder)
    assert read_by_command(words) == TrainSettings(**{**settings, **changes, "out": str(folder)})


def read_by_command(words):
    from gazeapp.cli_train import settings_of_options, train_command

    context = train_command.make_context("train", list(words[1:]))
    given = {name: value for name, value in context.params.items() if name != "as_json"}
    preset, file, others = (given.pop(name) for name in ("preset", "file", "others"))
    return settings_of_options(given, preset, file, others)


def test_a_factorial_that_was_moved_goes_on_where_it_is_now(tmp_path):
    from gazeapp.engine.models.captioner.training.factorial_settings import FactorialSettings, keep_factorial

    out = tmp_path / "was"
    shared = TrainSettings(data="a.csv", steps=9, seed=5, out=str(out))
    keep_factorial(FactorialSettings(shared, ("vit", "cnn"), ("timm", "none"), (5, 6), str(out)))
    settings_in(out / "seed-5" / "vit-lstm")
    here = tmp_path / "is"
    out.rename(here)
    words, where = training_process.words_to_go_on(here, here / "seed-5" / "vit-lstm")
    assert where == here
    assert words[0] == "factorial"
    assert words[words.index("--output") + 1] == str(here)
    assert [words[i + 1] for i, word in enumerate(words) if word == "--seed"] == ["5", "6"]
    assert [words[i + 1] for i, word in enumerate(words) if word == "--encoder"] == ["vit", "cnn"]
    assert [words[i + 1] for i, word in enumerate(words) if word == "--encoder-weights"] == ["timm", "none"]
    assert not {"--decoder", "--name"} & set(words)
    alone = here / "seed-5" / "vit-lstm"
    assert training_process.words_to_go_on(alone, alone)[0][0] == "train"


@pytest.mark.parametrize("text", ["", "[]", '{"run": "this"}', '{"steps": "--yes"}', "[" * 100_000])
def test_settings_that_are_none_are_a_sentence_and_start_nothing(fast, qtbot, tmp_path, monkeypatch, text):
    started = []
    monkeypatch.setattr(training_process, "start", lambda *_: started.append(1))
    fake = Fake(tmp_path / "odd")
    fake.write("settings.json", text)
    fake.status("stopped", step=20)
    fast.train_actions.watch.add(fake.folder)
    qtbot.waitUntil(lambda: state_of(fast, fake.folder) == STOPPED)
    notices = []
    fast.notifications.notified.connect(notices.append)
    fast.train_actions.go_on(one_of(fast, fake.folder))
    assert len(notices) == 1
    assert not started


def test_a_strangers_training_goes_on_after_its_command_was_shown_once(
    fast, trainer, qtbot, tmp_path, monkeypatch
):
    fake = Fake(tmp_path / "theirs")
    fake.write("settings.json", json.dumps({"encoder": "cnn", "decoder": "lstm", "data": "<b>x</b>.csv"}))
    fake.status("stopped", step=20)
    fast.train_actions.follow(fake.folder)
    qtbot.waitUntil(lambda: state_of(fast, fake.folder) == STOPPED)
    shown, answers = [], [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]

    def answer(box):
        shown.append((box.text(), box.textFormat()))
        return answers.pop(0)

    monkeypatch.setattr(QMessageBox, "exec", answer)
    started = []
    monkeypatch.setattr(training_process, "start", lambda words, folder: started.append(words) or 1)
    button = fast.train_actions._shown.go_on_button
    button.click()
    assert not started
    button.click()
    assert "--data '<b>x</b>.csv'" in shown[0][0]
    assert shown[0][1] == Qt.TextFormat.PlainText
    assert shown[1] == shown[0]
    assert training_process.terminal_line(started[0]) in shown[0][0]
    assert fast.train_actions.watch.is_own(fake.folder)
    assert not answers, "and it is not asked a third time"


def test_go_on_starts_one_process_however_often_it_is_pressed(fast, trainer, qtbot, tmp_path):
    for name in ("cnn-lstm", "vit-lstm"):
        fake = Fake(tmp_path / "all" / name)
        fake.status("stopped", step=20)
    watch, root = fast.train_actions.watch, tmp_path / "all"
    watch.add(root, pid=1)
    watch.add(root)
    qtbot.waitUntil(lambda: len(watch.trainings) == 2)
    watch._started.clear()
    watch.look()
    qtbot.waitUntil(lambda: all(each.can_go_on for each in watch.trainings))
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    training_process._children.append(sleeper)
    watch.add(root, sleeper.pid)
    assert not any(each.can_go_on for each in watch.trainings), "at once"
    qtbot.wait(300)
    assert not any(each.can_go_on for each in watch.trainings), "and until it has said something"
    assert "its turn" in in_a_sentence(watch.trainings[0])
    sleeper.kill()
    sleeper.wait()
    qtbot.waitUntil(lambda: all(each.can_go_on for each in watch.trainings))


def test_a_training_that_holds_its_folder_cannot_be_gone_on_with(fast, qtbot, tmp_path):
    from gazeapp.engine.models.captioner.training.lock import alone_in

    fake = Fake(tmp_path / "one")
    fake.status("stopped", step=20)
    watch = fast.train_actions.watch
    watch.add(fake.folder)
    qtbot.waitUntil(lambda: state_of(fast, fake.folder) == STOPPED)
    with alone_in(fake.folder):
        qtbot.waitUntil(lambda: not one_of(fast, fake.folder).can_go_on)
    qtbot.waitUntil(lambda: one_of(fast, fake.folder).can_go_on)


def test_the_words_of_a_stop_are_gone_when_it_goes_on(tmp_path):
    fake = Fake(tmp_path / "one")
    fake.status("stopped", step=34, message="Training was cancelled after step 34 of 1000.")
    reader = TrainingReader(fake.folder)
    assert reader.read().message
    assert reader.read(os.getpid(), time.time() + 1).message == ""


def test_a_later_window_asks_about_what_an_earlier_one_started(fast, trainer, qtbot, tmp_path, monkeypatch):
    folder = tmp_path / "new"
    start(fast, folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) == RUNNING and one_of(fast, folder).step > 2)
    fast.train_actions.stop()
    later = TrainActions(fast, fast.actions_, fast.notifications)
    try:
        qtbot.waitUntil(lambda: len(later.watch.started_here) == 1)
        asked = []
        monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box.text()))
        monkeypatch.setattr(QMessageBox, "clickedButton", lambda _box: None)
        assert not later.may_close()
        assert "still being trained" in asked[0]
    finally:
        later.stop()


def test_a_training_that_could_not_begin_says_why_and_leaves_its_folder_free(fast, qtbot, tmp_path):
    folder = tmp_path / "new"
    values = asdict(TrainSettings(steps=2, batch=2, n_scenes=4, precision="fp16", out=str(folder)))
    fast.train_actions._start(training_process.training_words("train", values), folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) in (FINISHED, SILENT, FAILED))
    said = in_a_sentence(one_of(fast, folder))
    assert said.startswith("Failed before its first step. ")
    assert "graphics cards" in said
    assert not fast.train_actions._shown.go_on_button.isEnabled()
    assert why_not_here(folder) == ""


def test_what_a_process_wrote_last_is_told_where_it_said_nothing_else(fast, trainer, qtbot, tmp_path):
    folder = tmp_path / "new"
    fast.train_actions._start(["train", "--output", str(folder), "--steps", "no number"], folder)
    qtbot.waitUntil(lambda: state_of(fast, folder) == SILENT)
    said = in_a_sentence(one_of(fast, folder))
    assert said.startswith("Its process ended before its first step: ValueError")
    assert "Go on" not in said
