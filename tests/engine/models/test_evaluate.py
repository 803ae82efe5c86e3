"""Held-out figures against attention whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gazeapp.engine.demo.scenes import TASKS, Box, captions, make_scene, scene_seeds
from gazeapp.engine.models.captioner.demo_figures import (
    Heard,
    attention_figures,
    choose_method,
    cover,
    held_out_pictures,
    listen,
)
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.loop import demo_config
from gazeapp.engine.models.captioner.training.settings import TrainSettings

SCENES = [make_scene(seed) for seed in scene_seeds("test", 60)]


def heard_with(head: int | None) -> dict[str, list[Heard]]:
    """Attention that is even everywhere, but for one head of layer 1 that looks at the named box."""
    out: dict[str, list[Heard]] = {task: [] for task in TASKS}
    for scene in SCENES:
        for task in TASKS:
            truth = captions(scene)[task]
            attention = np.full((2, 4, len(truth.words), 64), 1 / 64, np.float32)
            for i, index in enumerate(truth.boxes):
                if head is not None and index >= 0:
                    covered = cover([scene.boxes[index]], (8, 8))
                    attention[1, head, i] = covered == covered.max()
                    attention[1, head, i] /= attention[1, head, i].sum()
            out[task].append(Heard(scene, truth, (True,) * (len(truth.words) + 1), attention, truth.text))
    return out


def test_cover_is_the_area_of_the_box_cell_by_cell() -> None:
    np.testing.assert_allclose(cover([Box(0, 0, 1, 1)], (8, 8)), 1)
    quarter = cover([Box(0.5, 0.0, 1.0, 0.5)], (8, 8)).reshape(8, 8)
    assert quarter[:4, 4:].min() == 1
    assert quarter.sum() == 16
    half_cell = cover([Box(0.125, 0.125, 0.1875, 0.25)], (8, 8)).reshape(8, 8)
    assert half_cell[1, 1] == pytest.approx(0.5)
    assert half_cell.sum() == pytest.approx(0.5)
    twice = cover([Box(0, 0, 0.25, 0.25), Box(0, 0, 0.25, 0.25)], (8, 8))
    assert twice.sum() == 4


def test_even_attention_is_at_chance() -> None:
    figures = attention_figures(heard_with(None), "cross-L1-H2", (8, 8))
    for entry in figures.values():
        assert entry["ratio"] == pytest.approx(1, abs=0.03)
        assert entry["shuffled"] == pytest.approx(1, abs=0.03)


def test_attention_in_the_named_box_is_found_with_its_layer_and_head() -> None:
    heard = heard_with(2)
    assert choose_method(heard, (8, 8)) == "cross-L1-H2"
    figures = attention_figures(heard, "cross-L1-H2", (8, 8))
    entry = figures["objects"]
    best = [
        cover([h.scene.boxes[index]], (8, 8)).max()
        for h in heard["general"]
        for index in h.truth.boxes
        if 0 <= index < len(h.scene.objects)
    ]
    assert entry["share"] == pytest.approx(np.mean(best), abs=1e-3)
    assert entry["ratio"] == pytest.approx(entry["share"] / entry["area"], rel=0.01)
    assert entry["shuffled"] < 0.3 * entry["ratio"]
    assert attention_figures(heard, "cross-L0-mean", (8, 8))["objects"]["ratio"] == pytest.approx(1, abs=0.03)


def test_two_good_heads_are_averaged_and_all_are_called_the_mean() -> None:
    heard = heard_with(2)
    for group in heard.values():
        for h in group:
            h.attention[1, 0] = h.attention[1, 2]
    assert choose_method(heard, (8, 8)) == "cross-L1-H0+2"
    assert choose_method(heard_with(None), (8, 8)).endswith("-mean")


def test_listening_follows_the_true_words_and_the_models_own() -> None:
    torch.manual_seed(0)
    model = Captioner(demo_config(TrainSettings(encoder="vit", decoder="transformer"))).eval()
    scenes, pictures = held_out_pictures("validation", 3, 128)
    assert pictures.shape == (3, 128, 128, 3)
    heard = listen(model, scenes, pictures)
    for task in TASKS:
        for scene, h in zip(scenes, heard[task], strict=True):
            assert h.truth == captions(scene)[task]
            assert h.attention.shape == (2, 4, len(h.truth.words), 64)
            assert len(h.right) == len(h.truth.words) + 1
            assert not all(h.right)
            np.testing.assert_allclose(h.attention.sum(axis=-1), 1, atol=1e-5)
