"""What a lesion is: where, how it is taken away, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import FloatArray

SCOPES = {
    "keys": "No word and no other part of the image attends there: the attention keys are masked in every row.",
    "text": "Nothing after the image attends there, neither the prompt nor the words; the image's own parts still do.",
    "readout": "The words do not attend there; what the prompt and the rest of the image took from there stays.",
    "zero": "The image's embeddings there are taken towards zero before the language model reads them.",
    "mean": "The image's embeddings there are taken towards the mean of all of the image's embeddings.",
    "pixels": "The picture itself is taken towards its mean colour there, before the vision encoder sees it.",
    "blur": "The picture itself is blurred there, before the vision encoder sees it.",
    "keys_and_start": "No word attends there, nor does the state that an LSTM decoder starts from know of it.",
}
"""What each scope takes away, as sentences."""

MASKING_SCOPES = ("keys", "text", "readout", "keys_and_start")
"""Scopes that mask attention keys; `zero` and `mean` change embeddings, `PICTURE_SCOPES` the picture."""

PICTURE_SCOPES = ("pixels", "blur")
"""Scopes that change the picture before any model sees it."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """A part of an image that a model is to do without.

    Parameters
    ----------
    mask
        How much of each pixel is taken away, shape (height, width) of the image, 0 to 1.
    scope
        One of `SCOPES`.
    strength
        Share that is taken away where the mask is 1: 0 changes nothing, 1 takes everything. Attention to a token is
        multiplied by ``1 - strength * mask`` before it is normalised anew.
    """

    mask: FloatArray
    scope: str = "keys"
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise GazeError(f"There is no lesion scope '{self.scope}'.", todo=f"Use {', '.join(SCOPES)}.")
        if not 0.0 <= self.strength <= 1.0:
            raise GazeError(f"A lesion's strength lies between 0 and 1, not at {self.strength}.")
        if self.mask.ndim != 2 or not np.isfinite(self.mask).all():
            raise GazeError("A lesion's mask has rows and columns of finite numbers.")
        if self.mask.size and not (self.mask.min() >= 0.0 and self.mask.max() <= 1.0):
            raise GazeError("A lesion's mask holds numbers from 0 to 1.")

    @property
    def is_empty(self) -> bool:
        """Whether it takes nothing away."""
        return self.strength == 0.0 or not bool(self.mask.any())
