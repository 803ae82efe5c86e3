"""EyeLink files of our own making, each with one trap whose answer is known."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import eyelink
from gazeapp.engine.gaze.formats.base import ReadOptions
from gazeapp.engine.gaze.formats.eyelink_scan import BLOCK, LONGEST_LINE
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.records import BROKEN_LINE, Eye, Placement, Why
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.trial_rules import TrialRules

DATA = Path(__file__).parents[2] / "data" / "gaze"

HEADER = """** CONVERTED FROM made_up.edf using edfapi 3.1
** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED
**

MSG\t1000 DISPLAY_COORDS 0 0 1023 767
>>>>>>> CALIBRATION (HV9,P-CR) FOR LEFT: <<<<<<<<<
MSG\t1001 !CAL -41.1, -58.3         0,     34
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


def read(folder, text, samples=False, **rules):
    path = folder / "s07.asc"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return eyelink.read(Source(path), ReadOptions(TrialRules(**rules), samples=samples))


def parts(contents, column="x"):
    """One column of the fixations of every trial, by the trial's label."""
    values = getattr(contents.fixations, column)
    return {trial.label: values[trial.rows].tolist() for trial in contents.trials}


def test_positions_off_the_screen_and_negative_ones_are_kept_as_read(tmp_path):
    body = efix("L", 2010, -12.3, 40.0) + efix("L", 2200, 1500.5, -7.5) + efix("L", 2400, 512.0, 384.0)
    found = read(tmp_path, HEADER + block(2000, body))
    assert found.fixations.x.tolist() == [-12.3, 1500.5, 512.0]
    assert found.fixations.y.tolist() == [40.0, -7.5, 384.0]
    assert found.fixations.index.tolist() == [1, 2, 3]
    assert not found.fixations.unusable.any()
    assert found.facts.lost_rows == {}


def test_times_at_2000_hz_are_fractional_and_the_duration_is_the_files_own(tmp_path):
    line = "EFIX L   2154563.5\t2154695.0\t132.0\t  141.0\t  132.2\t    791\n"
    found = read(tmp_path, HEADER + block(2154556, line, rate="2000.00"))
    assert found.fixations.start_ms.tolist() == [2154563.5]
    assert found.fixations.duration_ms.tolist() == [132.0]
    assert found.facts.rate_hz == 2000.0


def test_a_missing_position_is_kept_and_marked(tmp_path):
    body = "EFIX L   2010\t2100\t91\t   .\t   .\t    0\n" + efix("L", 2200, 10.0, 20.0)
    found = read(tmp_path, HEADER + block(2000, body)).fixations
    assert found.unusable.tolist() == [Why.NO_POSITION, Why.USED]
    assert math.isnan(found.x[0])
    assert found.index.tolist() == [1, 2]


@pytest.mark.parametrize("kind", ["HREF", "PUPIL"])
def test_positions_that_are_no_pixels_are_refused_with_the_reason_and_the_line(tmp_path, kind):
    with pytest.raises(GazeError, match=kind) as caught:
        read(tmp_path, HEADER + block(2000, efix("L", 2010, 5000.0, -300.0), kind=kind))
    assert "edf2asc" in caught.value.todo
    assert caught.value.where.endswith("line 14")


def test_the_fixations_of_both_eyes_are_handed_over_and_numbered_apart(tmp_path):
    body = "".join(
        efix("L", 2010 + 200 * k, 100.0 + k, 50.0) + efix("R", 2012 + 200 * k, 110.0 + k, 52.0)
        for k in range(2)
    )
    found = read(tmp_path, HEADER + block(2000, body, eyes="LEFT\tRIGHT"))
    assert found.facts.eyes == ("left", "right")
    assert found.fixations.eye.tolist() == [Eye.LEFT, Eye.RIGHT, Eye.LEFT, Eye.RIGHT]
    assert found.fixations.index.tolist() == [1, 1, 2, 2]


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


def test_positions_count_from_the_corner_of_a_screen_area_that_does_not_begin_at_0_0(tmp_path):
    text = HEADER.replace("DISPLAY_COORDS 0 0 1023 767", "DISPLAY_COORDS -512 -384 511 383")
    text += "MSG\t1900 TRIALID 1\nMSG\t1901 !V IMGLOAD CENTER a.jpg 0 0\n"
    samples = "2000\t  -12.0\t   16.0\t  900.0\t...\n"
    found = read(tmp_path, text + block(2000, samples + efix("L", 2010, 0.0, -384.0)), samples=True)
    assert found.facts.screen == (1024, 768)
    assert (found.fixations.x[0], found.fixations.y[0]) == (512.0, 0.0)
    assert (found.samples.x[0], found.samples.y[0]) == (500.0, 400.0)
    assert found.trials[0].placement.x == 512.0
    assert "subtracted" in found.facts.notes[0]


def test_a_file_without_screen_says_so(tmp_path):
    text = HEADER.replace("DISPLAY_COORDS 0 0 1023 767", "NOTHING")
    facts = read(tmp_path, text + block(2000, efix("L", 2010, 1.0, 2.0))).facts
    assert facts.screen is None
    assert "does not say how large the screen was" in facts.notes[0]


def test_distance_and_width_of_the_screen_where_the_trackers_settings_are_logged(tmp_path):
    text = HEADER + "MSG\t1002 !CMD 0 screen_phys_coords = -260.0, 146.0, 260.0, -146.0\n"
    text += "MSG\t1003 !CMD 0 screen_distance = 600 620\n" + block(2000, efix("L", 2010, 1.0, 2.0))
    facts = read(tmp_path, text).facts
    assert facts.distance_cm == 61.0
    assert facts.screen_width_cm == 52.0
    assert facts.messages == ("DISPLAY_COORDS 0 0 1023 767",)


def test_trials_by_the_vendors_messages_with_an_offset_before_the_text(tmp_path):
    text = HEADER
    for number, image in ((0, "a.png"), (1, "b c.png")):
        start = 2000 + 2000 * number
        text += f"MSG\t{start - 100} TRIALID {number}\n"
        text += f"MSG\t{start - 50} -14 !V IMGLOAD CENTER pictures/{image} 512 384 640 480\n"
        text += block(start, efix("L", start + 10, 100.0 + number, 200.0))
        text += f"MSG\t{start + 950} !V TRIAL_VAR task general\nMSG\t{start + 960} TRIAL_RESULT 0\n"
    found = read(tmp_path, text)
    assert [trial.label for trial in found.trials] == ["0", "1"]
    assert [trial.image for trial in found.trials] == ["pictures/a.png", "pictures/b c.png"]
    assert [trial.task for trial in found.trials] == ["general", "general"]
    assert [trial.subject for trial in found.trials] == ["s07", "s07"]
    assert all(trial.is_real for trial in found.trials)
    assert found.trials[0].placement == Placement("center", 512, 384, 640, 480)
    assert parts(found) == {"0": [100.0], "1": [101.0]}
    assert any("'experiment-builder'" in note for note in found.facts.notes)


def test_the_number_before_a_messages_text_is_how_long_ago_it_happened(tmp_path):
    body = "MSG\t2100 30 TRIALID 1\n" + efix("L", 2075, 1.0, 1.0) + efix("L", 2060, 2.0, 2.0)
    assert parts(read(tmp_path, HEADER + block(2000, body))) == {"before the first trial": [2.0], "1": [1.0]}


def test_a_message_may_be_sent_long_after_what_it_tells_of(tmp_path):
    body = "MSG\t2000 TRIALID 1\n" + efix("L", 2010, 1.0, 1.0) + efix("L", 2120, 2.0, 2.0)
    body += efix("L", 2250, 3.0, 3.0) + "MSG\t2500 400 onset\n" + efix("L", 2510, 4.0, 4.0)
    found = read(tmp_path, HEADER + block(2000, body), start="onset")
    assert parts(found) == {"before the first trial": [1.0], "onset": [2.0, 3.0, 4.0]}


def test_trials_of_opensesame_and_fixations_outside_of_them(tmp_path):
    body = efix("L", 2010, 1.0, 1.0)
    body += "MSG\t2150 start_trial 0\nMSG\t2151 var image face.jpg\nMSG\t2151 var subject_nr 12\n"
    body += efix("L", 2120, 2.0, 2.0) + efix("L", 2200, 3.0, 3.0) + "MSG\t2400 stop_trial\n"
    body += efix("L", 2390, 4.0, 4.0) + efix("L", 2450, 5.0, 5.0)
    body += "MSG\t2600 start_trial 1\n" + efix("L", 2610, 6.0, 6.0)
    found = read(tmp_path, HEADER + block(2000, body))
    # A fixation belongs to the trial in which it starts, not to the one in which it ends.
    assert parts(found) == {
        "before the first trial": [1.0, 2.0],
        "0": [3.0, 4.0],
        "1": [6.0],
        "between trials": [5.0],
    }
    assert [t.image for t in found.trials] == ["", "face.jpg", "", ""]
    assert [t.subject for t in found.trials] == ["s07", "12", "s07", "s07"]
    assert [t.is_real for t in found.trials] == [False, True, True, False]


def test_without_trial_messages_each_recording_block_is_a_trial(tmp_path):
    text = HEADER
    for number in range(3):
        start = 2000 + 2000 * number
        text += f"MSG\t{start - 10} !V IMGLOAD FILL scene{number}.jpg\n"
        text += block(start, efix("L", start + 10, float(number), 0.0))
    found = read(tmp_path, text)
    assert parts(found) == {"1": [0.0], "2": [1.0], "3": [2.0]}
    assert [trial.image for trial in found.trials] == ["scene0.jpg", "scene1.jpg", "scene2.jpg"]
    assert found.trials[0].placement == Placement("fill")


def test_image_variables_that_are_logged_after_a_block_name_that_block(tmp_path):
    text = HEADER
    for number in range(2):
        start = 2000 + 2000 * number
        text += block(start, efix("L", start + 10, float(number), 0.0))
        text += f'MSG\t{start + 950} !V TRIAL_VAR image "scene{number}.jpg"\n'
    assert [trial.image for trial in read(tmp_path, text).trials] == ["scene0.jpg", "scene1.jpg"]


def test_a_message_may_come_late_in_the_file_but_counts_by_its_own_time(tmp_path):
    body = "MSG 2005 TRIALID 1\nMSG 2300 TRIALID 2\n" + efix("L", 2100, 1.0, 1.0) + efix("L", 2310, 2.0, 2.0)
    assert parts(read(tmp_path, HEADER + block(2000, body))) == {"1": [1.0], "2": [2.0]}


def test_the_trackers_clock_may_start_anew_in_the_file(tmp_path):
    text = (
        HEADER + "MSG\t9000 TRIALID 1\n" + block(9100, efix("L", 9200, 1.0, 1.0)) + "MSG\t9900 TRIAL_RESULT\n"
    )
    text += "MSG\t100 TRIALID 2\n" + block(150, efix("L", 200, 2.0, 2.0))
    assert parts(read(tmp_path, text)) == {"1": [1.0], "2": [2.0]}


def shows(order):
    """A trial of 1 s that shows a.jpg and b.jpg, with messages in an order such as ``io io``."""
    text = HEADER + "MSG\t2000 TRIALID 5\n"
    names = iter(("a.jpg", "b.jpg"))
    body = ""
    for part, letters in enumerate(order.split()):
        for place, letter in enumerate(letters):
            message = f"!V IMGLOAD FILL {next(names)}" if letter == "i" else "SYNCTIME"
            body += f"MSG\t{2100 + 400 * part + 10 * place} {message}\n"
        body += efix("L", 2150 + 400 * part, float(part), 0.0)
    return text + block(2010, body) + "MSG\t3000 TRIAL_RESULT 0\n"


@pytest.mark.parametrize("order", ["io io", "oi oi", "ooi oi", "ioo io"])
def test_images_one_after_another_with_onsets_of_their_own_make_trials_of_their_own(tmp_path, order):
    found = read(tmp_path, shows(order))
    assert parts(found) == {"5 (1 of 2)": [0.0], "5 (2 of 2)": [1.0]}
    assert [trial.image for trial in found.trials] == ["a.jpg", "b.jpg"]
    assert any("one trial an image" in note for note in found.facts.notes)


@pytest.mark.parametrize("order", ["ii o", "o ii", "i i", "i io"])
def test_several_images_without_clear_onsets_stay_one_trial_and_that_is_noted(tmp_path, order):
    found = read(tmp_path, shows(order))
    assert [(trial.label, trial.image) for trial in found.trials] == [("5", "b.jpg")]
    assert any("the last one counts" in note for note in found.facts.notes)


def test_the_users_own_patterns_find_starts_ends_and_images(tmp_path):
    body = "MSG\t2005 Go 7 picture=tree.png\n" + efix("L", 2010, 1.0, 1.0) + "MSG\t2150 Halt\n"
    body += efix("L", 2200, 9.0, 9.0)
    body += "MSG\t2300 Go 8 picture=house.png\n" + efix("L", 2310, 2.0, 2.0)
    found = read(tmp_path, HEADER + block(2000, body), start=r"Go (\d+)", end="Halt", image=r"picture=(\S+)")
    assert parts(found) == {"7": [1.0], "8": [2.0], "between trials": [9.0]}
    assert [trial.image for trial in found.trials] == ["tree.png", "house.png", ""]


@pytest.mark.parametrize(
    "rules", [{"start": "(["}, {"start": "nothing"}, {"end": "nothing"}, {"image": "no (x)"}]
)
def test_a_pattern_that_finds_nothing_or_is_none_is_explained(tmp_path, rules):
    with pytest.raises(GazeError, match=r"no regular expression|No message") as caught:
        read(tmp_path, HEADER + block(2000, efix("L", 2010, 1.0, 2.0)), **rules)
    assert caught.value.todo


def sample(t, *eyes):
    return "\t".join([f"{t}", *(f"  {x}\t  {y}\t  900.0" for x, y in eyes), "..."]) + "\n"


LOST = (" .", " .")


def test_samples_are_read_where_there_are_no_fixations_and_lost_ones_are_nan(tmp_path):
    body = sample(2000, (1.5, -2.25)) + sample(2001, LOST) + sample(2002, (3, 4))
    found = read(tmp_path, HEADER + block(2000, body))
    assert len(found.fixations) == 0
    assert found.samples.t_ms.tolist() == [2000, 2001, 2002]
    np.testing.assert_array_equal(found.samples.x, [1.5, np.nan, 3])
    np.testing.assert_array_equal(found.samples.y, [-2.25, np.nan, 4])
    assert found.samples.eye.tolist() == [Eye.LEFT] * 3
    assert found.trials[0].sample_rows == slice(0, 3)
    assert found.facts.n_samples == 3


def test_samples_of_both_eyes_stand_by_trial_then_eye_then_time(tmp_path):
    text = HEADER
    for number in (1, 2):
        start = 2000 * number
        body = sample(start, (1, 2), (3, 4)) + sample(start + 2, LOST, (5.5, 6)) + efix("L", start, 1.0, 2.0)
        text += f"MSG\t{start - 5} TRIALID {number}\n" + block(start, body, "LEFT\tRIGHT", rate="500.00")
        text += f"MSG\t{start + 905} TRIAL_RESULT\n"
    assert read(tmp_path, text).samples is None
    found = read(tmp_path, text, samples=True)
    assert [trial.sample_rows for trial in found.trials] == [slice(0, 4), slice(4, 8)]
    second = found.samples.part(found.trials[1].sample_rows)
    assert second.t_ms.tolist() == [4000, 4002, 4000, 4002]
    assert second.eye.tolist() == [Eye.LEFT, Eye.LEFT, Eye.RIGHT, Eye.RIGHT]
    np.testing.assert_array_equal(second.x, [1, np.nan, 3, 5.5])
    assert found.facts.n_samples == 4


def test_samples_at_2000_hz_and_of_remote_mode(tmp_path):
    lines = "2000.0\t  1.0\t  2.0\t  900.0\t... \t 4717.0\t 2908.0\t  611.2 .............\n"
    lines += "2000.5\t  .\t  .\t  0.0\t... \t .\t .\t  . .............\n"
    lines += "2001.0\t  3.0\t  4.0\t  900.0\t... \t .\t .\t  . .............\n"
    found = read(tmp_path, HEADER + block(2000, lines, extra="HTARGET\t", rate="2000.00"))
    assert found.samples.t_ms.tolist() == [2000.0, 2000.5, 2001.0]
    np.testing.assert_array_equal(found.samples.x, [1, np.nan, 3])
    assert found.facts.rate_hz == 2000.0


@pytest.mark.parametrize("samples", [False, True])
def test_the_share_lost_is_known_with_and_without_reading_positions(tmp_path, samples):
    body = "".join(sample(2000 + k, LOST if 10 <= k < 110 else (5, 6), LOST) for k in range(400))
    text = HEADER + block(2000, body + efix("L", 2000, 1.0, 2.0), "LEFT\tRIGHT")
    quality = read(tmp_path, text, samples=samples).trials[0].quality
    assert quality["n_samples"] == 400
    assert quality["share_lost"] == pytest.approx(0.25)
    assert quality["rate_hz"] == pytest.approx(1000)
    assert quality["gaps"] == 1
    assert quality["longest_gap_ms"] == pytest.approx(100, abs=1)


def test_indented_numbers_are_no_samples_wherever_blocks_of_reading_end(tmp_path):
    one = sample(2000, (1, 2))
    n = 2 * BLOCK // len(one)
    body = one * n + efix("L", 2010, 1.0, 2.0) + "   12.0   13.0\n" + one * n + efix("L", 2200, 3.0, 4.0)
    found = read(tmp_path, HEADER + block(2000, body))
    assert found.facts.n_samples == 2 * n
    assert found.fixations.x.tolist() == [1.0, 3.0]
    assert found.facts.lost_rows == {}


@pytest.mark.parametrize(
    "last",
    ["EFIX L   2400\t2500\t101\t  33", "EFIX L   2400\t2500\t101\t  33.0\t  4", "2500\t  33.0\t  4", "25"],
)
def test_a_last_line_cut_short_is_counted_not_read(tmp_path, last):
    text = HEADER + f"START\t2000 \tLEFT\tEVENTS\n{efix('L', 2010, 1.0, 2.0)}{last}"
    found = read(tmp_path, text, samples=True)
    assert len(found.fixations) == 1
    assert found.facts.n_samples == 0
    assert found.facts.lost_rows == {BROKEN_LINE: 1}


def test_a_line_of_a_million_characters_is_counted_and_the_rest_is_read(tmp_path):
    text = HEADER + "MSG\t1500 " + "x" * 1_000_000 + "\n" + block(2000, efix("L", 2010, 1.0, 2.0))
    assert read(tmp_path, text).fixations.x.tolist() == [1.0]
    endless = HEADER + block(2000, efix("L", 2010, 1.0, 2.0)) + "7" * (2 * BLOCK + LONGEST_LINE)
    found = read(tmp_path, endless)
    assert found.fixations.x.tolist() == [1.0]
    assert found.facts.lost_rows == {BROKEN_LINE: 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEADER, "neither samples nor fixations"),
        (HEADER + "EFIX L\nEFIX Q 1 2 3 4 5 6\n", "None of the 2 fixation lines"),
    ],
)
def test_a_recording_without_anything_is_explained(tmp_path, text, says):
    with pytest.raises(GazeError, match=says):
        read(tmp_path, text)


def test_gzip_is_told_by_content_and_gives_the_same(tmp_path):
    text = HEADER + block(2000, efix("L", 2010, 1.0, 2.0))
    packed = tmp_path / "s07.asc"
    packed.write_bytes(gzip.compress(text.encode()))
    recording = read_recording(packed)
    assert recording.format == "eyelink-asc"
    assert recording.fixations.y.tolist() == [2.0]


def test_a_gzip_cut_short_is_explained(tmp_path):
    path = tmp_path / "s07.asc.gz"
    path.write_bytes(gzip.compress((HEADER + block(2000, efix("L", 2010, 1.0, 2.0)) * 50).encode())[:-40])
    with pytest.raises(GazeError, match="damaged"):
        read_recording(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16"])
def test_windows_line_ends_and_other_encodings_are_read(tmp_path, encoding):
    text = HEADER + "MSG\t1999 TRIALID 1\nMSG\t1999 !V TRIAL_VAR image Bär.png\n"
    text += block(2000, sample(2001, (1, 2)) + efix("L", 2010, 1.0, 2.0))
    path = tmp_path / "s.asc"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    recording = read_recording(path)
    assert recording.format == "eyelink-asc"
    assert recording.trials[0].image == "Bär.png"
    assert recording.facts.n_samples == 1


def test_the_whole_example_file():
    recording = read_recording(DATA / "two_trials_binocular.asc")
    assert recording.confidence == 1.0
    assert "recording blocks" in recording.reason
    assert recording.facts.screen == (1024, 768)
    assert recording.facts.rate_hz == 500.0
    assert np.bincount(recording.fixations.eye).tolist() == [0, 5, 4]
    assert recording.facts.n_samples == 2
    assert [(t.label, t.image, t.task) for t in recording.trials] == [
        ("1", "wide.png", "general"),
        ("2", "tall.png", "general"),
    ]


@pytest.fixture(scope="module")
def example():
    return (DATA / "two_trials_binocular.asc").read_bytes()


DAMAGE = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def reads_or_explains(folder, content):
    """Read bytes as an .asc file; what fails must say where and what to do."""
    for samples in (False, True):
        found, failed = None, None
        try:
            found = read(folder, content, samples=samples)
        except GazeError as error:
            failed = error
        if failed is not None:
            assert failed.where
            assert failed.todo
        else:
            owned = sum(trial.rows.stop - trial.rows.start for trial in found.trials)
            assert owned == len(found.fixations)


@DAMAGE
@given(content=st.binary(max_size=2000))
def test_random_bytes_never_end_in_a_traceback(tmp_path, example, content):
    reads_or_explains(tmp_path, content)
    reads_or_explains(tmp_path, example + content)


@DAMAGE
@given(cut=st.integers(0, 2600), data=st.data())
def test_a_file_cut_anywhere_with_lines_shuffled_is_read_or_explained(tmp_path, example, cut, data):
    reads_or_explains(tmp_path, example[:cut])
    reads_or_explains(tmp_path, b"\n".join(data.draw(st.permutations(example[:cut].split(b"\n")))))


WORDS = ["EFIX", "L", "R", "MSG", "START", "END", "SAMPLES", "GAZE", "RATE", "TRIALID", "-5", "1e400", "nan"]
WORDS += [
    ".",
    "2000",
    "2001.5",
    "-12.3",
    "!V",
    "IMGLOAD",
    "CENTER",
    "DISPLAY_COORDS",
    "0",
    "\t",
    "1.2.3",
    "--4",
]


@DAMAGE
@given(lines=st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), max_size=40))
def test_lines_of_strange_words_are_read_or_explained(tmp_path, lines):
    reads_or_explains(tmp_path, ("\n".join(lines) + "\n" + efix("L", 2010, 1.0, 2.0)).encode())
