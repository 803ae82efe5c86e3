"""GIFTI and MGH pairs: hemispheres by name, lists beside them, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, RIGHT
from gazeapp.engine.neural.responses.hemispheres import hemisphere_of, stem_of, subject_of
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.reading import read_responses

MEASURED = ResponseOptions(simulated=False)
VALUES = np.random.default_rng(0).normal(size=(3, 2 * N_HEMISPHERE)).astype(np.float32)


def gifti(path: Path, maps: np.ndarray, structure: str = "", intent: str = "NIFTI_INTENT_NONE") -> Path:
    image = nibabel.gifti.GiftiImage(
        meta=nibabel.gifti.GiftiMetaData({"AnatomicalStructurePrimary": structure} if structure else {})
    )
    for one in maps:
        image.add_gifti_data_array(
            nibabel.gifti.GiftiDataArray(one, intent=intent, datatype="NIFTI_TYPE_FLOAT32")
        )
    nibabel.save(image, path)
    return path


def mgh(path: Path, maps: np.ndarray) -> Path:
    nibabel.save(nibabel.MGHImage(np.ascontiguousarray(maps.T[:, None, None]), np.eye(4)), path)
    return path


def pair(folder: Path, values: np.ndarray = VALUES) -> Path:
    folder.mkdir(exist_ok=True)
    left = gifti(folder / "lh.betas.func.gii", values[:, :N_HEMISPHERE], "CortexLeft")
    gifti(folder / "rh.betas.func.gii", values[:, N_HEMISPHERE:], "CortexRight")
    (folder / "betas.csv").write_text("image\na\nb\nc\n")
    return left


@pytest.mark.parametrize("side", ["lh", "rh"])
def test_a_gifti_pair_is_read_from_either_file(tmp_path: Path, side: str):
    pair(tmp_path)
    found = read_responses(tmp_path / f"{side}.betas.func.gii", MEASURED)
    assert (found.images, found.subjects) == (("a", "b", "c"), ("",))
    np.testing.assert_array_equal(found.values[0], VALUES)


def test_one_array_of_vertices_and_maps_is_as_good(tmp_path: Path):
    pair(tmp_path)
    for side, part in (("lh", VALUES[:, :N_HEMISPHERE]), ("rh", VALUES[:, N_HEMISPHERE:])):
        gifti(tmp_path / f"{side}.betas.func.gii", part.T[None])
    np.testing.assert_array_equal(read_responses(tmp_path / "lh.betas.func.gii", MEASURED).values[0], VALUES)


@pytest.mark.parametrize("suffix", ["mgh", "mgz"])
def test_an_mgh_pair_of_fsaverage_is_brought_to_fsaverage5(tmp_path: Path, suffix: str):
    large = np.zeros((3, 163_842), np.float32)
    for side, part in (("L", VALUES[:, :N_HEMISPHERE]), ("R", VALUES[:, N_HEMISPHERE:])):
        large[:, :N_HEMISPHERE] = part
        mgh(tmp_path / f"sub-01_hemi-{side}_betas.{suffix}", large)
    (tmp_path / "images.txt").write_text("a\nb\nc\n")
    found = read_responses(tmp_path / f"sub-01_hemi-L_betas.{suffix}", MEASURED)
    assert found.subjects == ("sub-01",)
    np.testing.assert_array_equal(found.values[0], VALUES)


def test_maps_of_the_same_image_are_repeats(tmp_path: Path):
    left = pair(tmp_path)
    (tmp_path / "betas.csv").write_text("image\na\nb\na\n")
    found = read_responses(left, MEASURED)
    assert found.n_repeats.tolist() == [[2, 1]]
    np.testing.assert_allclose(found.values[0, 0], VALUES[[0, 2]].mean(axis=0), atol=1e-6)


def test_a_missing_hemisphere_needs_a_word(tmp_path: Path):
    left = pair(tmp_path)
    (tmp_path / "rh.betas.func.gii").unlink()
    with pytest.raises(GazeError, match="right hemisphere is missing"):
        read_responses(left, MEASURED)
    with pytest.raises(GazeError, match="of the left hemisphere, not of the right"):
        read_responses(left, ResponseOptions(False, hemisphere="right"))
    found = read_responses(left, ResponseOptions(False, hemisphere="left"))
    np.testing.assert_array_equal(found.values[0, :, :N_HEMISPHERE], VALUES[:, :N_HEMISPHERE])
    assert np.isnan(found.values[0, :, N_HEMISPHERE:]).all()


def test_hemispheres_that_do_not_fit_are_told(tmp_path: Path):
    left = pair(tmp_path)
    gifti(tmp_path / "rh.betas.func.gii", VALUES[:2, N_HEMISPHERE:])
    with pytest.raises(GazeError, match="left one has 3 maps of 10,242 vertices, the right one 2"):
        read_responses(left, MEASURED)
    gifti(tmp_path / "rh.betas.func.gii", VALUES[:, :N_HEMISPHERE], "CortexLeft")
    with pytest.raises(GazeError, match=r"named like the right hemisphere, but says itself .* left"):
        read_responses(left, MEASURED)


def test_other_files_of_surfaces_are_told(tmp_path: Path):
    left = pair(tmp_path)
    gifti(left, VALUES[:, :N_HEMISPHERE], intent="NIFTI_INTENT_LABEL")
    with pytest.raises(GazeError, match="mesh or labels"):
        read_responses(left, MEASURED)
    left.write_text("<GIFTI><broken")
    with pytest.raises(GazeError, match="cannot be read"):
        read_responses(left, MEASURED)
    other = gifti(tmp_path / "betas.func.gii", VALUES[:, :N_HEMISPHERE])
    with pytest.raises(GazeError, match="does not tell which hemisphere"):
        read_responses(other, MEASURED)
    nibabel.save(nibabel.MGHImage(np.ones((4, 4, 4), np.float32), np.eye(4)), tmp_path / "lh.v.mgz")
    nibabel.save(nibabel.MGHImage(np.ones((4, 4, 4), np.float32), np.eye(4)), tmp_path / "rh.v.mgz")
    with pytest.raises(GazeError, match="a volume of 4 x 4 x 4"):
        read_responses(tmp_path / "lh.v.mgz", MEASURED)
    (tmp_path / "lh.v.mgz").write_bytes(b"\x1f\x8b rubbish")
    with pytest.raises(GazeError, match="cannot be read"):
        read_responses(tmp_path / "lh.v.mgz", MEASURED)


@pytest.mark.parametrize(
    ("name", "hemisphere", "stem"),
    [
        ("lh.betas.func.gii", LEFT, "betas"),
        ("sub-01_task-see_hemi-R_space-fsaverage5.func.gii", RIGHT, "sub-01_task-see.space-fsaverage5"),
        ("S1.L.func.gii", LEFT, "S1"),
        ("betas_right.mgz", RIGHT, "betas"),
        ("left-hand.rh.mgh", RIGHT, "left-hand"),
        ("alright.mgz", "", ""),
        ("flh.mgz", "", ""),
    ],
)
def test_the_name_tells_the_hemisphere(name: str, hemisphere: str, stem: str):
    found, rest = hemisphere_of(name)
    assert (found, stem_of(rest)) == (hemisphere, stem)


def test_the_name_tells_the_subject():
    names = ("sub-01_betas", "betas_subj03.v2", "S7.rest", "sub-ab12", "session1", "betas")
    assert [subject_of(name) for name in names] == ["sub-01", "subj03", "S7", "sub-ab12", "", ""]
