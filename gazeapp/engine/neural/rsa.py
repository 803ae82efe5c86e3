"""Representational similarity: whether images that are alike to a map draw alike responses from a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.dissimilarity import dissimilarities, region_dissimilarities, unit_ranks
from gazeapp.engine.neural.encoding.permutation import false_discovery, largest_statistic
from gazeapp.engine.runners.process import never
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

MIN_IMAGES = 6
"""Fewest images: there are 720 orders of 6."""
MAX_IMAGES = 1000
"""Most images: half a million pairs. Of more, as many are drawn by the seed."""
_CHUNK_CELLS = 4_000_000
# Correlations that are equal on paper differ by the rounding of single precision; they count as equally extreme.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class RsaResult:
    """RSA of one source's maps with regions; one value a region, NaN where there is none.

    Parameters
    ----------
    rho
        Spearman's correlation between the dissimilarities of the maps and of the region.
    low, high
        Ends of the 95 % interval over images.
    p, p_fdr, p_max
        One-sided p of the permutation test; corrected by Benjamini and Hochberg over the regions; of the largest rho
        over the regions.
    n_vertices
        Vertices that each region rests on.
    n_images
        Images that everything rests on.
    notes
        One sentence for each region where the number needs one, else empty.
    """

    rho: DoubleArray
    low: DoubleArray
    high: DoubleArray
    p: DoubleArray
    p_fdr: DoubleArray
    p_max: DoubleArray
    n_vertices: IntArray
    n_images: int
    notes: tuple[str, ...]


def rsa(
    features: DoubleArray,
    responses_of_regions: Sequence[NDArray[np.floating]],
    n_permutations: int = 1000,
    n_bootstrap: int = 1000,
    seed: int = 0,
    should_stop: Callable[[], bool] = never,
) -> RsaResult:
    """Correlate how unlike images are to a source's maps with how unlike they are to each region.

    Dissimilarity is 1 - Pearson's correlation between the patterns of two images (cells of the maps, vertices of the
    region); rho is Spearman's correlation over the pairs of images (Kriegeskorte, Mur & Bandettini 2008; Nili et al.
    2014).

    p is the share of random orders of the images, given to the maps' dissimilarities, with a rho at least as high, the
    observed one counted among them (Mantel 1967; Phipson & Smyth 2010): a claim that the region shares something of
    the maps' geometry. All regions see the same orders, so that the largest rho over regions of each order gives
    ``p_max`` (Westfall & Young 1993).

    The interval is about other images. Images are drawn with replacement and pairs of an image with itself left out;
    ranks stay those of all pairs. That spreads too far, because noise of a pair of images counts up to three times
    in it; so the draws give the shape, and the ends are moved about rho until the variance is the unbiased one of a
    mean over pairs, 4 V(image) / n + 2 V(pair) / (n (n - 1)) (Hoeffding 1948), with Student's t of n - 1 degrees
    of freedom for 1.96.

    Parameters
    ----------
    features
        The maps, shape (n_images, k). Images whose map is the same everywhere are left out.
    responses_of_regions
        Responses of each region's vertices, shape (n_images, n_vertices). Vertices with NaN or without any
        variation are left out.
    n_permutations, n_bootstrap
        Orders of the images, and draws of images; 0 for no test, no interval.
    seed
        Seed of both, and of the images where there are more than 1,000.
    should_stop
        Asked between regions and between batches of permutations.

    Raises
    ------
    GazeError
        If fewer than 6 images have a map that is not the same everywhere, or maps hold NaN.
    StoppedError
        If ``should_stop`` says so.
    """
    _check_rows(len(features), responses_of_regions)
    chosen, model = _chosen_images(features, seed)
    regions = [_Region(responses[chosen], should_stop) for responses in responses_of_regions]
    there = np.flatnonzero([region.ranks is not None for region in regions])
    n_regions, n_images = len(regions), len(chosen)
    rho, low, high, p, p_fdr, p_max = np.full((6, n_regions), np.nan)
    if len(there):
        ranks = np.array([regions[k].ranks for k in there])
        own = unit_ranks(model)
        assert own is not None
        rho[there] = ranks @ own
        if n_permutations:
            null = _null(ranks, own, n_images, n_permutations, seed, should_stop)
            p[there], p_fdr[there], p_max[there] = _tested(rho[there], null)
        if n_bootstrap:
            bootstrap = _Bootstrap(_square(own, n_images), n_bootstrap, seed)
            for k, one in zip(there, ranks, strict=True):
                _ask(should_stop)
                low[k], high[k] = bootstrap.interval(_square(one, n_images))
    n_vertices = np.array([region.n_vertices for region in regions], dtype=np.int64)
    return RsaResult(
        rho, low, high, p, p_fdr, p_max, n_vertices, n_images, tuple(region.note for region in regions)
    )


class _Region:
    """What is kept of a region: ranks of its dissimilarities, which are None where there are none."""

    def __init__(self, responses: NDArray[np.floating], should_stop: Callable[[], bool]) -> None:
        _ask(should_stop)
        unlike, self.n_vertices, self.note = region_dissimilarities(responses)
        self.ranks: FloatArray | None = None if unlike is None else unit_ranks(unlike)
        if unlike is not None and self.ranks is None:
            self.note = "All images are equally unlike to the region."


def _check_rows(n_images: int, responses_of_regions: Sequence[NDArray[np.floating]]) -> None:
    for responses in responses_of_regions:
        if len(responses) != n_images:
            raise ValueError(f"{len(responses)} rows of responses do not fit {n_images} maps")


def _chosen_images(features: DoubleArray, seed: int) -> tuple[IntArray, DoubleArray]:
    """Return the images that count, ascending, and the dissimilarities of their maps."""
    if not np.isfinite(features).all():
        raise GazeError(
            "Some maps hold values that are not numbers (NaN or infinity).", todo="Leave these images out."
        )
    varying: BoolArray = np.ptp(features, axis=1) > 1e-12 * np.abs(features).max(axis=1, initial=0.0)
    chosen = np.flatnonzero(varying)
    if len(chosen) > MAX_IMAGES:
        rng = np.random.default_rng([seed, len(chosen)])
        chosen = np.sort(rng.choice(chosen, MAX_IMAGES, replace=False))
    if len(chosen) < MIN_IMAGES:
        flat = len(features) - int(varying.sum())
        constant = f", and {flat} more with a map that is the same everywhere" if flat else ""
        raise GazeError(
            f"RSA needs at least {MIN_IMAGES} images; there are {len(chosen)}{constant}.",
            todo="Add images with maps and responses.",
        )
    model = dissimilarities(features[chosen])
    if unit_ranks(model) is None:
        raise GazeError(
            "The maps of all images are equally unlike, so there is nothing to correlate.",
            todo="Use maps that differ from image to image.",
        )
    return chosen, model


def _null(
    ranks: FloatArray,
    own: FloatArray,
    n_images: int,
    n_permutations: int,
    seed: int,
    should_stop: Callable[[], bool],
) -> DoubleArray:
    """Return rho of each region with the maps of reordered images, shape (n_permutations, n_regions)."""
    flat = np.ascontiguousarray(_square(own, n_images)).ravel()
    first, second = np.triu_indices(n_images, 1)
    rng = np.random.default_rng([seed, n_images])
    null = np.empty((n_permutations, len(ranks)))
    for rows in _batches(n_permutations, max(1, _CHUNK_CELLS // len(first))):
        _ask(should_stop)
        orders = rng.permuted(np.tile(np.arange(n_images), (rows.stop - rows.start, 1)), axis=1)
        shuffled = flat[orders[:, first] * n_images + orders[:, second]]
        null[rows] = shuffled @ ranks.T
    return null


def _tested(rho: DoubleArray, null: DoubleArray) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Return p of each region, corrected by the false discovery rate, and of the largest over regions."""
    limit = rho - _ROUNDING
    p = ((null >= limit).sum(axis=0) + 1) / (len(null) + 1)
    return p, false_discovery(p), largest_statistic(limit, null.max(axis=1))


class _Bootstrap:
    """Draws of images with replacement, and what of them is the same for every region."""

    def __init__(self, own: FloatArray, n_draws: int, seed: int) -> None:
        n = len(own)
        rng = np.random.default_rng([seed, n, 1])
        self._counts: FloatArray = rng.multinomial(n, np.full(n, 1.0 / n), n_draws).astype(np.float32)
        same = np.square(self._counts).sum(axis=1)
        self._n_pairs = (self._counts.sum(axis=1) ** 2 - same).astype(np.float64)
        self._own = own
        self._own_mean = self._mean(own)
        self._own_square = self._mean(np.square(own)) - self._own_mean**2

    def interval(self, region: FloatArray) -> tuple[float, float]:
        """Return the ends of the 95 % interval of rho; ``region`` holds its ranks as a square matrix."""
        from scipy.special import stdtrit

        n = len(region)
        rho = float(np.vdot(self._own, region)) / 2.0
        drawn = self._correlations(region)
        drawn = drawn[np.isfinite(drawn)]
        if not len(drawn):
            return np.nan, np.nan
        spread = float(drawn.std())
        if spread < _ROUNDING:
            return rho, rho
        wider = float(stdtrit(n - 1, 0.975)) / 1.96 * np.sqrt(_variance(self._own, region, rho)) / spread
        ends = np.percentile(drawn, [2.5, 97.5]) - drawn.mean()
        low, high = np.clip(rho + wider * ends, -1.0, 1.0)
        return float(low), float(high)

    def _correlations(self, region: FloatArray) -> DoubleArray:
        """Return the correlation of the ranks over the pairs of different images of each draw."""
        mean = self._mean(region)
        across = self._mean(self._own * region) - self._own_mean * mean
        square = self._mean(np.square(region)) - mean**2
        with np.errstate(divide="ignore", invalid="ignore"):
            found: DoubleArray = across / np.sqrt(self._own_square * square)
        return found

    def _mean(self, values: FloatArray) -> DoubleArray:
        """Return the mean over the pairs of each draw, shape (n_draws,)."""
        # The diagonal is 0, so that an image that is drawn twice makes no pair with itself.
        mean: DoubleArray = ((self._counts @ values) * self._counts).sum(axis=1) / self._n_pairs
        return mean


def _variance(own: FloatArray, region: FloatArray, rho: float) -> float:
    """Return the variance of rho over studies with other images, from the influence of each pair.

    A pair's influence on a correlation of standardised x and y is x y - rho (x**2 + y**2) / 2. It is split into a
    part for each of its images and a part of its own, whose variances follow from the mean squares of a
    round-robin layout.
    """
    n = len(own)
    x, y = own.astype(np.float64), region.astype(np.float64)
    n_pairs = n * (n - 1) / 2
    influence = n_pairs * (x * y - rho / 2 * (np.square(x) + np.square(y)))
    of_image = influence.sum(axis=1) / (n - 2)
    rest = influence - of_image[:, None] - of_image[None, :]
    np.fill_diagonal(rest, 0.0)
    pair = np.square(rest).sum() / (n * (n - 3))
    image = max(np.square(of_image).sum() / (n - 1) - pair / (n - 2), 0.0)
    return float(4 * image / n + 2 * pair / (n * (n - 1)))


def _square(ranks: FloatArray, n_images: int) -> FloatArray:
    """Return values of pairs as a symmetric matrix with a diagonal of 0."""
    square = np.zeros((n_images, n_images), dtype=np.float32)
    square[np.triu_indices(n_images, 1)] = ranks
    return square + square.T


def _batches(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _ask(should_stop: Callable[[], bool]) -> None:
    if should_stop():
        raise StoppedError
