"""Tables of fixations: lenient where that is safe, strict and clear where it is not."""

from __future__ import annotations

import csv
import gzip
import io
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.csv_reader import read_csv
from gazeapp.engine.gaze.detect import read_recording


def read(folder, text, encoding="utf-8"):
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return read_recording(path)


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
    assert recording.facts.space == "image"
    assert recording.facts.fixations_per_eye == {"unknown": 3}
    first, second = recording.trials
    assert (first.image, first.subject, first.task, first.label) == ("a.png", "s1", "general", "7")
    assert first.fixations.index.tolist() == [3, 4]
    assert first.fixations.x.tolist() == [10.5, 11.0]
    assert first.fixations.y.tolist() == [20.25, 21.0]
    assert first.fixations.start_ms.tolist() == [100.0, 400.0]
    assert first.fixations.duration_ms.tolist() == [200.5, 150.0]
    assert second.task == "social"
    assert math.isnan(second.fixations.duration_ms[0])


def test_a_trial_is_an_image_and_a_subject_and_keeps_the_order_of_its_rows(tmp_path):
    recording = read(
        tmp_path, "image,subject,x,y\nb,s1,5,0\na,s1,1,0\nb,s1,4,0\na,s2,9,0\na,s1,2,0\nb,s1,6,0\n"
    )
    assert [(t.image, t.subject, t.fixations.x.tolist()) for t in recording.trials] == [
        ("b", "s1", [5.0, 4.0, 6.0]),
        ("a", "s1", [1.0, 2.0]),
        ("a", "s2", [9.0]),
    ]
    assert recording.trials[0].fixations.index.tolist() == [1, 2, 3]


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
    table = read(tmp_path, f"{header}\na.png,s1,3,4,250\n").trials[0].fixations
    assert (table.x[0], table.y[0], table.duration_ms[0]) == (3.0, 4.0, 250.0)


@pytest.mark.parametrize(
    ("unit", "in_ms"),
    [("duration_ms", 0.25), ("duration [s]", 250.0), ("Duration (us)", 0.00025), ("duration", 0.25)],
)
def test_time_units_in_the_header_are_brought_to_ms(tmp_path, unit, in_ms):
    table = read(tmp_path, f"image,subject,x,y,{unit}\na,s,1,2,0.25\n").trials[0].fixations
    assert table.duration_ms[0] == pytest.approx(in_ms)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_by_the_header(tmp_path, delimiter):
    rows = [["image", "subject", "x", "y"], ["a, b.png", "s;1", "3.5", "4.5"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    trial = read(tmp_path, text.getvalue()).trials[0]
    assert (trial.image, trial.subject) == ("a, b.png", "s;1")
    assert (trial.fixations.x[0], trial.fixations.y[0]) == (3.5, 4.5)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas(tmp_path, delimiter):
    text = "image;subject;x;y\na;s;892,10;-3,5\na;s;7;8.25\n".replace(";", delimiter)
    table = read(tmp_path, text).trials[0].fixations
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
    assert recording.trials[0].fixations.x.tolist() == [10.0] * 5
    assert recording.dropped == {"more cells than columns": 2}
    # Row names of which the header knows nothing shift all columns, but are no decimal commas.
    named = read(tmp_path, "image,subject,x,y\n1,a,s,10.5,20.5\n2,a,s,11.5,20.5\n")
    assert (named.n_kept, named.dropped) == (0, {"more cells than columns": 2})


@pytest.mark.parametrize("end", [",", ",,, "])
def test_empty_cells_at_the_end_of_a_line_are_no_cells(tmp_path, end):
    recording = read(tmp_path, f"image,subject,x,y\na,s,3,4{end}\n")
    assert (recording.trials[0].fixations.x[0], recording.dropped) == (3.0, {})


def test_rows_without_a_position_are_kept_as_dropped_and_counted(tmp_path):
    recording = read(
        tmp_path,
        "image,subject,x,y\na,s,1,2\na,s,,2\na,s,.,.\na,s,nan,2\na,s,inf,2\na,s,left,2\na,s,3\na,s,5,6\n",
    )
    assert recording.n_kept == 2
    assert recording.dropped == {"no position": 6}
    table = recording.trials[0].fixations
    assert table.x[table.kept].tolist() == [1.0, 5.0]
    # A fixation's number is its place in the scanpath, the lost ones counted.
    assert table.index[table.kept].tolist() == [1, 8]


def test_rows_without_image_or_subject_are_counted(tmp_path):
    recording = read(tmp_path, "image,subject,x,y\na,s,1,2\n,s,1,2\na,,1,2\n , ,1,2\n\n,,,\n")
    assert recording.n_kept == 1
    assert recording.dropped == {"no image name": 1, "no subject": 2}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    recording = read(tmp_path, "image,subject,x,y\nBär.png,Zoë,1,2\n", encoding)
    assert (recording.trials[0].image, recording.trials[0].subject) == ("Bär.png", "Zoë")
    assert bool(recording.facts.notes) == (encoding == "cp1252")


def test_gzip_windows_and_old_mac_line_ends(tmp_path):
    path = tmp_path / "table.csv.gz"
    for end in ("\r\n", "\r", "\n"):
        path.write_bytes(gzip.compress(f"image,subject,x,y{end}a,s,1,2{end}a,s,3,4{end}".encode()))
        assert read_recording(path).trials[0].fixations.x.tolist() == [1.0, 3.0]


def test_two_columns_that_could_be_the_same_are_noted(tmp_path):
    recording = read(tmp_path, "image,subject,pos_x,x,y\na,s,1,2,3\n")
    assert recording.trials[0].fixations.x[0] == 2.0
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
    assert caught.value.where.endswith("table.csv")
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
    with pytest.raises(GazeError, match="near row"):
        read_recording(path)


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(GazeError, match="cannot be read"):
            read_recording(path)


def test_a_format_can_be_chosen_and_must_exist(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("image,subject,x,y\na,s,1,2\n")
    assert read_recording(path, format="csv").reason == "chosen by the user"
    with pytest.raises(GazeError, match="no format 'edf'"):
        read_recording(path, format="edf")


names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
numbers = st.floats(-1e6, 1e6)
rows = st.lists(st.tuples(st.sampled_from(["a", "b"]), names, numbers, numbers, numbers, numbers), min_size=1)


@settings(max_examples=80, deadline=None)
@given(rows, st.sampled_from([",", ";", "\t"]))
def test_what_is_written_is_read_back_exactly(tmp_path_factory, table, delimiter):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["image", "subject", "x", "y", "start_ms", "duration_ms"])
        writer.writerows(table)
    expected: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for image, subject, *values in table:
        expected.setdefault((subject, image), []).append(tuple(values))
    found = {}
    for trial in read_csv(path).trials:
        fixations = trial.fixations
        columns = (fixations.x, fixations.y, fixations.start_ms, fixations.duration_ms)
        found[trial.subject, trial.image] = list(zip(*(column.tolist() for column in columns), strict=True))
    assert found == expected


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"image,subject,x,y\n", b"\xff\xfe", b"\x1f\x8b", b"EFIX L "]),
)
def test_any_bytes_give_a_recording_or_a_sentence(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("bytes") / "file"
    path.write_bytes(start + content)
    for kind in ("auto", "csv", "eyelink-asc"):
        outcome = _outcome(path, kind)
        if isinstance(outcome, GazeError):
            assert outcome.what.endswith(".")
            assert outcome.where == str(path)
        else:
            tables = [trial.fixations for trial in outcome.trials]
            in_trials = sum(outcome.dropped.values()) - sum(outcome.facts.lost_rows.values())
            assert sum(map(len, tables)) == outcome.n_kept + in_trials


def _outcome(path, kind):
    try:
        return read_recording(path, format=kind)
    except GazeError as error:
        return error
