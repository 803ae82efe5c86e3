"""Layouts: which image tokens lie where on the image, and mass on tokens as a map of the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.coverage import cover, overlaps
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray, Rect

WHOLE_IMAGE = "image"
OVERVIEW = "overview"
DETAIL = "detail"

_FINEST = 128
"""Cells on the longer side of a map that is put together from several views, at most."""


@dataclass(frozen=True, eq=False)
class View:
    """One grid of image tokens over a part of the image.

    Parameters
    ----------
    name
        ``image`` where there is one view; ``overview`` for the entire image at low resolution beside ``detail``,
        the same in parts at high resolution. Several views may share a name: they are shown together.
    columns
        Attention key of each token, shape (rows, columns); -1 where the grid has no token.
    row_edges, column_edges
        Edges of the tokens, image px, shapes (rows + 1,) and (columns + 1,), growing. They reach outside of the
        image where the model padded it.
    """

    name: str
    columns: IntArray
    row_edges: DoubleArray
    column_edges: DoubleArray

    def __post_init__(self) -> None:
        rows, columns = self.columns.shape
        if self.row_edges.shape != (rows + 1,) or self.column_edges.shape != (columns + 1,):
            raise ValueError("a view needs one edge more than it has rows and columns")
        if not ((np.diff(self.row_edges) > 0).all() and (np.diff(self.column_edges) > 0).all()):
            raise ValueError("the edges of a view must grow")

    @classmethod
    def regular(cls, name: str, columns: IntArray, rect: Rect) -> View:
        """Make a view whose tokens are equally large and fill a rectangle of the image."""
        rows, across = columns.shape
        return cls(
            name,
            columns,
            rect.y + rect.height * np.arange(rows + 1) / rows,
            rect.x + rect.width * np.arange(across + 1) / across,
        )


@dataclass(frozen=True, eq=False)
class Layout:
    """All views of an image in a model's input.

    Parameters
    ----------
    views
        One or more views.
    width, height
        Size of the image, px.
    """

    views: tuple[View, ...]
    width: int
    height: int

    @cached_property
    def columns(self) -> IntArray:
        """Attention keys of all image tokens, view by view and row by row, shape (n_tokens,)."""
        return np.concatenate([view.columns[view.columns >= 0] for view in self.views])

    @cached_property
    def on_image(self) -> BoolArray:
        """Whether each token shows a part of the image, shape (n_tokens,); the others show what was padded."""
        parts = []
        for view in self.views:
            down = overlaps(view.row_edges, np.array([0.0, self.height])) > 0
            across = overlaps(view.column_edges, np.array([0.0, self.width])) > 0
            parts.append((down & across.T)[view.columns >= 0])
        return np.concatenate(parts)

    @cached_property
    def view_names(self) -> tuple[str, ...]:
        """Names of the views, each once."""
        return tuple(dict.fromkeys(view.name for view in self.views))

    def scaled_to(self, width: int, height: int) -> Layout:
        """Return the same layout on the image at another size."""
        down, across = height / self.height, width / self.width
        views = (View(v.name, v.columns, v.row_edges * down, v.column_edges * across) for v in self.views)
        return Layout(tuple(views), width, height)

    def coverage(self, mask: FloatArray) -> FloatArray:
        """Return how much of each token a mask of the image covers.

        Parameters
        ----------
        mask
            Shape (height, width), 0 to 1.

        Returns
        -------
        numpy.ndarray
            Shape (n_tokens,), float32, in the order of `columns`: the mean of the mask over the part of the token's
            rectangle that lies on the image; 0 for tokens that lie outside of it.
        """
        if mask.shape != (self.height, self.width):
            raise GazeError(
                f"The mask is {mask.shape[1]} x {mask.shape[0]} px, the image {self.width} x {self.height} px."
            )
        parts = [cover(mask, view.row_edges, view.column_edges)[view.columns >= 0] for view in self.views]
        return np.concatenate(parts).astype(np.float32)

    def to_maps(self, mass: FloatArray, view: str = "") -> tuple[FloatArray, Rect]:
        """Return mass on tokens as mass on the image.

        A view whose equal tokens fill a rectangle inside the image is returned on its own grid. Otherwise each
        token's mass is spread evenly over the part of its rectangle that lies on the image, and views are added up,
        on a grid over the whole image that is as fine as the finest view. Mass on tokens that lie outside of the
        image altogether (padding) is left out.

        Parameters
        ----------
        mass
            Shape (..., n_tokens), in the order of `columns`.
        view
            A view's name for that view alone; empty for all.

        Returns
        -------
        maps
            Shape (..., rows, columns), float32.
        rect
            The part of the image that they cover, image px.

        Raises
        ------
        GazeError
            If there is no view of that name.
        """
        if view and view not in self.view_names:
            raise GazeError(
                f"This model's image has no view '{view}'.", todo=f"It has: {', '.join(self.view_names)}."
            )
        if mass.shape[-1] != self.columns.size:
            raise ValueError(f"{mass.shape[-1]} masses do not fit {self.columns.size} tokens")
        chosen = [(one, part) for one, part in self._split(mass) if not view or one.name == view]
        if len(chosen) == 1 and (rect := self._own_rect(chosen[0][0])) is not None:
            return chosen[0][1], rect
        rows, columns = self._common_grid([one for one, _ in chosen])
        total = np.zeros((*mass.shape[:-1], rows, columns), np.float32)
        for one, part in chosen:
            down = _spread(one.row_edges, self.height, rows).astype(np.float32)
            across = _spread(one.column_edges, self.width, columns).astype(np.float32)
            total += down.T @ (part @ across)
        return total, Rect.of_image(self.width, self.height)

    def _split(self, mass: FloatArray) -> list[tuple[View, FloatArray]]:
        """Return each view with its mass on its grid, 0 where it has no token."""
        parts, start = [], 0
        for view in self.views:
            there = view.columns >= 0
            grid = np.zeros((*mass.shape[:-1], *view.columns.shape), np.float32)
            count = int(there.sum())
            grid[..., there] = mass[..., start : start + count]
            start += count
            parts.append((view, grid))
        return parts

    def _own_rect(self, view: View) -> Rect | None:
        """Return the rectangle of a view with equal tokens, all there and on the image; None for others."""
        top, bottom = float(view.row_edges[0]), float(view.row_edges[-1])
        left, right = float(view.column_edges[0]), float(view.column_edges[-1])
        # A hair of slack: edges come out of divisions.
        hair = 1e-6 * max(self.width, self.height)
        inside = top > -hair and left > -hair and bottom < self.height + hair and right < self.width + hair
        equal = np.ptp(np.diff(view.row_edges)) < hair and np.ptp(np.diff(view.column_edges)) < hair
        if not (inside and equal and (view.columns >= 0).all()):
            return None
        return Rect(left, top, right - left, bottom - top)

    def _common_grid(self, views: list[View]) -> tuple[int, int]:
        row = min(float(np.diff(view.row_edges).min()) for view in views)
        column = min(float(np.diff(view.column_edges).min()) for view in views)
        limit = max(self.width, self.height) / _FINEST
        rows, columns = self.height / max(row, limit), self.width / max(column, limit)
        # As many cells as tokens lie over the image: rounding up keeps every token at least a cell wide.
        return max(1, int(np.ceil(rows - 1e-6))), max(1, int(np.ceil(columns - 1e-6)))


def _spread(edges: DoubleArray, size: int, cells: int) -> DoubleArray:
    """Return the share of each token's extent on the image that falls into each of equal cells, shape (n, cells)."""
    shared = overlaps(edges, size * np.arange(cells + 1) / cells)
    whole = shared.sum(axis=1, keepdims=True)
    parts: DoubleArray = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return parts
