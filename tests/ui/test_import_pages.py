"""The import dialog's pages that draw trials, and ask about messages, columns and samples."""

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QDialog, QPushButton, QVBoxLayout

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.detection import DetectionSettings
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.plan import plan_import
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import (
    Contents,
    Eye,
    Facts,
    Fixations,
    Frame,
    Recording,
    Samples,
    Trial,
)
from gazeapp.engine.gaze.trial_rules import TrialRules
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import PictureOf, Preview, TablePreview
from gazeapp.ui.dialogs.import_gaze.agreement import agreement_of, in_words
from gazeapp.ui.dialogs.import_gaze.columns_page import ColumnsPage
from gazeapp.ui.dialogs.import_gaze.message_patterns import pattern_like
from gazeapp.ui.dialogs.import_gaze.samples_page import SamplesPage
from gazeapp.ui.dialogs.import_gaze.scanpath_page import ScanpathPage
from gazeapp.ui.dialogs.import_gaze.trial_drawing import drawing_of
from gazeapp.ui.dialogs.import_gaze.trials_page import TrialsPage
from gazeapp.ui.worker import JobRunner


@dataclass
class Known:
    id: int
    name: str
    width: int
    height: int


ONE = Known(1, "one.png", 400, 300)


@pytest.fixture
def runner(qtbot):
    made = JobRunner(name="pictures")
    yield made
    made.stop()


def recording(x, y, *, frame=None, screen=(1000.0, 800.0), trials=None, **columns):
    fixations = Fixations.of(np.array(x, float), np.array(y, float), **columns)
    trials = trials or (Trial("1", "s1", "one.png", rows=slice(0, len(fixations))),)
    facts = Facts(frame=frame or Frame(), screen=screen)
    return Recording(Path("a.txt"), "0" * 64, "smi", 0.9, "", Contents(facts, tuple(trials), fixations))


def plan_of(read, **options):
    return plan_import(read, [ONE], task="free", **options)


def pictures(folder=Path("nowhere")):
    return {1: PictureOf("one.png", folder / "one.png", 400, 300)}


def preview_of(plan, file="a.txt", images=None, **more):
    return Preview(
        file, plan=plan, images=images or pictures(), facts=plan.facts(), read=plan.recording, **more
    )


# Screen px, from the top left corner: the image's own size in the middle of 1000 x 800 is at 300, 250.
SAME_PLACE = {
    "screen px": (Frame(), (500.0, 250.0)),
    "shares": (Frame(unit="share"), (0.5, 0.3125)),
    "shares, y up": (Frame(unit="share", y_up=True), (0.5, 0.6875)),
    "from the middle, y up": (Frame(y_up=True, centred=True), (0.0, 150.0)),
}


@pytest.mark.parametrize("name", SAME_PLACE)
def test_every_frame_is_drawn_alike(name):
    frame, (x, y) = SAME_PLACE[name]
    drawing = drawing_of(plan_of(recording([x], [y], frame=frame)), 0, pictures())
    assert drawing.screen == (0, 0, 1000, 800)
    assert drawing.image == pytest.approx((300, 250, 400, 300))
    path = drawing.scanpath
    assert (path.x[0], path.y[0]) == pytest.approx((500, 250))
    assert (path.image_x[0], path.image_y[0]) == pytest.approx((200, 0), abs=1e-9)


@pytest.mark.parametrize("frame", [Frame(of="image"), Frame(of="image", unit="share", y_up=True)])
def test_positions_on_the_image_are_drawn_without_a_screen(frame):
    x, y = (100.0, 75.0) if frame.is_image_px else (0.25, 0.75)
    drawing = drawing_of(plan_of(recording([x], [y], frame=frame, screen=None)), 0, pictures())
    assert drawing.screen is None
    assert drawing.image == pytest.approx((0, 0, 400, 300))
    assert (drawing.scanpath.x[0], drawing.scanpath.y[0]) == pytest.approx((100, 75))


def test_what_is_left_out_is_drawn_with_its_reason():
    eyes = np.array([Eye.RIGHT, Eye.RIGHT, Eye.LEFT, Eye.RIGHT], np.int8)
    read = recording([310, 20, 320, np.nan], [260, 30, 270, np.nan], eye=eyes, duration_ms=np.full(4, 200.0))
    plan = plan_of(read, choices=GazeChoices(eye="right"))
    drawing = drawing_of(plan, 0, pictures())
    assert drawing.scanpath.x.tolist() == [310, 20]
    assert "Left out: outside image" in drawing.scanpath.lines(1)
    assert "x 20.0, y 30.0 as read · image px -280, -220" in drawing.scanpath.lines(1)
    assert "200 ms long" in drawing.scanpath.lines(0)
    both = drawing_of(plan, 0, pictures(), other_eye=True)
    assert both.scanpath.x.tolist() == [310, 20, 320]
    assert "Left out: other eye" in both.scanpath.lines(2)


def many_trials(n=5):
    trials = [
        Trial(str(k + 1), f"s{k}", "one.png" if k else "unknown.png", rows=slice(3 * k, 3 * k + 3))
        for k in range(n)
    ]
    x = np.tile([310.0, 500.0, -4000.0], n)
    times = {"index": np.tile([1, 2, 3], n), "duration_ms": np.full(3 * n, 250.0)}
    return recording(x, np.full(3 * n, 400.0), trials=trials, **times)


@pytest.fixture
def scanpaths(qtbot, runner, tmp_path):
    Image.new("RGB", (400, 300), (200, 30, 30)).save(tmp_path / "one.png")
    page = ScanpathPage(runner)
    qtbot.addWidget(page)
    page.resize(800, 600)
    page.show()
    page.show_file(preview_of(plan_of(many_trials()), images=pictures(tmp_path)), FileSettings())
    return page


def test_keys_step_through_trials_and_fixations(qtbot, scanpaths):
    browser, view = scanpaths.browser, scanpaths.browser.view
    assert browser.number == 1  # the first one with an image
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert browser.number == 2
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert browser.number == 4
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert browser.number == 4
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert browser.number == 0
    assert "No image of the project matches" in browser.detail
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert browser.detail == "2 fixations used. Left out: 1 outside image."
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.pick == 1
    assert browser.detail.startswith("Fixation 2 · Used · x 500.0, y 400.0 as read · image px 200, 150")


def test_the_mouse_points_at_fixations_also_far_off_the_screen(qtbot, scanpaths):
    view = scanpaths.browser.view
    qtbot.mouseMove(view, view.position_of(0).toPoint())
    assert view.pick == 0
    far = view.position_of(2)
    assert 0 <= far.x() <= 20  # a triangle at the left edge
    qtbot.mouseMove(view, far.toPoint())
    assert view.pick == 2
    qtbot.mouseMove(view, QPoint(view.width() - 3, 3))
    assert view.pick == -1


def test_the_picture_lies_in_its_rectangle(qtbot, scanpaths):
    view = scanpaths.browser.view

    def colour_between_the_fixations():
        point = (view.position_of(0) + view.position_of(1)).toPoint() / 2 + QPoint(0, 12)
        return view.grab().toImage().pixelColor(point).getRgb()[:3]

    qtbot.waitUntil(lambda: colour_between_the_fixations() == (200, 30, 30))


def test_a_picture_that_is_gone_says_so(qtbot, runner, tmp_path):
    page = ScanpathPage(runner)
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.browser._pictures.read) as read:
        page.show_file(preview_of(plan_of(many_trials()), images=pictures(tmp_path)), FileSettings())
    assert "not there" in read.args[0].problem


def test_a_new_geometry_moves_the_image_and_not_the_trial(qtbot, scanpaths):
    browser = scanpaths.browser
    browser.go_to(3)
    filled = plan_of(many_trials(), given=Geometry(placement="fill"))
    scanpaths.show_file(preview_of(filled), FileSettings())
    assert browser.number == 3
    assert browser.view.drawing.image == (0, 0, 1000, 800)
    assert browser.view.drawing.scanpath.image_x[0] == pytest.approx(310 * 0.4)
    scanpaths.show_file(preview_of(filled, file="b.txt"), FileSettings())
    assert browser.number == 1


def test_thousands_of_fixations_in_a_trial_are_drawn_at_once(scanpaths):
    rng = np.random.default_rng(1)
    crowd = recording(rng.uniform(-50, 1050, 5000), rng.uniform(-50, 850, 5000))
    scanpaths.show_file(preview_of(plan_of(crowd), file="crowd.txt"), FileSettings())
    begin = time.perf_counter()
    picture = scanpaths.browser.view.grab().toImage()
    # Joined circles took some four seconds; dots take a few hundredths.
    assert time.perf_counter() - begin < 1.0
    spot = scanpaths.browser.view.position_of(int(np.flatnonzero(plan_of(crowd).why == 0)[-1])).toPoint()
    assert picture.pixelColor(spot).name() == "#e69f00"


def test_trials_are_found_by_subject(qtbot, scanpaths):
    browser = scanpaths.browser
    browser._find.setText("S3 one")
    assert list(browser._model.numbers) == [3]
    browser.step(1)
    assert browser.number == 3
    browser._find.clear()
    browser._list.selectRow(4)
    assert browser.number == 4


def test_a_file_that_cannot_be_read_has_nothing_to_draw(qtbot, runner):
    page = ScanpathPage(runner)
    qtbot.addWidget(page)
    assert not page.applies(None)
    assert not page.applies(Preview("a.txt", error=GazeError("no")))


MESSAGES = tuple(
    text
    for k in range(4)
    for text in (f"start_trial {k}", f"var image scene_{k}.jpg", "var r 1", "stop_trial")
)


@pytest.fixture
def trials(qtbot):
    page = TrialsPage()
    qtbot.addWidget(page)
    page.resize(800, 600)
    page.show()
    page.show_file(Preview("a.asc", messages=MESSAGES), FileSettings())
    return page


def test_messages_show_what_they_do(trials):
    assert trials.found == "4 trials and 4 image names found in 16 messages."
    assert [row.role for row in trials.list.rows[:4]] == ["start", "image", "other", "end"]
    trials._only.setChecked(True)
    assert [row.role for row in trials.list.rows[:4]] == ["start", "image", "end", "start"]
    assert trials.applies(Preview("a.asc", messages=MESSAGES))
    assert not trials.applies(Preview("b.csv"))


def test_a_pattern_is_made_from_a_message(qtbot, trials):
    trials.list.selectRow(2)
    with qtbot.waitSignal(trials.changed):
        trials._like["start"].click()
    assert trials.rules.start == r"^var r (\d+)"
    assert trials.found == "4 trials and 4 image names found in 16 messages."
    assert trials.apply_to(FileSettings()).rules == trials.rules
    with qtbot.waitSignal(trials.changed):
        trials._forget.click()
    assert trials.rules == TrialRules()


def test_enter_in_a_field_does_not_import(qtbot, trials):
    dialog = QDialog()
    qtbot.addWidget(dialog)
    column = QVBoxLayout(dialog)
    column.addWidget(trials)
    button = QPushButton("Import")
    button.setDefault(True)
    pressed = []
    button.clicked.connect(lambda: pressed.append(1))
    column.addWidget(button)
    dialog.show()
    for field in (trials.patterns["start"], trials.list, trials._like["start"]):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert not pressed
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert pressed
    trials.setParent(None)


def test_a_pattern_that_is_none_says_so_and_can_be_mended(qtbot, trials):
    with qtbot.waitSignal(trials.changed):
        trials.patterns["start"].setText("(abc")
    assert "no regular expression" in trials.problem
    failed = Preview("a.asc", error=GazeError("The pattern cannot be used."))
    assert trials.applies(failed)
    trials.show_file(failed, trials.apply_to(FileSettings()))
    assert len(trials.list.rows) == 16
    with qtbot.waitSignal(trials.changed):
        trials.patterns["start"].setText("var r")
    assert trials.problem == ""


def test_what_is_typed_is_not_overwritten_by_what_was_read(qtbot, trials):
    trials.patterns["end"].setText("stop")
    trials.show_file(Preview("a.asc", messages=MESSAGES), FileSettings())
    assert trials.patterns["end"].text() == "stop"
    with qtbot.waitSignal(trials.changed):
        pass
    trials.show_file(
        Preview("b.asc", messages=MESSAGES), FileSettings(rules=TrialRules("opensesame", image="scene_(.*)"))
    )
    assert trials.preset.currentData() == "opensesame"
    assert trials.patterns["image"].text() == "scene_(.*)"
    assert trials.patterns["end"].text() == ""


@pytest.mark.parametrize(
    ("message", "role", "other", "found"),
    [
        ("TRIALID 7", "start", "TRIALID 112", "112"),
        ("begin trial", "start", "begin trial", None),
        ("Trial 3 of block 2 (test)", "start", "Trial 10 of block 1 (test)", "10"),
        ("TRIAL_RESULT 0", "end", "TRIAL_RESULT 1", None),
        ("show img_01.png now 5", "image", "show beach.jpg now 61", "beach.jpg"),
        ("stim: a place with blanks", "image", "stim: a place with sheep", "sheep"),
    ],
)
def test_a_pattern_like_a_message_finds_others_like_it(message, role, other, found):
    match = re.search(pattern_like(message, role), other)
    assert match
    assert (match[1] if match.groups() else None) == found
    assert not re.search(pattern_like(message, role), "something else 7")


HEADER = ("who", "pic", "FX", "FY", "when")
ROWS = tuple(("s1", "one.png", f"{k}.5", f"{k}", f"{k * 100}") for k in range(6))
GUESS = TableProfile("a", columns={"subject": "who", "x": "FX", "y": "FY"}, note="Decimals are guessed.")


@pytest.fixture
def columns(qtbot, tmp_path):
    page = ColumnsPage(tmp_path / "mappings")
    qtbot.addWidget(page)
    page.resize(800, 600)
    page.show()
    page.show_file(Preview("a.txt", table=TablePreview(HEADER, ROWS, 1, GUESS)), FileSettings())
    return page


def test_columns_show_what_they_are_taken_for(columns):
    assert columns.table.roles == ["subject", "", "x", "y", ""]
    assert columns.mappings.currentText() == "As told by the content"
    assert columns._hint.text().startswith("Decimals are guessed. No column names the image")
    assert columns.apply_to(FileSettings()) == FileSettings()
    assert not columns.applies(Preview("b.mat"))


def test_a_column_is_told_what_it_is(qtbot, columns):
    with qtbot.waitSignal(columns.changed):
        columns.table.chosen.emit(1, "image")
    settings = columns.apply_to(FileSettings())
    assert settings.format == "csv"
    assert settings.profile.columns == {"subject": "who", "image": "pic", "x": "FX", "y": "FY"}
    assert settings.profile.note == ""
    columns.table.chosen.emit(4, "x")  # a role moves to the column that gets it
    assert columns.table.roles == ["subject", "image", "", "y", "x"]
    columns.table.chosen.emit(4, "")
    assert columns.problem == "Say below which column is x."


def test_the_list_over_a_column_opens_by_key(qtbot, columns):
    columns.table.top.setFocus()
    columns.table.top.setCurrentIndex(columns.table.top.model().index(0, 1))
    qtbot.keyClick(columns.table.top, Qt.Key.Key_Return)
    box = columns.table.top.findChild(QComboBox)
    assert box.currentText() == "not used"
    assert box.findText("time of sample") < 0  # rows are fixations
    box.setCurrentText("image")
    box.activated.emit(box.currentIndex())
    assert columns.table.roles[1] == "image"


def test_how_cells_are_written_and_positions_counted(columns):
    columns.place.setCurrentIndex(columns.place.findText("shares of the screen, 0 to 1"))
    columns.y_up.setChecked(True)
    columns.between.setCurrentIndex(columns.between.findText("semicolon"))
    columns.mark.setCurrentIndex(columns.mark.findText("comma, 0,5"))
    columns.unit.setCurrentIndex(columns.unit.findText("µs"))
    columns.header_line.setValue(3)
    columns.kind.setCurrentIndex(columns.kind.findText("a sample"))
    profile = columns.apply_to(FileSettings()).profile
    assert profile.frame == Frame("screen", "share", y_up=True)
    assert (profile.delimiter, profile.decimal, profile.time_unit) == (";", ",", "us")
    assert (profile.header_line, profile.kind) == (3, "samples")
    assert columns.problem == "Say below which column is time of sample."


def test_a_mapping_is_saved_listed_and_shared(qtbot, columns, tmp_path):
    columns.table.chosen.emit(1, "image")
    columns.save_as(tmp_path / "mappings" / "our lab.json")
    assert columns.mappings.currentText() == "our lab"
    saved = columns.apply_to(FileSettings()).profile
    columns.mappings.setCurrentIndex(0)
    columns.mappings.activated.emit(0)
    settings = FileSettings("csv", profile=saved)
    assert columns.apply_to(settings) == FileSettings()
    other = ColumnsPage(tmp_path / "elsewhere")
    qtbot.addWidget(other)
    other.show_file(Preview("a.txt", table=TablePreview(HEADER, ROWS, 1, GUESS)), FileSettings())
    other.open_file(next((tmp_path / "mappings").glob("*.json")))
    assert other.apply_to(FileSettings()).profile == saved
    other.open_file(tmp_path / "none.json")
    assert "cannot be read" in other.problem


def found_and_own():
    """Two trials on one clock each; the tracker begins 10 ms later, lies 3 px beside, and has one less."""
    own_x = np.array([100.0, 200.0, 300.0])
    starts = np.array([0.0, 300.0, 0.0])
    trials = (
        Trial("1", "s1", "one.png", rows=slice(0, 2)),
        Trial("2", "s2", "one.png", rows=slice(2, 4)),
    )
    found = recording(
        [103, 203, 303, 403],
        [50] * 4,
        start_ms=np.array([0.0, 300.0, 0.0, 300.0]),
        duration_ms=np.full(4, 200.0),
        trials=trials,
    )
    fixations = Fixations.of(own_x, np.full(3, 50.0), start_ms=starts + 10, duration_ms=np.full(3, 190.0))
    own_trials = (replace(trials[0]), replace(trials[1], rows=slice(2, 3)))
    return found, Contents(found.facts, own_trials, fixations)


def test_agreement_is_counted_trial_by_trial():
    found, own = found_and_own()
    agreement = agreement_of(plan_of(found), own)
    assert (agreement.n_a, agreement.n_b, agreement.n_matched) == (4, 3, 3)
    assert agreement.share_matched == pytest.approx(6 / 7)
    assert (agreement.onset_ms, agreement.duration_ms) == pytest.approx((10, 10))
    assert agreement.distance == pytest.approx(3)
    assert in_words(agreement, "px") == [
        "3 of the tracker, 4 found here",
        "3 pairs overlap in time: 86% agree",
        "begins differ by 10 ms",
        "durations differ by 10 ms",
        "positions differ by 3.0 px",
    ]


@pytest.fixture
def samples(qtbot, runner):
    page = SamplesPage(runner)
    qtbot.addWidget(page)
    page.resize(800, 600)
    page.show()
    return page


def with_samples(read, *, own=True):
    x = np.zeros(4)
    contents = replace(
        read.contents,
        facts=replace(read.facts, n_samples=4, rate_hz=500.0),
        samples=Samples(np.arange(4.0), x, x, np.zeros(4, np.int8)),
    )
    if not own:
        contents = replace(contents, fixations=read.fixations.part(slice(0, 0)))
    return replace(read, contents=contents)


def test_found_fixations_are_compared_with_the_trackers(qtbot, samples):
    found, own = found_and_own()
    settings = FileSettings(detect=True)
    samples.show_file(preview_of(plan_of(with_samples(found)), own_fixations=own), settings)
    qtbot.waitUntil(lambda: "86% agree" in samples.agreement)
    assert samples.browser.view.drawing.other.x.tolist() == [100, 200]
    assert "Diamonds are the tracker's own 2 fixations." in samples.browser.detail
    assert samples.apply_to(FileSettings()) == settings


def test_the_trackers_own_are_kept_unless_asked(qtbot, samples):
    preview = preview_of(plan_of(with_samples(many_trials())))
    samples.show_file(preview, FileSettings())
    assert samples.applies(preview)
    assert not samples.method.isEnabled()
    assert "tracker's own" in samples.thresholds.field("min_duration_ms").toolTip()
    assert samples.apply_to(FileSettings()) == FileSettings()
    with qtbot.waitSignal(samples.changed):
        samples.source.setCurrentIndex(1)
    assert samples.apply_to(FileSettings()).detect
    assert samples.method.isEnabled()


def test_files_with_samples_only_are_always_searched(samples):
    bare = with_samples(many_trials(), own=False)
    problem = GazeError("How large a degree is, is not known.", todo="Give the distance.")
    preview = Preview("a.txt", read=bare, error=problem)
    samples.show_file(preview, FileSettings())
    assert samples.applies(preview)
    assert not samples.source.isEnabled()
    assert samples.source.currentText() == "found in the samples"
    assert samples.problem == "How large a degree is, is not known. Give the distance."
    assert not samples.apply_to(FileSettings()).detect
    assert not samples.applies(preview_of(plan_of(many_trials())))


def test_thresholds_begin_at_what_is_usual(qtbot, samples):
    samples.show_file(preview_of(plan_of(with_samples(many_trials()))), FileSettings(detect=True))
    shortest, area = (samples.thresholds.field(key) for key in ("min_duration_ms", "dispersion_deg"))
    assert shortest.text() == "60 ms, as usual"  # I-VT at 500 Hz
    assert not area.isEnabled()
    assert "Only I-DT uses it." in area.toolTip()
    qtbot.keyClick(shortest, Qt.Key.Key_Up)
    assert shortest.text() == "70 ms"
    assert samples.apply_to(FileSettings()).detection == DetectionSettings(min_duration_ms=70)
    samples.method.setCurrentIndex(samples.method.findData("idt"))
    assert area.isEnabled()
    with qtbot.waitSignal(samples.changed):
        samples._reset.click()
    assert samples.apply_to(FileSettings()).detection == DetectionSettings("idt")
    assert shortest.text() == "100 ms, as usual"


def test_the_table_stays_where_it_is_when_a_column_is_missing(qtbot, columns):
    place = columns.table.mapTo(columns, QPoint(0, 0))
    columns.table.chosen.emit(2, "y")
    assert columns.problem == "Say below which column is x."
    qtbot.waitUntil(lambda: columns._note.isVisible())
    columns.layout().activate()
    assert columns.table.mapTo(columns, QPoint(0, 0)) == place
