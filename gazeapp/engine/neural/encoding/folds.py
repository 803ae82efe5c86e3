"""How images are shared among folds, the settings of ridge regression, and what it cannot work with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

MIN_IN_FOLD = 3
"""Fewest images of a fold: over two, every correlation is 1 or -1."""


@dataclass(frozen=True)
class RidgeSettings:
    """How encoding models are fitted.

    Parameters
    ----------
    n_folds
        Folds of the images; each is predicted by models that were fitted to the others.
    n_inner
        Folds of the images that a model is fitted to, by which its penalty is chosen.
    penalties
        Penalties to choose from, positive. Columns of the features are z-scored, and a penalty is added to
        their sums of squares. The best one is about the number of features x (1 - R squared) / R squared,
        however many images there are, so that the default 0.1 ... 1,000,000 goes from nearly no noise to
        nearly no signal.
    seed
        Seed of the folds.
    """

    n_folds: int = 5
    n_inner: int = 5
    penalties: tuple[float, ...] = tuple(float(value) for value in np.logspace(-1, 6, 20))
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_folds, self.n_inner) < 2:
            raise GazeError("Cross-validation needs at least 2 folds.", todo="Choose 2 folds or more.")
        if not self.penalties or not all(0 < value < np.inf for value in self.penalties):
            raise GazeError(
                "A penalty of ridge regression is a positive number.", todo="Change the penalties."
            )


def split(n_images: int, n_folds: int, *seed: int) -> IntArray:
    """Return the fold of each image, from 0, drawn at random; sizes of folds differ by at most one.

    Parameters
    ----------
    n_images, n_folds
        How many there are.
    seed
        Numbers that the draw depends on.
    """
    fold = np.arange(n_images, dtype=np.int64) % n_folds
    return np.random.default_rng(seed).permutation(fold)


def check(features: DoubleArray, responses: NDArray[np.floating], settings: RidgeSettings) -> BoolArray:
    """Return which targets can be predicted: finite and not constant, shape (n_targets,).

    Parameters
    ----------
    features
        Shape (n_images, n_features).
    responses
        Shape (n_images, n_targets).
    settings
        How the models are fitted.

    Raises
    ------
    GazeError
        If the two do not fit each other, images are too few for the folds, features are unknown or the same
        for all images, or no target can be predicted.
    """
    if features.ndim != 2 or responses.ndim != 2 or len(features) != len(responses):
        raise GazeError(
            f"Features of the shape {features.shape} do not fit responses of the shape {responses.shape}.",
            todo="Give one row of each for every image.",
        )
    n = len(features)
    check_number(n, settings)
    unknown = int((~np.isfinite(features)).any(axis=1).sum())
    if unknown:
        raise GazeError(
            f"The maps of {unknown} of {n} images have values that are no numbers.",
            todo="Leave these images out, or make their maps again.",
        )
    if not varies(features).any():
        raise GazeError(
            "The maps are the same for all images, so that nothing can be predicted from them.",
            todo="Choose a source whose maps differ from image to image.",
        )
    usable = can_be_predicted(responses)
    if not usable.any():
        raise GazeError(
            "No target has a number for every image that differs from image to image.",
            todo="Leave out images without responses, or choose other responses.",
        )
    return usable


def check_number(n_images: int, settings: RidgeSettings) -> None:
    """Refuse images that are too few for the folds.

    Raises
    ------
    GazeError
        If they are; it says how many there have to be.
    """
    fewest = MIN_IN_FOLD * settings.n_folds
    if n_images < fewest:
        raise GazeError(
            f"{n_images} images are too few for {settings.n_folds} folds: a correlation within a fold needs at least "
            f"{MIN_IN_FOLD}.",
            todo=f"Use at least {fewest} images that have maps and responses, or fewer folds.",
        )
    smallest = n_images - -(-n_images // settings.n_folds)
    if smallest < 2 * settings.n_inner:
        raise GazeError(
            f"{settings.n_inner} inner folds of {smallest} images are too small to choose a penalty by.",
            todo="Use at least 2 images for each, or fewer inner folds.",
        )


def varies(features: DoubleArray) -> BoolArray:
    """Return which columns differ from image to image by more than rounding, shape (n_features,)."""
    found: BoolArray = np.ptp(features, axis=0) > 1e-10 * np.abs(features).max(axis=0)
    return found


def can_be_predicted(responses: NDArray[np.floating]) -> BoolArray:
    """Return which targets are finite and not the same for all images, shape (n_targets,)."""
    # A NaN or an infinity anywhere makes the range NaN or infinite; no copy of all responses is made.
    low, high = responses.min(axis=0), responses.max(axis=0)
    found: BoolArray = np.isfinite(low) & np.isfinite(high) & (high > low)
    return found


def standardised(
    responses: NDArray[np.floating], dtype: type[np.floating]
) -> tuple[NDArray[np.floating], ...]:
    """Return responses as deviations from their mean in units of their standard deviation, and the two.

    Predictions and correlations do not depend on either, but numbers of half the precision do where the mean
    is a thousand times the deviation.

    Parameters
    ----------
    responses
        Finite, none constant, shape (n_images, n_targets).
    dtype
        Precision of the result.
    """
    wide = responses.astype(np.float64)
    mean = wide.mean(axis=0)
    wide -= mean
    deviation = np.sqrt(np.einsum("it,it->t", wide, wide) / len(wide))
    wide /= deviation
    return wide.astype(dtype, copy=False), mean, deviation
