"""Spectral residual: against a plain transcription of its formula, and what it must single out."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.baselines.spectral import BLUR_SD, spectral_residual


def scene(height: int = 96, width: int = 128, seed: int = 0) -> np.ndarray:
    """Return a grey picture with a texture of waves."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(rows / 3.0) + np.sin(columns / 4.0) + 0.05 * rng.standard_normal((height, width))
    return np.repeat((120 + 30 * waves)[..., None], 3, axis=2)


def by_hand(grey: np.ndarray) -> np.ndarray:
    """Return the map of a small grey picture, frequency by frequency and pixel by pixel."""
    height, width = grey.shape
    rows, columns = np.arange(height), np.arange(width)
    forward_rows = np.exp(-2j * np.pi * np.outer(rows, rows) / height)
    forward_columns = np.exp(-2j * np.pi * np.outer(columns, columns) / width)
    spectrum = forward_rows @ grey @ forward_columns
    logs = np.log(np.abs(spectrum))
    changed = np.empty_like(spectrum)
    for i in rows:
        for j in columns:
            near = [
                logs[min(max(i + di, 0), height - 1), min(max(j + dj, 0), width - 1)]
                for di in (-1, 0, 1)
                for dj in (-1, 0, 1)
            ]
            changed[i, j] = cmath.rect(math.exp(logs[i, j] - sum(near) / 9), cmath.phase(spectrum[i, j]))
    saliency = np.abs(forward_rows.conj() @ changed @ forward_columns.conj() / grey.size) ** 2
    kernel = np.exp(-0.5 * (np.arange(-40, 41) / BLUR_SD) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        saliency = np.apply_along_axis(lambda line: np.convolve(line, kernel)[40:-40], axis, saliency)
    return saliency / saliency.sum()


def test_it_is_the_formula():
    picture = scene(48, 64)
    grey = picture[..., 0]
    np.testing.assert_allclose(spectral_residual(picture), by_hand(grey), rtol=1e-3, atol=1e-9)


def test_a_patch_unlike_the_rest_stands_out():
    picture = scene()
    rng = np.random.default_rng(1)
    picture[60:75, 90:105] = rng.uniform(0, 255, (15, 15, 1))
    values = spectral_residual(picture)
    assert values.shape == (48, 64)
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert 30 <= row < 37.5
    assert 45 <= column < 52.5
    assert values.sum() == pytest.approx(1, abs=1e-5)
    assert values.dtype == np.float32


def test_scale_and_number_format_of_the_picture_do_not_matter():
    picture = scene().clip(0, 255).astype(np.uint8)
    found = spectral_residual(picture)
    np.testing.assert_allclose(spectral_residual(picture / 255.0), found, atol=0.02 * found.max())
    np.testing.assert_allclose(
        spectral_residual(picture.astype(np.float32)), spectral_residual(picture / 255.0), rtol=1e-3
    )


def test_a_picture_reduced_before_gives_nearly_the_same_map():
    rng = np.random.default_rng(2)
    picture = np.kron(rng.uniform(0, 255, (96, 128, 1)), np.ones((8, 8, 3)))
    reduced = picture.reshape(192, 4, 256, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(spectral_residual(reduced), spectral_residual(picture), rtol=1e-3)


@pytest.mark.parametrize(
    ("height", "width", "rows"), [(768, 1024, 48), (1024, 512, 128), (3, 900, 1), (5, 5, 64)]
)
def test_the_grid_has_the_shape_of_the_image(height: int, width: int, rows: int):
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    values = spectral_residual(picture)
    assert values.shape == (rows, 64)
    assert np.isfinite(values).all()
    assert values.min() >= 0


@pytest.mark.parametrize("level", [0, 7, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_one_grey_has_no_structure(level: int, dtype: type):
    values = spectral_residual(np.full((90, 110, 3), level / 3 if dtype is np.float64 else level, dtype))
    assert np.ptp(values) == 0
    assert values.sum() == pytest.approx(1, abs=1e-5)


def test_frequencies_that_are_not_there_add_no_noise():
    """A step between two greys has no frequency along the step: no row may differ from its neighbours."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 20:] = 200
    values = spectral_residual(picture)
    middle = values[20:44]
    np.testing.assert_allclose(middle, np.broadcast_to(middle[0], middle.shape), rtol=1e-3)
    assert np.ptp(middle[0]) > 0.5 * middle[0].max()


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_what_is_no_picture_is_said(shape: tuple[int, ...]):
    with pytest.raises(GazeError, match="3 colours"):
        spectral_residual(np.zeros(shape))


def test_numbers_that_are_none_are_said():
    with pytest.raises(GazeError, match="not numbers"):
        spectral_residual(np.full((4, 4, 3), np.nan))
