"""Trainings that take a second: pictures of 32 px, a grid of 4 x 4, 16 features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.types import ImageArray, IntArray

VOCABULARY = ("<pad>", "<end>", "<unk>", "<general>", "<social>", "a", "dog", "cat", "man", "runs", "sits")
TASKS = ("general", "social")
TINY = TrainSettings(
    encoder="vit", decoder="lstm", steps=6, batch=4, warmup=2, input_size=32, grid=(4, 4), width=16, state=8,
    attention=8, layers=1, heads=2, max_words=12, min_count=1, n_scenes=9, n_validation=6, n_test=3,
    checkpoint_every=100,
)  # fmt: skip


def tiny(**changes: Any) -> TrainSettings:
    return replace(TINY, **changes)


def tiny_config(settings: TrainSettings = TINY) -> CaptionerConfig:
    shape = ("encoder", "decoder", "input_size", "grid", "width", "state", "attention", "layers", "heads")
    return CaptionerConfig(
        id="tiny",
        name="Tiny",
        vocabulary=VOCABULARY,
        content_words=VOCABULARY[6:],
        tasks=TASKS,
        dropout=settings.dropout,
        max_words=settings.max_words,
        **{key: getattr(settings, key) for key in shape},
    )


class Pictures:
    """Pictures of noise with captions of unequal length; the last picture has no social caption."""

    def __init__(self, count: int = 8) -> None:
        rng = np.random.default_rng(1)
        self.pictures = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        self.tokens = np.zeros((count, 2, 9), np.int64)
        for i in range(count):
            for task in range(2):
                if not (i == count - 1 and task == 1):
                    words = rng.integers(5, len(VOCABULARY), int(rng.integers(1, 7)))
                    self.tokens[i, task, : len(words) + 2] = [3 + task, *words, 1]

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, chosen: IntArray, rng: np.random.Generator) -> tuple[ImageArray, IntArray]:
        return self.pictures[chosen], self.tokens[chosen]


class Quiet:
    """Progress that nobody watches; it asks to stop after some steps."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.done, self.stop_after = 0, stop_after

    def report(self, done: int, total: int, message: str) -> None:
        self.done = done

    @property
    def cancelled(self) -> bool:
        return self.done >= self.stop_after


def history(folder: Path) -> list[str]:
    return (folder / "training" / "history.jsonl").read_text("utf-8").splitlines()
