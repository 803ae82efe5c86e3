"""What holds for every format: damage is a sentence, and no format takes another one's files."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ALL, FORMATS
from gazeapp.engine.gaze.reading import expand, guess_formats, read_recording
from gazeapp.engine.gaze.source import Source

IDS = list(FORMATS)
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MARKS = (
    b"image,subject,x,y\n", b"MSG 1 TRIALID 1\nEFIX L 1 2 3 4 5 6\n", b"\xff\xfe", b"\xef\xbb\xbf", b"[{", b"\x1f\x8b",
    b"MATLAB 5.0 MAT-file", b"\x89HDF\r\n\x1a\n", b"FixationIndex\tTimestamp\tFixationDuration\n", b"nan,-1e308,inf\n",
)  # fmt: skip


def reads_or_says_why(path, format_id):
    told = None
    try:
        contents = read_recording(path, format_id).contents
    except GazeError as error:
        told = error
    if told is not None:
        assert told.what.endswith((".", "?", ")")), told.what
        assert told.where
        return
    n = len(contents.fixations)
    assert all(0 <= trial.rows.start <= trial.rows.stop <= n for trial in contents.trials)


def test_every_format_says_what_it_is():
    assert len({entry.id for entry in ALL}) == len(ALL)
    for entry in ALL:
        assert entry.name
        assert all(suffix.startswith(".") for suffix in entry.suffixes)


@pytest.mark.parametrize("format_id", IDS)
@QUICK
@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from(MARKS)), max_size=6).map(b"".join))
def test_random_bytes_are_a_sentence(tmp_path, format_id, data):
    path = tmp_path / "recording"
    path.write_bytes(data)
    reads_or_says_why(path, format_id)
    reads_or_says_why(path, "auto")


@pytest.mark.parametrize("format_id", IDS)
@pytest.mark.parametrize(
    "data",
    [
        b"x" * 1_000_000,
        b"1," * 500_000,
        b"\n" * 100_000,
        b'image,subject,x,y\na,"' + b"b" * 300_000,
        b"[" * 100_000,
        gzip.compress(b"image,subject,x,y\n" * 1000)[:60],
    ],
    ids=[
        "a long word",
        "a long row",
        "blank lines",
        "an open quotation mark",
        "deep brackets",
        "gzip cut short",
    ],
)
def test_hostile_files_are_a_sentence(tmp_path, format_id, data):
    path = tmp_path / "recording"
    path.write_bytes(data)
    reads_or_says_why(path, format_id)


@pytest.mark.parametrize("format_id", IDS)
def test_a_missing_file_and_an_empty_one_are_a_sentence(tmp_path, format_id):
    with pytest.raises(GazeError, match="cannot be read"):
        read_recording(tmp_path / "missing", format_id)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(GazeError, match="empty"):
        read_recording(tmp_path / "empty", format_id)


@pytest.mark.parametrize("format_id", IDS)
def test_an_empty_folder_is_a_sentence(tmp_path, format_id):
    with pytest.raises(GazeError):
        read_recording(tmp_path, format_id)


def test_prose_is_no_recording(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Dear reader, dear all, good day,\n\nthe recordings of today went well.\n" * 20)
    assert all(guess.confidence < 0.5 for _, guess in guess_formats(Source(path)))
    with pytest.raises(GazeError, match="no format that gazeapp can read"):
        read_recording(path)


def test_a_folder_stands_for_its_recordings(tmp_path):
    for name in ("b.csv", "a.asc", "sub/c.tsv.gz", "photo.png", ".hidden.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [path.relative_to(tmp_path).as_posix() for path in expand([tmp_path])]
    assert found == ["a.asc", "b.csv", "sub/c.tsv.gz"]
    assert expand([tmp_path / "photo.png"]) == [tmp_path / "photo.png"]
