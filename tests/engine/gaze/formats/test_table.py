"""Tables of fixations: lenient where that is safe, strict and clear where it is not."""

from __future__ import annotations

import csv
import gzip
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions
from gazeapp.engine.gaze.profiles import SAMPLES, TableProfile
from gazeapp.engine.gaze.reading import guess_formats, read_recording
from gazeapp.engine.gaze.records import Eye, Frame, Why, count_reasons
from gazeapp.engine.gaze.source import Source


def read(folder, text, encoding="utf-8", profile=None):
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return read_recording(path, options=ReadOptions(profile=profile))


def fixations(recording, trial=0):
    return recording.fixations_of(recording.trials[trial])


def dropped(recording):
    return count_reasons(recording.fixations.unusable, recording.facts.lost_rows)


def n_usable(recording):
    return int((recording.fixations.unusable == Why.USED).sum())


def test_the_plain_table(tmp_path):
    recording = read(
        tmp_path,
        "image,subject,x,y,task,fixation_index,start_ms,duration_ms,trial\n"
        "a.png,s1,10.5,20.25,general,3,100,200.5,7\n"
        "a.png,s1,11,21,general,4,400,150,7\n"
        "a.png,s2,12,22,social,1,,,7\n",
    )
    assert recording.format == "csv"
    assert recording.confidence == 1.0
    assert recording.facts.frame == Frame(of="image")
    assert len(recording.fixations) == 3
    first, second = recording.trials
    assert (first.image, first.subject, first.task, first.label) == ("a.png", "s1", "general", "7")
    assert fixations(recording, 0).index.tolist() == [3, 4]
    assert fixations(recording, 0).x.tolist() == [10.5, 11.0]
    assert fixations(recording, 0).y.tolist() == [20.25, 21.0]
    assert fixations(recording, 0).start_ms.tolist() == [100.0, 400.0]
    assert fixations(recording, 0).duration_ms.tolist() == [200.5, 150.0]
    assert second.task == "social"
    assert math.isnan(fixations(recording, 1).duration_ms[0])


def test_a_trial_is_an_image_and_a_subject_and_keeps_the_order_of_its_rows(tmp_path):
    recording = read(
        tmp_path, "image,subject,x,y\nb,s1,5,0\na,s1,1,0\nb,s1,4,0\na,s2,9,0\na,s1,2,0\nb,s1,6,0\n"
    )
    assert [(t.image, t.subject, recording.fixations_of(t).x.tolist()) for t in recording.trials] == [
        ("b", "s1", [5.0, 4.0, 6.0]),
        ("a", "s1", [1.0, 2.0]),
        ("a", "s2", [9.0]),
    ]
    assert fixations(recording).index.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "header",
    [
        "Image Name,Participant ID,X [px],Y [px],Fixation Duration (ms)",
        " IMAGE , Subject , x , y , Duration_ms ",
        "stimulus,observer,fix_x,fix_y,dur",
        "ImageName,subjectID,fixationX,fixationY,fixationDuration",
    ],
)
def test_header_names_are_read_leniently(tmp_path, header):
    table = fixations(read(tmp_path, f"{header}\na.png,s1,3,4,250\n"))
    assert (table.x[0], table.y[0], table.duration_ms[0]) == (3.0, 4.0, 250.0)


@pytest.mark.parametrize(
    ("unit", "in_ms"),
    [("duration_ms", 0.25), ("duration [s]", 250.0), ("Duration (us)", 0.00025), ("duration", 0.25)],
)
def test_time_units_in_the_header_are_brought_to_ms(tmp_path, unit, in_ms):
    table = fixations(read(tmp_path, f"image,subject,x,y,{unit}\na,s,1,2,0.25\n"))
    assert table.duration_ms[0] == pytest.approx(in_ms)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_by_the_header(tmp_path, delimiter):
    rows = [["image", "subject", "x", "y"], ["a, b.png", "s;1", "3.5", "4.5"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    recording = read(tmp_path, text.getvalue())
    assert (recording.trials[0].image, recording.trials[0].subject) == ("a, b.png", "s;1")
    assert (recording.fixations.x[0], recording.fixations.y[0]) == (3.5, 4.5)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas(tmp_path, delimiter):
    text = "image;subject;x;y\na;s;892,10;-3,5\na;s;7;8.25\n".replace(";", delimiter)
    table = fixations(read(tmp_path, text))
    assert table.x.tolist() == [892.1, 7.0]
    assert table.y.tolist() == [-3.5, 8.25]


TORN = "image,subject,fixation_index,x,y,duration_ms\n"


@pytest.mark.parametrize(
    "row",
    [
        "a.png,s01,1,395,5,265,7,246",
        "a.png,s01,1,395,5,265,246",
        "a.png,s01,1,-395,5,265,7,",
        "a.png,s01,1,395,5,265,7,246,25,",
    ],
)
def test_decimal_commas_between_commas_are_refused(tmp_path, row):
    whole = "a.png,s01,2,395,265,246\n"
    with pytest.raises(GazeError, match=r"12 of 15 rows have more cells.*decimal commas") as caught:
        read(tmp_path, TORN + f"{row}\n" * 12 + whole * 3)
    assert "semicolons" in caught.value.todo
    # The header of some exports ends with a comma that stands for no column.
    with pytest.raises(GazeError, match="decimal commas"):
        read(tmp_path, TORN.replace("\n", ",\n") + f"{row}\n" * 12 + whole * 3)


def test_rows_with_more_cells_than_the_header_are_never_used(tmp_path):
    recording = read(
        tmp_path,
        TORN + "a.png,s1,1,10,20,200\n" * 5 + "a.png,s1,1,395,5,265,7,246\n" + "a.png,s1,,1,2,3,,x\n",
    )
    assert fixations(recording).x.tolist() == [10.0] * 5
    assert dropped(recording) == {"more cells than columns": 2}
    # Row names of which the header knows nothing shift all columns, but are no decimal commas.
    named = read(tmp_path, "image,subject,x,y\n1,a,s,10.5,20.5\n2,a,s,11.5,20.5\n")
    assert (n_usable(named), dropped(named)) == (0, {"more cells than columns": 2})


@pytest.mark.parametrize("end", [",", ",,, "])
def test_empty_cells_at_the_end_of_a_line_are_no_cells(tmp_path, end):
    recording = read(tmp_path, f"image,subject,x,y\na,s,3,4{end}\n")
    assert (fixations(recording).x[0], dropped(recording)) == (3.0, {})


def test_rows_without_a_position_are_kept_as_dropped_and_counted(tmp_path):
    recording = read(
        tmp_path,
        "image,subject,x,y\na,s,1,2\na,s,,2\na,s,.,.\na,s,nan,2\na,s,inf,2\na,s,left,2\na,s,3\na,s,5,6\n",
    )
    assert n_usable(recording) == 2
    assert dropped(recording) == {"no position": 6}
    table = fixations(recording)
    assert table.x[table.unusable == Why.USED].tolist() == [1.0, 5.0]
    # A fixation's number is its place in the scanpath, the lost ones counted.
    assert table.index[table.unusable == Why.USED].tolist() == [1, 8]


def test_rows_without_image_or_subject_are_counted(tmp_path):
    recording = read(tmp_path, "image,subject,x,y\na,s,1,2\n,s,1,2\na,,1,2\n , ,1,2\n\n,,,\n")
    assert n_usable(recording) == 1
    assert dropped(recording) == {"no image name": 1, "no subject": 2}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    recording = read(tmp_path, "image,subject,x,y\nBär.png,Zoë,1,2\n", encoding)
    assert (recording.trials[0].image, recording.trials[0].subject) == ("Bär.png", "Zoë")
    assert bool(recording.facts.notes) == (encoding == "cp1252")


def test_gzip_windows_and_old_mac_line_ends(tmp_path):
    path = tmp_path / "table.csv.gz"
    for end in ("\r\n", "\r", "\n"):
        path.write_bytes(gzip.compress(f"image,subject,x,y{end}a,s,1,2{end}a,s,3,4{end}".encode()))
        assert fixations(read_recording(path)).x.tolist() == [1.0, 3.0]


def test_two_columns_that_could_be_the_same_are_noted(tmp_path):
    recording = read(tmp_path, "image,subject,pos_x,x,y\na,s,1,2,3\n")
    assert fixations(recording).x[0] == 2.0
    assert "'x' is used" in recording.facts.notes[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("picture_nr,who,left,top\n1,2,3,4\n", "no columns for image and subject and x and y"),
        ("image,subject,x\na,s,1\n", "no column for y"),
        ("subject;x;y\ns;1;2\n", "no column for image"),
        ("image,subject,x_normalised,y_normalised\na,s,0.1,0.2\n", "no columns for x and y"),
        ("image,subject,x,y\n", "header but no rows"),
        ("image,subject,x,y\n\n , ,\n", "header but no rows"),
        ("", "empty"),
        ("\n \n\t\n", "empty"),
        ("hello\nworld\n", "no format that gazeapp can read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, says):
    with pytest.raises(GazeError, match=says) as caught:
        read(tmp_path, text)
    assert "table.csv" in caught.value.where
    assert caught.value.todo


def test_missing_columns_name_what_was_found(tmp_path):
    with pytest.raises(GazeError, match="'who', 'x', 'y'") as caught:
        read(tmp_path, "image,who,x,y\na,s,1,2\n")
    assert "subject" in caught.value.what


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02" * 50, b"\x89PNG\r\n\x1a\n\x00\x00", b"SR_RESEARCH_COMBINED_FILE\x00"]
)
def test_binary_files_are_told_apart(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(GazeError, match="binary"):
        read_recording(path)


def test_an_unclosed_quotation_mark_is_an_error_with_its_row(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('image,subject,x,y\na,s,1,2\na,"s,1,2\n' + "a,s,1,2\n" * 30_000)
    with pytest.raises(GazeError, match=r"line \d+: The table cannot be read here.*quotation mark"):
        read_recording(path)


@pytest.mark.parametrize("tail", ['a,"s,1,2\n', 'a,"s,1,2\na,s,3,4\na,"s,5,6\na,s,7,8\n'])
def test_a_quotation_mark_never_swallows_rows(tmp_path, tail):
    with pytest.raises(GazeError, match="quotation mark"):
        read(tmp_path, f"image,subject,x,y\na,s,1,2\n{tail}")


def test_a_line_of_a_million_characters_is_refused_with_its_number(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("image,subject,x,y\na,s,1,2\n" + "a" * 1_000_000)
    with pytest.raises(GazeError, match="longer than") as caught:
        read_recording(path)
    assert caught.value.where == f"{path}, line 3"
    path.write_text("image,subject,x,y," * 60_000)
    with pytest.raises(GazeError):
        read_recording(path)


def test_zero_bytes_below_the_head_are_passed_over(tmp_path):
    recording = read(tmp_path, "image,subject,x,y\n" + "a,s,1,2\n" * 20_000 + "a,s,\x003,4\n")
    assert len(recording.fixations) == 20_001
    assert recording.fixations.x[-1] == 3.0


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(GazeError, match="cannot be read"):
        read_recording(tmp_path / "nothing.csv")


def test_a_format_can_be_chosen_and_must_exist(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("image,subject,x,y\na,s,1,2\n")
    assert read_recording(path, format="csv").reason == "chosen by the user"
    with pytest.raises(GazeError, match="no format 'edf'"):
        read_recording(path, format="edf")


def test_how_sure_a_table_is(tmp_path):
    path = tmp_path / "table.csv"
    headers = {
        "image,subject,x,y": 1.0,
        "stimulus,participant,fix_x,fix_y": 0.75,
        "participant,gaze_x,gaze_y": 0.2,
        "a,b,c": None,
    }
    for header, confidence in headers.items():
        path.write_text(f"{header}\n1,2,3,4\n")
        sure = {entry.id: guess.confidence for entry, guess in guess_formats(Source(path))}
        assert sure.get("csv") == confidence


def test_lines_above_the_header_are_passed_over(tmp_path):
    recording = read(tmp_path, "# made by hand\nStudy of 2026\n\nimage;subject;x;y\na;s;1;2\n")
    assert fixations(recording).x.tolist() == [1.0]


def test_eye_validity_and_end(tmp_path):
    recording = read(
        tmp_path,
        "image,subject,x,y,eye,valid,start_ms,end_ms\n"
        "a,s,1,2,L,1,100,350\na,s,3,4,right,TRUE,100,360.5\na,s,5,6,left,0,400,500\na,s,7,8,,no,600,\n",
    )
    table = fixations(recording)
    assert table.eye.tolist() == [Eye.LEFT, Eye.RIGHT, Eye.LEFT, Eye.UNKNOWN]
    assert table.unusable.tolist() == [0, 0, Why.NOT_VALID, Why.NOT_VALID]
    assert table.duration_ms[:3].tolist() == [250.0, 260.5, 100.0]
    assert math.isnan(table.duration_ms[3])
    # The eyes are counted apart.
    assert table.index.tolist() == [1, 1, 2, 1]
    assert recording.facts.eyes == ("left", "right")
    assert dropped(recording) == {"marked as not valid in the file": 2}


def test_a_mapping_names_columns_and_frame(tmp_path):
    screen = Frame(of="screen", unit="share", y_up=True)
    profile = TableProfile(
        "lab",
        {"x": "gx", "y": "GY", "start": "when", "duration": "how long [us]"},
        time_unit="s",
        frame=screen,
    )
    text = "exported 2026\nwhen;gx;gy;how long [us]\n1,5;0,25;0,75;250000\n2;-0,5;1,5;.\n"
    recording = read(tmp_path, text, profile=profile)
    assert recording.reason == "column mapping 'lab'"
    assert recording.facts.frame == screen
    (trial,) = recording.trials
    assert (trial.subject, trial.image, trial.task, trial.label) == ("table", "", "", "")
    table = fixations(recording)
    assert table.x.tolist() == [0.25, -0.5]
    assert table.y.tolist() == [0.75, 1.5]
    assert table.start_ms.tolist() == [1500.0, 2000.0]
    assert table.duration_ms[0] == 250.0
    assert math.isnan(table.duration_ms[1])


def test_a_mapping_with_limits_of_validity(tmp_path):
    text = "x,y,code\n1,1,0\n2,2,1\n3,3,4\n4,4,\n"
    for limits, valid in (
        ({"invalid_above": 1}, [True, True, False, False]),
        ({"invalid_below": 1}, [False, True, True, False]),
        ({"invalid_below": 0.5, "invalid_above": 2}, [False, True, False, False]),
    ):
        profile = TableProfile("p", {"x": "x", "y": "y", "valid": "code"}, **limits)
        assert (fixations(read(tmp_path, text, profile=profile)).unusable == 0).tolist() == valid


def test_a_mapping_of_samples_sorts_them_by_trial_eye_and_time(tmp_path):
    profile = TableProfile(
        "samples",
        {"time": "t", "x": "x", "y": "y", "eye": "eye", "trial": "trial", "subject": "who", "valid": "ok"},
        kind=SAMPLES,
        time_unit="us",
        frame=Frame(),
    )
    text = (
        "who,trial,t,eye,x,y,ok\n"
        "s,1,2000,R,1,2,1\ns,1,1000,R,3,4,1\ns,1,1000,L,5,6,0\ns,2,500,L,7,8,1\ns,2,,L,9,9,1\n,2,1,L,9,9,1\n"
    )
    recording = read(tmp_path, text, profile=profile)
    samples = recording.contents.samples
    assert len(recording.fixations) == 0
    assert [(trial.label, trial.sample_rows) for trial in recording.trials] == [
        ("1", slice(0, 3)),
        ("2", slice(3, 4)),
    ]
    assert samples.t_ms.tolist() == [1.0, 1.0, 2.0, 0.5]
    assert samples.eye.tolist() == [Eye.LEFT, Eye.RIGHT, Eye.RIGHT, Eye.LEFT]
    assert math.isnan(samples.x[0])
    assert samples.x[1:].tolist() == [3.0, 1.0, 7.0]
    assert recording.facts.n_samples == 4
    assert recording.facts.lost_rows == {"no time": 1, "no subject": 1}
    assert all("share_lost" in trial.quality for trial in recording.trials)


def test_a_table_without_a_header(tmp_path):
    profile = TableProfile("bare", {"x": "2", "y": "3", "image": "1"}, header_line=-1)
    recording = read(tmp_path, "# by MATLAB\na.png\t1\t2\na.png\t3\t4\n", profile=profile)
    assert fixations(recording).x.tolist() == [1.0, 3.0]
    assert recording.trials[0].image == "a.png"


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"x": "x"}, "does not say which column is y"),
        ({"x": "x", "y": "why"}, "no column 'why', which the column mapping 'p' takes as y"),
    ],
)
def test_a_mapping_that_does_not_fit_is_said(tmp_path, columns, says):
    with pytest.raises(GazeError, match=says):
        read(tmp_path, "x,y\n1,2\n", profile=TableProfile("p", columns))


def test_numbers_in_quotes_with_decimal_commas_need_to_be_said(tmp_path):
    text = 'x,y\n"395,5","10,25"\n'
    columns = {"x": "x", "y": "y"}
    bare = read(tmp_path, text, profile=TableProfile("p", columns))
    assert n_usable(bare) == 0
    assert "2 cells of x and y are written like 395,5" in bare.contents.facts.notes[-1]
    table = fixations(read(tmp_path, text, profile=TableProfile("p", columns, decimal=",")))
    assert (table.x[0], table.y[0]) == (395.5, 10.25)


names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
numbers = st.floats(-1e6, 1e6)
rows = st.lists(st.tuples(st.sampled_from(["a", "b"]), names, numbers, numbers, numbers, numbers), min_size=1)
COLUMNS = ["image", "subject", "x", "y", "start_ms", "duration_ms"]


@settings(max_examples=40, deadline=None)
@given(rows, st.sampled_from([",", ";", "\t"]), st.permutations(range(6)))
def test_what_is_written_is_read_back_exactly_in_any_order_of_columns(
    tmp_path_factory, table, delimiter, order
):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow([COLUMNS[place] for place in order])
        writer.writerows([row[place] for place in order] for row in table)
    expected: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for image, subject, *values in table:
        expected.setdefault((subject, image), []).append(tuple(values))
    recording = read_recording(path, "csv")
    found = {}
    for trial in recording.trials:
        own = recording.fixations_of(trial)
        columns = (own.x, own.y, own.start_ms, own.duration_ms)
        found[trial.subject, trial.image] = list(zip(*(column.tolist() for column in columns), strict=True))
    assert found == expected


cells = st.text('ab1.,-#\t é"', max_size=4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(cells, max_size=6), max_size=8), st.sampled_from(["utf-8", "cp1252", "utf-16"]))
def test_every_row_is_kept_or_counted(tmp_path_factory, table, encoding):
    path = tmp_path_factory.mktemp("rows") / "table.csv"
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([["image", "subject", "x", "y"], *table])
    n = sum(any(cell.strip() for cell in row) for row in table)
    outcome = _outcome(path, "csv")
    if isinstance(outcome, GazeError):
        assert not n or "decimal commas" in outcome.what
    else:
        assert len(outcome.fixations) + sum(outcome.facts.lost_rows.values()) == n
        assert sum(trial.rows.stop - trial.rows.start for trial in outcome.trials) == len(outcome.fixations)


@settings(max_examples=50, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"image,subject,x,y\n", b"x\ty\n", b"\xff\xfe", b"\x1f\x8b", b"\xef\xbb\xbf"]),
    st.sampled_from(["fixations", "samples"]),
)
def test_any_bytes_give_a_recording_or_a_sentence(tmp_path_factory, content, start, kind):
    path = tmp_path_factory.mktemp("bytes") / "file"
    path.write_bytes(start + content)
    profile = TableProfile("p", {"x": "x", "y": "y", "time": "x"}, kind=kind)
    for outcome in (_outcome(path, "auto"), _outcome(path, "csv"), _outcome(path, "csv", profile)):
        if isinstance(outcome, GazeError):
            assert outcome.what.endswith(".")
            assert str(path) in outcome.where
        else:
            table = outcome.fixations
            unplaced = ~(np.isfinite(table.x) & np.isfinite(table.y))
            assert np.all(table.unusable[unplaced] != Why.USED)


def _outcome(path, kind, profile=None):
    try:
        return read_recording(path, kind, ReadOptions(profile=profile))
    except GazeError as error:
        return error
