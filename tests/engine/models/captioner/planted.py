"""Captioners with weights set by hand, which say of one cell of their grid alone whether it is bright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.decoders import LstmDecoder, TransformerDecoder
from gazeapp.engine.models.captioner.layers import TransformerLayer
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.types import ImageArray

SIDE = 4
"""Rows and columns of the grid."""
TARGET = (2, 1)
"""Row and column of the cell that the word depends on."""
HEIGHT, WIDTH = 60, 88
"""Size of the image, px; neither is that of the encoder's input."""
TASK, BRIGHT, DARK = 2, 3, 4
END = 1


class Brightness(nn.Module):
    """An encoder that sees, of every cell, how bright it is and whether it is the target: 2 features of 4."""

    def forward(self, pictures: Tensor) -> Tensor:
        bright = nn.functional.adaptive_avg_pool2d(pictures.mean(dim=1, keepdim=True), SIDE).flatten(1)
        target = torch.zeros_like(bright)
        target[:, TARGET[0] * SIDE + TARGET[1]] = 1.0
        nothing = torch.zeros_like(bright)
        return torch.stack([bright, target, nothing, nothing], dim=2)


def planted(decoder: str, from_start: bool = False) -> CaptionerModel:
    """Return a captioner that says ``bright`` or ``dark`` of the target cell.

    ``from_start`` makes an LSTM decoder answer from the state that it starts from, which is whether anything in the
    image is bright, and not from what it attends to.
    """
    config = CaptionerConfig(
        *("planted", "Planted", "cnn", decoder),
        vocabulary=("<pad>", "<end>", "<general>", "bright", "dark"),
        content_words=("bright", "dark"),
        tasks=("general",),
        input_size=4 * SIDE,
        grid=(SIDE, SIDE),
        width=4,
        state=4,
        heads=2,
        max_words=5,
        mean=(0.0,) * 3,
        std=(255.0,) * 3,
    )
    network = Captioner(config).eval()
    network.encoder = Brightness()
    with torch.no_grad():
        for weights in network.decoder.parameters():
            weights.zero_()
        if isinstance(network.decoder, LstmDecoder):
            _plant_lstm(network.decoder, from_start)
        else:
            _plant_transformer(network.decoder)
    return CaptionerModel(network, captioner_info(Path("planted"), config))


def bright_target() -> ImageArray:
    """Return a black image whose target cell is white."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[cell(*TARGET)] = 255
    return image


def cell(row: int, column: int) -> tuple[slice, slice]:
    """Return the pixels of one cell."""
    high, wide = HEIGHT // SIDE, WIDTH // SIDE
    return slice(row * high, (row + 1) * high), slice(column * wide, (column + 1) * wide)


def _plant_lstm(decoder: LstmDecoder, from_start: bool) -> None:
    decoder.embed.weight[[BRIGHT, DARK], 0] = 1.0
    decoder.key.weight[0, 1] = 5.0
    decoder.energy.weight[0, 0] = 30.0
    decoder.gate.bias.fill_(30.0)
    # The memory is kept as it starts: the forget and output gates are open, nothing comes in.
    decoder.cell.bias_ih[4:8] = 30.0
    decoder.cell.bias_ih[12:16] = 30.0
    decoder.start.weight[4, 0] = 1000.0
    decoder.start.bias[4] = -1000.0 / (2 * SIDE * SIDE)
    hidden, read, word = 0, 4, 8
    first, last = decoder.out[0], decoder.out[2]
    if from_start:
        first.weight[0, hidden] = 10.0
    else:
        first.weight[0, read], first.bias[0] = 10.0, -5.0
    first.weight[1, word], first.bias[1] = 10.0, -5.0
    last.weight[BRIGHT, 0], last.weight[DARK, 0], last.weight[END, 1] = 5.0, -5.0, 20.0


def _plant_transformer(decoder: TransformerDecoder) -> None:
    # After a word there is nothing to say; the sums of the features are 0, so that normalising keeps their signs.
    decoder.embed.weight[[BRIGHT, DARK]] = torch.tensor([0.0, 0.0, 50.0, -50.0])
    decoder.embed.weight[TASK] = torch.tensor([0.0, 0.0, -1.0, 1.0])
    decoder.norm.weight.fill_(1.0)
    decoder.out.weight[BRIGHT, 0] = decoder.out.weight[DARK, 1] = 5.0
    decoder.out.weight[END, 2] = 20.0
    for layer in decoder.stack:
        assert isinstance(layer, TransformerLayer)
        layer.query.bias.fill_(1.0)
        for head in (0, 2):
            layer.key_value.weight[head, 1] = 50.0
            layer.key_value.weight[4 + head, 0] = 1.0
            layer.cross_out.weight[0, head], layer.cross_out.weight[1, head] = 5.0, -5.0
        layer.cross_out.bias[:2] = torch.tensor([-5.0, 5.0])
