"""Inspector, jobs and drops."""

import pytest
from PySide6.QtGui import QGuiApplication

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import ProblemRow, Project
from gazeapp.engine.project.gaze import NewTrial
from gazeapp.engine.project.rows import SettingsRow
from gazeapp.engine.workflows.base import Summary
from gazeapp.ui.drops import sort_drop
from gazeapp.ui.panels.inspector import InspectorPanel, settings_facts
from gazeapp.ui.panels.job_line import outcome, standing
from gazeapp.ui.panels.jobs import JobsPanel, StatusLine, study_in_a_line
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE, read_study
from gazeapp.ui.worker import JobError, JobRunner, JobState
from tests.ui.small_study import build, draw


def view(path):
    with Project.open(path) as project:
        return read_study(project)


@pytest.fixture
def inspector(qtbot, study):
    selection = Selection()
    panel = InspectorPanel(selection)
    qtbot.addWidget(panel)
    panel.show_study(view(study.path))
    panel.selection = selection
    return panel


def values(facts):
    return {name: value for name, value, _ in facts.facts}


def test_the_inspector_says_what_made_a_map(inspector, study):
    inspector.selection.update(image_id=study.images[1], task="general", source="vit-lstm", word=2)
    image, source = values(inspector._image), values(inspector._source)
    assert inspector._title.text() == "scene-002.png"
    assert image["size"] == "160 × 96 px"
    assert image["people"] == "4"
    assert source["model"] == "ViT-LSTM"
    assert source["map"] == "“holds”, word 3"
    assert source["method"] == "attention"
    assert source["log prob."] == "−2.7 nats"
    settings = values(inspector._settings)
    assert settings["seed"] == "1"
    assert values(inspector._versions)["numpy"]
    inspector._copy_settings()
    assert '"seed": 1' in QGuiApplication.clipboard().text()
    assert not inspector._badge.isHidden()


def test_settings_within_settings_and_fingerprints_can_be_read():
    values = {"decoding": {"max_tokens": 40, "temperature": 0.0}, "revision": "fingerprint-28e47149cb6e646a"}
    facts = settings_facts(SettingsRow(1, "extract", values, {}, "h" * 64, "2026-11-21T19:24:00"))
    shown = {name: value for name, value, _tip in facts}
    assert shown["decoding"] == "max tokens 40, temperature 0.0"
    assert shown["revision"] == "28e47149cb6…"
    assert shown["made"] == "2026-11-21 19:24 UTC"


def test_the_inspector_empties(inspector, study):
    inspector.selection.update(image_id=study.images[0], task="general", source="vit-lstm")
    inspector.selection.update(source=PEOPLE)
    assert values(inspector._source)["people"] == "simulated observers"
    assert inspector._settings.isHidden()
    inspector.show_study(None)
    assert inspector._title.text() == "Nothing selected"
    assert inspector._image.isHidden()


def test_photographs_are_outside_what_the_demo_models_were_trained_on(qtbot, tmp_path):
    photos = build(tmp_path / "photos", origin="photograph", simulated=False)
    selection = Selection()
    panel = InspectorPanel(selection)
    qtbot.addWidget(panel)
    panel.show_study(view(photos.path))
    selection.update(image_id=photos.images[0], task="general", source=PEOPLE)
    assert panel.note == ""
    selection.update(source="cnn-lstm")
    assert "outside what CNN-LSTM was trained on" in panel.note
    assert not panel._note.isHidden()
    assert panel._badge.isHidden()


def test_what_a_captioner_of_ones_own_was_trained_on_is_told_and_not_judged(qtbot, tmp_path):
    photos = build(tmp_path / "photos", origin="photograph", simulated=False)
    with Project.open(photos.path) as project:
        project.runs.put_model(ModelInfo("cnn-lstm", "CNN-LSTM", "captioner", domain="COCO Captions"))
    panel = InspectorPanel(selection := Selection())
    qtbot.addWidget(panel)
    panel.show_study(view(photos.path))
    selection.update(image_id=photos.images[0], task="general", source="cnn-lstm")
    assert panel.note == ""


def test_the_inspector_reads_the_maps_at_the_cursor(open_window, study):
    window = open_window
    window.bench.compare.probed.emit((0.25, 0.5))
    facts = values(window.bench.inspector._cursor)
    assert facts["at"] == "x 40, y 48 px"
    for pane in window.bench.compare.panes:
        name = window.session.study.source_name(pane.source)
        assert float(facts[name]) == pytest.approx(pane.view.layer.value_at(0.25, 0.5), abs=0.006)
    window.bench.compare.probed.emit(None)
    assert window.bench.inspector._cursor.isHidden()


def summary(**changes):
    values = {
        "verb": "score",
        "done": 3,
        "skipped": 0,
        "failed": 0,
        "cancelled": False,
        "seconds": 1.0,
    } | changes
    return Summary(**values)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (JobState(1, "t", None), "waiting for the job before it"),
        (JobState(1, "t", None, "running"), "starting"),
        (
            JobState(1, "t", None, "running", 3, 10, "a.png", 2.0, 75.0),
            "3/10  ·  a.png  ·  75 s left",
        ),
        (JobState(1, "t", None, "running", 3, 10, cancelling=True), "stopping after the unit in hand"),
        (
            JobState(1, "t", None, "done", seconds=4, result=summary(skipped=2)),
            "3 done  ·  2 already there  ·  4 s",
        ),
        (JobState(1, "t", None, "done", seconds=4, result=summary(done=0)), "nothing to do  ·  4 s"),
        (
            JobState(1, "t", None, "cancelled", seconds=4, result=summary()),
            "stopped; what was finished is kept  ·  3 done  ·  4 s",
        ),
        (JobState(1, "t", None, "failed", error=JobError("No.", "a.png", "Do.")), "a.png: No. Do."),
    ],
)
def test_a_job_in_one_line(state, words):
    assert standing(state) == words
    if state.finished:
        assert outcome(state) == words


@pytest.fixture
def runner():
    made = JobRunner()
    yield made
    made.stop()


def test_the_list_of_jobs_shows_problems_and_copies_them(qtbot, runner):
    panel = JobsPanel(runner)
    qtbot.addWidget(panel)
    rows = tuple(ProblemRow(n, "import gaze", f"f{n}.csv", f"Odd {n}.", "Look.", "2026") for n in range(700))
    panel.show_problems(rows)
    assert "700" in panel._problems_title.text()
    assert "200 more" in panel._none.text()
    panel._copy_problems()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 700
    assert lines[3] == "import gaze\tf3.csv\tOdd 3.\tLook."
    panel.show_problems(())
    assert panel._problems_title.text() == "PROBLEMS"
    panel.resize(900, 400)
    panel.show()
    panel.show_job(JobState(1, "Running models", None))
    assert panel._none.geometry().top() < 20  # where the first problem would stand


def test_the_status_line_cancels_the_running_job(qtbot, runner):
    import threading

    line, panel = StatusLine(runner), JobsPanel(runner)
    qtbot.addWidget(line)
    qtbot.addWidget(panel)
    started = threading.Event()

    def work(_project, progress):
        while not progress.cancelled:
            progress.report(1, 4, "unit one")
            started.set()
            threading.Event().wait(0.02)

    runner.submit("Running models", work, None)
    assert started.wait(60)
    qtbot.waitUntil(lambda: "unit one" in line.text)
    assert line.text.startswith("Running models  ·  1/4")
    line._ask()
    qtbot.waitUntil(lambda: not runner.busy)
    assert "stopped" not in line.text or "Running models" in line.text
    assert len(panel._lines) == 1


def test_drops_are_told_apart(tmp_path):
    pictures, recordings, nothing = (tmp_path / n for n in ("pictures", "recordings", "nothing"))
    for folder in (pictures / "deep", recordings, nothing):
        folder.mkdir(parents=True)
    draw(pictures / "deep" / "a.png", 8, 8, 1)
    (pictures / "notes.csv").write_text("x")
    for name in ("b.asc", "a.csv.gz", "readme.md"):
        (recordings / name).write_text("x")
    single = tmp_path / "PHOTO.JPG"
    single.write_bytes(b"x")
    odd = tmp_path / "gaze.weird"
    odd.write_text("x")
    drop = sort_drop([pictures, recordings, nothing, single, odd, tmp_path / "s.gaze", tmp_path / "t.gaze"])
    assert drop.images == [pictures, single]
    assert drop.gaze == [recordings / "a.csv.gz", recordings / "b.asc", odd]
    assert drop.unknown == [nothing]
    assert drop.project == tmp_path / "s.gaze"


@pytest.mark.parametrize("count", [1, 2, 5, 6, 20])
def test_few_choices_lie_side_by_side_and_many_in_a_list(qtbot, count):
    from gazeapp.ui.widgets import Segments

    segments, chosen = Segments("Task"), []
    qtbot.addWidget(segments)
    segments.chosen.connect(chosen.append)
    names = [f"task {n}" for n in range(count)]
    segments.set_values(names, names[-1])
    assert segments.current == names[-1]
    assert len(segments._group.buttons()) == (count if count <= 5 else 0)
    assert segments._box.isHidden() == (count <= 5)
    if count <= 5:
        segments._group.button(0).click()
    else:
        segments._box.activated.emit(0)
    assert chosen == [names[0]]
    assert segments.current == names[0]
    segments.set_values(names[:1], names[0])
    assert (segments.values, segments.current) == ([names[0]], names[0])


def test_only_people_with_a_fixation_on_the_image_are_counted(inspector, study):
    with Project.open(study.path) as project, project.transaction():
        recording = project.gaze.recordings()[0].id
        project.gaze.add_trials(
            recording,
            [
                NewTrial(subject, "general", image_id, "", "")
                for image_id, subject in ((study.images[0], "blank"), (None, "elsewhere"))
            ],
        )
    inspector.show_study(view(study.path))
    inspector.selection.update(image_id=study.images[0], task="general")
    assert values(inspector._image)["people"] == "4"
    assert "4 observers" in study_in_a_line(view(study.path))


def test_the_smallest_window_has_room_for_all_panels(open_window, qtbot):
    open_window.resize(open_window.minimumSize())
    open_window.bench.inspector_dock.show()
    qtbot.waitUntil(lambda: open_window.bench.inspector_dock.width() >= 180)
    assert open_window.minimumSizeHint().width() <= open_window.minimumWidth() == open_window.width()
    inspector = open_window.bench.inspector_dock.geometry()
    assert open_window.rect().contains(inspector)
