"""Held-out figures of a captioner of the demo world: what it says, and where it looks.

Pictures go the way of every user's picture: drawn at 512 px, then stretched to the model's input.
Where a Transformer looks is a choice of layer and heads; it is made on validation scenes, and the
figures are those of other scenes, the test scenes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.scenes import (
    CATEGORIES,
    COLOURS,
    TASKS,
    Box,
    CaptionTruth,
    Scene,
    Split,
    captions,
    make_scene,
    scene_seeds,
)
from gazeapp.engine.models.captioner.data.demo_world import encode, pad
from gazeapp.engine.models.captioner.methods import (
    ALPHA,
    GATED,
    method_id,
    offered_methods,
    pick_attention,
)
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.types import DoubleArray, FloatArray, ImageArray, Json

PICTURE_SIZE = 512
_BATCH = 50
_NAMING = frozenset((*COLOURS, *CATEGORIES))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a captioner did with one scene under one task.

    Parameters
    ----------
    scene, truth
        The scene and its true caption.
    right
        For each word of the true caption, ``<end>`` included, whether the model would have said it
        after the true words before it.
    attention
        Attention for the words of the true caption, shape (layers, heads, words, cells).
    said
        What the model says on its own.
    """

    scene: Scene
    truth: CaptionTruth
    right: tuple[bool, ...]
    attention: FloatArray
    said: str


def held_out_pictures(split: Split, count: int, size: int) -> tuple[list[Scene], ImageArray]:
    """Return scenes of a split and their pictures, drawn at 512 px and stretched to ``size``."""
    scenes = [make_scene(seed) for seed in scene_seeds(split, count)]
    return scenes, np.stack([fit_picture(render(scene, PICTURE_SIZE), size) for scene in scenes])


def evaluate(model: Captioner, n_validation: int, n_test: int) -> tuple[str, Json]:
    """Measure a captioner on scenes that it was not trained on.

    Returns
    -------
    tuple
        The map method to use by default (chosen on validation scenes), and the figures (of test
        scenes): ``exact`` (share of captions said word for word, greedy, by task), ``token_accuracy``
        (share of words right after the true words before), and ``attention`` by map method.
    """
    size = model.config.input_size
    method = choose_method(
        listen(model, *held_out_pictures("validation", n_validation, size)), model.config.grid
    )
    heard = listen(model, *held_out_pictures("test", n_test, size))
    # Gate-weighted maps of words are those of ``alpha``: figures of their own would say the same twice.
    methods = dict.fromkeys(m for m in (method, *offered_methods(model.config)) if m != GATED)
    figures: Json = {
        "n_validation": n_validation,
        "n_test": n_test,
        "exact": {task: float(np.mean([h.said == h.truth.text for h in heard[task]])) for task in TASKS},
        "token_accuracy": {
            task: float(np.mean([right for h in heard[task] for right in h.right])) for task in TASKS
        },
        "attention": {name: attention_figures(heard, name, model.config.grid) for name in methods},
    }
    return method, figures


@torch.no_grad()
def listen(model: Captioner, scenes: list[Scene], pictures: ImageArray) -> dict[str, list[Heard]]:
    """Let a captioner describe scenes under every task, freely and along the true captions."""
    truths = [captions(scene) for scene in scenes]
    heard: dict[str, list[Heard]] = {task: [] for task in TASKS}
    for start in range(0, len(scenes), _BATCH):
        part = slice(start, start + _BATCH)
        features = model.encoder(model.normalise(pictures[part]))
        for task in TASKS:
            true = [truth[task] for truth in truths[part]]
            tokens = torch.from_numpy(pad([[encode(task, t.words)] for t in true])[:, 0])
            told = model.decoder(features, tokens[:, :-1])
            right = (told.logits.argmax(dim=-1) == tokens[:, 1:]).numpy()
            first = torch.full((len(true),), model.config.first(task))
            said = [[model.config.vocabulary[i] for i in row] for row in model.say(features, first).tokens]
            for i, (scene, truth) in enumerate(zip(scenes[part], true, strict=True)):
                n = len(truth.words)
                maps = told.attention[i, :, :, :n].numpy()
                heard[task].append(
                    Heard(scene, truth, tuple(right[i, : n + 1].tolist()), maps, " ".join(said[i]))
                )
    return heard


def cover(boxes: list[Box], grid: tuple[int, int]) -> DoubleArray:
    """Return the share of each grid cell that lies in any of ``boxes``, shape (cells,), by 8 x 8 samples."""
    fine = 8
    rows, columns = ((np.arange(n * fine) + 0.5) / (n * fine) for n in grid)
    inside = np.zeros((len(rows), len(columns)), bool)
    for box in boxes:
        inside |= np.outer((rows >= box.y0) & (rows < box.y1), (columns >= box.x0) & (columns < box.x1))
    share: DoubleArray = inside.reshape(grid[0], fine, grid[1], fine).mean(axis=(1, 3)).ravel()
    return share


def choose_method(heard: dict[str, list[Heard]], grid: tuple[int, int]) -> str:
    """Choose the layer and heads that look at what is being named, on validation scenes.

    In each layer the heads are kept whose share of attention in the named object's box is at least
    half of the best head's; the layer whose kept heads have the greatest mean share is taken.
    """
    mentions = [h.attention[:, :, i] @ cover([box], grid) for h in heard["general"] for i, box in _named(h)]
    shares = np.mean(mentions, axis=0)
    if shares.shape == (1, 1):
        return ALPHA
    kept = [np.flatnonzero(layer >= 0.5 * layer.max()) for layer in shares]
    layer = int(np.argmax([shares[i, heads].mean() for i, heads in enumerate(kept)]))
    return method_id(layer, tuple(int(head) for head in kept[layer]), shares.shape[1])


def attention_figures(heard: dict[str, list[Heard]], method: str, grid: tuple[int, int]) -> Json:
    """Return how much attention falls where it should, beside what chance gives.

    Each entry has ``share`` (of attention), ``area`` (of the image), ``ratio`` (share over area) and
    ``shuffled`` (the same ratio with the boxes of other scenes):

    - ``objects``: colour and noun of an object, its box; general captions;
    - ``targets``: words that name what a person looks at, points to or holds, its box; social captions;
    - ``people``: sex and shirt of a person, the person's box; social captions;
    - ``heads``: the caption's mean map over content words, people's heads; social captions;
    - ``heads_general``: the same for general captions.
    """
    general, social = heard["general"], heard["social"]
    return {
        "objects": _shares(general, method, grid, _named),
        "targets": _shares(social, method, grid, _targets),
        "people": _shares(social, method, grid, _people),
        "heads": _mean_shares(social, method, grid),
        "heads_general": _mean_shares(general, method, grid),
    }


def _named(h: Heard) -> list[tuple[int, Box]]:
    """Return (word, box) of the words that name an object in a general caption."""
    boxes = h.scene.boxes
    return [
        (i, boxes[index])
        for i, (word, index) in enumerate(zip(h.truth.words, h.truth.boxes, strict=True))
        if 0 <= index < len(h.scene.objects) and word in _NAMING
    ]


def _targets(h: Heard) -> list[tuple[int, Box]]:
    """Return (word, box) of the words of a social caption that name what is looked at, pointed to or held."""
    n_objects, n_people = len(h.scene.objects), len(h.scene.people)
    boxes = h.scene.boxes
    return [
        (i, boxes[index])
        for i, index in enumerate(h.truth.boxes)
        if 0 <= index < n_objects or index >= n_objects + n_people
    ]


def _people(h: Heard) -> list[tuple[int, Box]]:
    """Return (word, box) of the words of a social caption that name a person who does something."""
    boxes = h.scene.boxes
    people = range(len(h.scene.objects), len(h.scene.objects) + len(h.scene.people))
    return [
        (i, boxes[index])
        for i, index in enumerate(h.truth.boxes)
        if index in people and h.truth.words[i - 1] in ("a", "in")
    ]


def _shares(
    heard: list[Heard], method: str, grid: tuple[int, int], named: Callable[[Heard], list[tuple[int, Box]]]
) -> Json:
    pairs = [
        (pick_attention(h.attention, method)[i], cover([box], grid), box.area)
        for h in heard
        for i, box in named(h)
    ]
    return _ratios(pairs, shift=len(pairs) // 2)


def _mean_shares(heard: list[Heard], method: str, grid: tuple[int, int]) -> Json:
    pairs = []
    for h in heard:
        content = [i for i, index in enumerate(h.truth.boxes) if index >= 0]
        heads = [person.head for person in h.scene.people]
        covered = cover(heads, grid)
        pairs.append(
            (pick_attention(h.attention, method)[content].mean(axis=0), covered, float(covered.mean()))
        )
    return _ratios(pairs, shift=1)


def _ratios(pairs: list[tuple[FloatArray, DoubleArray, float]], shift: int) -> Json:
    share = np.mean([attention @ covered for attention, covered, _ in pairs])
    area = np.mean([area for _, _, area in pairs])
    shuffled = np.mean(
        [attention @ pairs[(k + shift) % len(pairs)][1] for k, (attention, _, _) in enumerate(pairs)]
    )
    return {
        "share": round(float(share), 4),
        "area": round(float(area), 4),
        "ratio": round(float(share / area), 2),
        "shuffled": round(float(shuffled / area), 2),
        "n": len(pairs),
    }
