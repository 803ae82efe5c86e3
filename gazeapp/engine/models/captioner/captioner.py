"""A captioner as gazeapp's other rooms know it: an image and a task in, words with maps out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import PICTURE_SCOPES, Lesion
from gazeapp.engine.lesions.pixels import changed_pixels
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.models.captioner.config import CaptionerConfig, read_config
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.lesion import FEATURE_SCOPES, Taken, cell_share, changed_features
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.methods import pick_attention
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.models.environment import threads_for
from gazeapp.engine.models.lesioning import check_scope
from gazeapp.engine.types import ImageArray, Rect

_KEPT = 32
"""Pictures whose features are kept: those of one image under the lesions that change the picture, and some more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Encoded:
    """The features of an image under a lesion of the picture, or of none."""

    lesion: Lesion | None
    shape: tuple[int, ...]
    pixels: bytearray
    features: Tensor

    def shows(self, image: ImageArray) -> bool:
        """Return whether it is of exactly these pixels."""
        return self.shape == image.shape and self.pixels == _bytes_of(image)


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
        self._kept: dict[bytes, Tensor] = {}
        self._last: _Encoded | None = None

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
            The lesion, and words to say; captioners read no prompt and always take the most probable word.

        Returns
        -------
        Caption
            Words with their log-probabilities, and for each a map over the whole image; ``facts["tokens"]`` are
            the words' token ids.

        Raises
        ------
        GazeError
            When ``method`` is none of this model's, it lacks the lesion's scope, the lesion's mask has another size
            than the image or takes the whole image away, or it cannot say the forced words.
        """
        config = self.network.config
        trained, method = self._info.task_for(task), method or self._info.default_method
        _check_forced(options.forced, config)
        with threads_for(self._n_parameters), torch.inference_mode():
            features, taken = self._seen(image, options.lesion)
            first = torch.tensor([config.first(trained)], device=features.device)
            said = self.network.say(features, first, taken, [options.forced] if options.forced else ())
        texts = [config.vocabulary[token] for token in said.tokens[0]]
        words = tuple(
            Word(text, score, text in self._content)
            for text, score in zip(texts, said.log_probabilities[0], strict=True)
        )
        maps = pick_attention(said.attention[0], method).reshape(len(words), *config.grid)
        height, width = image.shape[:2]
        return Caption(
            words,
            maps,
            np.ones(len(words), np.float32),
            Rect.of_image(width, height),
            trained,
            method,
            facts={"tokens": said.tokens[0]},
        )

    def _seen(self, image: ImageArray, lesion: Lesion | None) -> tuple[Tensor, Taken | None]:
        """Return the features that the decoder reads under a lesion, and what else it is to do without."""
        if lesion is not None:
            self._check(lesion, image)
        if lesion is None or lesion.is_empty:
            return self._features(image), None
        if lesion.scope in PICTURE_SCOPES:
            return self._features(image, lesion), None
        features = self._features(image)
        share = torch.from_numpy(cell_share(lesion, self.network.config.grid)).to(features.device)
        if lesion.scope in FEATURE_SCOPES:
            return changed_features(features, share, lesion.scope), None
        return features, Taken(share, start=lesion.scope == "keys_and_start")

    def _check(self, lesion: Lesion, image: ImageArray) -> None:
        check_scope(self._info, lesion.scope)
        if lesion.mask.shape != image.shape[:2]:
            raise GazeError(
                f"The lesion's mask is {lesion.mask.shape[1]} x {lesion.mask.shape[0]} px, the image "
                f"{image.shape[1]} x {image.shape[0]} px."
            )

    def _features(self, image: ImageArray, lesion: Lesion | None = None) -> Tensor:
        """Encode an image, changed by a lesion of the picture if there is one.

        The image and lesion of the call before are known again, the image by its bytes: comparing them is quicker
        than changing and shrinking it anew. The features of the last few pictures are kept, because lesions that
        change the picture take turns with the picture itself.
        """
        before = self._last
        if before is not None and before.lesion is lesion and before.shows(image):
            return before.features
        shown = image if lesion is None else changed_pixels(image, lesion)
        config = self.network.config
        picture = fit_picture(shown, config.input_size, config.resample)
        key = hashlib.sha256(picture.tobytes()).digest()
        features = self._kept.pop(key, None)
        if features is None:
            device = next(self.network.parameters()).device
            features = self.network.encoder(self.network.normalise(picture[None]).to(device))
        self._kept[key] = features
        if len(self._kept) > _KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._last = _Encoded(lesion, image.shape, bytearray(_bytes_of(image)), features)
        return features


def _check_forced(tokens: tuple[int, ...], config: CaptionerConfig) -> None:
    """Raise `GazeError` unless a captioner can be made to say ``tokens``."""
    if len(tokens) > config.max_words:
        raise GazeError(
            f"{config.name} says up to {config.max_words} words, so it cannot be made to say {len(tokens)}."
        )
    if not all(0 <= token < len(config.vocabulary) and token != config.end for token in tokens):
        raise GazeError(
            f"{config.name} cannot be made to say words that are not in its vocabulary, nor the end of a caption.",
            todo="Give it the token ids of a caption of its own.",
        )


def _bytes_of(image: ImageArray) -> memoryview:
    return np.ascontiguousarray(image).data
