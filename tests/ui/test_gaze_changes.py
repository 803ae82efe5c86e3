"""Choices, geometry and offsets in the window: what is stored, and what undo brings back."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.marking import ShiftSettings, shift_trials
from gazeapp.ui.dialogs.gaze_choices import GazeChoicesDialog, in_words
from gazeapp.ui.dialogs.geometry import GeometryDialog
from gazeapp.ui.gaze_steps import choose_step, geometry_step, offset_of_recording, shift_step
from gazeapp.ui.history import Step
from tests.ui.small_study import HEIGHT, WIDTH, build

NOWHERE = (0.0, 0.0)


def read(path, question):
    with Project.open(path) as project:
        return question(project)


def shifts(path):
    return read(path, lambda project: {trial.id: trial.shift for trial in project.gaze.trials()})


def moved(path):
    return {trial_id: shift for trial_id, shift in shifts(path).items() if shift != NOWHERE}


def fixations(path, image):
    return read(path, lambda project: project.gaze.fixations(image, "general"))


def human_map_of(study):
    return read(study.path, lambda project: project.maps.human(study.images[0], "general").values)


def idle(qtbot, window):
    qtbot.waitUntil(lambda: not window.session.runner.busy and not window.session.reader.busy)


@pytest.fixture
def mover(open_window):
    """The mover of a window that moves scanpaths."""
    open_window.actions_["edit.move"].trigger()
    return open_window.bench.compare.mover


@pytest.fixture
def people(open_window):
    return open_window.bench.compare.pane("people").view


def place_of(people, trial_fixations, row=0):
    x, y = trial_fixations.x[row], trial_fixations.y[row]
    return people.image_transform().map(QPointF(x, y)).toPoint()


def drag(qtbot, view, start, by):
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view, start + by)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + by)


def test_a_dragged_scanpath_is_stored_and_undo_brings_it_back(open_window, mover, people, qtbot, study):
    window = open_window
    window.selection.update(subject="S02")
    trial = mover.trial
    assert (trial.subject, trial.shift) == ("S02", NOWHERE)
    before = fixations(study.path, study.images[0])
    scale = people.image_transform().m11()
    drag(qtbot, people, people.rect().center(), QPoint(20, -10))
    expected = (20 / scale, -10 / scale)
    assert mover.shift == pytest.approx(expected, abs=0.06)
    idle(qtbot, window)
    assert moved(study.path) == {trial.id: pytest.approx(expected, abs=0.06)}
    after = fixations(study.path, study.images[0])
    own, was_own = after.trial_id == trial.id, before.trial_id == trial.id
    np.testing.assert_allclose(after.x[~own], before.x[~was_own])
    kept = np.isin(before.index[was_own], after.index[own])
    np.testing.assert_allclose(after.x[own], before.x[was_own][kept] + expected[0], atol=0.06)
    map_moved = human_map_of(study)
    # The scene that was read afterwards has the scanpath where it was dropped.
    qtbot.waitUntil(lambda: mover.trial.shift != NOWHERE)
    assert mover.shift == mover.trial.shift
    assert "moving the scanpath of S02" in window.actions_["edit.undo"].text()
    window.actions_["edit.undo"].trigger()
    idle(qtbot, window)
    assert moved(study.path) == {}
    assert not np.array_equal(human_map_of(study), map_moved)
    qtbot.waitUntil(lambda: mover.shift == NOWHERE)
    window.actions_["edit.redo"].trigger()
    idle(qtbot, window)
    assert moved(study.path) == {trial.id: pytest.approx(expected, abs=0.06)}
    np.testing.assert_array_equal(human_map_of(study), map_moved)


def test_of_all_observers_the_scanpath_under_the_cursor_moves(open_window, mover, people, qtbot, study):
    scene = open_window.bench.compare.scene
    trial = scene.people.trials[2]
    own = scene.people.fixations.of_trial(trial.id)
    rest = scene.people.fixations.of_trial(trial.id, without=True)
    away = np.hypot(own.x[:, None] - rest.x, own.y[:, None] - rest.y).min(axis=1)
    drag(qtbot, people, place_of(people, own, int(away.argmax())), QPoint(6, 3))
    assert mover.trial.id == trial.id
    idle(qtbot, open_window)
    assert list(moved(study.path)) == [trial.id]


def test_a_drag_paints_the_offset_only(open_window, mover, people, qtbot):
    open_window.selection.update(subject="S01", show_scanpath=True)
    open_window.bench.compare.zoom(2.0)
    centre = people.rect().center()
    qtbot.mousePress(people, Qt.MouseButton.LeftButton, pos=centre)
    region, scale = people.region, people.image_transform().m11()
    people.grab()
    caches = people._picture_cache, people._layer_cache
    before = people.grab().toImage()
    qtbot.mouseMove(people, centre + QPoint(12, 0))
    assert people.grab().toImage() != before
    assert (people._picture_cache, people._layer_cache) == caches
    # Zoomed in, the scanpath still follows the cursor, and the image stays.
    assert mover.shift[0] == pytest.approx(12 / scale, abs=0.06)
    assert people.region == region
    mover.drop()


def test_beside_all_scanpaths_the_mouse_is_the_views(open_window, mover, people, qtbot):
    rect = people.image_rect()
    drag(qtbot, people, QPoint(int(rect.left()) + 1, int(rect.bottom()) - 2), QPoint(5, 0))
    assert mover.trial is None
    assert not open_window.session.runner.busy


def test_escape_puts_a_scanpath_back_in_the_middle_of_a_drag(open_window, mover, people, qtbot, study):
    compare = open_window.bench.compare
    open_window.selection.update(subject="S01")
    centre = people.rect().center()
    qtbot.mousePress(people, Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseMove(people, centre + QPoint(15, 5))
    assert mover.shift != NOWHERE
    assert "Esc" in compare.pane("people").caption.accessibleDescription() + mover.hint
    qtbot.keyClick(compare, Qt.Key.Key_Escape)
    assert mover.shift == NOWHERE
    qtbot.mouseRelease(people, Qt.MouseButton.LeftButton, pos=centre + QPoint(15, 5))
    assert not open_window.session.runner.busy
    qtbot.keyClick(compare, Qt.Key.Key_Escape)
    assert not open_window.selection.display.moving


def test_arrows_nudge_and_return_keeps_it_as_one_step(open_window, mover, qtbot, study):
    window, compare = open_window, open_window.bench.compare
    window.selection.update(subject="S03")
    for key, modifier in (
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier),
    ):
        qtbot.keyClick(compare, key, modifier)
    assert (window.selection.image_id, window.selection.word) == (study.images[0], -1)
    assert mover.shift == (11, -1)
    assert compare.pane("people").title.title.doing == "+11, \N{MINUS SIGN}1\N{NO-BREAK SPACE}px"
    assert not window.session.runner.busy
    qtbot.keyClick(compare, Qt.Key.Key_Return)
    idle(qtbot, window)
    assert moved(study.path) == {mover.trial.id: (11, -1)}
    assert window.history.stack.count() == 1


def test_a_scanpath_is_moved_again_before_the_first_move_is_stored(open_window, mover, qtbot, study):
    window, compare, go = open_window, open_window.bench.compare, threading.Event()
    window.selection.update(subject="S03")
    window.session.submit("other work", lambda _project, _progress: go.wait(60))
    for _ in range(2):
        qtbot.keyClick(compare, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        qtbot.keyClick(compare, Qt.Key.Key_Return)
    assert mover.shift == (0, 20)
    assert moved(study.path) == {}
    window.bench.loader.refresh()
    qtbot.wait(50)
    assert mover.shift == (0, 20)  # a scene that was read meanwhile knows nothing of it yet
    go.set()
    idle(qtbot, window)
    qtbot.waitUntil(lambda: mover.trial.shift == (0, 20))
    assert window.history.stack.count() == 2
    for shift in ((0, 10), NOWHERE):
        window.actions_["edit.undo"].trigger()
        idle(qtbot, window)
        qtbot.waitUntil(lambda: mover.shift == shift)  # noqa: B023 - called before the next round
        assert shifts(study.path)[mover.trial.id] == shift


def test_nudges_are_kept_when_another_image_is_shown(open_window, mover, qtbot, study):
    open_window.selection.update(subject="S03")
    trial = mover.trial.id
    qtbot.keyClick(open_window.bench.compare, Qt.Key.Key_Down)
    open_window.selection.update(image_id=study.images[1])
    idle(qtbot, open_window)
    qtbot.waitUntil(lambda: moved(study.path) == {trial: (0, 1)})


def test_offsets_are_reset_and_given_to_the_whole_recording(open_window, mover, qtbot, study):
    window = open_window
    window.selection.update(subject="S01")
    assert window.actions_.reason("edit.reset_offset") == "no scanpath in hand has an offset"
    qtbot.keyClick(window.bench.compare, Qt.Key.Key_Left)
    qtbot.keyClick(window.bench.compare, Qt.Key.Key_Return)
    idle(qtbot, window)
    qtbot.waitUntil(lambda: window.actions_["edit.reset_offset"].isEnabled())
    window.actions_["edit.offset_recording"].trigger()
    idle(qtbot, window)
    found = shifts(study.path)
    own = read(study.path, lambda p: {trial.id for trial in p.gaze.trials() if trial.task == "general"})
    assert {trial_id for trial_id, shift in found.items() if shift == (-1, 0)} == own
    window.actions_["edit.undo"].trigger()
    idle(qtbot, window)
    assert list(moved(study.path).values()) == [(-1, 0)]
    qtbot.waitUntil(lambda: len(mover.shifted) == 1)
    window.actions_["edit.reset_offset"].trigger()
    idle(qtbot, window)
    assert moved(study.path) == {}


def test_the_offset_of_a_recording_is_one_on_the_screen(tmp_path):
    with Project.create(tmp_path / "study.gaze") as project:
        project.images.add(tmp_path / "a.png", "a.png", "a", 200, 100, "photograph")
        project.images.add(tmp_path / "b.png", "b.png", "b", 400, 200, "photograph")
        (tmp_path / "g.csv").write_text("image,subject,x,y\na.png,S,200,150\nb.png,S,200,150\n")
        profile = TableProfile("t", {n: n for n in ("image", "subject", "x", "y")}, frame=Frame(of="screen"))
        rect = Geometry(screen=(400, 300), placement="explicit", rect=(0, 0, 400, 300))
        reading = FileSettings(profile=profile, geometry=rect)
        import_gaze(project, ImportGazeSettings((str(tmp_path / "g.csv"),), "free", reading), SILENT)
        shift_trials(project, ShiftSettings({1: (10.0, -4.0)}), SILENT)
        # 10 px of the small image are 20 px of the screen, and these are 20 px of the large one.
        assert offset_of_recording(project, 1) == {1: (10, -4), 2: pytest.approx((20, -8))}


def test_choices_are_counted_before_and_undone_after(open_window, qtbot, study):
    window = open_window
    dialog = GazeChoicesDialog(window, window.session.study.choices, window.session.reader, study.path)
    qtbot.addWidget(dialog)
    assert dialog.accept_button.toolTip() == "Nothing is changed."
    dialog.set_choices(GazeChoices(first_fixation="drop"))
    total = read(study.path, lambda p: sum(trial.n_fixations for trial in p.gaze.trials()))
    trials = len(shifts(study.path))
    expected = f"{total - trials} of {total} fixations used; left out: {trials} first of their trial."
    qtbot.waitUntil(lambda: dialog.preview == expected)
    assert dialog.accept_button.isEnabled()
    dialog.accept()
    window.history.do(choose_step(dialog.choices))
    idle(qtbot, window)
    assert read(study.path, lambda p: sum(p.gaze.counts().values())) == total - trials
    qtbot.waitUntil(lambda: window.bench.scores.corner.older.isVisibleTo(window.bench.scores.corner))
    window.actions_["edit.undo"].trigger()
    idle(qtbot, window)
    assert read(study.path, choices_of) == GazeChoices()
    qtbot.waitUntil(lambda: not window.bench.scores.corner.older.isVisibleTo(window.bench.scores.corner))


def test_choices_that_cannot_be_used_say_why(open_window, qtbot, study):
    dialog = GazeChoicesDialog(open_window, GazeChoices(), open_window.session.reader, study.path)
    qtbot.addWidget(dialog)
    dialog.set_choices(GazeChoices(sigma=1, sigma_unit="deg"))
    qtbot.waitUntil(lambda: "px per degree" in dialog.accept_button.toolTip())
    assert not dialog.accept_button.isEnabled()
    dialog.choices_form.lines["sigma"].button.click()
    assert dialog.choices == GazeChoices()
    dialog.choices_form.fields["min_duration_ms"].setValue(500)
    dialog.choices_form.fields["max_duration_ms"].setValue(100)
    assert "above the maximum" in dialog.accept_button.toolTip()
    dialog.reject()


def test_counts_are_sentences():
    assert in_words({"": 1200}) == "1,200 of 1,200 fixations used."
    counts = {"": 9480, "first fixation": 210, "outside image": 60}
    expected = "9,480 of 9,750 fixations used; left out: 210 first of their trial, 60 outside the image."
    assert in_words(counts) == expected


@pytest.fixture
def screens(tmp_path):
    """Two recordings on a screen, of which one says its size itself and for one the default does."""
    path = tmp_path / "screens" / "screens.gaze"
    path.parent.mkdir()
    build(tmp_path / "pictures", images=1, models=0, subjects=0)
    with Project.create(path) as project:
        file = tmp_path / "pictures" / "scene-001.png"
        project.images.add(file, file.name, "a", WIDTH, HEIGHT, "photograph")
        names = ("image", "subject", "x", "y")
        profile = TableProfile("t", {name: name for name in names}, frame=Frame(of="screen"))
        for number, geometry in enumerate((Geometry(screen=(400, 300)), Geometry(screen=(400, 300)))):
            table = path.parent / f"r{number}.csv"
            table.write_text(
                f"image,subject,x,y\nscene-001.png,S{number},200,150\nscene-001.png,S{number},20,20\n"
            )
            reading = FileSettings(profile=profile, geometry=geometry)
            import_gaze(project, ImportGazeSettings((str(table),), "free", reading), SILENT)
    return path


def test_geometry_is_said_of_several_recordings_and_undone(window, qtbot, screens):
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(screens)
    dialog = GeometryDialog(window, window.session.reader, screens)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 3)
    dialog.table.selectAll()
    dialog.table.selectionModel().select(
        dialog.model.index(0, 0),
        dialog.table.selectionModel().SelectionFlag.Deselect
        | dialog.table.selectionModel().SelectionFlag.Rows,
    )
    assert dialog.chosen == [1, 2]
    qtbot.waitUntil(lambda: dialog.view.drawing is not None)
    assert dialog.view.drawing.image == (120, 102, WIDTH, HEIGHT)
    screen = dialog.geometry_form.fields["screen"]
    assert [box.value() for box in screen.boxes] == [400, 300]
    screen.boxes[0].setValue(800)
    assert dialog.said == {1: Geometry(screen=(800, 300)), 2: Geometry(screen=(800, 300))}
    assert dialog.model.index(1, 1).data() == "800 × 300 px · you"
    assert dialog.view.drawing.image == (320, 102, WIDTH, HEIGHT)
    dialog.geometry_form.fields["placement"].setCurrentIndex(
        dialog.geometry_form.fields["placement"].findData("explicit")
    )
    dialog.geometry_form.fields["placement"].edited.emit()
    assert dialog.said[2].rect == (320, 102, WIDTH, HEIGHT)
    dialog.geometry_form.fields["rect"].boxes[0].setValue(0)
    assert dialog.said[1].rect == (0, 102, WIDTH, HEIGHT)
    dialog.accept()

    def said():
        return read(screens, lambda p: [Geometry.of(row.geometry) for row in p.gaze.recordings()])

    window.history.do(geometry_step(dict(dialog.said)))
    idle(qtbot, window)
    assert {geometry.rect for geometry in said()} == {(0, 102, WIDTH, HEIGHT)}
    window.actions_["edit.undo"].trigger()
    idle(qtbot, window)
    assert said() == [Geometry(screen=(400, 300))] * 2
    assert read(screens, lambda p: sum(p.gaze.counts().values())) == 2


def test_a_geometry_that_places_nothing_is_refused_before_and_taken_off_the_stack_after(
    window, qtbot, screens
):
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(screens)
    dialog = GeometryDialog(window, window.session.reader, screens)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 3)
    dialog.table.selectRow(1)
    qtbot.waitUntil(lambda: dialog.view.drawing is not None)
    dialog.geometry_form.leave_open("screen")
    assert "how large the screen was" in dialog.accept_button.toolTip()
    dialog.reject()
    heard = []
    window.notifications.notified.connect(heard.append)
    window.history.do(geometry_step({1: Geometry()}))
    assert window.history.stack.canUndo()
    idle(qtbot, window)
    assert not window.history.stack.canUndo()
    assert "how large the screen was" in heard[0].what


def test_the_default_and_a_recording_change_in_one_step(window, qtbot, screens):
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(screens)
    window.history.do(geometry_step({None: Geometry(screen=(400, 300)), 1: Geometry(), 2: Geometry()}))
    idle(qtbot, window)
    assert read(screens, default_geometry).screen == (400, 300)
    assert read(screens, lambda p: sum(p.gaze.counts().values())) == 2
    window.actions_["edit.undo"].trigger()
    idle(qtbot, window)
    assert read(screens, default_geometry) == Geometry()
    assert read(screens, lambda p: sum(p.gaze.counts().values())) == 2


def step(path, log, name):
    def do(_project, _progress):
        log.append(name)
        return None, name

    def restore(_project, before, _progress):
        log.append(f"undo {before}")

    return Step(name, do, restore)


def test_undo_during_other_work_keeps_its_place_in_the_queue(open_window, qtbot, study):
    window, log, go = open_window, [], threading.Event()
    window.session.submit("other work", lambda _project, _progress: go.wait(60))
    window.history.do(step(study.path, log, "one"))
    window.history.do(step(study.path, log, "two"))
    window.actions_["edit.undo"].trigger()
    assert log == []
    assert (window.history.stack.undoText(), window.history.stack.redoText()) == ("one", "two")
    go.set()
    idle(qtbot, window)
    assert log == ["one", "two", "undo two"]


def test_a_step_that_fails_or_is_cancelled_leaves_the_stack_as_the_project_is(open_window, qtbot, study):
    window, log, go = open_window, [], threading.Event()
    window.history.do(step(study.path, log, "one"))
    idle(qtbot, window)

    def fail(_project, *_args):
        raise GazeError("This cannot be done.")

    window.history.do(Step("two", fail, fail))
    idle(qtbot, window)
    assert window.history.stack.undoText() == "one"
    window.session.submit("other work", lambda _project, _progress: go.wait(60))
    window.history.do(step(study.path, log, "three"))
    window.session.runner.cancel(window.session.runner.jobs[-1].id)
    go.set()
    idle(qtbot, window)
    assert (log, window.history.stack.undoText(), window.history.stack.count()) == (["one"], "one", 1)
    go.clear()
    window.session.submit("other work", lambda _project, _progress: go.wait(60))
    window.actions_["edit.undo"].trigger()
    window.session.runner.cancel(window.session.runner.jobs[-1].id)
    go.set()
    idle(qtbot, window)
    # Its undo was cancelled, so that it still holds and can still be taken back.
    assert window.history.stack.undoText() == "one"
    window.actions_["edit.undo"].trigger()
    idle(qtbot, window)
    assert log == ["one", "undo one"]


def test_the_undo_of_what_never_happened_does_nothing(open_window, qtbot, study):
    window, log, go = open_window, [], threading.Event()
    window.session.submit("other work", lambda _project, _progress: go.wait(60))
    window.history.do(step(study.path, log, "one"))
    asked = window.session.runner.jobs[-1].id
    window.actions_["edit.undo"].trigger()
    window.session.runner.cancel(asked)
    go.set()
    idle(qtbot, window)
    assert log == []
    assert not window.history.stack.canUndo()


def test_no_step_outlives_its_project(open_window, qtbot, study, tmp_path):
    window = open_window
    trial = next(iter(shifts(study.path)))
    window.history.do(shift_step("moving", lambda _project: {trial: (1.0, 1.0)}))
    idle(qtbot, window)
    window.actions_["file.close"].trigger()
    assert window.actions_.reason("edit.undo") == "there is nothing to undo"
    other = build(tmp_path / "other", images=1)
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(other.path)
    assert not window.history.stack.canUndo()
    assert moved(other.path) == {}


def test_a_shift_is_not_undone_on_trials_of_another_import(open_window, qtbot, study):
    window = open_window
    trial = next(iter(shifts(study.path)))
    window.history.do(shift_step("moving", lambda _project: {trial: (1.0, 1.0)}))
    idle(qtbot, window)
    with Project.open(study.path) as project, project.transaction():
        project.db.execute("UPDATE recordings SET sha256 = 'another file' || id")
    heard = []
    window.notifications.notified.connect(heard.append)
    window.actions_["edit.undo"].trigger()
    idle(qtbot, window)
    assert "imported again" in heard[0].what
    assert moved(study.path) == {trial: (1, 1)}
    assert window.history.stack.count() == 0


def test_after_a_shift_that_could_not_be_stored_the_scanpath_goes_back(open_window, mover, qtbot, study):
    window = open_window
    window.selection.update(subject="S01")
    with Project.open(study.path) as project, project.transaction():
        project.db.execute("DELETE FROM fixations")
        project.db.execute("DELETE FROM trials WHERE id = ?", (mover.trial.id,))
    gone = mover.trial.id
    qtbot.keyClick(window.bench.compare, Qt.Key.Key_Right)
    qtbot.keyClick(window.bench.compare, Qt.Key.Key_Return)
    idle(qtbot, window)
    qtbot.waitUntil(lambda: all(t.id != gone for t in window.bench.compare.scene.people.trials))
    assert mover.shift == NOWHERE
    assert not window.history.stack.canUndo()


def test_a_project_for_looking_only_changes_no_gaze(window, qtbot, study):
    from PySide6.QtCore import QLockFile

    lock = QLockFile(f"{study.path}.lock")
    assert lock.tryLock(0)
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(study.path)
    qtbot.waitUntil(lambda: window.bench.compare.scene is not None)
    for action_id in ("study.choices", "study.geometry", "edit.move", "edit.reset_offset"):
        assert "another gazeapp has it open" in window.actions_.reason(action_id)
    toggle = window.bench.compare.bar.toggles["moving"]
    assert not toggle.isEnabled()
    assert "another gazeapp has it open" in toggle.toolTip()
    lock.unlock()
