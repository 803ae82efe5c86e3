"""The window: opening, closing, dropping, and nothing lost while work runs."""

import os
import sqlite3
import sys
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QLockFile, QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QPushButton

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.ui.session import recent, remember
from tests.ui.small_study import CAPTION, add_run, build, draw


def drop(window, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)


def slow(units=10_000, pause=0.002, started=None):
    def work(project, progress):
        for number in range(units):
            if progress.cancelled:
                return
            with project.transaction():
                project.problems.add("test", f"unit {number}", "first half")
                if started is not None:
                    started.set()
                time.sleep(pause)
                project.problems.add("test", f"unit {number}", "second half")
            progress.report(number + 1, units, "unit")

    return work


def test_a_project_opens_with_image_task_and_panels(open_window, study):
    window = open_window
    assert window.pages.currentWidget() is window.bench.compare
    assert window.selection.image_id == study.images[0]
    assert window.selection.task == "general"
    assert window.top.tasks.values == ["general", "social"]
    assert window.windowTitle().startswith("small")
    for dock in (window.bench.images_dock, window.bench.inspector_dock, window.bench.results_dock):
        assert dock.isVisible()
    assert recent()[0] == study.path


def test_the_task_switch_and_its_key_change_the_selection(open_window, qtbot):
    window = open_window
    window.top.tasks._group.button(1).click()
    assert window.selection.task == "social"
    window.actions_["view.next_task"].trigger()
    assert window.selection.task == "general"
    assert window.top.tasks._group.checkedButton().text() == "general"


def test_actions_step_images_and_words(open_window, study):
    window = open_window
    window.actions_["view.next_image"].trigger()
    assert window.selection.image_id == study.images[1]
    window.actions_["view.previous_image"].trigger()
    assert window.selection.image_id == study.images[0]
    window.actions_["view.next_word"].trigger()
    assert window.selection.word == 0
    window.actions_["view.previous_word"].trigger()
    assert window.selection.word == -1


def test_ticks_follow_the_display_state(open_window):
    window = open_window
    window.actions_["view.difference"].trigger()
    assert window.selection.display.show_difference
    window.selection.update(show_difference=False)
    assert not window.actions_["view.difference"].isChecked()


def test_closing_a_project_goes_back_to_the_welcome_page(open_window, study):
    window = open_window
    window.actions_["file.close"].trigger()
    assert window.pages.currentWidget() is window.welcome
    assert window.selection.image_id is None
    assert not window.bench.images_dock.isVisible()
    assert [line.project.path for line in window.welcome.lines] == [study.path]
    assert window.actions_.reason("study.score") == "open a project first"


def test_the_layout_is_remembered_and_can_be_reset(open_window, qtbot, study):
    window = open_window
    window.bench.inspector_dock.close()
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, window.bench.images_dock)
    window.actions_["file.close"].trigger()
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(study.path)
    assert not window.bench.inspector_dock.isVisible()
    assert window.dockWidgetArea(window.bench.images_dock) == Qt.DockWidgetArea.RightDockWidgetArea
    window.actions_["view.reset"].trigger()
    assert window.bench.inspector_dock.isVisible()
    assert window.dockWidgetArea(window.bench.images_dock) == Qt.DockWidgetArea.LeftDockWidgetArea
    window.close()
    assert QSettings().value("layout") is not None


def test_every_dock_and_bar_has_a_name_of_its_own(window):
    from PySide6.QtWidgets import QDockWidget, QToolBar

    names = [w.objectName() for kind in (QDockWidget, QToolBar) for w in window.findChildren(kind)]
    assert "" not in names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", ["no project", "newer", "gone", "damaged"])
def test_what_cannot_be_opened_gives_a_sentence(window, qtbot, tmp_path, study, kind):
    path = tmp_path / "x.gaze"
    if kind == "no project":
        path.write_text("hello")
    elif kind == "damaged":
        path.write_bytes(study.path.read_bytes()[:5000])
    elif kind == "newer":
        Project.create(path).close()
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 999")
        db.close()
    with qtbot.waitSignal(window.session.failed_to_open):
        window.session.open(path)
    words = {"no project": "no gazeapp project", "newer": "newer gazeapp", "gone": "no such project"}
    assert words.get(kind, "") in window.strip.notice.what
    assert window.strip.isVisible()
    assert window.pages.currentWidget() is window.welcome


def test_a_failed_opening_leaves_the_open_project_alone(open_window, qtbot, tmp_path, study):
    path = tmp_path / "x.gaze"
    path.write_text("hello")
    with qtbot.waitSignal(open_window.session.failed_to_open):
        open_window.session.open(path)
    assert open_window.session.path == study.path
    assert open_window.pages.currentWidget() is open_window.bench.compare


def test_a_second_window_on_the_same_project_only_looks(window, qtbot, study):
    other = QLockFile(f"{study.path}.lock")
    assert other.tryLock(0)
    try:
        with qtbot.waitSignal(window.session.refreshed):
            window.session.open(study.path)
        assert "another gazeapp" in window.session.read_only
        assert window.actions_.reason("study.images") == window.session.read_only
        assert window.actions_.reason("study.report") == ""
        assert "looking only" in window.strip.notice.what
    finally:
        other.unlock()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that is read-only")
def test_a_read_only_folder_opens_for_looking(window, qtbot, study):
    study.path.parent.chmod(0o555)
    try:
        with qtbot.waitSignal(window.session.refreshed):
            window.session.open(study.path)
        assert "cannot be written" in window.session.read_only
    finally:
        study.path.parent.chmod(0o755)


def test_closing_during_work_waits_for_the_unit_in_hand(open_window, qtbot, study):
    window, started = open_window, threading.Event()
    window.session.submit("slow", slow(started=started))
    assert started.wait(60)
    assert not window.close()
    assert window.isVisible()
    assert "unit in hand" in window.strip.notice.what
    qtbot.waitUntil(lambda: not window.isVisible())
    with Project.open(study.path) as project:
        stored = [p for p in project.problems.all() if p.verb == "test"]
        assert project.integrity_problems() == []
    assert stored
    assert len(stored) % 2 == 0


def test_a_finished_job_refreshes_the_panels(open_window, qtbot):
    window = open_window
    with qtbot.waitSignal(window.session.refreshed):
        window.session.submit(
            "one", lambda project, _p: project.problems.add("test", "here", "Odd.", "Look.")
        )
    qtbot.waitUntil(lambda: window.bench.jobs.problems != ())
    assert [(p.where, p.what) for p in window.bench.jobs.problems] == [("here", "Odd.")]


def test_a_job_of_a_closed_project_does_not_bring_it_back(open_window, qtbot):
    window, started = open_window, threading.Event()
    job = window.session.submit("slow", slow(started=started))
    assert started.wait(60)
    window.session.close()
    window.session.runner.cancel(job)
    qtbot.waitUntil(lambda: not window.session.runner.busy)
    qtbot.wait(50)
    assert window.session.study is None
    assert window.pages.currentWidget() is window.welcome


def test_a_failed_job_shows_its_sentences(open_window, qtbot):
    def work(_project, _progress):
        raise ValueError("odd")

    open_window.session.submit("bad", work)
    qtbot.waitUntil(lambda: open_window.strip.notice is not None)
    assert "ValueError: odd" in open_window.strip.notice.what


def test_images_dropped_on_the_welcome_page_start_a_project(window, qtbot, study, monkeypatch, tmp_path):
    from gazeapp.ui.dialogs.new_project import NewProjectDialog

    seen = []
    monkeypatch.setattr(NewProjectDialog, "exec", lambda self: seen.append(self.images) or 0)
    drop(window, study.path.parent)
    assert seen == [[study.path.parent]]


def test_images_dropped_on_a_project_are_added(open_window, qtbot, study, tmp_path):
    from tests.ui.small_study import draw

    more = tmp_path / "more"
    more.mkdir()
    draw(more / "new.png", 40, 30, 7)
    drop(open_window, more)
    qtbot.waitUntil(lambda: len(open_window.session.study.images) == 4)
    assert "new.png" in {row.name for row in open_window.session.study.images.values()}


def test_recordings_dropped_open_the_import_dialog(open_window, monkeypatch, tmp_path):
    from gazeapp.ui.dialogs.import_gaze import ImportGazeDialog

    seen = []
    monkeypatch.setattr(
        ImportGazeDialog, "exec", lambda self: seen.append([entry.file for entry in self.files.entries]) or 0
    )
    table, odd = tmp_path / "f.csv", tmp_path / "song.mp3"
    table.write_text("image,subject,x,y\nscene-001.png,s,1,2\n")
    odd.write_bytes(b"la")  # what it holds is told by its content, in the dialog
    drop(open_window, table)
    drop(open_window, odd)
    assert seen == [[str(table)], [str(odd)]]


def test_a_default_geometry_given_in_the_dialog_is_stored_before_the_import(
    open_window, qtbot, monkeypatch, tmp_path
):
    from gazeapp.engine.gaze.geometry import Geometry
    from gazeapp.engine.project.gaze_rules import default_geometry
    from gazeapp.ui.dialogs.import_gaze import ImportGazeDialog
    from tests.ui.test_import_gaze import eyelink, settle

    def accept(dialog):
        settle(qtbot, dialog)
        for box, size in zip(dialog.screen_page.form.fields["screen"].boxes, (320, 192), strict=True):
            box.setValue(size)
        dialog.screen_page._makes_default.click()
        settle(qtbot, dialog)
        return 1

    monkeypatch.setattr(ImportGazeDialog, "exec", accept)
    files = [eyelink(tmp_path / f"{name}.asc", trials=n, screen="") for name, n in (("a", 1), ("b", 3))]
    drop(open_window, *files)
    qtbot.waitUntil(lambda: not open_window.session.runner.busy)
    with Project.open(open_window.session.path) as project:
        assert default_geometry(project) == Geometry(screen=(320, 192))
        stored = project.gaze.recordings()[-2:]
        assert [Path(row.file).name for row in stored] == ["a.asc", "b.asc"]
        # Each trial has a fixation in the middle of its image and one off the screen.
        assert [(t.n_fixations, t.n_kept) for row in stored for t in project.gaze.trials(row.id)] == [
            (2, 1)
        ] * 4


def test_a_folder_brings_its_images_first_and_then_its_recordings(open_window, qtbot, monkeypatch, tmp_path):
    from gazeapp.ui.dialogs.import_gaze import ImportGazeDialog

    seen = []

    def look(dialog):
        files = [Path(entry.file).name for entry in dialog.files.entries]
        seen.append((files, len(open_window.session.study.images)))
        return 0

    monkeypatch.setattr(ImportGazeDialog, "exec", look)
    folder = tmp_path / "lab"
    folder.mkdir()
    draw(folder / "new.png", 40, 30, 7)
    (folder / "gaze.csv").write_text("image,subject,x,y\nnew.png,s,1,2\n")
    (folder / "colours.csv").write_text("colour,size\nred,3\n")
    drop(open_window, folder)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [(["gaze.csv"], 4)]


def test_a_dropped_project_opens(window, qtbot, study):
    with qtbot.waitSignal(window.session.refreshed):
        drop(window, study.path)
    assert window.session.path == study.path


def test_what_is_none_of_these_is_said(open_window, tmp_path):
    path = tmp_path / "nothing in it"
    path.mkdir()
    drop(open_window, path)
    assert "not something" in open_window.strip.notice.what
    assert "nothing in it" in open_window.strip.notice.where


def test_a_new_project_is_made_and_opened(window, qtbot, study, tmp_path):
    path = tmp_path / "fresh.gaze"
    with qtbot.waitSignal(window.session.refreshed):
        window.study_actions.create(path, ["free"], [study.path.parent])
    assert window.session.path == path
    assert len(window.session.study.images) == 3
    assert window.session.study.tasks == ("free",)


def test_a_folder_without_images_gives_a_sentence_and_no_project(window, qtbot, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    window.study_actions.create(tmp_path / "none.gaze", ["free"], [empty])
    qtbot.waitUntil(lambda: window.strip.notice is not None)
    assert "No pictures" in window.strip.notice.what
    assert not (tmp_path / "none.gaze").exists()
    assert window.session.path is None


def test_recent_projects_that_are_gone_say_so(window, study, tmp_path):
    remember(study.path)
    remember(tmp_path / "gone.gaze")
    window._show_recent()
    gone, here = window.welcome.lines
    assert not gone.button.isEnabled()
    assert "not there" in gone.button.toolTip()
    assert here.button.isEnabled()
    window._forget(tmp_path / "gone.gaze")
    assert [line.project.path for line in window.welcome.lines] == [study.path]


def test_the_theme_follows_the_menu(window):
    from gazeapp.ui import theme

    window.actions_["theme.dark"].trigger()
    assert theme.colors() is theme.DARK
    assert QSettings().value("theme") == "dark"
    window.actions_["theme.light"].trigger()
    assert theme.colors() is theme.LIGHT
    assert window.palette().window().color().name() == theme.LIGHT.window


def fake_demo(monkeypatch, tmp_path, go):
    from gazeapp.engine.workflows import demo
    from gazeapp.engine.workflows.base import Summary
    from gazeapp.ui import study_actions, worker

    monkeypatch.setattr(worker, "_leave_a_core_for_the_window", lambda: None)  # loads torch: seconds

    def build_demo(settings, progress):
        progress.report(1, 2, "drawing scenes")
        assert go.wait(60)
        path = build(tmp_path / "made").path
        path.rename(settings.project_path)
        return Summary("demo", 1, 0, 0, False, 0.1)

    monkeypatch.setattr(demo, "build_demo", build_demo)
    monkeypatch.setattr(study_actions, "demo_folder", lambda: tmp_path)


def test_the_demo_is_built_in_the_background_and_then_opens(window, qtbot, monkeypatch, tmp_path):
    go = threading.Event()
    fake_demo(monkeypatch, tmp_path, go)
    window.actions_["file.demo"].trigger()
    qtbot.waitUntil(lambda: window.welcome.demo._text.text() == "Drawing scenes")
    window.actions_["file.demo"].trigger()
    assert len(window.session.runner.jobs) == 1
    with qtbot.waitSignal(window.session.refreshed):
        go.set()
    assert window.session.path == tmp_path / "demo.gaze"
    assert not window.welcome.demo._bar.isVisibleTo(window.welcome.demo)


def test_the_demo_does_not_push_another_project_away(open_window, qtbot, monkeypatch, tmp_path, study):
    go = threading.Event()
    fake_demo(monkeypatch, tmp_path, go)
    open_window.actions_["file.demo"].trigger()
    go.set()
    qtbot.waitUntil(lambda: open_window.strip.notice is not None)
    assert "demo study is ready" in open_window.strip.notice.what
    assert open_window.session.path == study.path


def test_a_project_whose_lock_cannot_be_written_opens_for_looking(window, tmp_path):
    reason = window.session._take_lock(tmp_path / "no such folder" / "x.gaze")
    assert "cannot be written" in reason


def test_a_project_on_the_command_line_opens_without_the_welcome_page(window, qtbot, study, tmp_path):
    with qtbot.waitSignal(window.session.refreshed):
        window.open_at_start(study.path)
        assert window.pages.currentWidget() is not window.welcome
    assert window.pages.currentWidget() is window.bench.compare
    window.session.close()
    with qtbot.waitSignal(window.session.failed_to_open):
        window.open_at_start(tmp_path / "gone.gaze")
    assert window.pages.currentWidget() is window.welcome


def test_a_cancelled_new_project_opens_with_what_was_added(window, qtbot, study, tmp_path, monkeypatch):
    from gazeapp.engine.workflows import images

    add, started = images.add_images, threading.Event()

    def slow_add(project, settings, progress):
        started.set()
        while not progress.cancelled:
            time.sleep(0.005)
        return add(project, settings, progress)

    monkeypatch.setattr(images, "add_images", slow_add)
    path = tmp_path / "fresh.gaze"
    job = window.study_actions.create(path, ["free"], [study.path.parent])
    assert started.wait(60)
    with qtbot.waitSignal(window.session.refreshed):
        window.session.runner.cancel(job)
    assert window.session.path == path


def test_what_another_program_stores_shows_everywhere(window, qtbot, tmp_path, monkeypatch):
    from gazeapp.ui import loader

    monkeypatch.setattr(loader, "_LOOK_SECONDS", 0.05)
    path = build(tmp_path / "bare", models=0, scored=False).path
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(path)
    qtbot.waitUntil(lambda: window.bench.compare.scene is not None)
    assert not _status_says(window, "1 model")
    assert [pane.source for pane in window.bench.compare.panes] == ["people"]
    with Project.open(path) as project, project.transaction():
        settings = project.settings.put("test", {"seed": 2})
        project.runs.put_model(ModelInfo(id="late", name="Late", kind="captioner", domain="demo-world"))
        add_run(project, project.images.all()[0].id, "late", "general", CAPTION, settings)
    qtbot.waitUntil(lambda: _status_says(window, "1 model"))
    qtbot.waitUntil(lambda: [pane.source for pane in window.bench.compare.panes] == ["people", "late"])


def _status_says(window, words):
    return any(
        words in each.text() for kind in (QLabel, QPushButton) for each in window.status.findChildren(kind)
    )


def test_scanpaths_are_compared_from_the_window_and_shown(open_window, qtbot):
    window = open_window
    window.bench.show_scores()
    window.bench.scores.show_view("scanpaths")
    window.actions_["study.scanpaths"].trigger()
    panel = window.bench.scores
    qtbot.waitUntil(lambda: panel.table.results.rowCount() > 0 and panel.view.id == "scanpaths")
    assert panel.figure.figure is not None
    assert panel.table.results.cell(0, 1).value is not None
