"""The dialog that asks a model for brain responses: nothing runs unread, and what is chosen reaches the verb."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.neural.records import FSAVERAGE5, N_VERTICES, Responses
from gazeapp.engine.project import Project
from gazeapp.engine.runners.script import find_script, scripts_folder
from gazeapp.engine.workflows.predict_responses import PredictResponsesSettings
from gazeapp.ui.actions import Actions
from gazeapp.ui.dialogs.consent import CodeQuestion
from gazeapp.ui.dialogs.form import Fold
from gazeapp.ui.dialogs.predict_responses import PredictResponsesDialog
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.predict_actions import PredictActions, prediction_work
from gazeapp.ui.session import Session
from gazeapp.ui.study import read_study
from tests.engine.runners import scripts
from tests.engine.runners.tribe_world import TribeWorld


@pytest.fixture
def dialog(qtbot, view, lookups):
    made = PredictResponsesDialog(None, view, lookups)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.runner.count() > 0)
    return made


def reason(dialog):
    assert dialog.accept_button.isEnabled() == (not dialog.accept_button.toolTip())
    return " ".join(dialog.accept_button.toolTip().split())


def agree_to_tribe():
    find_script("tribe").agree(ConsentStore())


def test_it_says_what_the_model_is_and_asks_for_agreement(qtbot, dialog, monkeypatch):
    assert "simulated" in dialog._facts["What it is"].text()
    assert "CC-BY-NC-4.0" in dialog._facts["Licence"].text()
    assert "GB" in dialog._facts["Download"].text()
    assert dialog._facts["This computer"].text()
    qtbot.waitUntil(lambda: dialog.count.text().endswith("to predict."))
    assert "agree to it" in reason(dialog)
    assert not dialog.agree.isHidden()
    monkeypatch.setattr(CodeQuestion, "exec", lambda _question: QDialog.DialogCode.Rejected)
    dialog.agree.click()
    assert "agree to it" in reason(dialog)
    seen = []

    def say_yes(question):
        seen.append(question.code.widget(0).toPlainText())
        question.accept()
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(CodeQuestion, "exec", say_yes)
    dialog.agree.click()
    assert reason(dialog) == ""
    assert dialog.agree.isHidden()
    assert "You agreed" in dialog.agreed.text()
    script = find_script("tribe")
    assert seen == [script.text]
    assert script.agreed(ConsentStore())


def test_what_is_chosen_are_settings_of_the_verb(qtbot, dialog):
    assert PredictResponsesSettings(**dialog.choice()) == PredictResponsesSettings()
    dialog.name.setText(" Short ")
    dialog.seconds.setValue(6.5)
    dialog.first.setValue(2)
    dialog.last.setValue(5)
    dialog.whole.setChecked(True)
    dialog.fps.setValue(5)
    dialog.at_once.setValue(4)
    dialog.device.setCurrentIndex(1)
    dialog.folder.line.setText("/data/kept")
    assert PredictResponsesSettings(**dialog.choice()) == PredictResponsesSettings(
        "tribe", (), "Short", 6.5, 5, (2.0, 5.0), True, "cpu", 4, "/data/kept"
    )


def test_what_cannot_be_done_is_said(qtbot, dialog):
    agree_to_tribe()
    dialog.name.setText(" ")
    assert "Name the responses" in reason(dialog)
    dialog.name.setText("TRIBE")
    dialog.last.setValue(12)
    assert "has to lie inside the clip" in reason(dialog)
    dialog.last.setValue(0)
    assert dialog.choice()["window"] == (4.0, None)
    assert dialog.last.text() == "the end"
    dialog.seconds.setValue(4.5)
    assert "last at least 1 s" in reason(dialog)


@pytest.mark.parametrize(
    ("folder", "why"),
    [("~nobody-at-all/x", "no home folder “~nobody-at-all”"), ("/tmp/" + "x" * 300, "too long")],
)
def test_a_folder_that_cannot_be_is_told(dialog, folder, why):
    agree_to_tribe()
    dialog.folder.line.setText(folder)
    assert why in reason(dialog)
    dialog.folder.line.setText("/tmp/kept")
    assert why not in reason(dialog)


def test_a_name_of_two_lines_is_refused(dialog):
    dialog.name.setText("one\ttwo")
    assert "a tab, a line break" in reason(dialog)


def test_scripts_that_were_not_looked_for_any_more_are_no_error(qtbot, view, lookups, held):
    dialog = PredictResponsesDialog(None, view, lookups)
    qtbot.addWidget(dialog)
    lookups.cancel_all()
    assert reason(dialog) == "Looking for scripts…"


def test_scripts_of_ones_own_are_offered_and_damaged_ones_told(qtbot, study, lookups):
    folder = scripts_folder()
    folder.mkdir(parents=True)
    scripts.write(folder, scripts.SERVED, "our_brain.py")
    scripts.write(folder, "print()", "notes.py")
    with Project.open(study.path) as project:
        dialog = PredictResponsesDialog(None, read_study(project), lookups)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.runner.count() == 2)
    assert dialog.runner.currentData() == "tribe"
    assert "notes.py" in dialog.trouble.text()
    assert "no runner script" in dialog.trouble.text()
    dialog.runner.setCurrentIndex(1)
    assert dialog._facts["What it is"].text() == "Does as the test says."
    assert (dialog.choice()["runner"], dialog.choice()["name"]) == ("our_brain", "A test")
    dialog.name.setText("Mine")
    dialog.runner.setCurrentIndex(0)
    assert dialog.choice()["name"] == "Mine"


def test_it_counts_what_is_left(qtbot, study, lookups):
    agree_to_tribe()
    with Project.open(study.path) as project:
        view = read_study(project)
        names = [image.name for image in project.images.all()]
        settings = {
            "runner": "tribe",
            "clip_seconds": 10.0,
            "fps": 10,
            "window": [4.0, None],
            "whole_picture": False,
        }

        def put(images):
            values = np.zeros((1, len(images), N_VERTICES), np.float32)
            ones = np.ones((1, len(images)), np.int64)
            made = Responses(
                values, tuple(images), ("",), ones, FSAVERAGE5, True, facts={"settings": settings}
            )
            project.responses.put("TRIBE", made, project.settings.put("predict responses", {}))

        put(names[:1])
        dialog = PredictResponsesDialog(None, view, lookups)
        qtbot.addWidget(dialog)
        qtbot.waitUntil(lambda: "1 have their prediction" in dialog.count.text())
        assert f"{len(names) - 1} to predict" in dialog.count.text()
        assert reason(dialog) == ""
        dialog.seconds.setValue(8)
        qtbot.waitUntil(lambda: "predicted in another way" in reason(dialog))
        dialog.name.setText("Other")
        qtbot.waitUntil(
            lambda: reason(dialog) == "" and dialog.count.text().endswith(f"{len(names)} to predict.")
        )
        put(names)
        dialog.name.setText("TRIBE")
        dialog.seconds.setValue(10)
        qtbot.waitUntil(lambda: "nothing to do" in dialog.count.text())
        assert "Every image has its prediction" in reason(dialog)


def test_the_dialog_grows_with_its_folded_part(qtbot, dialog):
    dialog.show()
    height = dialog.height()
    dialog.findChild(Fold).open()
    qtbot.waitUntil(
        lambda: dialog.height() > height and dialog.folder.height() >= dialog.folder.sizeHint().height()
    )


def test_the_work_of_the_job_is_the_verb(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    world = TribeWorld(tmp_path / "world", monkeypatch)
    agree_to_tribe()

    class Progress:
        cancelled = False

        def report(self, done, total, message):
            pass

    with Project.open(study.path) as project:
        names = tuple(image.name for image in project.images.all())
        summary = prediction_work({"name": "Mine"})(project, Progress())
        assert summary.done == len(names)
        assert project.responses.read("Mine").images == names
    assert world.calls("predict")


@pytest.fixture
def actions(qtbot, study):
    """The action of a window without panels, with the study open."""
    window = QWidget()
    qtbot.addWidget(window)
    session = Session(Notifications(window), window)
    made = PredictActions(window, session, Actions(window))
    with qtbot.waitSignal(session.refreshed):
        session.open(study.path)
    yield made, session
    made.stop()
    session.stop()


def test_the_job_is_queued_once_it_was_accepted(qtbot, actions, monkeypatch):
    predict, session = actions
    monkeypatch.setattr(PredictResponsesDialog, "exec", lambda _dialog: QDialog.DialogCode.Rejected)
    predict.ask()
    assert session.runner.jobs == []

    def accept(dialog):
        qtbot.waitUntil(lambda: dialog.runner.count() > 0)
        dialog.name.setText("Mine")
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(PredictResponsesDialog, "exec", accept)
    # Nobody agreed to anything in these settings, so the verb refuses.
    predict.ask()
    qtbot.waitUntil(lambda: session.runner.jobs and session.runner.jobs[-1].finished)
    job = session.runner.jobs[-1]
    assert job.title == "Simulating responses, Mine"
    assert "have not agreed to" in job.error.what
