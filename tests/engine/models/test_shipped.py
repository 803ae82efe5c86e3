"""The captioners that ship: they say what their cards claim, on scenes that they never saw."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.scenes import TASKS, captions
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.models.captioner.card import card
from gazeapp.engine.models.captioner.config import read_config
from gazeapp.engine.models.captioner.demo_figures import cover
from gazeapp.engine.models.registry import available_models, load_model
from gazeapp.engine.resources import resource_path

SHIPPED = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


def test_all_four_ship_in_their_order() -> None:
    infos = available_models()
    assert tuple(info.id for info in infos) == SHIPPED
    assert [(info.encoder, info.decoder) for info in infos] == [tuple(i.split("-")) for i in SHIPPED]
    assert len({info.revision for info in infos}) == 4
    for info in infos:
        assert info.domain == "demo-world"
        assert info.tasks == TASKS
        assert info.default_method == info.methods[0] != ""


def test_only_the_architecture_differs() -> None:
    configs = [read_config(resource_path("models", name)) for name in SHIPPED]
    for name in ("vocabulary", "content_words", "grid", "input_size", "width", "tasks"):
        assert len({getattr(config, name) for config in configs}) == 1
    for name in ("steps", "batch", "rate", "warmup", "weight_decay", "seed", "n_scenes", "data"):
        assert len({config.training[name] for config in configs}) == 1


@pytest.mark.parametrize("name", SHIPPED)
def test_cards_state_the_stored_figures_and_reach_the_bars(name: str) -> None:
    folder = resource_path("models", name)
    config = read_config(folder)
    assert (folder / "MODEL_CARD.md").read_text("utf-8") == card(config)
    assert (folder / "weights.safetensors").stat().st_size < 3_000_000
    figures = config.figures
    assert figures["exact"]["general"] >= 0.9
    assert figures["exact"]["social"] >= 0.7
    attention = figures["attention"][config.default_method]
    assert attention["objects"]["ratio"] >= 5
    assert attention["targets"]["ratio"] > 2 * attention["targets"]["shuffled"]


@pytest.mark.parametrize("name", SHIPPED)
def test_describes_demo_pictures_as_the_card_says(name: str) -> None:
    model = load_model(name)
    exact: dict[str, list[bool]] = {task: [] for task in TASKS}
    ratios = []
    for scene in demo_scenes(20, seed=7):
        picture = render(scene, 512)
        for task in TASKS:
            truth = captions(scene)[task]
            caption = model.describe(picture, task)
            exact[task].append(caption.text == truth.text)
            if task == "general" and exact[task][-1]:
                for each, index in zip(caption.maps, truth.boxes, strict=True):
                    if 0 <= index < len(scene.objects):
                        box = scene.boxes[index]
                        ratios.append(float(each.ravel() @ cover([box], (8, 8))) / box.area)
    assert np.mean(exact["general"]) >= 0.8
    assert np.mean(exact["social"]) >= 0.6
    assert np.mean(ratios) >= 5
