"""A scanpath: where one person looked in a trial, in order, and how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import DoubleArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Scanpath:
    """The fixations of one trial, in the order in which they were made.

    Parameters
    ----------
    subject
        Who looked; the name of a model where a model made it.
    x, y
        Positions, image px, shape (n,), finite.
    duration_ms
        How long each fixation lasted, ms, shape (n,); NaN where it is not known.
    """

    subject: str
    x: DoubleArray
    y: DoubleArray
    duration_ms: DoubleArray

    def __post_init__(self) -> None:
        shapes = {np.shape(column) for column in (self.x, self.y, self.duration_ms)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise GazeError(
                "The positions and durations of a scanpath differ in number.",
                where=f"scanpath of {self.subject}",
            )
        if not (np.isfinite(self.x).all() and np.isfinite(self.y).all()):
            raise GazeError(
                "A scanpath has a fixation without a position.",
                where=f"scanpath of {self.subject}",
                todo="Leave such fixations out before scanpaths are compared.",
            )

    @classmethod
    def of(
        cls,
        subject: str,
        x: Sequence[float] | DoubleArray,
        y: Sequence[float] | DoubleArray,
        duration_ms: Sequence[float] | DoubleArray | None = None,
    ) -> Scanpath:
        """Return the scanpath of lists or arrays; durations that are not given are unknown."""
        xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        known = (
            np.full(xs.shape, np.nan) if duration_ms is None else np.asarray(duration_ms, dtype=np.float64)
        )
        return cls(subject, xs, ys, known)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def has_durations(self) -> bool:
        """Whether every fixation has a duration of 0 ms or more."""
        return bool((self.duration_ms >= 0).all() and np.isfinite(self.duration_ms).all())

    @property
    def points(self) -> DoubleArray:
        """Positions, image px, shape (n, 2)."""
        return np.column_stack([self.x, self.y])

    def rescaled(self, size: tuple[float, float], onto: tuple[float, float]) -> Scanpath:
        """Return the scanpath laid onto another image, with the same shares of its width and height.

        Parameters
        ----------
        size, onto
            Width and height of its own image and of the other one, px.
        """
        return replace(self, x=self.x * (onto[0] / size[0]), y=self.y * (onto[1] / size[1]))


def other_images(n: int, seed: int = 0) -> IntArray:
    """Return which other image each of ``n`` images is compared with for the chance level, shape (n,).

    A random order, each image followed by the next: never an image itself, and each serves once. -1
    where there is only one image.
    """
    if n < 2:
        return np.full(n, -1, dtype=np.int64)
    order = np.random.default_rng([seed, n]).permutation(n)
    other = np.empty(n, dtype=np.int64)
    other[order] = np.roll(order, -1)
    return other
