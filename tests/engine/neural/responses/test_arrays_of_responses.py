"""NPZ and NPY files: axes, windows, subjects, repeats, and what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.records import FSAVERAGE5, N_HEMISPHERE, N_VERTICES, REGION_TABLE
from gazeapp.engine.neural.responses.options import ResponseOptions, Window, parse_window
from gazeapp.engine.neural.responses.reading import read_responses

MEASURED = ResponseOptions(simulated=False)
ROIS = np.array(["V1", "V2", "V4", "FFA"])
NAMES = np.array(["a", "b", "c"])
RNG = np.random.default_rng(0)


def saved(tmp_path: Path, **arrays: object) -> Path:
    np.savez_compressed(tmp_path / "r.npz", **arrays)
    return tmp_path / "r.npz"


def regions(*lead: int) -> np.ndarray:
    return RNG.normal(size=(*lead, 4)).astype(np.float32)


@pytest.mark.parametrize("order", ["C", "F"])
def test_images_by_vertices(tmp_path: Path, order: str):
    values = np.asarray(RNG.normal(size=(3, N_VERTICES)).astype(np.float32), order=order)
    meta = json.dumps({"source": "TRIBE v2, average subject"})
    found = read_responses(saved(tmp_path, Y=values, image_ids=NAMES, meta_json=np.array(meta)))
    assert (found.space, found.images, found.subjects) == (FSAVERAGE5, ("a", "b", "c"), ("",))
    assert (found.simulated, found.source, found.ceilings) == (True, "TRIBE v2, average subject", None)
    assert "no ceiling" in found.facts["ceiling"]
    np.testing.assert_array_equal(found.values[0], values)


def test_subjects_by_images_by_regions_with_ceilings_of_their_own(tmp_path: Path):
    values, ceilings = regions(2, 3), np.array([[0.5, 0.6, 0.7, 1.2], [0.1, 0.2, 0.3, 0.4]])
    path = saved(
        tmp_path, Y=values, image_ids=NAMES, subjects=["s1", "s2"], roi_names=ROIS, noise_ceiling=ceilings
    )
    found = read_responses(path, MEASURED)
    assert (found.space, found.targets, found.subjects) == (REGION_TABLE, tuple(ROIS), ("s1", "s2"))
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_allclose(found.ceilings, ceilings, rtol=1e-6)
    assert found.ceiling_origin == "the file"
    assert any("1 noise ceiling is not between 0 and 1" in said for said in found.facts["cautions"])
    one = read_responses(path, ResponseOptions(simulated=False, subject="s2"))
    np.testing.assert_array_equal(one.values, values[1:])
    np.testing.assert_allclose(one.ceilings, ceilings[1:], rtol=1e-6)
    with pytest.raises(GazeError, match="no subject “s3”"):
        read_responses(path, ResponseOptions(simulated=False, subject="s3"))


def test_trials_of_the_same_name_are_repeats(tmp_path: Path):
    values = regions(7)
    names = np.array(["a", "b", "a", "c", "b", "c", "a"])
    found = read_responses(saved(tmp_path, Y=values, image_ids=names, roi_names=ROIS), MEASURED)
    assert (found.images, found.n_repeats.tolist()) == (("a", "b", "c"), [[3, 2, 2]])
    for k, name in enumerate("abc"):
        np.testing.assert_allclose(found.values[0, k], values[names == name].mean(axis=0), rtol=1e-5)
    assert (found.ceiling_origin, found.ceilings.shape) == ("repeats", (1, 4))


def test_trials_may_name_their_subjects(tmp_path: Path):
    values = regions(4)
    path = saved(
        tmp_path, Y=values, image_ids=["a", "b", "a", "b"], subjects=["x", "x", "y", "y"], roi_names=ROIS
    )
    found = read_responses(path, MEASURED)
    assert found.subjects == ("x", "y")
    np.testing.assert_array_equal(found.values, values.reshape(2, 2, 4))


def test_subjects_may_have_seen_other_images(tmp_path: Path):
    values = regions(2, 2)
    ids = np.array([["a", "b"], ["b", "c"]])
    found = read_responses(
        saved(tmp_path, Y=values, image_ids=ids, subjects=["x", "y"], roi_names=ROIS), MEASURED
    )
    assert found.n_repeats.tolist() == [[1, 1, 0], [0, 1, 1]]
    np.testing.assert_array_equal(found.values[1, 2], values[1, 1])
    assert np.isnan(found.values[0, 2]).all()


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (ResponseOptions(False), slice(4, 10)),
        (ResponseOptions(False, tr=2.0), slice(2, 10)),
        (ResponseOptions(False, window=Window(1.0, 3.5)), slice(1, 4)),
        (ResponseOptions(False, window=Window(2, 5, in_rows=True)), slice(1, 5)),
        (ResponseOptions(False, window=parse_window("2.4:"), tr=0.8), slice(3, 10)),
        (ResponseOptions(False, window=parse_window(":3", in_rows=True)), slice(0, 3)),
    ],
)
def test_time_courses_are_averaged_over_the_window(tmp_path: Path, options: ResponseOptions, rows: slice):
    values = regions(3, 10)
    found = read_responses(saved(tmp_path, Y=values, image_ids=NAMES, roi_names=ROIS), options)
    np.testing.assert_allclose(found.values[0], values[:, rows].mean(axis=1), rtol=1e-5)


def test_the_file_says_how_far_rows_are_apart(tmp_path: Path):
    values, meta = (
        regions(2, 3, 8),
        json.dumps({"tr": 2.0, "simulated": False, "axes": "subject,image,time,roi"}),
    )
    path = saved(tmp_path, Y=values, image_ids=NAMES, roi_names=ROIS, subjects=["x", "y"], meta_json=meta)
    found = read_responses(path)
    np.testing.assert_allclose(found.values, values[:, :, 2:].mean(axis=2), rtol=1e-5)
    assert found.facts["window"] == "4 s to the end, one row every 2 s"
    assert [said for said in found.facts["cautions"] if "time courses" in said]


def test_the_middle_axis_may_be_of_repeats(tmp_path: Path):
    values = regions(3, 5)
    path = saved(tmp_path, Y=values, image_ids=NAMES, roi_names=ROIS)
    found = read_responses(path, ResponseOptions(False, middle="repeats"))
    np.testing.assert_allclose(found.values[0], values.mean(axis=1), rtol=1e-5)
    assert found.n_repeats.tolist() == [[5, 5, 5]]


def test_four_axes_are_read_with_and_without_subjects(tmp_path: Path):
    values = regions(3, 2, 6)
    found = read_responses(saved(tmp_path, Y=values, image_ids=NAMES, roi_names=ROIS), MEASURED)
    np.testing.assert_allclose(found.values[0], values[:, :, 4:].mean(axis=(1, 2)), rtol=1e-5)
    assert found.n_repeats.tolist() == [[2, 2, 2]]
    meta = json.dumps({"axes": ["subject", "image", "repeat", "time", "roi"]})
    path = saved(tmp_path, Y=values[None], image_ids=NAMES, roi_names=ROIS, subjects=["x"], meta_json=meta)
    again = read_responses(path, MEASURED)
    assert again.subjects == ("x",)
    np.testing.assert_array_equal(again.values, found.values)
    copies = np.repeat(values[:, :, 0].transpose(1, 0, 2)[:, :, None], 3, axis=2)
    by_subject = saved(tmp_path, Y=copies, image_ids=NAMES, roi_names=ROIS, subjects=["x", "y"])
    repeated = read_responses(by_subject, ResponseOptions(False, middle="repeats"))
    assert repeated.n_repeats.tolist() == [[3, 3, 3], [3, 3, 3]]
    np.testing.assert_array_equal(repeated.values, copies[:, :, 0])
    assert repeated.ceilings is None


def test_turned_arrays_are_recognised_and_told(tmp_path: Path):
    values = regions(3)
    found = read_responses(saved(tmp_path, Y=values.T, image_ids=NAMES, roi_names=ROIS), MEASURED)
    np.testing.assert_array_equal(found.values[0], values)
    assert any("targets x images" in said for said in found.facts["cautions"])


def test_the_first_vertices_of_fsaverage_are_those_of_fsaverage5(tmp_path: Path):
    for n in (40_962, 163_842):
        values = np.arange(2 * n, dtype=np.float32)[None]
        found = read_responses(saved(tmp_path, Y=values, image_ids=["a"]), MEASURED)
        np.testing.assert_array_equal(found.values[0, 0, :N_HEMISPHERE], np.arange(N_HEMISPHERE))
        np.testing.assert_array_equal(found.values[0, 0, N_HEMISPHERE:], n + np.arange(N_HEMISPHERE))
        assert "by rule" in found.facts["vertices"]


def test_one_hemisphere_needs_a_word(tmp_path: Path):
    values = RNG.normal(size=(3, N_HEMISPHERE)).astype(np.float32)
    path = saved(tmp_path, Y=values, image_ids=NAMES)
    with pytest.raises(GazeError, match="one hemisphere of fsaverage5 alone"):
        read_responses(path, MEASURED)
    found = read_responses(path, ResponseOptions(False, hemisphere="right"))
    np.testing.assert_array_equal(found.values[0, :, N_HEMISPHERE:], values)
    assert np.isnan(found.values[0, :, :N_HEMISPHERE]).all()


@pytest.mark.parametrize("width", [59_412, 64_984, 91_282])
def test_other_surfaces_are_to_be_averaged_over_regions_first(tmp_path: Path, width: int):
    path = saved(tmp_path, Y=np.ones((1, width), np.float32), image_ids=["a"])
    with pytest.raises(GazeError, match=r"not those of fsaverage.*table of images x regions"):
        read_responses(path, MEASURED)


REFUSED = [
    ({"image_ids": NAMES}, "no array “Y”"),
    ({"Y": regions(3), "roi_names": ROIS}, "does not say which images"),
    ({"Y": regions(3), "image_ids": NAMES[:2], "roi_names": ROIS}, r"does not fit 2 names"),
    ({"Y": regions(3), "image_ids": NAMES}, "4 values for each image, which is no surface"),
    ({"Y": regions(3).astype(complex), "image_ids": NAMES, "roi_names": ROIS}, "real numbers"),
    ({"Y": np.zeros((0, 4)), "image_ids": NAMES[:0], "roi_names": ROIS}, "image_ids has the shape"),
    ({"Y": regions(3), "image_ids": NAMES.astype(object), "roi_names": ROIS}, "Python objects"),
    ({"Y": regions(3), "image_ids": [0.5, 1, 2], "roi_names": ROIS}, "fractions"),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ["a", "a", "b", "c"]}, "same name twice"),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ["a", "a ", "b", "c"]}, "same name twice"),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ["a", " ", "b", "c"]}, "name that is empty"),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ["a", "V1\nV2", "b", "c"]}, "line breaks.*“V1 V2”"),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ["a", "\x1b[2J", "b", "c"]}, r"or the like: “ \[2J”"),
    (
        {"Y": regions(2, 3), "image_ids": NAMES, "roi_names": ROIS, "subjects": ["a", "a"]},
        "same person twice: “a”",
    ),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ROIS, "subjects": ["x", "y"]}, "2 subjects"),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ROIS, "noise_ceiling": [1, 2]}, "noise_ceiling has"),
    ({"Y": regions(3), "image_ids": NAMES, "roi_names": ROIS, "meta_json": "{"}, "no JSON"),
    ({"Y": regions(3, 3), "image_ids": NAMES, "roi_names": ROIS}, "3 rows, none of them in the window"),
    (
        {"Y": regions(3), "image_ids": NAMES, "roi_names": ROIS, "meta_json": '{"axes": "image,x"}'},
        "calls the axes",
    ),
]


@pytest.mark.parametrize(("arrays", "words"), REFUSED)
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, arrays: dict[str, object], words: str):
    with pytest.raises(GazeError, match=words):
        read_responses(saved(tmp_path, **arrays), MEASURED)


def test_measured_or_simulated_has_to_be_said(tmp_path: Path):
    path = saved(tmp_path, Y=regions(3), image_ids=NAMES, roi_names=ROIS)
    with pytest.raises(GazeError, match="measured or simulated"):
        read_responses(path)
    path = saved(tmp_path, Y=regions(3), image_ids=NAMES, roi_names=ROIS, meta_json='{"source": "TRIBE v2"}')
    with pytest.raises(GazeError, match=r"simulated \(TRIBE v2\), so they are not imported as measured"):
        read_responses(path, MEASURED)


def test_an_array_larger_than_its_file_takes_no_memory(tmp_path: Path):
    path = saved(tmp_path, Y=regions(3), image_ids=NAMES, roi_names=ROIS)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["Y.npy"] = members["Y.npy"].replace(b"(3, 4), }         ", b"(3, 4000000000), }")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(GazeError, match="not as large as it says"):
        read_responses(path, MEASURED)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"\x93NUMPY\x01\x00\x10\x00{'descr': "])
@pytest.mark.parametrize("name", ["r.npz", "r.npy"])
def test_damaged_files_are_a_sentence(tmp_path: Path, name: str, data: bytes):
    (tmp_path / name).write_bytes(data)
    (tmp_path / "r.csv").write_text("a\n")
    with pytest.raises(GazeError, match="damaged or of another kind"):
        read_responses(tmp_path / name, MEASURED)


def test_odd_values_are_told_and_unusable_rows_left_out(tmp_path: Path):
    values = RNG.normal(size=(6, N_VERTICES)).astype(np.float32)
    values[:, :888] = np.nan
    values[1, 5000] = np.nan
    values[2, 9] = np.inf
    values[4, 888:] = 2.5
    values[[0, 1, 5], 20_000] = 2.5
    values[3] = np.nan
    path = saved(tmp_path, Y=values, image_ids=list("abcdef"))
    found = read_responses(path, MEASURED)
    assert found.images == ("a", "b", "e", "f")
    said = " ".join(found.facts["cautions"])
    assert "1 response has infinite values and was left out: “c”" in said
    assert "1 response has no value at all and was left out: “d”" in said
    assert "the same value everywhere: “e”" in said
    assert "888 vertices have no value in any image" in said
    assert "1 value is missing where other images have one" in said
    assert "1 vertex has the same value in all images" in said
    assert np.isnan(found.values[0, :, :888]).all()


def test_reading_stops_when_it_is_told_to(tmp_path: Path):
    path = saved(tmp_path, Y=regions(3), image_ids=NAMES, roi_names=ROIS)
    told: list[tuple[int, int]] = []
    with pytest.raises(StoppedError):
        read_responses(path, MEASURED, lambda done, total: told.append((done, total)), lambda: len(told) == 2)
    assert told == [(0, 3), (1, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "a\nb\nc\n",
        "image_id\na\nb\nc\n",
        "pictures shown\na\nb\nc\n",
        ",image,note\n0,a,x\n1,b,y\n2,c,z\n",
    ],
)
def test_an_npy_file_has_a_list_beside_it(tmp_path: Path, text: str):
    values = RNG.normal(size=(3, N_VERTICES)).astype(np.float32)
    np.save(tmp_path / "r.npy", values)
    (tmp_path / "r.csv").write_text(text)
    found = read_responses(tmp_path / "r.npy", MEASURED)
    assert found.images == ("a", "b", "c")
    np.testing.assert_array_equal(found.values[0], values)


def test_the_list_of_an_npy_file_has_to_be_there_and_to_fit(tmp_path: Path):
    np.save(tmp_path / "r.npy", np.ones((3, N_VERTICES), np.float32))
    with pytest.raises(GazeError, match=r"--images-list.*r\.csv"):
        read_responses(tmp_path / "r.npy", MEASURED)
    (tmp_path / "other.txt").write_text("a\nb\n")
    with pytest.raises(GazeError, match="names 2 and the responses have 3 rows"):
        read_responses(tmp_path / "r.npy", ResponseOptions(False, images_list=str(tmp_path / "other.txt")))
    (tmp_path / "images.csv").write_text("subject,image\nx,a\nx,b\ny,a\n")
    found = read_responses(tmp_path / "r.npy", MEASURED)
    assert (found.subjects, found.n_repeats.tolist()) == (("x", "y"), [[1, 1], [1, 0]])


def test_a_window_says_what_is_wrong_with_it():
    for text, words in (
        ("4", "no window"),
        ("x:2", "no window"),
        ("5:4", "before it begins"),
        ("nan:2", "numbers"),
    ):
        with pytest.raises(GazeError, match=words):
            parse_window(text)
    with pytest.raises(GazeError, match="from 1"):
        parse_window("0:3", in_rows=True)
    with pytest.raises(GazeError, match="more than 0"):
        ResponseOptions(tr=0.0)
