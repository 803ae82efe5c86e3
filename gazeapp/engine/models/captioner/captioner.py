"""A captioner as gazeapp's other rooms know it: an image and a task in, words with maps out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.models.captioner.config import read_config, task_token
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.methods import pick_attention
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.environment import threads_for
from gazeapp.engine.types import ImageArray, Rect


class CaptionerModel:
    """A loaded captioner; implements `gazeapp.engine.models.base.Model`.

    Parameters
    ----------
    network
        The network, on its device.
    info
        Facts about it.
    """

    def __init__(self, network: Captioner, info: ModelInfo) -> None:
        self.network = network
        self._info = info
        self._content = frozenset(network.config.content_words)
        self._n_parameters = sum(weights.numel() for weights in network.parameters())
        self._last: tuple[bytes, Tensor] | None = None

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> CaptionerModel:
        """Load the captioner in ``folder``."""
        return cls(load_captioner(folder, device), captioner_info(folder, read_config(folder)))

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self._info

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        """Describe an image of any size; it is stretched to the encoder's input.

        Parameters
        ----------
        image
            RGB, shape (height, width, 3), uint8.
        task
            A trained task; any other is given the model's first task.
        method
            Map method; empty means the model's default.
        options
            Captioners read no prompt and always take the most probable word; no lesion is known to them yet.

        Returns
        -------
        Caption
            Words with their log-probabilities, and for each a map over the whole image.

        Raises
        ------
        GazeError
            When ``method`` is none of this model's, or a lesion is asked for.
        """
        if options.lesion is not None and not options.lesion.is_empty:
            raise GazeError(f"{self._info.name} cannot do without a part of the image yet.")
        config = self.network.config
        trained, method = self._info.task_for(task), method or self._info.default_method
        with threads_for(self._n_parameters):
            features = self._features(fit_picture(image, config.input_size))
            first = torch.tensor([config.vocabulary.index(task_token(trained))], device=features.device)
            said = self.network.say(features, first)
        texts = [config.vocabulary[token] for token in said.tokens[0]]
        words = tuple(
            Word(text, score, text in self._content)
            for text, score in zip(texts, said.log_probabilities[0], strict=True)
        )
        maps = pick_attention(said.attention[0], method).reshape(len(words), *config.grid)
        height, width = image.shape[:2]
        return Caption(
            words, maps, np.ones(len(words), np.float32), Rect.of_image(width, height), trained, method
        )

    @torch.no_grad()
    def _features(self, picture: ImageArray) -> Tensor:
        """Encode a picture; the last one is kept, as images are mostly described task after task."""
        key = hashlib.sha256(picture.tobytes()).digest()
        if self._last is None or self._last[0] != key:
            device = next(self.network.parameters()).device
            self._last = (key, self.network.encoder(self.network.normalise(picture[None]).to(device)))
        return self._last[1]


def fit_picture(image: ImageArray, size: int) -> ImageArray:
    """Stretch an RGB image to ``size`` x ``size`` px by averaging areas, as training pictures are made."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"an image is RGB uint8, not {image.dtype} of shape {image.shape}")
    if image.shape[:2] == (size, size):
        return image
    fitted = Image.fromarray(image).resize((size, size), Image.Resampling.BOX)
    return np.asarray(fitted, dtype=np.uint8)
