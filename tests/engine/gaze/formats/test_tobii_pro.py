"""Tobii Pro Lab's export: fixations once each, whatever version wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, tobii_pro
from gazeapp.engine.gaze.records import Contents, Frame, Why
from gazeapp.engine.gaze.source import Source

OLD = (
    "Recording timestamp", "Sensor", "Participant name", "Recording name", "Recording resolution height",
    "Recording resolution width", "Gaze point X", "Gaze point Y", "Presented Stimulus name",
    "Presented Media width", "Presented Media height", "Presented Media position X (DACSpx)",
    "Presented Media position Y (DACSpx)", "Eye movement type", "Gaze event duration",
    "Eye movement type index", "Fixation point X", "Fixation point Y",
)  # fmt: skip
NEW = tuple(
    {
        "Recording timestamp": "Recording timestamp [\u03bcs]",
        "Gaze event duration": "Eye movement event duration [ms]",
        "Gaze point X": "Gaze point X [DACS px]",
        "Gaze point Y": "Gaze point Y [DACS px]",
        "Fixation point X": "Fixation point X [DACS px]",
        "Fixation point Y": "Fixation point Y [DACS px]",
    }.get(name, name)
    for name in OLD
)
FIXATIONS = (
    # participant, image, number, first sample (ms), samples, x, y, duration (ms)
    ("P1", "beach.png", 1, 1000.0, 10, 400.5, 300.25, 166.0),
    ("P1", "beach.png", 2, 1250.0, 6, -12.5, 310.0, 100.0),
    ("P1", "street.png", 3, 3000.0, 12, 700.0, 1300.75, 200.0),
    ("P2", "beach.png", 1, 900.0, 8, 512.0, 384.0, 133.0),
)
STEP = 1000 / 60


def rows(time_factor: float = 1.0, with_gyro: bool = False) -> list[list[str]]:
    """Return the rows of an export of :data:`FIXATIONS`, each with samples and a saccade after it."""
    table = []
    for who, image, number, start, n, x, y, duration in FIXATIONS:
        for k in range(n + 2):
            kind = "Fixation" if k < n else "Saccade"
            time = f"{round((start + k * STEP) * time_factor)}"
            about = [
                who,
                f"Recording {who}",
                "1080",
                "1920",
                f"{x + 0.5}",
                f"{y}",
                image,
                "800",
                "600",
                "560",
                "240",
            ]
            position = [f"{x}", f"{y}"] if k < n else ["", ""]
            row = [time, "Eye Tracker", *about, kind, f"{duration}", f"{number}", *position]
            table.append(row)
            if with_gyro:
                table.append(
                    [
                        time,
                        "Gyroscope",
                        *about[:4],
                        "",
                        "",
                        *about[6:],
                        kind,
                        f"{duration}",
                        f"{number}",
                        *position,
                    ]
                )
    return table


def write(path: Path, header: tuple[str, ...], table: list[list[str]], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join("\t".join(row) for row in [list(header), *table]) + "\n", encoding=encoding)
    return path


def read(path: Path, samples: bool = False) -> Contents:
    return tobii_pro.read(Source(path), ReadOptions(samples=samples))


def check(contents: Contents) -> None:
    """Compare what was read with :data:`FIXATIONS`."""
    assert [(t.subject, t.image) for t in contents.trials] == [
        ("P1", "beach.png"), ("P1", "street.png"), ("P2", "beach.png"),
    ]  # fmt: skip
    table = contents.fixations
    assert table.index.tolist() == [1, 2, 3, 1]
    np.testing.assert_allclose(table.x, [400.5, -12.5, 700.0, 512.0])
    np.testing.assert_allclose(table.y, [300.25, 310.0, 1300.75, 384.0])
    np.testing.assert_allclose(table.start_ms, [1000, 1250, 3000, 900])
    np.testing.assert_allclose(table.duration_ms, [166, 100, 200, 133])
    assert [len(table.part(t.rows)) for t in contents.trials] == [2, 1, 1]
    assert contents.facts.screen == (1920.0, 1080.0)
    assert contents.facts.frame == Frame()


def test_every_fixation_stands_once(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "old.tsv", OLD, rows()))
    check(contents)
    assert contents.samples is None
    place = contents.trials[0].placement
    assert place is not None
    assert (place.anchor, place.x, place.y, place.width, place.height) == ("top_left", 560, 240, 800, 600)


def test_new_names_and_microseconds_by_their_unit(tmp_path: Path) -> None:
    check(read(write(tmp_path / "new.tsv", NEW, rows(1000.0))))


def test_microseconds_without_a_unit_are_told_and_noted(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "us.tsv", OLD, rows(1000.0)))
    check(contents)
    assert any("microseconds" in note for note in contents.facts.notes)


def test_rows_of_the_gyroscope_repeat_nothing(tmp_path: Path) -> None:
    header = (*OLD, "Gyro X")
    check(read(write(tmp_path / "gyro.tsv", header, rows(with_gyro=True))))


def test_utf16_with_decimal_commas(tmp_path: Path) -> None:
    table = [[cell.replace(".", ",") if cell[-1:].isdigit() else cell for cell in row] for row in rows()]
    check(read(write(tmp_path / "utf16.tsv", OLD, table, "utf-16")))


def test_shuffled_columns_change_nothing(tmp_path: Path) -> None:
    order = np.random.default_rng(3).permutation(len(OLD))
    header = tuple(OLD[k] for k in order)
    check(read(write(tmp_path / "shuffled.tsv", header, [[row[k] for k in order] for row in rows()])))


def test_samples_that_are_asked_for(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "samples.tsv", OLD, rows(with_gyro=True)), samples=True)
    n = sum(fixation[4] + 2 for fixation in FIXATIONS)
    assert contents.samples is not None
    assert len(contents.samples) == n == contents.facts.n_samples
    assert contents.trials[1].quality["n_samples"] == 14
    assert contents.facts.rate_hz == pytest.approx(60, rel=0.02)


def test_gaze_mapped_to_snapshots(tmp_path: Path) -> None:
    header = (
        "Recording timestamp", "Sensor", "Participant name", "Recording name", "Eye movement type",
        "Gaze event duration", "Eye movement type index", "Fixation point X", "Fixation point Y",
        "Mapped eye movement type [shelf]", "Mapped eye movement type index [shelf]",
        "Mapped fixation X [shelf]", "Mapped fixation Y [shelf]",
        "Mapped fixation X [door] [MCS px]", "Mapped fixation Y [door] [MCS px]",
    )  # fmt: skip
    same = ["Eye Tracker", "P1", "R1", "Fixation"]
    table = [
        ["0", *same, "100", "1", "900", "500", "Fixation", "1", "11.5", "12.5", "", ""],
        ["20", *same, "100", "1", "900", "500", "Fixation", "1", "11.5", "12.5", "", ""],
        ["200", *same, "120", "2", "901", "501", "", "", "", "", "21", "22"],
        ["400", *same, "140", "3", "902", "502", "", "", "", "", "", ""],
    ]
    contents = read(write(tmp_path / "glasses.tsv", header, table))
    assert [(t.subject, t.image) for t in contents.trials] == [("P1", "shelf"), ("P1", "door")]
    assert contents.fixations.x.tolist() == [11.5, 21.0]
    assert contents.facts.frame.is_image_px
    assert contents.facts.lost_rows == {"fixation on no image that gaze was mapped to": 1}


def test_gaze_in_the_scene_video_is_refused(tmp_path: Path) -> None:
    header = ("Recording timestamp", "Participant name", "Eye movement type", "Eye movement type index",
              "Fixation point X [MCS px]", "Fixation point Y [MCS px]", "Gyro X [°/s]")  # fmt: skip
    path = write(tmp_path / "video.tsv", header, [["0", "P1", "Fixation", "1", "5", "6", "0.1"]])
    with pytest.raises(GazeError, match="scene camera"):
        read(path)


def test_positions_on_the_medium_as_shares(tmp_path: Path) -> None:
    header = ("Recording timestamp", "Participant name", "Presented Media name", "Eye movement type",
              "Eye movement type index", "Fixation point X (MCSnorm)", "Fixation point Y (MCSnorm)")  # fmt: skip
    contents = read(
        write(tmp_path / "norm.tsv", header, [["0", "P1", "a.png", "Fixation", "1", "0.25", "0.75"]])
    )
    assert contents.facts.frame == Frame(of="image", unit="share")
    assert any("durations" in note for note in contents.facts.notes)


def test_studio_3_has_the_same_table_under_other_names(tmp_path: Path) -> None:
    header = ("ParticipantName", "RecordingName", "MediaName", "RecordingTimestamp", "GazeEventType",
              "GazeEventDuration", "FixationIndex", "FixationPointX (MCSpx)", "FixationPointY (MCSpx)")  # fmt: skip
    table = [["P1", "R1", "a.png", str(20 * k), "Fixation", "60", "7", "30", "40"] for k in range(3)]
    contents = read(write(tmp_path / "studio3.tsv", header, table))
    assert contents.facts.frame.is_image_px
    assert contents.fixations.index.tolist() == [7]


def test_what_lies_outside_stimuli_is_no_trial_and_what_has_no_position_is_kept(tmp_path: Path) -> None:
    header = ("Recording timestamp", "Participant name", "Presented Stimulus name", "Eye movement type",
              "Eye movement type index", "Fixation point X", "Fixation point Y")  # fmt: skip
    table = [
        ["0", "P1", "", "Fixation", "1", "1", "2"],
        ["50", "P1", "a", "Fixation", "2", "", ""],
        ["60", "P1", "a", "Fixation", "", "3", "4"],
    ]
    contents = read(write(tmp_path / "edge.tsv", header, table))
    assert [trial.is_real for trial in contents.trials] == [False, True]
    assert contents.fixations.unusable.tolist() == [Why.USED, Why.NO_POSITION]
    assert contents.facts.lost_rows == {"row of a fixation without a number": 1}


def test_told_by_its_columns(tmp_path: Path) -> None:
    for header in (OLD, NEW):
        guess = tobii_pro.recognise(Source(write(tmp_path / "x.dat", header, rows())))
        assert guess is not None
        assert guess.confidence > 0.9
        assert "Eye movement type" in guess.reason
