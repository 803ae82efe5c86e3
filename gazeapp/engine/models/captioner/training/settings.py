"""Everything that decides what a training gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any

from gazeapp.engine.errors import GazeError
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
        Highest learning rate of the decoder and of the encoder, and the steps in which they are reached (0: they are
        there from the beginning); a cosine takes them to 2 %.
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
        ``auto``, ``cpu``, ``cuda`` or ``mps``; threads that read pictures ahead; graphics cards that share the work.
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

    def sizes(self) -> dict[str, Any]:
        """Return the sizes of the captioner as `CaptionerConfig` calls them."""
        names = (
            "input_size",
            "grid",
            "width",
            "state",
            "attention",
            "layers",
            "heads",
            "dropout",
            "max_words",
        )
        return {name: getattr(self, name) for name in names}

    def to_json(self) -> Json:
        """Return the settings that decide the result, so without places on this machine."""
        values = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if key not in PLACES_ONLY
        }
        names = ("data", "encoder_weights", "start_from")
        return {**values, **{key: PurePath(getattr(self, key)).name for key in names}}


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


_CHOICES = {
    "decoder": ("lstm", "transformer"),
    "precision": ("no", "fp16", "bf16"),
    "measure": ("cider", "bleu"),
}
_POSITIVE = (
    "steps", "batch", "accumulate", "rate", "encoder_rate", "input_size", "width", "state", "attention",
    "layers", "heads", "max_words", "min_count", "checkpoint_every", "n_scenes", "gpus",
)  # fmt: skip
_NOT_NEGATIVE = (
    "warmup", "weight_decay", "dropout", "doubly_stochastic", "seed", "evaluate_every", "patience", "n_validation",
    "n_test", "workers",
)  # fmt: skip

_TOO_MUCH = 2**63
"""What no setting reaches: seeds and numbers of steps are kept in 64 bits, and rates are finite."""


def checked(settings: TrainSettings) -> TrainSettings:
    """Return settings that a training can be run with.

    Raises
    ------
    GazeError
        When a value makes no sense, or there is no folder to write to.
    """
    for name, choices in _CHOICES.items():
        value = getattr(settings, name)
        if value not in choices:
            raise GazeError(f"The setting {name} is one of {', '.join(choices)}, not '{value}'.")
    for names, least, words in ((_POSITIVE, 1e-300, "greater than 0"), (_NOT_NEGATIVE, 0, "0 or more")):
        for name in names:
            if not getattr(settings, name) >= least:
                raise GazeError(f"The setting {name} is {words}, not {getattr(settings, name)}.")
            if not getattr(settings, name) < _TOO_MUCH:
                raise GazeError(
                    f"The setting {name} is too large: {getattr(settings, name)}.",
                    todo="Choose a usual value.",
                )
    rows, columns = settings.grid
    if min(rows, columns) < 1 or max(rows, columns) > settings.input_size:
        raise GazeError(
            f"A grid of {rows} x {columns} cells does not fit pictures of {settings.input_size} px.",
            todo="Choose at least one row and column, and no more than the pictures have pixels.",
        )
    if settings.dropout >= 1:
        raise GazeError(f"The setting dropout is less than 1, not {settings.dropout}.")
    if settings.width % 4 or settings.width % settings.heads:
        raise GazeError(
            f"The width {settings.width} is no multiple of 4 and of the {settings.heads} heads.",
            todo="Choose another width or number of heads.",
        )
    if settings.batch % settings.accumulate:
        raise GazeError(
            f"A step of {settings.batch} pictures cannot be computed in {settings.accumulate} equal parts.",
            todo="Choose a batch that the parts divide.",
        )
    if settings.patience and not settings.evaluate_every:
        raise GazeError(
            "Patience counts evaluations, and evaluate_every is 0.",
            todo="Set evaluate_every, or patience to 0.",
        )
    if not settings.out:
        raise GazeError("The training has nowhere to write to.", todo="Name a folder for the captioner.")
    return settings


def settings_from(values: Json, base: TrainSettings, where: str = "") -> TrainSettings:
    """Return settings with values as JSON or a command line has them.

    Parameters
    ----------
    values
        Values by the names of `TrainSettings`.
    base
        Where the others come from.
    where
        Where the values were read, for messages.

    Raises
    ------
    GazeError
        When a name is no setting's or a value is of another kind.
    """
    known = {entry.name for entry in fields(TrainSettings)}
    unknown = [name for name in values if name not in known]
    if unknown:
        close = get_close_matches(unknown[0], known, n=1)
        raise GazeError(
            f"There is no setting '{unknown[0]}'.",
            where=where,
            todo=f"Did you mean {close[0]}?" if close else f"They are: {', '.join(sorted(known))}.",
        )
    # Any: each value has been given the kind of its setting.
    fitting: dict[str, Any] = {
        name: _as_is(name, value, getattr(base, name), where) for name, value in values.items()
    }
    return replace(base, **fitting)


def _as_is(name: str, value: object, like: object, where: str) -> object:
    """Return a value as a setting of this kind holds it."""
    kind = type(like)
    if kind is tuple and isinstance(value, list | tuple):
        wanted = int if name == "grid" else str
        if all(isinstance(each, wanted) for each in value) and (name != "grid" or len(value) == 2):
            return tuple(value)
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif type(value) is kind:
        return value
    raise GazeError(f"The setting {name} cannot be {value!r}; it is like {like!r}.", where=where)
