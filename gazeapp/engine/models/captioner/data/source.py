"""A data source is anything that gives batches of pictures and captions by number."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gazeapp.engine.types import ImageArray, IntArray


class CaptionSource(Protocol):
    """Pictures with captions under one or more tasks."""

    def __len__(self) -> int:
        """Return the number of pictures."""

    def batch(self, chosen: IntArray, rng: np.random.Generator) -> tuple[ImageArray, IntArray]:
        """Return pictures and one caption of each under every task; several threads may ask at once.

        Parameters
        ----------
        chosen
            Numbers of pictures, shape (n,).
        rng
            Chooses among several captions that a picture has under a task.

        Returns
        -------
        pictures
            RGB, uint8, shape (n, size, size, 3).
        tokens
            Shape (n, tasks, length): first token, words, ``<end>``, then ``<pad>``; nothing but ``<pad>`` where a
            picture has no caption under a task.
        """
