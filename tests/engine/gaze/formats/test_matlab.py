"""MATLAB files: what their head tells, and damage."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, figrim, matlab, mit1003, osie, salicon
from gazeapp.engine.gaze.reading import guess_formats, read_recording
from gazeapp.engine.gaze.source import Source

NEWEST = b"MATLAB 7.3 MAT-file, Platform: PCWIN64".ljust(124) + b"\0\2IM" + bytes(384) + b"\x89HDF\r\n\x1a\n"
READERS = (osie, salicon, figrim, mit1003)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.mat"
    subjects = np.empty((2, 1), dtype=object)
    subjects[:, 0] = [{"fix_x": [[1.0, 2.0]], "fix_y": [[3.0, 4.0]], "fix_duration": [[5.0, 6.0]]}] * 2
    images = np.empty((1, 1), dtype=object)
    images[0, 0] = {"img": "a.jpg", "subjects": subjects}
    savemat(path, {"fixations": images}, do_compression=True)
    return path


@pytest.mark.parametrize("packed", [True, False])
def test_names_and_kinds_are_in_the_head(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "two.mat"
    savemat(path, {"first": {"a_field": 1.0}, "n": np.arange(5)}, do_compression=packed)
    found = matlab.variables(path.read_bytes())
    assert [variable.name for variable in found] == ["first", "n"]
    assert found[0].kind == matlab.STRUCT
    assert matlab.holds(path.read_bytes(), "first", matlab.STRUCT, ("a_field",))
    assert not matlab.holds(path.read_bytes(), "first", matlab.CELL, ())


def test_numbers_and_texts_are_told_from_other_things() -> None:
    assert matlab.vector(np.array([["x"]])) is None
    assert matlab.vector(None) is None
    assert matlab.matrix(np.zeros((3, 1)), 2) is None
    assert matlab.matrix(np.zeros((0, 0)), 2).shape == (0, 2)
    assert matlab.text(np.array([" a.jpg "])) == "a.jpg"
    assert matlab.text(np.array([3.0])) == ""
    assert matlab.field(np.zeros(3), "a") is None
    assert matlab.entries(np.zeros(3)) == []


def test_version_7_3_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "new.mat"
    path.write_bytes(NEWEST)
    with pytest.raises(GazeError, match=r"7\.3") as caught:
        read_recording(path)
    assert "-v7" in caught.value.todo
    with pytest.raises(GazeError, match=r"7\.3"):
        read_recording(path, "osie")


def test_a_file_that_claims_to_be_huge_is_refused(small: Path) -> None:
    data = bytearray(small.read_bytes())
    # An uncompressed variable of 3 GiB by its tag.
    data[128:136] = (14).to_bytes(4, "little") + (3 << 30).to_bytes(4, "little")
    flags = bytes([6, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    size = bytes([5, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0])
    name = bytes([1, 0, 0, 0, 9, 0, 0, 0]) + b"fixations".ljust(16, b"\0")
    small.write_bytes(bytes(data[:136]) + flags + size + name)
    with pytest.raises(GazeError, match="GiB"):
        matlab.load(Source(small))


@pytest.mark.parametrize("reader", READERS)
@given(cut=st.integers(0, 290))
@few
def test_a_truncated_file_is_a_sentence(small: Path, reader: object, cut: int) -> None:
    whole = small.with_name("whole.mat")
    if not whole.exists():
        whole.write_bytes(small.read_bytes())
    small.write_bytes(whole.read_bytes()[:cut])
    with pytest.raises(GazeError):
        reader.read(Source(small), ReadOptions())


@pytest.mark.filterwarnings("ignore")
@given(place=st.integers(0, 2000), noise=st.binary(min_size=1, max_size=12))
@few
def test_bytes_written_over_never_end_in_a_traceback(small: Path, place: int, noise: bytes) -> None:
    whole = small.with_name("whole.mat")
    if not whole.exists():
        whole.write_bytes(small.read_bytes())
    data = bytearray(whole.read_bytes())
    place %= len(data)
    data[place : place + len(noise)] = noise
    small.write_bytes(bytes(data))
    with suppress(GazeError):
        guess_formats(Source(small))
        osie.read(Source(small), ReadOptions())


@given(noise=st.binary(max_size=600))
@few
def test_random_bytes_after_the_mark_are_no_variables(noise: bytes) -> None:
    head = b"MATLAB 5.0".ljust(124) + b"\0\1IM" + noise
    assert all(isinstance(variable.name, str) for variable in matlab.variables(head))
