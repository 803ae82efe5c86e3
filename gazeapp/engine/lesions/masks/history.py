"""Steps of painting that can be taken back and done again.

A step keeps what changed and nothing else: per tile of the image the bitwise difference between before and after, as
one byte where it is the same all over the tile, otherwise compressed. Applied to the mask before it gives the mask
after, and the other way round, to the byte.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.lesions.masks.box import Box
from gazeapp.engine.types import MaskArray

TILE = 128
"""Side of a tile, px."""

TILE_BYTES = 200
"""What a tile needs in memory beside its difference, bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a mask.

    Parameters
    ----------
    text
        What was done, such as "rectangle".
    box
        Where; all pixels that changed lie in it.
    tiles
        Per tile that changed: where, and the difference (one byte that holds all over, or compressed bytes).
    change
        Sum of the mask after minus before.
    """

    text: str
    box: Box
    tiles: tuple[tuple[Box, int | bytes], ...]
    change: int

    @property
    def n_bytes(self) -> int:
        """What the step needs in memory, about."""
        return sum(TILE_BYTES + (len(tile) if isinstance(tile, bytes) else 0) for _, tile in self.tiles)

    def apply(self, mask: MaskArray) -> None:
        """Bring a mask from before the step to after it, or from after to before, in place."""
        for box, difference in self.tiles:
            part = mask[box.slices]
            if isinstance(difference, bytes):
                values = np.frombuffer(zlib.decompress(difference), dtype=np.uint8).reshape(part.shape)
                np.bitwise_xor(part, values, out=part)
            else:
                np.bitwise_xor(part, np.uint8(difference), out=part)


def step_between(before: MaskArray, after: MaskArray, box: Box, text: str) -> Step | None:
    """Return what changed in a box as a step; None when nothing did.

    Parameters
    ----------
    before, after
        The box's values, shape (box.height, box.width).
    box
        Where they lie in the mask.
    text
        What was done.
    """
    tiles = []
    change = 0
    touched: Box | None = None
    for y in range(0, box.height, TILE):
        for x in range(0, box.width, TILE):
            old, new = before[y : y + TILE, x : x + TILE], after[y : y + TILE, x : x + TILE]
            difference = np.bitwise_xor(old, new)
            most = int(difference.max())
            if most == 0:
                continue
            rows, columns = difference.shape
            tile = Box(box.x0 + x, box.y0 + y, box.x0 + x + columns, box.y0 + y + rows)
            even = int(difference.min()) == most
            tiles.append((tile, most if even else zlib.compress(difference.tobytes(), 1)))
            change += int(new.sum(dtype=np.uint32)) - int(old.sum(dtype=np.uint32))
            touched = tile.union(touched)
    return None if touched is None else Step(text, touched, tuple(tiles), change)


class History:
    """The steps that can be taken back, and those that were taken back and can be done again.

    Parameters
    ----------
    limit
        Most steps that are kept.
    max_bytes
        Most memory that they may need; the oldest go first, the newest always stays.
    """

    def __init__(self, limit: int, max_bytes: int) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._done: deque[Step] = deque()
        self._undone: list[Step] = []
        self._n_bytes = 0

    @property
    def undo_text(self) -> str:
        """What `undo` would take back; empty when there is nothing."""
        return self._done[-1].text if self._done else ""

    @property
    def redo_text(self) -> str:
        """What `redo` would do again; empty when there is nothing."""
        return self._undone[-1].text if self._undone else ""

    @property
    def n_bytes(self) -> int:
        """Memory that the steps need, about."""
        return self._n_bytes

    def add(self, step: Step) -> None:
        """Keep a step that was just done; what was taken back before cannot be done again."""
        self._n_bytes += step.n_bytes - sum(undone.n_bytes for undone in self._undone)
        self._undone.clear()
        self._done.append(step)
        while len(self._done) > max(self._limit, 1) or (
            self._n_bytes > self._max_bytes and len(self._done) > 1
        ):
            self._n_bytes -= self._done.popleft().n_bytes

    def back(self) -> Step | None:
        """Return the step to take back, now counted as taken back."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def forth(self) -> Step | None:
        """Return the step to do again, now counted as done."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]
