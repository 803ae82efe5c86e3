"""MultiMatch: five similarities of two scanpaths, by the package multimatch-gaze."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths.scanpath import Scanpath
from gazeapp.engine.types import DoubleArray, IntArray

DIMENSIONS = ("shape", "direction", "length", "position", "duration")
"""The similarities, in the order in which the package returns them."""

FEWEST_FIXATIONS = 3
"""Fixations that a scanpath needs: with fewer it has no two saccades to compare."""

_DURATION = DIMENSIONS.index("duration")


def require() -> None:
    """Raise a sentence where the package is not installed."""
    try:
        import multimatch_gaze  # noqa: F401
    except ImportError as error:
        raise GazeError(
            "MultiMatch needs the package multimatch-gaze, which is not installed.",
            todo="Install it with: pip install multimatch-gaze (or pip install 'gazeapp[scanpaths]').",
        ) from error


def multimatch(
    first: Sequence[Scanpath],
    second: Sequence[Scanpath],
    pairs: tuple[IntArray, IntArray],
    width: float,
    height: float,
) -> DoubleArray:
    """Return the five similarities of pairs of scanpaths.

    Jarodzka, Holmqvist & Nyström 2010; Dewhurst et al. 2012; code of Wagner, Halchenko & Hanke 2019.
    Saccades are aligned by the cheapest path through their vector differences; each similarity is 1 less
    the median difference over aligned saccades, as a share of the largest possible one. Scanpaths are
    not simplified before.

    Parameters
    ----------
    first, second
        Scanpaths.
    pairs
        Numbers of the scanpaths of ``first`` and of ``second`` that are compared, each of shape (p,).
    width, height
        Size of the image, px; its diagonal is what distances are a share of.

    Returns
    -------
    numpy.ndarray
        Similarities, 0 to 1, in the order of :data:`DIMENSIONS`, shape (5, p). NaN for scanpaths of
        fewer than 3 fixations; the last also for those with an unknown duration.

    Raises
    ------
    GazeError
        If the package is not installed.
    """
    require()
    from multimatch_gaze import docomparison

    firsts, seconds = [_table(path) for path in first], [_table(path) for path in second]
    found = np.full((len(DIMENSIONS), len(pairs[0])), np.nan)
    for column, (i, j) in enumerate(zip(*pairs, strict=True)):
        if min(len(first[i]), len(second[j])) < FEWEST_FIXATIONS:
            continue
        # Two fixations of 0 ms have no ratio of durations.
        with np.errstate(invalid="ignore"):
            found[:, column] = docomparison(firsts[i], seconds[j], screensize=[width, height])
        if not (first[i].has_durations and second[j].has_durations):
            found[_DURATION, column] = np.nan
    return found


def _table(path: Scanpath) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Return a scanpath as the package reads it, in seconds; unknown durations are replaced by 1."""
    table = np.ones(len(path), dtype=[("start_x", "f8"), ("start_y", "f8"), ("duration", "f8")])
    table["start_x"], table["start_y"] = path.x, path.y
    if path.has_durations:
        table["duration"] = path.duration_ms / 1000.0
    return table
