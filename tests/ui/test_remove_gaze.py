"""Taking recordings out of the study from the window."""

from __future__ import annotations

from PySide6.QtCore import Qt

from gazeapp.ui.dialogs.remove import RemoveDialog


def test_only_what_is_ticked_is_removed(qtbot):
    dialog = RemoveDialog(
        None, "Remove recordings", "They go.", {3: "a.asc", 7: "b.asc"}, ("recording", "recordings")
    )
    qtbot.addWidget(dialog)
    assert dialog.chosen == ()
    assert not dialog.accept_button.isEnabled()
    assert dialog.accept_button.toolTip() == "Tick the recordings to remove."
    dialog._list.item(1).setCheckState(Qt.CheckState.Checked)
    assert dialog.chosen == (7,)
    assert dialog.accept_button.isEnabled()
    assert dialog.accept_button.text() == "Remove 1 recording"
