"""From an image and a prompt to the tensors that Molmo 7B-D reads.

Source: preprocessing of allenai/molmo at commit 793fa387, written anew from its rules and compared with its
outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.molmo_7b_d.geometry import CROP, PATCH, PATCHES, SLOTS, Canvas, Geometry
from gazeapp.engine.types import BoolArray, FloatArray, ImageArray, IntArray

if TYPE_CHECKING:
    import torch

IMAGE_START, IMAGE_END, IMAGE_PATCH, IMAGE_COLUMN = "<im_start>", "<im_end>", "<im_patch>", "<im_col>"

_Pixels = TypeVar("_Pixels", FloatArray, BoolArray)

_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


class MolmoProcessor:
    """Makes the model's input from an image and a prompt.

    Parameters
    ----------
    tokenizer
        The checkpoint's tokenizer, from transformers.

    Raises
    ------
    GazeError
        If the tokenizer lacks the tokens of the image.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        # The public tokenizer names no first token; its authors then begin with the one that ends a text.
        first, last = tokenizer.bos_token_id, tokenizer.eos_token_id
        self.start_id: int = last if first is None else first
        names = (IMAGE_START, IMAGE_END, IMAGE_PATCH, IMAGE_COLUMN)
        ids = [_encode(tokenizer, name) for name in names]
        missing = [name for name, found in zip(names, ids, strict=True) if len(found) != 1]
        if missing or last is None:
            raise GazeError(
                f"The model's tokenizer does not know {', '.join(missing) or 'the end of a text'}.",
                todo="Download the model again; tokenizer files may be missing.",
            )
        self._image_ids = dict(zip(names, (found[0] for found in ids), strict=True))

    def __call__(self, image: ImageArray, prompt: str) -> dict[str, torch.Tensor]:
        """Return the model's input, each with a leading dimension of 1.

        Parameters
        ----------
        image
            RGB, uint8, shape (height, width, 3), upright.
        prompt
            What the user asks, as written.

        Returns
        -------
        dict of torch.Tensor
            ``input_ids`` and ``attention_mask`` (1, tokens); ``images`` (1, crops, 576, 588), patches of crops;
            ``image_input_idx`` (1, crops, 144), the token that each slot goes to; ``image_masks`` (1, crops, 576).

        Raises
        ------
        GazeError
            If the image is too narrow, or the prompt holds a token of the image.
        """
        import torch

        geometry = Geometry.of_image(image.shape[1], image.shape[0])
        crops, masks = cut(image, geometry)
        ids = torch.from_numpy(self.ids(geometry, prompt))
        inputs = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "images": torch.from_numpy(crops),
            "image_input_idx": torch.from_numpy(geometry.slot_positions()),
            "image_masks": torch.from_numpy(masks),
        }
        return {name: tensor[None] for name, tensor in inputs.items()}

    def ids(self, geometry: Geometry, prompt: str) -> IntArray:
        """Return the token ids of the image followed by those of the prompt, shape (tokens,)."""
        text = _encode(self.tokenizer, f" User: {prompt} Assistant:")
        known = self._image_ids
        # All tokens from here on belong to the second word table.
        kept = [token for token in text if token >= known[IMAGE_START]]
        if kept:
            raise GazeError(
                f"The prompt holds '{self.tokenizer.convert_ids_to_tokens(kept[0])}', which Molmo keeps for images.",
                todo="Write it differently.",
            )
        image = [self.start_id]
        for rows, columns in ((SLOTS, SLOTS), geometry.detail_grid):
            row = [known[IMAGE_PATCH]] * columns + [known[IMAGE_COLUMN]]
            image += [known[IMAGE_START], *(row * rows), known[IMAGE_END]]
        return np.array(image + text, np.int64)


def cut(image: ImageArray, geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """Cut an image into patches.

    Parameters
    ----------
    image
        RGB, uint8, shape (height, width, 3).
    geometry
        Of an image of this size.

    Returns
    -------
    patches
        Shape (crops, 576, 588), float32: the overview, then the detail crops in reading order; 24 x 24 patches
        row by row; each 14 x 14 px x RGB, normalised as the vision encoder was trained.
    masks
        Shape (crops, 576), float32: share of each patch that shows the image, not a border. As in training,
        these stand one crop ahead: the overview has the mask of the first detail crop, and so on; the last
        crop has -1. The weights were learned with this shift, so mending it would change the model.
    """
    overview, _ = _crops(image, geometry.overview, [(0, 0)])
    detail, shown = _crops(image, geometry.detail, geometry.crop_corners)
    masks = np.concatenate([shown, np.full((1, PATCHES * PATCHES), -1, np.float32)])
    return np.concatenate([overview, detail]), masks


def _crops(
    image: ImageArray, canvas: Canvas, corners: list[tuple[int, int]]
) -> tuple[FloatArray, FloatArray]:
    """Return the patches of windows of a canvas, and the share of each that is not border."""
    down = slice(canvas.top, canvas.top + canvas.scaled_height)
    across = slice(canvas.left, canvas.left + canvas.scaled_width)
    colours = np.zeros((canvas.height, canvas.width, 3), np.float32)
    colours[down, across] = _resized(image, canvas)
    # Borders are black before, not after, the colours are normalised.
    colours = (colours - _MEAN) / _STD
    shown: BoolArray = np.zeros((canvas.height, canvas.width, 1), np.bool_)
    shown[down, across] = True
    windows = [(slice(top, top + CROP), slice(left, left + CROP)) for top, left in corners]
    patches = np.stack([_patches(colours[window]) for window in windows])
    shares = np.stack([_patches(shown[window]).mean(axis=1, dtype=np.float32) for window in windows])
    return patches, shares


def _resized(image: ImageArray, canvas: Canvas) -> FloatArray:
    """Scale an image for a canvas, bilinear with antialiasing, colours 0 to 1."""
    import torch

    pixels = torch.tensor(image).permute(2, 0, 1)[None].float() / 255
    scaled = torch.nn.functional.interpolate(
        pixels, size=(canvas.scaled_height, canvas.scaled_width), mode="bilinear", antialias=True
    )
    return scaled[0].permute(1, 2, 0).clamp(0, 1).numpy()


def _patches(window: _Pixels) -> _Pixels:
    """Return a window of 336 x 336 px as 576 rows, each a patch in (y, x, colour) order."""
    parts = window.reshape(PATCHES, PATCH, PATCHES, PATCH, -1).transpose(0, 2, 1, 3, 4)
    return parts.reshape(PATCHES * PATCHES, -1)


def _encode(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False))
