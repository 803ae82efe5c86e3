"""Guesses at tables that nobody described, each checked by reading the table with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions
from gazeapp.engine.gaze.profiles import NO_HEADER, TableProfile
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.table_guess import preview, suggest


def source_of(folder, text, encoding="utf-8"):
    path = folder / "s07.txt"
    path.write_bytes(text.encode(encoding))
    return Source(path)


def read(source, profile):
    return read_recording(source.path, options=ReadOptions(profile=profile))


def test_fixations_below_a_preamble(tmp_path):
    source = source_of(
        tmp_path,
        "Exported by Tool; version 3\r\nDate: 2026-11-21\r\n\r\n"
        "Participant;Stimulus;Fixation Index;Gaze X;Gaze Y;Start;Duration\r\n"
        "p1;a.png;1;100,5;200,25;0,1;0,25\r\np1;a.png;2;300;400;0,4;0,3\r\n",
        "utf-8-sig",
    )
    profile = suggest(source)
    assert profile.columns == {
        "subject": "Participant",
        "image": "Stimulus",
        "index": "Fixation Index",
        "x": "Gaze X",
        "y": "Gaze Y",
        "start": "Start",
        "duration": "Duration",
    }
    assert (profile.kind, profile.delimiter, profile.decimal) == ("fixations", ";", ",")
    # Seconds, because fixations last a fraction of one; the screen, because gaze lies there.
    assert (profile.time_unit, profile.frame) == ("s", Frame(of="screen"))
    # It is found by its names, below a preamble of any length.
    assert profile.header_line == 0
    recording = read(source, profile)
    assert recording.trials[0].subject == "p1"
    assert recording.fixations.x.tolist() == [100.5, 300.0]
    assert recording.fixations.duration_ms.tolist() == [250.0, 300.0]


@pytest.mark.parametrize(("step", "unit"), [(0.004, "s"), (4, ""), (4000, "us"), (4_000_000, "ns")])
def test_samples_and_the_unit_of_their_time(tmp_path, step, unit):
    rows = "".join(f"{1000 + step * n:.9g}\t{n}\t{2 * n}\n" for n in range(50))
    source = source_of(tmp_path, f"timestamp\tgaze_x\tgaze_y\n{rows}")
    profile = suggest(source)
    assert (profile.kind, profile.time_unit) == ("samples", unit)
    recording = read(source, profile)
    assert recording.contents.samples.t_ms[-1] - recording.contents.samples.t_ms[0] == pytest.approx(196.0)
    assert recording.trials[0].subject == "s07"


def test_a_unit_in_the_header_is_not_guessed(tmp_path):
    source = source_of(tmp_path, "time [us],x,y\n0,1,1\n4000,2,2\n")
    assert suggest(source).time_unit == ""
    assert read(source, suggest(source)).contents.samples.t_ms.tolist() == [0.0, 4.0]


@pytest.mark.parametrize(
    ("header", "rows", "frame"),
    [
        ("image,x,y", "a,500,300\na,20,-5\n", Frame(of="image")),
        ("x,y", "500,300\n20,5\n", Frame(of="screen")),
        ("FPOGX,FPOGY", "0.5,0.25\n-0.2,1.4\n0.1,0.1\n0.9,0.9\n", Frame(of="screen", unit="share")),
        ("image,x,y", "a,0.5,0.25\na,0.1,0.9\n", Frame(of="image", unit="share")),
        ("x,y", "-300,200\n100,-150\n-20,-40\n", Frame(of="screen", y_up=True, centred=True)),
    ],
)
def test_the_frame_by_the_values(tmp_path, header, rows, frame):
    profile = suggest(source_of(tmp_path, f"{header}\n{rows}"))
    assert profile.frame == frame
    assert profile.note.endswith(f"{frame.in_words()}.")


def test_a_table_of_unknown_names_is_shown_for_naming(tmp_path):
    source = source_of(tmp_path, "a study\nwer|links|oben\ns1|1|2\ns2|3|4\n")
    profile = suggest(source)
    assert profile.columns == {}
    assert "say which are x and y" in profile.note
    shown = preview(source, profile)
    assert (shown.header, shown.columns.line) == (("wer", "links", "oben"), 2)
    assert shown.rows == (("s1", "1", "2"), ("s2", "3", "4"))
    named = TableProfile(
        "p", {"subject": "wer", "x": "links", "y": "oben"}, delimiter=profile.delimiter, frame=profile.frame
    )
    assert preview(source, named).columns.places == {"subject": 0, "x": 1, "y": 2}
    assert read(source, named).subjects == ("s1", "s2")


def test_what_is_said_is_taken_and_the_rest_is_guessed(tmp_path):
    source = source_of(
        tmp_path, "about x,y\nimage,time,x,y,links,oben\na,1,0.5,0.5,100,200\na,5,0.5,0.5,300,400\n"
    )
    profile = suggest(source, {"x": "links", "y": "OBEN", "start": "time"})
    assert profile.columns == {"image": "image", "start": "time", "x": "links", "y": "OBEN"}
    # A begin belongs to a fixation; the frame is that of the columns that were said.
    assert (profile.kind, profile.frame) == ("fixations", Frame(of="image"))
    assert read(source, profile).fixations.y.tolist() == [200.0, 400.0]
    assert suggest(source, {"time": "time"}).kind == "samples"
    with pytest.raises(GazeError, match="no column 'rechts'"):
        read(source, suggest(source, {"x": "rechts"}))
    with pytest.raises(GazeError, match="'z' is nothing that a column can be"):
        suggest(source, {"z": "oben"})


def test_positions_are_told_by_names_that_differ_in_x_and_y_only(tmp_path):
    source = source_of(
        tmp_path,
        "wer\tEyePosX\tEyePosY\tMappedFixationPointX\tMappedFixationPointY\tduration\n"
        "s\t1\t2\t3\t4\t5\ns\t1\t2\t3\t4\t5\n",
    )
    assert suggest(source).columns == {
        "x": "MappedFixationPointX",
        "y": "MappedFixationPointY",
        "duration": "duration",
    }


def test_a_table_without_a_header(tmp_path):
    source = source_of(tmp_path, "# x y duration\n1.5\t2.5\t200\n3.5\t4.5\t300\n")
    profile = suggest(source)
    assert profile.header_line == NO_HEADER
    shown = preview(source, profile, rows=1)
    assert (shown.header, shown.rows) == (("1", "2", "3"), (("1.5", "2.5", "200"),))


def test_a_mark_at_the_begin_and_no_gaze(tmp_path):
    # A PsychoPy file of trials has a mark at its begin, and no positions.
    source = source_of(tmp_path, "trials.thisN,image,participant\n0,a.png,1\n1,b.png,1\n", "utf-8-sig")
    assert preview(source, suggest(source)).header == ("trials.thisN", "image", "participant")


def test_a_header_line_that_was_said_is_taken(tmp_path):
    source = source_of(tmp_path, "x,y\npx,px\n1,2\n3,4\n")
    profile = TableProfile("p", {"x": "1", "y": "2"}, header_line=3)
    assert read(source, profile).fixations.x.tolist() == [3.0]
    with pytest.raises(GazeError, match="no line that could be a header"):
        read(source, TableProfile("p", {"x": "1", "y": "2"}, header_line=80))


@pytest.mark.parametrize("content", [b"\0\1\2", b"", b"\x89PNG\r\n\x1a\n\0\0"])
def test_what_is_no_text_is_said(tmp_path, content):
    path = tmp_path / "s07.txt"
    path.write_bytes(content)
    for look in (suggest, lambda source: preview(source, TableProfile("p"))):
        with pytest.raises(GazeError, match="no table in text form"):
            look(Source(path))


@settings(max_examples=40, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(
        [b"", b"x,y\n", b"t;x;y\n1;2;3\n", b"\xff\xfe", b"\xef\xbb\xbf", b"gaze_x\tgaze_y\n" + b"9" * 70_000]
    ),
)
def test_any_bytes_give_a_guess_or_a_sentence(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("guess") / "file"
    path.write_bytes(start + content)
    problem = _problem(path)
    assert problem is None or str(path) in problem.where


def _problem(path):
    try:
        source = Source(path)
        profile = suggest(source)
        preview(source, profile)
        read(source, profile)
    except GazeError as error:
        return error
    return None
