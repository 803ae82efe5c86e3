"""A mask as a grey picture keeps every value; a picture that is no mask is refused in words."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.png import open_png, read_png, write_png

RNG = np.random.default_rng(0)
MASK = RNG.integers(0, 256, (6, 9), dtype=np.uint8)
HARD = np.where(MASK > 127, np.uint8(255), np.uint8(0))
SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def rgba(colours: np.ndarray, opacity: np.ndarray) -> Image.Image:
    return Image.fromarray(np.dstack([colours, opacity]), "RGBA")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(mask=SIZES.flatmap(lambda size: arrays(np.uint8, size)))
def test_every_value_comes_back(tmp_path: Path, mask: np.ndarray):
    write_png(tmp_path / "m.png", mask)
    values, _ = read_png(tmp_path / "m.png")
    assert values.dtype == np.uint8
    np.testing.assert_array_equal(values, mask)


def test_a_mirrored_mask_is_written_as_it_is_seen(tmp_path: Path):
    write_png(tmp_path / "m.png", MASK[:, ::-1])
    np.testing.assert_array_equal(read_png(tmp_path / "m.png")[0], MASK[:, ::-1])


def test_the_file_is_a_grey_picture_of_eight_bits(tmp_path: Path):
    write_png(tmp_path / "m.png", MASK)
    with Image.open(tmp_path / "m.png") as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (9, 6))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.fromarray(HARD > 0), HARD),
        (Image.fromarray(np.dstack([MASK] * 3)), MASK),
        (Image.fromarray(HARD).convert("P"), HARD),
        (rgba(np.dstack([MASK] * 3), np.full_like(MASK, 255)), MASK),
        (Image.fromarray(np.dstack([MASK, np.full_like(MASK, 255)]), "LA"), MASK),
    ],
    ids=["1 bit", "grey RGB", "grey palette", "opaque grey RGBA", "opaque grey and alpha"],
)
def test_other_pictures_in_greys_are_read_too(tmp_path: Path, picture: Image.Image, expected: np.ndarray):
    values, notes = read_png(saved(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(values, expected)
    assert notes == ()


@pytest.mark.parametrize("colour", [0, 255, 90])
def test_of_one_colour_on_nothing_the_opacity_is_the_mask(tmp_path: Path, colour: int):
    """What is invisible may have any colour."""
    colours = np.where(MASK[:, :, None] == 0, np.uint8(13), np.uint8(colour)) * np.ones(3, np.uint8)
    opacity = MASK.copy()
    opacity[0] = 0
    colours[0] = 200
    values, notes = read_png(saved(tmp_path / "m.png", rgba(colours, opacity)))
    np.testing.assert_array_equal(values, opacity)
    assert "opacity" in notes[0]


def test_a_transparent_grey_is_read_as_opacity(tmp_path: Path):
    values, _ = read_png(saved(tmp_path / "m.png", Image.fromarray(HARD), transparency=0))
    np.testing.assert_array_equal(values, HARD)


def test_an_invisible_picture_is_an_empty_mask(tmp_path: Path):
    values, _ = read_png(saved(tmp_path / "m.png", rgba(np.dstack([MASK] * 3), np.zeros_like(MASK))))
    assert not values.any()


@pytest.mark.parametrize(
    ("picture", "what"),
    [
        (Image.fromarray(RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)), "coloured"),
        (Image.fromarray(RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)).quantize(8), "coloured"),
        (rgba(np.dstack([MASK] * 3), MASK), "which of the two is the mask"),
        (Image.fromarray(MASK.astype(np.uint16) * 257), "more than 8 bits"),
    ],
    ids=["colours", "coloured palette", "greys and opacity", "16 bits"],
)
def test_a_picture_that_is_no_mask_is_refused(tmp_path: Path, picture: Image.Image, what: str):
    with pytest.raises(GazeError, match=what) as caught:
        read_png(saved(tmp_path / "m.png", picture))
    assert caught.value.where.endswith("m.png")
    assert caught.value.todo


def test_zeros_and_ones_are_kept_and_pointed_out(tmp_path: Path):
    write_png(tmp_path / "m.png", HARD // 255)
    values, notes = read_png(tmp_path / "m.png")
    np.testing.assert_array_equal(values, HARD // 255)
    assert "largest value is 1 of 255" in notes[0]


def outcome(path: Path) -> np.ndarray | None:
    """Return the values of a file; None where it is refused in words."""
    try:
        return read_png(path)[0]
    except GazeError:
        return None


def test_a_file_that_is_cut_off_is_refused_unless_all_pixels_are_there(tmp_path: Path):
    write_png(tmp_path / "m.png", MASK)
    whole = (tmp_path / "m.png").read_bytes()
    refused = 0
    for end in range(len(whole)):
        (tmp_path / "cut.png").write_bytes(whole[:end])
        values = outcome(tmp_path / "cut.png")
        refused += values is None
        assert values is None or (values == MASK).all()
    # The last bytes are a checksum of the pixels, one of their chunk and the end mark.
    assert refused >= len(whole) - 22


def test_a_damaged_file_is_no_traceback(tmp_path: Path):
    write_png(tmp_path / "m.png", MASK)
    whole = (tmp_path / "m.png").read_bytes()
    for place in range(len(whole)):
        bent = bytearray(whole)
        bent[place] ^= 0xFF
        (tmp_path / "bent.png").write_bytes(bent)
        values = outcome(tmp_path / "bent.png")
        assert values is None or values.dtype == np.uint8


def test_a_picture_that_claims_to_be_vast_is_refused_before_it_is_unpacked():
    header = b"IHDR" + (40_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    chunk = (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    pixels = (100).to_bytes(4, "big") + b"IDAT"
    with pytest.raises(GazeError, match="40000 x 40000 px; up to 120 megapixels"):
        open_png(io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunk + pixels), "m.png")


def test_other_formats_and_missing_files_are_told(tmp_path: Path):
    with pytest.raises(GazeError, match="no PNG"):
        read_png(saved(tmp_path / "m.bmp", Image.fromarray(MASK)))
    with pytest.raises(GazeError, match="cannot be read"):
        read_png(tmp_path / "none.png")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_png(tmp_path / "m.png", MASK)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(GazeError, match="disk is full"):
        write_png(tmp_path / "m.png", HARD)
    monkeypatch.undo()
    np.testing.assert_array_equal(read_png(tmp_path / "m.png")[0], MASK)
    assert [path.name for path in tmp_path.iterdir()] == ["m.png"]
