"""What a step of a training reads: which pictures, with which captions, and how they are varied.

Everything that is drawn by lot follows from the seed and the number of the step (and of the picture's place in it),
so that a step reads the same whether or not a training was stopped before it, and however its work is shared out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from gazeapp.engine.models.captioner.data.source import CaptionSource
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.types import ImageArray, IntArray

_STEP, _ROUND, _PICTURE = 1, 2, 3
"""Tell the random numbers of steps from those of rounds and of single pictures."""

_AHEAD = 2
"""Steps that are read before they are needed, where threads read."""


def step_chance(seed: int, step: int) -> np.random.Generator:
    """Return the random numbers of a step."""
    return np.random.default_rng([seed, _STEP, step])


class Order:
    """Hands out picture numbers, each once per round; every round has an order of its own, drawn by its number."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self._rounds: dict[int, IntArray] = {}

    def at(self, step: int, batch: int) -> IntArray:
        """Return the numbers of a step's pictures, ascending, shape (batch,)."""
        places = np.arange(step * batch, (step + 1) * batch)
        chosen = [self._round(int(place) // self._count)[int(place) % self._count] for place in places]
        return np.sort(np.asarray(chosen, np.int64))

    def _round(self, number: int) -> IntArray:
        if number not in self._rounds:
            drawn = np.random.default_rng([self._seed, _ROUND, number]).permutation(self._count)
            self._rounds = {key: order for key, order in self._rounds.items() if key == number - 1}
            self._rounds[number] = drawn
        return self._rounds[number]


class StepReader:
    """Reads the pictures and captions of steps by their number.

    Parameters
    ----------
    source
        Pictures and captions.
    settings
        Settings of the training.
    share
        Which of a step's pictures to read, where processes share them.
    """

    def __init__(self, source: CaptionSource, settings: TrainSettings, share: slice) -> None:
        self._source, self._settings = source, settings
        self._places = range(*share.indices(settings.batch))
        self._order = Order(len(source), settings.seed)

    def from_step(self, first: int) -> Generator[tuple[ImageArray, IntArray], None, None]:
        """Return pictures (n, size, size, 3) and tokens (n, tasks, length) of the steps from ``first`` on.

        With ``settings.workers`` threads, those of the next steps are read while a step is computed.
        """
        steps = range(first, self._settings.steps)
        if not self._settings.workers:
            for step in steps:
                yield _joined([self._read(*each) for each in self._chosen(step)])
            return
        pool = ThreadPoolExecutor(self._settings.workers, "pictures")
        try:
            ahead: deque[list[Future[tuple[ImageArray, IntArray]]]] = deque()
            for step in steps:
                ahead.append([pool.submit(self._read, *each) for each in self._chosen(step)])
                if len(ahead) > _AHEAD:
                    yield _joined([each.result() for each in ahead.popleft()])
            while ahead:
                yield _joined([each.result() for each in ahead.popleft()])
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _chosen(self, step: int) -> list[tuple[int, int, int]]:
        """Return step, place and number of each picture of this share."""
        numbers = self._order.at(step, self._settings.batch)
        return [(step, place, int(numbers[place])) for place in self._places]

    def _read(self, step: int, place: int, number: int) -> tuple[ImageArray, IntArray]:
        """Read one picture; which of its captions is taken follows from the step and its place in it alone."""
        rng = np.random.default_rng([self._settings.seed, _PICTURE, step, place])
        return self._source.batch(np.array([number]), rng)


def _joined(parts: list[tuple[ImageArray, IntArray]]) -> tuple[ImageArray, IntArray]:
    return np.concatenate([picture for picture, _ in parts]), join_tokens([tokens for _, tokens in parts])


def join_tokens(parts: list[IntArray]) -> IntArray:
    """Return captions of several pictures as one array, filled up with ``<pad>`` to one length."""
    length = max(part.shape[2] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, 0), (0, length - part.shape[2]))) for part in parts])


def augment(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Vary contrast, brightness and colour cast a little, by picture."""
    shift, factor = draw_variation(len(pictures), rng)
    return torch.addcmul(shift, pictures, factor)


def draw_variation(count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw what pictures are shifted by, shape (count, 3, 1, 1), and multiplied with, shape (count, 1, 1, 1)."""

    def draw(spread: float, channels: int) -> Tensor:
        return torch.from_numpy(rng.normal(0, spread, (count, channels, 1, 1)).astype(np.float32))

    return draw(0.06, 1) + draw(0.03, 3), 1 + draw(0.06, 1)
