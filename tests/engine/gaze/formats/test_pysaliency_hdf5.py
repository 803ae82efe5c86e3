"""pysaliency's HDF5 files, written here in the layouts of its versions."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, pysaliency_hdf5
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.records import Contents
from gazeapp.engine.gaze.source import Source

NAN = np.nan
XS = [[1.0, 2.0, 3.0], [4.0, NAN, NAN], [5.0, 6.0, NAN]]
YS = [[10.0, 20.0, 30.0], [40.0, NAN, NAN], [50.0, -6.0, NAN]]
TS = [[0.1, 0.35, 0.8], [0.2, NAN, NAN], [0.0, 0.5, NAN]]
DURATIONS = [[0.2, 0.3, 0.25], [0.15, NAN, NAN], [0.4, 0.1, NAN]]
IMAGES, SUBJECTS, LENGTHS = [1, 0, 1], [0, 0, 7], [3, 1, 2]
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_trains(path: Path, **changed: object) -> Path:
    columns = {"train_xs": XS, "train_ys": YS, "train_ts": TS, "train_ns": IMAGES, "train_subjects": SUBJECTS}
    with h5py.File(path, "w") as file:
        file.attrs["type"] = np.bytes_("FixationTrains")
        file.attrs["version"] = np.bytes_("1.3")
        for name, values in {**columns, "train_lengths": LENGTHS, **changed}.items():
            file.create_dataset(name, data=np.array(values))
        file.create_group("scanpath_fixation_attributes").create_dataset("durations", data=DURATIONS)
    return path


def write_scanpaths(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["type"] = np.bytes_("ScanpathFixations")
        group = file.create_group("scanpaths")
        group.attrs["type"] = np.bytes_("Scanpaths")
        for name, values in {"xs": XS, "ys": YS, "n": IMAGES, "lengths": LENGTHS}.items():
            group.create_dataset(name, data=np.array(values))
        group.create_group("scanpath_attributes").create_dataset("subject", data=SUBJECTS)
        attributes = group.create_group("fixation_attributes")
        attributes.create_dataset("ts", data=TS)
        attributes.create_dataset("durations", data=DURATIONS)
    return path


def write_stimuli(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["type"] = np.bytes_("FileStimuli")
        names = np.array([b"stimuli/i0.jpeg", b"stimuli/i1.jpeg"])
        file.create_dataset("filenames", data=names, dtype=h5py.special_dtype(vlen=str))
    return path


def read(path: Path) -> Contents:
    return pysaliency_hdf5.read(Source(path), ReadOptions())


@pytest.mark.parametrize("write", [write_trains, write_scanpaths])
def test_scanpaths_are_trials(tmp_path: Path, write: object) -> None:
    write_stimuli(tmp_path / "stimuli_train.hdf5")
    recording = read_recording(write(tmp_path / "fixations_train.hdf5"))
    assert recording.format == "pysaliency"
    assert [(t.subject, t.image) for t in recording.trials] == [
        ("s00", "stimuli/i1.jpeg"),
        ("s00", "stimuli/i0.jpeg"),
        ("s07", "stimuli/i1.jpeg"),
    ]
    table = recording.fixations
    assert [recording.fixations_of(t).x.tolist() for t in recording.trials] == [[1, 2, 3], [4], [5, 6]]
    np.testing.assert_array_equal(table.y, [10, 20, 30, 40, 50, -6])
    np.testing.assert_array_equal(table.index, [1, 2, 3, 1, 1, 2])
    np.testing.assert_allclose(table.start_ms, [100, 350, 800, 200, 0, 500])
    np.testing.assert_allclose(table.duration_ms, [200, 300, 250, 150, 400, 100])


def test_without_stimuli_trials_carry_the_number_of_their_image(tmp_path: Path) -> None:
    contents = read(write_trains(tmp_path / "fixations.hdf5"))
    assert [(t.image, t.label) for t in contents.trials] == [
        ("", "image 1"),
        ("", "image 0"),
        ("", "image 1"),
    ]
    assert any("stimuli.hdf5" in note for note in contents.facts.notes)


def test_times_that_only_count_are_no_times(tmp_path: Path) -> None:
    counted = [[0, 1, 2], [0, 0, 0], [0, 1, 0]]
    contents = read(write_trains(tmp_path / "fixations.hdf5", train_ts=counted))
    assert np.isnan(contents.fixations.start_ms).all()
    assert any("count" in note for note in contents.facts.notes)


def test_single_fixations_are_gathered_by_subject_and_image(tmp_path: Path) -> None:
    path = tmp_path / "fixations.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["type"] = np.bytes_("Fixations")
        rows = {"x": [1.0, 9.0, 2.0], "y": [3.0, 9.5, 4.0], "t": [0.0, 0.0, 1.0], "n": [5, 2, 5]}
        for name, values in {**rows, "subject": [1, 1, 1], "x_hist": [[0.0]] * 3}.items():
            file.create_dataset(name, data=np.array(values))
    recording = read_recording(path)
    assert [t.label for t in recording.trials] == ["image 5", "image 2"]
    assert [recording.fixations_of(t).x.tolist() for t in recording.trials] == [[1, 2], [9]]
    assert recording.fixations.index.tolist() == [1, 2, 1]


def test_columns_of_other_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="differ in length"):
        read(write_trains(tmp_path / "a.hdf5", train_ys=[[1.0, 2.0]]))
    with pytest.raises(GazeError, match="differ in length"):
        read(write_trains(tmp_path / "b.hdf5", train_ns=[1, 2]))


def test_stimuli_are_no_fixations(tmp_path: Path) -> None:
    path = write_stimuli(tmp_path / "stimuli.hdf5")
    assert pysaliency_hdf5.recognise(Source(path)) is None
    with pytest.raises(GazeError, match="holds no fixations"):
        read(path)


@given(cut=st.integers(0, 2000), place=st.integers(0, 4000), noise=st.binary(min_size=1, max_size=8))
@few
def test_damage_is_a_sentence(tmp_path: Path, cut: int, place: int, noise: bytes) -> None:
    whole = tmp_path / "whole.hdf5"
    if not whole.exists():
        write_trains(whole)
    data = bytearray(whole.read_bytes())
    short = tmp_path / "fixations.hdf5"
    short.write_bytes(data[:cut])
    with pytest.raises(GazeError):
        read(short)
    place %= len(data)
    data[place : place + len(noise)] = noise
    short.write_bytes(bytes(data))
    with suppress(GazeError):
        read(short)
