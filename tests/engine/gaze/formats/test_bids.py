"""BIDS eye tracking, in small data sets written here."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, bids
from gazeapp.engine.gaze.formats.bids_files import metadata, named
from gazeapp.engine.gaze.formats.collect import UNREADABLE
from gazeapp.engine.gaze.reading import guess_formats, read_recording
from gazeapp.engine.gaze.records import BROKEN_LINE, Contents, Eye, Why
from gazeapp.engine.gaze.source import Source

COLUMNS = ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"]
PHYSIO = {
    "PhysioType": "eyetrack",
    "Columns": COLUMNS,
    "SampleCoordinateSystem": "gaze-on-screen",
    "SamplingFrequency": 100,
    "timestamp": {"Units": "ms"},
    "x_coordinate": {"Units": "pixel"},
    "y_coordinate": {"Units": "pixel"},
}
PRESENTATION = {
    "ScreenDistance": 0.6,
    "ScreenOrigin": ["top", "left"],
    "ScreenResolution": [1024, 768],
    "ScreenSize": [0.386, 0.29],
}
FIXATIONS = {"Columns": ["onset", "duration", "trial_type", "blink", "message"], "OnsetSource": "timestamp"}
T0 = 7_000_000.0
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def packed(path: Path, text: str, mark: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode("utf-8-sig" if mark else "utf-8")))
    return path


def described(path: Path, values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))


def samples(n: int = 100, shift: float = 0.0, scale: float = 1.0) -> str:
    """n samples at 100 Hz: x counts up by 1, y is 300; the eleventh sample is lost."""
    rows = []
    for k in range(n):
        x, y = ("n/a", "n/a") if k == 10 else (f"{100 + k + shift}", "300")
        rows.append(f"{(T0 + 10 * k) * scale!r}\t{x}\t{y}\t4000\n")
    return "".join(rows)


def events(rows: list[tuple[float, object, str]]) -> str:
    messages = f'{T0 - 50}\tn/a\tn/a\tn/a\tan unclosed " quotation\n'
    return messages + "".join(f"{onset}\t{length}\t{kind}\t0\tn/a\n" for onset, length, kind in rows)


MARKED = [(T0 + 50, 100, "fixation"), (T0 + 150, 30, "saccade"), (T0 + 500, 200, "fixation")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set with one subject, both eyes, and metadata at its root."""
    root = tmp_path / "study"
    described(root / "dataset_description.json", {"Name": "study", "BIDSVersion": "1.11.0"})
    described(root / "task-view_physio.json", PHYSIO)
    described(root / "task-view_physioevents.json", FIXATIONS)
    described(root / "task-view_events.json", {"StimulusPresentation": PRESENTATION})
    here = root / "sub-01/beh"
    stem = "sub-01_task-view_run-1"
    for eye, side, shift in (("eye1", "left", 0.0), ("eye2", "right", 0.5)):
        packed(here / f"{stem}_recording-{eye}_physio.tsv.gz", samples(shift=shift), mark=eye == "eye2")
        described(here / f"{stem}_recording-{eye}_physio.json", {"RecordedEye": side, "StartTime": 0})
        packed(here / f"{stem}_recording-{eye}_physioevents.tsv.gz", events(MARKED))
    table = "onset\tduration\ttrial_type\tstim_file\n0\t0.3\tn/a\timages/a.jpg\n0.4\tn/a\tx\timages/b.jpg\n"
    (here / f"{stem}_events.tsv").write_text(table + "0.5\t0.1\tresponse\tn/a\n")
    return root


def one_eye(root: Path) -> Path:
    return root / "sub-01/beh/sub-01_task-view_run-1_recording-eye1_physio.tsv.gz"


def read(path: Path, samples: bool = False) -> Contents:
    return bids.read(Source(path), ReadOptions(samples=samples))


def test_a_folder_is_read_with_both_eyes_of_a_run_together(root: Path) -> None:
    recording = read_recording(root)
    assert (recording.format, recording.confidence) == ("bids", 0.95)
    facts = recording.facts
    assert (facts.screen, facts.eyes, facts.rate_hz) == ((1024.0, 768.0), ("left", "right"), 100.0)
    assert facts.distance_cm == pytest.approx(60)
    assert facts.screen_width_cm == pytest.approx(38.6)
    assert facts.n_samples == 200
    assert facts.lost_rows == {}
    assert [(t.subject, t.task, t.image, t.label, t.is_real) for t in recording.trials] == [
        ("sub-01", "view", "images/a.jpg", "run-1 1", True),
        ("sub-01", "view", "images/b.jpg", "run-1 x", True),
        ("sub-01", "view", "", "run-1 outside the trials", False),
    ]
    first, second, outside = (recording.fixations_of(trial) for trial in recording.trials)
    # Samples 5 to 14 without the lost 10: x = 100 + mean(5..14 less 10) = 109.4444.
    np.testing.assert_allclose(first.x, [100 + (95 - 10) / 9, 100.5 + (95 - 10) / 9])
    np.testing.assert_array_equal(first.y, [300, 300])
    np.testing.assert_array_equal(first.eye, [Eye.LEFT, Eye.RIGHT])
    np.testing.assert_array_equal(first.index, [1, 1])
    np.testing.assert_array_equal(first.start_ms, [T0 + 50] * 2)
    np.testing.assert_array_equal(first.duration_ms, [100, 100])
    np.testing.assert_allclose(second.x, [159.5, 160])
    assert len(outside) == 0
    assert recording.contents.samples is None
    # 30 samples of each eye in the first trial, one of them lost.
    assert recording.trials[0].quality["share_lost"] == pytest.approx(1 / 30)


def test_one_file_is_one_eye(root: Path) -> None:
    recording = read_recording(one_eye(root))
    assert (recording.format, recording.confidence) == ("bids", 0.97)
    assert recording.facts.eyes == ("left",)
    assert len(recording.fixations) == 2


def test_samples_are_handed_over_when_asked_for(root: Path) -> None:
    contents = read(root, samples=True)
    assert contents.samples is not None
    part = contents.samples.part(contents.trials[0].sample_rows)
    np.testing.assert_array_equal(part.t_ms, np.tile(T0 + 10 * np.arange(30), 2))
    assert np.flatnonzero(np.isnan(part.x)).tolist() == [10, 40]
    assert [len(contents.samples.part(t.sample_rows)) for t in contents.trials] == [60, 120, 20]


def test_without_marked_fixations_there_are_samples(root: Path) -> None:
    for path in root.rglob("*_physioevents.tsv.gz"):
        path.unlink()
    contents = read(root)
    assert len(contents.fixations) == 0
    assert contents.samples is not None
    assert len(contents.samples) == 200


def test_closer_metadata_count_over_those_above(root: Path) -> None:
    described(root / "sub-01/beh/sub-01_task-view_physio.json", {"SamplingFrequency": 200})
    described(root / "task-other_physio.json", {"SamplingFrequency": 1})
    data = named(one_eye(root))
    assert data is not None
    merged = metadata(data, "physio", data.entities)
    assert (merged["SamplingFrequency"], merged["RecordedEye"]) == (200, "left")


@pytest.mark.parametrize(
    ("scale", "stated", "noted"),
    [(1e-3, "s", False), (1e-3, "ms", True), (1e3, "us", False), (1.0, "n/a", False)],
)
def test_the_unit_of_times_is_stated_or_follows_from_the_rate(
    root: Path, scale: float, stated: str, noted: bool
) -> None:
    here = root / "sub-01/beh"
    described(root / "task-view_physio.json", {**PHYSIO, "timestamp": {"Units": stated}})
    for path in here.glob("*_physio.tsv.gz"):
        packed(path, samples(scale=scale))
    for path in here.glob("*_physioevents.tsv.gz"):
        packed(path, events([(onset * scale, length, kind) for onset, length, kind in MARKED]))
    contents = read(root)
    np.testing.assert_allclose(contents.fixations.start_ms, [T0 + 50] * 2 + [T0 + 500] * 2, rtol=1e-12)
    np.testing.assert_allclose(contents.fixations.duration_ms, [100] * 2 + [200] * 2)
    np.testing.assert_allclose(contents.fixations.x[[0, 2]], [100 + 85 / 9, 159.5])
    assert any("unit of the timestamps" in note for note in contents.facts.notes) == noted


def test_onsets_can_be_rows_of_the_samples(root: Path) -> None:
    described(root / "task-view_physioevents.json", {**FIXATIONS, "OnsetSource": "n/a"})
    for path in root.rglob("*_physioevents.tsv.gz"):
        packed(path, events([(5, 100, "fixation"), (-3, 20, "fixation")]))
    table = read(root).fixations
    found = sorted(set(table.start_ms.tolist()))
    assert found == [T0 - 30, T0 + 50]
    assert set(table.unusable[table.start_ms < T0].tolist()) == {int(Why.NO_POSITION)}


def test_onsets_of_trials_can_be_on_the_trackers_clock(root: Path) -> None:
    table = f"onset\tduration\tstim_file\n{T0 / 1000}\t0.3\ta.jpg\n{T0 / 1000 + 0.4}\t0.6\tb.jpg\n"
    (root / "sub-01/beh/sub-01_task-view_run-1_events.tsv").write_text(table)
    contents = read(root)
    assert [contents.fixations.part(t.rows).start_ms.tolist() for t in contents.trials if t.is_real] == [
        [T0 + 50] * 2,
        [T0 + 500] * 2,
    ]
    assert any("tracker's clock" in note for note in contents.facts.notes)


def test_the_begin_of_the_recording_shifts_the_trials(root: Path) -> None:
    for path in root.rglob("*recording-eye?_physio.json"):
        described(path, {"RecordedEye": "left", "StartTime": -0.2})
    # Samples begin 0.2 s before 0, so that the first trial covers T0 + 200 to T0 + 500.
    contents = read(root)
    assert [len(contents.fixations.part(t.rows)) for t in contents.trials] == [0, 0, 4]


def test_events_at_other_times_leave_no_trial_with_gaze_and_say_so(root: Path) -> None:
    table = "onset\tduration\tstim_file\n5000\t1\ta.jpg\n"
    (root / "sub-01/beh/sub-01_task-view_run-1_events.tsv").write_text(table)
    contents = read(root)
    assert [(t.is_real, len(contents.fixations.part(t.rows))) for t in contents.trials] == [
        (True, 0),
        (False, 4),
    ]
    assert any("None of the events" in note for note in contents.facts.notes)


def test_without_events_the_recording_is_one_trial(root: Path) -> None:
    (root / "sub-01/beh/sub-01_task-view_run-1_events.tsv").unlink()
    contents = read(root)
    assert [(t.label, t.is_real, len(contents.fixations.part(t.rows))) for t in contents.trials] == [
        ("run-1", True, 4)
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"x_coordinate": {"Units": "degree"}}, "'degree' and not in px"),
        ({"SampleCoordinateSystem": "eye-in-head"}, "not gaze on the screen"),
        ({"Columns": ["timestamp", "pupil_size"]}, "x_coordinate"),
        ({"Columns": ["x_coordinate", "y_coordinate"], "SamplingFrequency": None}, "sampling frequency"),
    ],
)
def test_positions_that_cannot_be_laid_on_the_screen_are_refused(
    root: Path, changed: dict[str, object], sentence: str
) -> None:
    described(root / "task-view_physio.json", {**PHYSIO, **changed})
    with pytest.raises(GazeError, match=sentence):
        read(one_eye(root))


def test_screens_are_understood_as_data_sets_write_them(root: Path) -> None:
    shown = {"ScreenDistance": 120, "ScreenResolution": [1919, 1079], "ScreenSize": [0.773, 0.445]}
    values = {"StimulusPresentation": {**shown, "ScreenOrigin": ["bottom", "left"]}}
    described(root / "task-view_events.json", values)
    facts = read(root).facts
    assert (facts.screen, facts.distance_cm) == ((1920.0, 1080.0), 120.0)
    assert (facts.frame.y_up, facts.frame.centred) == (True, False)
    assert sum("last pixel" in note or "cannot be in m" in note for note in facts.notes) == 2
    described(root / "task-view_events.json", {"StimulusPresentation": {"ScreenOrigin": ["top", "right"]}})
    with pytest.raises(GazeError, match="origin of the screen"):
        read(one_eye(root))


def test_recordings_of_the_pulse_and_copies_are_passed_over(root: Path) -> None:
    here = root / "sub-01/beh"
    packed(here / "sub-01_task-rest_physio.tsv.gz", "1\n2\n")
    described(here / "sub-01_task-rest_physio.json", {"Columns": ["cardiac"], "SamplingFrequency": 100})
    copy = root / "derivatives/x/sub-01_task-view_recording-eye1_physio.tsv.gz"
    packed(copy, samples())
    assert len(read(root).fixations) == 4
    assert bids.recognise(Source(here / "sub-01_task-rest_physio.tsv.gz")) is None


def test_events_alone_are_refused_with_what_to_do(root: Path) -> None:
    path = root / "sub-01/beh/sub-01_task-view_run-1_recording-eye1_physioevents.tsv.gz"
    with pytest.raises(GazeError, match="no positions") as caught:
        read_recording(path)
    assert "_physio.tsv.gz" in caught.value.todo


def test_one_bad_recording_does_not_stop_the_others(root: Path) -> None:
    bad = root / "sub-02/beh/sub-02_task-view_recording-eye1_physio.tsv.gz"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(one_eye(root).read_bytes()[:60])
    contents = read(root)
    assert len(contents.fixations) == 4
    assert contents.facts.lost_rows[UNREADABLE] == 1


def test_short_lines_are_counted(root: Path) -> None:
    lines = samples().splitlines(keepends=True)
    lines[3:3] = ["7000025\n", "x" * 1_000_000 + "\n", "n/a\t1\t2\t3\n"]
    packed(one_eye(root), "".join(lines))
    contents = read(one_eye(root))
    assert contents.facts.lost_rows == {BROKEN_LINE: 3}
    assert contents.facts.n_samples == 100


def test_broken_metadata_are_named_with_their_line(root: Path) -> None:
    path = root / "task-view_physio.json"
    path.write_text('{\n"Columns": [}\n')
    with pytest.raises(GazeError, match=r"task-view_physio.json, line 2"):
        read(one_eye(root))
    assert bids.recognise(Source(one_eye(root))) is None


@given(cut=st.integers(0, 700), noise=st.binary(max_size=100))
@few
def test_damage_is_a_sentence_or_counted(root: Path, cut: int, noise: bytes) -> None:
    path = one_eye(root)
    whole = path.with_name("whole")
    if not whole.exists():
        whole.write_bytes(path.read_bytes())
    for data in (
        whole.read_bytes()[:cut] + noise,
        gzip.compress(gzip.decompress(whole.read_bytes())[:cut] + noise),
    ):
        path.write_bytes(data)
        with suppress(GazeError):
            if path.stat().st_size:
                guess_formats(Source(path))
            read(path)


@given(
    changed=st.dictionaries(
        st.sampled_from([*PHYSIO, "StartTime", "RecordedEye"]),
        st.none()
        | st.integers(-3, 3)
        | st.floats()
        | st.text(max_size=3)
        | st.lists(st.integers(0, 2), max_size=2),
    )
)
@few
def test_metadata_of_any_content_never_end_in_a_traceback(root: Path, changed: dict[str, object]) -> None:
    described(root / "task-view_physio.json", {**PHYSIO, **changed})
    described(root / "task-view_events.json", {"StimulusPresentation": changed, "ScreenOrigin": 3})
    described(root / "task-view_physioevents.json", {**FIXATIONS, "duration": changed, **changed})
    with suppress(GazeError):
        bids.recognise(Source(one_eye(root)))
        read(one_eye(root))
