"""A model that computes its captions and maps from the picture alone: no weights, exactly repeatable."""

from __future__ import annotations

import time

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.types import ImageArray, Rect

INFOS = [
    ModelInfo("bright", "Bright", "captioner", tasks=("general", "social"), methods=("light", "dark")),
    ModelInfo("second", "Second", "captioner", tasks=("general",), methods=("light",), domain="demo-world"),
]


class StandIn:
    def __init__(self, info: ModelInfo, pause_s: float = 0.0) -> None:
        self.info = info
        self.pause_s = pause_s
        self.calls = 0

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        self.calls += 1
        time.sleep(self.pause_s)
        if image[0, 0].tolist() == [255, 0, 0]:
            raise GazeError("Red corners are beyond this model.", todo="Use another colour.")
        grey = image.mean(axis=2)
        rows, columns = (
            np.array_split(np.arange(grey.shape[0]), 4),
            np.array_split(np.arange(grey.shape[1]), 6),
        )
        light = np.array([[grey[np.ix_(r, c)].mean() + 1 for c in columns] for r in rows])
        maps = np.stack([light, light**2, 1 / light]).astype(np.float32)
        maps /= maps.sum(axis=(1, 2), keepdims=True)
        log_probability = -float(grey.mean()) / 255
        words = tuple(Word(text, log_probability, text != "a") for text in ("a", self.info.name, "scene"))
        rect = Rect.of_image(grey.shape[1], grey.shape[0])
        return Caption(words, maps, np.ones(3, np.float32), rect, self.info.task_for(task), method or "light")


def install(monkeypatch, loaded: list[StandIn] | None = None, pause_s: float = 0.0) -> None:
    """Put the stand-ins in place of the models that ship."""
    from gazeapp.engine.workflows import extract_plan

    def load(info: ModelInfo, _wishes: object) -> StandIn:
        made = StandIn(info, pause_s)
        if loaded is not None:
            loaded.append(made)
        return made

    monkeypatch.setattr(extract_plan, "available_models", lambda: INFOS)
    monkeypatch.setattr(extract_plan, "open_model", load)
