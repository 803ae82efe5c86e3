"""Pictures and captions of the demo world, drawn when they are asked for."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.scenes import (
    CATEGORIES,
    COLOURS,
    PLACES,
    SEXES,
    TASKS,
    Split,
    captions,
    make_scene,
    scene_seeds,
)
from gazeapp.engine.models.captioner.config import END, PAD, task_token
from gazeapp.engine.types import ImageArray, IntArray

_VERBS = ("looks", "points", "holds", "face")
_GRAMMAR = ("a", "an", "the", "with", "and", "in", "at", "to", "each", "other")
DEMO_CONTENT = (*PLACES, *COLOURS, *CATEGORIES, *SEXES, *_VERBS)
DEMO_VOCABULARY = (PAD, END, *(task_token(task) for task in TASKS), *_GRAMMAR, *DEMO_CONTENT)
LONGEST_CAPTION = 21
"""Words of the longest captions of the demo world."""
_NUMBER = {word: i for i, word in enumerate(DEMO_VOCABULARY)}


class DemoWorld:
    """Scenes of a split of the demo world, drawn when they are asked for.

    Parameters
    ----------
    split, count
        Which scenes, and how many.
    size
        Side of the pictures, px.
    """

    def __init__(self, split: Split, count: int, size: int) -> None:
        self.seeds = scene_seeds(split, count)
        self.size = size

    def __len__(self) -> int:
        return len(self.seeds)

    def batch(self, chosen: IntArray, rng: np.random.Generator) -> tuple[ImageArray, IntArray]:  # noqa: ARG002
        """Draw the chosen scenes; see `CaptionSource`. A scene has one caption a task, so nothing is drawn by lot."""
        scenes = [make_scene(self.seeds[int(i)]) for i in chosen]
        pictures = np.stack([render(scene, self.size) for scene in scenes])
        return pictures, pad([[encode(task, captions(s)[task].words) for task in TASKS] for s in scenes])


def encode(task: str, words: tuple[str, ...]) -> list[int]:
    """Return the token numbers of a demo caption: the task's token, the words, ``<end>``."""
    return [_NUMBER[word] for word in (task_token(task), *words, END)]


def pad(captions_of_pictures: list[list[list[int]]]) -> IntArray:
    """Fill captions up with ``<pad>`` to one length, shape (pictures, tasks, length)."""
    length = max(len(caption) for group in captions_of_pictures for caption in group)
    tokens = np.zeros((len(captions_of_pictures), len(captions_of_pictures[0]), length), np.int64)
    for i, group in enumerate(captions_of_pictures):
        for j, caption in enumerate(group):
            tokens[i, j, : len(caption)] = caption
    return tokens
