"""Arrays from other programs: what fits is read as it was written, everything else is refused before it is made."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.runners import arrays
from gazeapp.engine.runners.arrays import ArrayRefusedError, Expected, read_arrays, read_texts

ANY_3D = {"attention": Expected((2, None, None))}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "bool", ">f4"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_real_numbers_come_back_as_they_were_written(tmp_path: Path, dtype: str, save: object) -> None:
    values = np.asfortranarray(np.random.default_rng(3).integers(0, 2, (2, 3, 4))).astype(dtype)
    save(tmp_path / "a.npz", attention=values, other=np.array(["text"]))  # type: ignore[operator]
    read = read_arrays(tmp_path / "a.npz", ANY_3D)
    assert list(read) == ["attention"]
    assert read["attention"].dtype == np.float64
    np.testing.assert_array_equal(read["attention"], values.astype(np.float64))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (np.array([[[{}]], [[{}]]], dtype=object), "real numbers"),
        (np.zeros((2, 3, 4), np.complex64), "real numbers"),
        (np.full((2, 3, 4), "a"), "real numbers"),
        (np.zeros((2, 3, 4), [("x", np.float32)]), "real numbers"),
        (np.zeros((3, 3, 4)), r"shape \(3, 3, 4\), not \(2, any, any\)"),
        (np.zeros((2, 3)), "shape"),
        (np.full((2, 1, 1), np.nan), "no numbers"),
        (np.full((2, 1, 1), np.inf), "no numbers"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, value: np.ndarray, why: str) -> None:
    np.savez(tmp_path / "a.npz", attention=value)
    with pytest.raises(ArrayRefusedError, match=why):
        read_arrays(tmp_path / "a.npz", ANY_3D)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    bomb = np.empty((2, 1, 1), dtype=object)
    bomb[:] = Bomb()
    np.savez(tmp_path / "a.npz", attention=bomb)
    with pytest.raises(ArrayRefusedError, match="real numbers"):
        read_arrays(tmp_path / "a.npz", ANY_3D)
    assert not (tmp_path / "ran").exists()
    # The bomb does go off where pickles are allowed, so that the check above can fail.
    np.load(tmp_path / "a.npz", allow_pickle=True)["attention"]
    assert (tmp_path / "ran").exists()


def test_missing_and_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(ArrayRefusedError, match="cannot be read"):
        read_arrays(path, ANY_3D)
    path.write_bytes(b"no archive")
    with pytest.raises(ArrayRefusedError, match="cannot be read"):
        read_arrays(path, ANY_3D)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(ArrayRefusedError, match="no array 'attention'"):
        read_arrays(path, ANY_3D)
    np.savez(path, attention=np.zeros((2, 30, 40)))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(ArrayRefusedError, match="cannot be read"):
        read_arrays(path, ANY_3D)


def test_an_array_that_claims_to_be_larger_than_it_is_makes_none(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f4", "fortran_order": False, "shape": (2, 10**6, 10**6)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("attention.npy", buffer.getvalue() + b"\0" * 8)
    with pytest.raises(ArrayRefusedError, match="not as large as it says"):
        read_arrays(tmp_path / "a.npz", ANY_3D)


def test_more_than_is_taken_from_one_answer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", attention=np.zeros((2, 10, 10), np.uint8))
    monkeypatch.setattr(arrays, "MAX_BYTES", 8 * 200)
    read_arrays(tmp_path / "a.npz", ANY_3D)
    monkeypatch.setattr(arrays, "MAX_BYTES", 8 * 200 - 1)
    with pytest.raises(ArrayRefusedError, match="larger than"):
        read_arrays(tmp_path / "a.npz", ANY_3D)


def test_texts_come_back_as_they_were_written(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz", names=np.array(["scene ü", "b", ""]), one=np.array("{}"), none=np.array([], "<U3")
    )
    assert read_texts(tmp_path / "a.npz", "names") == ("scene ü", "b", "")
    assert read_texts(tmp_path / "a.npz", "one") == ("{}",)
    assert read_texts(tmp_path / "a.npz", "none") == ()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (np.array(["a"], dtype=object), "no list of texts"),
        (np.array([1.0]), "no list of texts"),
        (np.array([b"a"]), "no list of texts"),
        (np.array([["a"]]), "no list of texts"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(tmp_path: Path, value: np.ndarray, why: str) -> None:
    np.savez(tmp_path / "a.npz", names=value)
    with pytest.raises(ArrayRefusedError, match=why):
        read_texts(tmp_path / "a.npz", "names")
    with pytest.raises(ArrayRefusedError, match="no array 'others'"):
        read_texts(tmp_path / "a.npz", "others")
    (tmp_path / "b.npz").write_bytes(b"no archive")
    with pytest.raises(ArrayRefusedError, match="cannot be read"):
        read_texts(tmp_path / "b.npz", "names")


def test_texts_larger_than_they_say_are_refused_before_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<U9", "fortran_order": False, "shape": (10**9,)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("names.npy", header.getvalue())
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("it was made"))
    with pytest.raises(ArrayRefusedError, match="too large"):
        read_texts(tmp_path / "a.npz", "names")
