"""What a captioner's encoder makes of pictures, remembered for as long as they are likely to be asked for again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from torch import Tensor

from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.lesions.pixels import changed_pixels
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.types import ImageArray

_KEPT = 32
"""Pictures whose features are kept: those of one image under the lesions that change the picture, and some more."""

Key: TypeAlias = bytes
"""SHA-256 of a picture of the encoder's size."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A picture of the encoder's size, and what tells it from others."""

    key: Key
    picture: ImageArray


class Seeing:
    """The eyes of a captioner: pictures are brought to the encoder's size, and each is encoded once.

    Parameters
    ----------
    network
        The captioner, on its device.
    """

    def __init__(self, network: Captioner) -> None:
        self._network = network
        self._kept: dict[Key, Tensor] = {}
        self._last: _Last | None = None

    def fit(self, image: ImageArray) -> ImageArray:
        """Bring an image to the encoder's size."""
        config = self._network.config
        return fit_picture(image, config.input_size, config.resample)

    def look(self, image: ImageArray, lesion: Lesion | None = None) -> Seen:
        """Bring an image to the encoder's size, changed by a lesion of the picture if there is one.

        The image and lesion of the call before are known again, the image by its bytes: comparing them is quicker
        than changing and shrinking it anew.
        """
        if self._last is None or not self._last.shows(image, lesion):
            picture = self.fit(image if lesion is None else changed_pixels(image, lesion))
            self._last = _Last(image, lesion, self.recognise(picture))
        return self._last.seen

    def recognise(self, picture: ImageArray) -> Seen:
        """Return what is seen of a picture that has the encoder's size."""
        return Seen(_key(picture), picture)

    def features(self, pictures: Mapping[Key, ImageArray]) -> dict[Key, Tensor]:
        """Return the grid features of pictures, each of shape (1, cells, width); new ones are encoded together.

        Those of the last few pictures are kept, because lesions that change the picture take turns with the picture
        itself, and tasks with one another.
        """
        found = {key: self._kept.pop(key) for key in pictures if key in self._kept}
        new = [key for key in pictures if key not in found]
        if new:
            network = self._network
            device = next(network.parameters()).device
            shown = network.normalise(np.stack([pictures[key] for key in new])).to(device)
            # A part of a batch would keep all of it.
            found |= dict(zip(new, (one.clone() for one in network.encoder(shown).split(1)), strict=True))
        self._kept |= found
        for key in list(self._kept)[:-_KEPT]:
            del self._kept[key]
        return found


class _Last:
    """The image and lesion of the call before, and what was seen.

    Pictures that were read from files cannot be changed, so that one is known again by itself; of others a copy is
    kept.
    """

    def __init__(self, image: ImageArray, lesion: Lesion | None, seen: Seen) -> None:
        self._shape, self._lesion, self.seen = image.shape, lesion, seen
        owner: object = image.base
        self._image = image if isinstance(owner, bytes) else None
        self._pixels = bytearray(b"" if self._image is image else _bytes_of(image))

    def shows(self, image: ImageArray, lesion: Lesion | None) -> bool:
        """Return whether it is of exactly these pixels under this lesion."""
        if self._image is not None:
            return self._image is image and self._lesion is lesion
        return self._lesion is lesion and self._shape == image.shape and self._pixels == _bytes_of(image)


def _bytes_of(image: ImageArray) -> memoryview:
    return np.ascontiguousarray(image).data


def _key(picture: ImageArray) -> Key:
    return hashlib.sha256(_bytes_of(picture)).digest()
