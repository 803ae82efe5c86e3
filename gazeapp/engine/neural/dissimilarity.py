"""How unlike the images are to a map or to a region: dissimilarity matrices, and their ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.scoring.ranks import centred_ranks
from gazeapp.engine.types import DoubleArray, FloatArray

MIN_VERTICES = 3
"""Fewest vertices of a region: the correlation over two is 1 or -1 whatever they respond."""
# Dissimilarities that are equal on paper differ by rounding; they have to share a rank.
_DIGITS = 12


def dissimilarities(patterns: NDArray[np.floating]) -> DoubleArray:
    """Return 1 - Pearson's correlation between the patterns of each two images (Kriegeskorte et al. 2008).

    Parameters
    ----------
    patterns
        One row an image, shape (n_images, k).

    Returns
    -------
    numpy.ndarray
        Shape (n_images, n_images), symmetric, 0 on the diagonal; NaN for an image whose pattern is the same
        everywhere or holds NaN.
    """
    centred = patterns.astype(np.float64)
    largest = np.abs(centred).max(axis=1, initial=0.0)
    centred -= centred.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=1))
    # What is left of a constant after its mean is taken off is rounding, of the size of the constant.
    flat = ~(length > 1e-12 * largest * patterns.shape[1] ** 0.5)
    centred /= np.where(flat, 1.0, length)[:, None]
    unlike: DoubleArray = np.round(1.0 - centred @ centred.T, _DIGITS)
    np.fill_diagonal(unlike, 0.0)
    unlike[flat] = np.nan
    unlike[:, flat] = np.nan
    return unlike


def region_dissimilarities(responses: NDArray[np.floating]) -> tuple[DoubleArray | None, int, str]:
    """Return the dissimilarities of a region's responses, its number of vertices and a note.

    Parameters
    ----------
    responses
        Shape (n_images, n_vertices). A vertex without a value on some image is left out, and so is one whose
        response is the same on all images.

    Returns
    -------
    unlike : numpy.ndarray or None
        As :func:`dissimilarities`; None where there are none.
    n_vertices : int
        Vertices that it rests on.
    note : str
        Why there are none; else empty.
    """
    known = np.isfinite(responses).all(axis=0)
    varying = known & (np.ptp(np.where(known, responses, 0.0), axis=0) > 0)
    n_vertices = int(varying.sum())
    if n_vertices < MIN_VERTICES:
        return None, n_vertices, f"{_vertices(n_vertices)}; RSA needs at least {MIN_VERTICES}."
    unlike = dissimilarities(responses[:, varying])
    n_flat = int(np.isnan(unlike).all(axis=1).sum())
    if n_flat:
        images = "one image" if n_flat == 1 else f"{n_flat} images"
        return None, n_vertices, f"All vertices of the region respond alike to {images}."
    return unlike, n_vertices, ""


def unit_ranks(unlike: DoubleArray) -> FloatArray | None:
    """Return the ranks of the pairs of images, centred and of length 1, so that products are Spearman's rho.

    Pairs in the order of ``numpy.triu_indices(n, 1)``, equal ones sharing a rank; None where all are equal.
    """
    ranks = centred_ranks(unlike[np.triu_indices(len(unlike), 1)])
    length = np.sqrt(np.square(ranks).sum())
    return (ranks / length).astype(np.float32) if length > 0 else None


def _vertices(n: int) -> str:
    if not n:
        return "No vertex of the region has values that vary"
    return f"Only {n} of the region's vertices ha{'s' if n == 1 else 've'} values that vary"
