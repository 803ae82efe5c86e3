"""What a captioner's architecture costs: parameters by part, and operations of an image and of a word.

Networks are built without weights (on torch's meta device), so that the largest takes no memory and a fraction
of a second. Operations are those of convolutions and matrix products, a multiplication and an addition counted as
two (torch's own counter); normalisations, activations and softmax are left out, as is usual.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gazeapp.engine.models.captioner.config import END, PAD, UNKNOWN, CaptionerConfig, read_config, task_token
from gazeapp.engine.models.captioner.markdown import plain
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.factorial_check import shipped_four
from gazeapp.engine.models.captioner.training.settings import photograph_settings

NTH_WORD = 10
"""Which word of a caption is counted: a Transformer's self-attention costs a little more with every word."""
EXAMPLE_WORDS = 10_000
"""Vocabulary of the full-size examples: about what COCO's training captions have with words said 5 times or more."""

PARTS = ("encoder", "to the grid", "words in", "attention", "recurrence or layers", "words out")
"""Parts of a captioner: the encoder's network, what is made of its features before the decoder reads them (a
projection, or layers that mix the cells), the embedding of words and of their places, attention to the grid with its
gate, what carries the caption on, and what chooses words."""

_PART_OF = tuple(
    (re.compile(pattern), part)
    for pattern, part in (
        (r"encoder\.net\.", "encoder"),
        (r"encoder\.", "to the grid"),
        (r"decoder\.(embed|embedding|place|tgt_emb|pos_emb)\b", "words in"),
        (r"decoder\.(key|query|energy|gate|attention|f_beta)\b", "attention"),
        (r"decoder\.stack\.\d+\.(query|key_value|cross_out|norm_cross)\b", "attention"),
        (r"decoder\.layers\.\d+\.dec_enc_attn\b", "attention"),
        (r"decoder\.(norm|out|fc|projection)\b", "words out"),
        (r"decoder\.", "recurrence or layers"),
    )
)


@dataclass(frozen=True, slots=True)
class Architecture:
    """What an architecture costs.

    Parameters
    ----------
    config
        The captioner's description.
    parameters
        Weights of each of `PARTS`.
    encoding
        Operations of encoding one image.
    begin
        Operations before the first word of a caption: what is made of the grid's features once.
    word
        Operations of the tenth word, or of the last where captions are shorter.
    field
        Side of the square that a cell of the encoder can see, px of its input; infinity where it sees all of it
        whatever its size, and 0 where that is not known.
    """

    config: CaptionerConfig
    parameters: dict[str, int]
    encoding: int
    begin: int
    word: int
    field: float = 0

    @property
    def total(self) -> int:
        """All parameters."""
        return sum(self.parameters.values())

    def caption(self, words: int = NTH_WORD) -> int:
        """Return the operations from an image to a caption of ``words`` words, each counted as the tenth."""
        return self.encoding + self.begin + words * self.word


def measure(config: CaptionerConfig) -> Architecture:
    """Count the parameters and operations of a captioner, without its weights.

    Raises
    ------
    GazeError
        When its encoder is no network that timm knows.
    """
    with torch.device("meta"), torch.inference_mode():
        network = Captioner(config).eval()
        decoder: Any = network.decoder  # Any: a decoder's state is its own affair
        picture = torch.zeros(1, 3, config.input_size, config.input_size)
        word = torch.zeros(1, dtype=torch.long)
        with _counting() as encoding:
            features = network.encoder(picture)
        with _counting() as begin:
            state = decoder.begin(features)
        for _ in range(min(NTH_WORD, config.max_words) - 1):
            decoder.step(state, word)
        with _counting() as said:
            decoder.step(state, word)
    return Architecture(
        config,
        parameters_by_part(network),
        encoding.get_total_flops(),
        begin.get_total_flops(),
        said.get_total_flops(),
        math.inf if config.mixing_layers else receptive_field(network.encoder.net),
    )


def parameters_by_part(network: Captioner) -> dict[str, int]:
    """Return the number of weights of each of `PARTS`."""
    counts = dict.fromkeys(PARTS, 0)
    for name, weights in network.named_parameters():
        counts[_part(name)] += weights.numel()
    return counts


def receptive_field(network: nn.Module) -> float:
    """Return the side of the square that a cell of an encoder can see, px of its input.

    Infinity for Vision Transformers, whose cells attend to each other; 0 for networks other than these and ResNets. A
    ResNet's is that of its longest path: every kernel of k cells widens it by (k - 1) times the distance of the cells
    that the kernel reads.
    """
    from timm.models.resnet import ResNet
    from timm.models.vision_transformer import VisionTransformer

    if isinstance(network, VisionTransformer):
        return math.inf
    if not isinstance(network, ResNet):
        return 0
    field, stride = 1, 1
    for name, part in network.named_modules():
        if isinstance(part, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and "downsample" not in name:
            kernel, step, dilation = (
                _one(getattr(part, key, 1)) for key in ("kernel_size", "stride", "dilation")
            )
            field += (kernel - 1) * dilation * stride
            stride *= step
    return field


def full_size(encoder: str, decoder: str) -> CaptionerConfig:
    """Return the description of a captioner of photographs, as `photograph_settings` makes it, with 10,000 words."""
    settings = photograph_settings(encoder=encoder, decoder=decoder)
    tasks = ("general", "social")
    special = (PAD, END, UNKNOWN, *(task_token(task) for task in tasks))
    words = tuple(f"word{i}" for i in range(EXAMPLE_WORDS - len(special)))
    return CaptionerConfig(
        id=f"{encoder}-{decoder}",
        name=f"{encoder}-{'LSTM' if decoder == 'lstm' else 'Transformer'}",
        encoder=encoder,
        decoder=decoder,
        vocabulary=(*special, *words),
        content_words=(),
        tasks=tasks,
        **settings.sizes(),
    )


def full_size_four() -> list[CaptionerConfig]:
    """Return the descriptions of the four full-size captioners that training makes by default."""
    return [
        full_size(encoder, decoder)
        for encoder in ("resnet101", "vit_base_patch16_224")
        for decoder in ("lstm", "transformer")
    ]


def parameters_table(rows: Sequence[Architecture]) -> str:
    """Return parameters by part as a Markdown table, in thousands or millions."""
    lines = [f"| model | {' | '.join(PARTS)} | all |", "|---|" + "---:|" * (len(PARTS) + 1)]
    for row in rows:
        cells = [amount(row.parameters[part]) for part in PARTS]
        lines.append(f"| {plain(row.config.name)} | {' | '.join(cells)} | {amount(row.total)} |")
    return "\n".join(lines)


def operations_table(rows: Sequence[Architecture]) -> str:
    """Return operations of an image, of beginning a caption and of a word as a Markdown table."""
    lines = [
        "| model | one image, encoded | once a caption | one word | a caption of ten words |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [amount(n) for n in (row.encoding, row.begin, row.word, row.caption())]
        lines.append(f"| {plain(row.config.name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def grid_table(rows: Sequence[Architecture]) -> str:
    """Return what a cell of the grid is, as a Markdown table: its size, its features, and what it can see."""
    lines = [
        "| model | input, px | grid | a cell, px | features | a cell can see |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        config = row.config
        sides = [config.input_size / count for count in config.grid]
        lines.append(
            f"| {plain(config.name)} | {config.input_size} | {_by(config.grid)} | {_by(sides)} | {config.width} "
            f"| {_sight(row)} |"
        )
    return "\n".join(lines)


def _sight(row: Architecture) -> str:
    if not row.field:
        return "not known"
    if row.field >= 2 * row.config.input_size - 1:  # a cell in one corner sees the other
        return "the whole picture"
    return f"{row.field:g} x {row.field:g} px around it"


def _by(numbers: Sequence[float]) -> str:
    return " x ".join(f"{number:g}" for number in numbers)


def cost_tables(rows: Sequence[Architecture], level: int = 2) -> str:
    """Return all three tables as Markdown, under headings of a level."""
    tables = {
        "Cells of the grid": grid_table(rows),
        "Parameters": parameters_table(rows),
        "Operations": operations_table(rows),
    }
    return "\n\n".join(f"{'#' * level} {title}\n\n{table}" for title, table in tables.items())


def page_tables() -> str:
    """Return the tables of docs/architectures.md: the four captioners that ship, and four of full size."""
    configs = (*(read_config(folder) for folder in shipped_four()), *full_size_four())
    return cost_tables([measure(config) for config in configs], level=3)


def amount(count: int) -> str:
    """Return a count with three digits and its unit: ``853 k``, ``47.3 M``, ``16.0 G``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * size:
            value = count / size
            digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:,.{digits}f} {unit}"
    return str(count)


def _one(value: int | Sequence[int]) -> int:
    return value if isinstance(value, int) else value[0]


def _counting() -> FlopCounterMode:
    return FlopCounterMode(display=False)


def _part(name: str) -> str:
    return next(part for pattern, part in _PART_OF if pattern.match(name))
