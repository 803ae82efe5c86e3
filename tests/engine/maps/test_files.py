"""Maps from folders and from HDF5 and NPZ files: the numbers that were written come back as shares."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps import files
from gazeapp.engine.maps.files import MapFiles, MapPlace

RNG = np.random.default_rng(0)
VALUES = RNG.random((6, 9))


def read(path: Path, values: files.Values = "saliency") -> np.ndarray:
    with MapFiles(path.parent) as maps:
        (place,) = [one for one in maps.places if one.path == path]
        return maps.read(place, values)


def shares(values: np.ndarray) -> np.ndarray:
    return values / values.sum()


def saved(path: Path, values: np.ndarray) -> Path:
    np.save(path, values)
    return path


def test_a_read_map_sums_to_one(tmp_path: Path):
    found = read(saved(tmp_path / "m.npy", VALUES * 1e6))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, shares(VALUES), rtol=1e-6)


def test_of_an_archive_in_a_folder_the_first_array_is_read(tmp_path: Path):
    np.savez(tmp_path / "m.npz", anything=VALUES, other=np.ones((2, 2)))
    np.testing.assert_allclose(read(tmp_path / "m.npz"), shares(VALUES), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "mode", "dtype"),
    [
        ("m.png", "L", np.uint8),
        ("m.tif", "F", np.float32),
        ("m.tiff", "I", np.int32),
        ("m16.png", "I;16", np.uint16),
    ],
)
def test_grey_pictures_keep_their_numbers(tmp_path: Path, name: str, mode: str, dtype: type):
    """More than 8 bits too: none are stretched, and none get lost."""
    values = (VALUES * 200 + 37).astype(dtype) * (1 if mode == "L" else 100)
    picture = Image.fromarray(values)
    assert picture.mode == mode
    picture.save(tmp_path / name)
    np.testing.assert_allclose(read(tmp_path / name), shares(values.astype(float)), rtol=1e-6)


def test_a_coloured_picture_is_the_mean_of_its_colours(tmp_path: Path):
    values = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "m.png")
    np.testing.assert_allclose(read(tmp_path / "m.png"), shares(values.mean(axis=2)), rtol=1e-6)


def test_an_hdf5_file_holds_a_map_in_each_dataset(tmp_path: Path):
    path = tmp_path / "model.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["type"] = "predictions"
        file.create_dataset("a.png", data=VALUES, compression=9)
        file.create_dataset("indoor/b.png", data=VALUES[::-1].astype(np.float16))
        file.create_dataset("indoor/deep/c", data=np.ones((2, 3)), dtype="i8").attrs["note"] = "flat"
        file.create_group("empty")
        file["link"] = h5py.SoftLink("/nowhere")
        file["outside"] = h5py.ExternalLink("elsewhere.h5", "/a")
        file["again"] = h5py.SoftLink("/indoor")
    with MapFiles(path) as maps:
        places = {place.name: place for place in maps.places}
        assert sorted(places) == ["a.png", "indoor/b.png", "indoor/deep/c"]
        np.testing.assert_allclose(maps.read(places["a.png"]), shares(VALUES), rtol=1e-6)
        np.testing.assert_allclose(maps.read(places["indoor/b.png"]), shares(VALUES[::-1]), rtol=2e-3)
        np.testing.assert_allclose(maps.read(places["indoor/deep/c"]), np.full((2, 3), 1 / 6), rtol=1e-6)


def test_an_archive_holds_a_map_in_each_array(tmp_path: Path):
    np.savez_compressed(tmp_path / "model.npz", **{"a.png": VALUES, "in/b": VALUES.T})
    with MapFiles(tmp_path / "model.npz") as maps:
        assert [place.name for place in maps.places] == ["a.png", "in/b"]
        np.testing.assert_allclose(maps.read(maps.places[1]), shares(VALUES.T), rtol=1e-6)


def test_a_folder_is_searched_with_its_folders_and_files_of_maps(tmp_path: Path):
    (tmp_path / "in").mkdir()
    saved(tmp_path / "in" / "a.npy", VALUES)
    saved(tmp_path / "b.npy", VALUES)
    (tmp_path / "notes.txt").write_text("no map")
    (tmp_path / ".checkpoints").mkdir()
    saved(tmp_path / ".checkpoints" / "b.npy", VALUES)
    (tmp_path / "._b.npy").write_bytes(b"beside the file")
    (tmp_path / "broken.h5").write_bytes(b"no HDF5")
    for name in ("one", "two"):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file[f"{name}/x.png"] = VALUES
    with MapFiles(tmp_path) as maps:
        assert [place.name for place in maps.places] == ["b.npy", "in/a.npy", "one/x.png", "two/x.png"]
        for place in [*maps.places, *reversed(maps.places)]:
            np.testing.assert_allclose(maps.read(place), shares(VALUES), rtol=1e-6)
        assert [Path(error.where).name for error in maps.damaged] == ["broken.h5"]


def test_a_digest_is_that_of_the_map_alone(tmp_path: Path):
    """Another array in the same file changes nothing; another number or shape does."""

    def digests(**arrays: np.ndarray) -> dict[str, str]:
        found = {}
        with h5py.File(tmp_path / "m.h5", "w") as file:
            for name, values in arrays.items():
                file[name] = values
        with MapFiles(tmp_path / "m.h5") as maps:
            for place in maps.places:
                found[place.name] = maps.digest(place)
        return found

    first = digests(a=VALUES)["a"]
    assert digests(a=VALUES, b=VALUES * 2) == {"a": first, "b": digests(a=VALUES * 2)["a"]}
    assert len({first, digests(a=VALUES.reshape(9, 6))["a"], digests(a=VALUES.astype("f4"))["a"]}) == 3


def test_log_densities_become_densities(tmp_path: Path):
    logs = np.log(shares(VALUES))
    logs[2, 3] = -np.inf
    path = saved(tmp_path / "m.npy", logs)
    expected = VALUES.copy()
    expected[2, 3] = 0
    np.testing.assert_allclose(read(path, "log_density"), shares(expected), rtol=1e-6)
    far = saved(tmp_path / "far.npy", logs - 2000)
    np.testing.assert_allclose(read(far, "log_density"), shares(expected), rtol=1e-6)
    with pytest.raises(GazeError, match="as in a log density") as told:
        read(path)
    assert "--log-density" in told.value.todo


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (VALUES, "below 0"),
        (np.array([[-1.0, np.nan]]), "no density"),
        (np.array([[-1.0, np.inf]]), "no density"),
        (np.full((2, 2), -np.inf), "no density"),
    ],
)
def test_what_is_no_log_density_is_said(tmp_path: Path, values: np.ndarray, told: str):
    with pytest.raises(GazeError, match=told):
        read(saved(tmp_path / "m.npy", values), "log_density")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.ones((2, 2, 2)), "shape"),
        (np.ones(3), "shape"),
        (np.ones((0, 3)), "shape"),
        (np.zeros((2, 2)), "zero everywhere"),
        (np.array([[1.0, np.nan]]), "not finite"),
        (np.array([[1.0, np.inf]]), "not finite"),
        (np.array([[1.0, -0.5]]), "negative"),
        (np.array([["a"]]), "real numbers"),
        (np.array([[1j]]), "real numbers"),
    ],
)
def test_arrays_that_are_no_map(tmp_path: Path, values: np.ndarray, told: str):
    with pytest.raises(GazeError, match=told):
        read(saved(tmp_path / "bad.npy", values))
    if values.dtype.kind == "U":
        return
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        file["bad"] = values
    with MapFiles(tmp_path / "bad.h5") as maps, pytest.raises(GazeError, match=told) as caught:
        maps.read(maps.places[0])
    assert caught.value.where.endswith("bad.h5: bad")


def test_a_volume_is_told_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("a", (10_000_000, 2000), "f8", chunks=(1000, 1000))
        file["words"] = [["no", "map"]]
    with MapFiles(tmp_path / "m.h5") as maps:
        for place, told in zip(maps.places, ("cells", "real numbers"), strict=True):
            with pytest.raises(GazeError, match=told):
                maps.read(place)


def test_pickled_arrays_are_never_unpickled(tmp_path: Path):
    evil = np.array([{"run": "me"}], dtype=object)
    np.save(tmp_path / "evil.npy", evil, allow_pickle=True)
    np.savez(tmp_path / "evil.npz", a=evil)
    for name in ("evil.npy", "evil.npz"):
        with pytest.raises(GazeError, match="cannot be read"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["m.npy", "m.npz", "m.png", "m.tif"])
@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 no archive", b"\x93NUMPY\x01\x00"])
def test_rubbish_is_a_sentence(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GazeError):
        read(tmp_path / name)


def test_what_cannot_be_opened_is_said(tmp_path: Path):
    saved(tmp_path / "m.npy", VALUES)
    (tmp_path / "m.h5").write_bytes(b"rubbish")
    (tmp_path / "m.npz").write_bytes(b"rubbish")
    for name, told in [
        ("no", "no such"),
        ("m.npy", "one for each image"),
        ("m.h5", "opened"),
        ("m.npz", "opened"),
    ]:
        with pytest.raises(GazeError, match=told), MapFiles(tmp_path / name):
            pass


def written(folder: Path) -> list[Path]:
    """Return a file of each kind that holds arrays."""
    np.save(folder / "a.npy", VALUES)
    np.savez_compressed(folder / "b.npz", one=VALUES, two=VALUES)
    with h5py.File(folder / "c.h5", "w") as file:
        for name in ("a", "deep/b"):
            file.create_dataset(name, data=VALUES, compression=9)
    return [folder / name for name in ("a.npy", "b.npz", "c.h5")]


@given(
    which=st.integers(0, 2),
    cut=st.integers(0, 6000),
    noise=st.dictionaries(st.integers(0, 6000), st.integers(0, 255)),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_a_sentence(tmp_path: Path, which: int, cut: int, noise: dict[int, int]):
    whole = (
        written(tmp_path)[which] if not (tmp_path / "c.h5").exists() else sorted(tmp_path.glob("*.*"))[which]
    )
    data = bytearray(whole.read_bytes())
    for place, byte in noise.items():
        data[place % len(data)] = byte
    changed = tmp_path / "changed"
    changed.mkdir(exist_ok=True)
    for content in (whole.read_bytes()[:cut], bytes(data)):
        (changed / whole.name).write_bytes(content)
        for given_path in (changed, changed / whole.name):
            with suppress(GazeError), MapFiles(given_path) as maps:
                for one in maps.places:
                    with suppress(GazeError):
                        assert maps.digest(one)
                        assert maps.read(one).sum() == pytest.approx(1, abs=1e-5)
    (changed / whole.name).unlink()


@pytest.mark.parametrize(("name", "place", "byte"), [("a.npy", 30, ord("(")), ("b.npz", 60, 255)])
def test_damage_that_numpy_does_not_expect_is_a_sentence(tmp_path: Path, name: str, place: int, byte: int):
    """A header that is no Python, and data that zlib cannot unpack."""
    (path,) = [one for one in written(tmp_path) if one.name == name]
    data = bytearray(path.read_bytes())
    data[place : place + 4] = bytes([byte] * 4)
    path.write_bytes(data)
    with pytest.raises(GazeError, match="cannot be read"):
        read(path)


def test_a_place_says_where_it_is():
    assert str(MapPlace(Path("m.h5"), "a", "in/a")) == "m.h5: in/a"
    assert str(MapPlace(Path("a.npy"), "a.npy")) == "a.npy"
