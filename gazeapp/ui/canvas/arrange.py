"""How panes are arranged in a grid."""

from __future__ import annotations

import math


def best_columns(
    count: int, width: float, height: float, aspect: float, chrome: float, gaps: tuple[float, float]
) -> int:
    """Return the number of columns that makes the pictures largest.

    Parameters
    ----------
    count
        Number of panes.
    width, height
        Room for all of them, px.
    aspect
        Width of a picture by its height.
    chrome
        Height of a pane that is no picture, px.
    gaps
        Room between columns and between rows, px.
    """

    def picture_width(columns: int) -> float:
        rows = math.ceil(count / columns)
        cell = (width - (columns - 1) * gaps[0]) / columns
        high = (height - (rows - 1) * gaps[1]) / rows - chrome
        return min(cell, high * aspect)

    return max(range(1, count + 1), key=lambda columns: (round(picture_width(columns)), -columns))
