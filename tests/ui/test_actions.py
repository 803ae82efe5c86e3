"""The table of actions: each thing once, each reachable, each with its reason when it cannot be used."""

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QScrollArea

from gazeapp.ui.action_table import MENUS, TABLE, infos
from gazeapp.ui.dialogs.help import ShortcutsDialog
from gazeapp.ui.dialogs.palette import Entry, Palette, entries_of, matches
from gazeapp.ui.study import StudyView
from gazeapp.ui.study_actions import reasons
from gazeapp.ui.theme import resource_path
from tests.ui.small_study import build


def test_ids_and_shortcuts_are_unique():
    ids = Counter(info.id for info in infos())
    keys = Counter(QKeySequence(k).toString() for info in infos() for k in info.shortcuts)
    assert [i for i, n in ids.items() if n > 1] == []
    assert [k for k, n in keys.items() if n > 1] == []
    assert "" not in keys


def test_every_entry_of_the_table_has_a_menu_a_sentence_and_an_icon_that_exists():
    for info in infos():
        assert info.menu in MENUS
        assert info.tooltip.endswith(".")
        assert not info.icon or resource_path("icons", f"{info.icon}.svg").is_file()
    assert len(infos()) == sum(not isinstance(entry, str) for entry in TABLE)


def test_every_action_is_in_its_menu_and_does_something(window):
    def names(menu) -> set[str]:
        actions = menu.actions()
        return {a.objectName() for a in actions}.union(*(names(a.menu()) for a in actions if a.menu()))

    menus = {action.menu().title(): names(action.menu()) for action in window.menuBar().actions()}
    assert window.bench is not None
    for info in infos():
        assert info.id in menus[info.menu]
        # A signal that nobody listens to is an action that does nothing.
        assert window.actions_[info.id].receivers("2triggered(bool)") > 0, info.id


def test_the_palette_and_the_sheet_of_keys_know_every_action(window, qtbot):
    texts = [entry.text for entry in entries_of(window.actions_)]
    for info in infos():
        if info.id != "help.palette":
            assert f"{info.menu.replace('&', '')}  ›  {info.text}" in texts
    sheet = ShortcutsDialog(window, window.actions_)
    qtbot.addWidget(sheet)
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    for info in infos():
        if info.shortcuts:
            assert info.text.rstrip("…") in shown


def test_a_reason_disables_and_explains(window):
    window.actions_.set_reason("study.score", "no gaze has been imported yet")
    action = window.actions_["study.score"]
    assert not action.isEnabled()
    assert "no gaze has been imported yet" in action.toolTip()
    window.actions_.set_reason("study.score", "")
    assert action.isEnabled()
    assert "Not now" not in action.toolTip()


def test_reasons_follow_what_the_study_holds(tmp_path, window):
    from gazeapp.engine.project import Project
    from gazeapp.ui.study import read_study

    nothing = reasons(None, "")
    assert set(nothing.values()) == {"open a project first"}
    path = tmp_path / "empty.gaze"
    with Project.create(path) as project:
        empty = read_study(project)
    assert reasons(empty, "")["study.images"] == ""
    assert "no images" in reasons(empty, "")["study.gaze"]
    full = build(tmp_path / "full")
    with Project.open(full.path) as project:
        ready = read_study(project)
    left = {name: reason for name, reason in reasons(ready, "").items() if reason}
    no_responses = "the project has no brain responses yet"
    assert left == {
        "study.remove_lesions": "nothing was taken away from a model yet",
        "neural.run": no_responses,
        "neural.remove_responses": no_responses,
    }
    locked = reasons(ready, "its folder cannot be written")
    assert locked["study.extract"] == locked["study.maps"] == "its folder cannot be written"
    assert locked["study.report"] == ""
    with Project.open(build(tmp_path / "half", models=0).path) as project:
        without_models = reasons(read_study(project), "")
        assert without_models["study.score"] == without_models["study.scanpaths"] == ""
    with Project.open(build(tmp_path / "blind", subjects=0, scored=False).path) as project:
        without_people = reasons(read_study(project), "")
        assert "no gaze" in without_people["study.scanpaths"]
        assert "no gaze" in without_people["study.score"]
    assert locked["study.scanpaths"] == "its folder cannot be written"
    assert isinstance(ready, StudyView)


@pytest.mark.parametrize(
    ("query", "hit"),
    [("score", True), ("SCORE stu", True), ("stu sco", True), ("", True), ("scores", False), ("x", False)],
)
def test_palette_matching(query, hit):
    assert matches(query, "Study  ›  Score the study") is hit


def test_the_palette_runs_the_first_match_on_enter(window, qtbot):
    ran = []
    palette = Palette(window)
    palette.open_with(
        [
            Entry("Study  ›  Import gaze…", "", lambda: ran.append("gaze"), "open a project first"),
            Entry("Help  ›  About gazeapp", "", lambda: ran.append("about")),
        ]
    )
    qtbot.keyClicks(palette.field, "gaze")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert ran == []  # the first match cannot be used now, and says why
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert ran == ["about"]
    palette.deleteLater()


def test_arrows_and_space_stay_with_the_control_in_focus(open_window, qtbot, study):
    window = open_window
    compare = window.bench.compare
    slider = compare.bar.opacity
    slider.setFocus()
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() > before
    assert window.selection.word == -1
    compare.setFocus()
    qtbot.keyClick(compare, Qt.Key.Key_Right)
    assert window.selection.word == 0
    qtbot.keyClick(compare, Qt.Key.Key_Down)
    assert window.selection.image_id == study.images[1]
    qtbot.keyClick(compare, Qt.Key.Key_Space)
    assert not window.selection.display.show_overlay


def test_names_are_never_markup():
    from gazeapp.ui.widgets import no_mnemonic, plain

    assert plain("a & b\nsecond line") == "a & b\nsecond line"
    assert "<img" not in plain("<img src='x'>.png")
    assert no_mnemonic("say & do") == "say && do"


def test_the_keys_fit_a_small_screen_and_are_listed_once(window, qtbot):
    sheet = ShortcutsDialog(window, window.actions_)
    qtbot.addWidget(sheet)
    sheet.show()
    assert sheet.width() <= 1000
    assert sheet.height() <= 700
    scroll = sheet.findChild(QScrollArea)
    assert scroll.horizontalScrollBar().maximum() == 0
    close = sheet.findChild(QDialogButtonBox)
    assert sheet.rect().contains(close.geometry())
    texts = [label.text() for label in sheet.findChildren(QLabel)]
    assert texts.count("Show the whole image") == 1
