from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.pictures import read_picture


def test_rotation_tag_is_applied_to_pixels_and_size(tmp_path: Path):
    path = tmp_path / "turned.jpg"
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90 degrees clockwise to see it upright
    Image.fromarray(pixels).save(path, exif=exif, quality=95)
    upright, facts = read_picture(path)
    assert upright.shape == (40, 20, 3)
    assert (facts.width, facts.height) == (20, 40)
    # The bright strip on the left of the file is at the top once upright.
    assert upright[:8].mean() > 200
    assert upright[12:].mean() < 60


def test_reduced_reading_keeps_the_full_size_in_the_facts(tmp_path: Path):
    path = tmp_path / "wide.png"
    Image.new("RGB", (400, 100), (10, 20, 30)).save(path)
    pixels, facts = read_picture(path, max_side=100)
    assert pixels.shape == (25, 100, 3)
    assert (facts.width, facts.height) == (400, 100)
    assert tuple(pixels[3, 3]) == (10, 20, 30)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str):
    path = tmp_path / "picture.tif"
    Image.new("RGB", (6, 4), (255, 255, 255)).convert(mode).save(path)
    pixels, _ = read_picture(path)
    assert pixels.shape == (4, 6, 3)
    assert pixels.dtype == np.uint8
    assert pixels.min() > 250


def test_transparent_parts_are_white(tmp_path: Path):
    path = tmp_path / "clear.png"
    Image.new("RGBA", (3, 3), (0, 0, 0, 0)).save(path)
    assert read_picture(path)[0].min() == 255


def test_sixteen_bit_grey_uses_the_whole_range(tmp_path: Path):
    path = tmp_path / "deep.png"
    Image.fromarray(np.linspace(0, 65535, 12, dtype=np.uint16).reshape(3, 4)).save(path)
    pixels, _ = read_picture(path)
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_cut_off_picture(tmp_path: Path):
    path = tmp_path / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(GazeError, match="damaged or cut off"):
        read_picture(path)


@pytest.mark.parametrize("content", [b"", b"not a picture at all"])
def test_no_picture(tmp_path: Path, content: bytes):
    path = tmp_path / "no.png"
    path.write_bytes(content)
    with pytest.raises(GazeError, match="no picture"):
        read_picture(path)


def test_a_giant_picture_is_refused_before_it_is_decoded(tmp_path: Path):
    path = tmp_path / "giant.png"
    Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(GazeError, match="20000 x 20000 px"):
        read_picture(path)


def test_missing_picture(tmp_path: Path):
    with pytest.raises(GazeError, match="not there"):
        read_picture(tmp_path / "none.png")
