"""Taking lesions out of the study from the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.engine.project import Project
from gazeapp.engine.scoring.findings import LESION
from gazeapp.ui.actions import Actions
from gazeapp.ui.dialogs.remove import RemoveDialog
from gazeapp.ui.lesion_actions import LesionActions
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from tests.ui.small_lesions import put_lesions
from tests.ui.small_study import build


@pytest.fixture
def session(qtbot, tmp_path):
    """A study with lesions, open without a window."""
    from gazeapp.ui.app import make_app
    from gazeapp.ui.notifications import Notifications

    study = build(tmp_path / "study", images=3, subjects=2, scored=False)
    with Project.open(study.path) as project:
        put_lesions(project)
    made = Session(Notifications(make_app()))
    with qtbot.waitSignal(made.refreshed):
        made.open(study.path)
    yield made
    made.stop()


def test_lesions_of_the_masks_that_are_ticked_leave_with_what_was_found(session, qtbot, monkeypatch):
    shown = []

    def tick_left(dialog):
        texts = [dialog._list.item(row).text() for row in range(dialog._list.count())]
        shown.extend(texts)
        (row,) = (row for row, text in enumerate(texts) if text.startswith("left"))
        dialog._list.item(row).setCheckState(Qt.CheckState.Checked)
        assert dialog.accept_button.text() == "Remove 1 mask's lesions"
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(RemoveDialog, "exec", tick_left)
    window = QWidget()
    qtbot.addWidget(window)
    actions = LesionActions(window, session, Selection(window), Actions(window))
    before = session.study.lesions
    assert set(before) == {"left", "right"}
    with qtbot.waitSignal(session.refreshed, timeout=20_000):
        actions.remove()
    actions.stop()
    assert any(f"{before['left']:,} lesions and controls" in text for text in shown)
    with Project.open(session.path) as project:
        assert set(project.lesions.masks()) == {"right"}
        assert {row.finding.lesion.split(" · ")[0] for row in project.findings.findings(LESION)} == {"right"}
        assert project.runs.all()
