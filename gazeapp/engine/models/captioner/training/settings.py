"""Everything that decides what a training gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import PurePath

from gazeapp.engine.types import Json

DEMO_WORLD = "demo-world"
"""Data that are drawn, not read."""

PLACES_ONLY = frozenset(
    {"out", "images", "encoder_weights", "start_from", "device", "workers", "gpus", "checkpoint_every"}
)
"""Settings that say where things are and how the work is spread; what a training gives does not depend on them."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Everything that decides what a training gives, and where it takes place.

    Parameters
    ----------
    encoder, decoder
        ``cnn`` or ``vit`` (the small ones of the demo) or a timm name; ``lstm`` or ``transformer``.
    data, images
        ``demo-world``, or a file or folder of captions in a form that `captioner.data.reading` knows, and the folder
        that the names of its pictures are relative to; empty for beside the captions.
    tasks
        Tasks to learn; empty for all that the captions have.
    name
        Name to show; empty for one made of encoder and decoder.
    steps, batch, accumulate
        Optimiser steps, pictures of a step, and the parts that a step is computed in where memory is short.
    rate, encoder_rate, warmup
        Highest learning rate of the decoder and of the encoder, and the steps in which they are reached; a cosine
        takes them to 2 %.
    weight_decay
        AdamW's decay of weight matrices.
    encoder_weights
        What the encoder starts from: ``timm`` for the pretrained weights of its name, a safetensors file, or ``none``.
    frozen
        Whether the encoder's network stays as it is; the projection to the common grid is learnt in any case.
    input_size, grid
        Side of the pictures, px, and rows and columns of the grid that is attended to.
    width, state, attention, layers, heads, dropout, max_words
        As in `CaptionerConfig`.
    doubly_stochastic
        Weight of the term that asks an LSTM to attend to every cell about equally over a caption (Xu et al. 2015, eq.
        14); 0 leaves it out.
    min_count
        How often a word has to occur in the training captions to be in the vocabulary.
    precision
        ``no`` (32 bits), ``fp16`` or ``bf16``.
    seed
        Seed of weights, order, augmentation and the vocabulary's split.
    evaluate_every, patience, measure
        Steps between evaluations on validation pictures, how many without a better result end the training (0: none
        does), and what is better: ``cider`` or ``bleu``. 0 steps evaluates only at the end.
    checkpoint_every
        Steps between checkpoints.
    n_scenes
        Number of scenes of the demo world drawn for training.
    n_validation, n_test
        Most held-out pictures used for choosing, and for the figures.
    start_from
        Folder of a captioner to go on from (fine-tuning), with its vocabulary; empty for a new one.
    device, workers, gpus
        ``auto``, ``cpu``, ``cuda`` or ``mps``; processes that read pictures; graphics cards that share the work.
    out
        Folder to write the captioner to.
    """

    encoder: str = "cnn"
    decoder: str = "lstm"
    data: str = DEMO_WORLD
    images: str = ""
    tasks: tuple[str, ...] = ()
    name: str = ""
    steps: int = 4000
    batch: int = 32
    accumulate: int = 1
    rate: float = 1e-3
    encoder_rate: float = 1e-3
    warmup: int = 200
    weight_decay: float = 0.03
    encoder_weights: str = "none"
    frozen: bool = False
    input_size: int = 128
    grid: tuple[int, int] = (8, 8)
    width: int = 128
    state: int = 192
    attention: int = 64
    layers: int = 2
    heads: int = 4
    dropout: float = 0.05
    max_words: int = 32
    doubly_stochastic: float = 0.0
    min_count: int = 5
    precision: str = "no"
    seed: int = 1
    evaluate_every: int = 0
    patience: int = 0
    measure: str = "cider"
    checkpoint_every: int = 500
    n_scenes: int = 64_000
    n_validation: int = 300
    n_test: int = 1000
    start_from: str = ""
    device: str = "cpu"
    workers: int = 0
    gpus: int = 1
    out: str = ""

    def to_json(self) -> Json:
        """Return the settings that decide the result, so without places on this machine."""
        values = {key: value for key, value in asdict(self).items() if key not in PLACES_ONLY}
        return {**values, "data": PurePath(self.data).name}


def photograph_settings(**changes: object) -> TrainSettings:
    """Return the settings for captions of photographs, as `TrainSettings` has those of the demo world.

    ResNet-101 or ViT-B/16 on a grid of 14 x 14 at 224 px, decoders of 512 features; a common size in the literature,
    not tuned here.
    """
    values: dict[str, object] = {
        "encoder": "resnet101", "steps": 100_000, "batch": 64, "rate": 4e-4, "encoder_rate": 1e-5, "warmup": 2000,
        "encoder_weights": "timm", "frozen": True, "input_size": 224, "grid": (14, 14), "width": 512, "state": 512,
        "attention": 512, "layers": 3, "heads": 8, "dropout": 0.3, "max_words": 40, "doubly_stochastic": 1.0,
        "precision": "bf16", "evaluate_every": 5000, "patience": 5, "checkpoint_every": 1000, "n_validation": 1000,
        "device": "auto", "workers": 4,
    }  # fmt: skip
    return TrainSettings(**{**values, **changes})  # type: ignore[arg-type]
