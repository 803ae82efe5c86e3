"""Figures of a captioner on held-out pictures: how like people's captions its own are, and how probable those are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import UNKNOWN, CaptionerConfig
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.caption_scores import bleu4, cider_d
from gazeapp.engine.models.captioner.training.loss import word_loss
from gazeapp.engine.models.captioner.training.material import HeldOut
from gazeapp.engine.types import ImageArray, Json

_BATCH = 32


def caption_figures(model: Captioner, held_out: HeldOut, workers: int = 0) -> Json:
    """Let a captioner describe held-out pictures and compare its captions with people's.

    Parameters
    ----------
    model
        The captioner, in the mode for use.
    held_out
        Pictures with captions.
    workers
        Threads that read pictures.

    Returns
    -------
    Json
        ``cider`` (CIDEr-D, 0 to 10) and ``bleu4`` (0 to 1) of greedy captions, and ``validation_loss`` (mean
        cross-entropy of the words of each picture's first caption, nats): means over tasks. ``tasks`` has them by
        task with ``n``, the number of pictures.

    Raises
    ------
    GazeError
        When no picture can be read, or none has a caption.
    """
    heard: dict[str, _Heard] = {task: _Heard() for task in model.config.tasks}
    for numbers, pictures in _batches(held_out, workers):
        _listen(model, held_out, numbers, pictures, heard)
    by_task = {task: each.figures() for task, each in heard.items() if each.said}
    if not by_task:
        raise GazeError(
            "No held-out picture can be read, or none has a caption.",
            todo="Check that the pictures are where they were.",
        )
    names = ("cider", "bleu4", "validation_loss")
    means = {name: float(np.mean([figures[name] for figures in by_task.values()])) for name in names}
    return {**means, "tasks": by_task}


class _Heard:
    """What was said of pictures under one task, beside what people said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []
        self.references: list[Sequence[tuple[str, ...]]] = []
        self.loss, self.n_words = 0.0, 0

    def figures(self) -> Json:
        """Return the figures of one task."""
        return {
            "cider": cider_d(self.said, self.references),
            "bleu4": bleu4(self.said, self.references),
            "validation_loss": self.loss / self.n_words,
            "n": len(self.said),
        }


@torch.no_grad()
def _listen(
    model: Captioner, held_out: HeldOut, numbers: list[int], pictures: ImageArray, heard: dict[str, _Heard]
) -> None:
    config = model.config
    device = next(model.parameters()).device
    features = model.encoder(model.normalise(pictures).to(device))
    for task, found in heard.items():
        told = [(i, held_out.references(number, task)) for i, number in enumerate(numbers)]
        rows = [i for i, references in told if references]
        if not rows:
            continue
        own = features[rows]
        first = torch.full((len(rows),), config.first(task), device=device)
        found.said += [spoken(config, tokens) for tokens in model.say(own, first).tokens]
        found.references += [references for _, references in told if references]
        tokens = _padded([held_out.tokens(numbers[i], task) for i in rows]).to(device)
        n_words = int((tokens[:, 1:] > 0).sum())
        found.loss += float(word_loss(model.decoder(own, tokens[:, :-1]), tokens[:, 1:])) * n_words
        found.n_words += n_words


def spoken(config: CaptionerConfig, tokens: Sequence[int]) -> tuple[str, ...]:
    """Return the words of a caption: its tokens without those that are no words; ``<unk>`` counts as one."""
    words = (config.vocabulary[token] for token in tokens)
    return tuple(word for word in words if word == UNKNOWN or not word.startswith("<"))


def _batches(held_out: HeldOut, workers: int) -> Iterator[tuple[list[int], ImageArray]]:
    """Return numbers and pixels of the pictures that can be read, some at a time."""
    with ThreadPoolExecutor(max(workers, 1), "pictures") as pool:
        for start in range(0, len(held_out), _BATCH):
            part = range(start, min(start + _BATCH, len(held_out)))
            read = zip(part, pool.map(held_out.picture, part), strict=True)
            found = [(number, picture) for number, picture in read if picture is not None]
            if found:
                yield [number for number, _ in found], np.stack([picture for _, picture in found])


def _padded(captions: list[list[int]]) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(each) for each in captions], batch_first=True)
