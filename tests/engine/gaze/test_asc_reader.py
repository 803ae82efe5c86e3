"""EyeLink files of our own making, each with one trap whose answer is known."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.asc_reader import read_asc
from gazeapp.engine.gaze.detect import guess_format, read_recording
from gazeapp.engine.gaze.records import Placement

DATA = Path(__file__).parents[2] / "data" / "gaze"

HEADER = """** CONVERTED FROM made_up.edf using edfapi 3.1
** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED
**

MSG\t1000 DISPLAY_COORDS 0 0 1023 767
>>>>>>> CALIBRATION (HV9,P-CR) FOR LEFT: <<<<<<<<<
  -41.1, -58.3         0,     34
   12.0   13.0   14.0
"""


def block(start, body, eyes="LEFT", kind="GAZE", rate="1000.00", extra=""):
    """A recording block around ``body``, as edf2asc writes it."""
    return (
        f"START\t{start} \t{eyes}\tSAMPLES\tEVENTS\nPRESCALER\t1\nVPRESCALER\t1\nPUPIL\tAREA\n"
        f"EVENTS\t{kind}\t{eyes}\tRATE\t{rate}\tTRACKING\tCR\tFILTER\t2\n"
        f"SAMPLES\t{kind}\t{eyes}\t{extra}RATE\t{rate}\tTRACKING\tCR\tFILTER\t2\n"
        f"{body}END\t{start + 900} \tSAMPLES\tEVENTS\tRES\t  35.19\t  35.15\n"
    )


def efix(eye, start, x, y, duration=100):
    return f"EFIX {eye}   {start}\t{start + duration - 1}\t{duration}\t  {x}\t  {y}\t    900\n"


def read(folder, text, **settings):
    path = folder / "s07.asc"
    path.write_text(text, encoding="utf-8")
    return read_asc(path, **settings)


def every(recording, column):
    return np.concatenate([getattr(trial.fixations, column) for trial in recording.trials])


def test_positions_off_the_screen_and_negative_ones_are_kept_as_read_and_counted(tmp_path):
    body = efix("L", 2010, -12.3, 40.0) + efix("L", 2200, 1500.5, -7.5) + efix("L", 2400, 512.0, 384.0)
    recording = read(tmp_path, HEADER + block(2000, body))
    assert every(recording, "x").tolist() == [-12.3, 1500.5, 512.0]
    assert every(recording, "y").tolist() == [40.0, -7.5, 384.0]
    assert recording.n_kept == 3
    assert recording.facts.off_screen == 2
    assert recording.dropped == {}


def test_times_at_2000_hz_are_fractional_and_the_duration_is_the_files_own(tmp_path):
    line = "EFIX L   2154563.5\t2154695.0\t132.0\t  141.0\t  132.2\t    791\n"
    recording = read(tmp_path, HEADER + block(2154556, line, rate="2000.00"))
    assert every(recording, "start_ms").tolist() == [2154563.5]
    assert every(recording, "duration_ms").tolist() == [132.0]
    assert recording.facts.rate_hz == 2000.0


def test_a_missing_position_is_kept_as_a_dropped_fixation(tmp_path):
    body = "EFIX L   2010\t2100\t91\t   .\t   .\t    0\n" + efix("L", 2200, 10.0, 20.0)
    recording = read(tmp_path, HEADER + block(2000, body))
    assert recording.dropped == {"no position": 1}
    assert recording.n_kept == 1
    assert math.isnan(every(recording, "x")[0])
    assert recording.facts.fixations_per_eye == {"left": 2}


def test_samples_are_lines_with_a_digit_in_column_0_only(tmp_path):
    samples = "2001\t  1.0\t  2.0\t  900.0\t...\n2002\t  1.0\t  2.0\t  900.0\t...\n"
    with pytest.raises(GazeError, match=r"has 2 samples but no fixation"):
        read(tmp_path, HEADER + block(2000, samples))


@pytest.mark.parametrize("kind", ["HREF", "PUPIL"])
def test_positions_that_are_no_pixels_are_refused_with_the_reason(tmp_path, kind):
    with pytest.raises(GazeError, match=kind) as caught:
        read(tmp_path, HEADER + block(2000, efix("L", 2010, 5000.0, -300.0), kind=kind))
    assert "edf2asc" in caught.value.todo


def test_both_eyes_are_reported_and_only_one_counts(tmp_path):
    body = "".join(efix("L", 2010 + 200 * k, 100.0 + k, 50.0) for k in range(2))
    body += "".join(efix("R", 2012 + 200 * k, 110.0 + k, 52.0) for k in range(3))
    text = HEADER + block(2000, body, eyes="LEFT\tRIGHT")
    auto = read(tmp_path, text)
    assert auto.facts.eyes == ("left", "right")
    assert auto.facts.fixations_per_eye == {"left": 2, "right": 3}
    assert auto.facts.eye_used == "right"
    assert auto.n_kept == 3
    assert auto.dropped == {"other eye": 2}
    left = read(tmp_path, text, eye="left")
    assert (left.n_kept, left.dropped) == (2, {"other eye": 3})
    kept = left.trials[0].fixations
    assert kept.x[kept.kept].tolist() == [100.0, 101.0]
    assert kept.index[kept.kept].tolist() == [1, 2]


def test_valid_positions_decide_which_eye_is_used(tmp_path):
    body = "".join(f"EFIX R   {2010 + k}\t2100\t91\t   .\t   .\t    0\n" for k in range(5))
    recording = read(tmp_path, HEADER + block(2000, body + efix("L", 2300, 5.0, 6.0), eyes="LEFT\tRIGHT"))
    assert recording.facts.eye_used == "left"
    assert recording.n_kept == 1


def test_a_trial_with_the_other_eye_only_uses_that_one(tmp_path):
    text = HEADER + block(2000, efix("L", 2010, 1.0, 2.0) + efix("L", 2200, 3.0, 4.0))
    text += block(4000, efix("R", 4010, 5.0, 6.0), eyes="RIGHT")
    recording = read(tmp_path, text)
    assert recording.n_kept == 3
    assert "1 trials only the other eye" in recording.facts.notes[0]
    assert read(tmp_path, text, eye="left").n_kept == 2


def test_an_eye_that_was_not_recorded_is_refused(tmp_path):
    with pytest.raises(GazeError, match="no fixations of the right eye"):
        read(tmp_path, HEADER + block(2000, efix("L", 2010, 1.0, 2.0)), eye="right")


def test_remote_mode_with_its_head_target_is_read(tmp_path):
    text = HEADER + block(2000, efix("L", 2010, 508.9, 403.3), extra="HTARGET\t", rate=" 250.00")
    recording = read(tmp_path, text)
    assert recording.facts.rate_hz == 250.0
    assert recording.n_kept == 1


@pytest.mark.parametrize(
    ("message", "size"),
    [
        ("DISPLAY_COORDS 0 0 1919 1079", (1920, 1080)),
        ("DISPLAY_COORDS = 0 0 1919 1079", (1920, 1080)),
        ("GAZE_COORDS 0.00 0.00 1279.00 1023.00", (1280, 1024)),
        ("GAZE_COORDS 0.00 0.00 1920.00 1080.00", (1920, 1080)),
        ("DISPLAY_COORDS 0 0 1024 768", (1024, 768)),
    ],
)
def test_the_screen_is_a_size_whichever_way_it_is_written(tmp_path, message, size):
    text = HEADER.replace("DISPLAY_COORDS 0 0 1023 767", message)
    assert read(tmp_path, text + block(2000, efix("L", 2010, 1.0, 2.0))).facts.screen == size


def test_a_file_without_screen_says_so(tmp_path):
    text = HEADER.replace("DISPLAY_COORDS 0 0 1023 767", "NOTHING")
    facts = read(tmp_path, text + block(2000, efix("L", 2010, 1.0, 2.0))).facts
    assert facts.screen is None
    assert "does not say how large the screen was" in facts.notes[0]


def test_trials_by_the_vendors_messages_with_an_offset_before_the_text(tmp_path):
    text = HEADER
    for number, image in ((0, "a.png"), (1, "b c.png")):
        start = 2000 + 2000 * number
        text += f"MSG\t{start - 100} TRIALID {number}\n"
        text += f"MSG\t{start - 50} -14 !V IMGLOAD CENTER pictures/{image} 512 384 640 480\n"
        text += block(start, efix("L", start + 10, 100.0 + number, 200.0))
        text += f"MSG\t{start + 950} !V TRIAL_VAR task general\nMSG\t{start + 960} TRIAL_RESULT 0\n"
    recording = read(tmp_path, text)
    assert [trial.label for trial in recording.trials] == ["0", "1"]
    assert [trial.image for trial in recording.trials] == ["pictures/a.png", "pictures/b c.png"]
    assert [trial.task for trial in recording.trials] == ["general", "general"]
    assert [trial.subject for trial in recording.trials] == ["s07", "s07"]
    assert recording.trials[0].placement == Placement("center", 512, 384, 640, 480)
    assert [trial.fixations.x.tolist() for trial in recording.trials] == [[100.0], [101.0]]


def test_trials_of_opensesame_and_fixations_outside_of_them(tmp_path):
    body = efix("L", 2010, 1.0, 1.0)
    body += "MSG\t2150 start_trial 0\nMSG\t2151 var image face.jpg\nMSG\t2151 var subject_nr 12\n"
    body += efix("L", 2120, 2.0, 2.0) + efix("L", 2200, 3.0, 3.0) + "MSG\t2400 stop_trial\n"
    body += efix("L", 2390, 4.0, 4.0) + efix("L", 2450, 5.0, 5.0)
    body += "MSG\t2600 start_trial 1\n" + efix("L", 2610, 6.0, 6.0)
    recording = read(tmp_path, HEADER + block(2000, body))
    found = {trial.label: trial.fixations.x.tolist() for trial in recording.trials}
    # A fixation belongs to the trial in which it starts, not to the one in which it ends.
    assert found == {
        "before the first trial": [1.0, 2.0],
        "0": [3.0, 4.0],
        "1": [6.0],
        "between trials": [5.0],
    }
    assert recording.n_kept == 6
    assert [t.image for t in recording.trials] == ["", "face.jpg", "", ""]
    assert [t.subject for t in recording.trials] == ["s07", "12", "s07", "s07"]


def test_without_trial_messages_each_recording_block_is_a_trial(tmp_path):
    text = HEADER
    for number in range(3):
        start = 2000 + 2000 * number
        text += f"MSG\t{start - 10} !V IMGLOAD FILL scene{number}.jpg\n"
        text += block(start, efix("L", start + 10, float(number), 0.0))
    recording = read(tmp_path, text)
    assert [trial.label for trial in recording.trials] == ["1", "2", "3"]
    assert [trial.image for trial in recording.trials] == ["scene0.jpg", "scene1.jpg", "scene2.jpg"]
    assert [trial.fixations.x.tolist() for trial in recording.trials] == [[0.0], [1.0], [2.0]]
    assert recording.trials[0].placement == Placement("fill")


def test_image_variables_that_are_logged_after_a_block_name_that_block(tmp_path):
    text = HEADER
    for number in range(2):
        start = 2000 + 2000 * number
        text += block(start, efix("L", start + 10, float(number), 0.0))
        text += f'MSG\t{start + 950} !V TRIAL_VAR image "scene{number}.jpg"\n'
    assert [trial.image for trial in read(tmp_path, text).trials] == ["scene0.jpg", "scene1.jpg"]


def test_a_message_may_come_late_in_the_file_but_counts_by_its_own_time(tmp_path):
    body = "MSG 2005 TRIALID 1\nMSG 2300 TRIALID 2\n" + efix("L", 2100, 1.0, 1.0) + efix("L", 2310, 2.0, 2.0)
    found = {t.label: t.fixations.x.tolist() for t in read(tmp_path, HEADER + block(2000, body)).trials}
    assert found == {"1": [1.0], "2": [2.0]}


def test_the_users_own_pattern_finds_trials(tmp_path):
    body = "MSG\t2005 Go picture=tree.png\n" + efix("L", 2010, 1.0, 1.0)
    body += "MSG\t2300 Go picture=house.png\n" + efix("L", 2310, 2.0, 2.0)
    recording = read(tmp_path, HEADER + block(2000, body), trial_pattern=r"picture=(\S+)")
    assert [trial.label for trial in recording.trials] == ["tree.png", "house.png"]


@pytest.mark.parametrize(("pattern", "says"), [("([", "no regular expression"), ("nothing", "No message")])
def test_a_pattern_that_finds_nothing_or_is_none_is_explained(tmp_path, pattern, says):
    with pytest.raises(GazeError, match=says):
        read(tmp_path, HEADER + block(2000, efix("L", 2010, 1.0, 2.0)), trial_pattern=pattern)


@pytest.mark.parametrize("last", ["EFIX L   2400\t2500\t101\t  33", "EFIX L   2400\t2500\t101\t  33.0\t  4"])
def test_a_last_line_cut_short_is_counted_not_read(tmp_path, last):
    text = HEADER + f"START\t2000 \tLEFT\tEVENTS\n{efix('L', 2010, 1.0, 2.0)}{last}"
    recording = read(tmp_path, text)
    assert recording.n_kept == 1
    assert recording.dropped == {"line cut short or unreadable": 1}


def test_gzip_is_told_by_content_and_gives_the_same(tmp_path):
    text = HEADER + block(2000, efix("L", 2010, 1.0, 2.0))
    packed = tmp_path / "s07.asc"
    packed.write_bytes(gzip.compress(text.encode()))
    recording = read_recording(packed)
    assert recording.format == "eyelink-asc"
    assert every(recording, "y").tolist() == [2.0]


def test_a_gzip_cut_short_is_explained(tmp_path):
    path = tmp_path / "s07.asc.gz"
    path.write_bytes(gzip.compress((HEADER + block(2000, efix("L", 2010, 1.0, 2.0)) * 50).encode())[:-40])
    with pytest.raises(GazeError, match="damaged"):
        read_recording(path)


def test_windows_line_ends_and_old_encodings_are_read(tmp_path):
    text = HEADER + "MSG\t1999 TRIALID 1\nMSG\t1999 !V TRIAL_VAR image Bär.png\n"
    text += block(2000, efix("L", 2010, 1.0, 2.0))
    path = tmp_path / "s.asc"
    path.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    assert read_asc(path).trials[0].image == "Bär.png"


def test_the_whole_example_file():
    recording = read_recording(DATA / "two_trials_binocular.asc")
    assert recording.confidence == 1.0
    assert guess_format(DATA / "two_trials_binocular.asc")[0].format == "eyelink-asc"
    assert recording.facts.screen == (1024, 768)
    assert recording.facts.rate_hz == 500.0
    assert recording.facts.fixations_per_eye == {"left": 5, "right": 4}
    assert recording.facts.eye_used == "left"
    assert recording.dropped == {"other eye": 4}
    assert recording.facts.off_screen == 1
    assert [(t.label, t.image, t.task) for t in recording.trials] == [
        ("1", "wide.png", "general"),
        ("2", "tall.png", "general"),
    ]
