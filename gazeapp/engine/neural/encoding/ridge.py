"""Ridge regression of many targets at many penalties, from one singular value decomposition for each fold.

Features are z-scored over the images that a model is fitted to, and the intercept is not penalised. With the
centred features X = U S V', the coefficients at the penalty a are V diag(s / (s^2 + a)) U'y: the
decomposition is made once, and what is left for each target and penalty is a few products of small matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.encoding.folds import varies
from gazeapp.engine.types import DoubleArray, IntArray

_Array = NDArray[np.floating]
_COMPRESS = 1.25
"""Images for each feature from which on images of an inner fold are replaced by as many rows as there are features."""
_LOST = 1e-14
"""Squares of singular values, in parts of the largest, that are rounding."""
_ROWS = 1280
"""Rows of predictions at all penalties that are held at a time."""


@dataclass(frozen=True)
class _Block:
    """The images of an inner fold, or fewer rows that mean the same to a linear model.

    With [1 X] = Q R, the columns of Q orthonormal, squared errors of any linear prediction of y from X are
    those of the prediction of Q'y from R and a part that depends on no prediction. So thousands of images
    become as many rows as there are features.

    Parameters
    ----------
    rows
        Images, as places among all.
    turn
        Q', shape (n_rows, n_images); None: the images as they are.
    ones, features
        Column of the intercept, shape (n_rows,), and features, shape (n_rows, n_features).
    """

    rows: IntArray
    turn: _Array | None
    ones: DoubleArray
    features: DoubleArray

    @classmethod
    def of(cls, rows: IntArray, features: DoubleArray, dtype: type[np.floating]) -> _Block:
        n, p = features.shape
        if n <= _COMPRESS * (p + 1):
            return cls(rows, None, np.ones(n), features)
        q, r = np.linalg.qr(np.column_stack([np.ones(n), features]))
        return cls(rows, np.ascontiguousarray(q.T, dtype), r[:, 0], r[:, 1:])

    def turned(self, responses: _Array) -> _Array:
        """Return the block's rows of responses to all images."""
        own = responses[self.rows]
        return own if self.turn is None else self.turn @ own


@dataclass(frozen=True)
class _Fit:
    """Predicts some rows from the responses of others, at any penalty.

    Parameters
    ----------
    basis
        Turns responses into their components U'y and, last, their mean; shape (k + 1, n_rows).
    shrink
        s / (s^2 + a), shape (n_penalties, k).
    features, ones
        The rows to predict: X V, shape (m, k), and the column of the intercept, shape (m,).
    """

    basis: _Array
    shrink: _Array
    features: _Array
    ones: _Array

    @classmethod
    def of(
        cls,
        ones: DoubleArray,
        features: DoubleArray,
        others: tuple[DoubleArray, DoubleArray],
        penalties: DoubleArray,
        dtype: type[np.floating],
    ) -> _Fit:
        # Rows that are all 0 change nothing, and so can stand for images that are not fitted to.
        n = float(ones @ ones)
        mean = ones @ features / n
        u, s, vt = _decomposed(features - np.outer(ones, mean))
        other_ones, other_features = others
        return cls(
            np.vstack([u.T, ones / n]).astype(dtype),
            (s / (s**2 + penalties[:, None])).astype(dtype),
            ((other_features - np.outer(other_ones, mean)) @ vt.T).astype(dtype),
            other_ones[:, None].astype(dtype),
        )

    def errors(self, responses: _Array, observed: _Array) -> _Array:
        """Return the sum of squared errors at each penalty, shape (n_penalties, n_targets)."""
        components = self.basis @ responses
        around = observed - self.ones * components[-1]
        components = components[:-1]
        m, k = self.features.shape
        found = np.empty((len(self.shrink), observed.shape[1]), observed.dtype)
        step = max(1, _ROWS // m)
        for start in range(0, len(self.shrink), step):
            shrink = self.shrink[start : start + step]
            predicted = (shrink[:, None] * self.features).reshape(len(shrink) * m, k) @ components
            left = predicted.reshape(len(shrink), m, -1)
            np.subtract(around, left, out=left)
            np.einsum("pmt,pmt->pt", left, left, out=found[start : start + step])
        return found

    def predict(self, responses: _Array, chosen: IntArray) -> _Array:
        """Return predictions with one penalty, by its place, for each target, shape (m, n_targets)."""
        components = self.basis @ responses
        predicted: _Array = self.features @ (self.shrink.T[:, chosen] * components[:-1])
        predicted += self.ones * components[-1]
        return predicted


class NestedFold:
    """Chooses a penalty for each target by inner folds, and predicts the images of one outer fold.

    The penalty is the one with the smallest mean, over inner folds, of the mean squared error (of equal ones
    the smallest), which is what himalaya's ``RidgeCV`` chooses by. Features keep the scale of the whole
    training fold in the inner folds, so that a penalty means the same in both; their means, and those of the
    responses, are of the inner folds.

    Parameters
    ----------
    features
        Features of all images, shape (n_images, n_features), float64.
    train, test
        Images to fit to and to predict, as places among all.
    inner
        Inner fold of each image of ``train``, from 0.
    penalties
        Penalties, ascending.
    dtype
        Precision of the products.
    weights
        Factor of each feature after it is z-scored, shape (n_features,); 0 leaves it out. None: 1 for all.
    """

    def __init__(
        self,
        features: DoubleArray,
        train: IntArray,
        test: IntArray,
        inner: IntArray,
        penalties: DoubleArray,
        dtype: type[np.floating],
        weights: DoubleArray | None = None,
    ) -> None:
        self.test = test
        fitted = features[train]
        used = varies(fitted)
        mean, deviation = fitted[:, used].mean(axis=0), fitted[:, used].std(axis=0)
        fitted, wanted = ((rows[:, used] - mean) / deviation for rows in (fitted, features[test]))
        factor = np.ones(len(mean)) if weights is None else weights[used]
        places = [np.flatnonzero(inner == k) for k in range(int(inner.max()) + 1)]
        self._blocks = [_Block.of(train[rows], fitted[rows], dtype) for rows in places]
        self._sizes = [len(rows) for rows in places]
        ends = np.cumsum([len(block.ones) for block in self._blocks])
        self._slices = [slice(end - len(b.ones), end) for b, end in zip(self._blocks, ends, strict=True)]
        ones = np.concatenate([block.ones for block in self._blocks])
        # Blocks are of all features, whatever their weights, so that errors can be compared between weights.
        rows, wanted = (
            (values * factor)[:, factor != 0]
            for values in (np.concatenate([block.features for block in self._blocks]), wanted)
        )
        self._inner = []
        for own in self._slices:
            others = np.ones(len(ones))
            others[own] = 0.0
            left_out = (ones[own], rows[own])
            self._inner.append(_Fit.of(ones * others, rows * others[:, None], left_out, penalties, dtype))
        self._whole = _Fit.of(ones, rows, (np.ones(len(test)), wanted), penalties, dtype)

    def predict(self, responses: _Array) -> tuple[_Array, IntArray]:
        """Return predictions of the test images, shape (n_test, n_targets), and the place of each penalty.

        Parameters
        ----------
        responses
            Responses to all images, shape (n_images, n_targets); those of the test images are not looked at.
        """
        rows = self.rows(responses)
        chosen: IntArray = np.argmin(self.errors(rows), axis=0).astype(np.int64)
        return self.predict_at(rows, chosen), chosen

    def rows(self, responses: _Array) -> _Array:
        """Return what the fold needs to know of the responses to all images, shape (n_rows, n_targets)."""
        rows: _Array = np.concatenate([block.turned(responses) for block in self._blocks])
        return rows

    def errors(self, rows: _Array) -> _Array:
        """Return the sum over inner folds of the mean squared error, shape (n_penalties, n_targets)."""
        errors: _Array = np.sum(
            [
                fit.errors(rows, rows[own]) / rows.dtype.type(size)
                for fit, own, size in zip(self._inner, self._slices, self._sizes, strict=True)
            ],
            axis=0,
        )
        return errors

    def predict_at(self, rows: _Array, chosen: IntArray) -> _Array:
        """Return predictions of the test images with one penalty, by its place, for each target."""
        return self._whole.predict(rows, chosen)


def _decomposed(rows: DoubleArray) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Return the singular value decomposition U, s, V' of rows, some of which may be 0, descending.

    It is made from the eigenvectors of X X' or X' X, whichever is smaller. That is several times faster than LAPACK's
    decomposition, which now and then does not converge on rows of 0. Singular values below a ten-millionth of
    the largest are lost: with a penalty a, what they would add to a prediction is in proportion to s^2 / (s^2 + a).
    """
    filled = rows.any(axis=1)
    x = rows[filled]
    wide = x.shape[0] <= x.shape[1]
    squares, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    kept = np.flatnonzero(squares > _LOST * squares.max(initial=0.0))[::-1]
    s, vectors = np.sqrt(squares[kept]), vectors[:, kept]
    u = np.zeros((len(rows), len(s)))
    u[filled] = vectors if wide else x @ vectors / s
    return u, s, (vectors.T @ x) / s[:, None] if wide else vectors.T
