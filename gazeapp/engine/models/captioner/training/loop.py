"""Training a captioner: one code path for every encoder and decoder, seeded, counted in steps."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gazeapp.engine.demo.scenes import TASKS
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.card import write_card
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.data.demo_world import DEMO_CONTENT, DEMO_VOCABULARY, DemoWorld
from gazeapp.engine.models.captioner.data.source import CaptionSource
from gazeapp.engine.models.captioner.demo_figures import evaluate
from gazeapp.engine.models.captioner.io import save_captioner, through_storage
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.types import IntArray

_STEP, _ROUND = 1, 2
"""Tell the random numbers of steps from those of rounds."""


class Progress(Protocol):
    """How a training tells how far it is, and learns that it should stop."""

    def report(self, done: int, total: int, message: str) -> None:
        """Say that ``done`` of ``total`` steps are finished."""

    @property
    def cancelled(self) -> bool:
        """Whether the training should stop after the step in hand."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained captioner, the loss of every step, and how long it took, s."""

    model: Captioner
    losses: tuple[float, ...]
    seconds: float

    @property
    def last_loss(self) -> float:
        """Mean loss of the last 100 steps."""
        return float(np.mean(self.losses[-100:]))


def captioner_id(encoder: str, decoder: str) -> str:
    """Return the identifier of a captioner, such as ``cnn-lstm``."""
    return f"{encoder}-{decoder}".lower()


def captioner_name(encoder: str, decoder: str) -> str:
    """Return the shown name of a captioner, such as ``CNN-LSTM``."""
    shown = {"cnn": "CNN", "vit": "ViT", "lstm": "LSTM", "transformer": "Transformer"}
    return f"{shown.get(encoder, encoder)}-{shown[decoder]}"


def demo_config(settings: TrainSettings) -> CaptionerConfig:
    """Return the description of a captioner for the demo world."""
    return CaptionerConfig(
        id=captioner_id(settings.encoder, settings.decoder),
        name=captioner_name(settings.encoder, settings.decoder),
        encoder=settings.encoder,
        decoder=settings.decoder,
        vocabulary=DEMO_VOCABULARY,
        content_words=DEMO_CONTENT,
        tasks=TASKS,
        domain="demo-world",
        training=settings.to_json(),
    )


def fit(config: CaptionerConfig, data: CaptionSource, settings: TrainSettings, progress: Progress) -> Trained:
    """Train a captioner on ``data``.

    The loss is the cross-entropy of every word of every task's caption; nothing tells the model
    where to look. Weights, order, augmentation and what is left out at random follow from ``settings.seed``
    and the number of the step, so that a step gives the same whether or not a training was stopped before it.

    Raises
    ------
    GazeError
        When ``progress`` says that it was cancelled.
    """
    torch.manual_seed(settings.seed)
    model = Captioner(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = _optimiser(model, settings)
    losses: list[float] = []
    started = time.perf_counter()
    order = _Order(len(data), settings.seed)
    model.train()
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * _schedule(step, settings)
        rng = np.random.default_rng([settings.seed, _STEP, step])
        torch.manual_seed(int(rng.integers(2**62)))
        pictures, tokens = data.batch(order.at(step, settings.batch), rng)
        loss = _loss(model, augment(model.normalise(pictures), rng), torch.from_numpy(tokens))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        progress.report(step + 1, settings.steps, f"loss {np.mean(losses[-100:]):.3f}")
        if progress.cancelled:
            raise GazeError("Training was cancelled.", todo="Start it again to train from the beginning.")
    model.eval()
    return Trained(model, tuple(losses), time.perf_counter() - started)


def augment(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Vary contrast, brightness and colour cast a little, by picture."""
    count = len(pictures)

    def draw(spread: float, channels: int) -> Tensor:
        return torch.from_numpy(rng.normal(0, spread, (count, channels, 1, 1)).astype(np.float32))

    return torch.addcmul(draw(0.06, 1) + draw(0.03, 3), pictures, 1 + draw(0.06, 1))


def train(settings: TrainSettings, progress: Progress) -> CaptionerConfig:
    """Train a captioner, measure it on held-out scenes, and write it with its card to ``settings.out``.

    Returns
    -------
    CaptionerConfig
        The description as written, figures included.

    Raises
    ------
    GazeError
        When the data source is unknown, no folder is named, or the training is cancelled.
    """
    if settings.data != "demo-world":
        raise GazeError(
            f"There is no training data called '{settings.data}'.",
            todo="Train on demo-world; it is drawn as needed.",
        )
    if not settings.out:
        raise GazeError("The training has nowhere to write to.", todo="Name a folder for the captioner.")
    config = demo_config(settings)
    done = fit(config, DemoWorld("train", settings.n_scenes, config.input_size), settings, progress)
    return finish(done, config, settings)


def finish(done: Trained, config: CaptionerConfig, settings: TrainSettings) -> CaptionerConfig:
    """Measure a trained captioner as it will be stored, and write weights, description and card."""
    folder = Path(settings.out)
    training = {**config.training, "seconds": round(done.seconds), "last_loss": round(done.last_loss, 4)}
    method, figures = evaluate(through_storage(done.model), settings.n_validation, settings.n_test)
    described = replace(config, default_method=method, training=training, figures=figures)
    written = save_captioner(folder, done.model, described)
    write_card(folder, written)
    return written


def _loss(model: Captioner, pictures: Tensor, tokens: Tensor) -> Tensor:
    tasks = tokens.shape[1]
    flat = tokens.flatten(0, 1)
    flat = flat[:, : int((flat > 0).sum(dim=1).max())]
    told = model(pictures, flat[:, :-1], tasks)
    return functional.cross_entropy(told.logits.flatten(0, 1), flat[:, 1:].flatten(), ignore_index=0)


def _optimiser(model: Captioner, settings: TrainSettings) -> torch.optim.Optimizer:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98))


def _schedule(step: int, settings: TrainSettings) -> float:
    rise = min(1.0, (step + 1) / settings.warmup)
    return rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / settings.steps)))


class _Order:
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
