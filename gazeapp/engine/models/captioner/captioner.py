"""A captioner as gazeapp's other rooms know it: images and tasks in, words with maps out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import PICTURE_SCOPES, Lesion
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.models.batches import Answer, Fitted, Request
from gazeapp.engine.models.captioner.along import Along, along_caption
from gazeapp.engine.models.captioner.cell_parts import attended_parts, even_maps
from gazeapp.engine.models.captioner.config import CaptionerConfig, read_config
from gazeapp.engine.models.captioner.decoding import Said
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.lesion import FEATURE_SCOPES, Taken, cell_share, changed_features
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.methods import GATED, pick_attention
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.seeing import Seeing, Seen
from gazeapp.engine.models.environment import is_small, threads_for
from gazeapp.engine.models.lesioning import check_scope
from gazeapp.engine.models.memory import in_halves
from gazeapp.engine.types import FloatArray, ImageArray, Json, Rect

_MARKED = dict.fromkeys(
    (*range(32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)
"""Characters that would govern how what follows is shown; in a word from elsewhere a mark takes their place."""


class _Way(NamedTuple):
    """How sequences are decoded; those of one way are decoded together. ``scope`` is that of a lesion of cells."""

    scope: str
    is_forced: bool
    beams: int
    length_normalised: bool


class _Row(NamedTuple):
    """A sequence to decode: the picture that it is about, its first token, and the tokens that it is made to say."""

    picture: bytes
    first: int
    forced: tuple[int, ...]
    lesion: Lesion | None
    way: _Way


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A request that can be met, and what is to be seen and said for it; ``width`` and ``height`` are the image's."""

    seen: Seen
    row: _Row
    share: FloatArray | None
    width: int
    height: int
    task: str
    method: str
    given: str
    along: Along | None


class CaptionerModel:
    """A loaded captioner; implements `gazeapp.engine.models.batches.BatchModel`.

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
        self._seeing = Seeing(network)
        self._parts = attended_parts(network.config)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> CaptionerModel:
        """Load the captioner in ``folder``."""
        return cls(load_captioner(folder, device), captioner_info(folder, read_config(folder)))

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self._info

    @property
    def batch(self) -> int:
        """Images that are best described at once, on the model's device.

        On a processor a few of a large model take seconds and gain little from more company; a small model's time
        goes into calls, and so does that of a graphics card.
        """
        if next(self.network.parameters()).device.type != "cpu":
            return 32
        return 16 if is_small(self._n_parameters) else 4

    def fit(self, image: ImageArray) -> Fitted:
        """Bring an image, RGB, shape (height, width, 3), uint8, to the encoder's size."""
        return Fitted(self._seeing.fit(image), image.shape[1], image.shape[0])

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
            The lesion, decoding, and words to say; captioners read no prompt and draw no words.

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
        MemoryError
            When the device or the computer ran out of memory; what was taken is given back.
        """
        (answer,) = self.describe_many([Request(image, task, method, options)])
        if isinstance(answer, Caption):
            return answer
        raise answer

    def describe_many(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer several requests: each picture is encoded once for all of them, and all are decoded together.

        An answer has the words and, but for the last digits of floats, the numbers that `describe` gives: sums over
        many rows are taken in another order than sums over one. Where memory does not suffice, fewer requests at a
        time are answered.

        Parameters
        ----------
        requests
            What is asked for. An image may be of any size, or fitted; a lesion of the picture needs the image itself.

        Returns
        -------
        list
            For each request a caption, or the error that `describe` would raise.
        """
        with threads_for(self._n_parameters), torch.inference_mode():
            return in_halves(requests, self._at_once) if requests else []

    def _at_once(self, requests: Sequence[Request]) -> list[Answer]:
        asked = [self._asked(request) for request in requests]
        possible = [one for one in asked if isinstance(one, _Asked)]
        features = self._seeing.features({one.seen.key: one.seen.picture for one in possible})
        said = self._say({one.row: one.share for one in possible}, features)
        return [self._answer(one, *said[one.row]) if isinstance(one, _Asked) else one for one in asked]

    def _asked(self, request: Request) -> _Asked | GazeError:
        """Return what is to be seen and said for a request, or why it cannot be met."""
        config, options, image = self.network.config, request.options, request.image
        task, method = self._info.task_for(request.task), request.method or self._info.default_method
        height, width = (image.height, image.width) if isinstance(image, Fitted) else image.shape[:2]
        lesion = None if options.lesion is None or options.lesion.is_empty else options.lesion
        of_picture = lesion if lesion is not None and lesion.scope in PICTURE_SCOPES else None
        along = None
        try:
            if options.given:
                along = along_caption(options.given, config)
            forced = options.forced if along is None else along.tokens
            _check_forced(forced, config)
            if options.lesion is not None:
                self._check(options.lesion, height, width)
            if isinstance(image, Fitted):
                if of_picture is not None:
                    raise ValueError("a lesion of the picture needs the image itself")
                seen = self._seeing.recognise(image.picture)
            else:
                seen = self._seeing.look(image, of_picture)
            of_cells = None if of_picture is not None else lesion
            share = None
            if of_cells is not None:
                share = cell_share(of_cells, config.grid, self._parts)
        except GazeError as error:
            return error
        decoding = options.decoding
        scope = "" if of_cells is None else of_cells.scope
        way = _Way(scope, bool(forced), decoding.beams, decoding.length_normalised)
        row = _Row(seen.key, config.first(task), forced, of_cells, way)
        return _Asked(seen, row, share, width, height, task, method, options.given, along)

    def _check(self, lesion: Lesion, height: int, width: int) -> None:
        check_scope(self._info, lesion.scope)
        if lesion.mask.shape != (height, width):
            raise GazeError(
                f"The lesion's mask is {lesion.mask.shape[1]} x {lesion.mask.shape[0]} px, the image "
                f"{width} x {height} px."
            )

    def _say(
        self, rows: dict[_Row, FloatArray | None], features: dict[bytes, Tensor]
    ) -> dict[_Row, tuple[Said, int]]:
        """Decode all rows, from which lesions take shares of cells; return for each what was said, and its place there.

        Those of one way are decoded together.
        """
        together: dict[_Way, list[_Row]] = {}
        for row in rows:
            together.setdefault(row.way, []).append(row)
        found: dict[_Row, tuple[Said, int]] = {}
        for way, own in together.items():
            shares = [share for row in own if (share := rows[row]) is not None]
            grids, taken = _taken(torch.cat([features[row.picture] for row in own]), shares, way.scope)
            said = self.network.say(
                grids,
                torch.tensor([row.first for row in own], device=grids.device),
                taken,
                [row.forced for row in own] if way.is_forced else (),
                way.beams,
                way.length_normalised,
            )
            found |= {row: (said, i) for i, row in enumerate(own)}
        return found

    def _answer(self, asked: _Asked, said: Said, i: int) -> Caption | GazeError:
        """Return what was said for a request as a caption."""
        config = self.network.config
        try:
            attention = pick_attention(said.attention[i], asked.method)
        except GazeError as error:
            return error
        along = asked.along
        texts = [config.vocabulary[token] for token in said.tokens[i]] if along is None else along.words
        facts: Json = {"tokens": said.tokens[i]}
        if along is not None:
            facts |= {"given": True, "unknown_words": list(along.unknown)}
        words = tuple(
            Word(text.translate(_MARKED), score, text in self._content)
            for text, score in zip(texts, said.log_probabilities[i], strict=True)
        )
        gates = said.gates[i] if asked.method == GATED and said.gates is not None else None
        maps = attention.reshape(len(words), *config.grid)
        return Caption(
            words,
            maps if self._parts is None else even_maps(maps, self._parts),
            np.ones(len(words), np.float32) if gates is None else gates,
            Rect.of_image(asked.width, asked.height),
            asked.task,
            asked.method,
            said=asked.given,
            weights=gates,
            facts=facts,
        )


def _taken(features: Tensor, shares: list[FloatArray], scope: str) -> tuple[Tensor, Taken | None]:
    """Return the features that the decoder reads under lesions of cells, and what else it is to do without."""
    if not scope:
        return features, None
    share = torch.from_numpy(np.stack(shares)).to(features.device)
    if scope in FEATURE_SCOPES:
        return changed_features(features, share, scope), None
    return features, Taken(share, start=scope == "keys_and_start")


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
