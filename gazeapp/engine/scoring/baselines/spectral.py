"""Spectral residual: where a small grey picture's Fourier amplitudes stand out from their surroundings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import DoubleArray, FloatArray

WIDTH = 64
"""Width that the picture is reduced to, px."""
BLUR_SD = 2.5
"""Standard deviation of the last blur, px of the reduced picture."""
_LUMA = (0.299, 0.587, 0.114)


def spectral_residual(picture: NDArray[np.uint8] | NDArray[np.floating]) -> FloatArray:
    """Return the saliency of a picture by spectral residual (Hou & Zhang 2007).

    The picture is made grey and reduced to 64 px of width by averaging areas. With the Fourier transform
    A exp(iP) of it, the residual is R = ln A - (mean of ln A over 3 x 3 frequencies); the map is
    abs(inverse transform of exp(R + iP))**2, blurred with a Gaussian of 2.5 px that sees nothing beyond the
    border. These are the values of the authors' MATLAB code, which reduces bicubically and cuts the
    Gaussian to 10 x 10 px.

    Parameters
    ----------
    picture
        RGB, shape (height, width, 3), uint8 or floating point of any scale: a factor changes nothing. A picture
        that was reduced before gives nearly the same map, if it is still some 256 px wide.

    Returns
    -------
    numpy.ndarray
        Shape (round(64 height / width), 64), at least one row, float32, sums to 1; it covers the whole image.
        Constant where the picture is of one grey.

    Raises
    ------
    GazeError
        When the picture is not RGB, or holds values that are not numbers.
    """
    grey = _small_grey(np.asarray(picture))
    if not np.ptp(grey) > 1e-6 * np.abs(grey).max():  # rounding of one grey is no structure
        return np.full(grey.shape, 1.0 / grey.size, dtype=np.float32)
    spectrum = np.fft.fft2(grey)
    amplitude = np.abs(spectrum)
    # A frequency that the picture does not have is rounding noise: it has no logarithm and no phase.
    there = amplitude > 1e-12 * amplitude.max()
    logs = np.log(np.where(there, amplitude, 1e-12 * amplitude.max()))
    phase = np.where(there, spectrum, 0.0) / np.where(there, amplitude, 1.0)
    saliency = np.abs(np.fft.ifft2(np.exp(logs - _mean_of_nine(logs)) * phase)) ** 2
    rows, columns = (_blur_weights(size) for size in saliency.shape)
    blurred = rows @ saliency @ columns.T
    values: FloatArray = (blurred / blurred.sum()).astype(np.float32)
    return values


def _small_grey(picture: NDArray[np.generic]) -> DoubleArray:
    """Return the picture in grey, 64 px wide, each pixel the mean of its area, shape (rows, 64)."""
    if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise GazeError(
            f"A picture needs rows, columns and 3 colours; this one has the shape {picture.shape}."
        )
    height, width, _ = picture.shape
    size = (WIDTH, max(1, round(WIDTH * height / width)))
    from PIL import Image

    if picture.dtype == np.uint8:
        grey = Image.fromarray(np.ascontiguousarray(picture)).convert("L").convert("F")
    else:
        values = picture.astype(np.float64) @ np.array(_LUMA)
        if not np.isfinite(values).all():
            raise GazeError("The picture holds values that are not numbers (NaN or infinity).")
        grey = Image.fromarray(values.astype(np.float32))
    small: DoubleArray = np.asarray(grey.resize(size, Image.Resampling.BOX), dtype=np.float64)
    return small


def _mean_of_nine(values: DoubleArray) -> DoubleArray:
    """Return the mean over 3 x 3 entries, those at the border repeated outwards."""
    rows, columns = values.shape
    wide = np.pad(values, 1, mode="edge")
    parts = [wide[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    mean: DoubleArray = np.sum(parts, axis=0) / 9.0
    return mean


def _blur_weights(size: int) -> DoubleArray:
    """Return the matrix of a Gaussian blur along an axis, nothing beyond the border, shape (size, size)."""
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    reach = np.arange(-int(6 * BLUR_SD), int(6 * BLUR_SD) + 1)
    total = np.exp(-0.5 * (reach / BLUR_SD) ** 2).sum()
    weights: DoubleArray = np.exp(-0.5 * (distance / BLUR_SD) ** 2) / total
    return weights
