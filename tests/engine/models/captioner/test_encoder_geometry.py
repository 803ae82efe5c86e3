"""Cells lie where their receptive fields do, and features are brought to where the grid has its cells."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.encoder_cells import measure_cells
from gazeapp.engine.models.captioner.encoder_facts import encoder_family, with_encoder_facts
from gazeapp.engine.models.captioner.encoder_geometry import Cells, ToGrid
from gazeapp.engine.models.captioner.encoders import Encoder, timm_network

SIZE, GRID = 192, (12, 12)
WORDS = ("<pad>", "<end>", "<start>")


@cache
def described(encoder: str, size: int = SIZE, grid: tuple[int, int] = GRID, **more: Any) -> CaptionerConfig:
    """Return a description of a captioner with this encoder, with what follows from it filled in."""
    config = CaptionerConfig(
        "x", "X", encoder, "lstm", WORDS, (), (), input_size=size, grid=grid, width=16, **more
    )
    return with_encoder_facts(config)


def positive(network: Any) -> Any:
    """Give every layer positive constant weights and let normalisation, gates and activations through.

    A cell's gradient is then a blob around the centre of its receptive field, whatever is between.
    """
    for module in network.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d | nn.LayerNorm | nn.ReLU | nn.GELU | nn.SiLU | nn.Sigmoid):
                setattr(module, name, nn.Identity())
    with torch.no_grad():
        for name, weights in network.named_parameters():
            weights.fill_(0.0 if name.endswith("bias") else 1.0 / max(1, weights[0].numel()))
    return network.eval()


def centres(features: Tensor, pictures: Tensor) -> np.ndarray:
    """Return the centroid (down, across), px, of what each of the given features depends on."""
    places = torch.arange(pictures.shape[2]) + 0.5
    found = []
    for feature in features:
        (gradient,) = torch.autograd.grad(feature, pictures, retain_graph=True)
        seen = gradient[0].abs().sum(dim=0)
        found.append([(seen.sum(dim=1 - k) * places).sum() / seen.sum() for k in (0, 1)])
    return np.array(found)


@pytest.mark.parametrize(("name", "side"), [("resnet18", 16), ("regnetx_002", 18)])
def test_cells_lie_where_the_gradient_of_positive_weights_is_centred(name: str, side: int) -> None:
    """The truth is autograd's, which knows nothing of kernels, strides and padding; afterwards they are in place."""
    encoder = Encoder(described(name, 16 * side, (side, side)))
    pictures = torch.rand(1, 3, 16 * side, 16 * side, requires_grad=True)
    own = positive(encoder.net).forward_features(pictures)
    moved = encoder.to_grid(own)
    assert own.shape[2:] == moved.shape[2:] == (side, side)
    cell = (side // 2, side // 2 - 1)
    seen = centres(torch.stack([planes[0, :, *cell].sum() for planes in (own, moved)]), pictures)
    assert seen[0] / 16 == pytest.approx(np.array(cell) + 0.5 / 16, abs=0.05)
    assert seen[1] / 16 == pytest.approx(np.array(cell) + 0.5, abs=0.05)


def test_patches_lie_where_they_are_cut_out_also_on_a_grid_of_another_size() -> None:
    """Without attention, which mixes all places: 16 x 16 patches of 14 px on a grid of 14 x 14."""
    encoder = Encoder(described("vit_small_patch14_dinov2", 224, (14, 14)))
    pictures = torch.rand(1, 3, 224, 224, requires_grad=True)
    planes = encoder.to_grid(patches(encoder, pictures))
    cells = [(3, 7), (6, 2)]
    seen = centres(torch.stack([planes[0, :, i, j].sum() for i, j in cells]), pictures)
    assert planes.shape[2:] == (14, 14)
    assert seen / 16 == pytest.approx(np.array(cells) + 0.5, abs=0.05)


@pytest.mark.parametrize(
    ("name", "offset", "stride"),
    [
        ("resnet50", -7.5, 16.0),  # cell i on pixel 16 i: 16 i + 0.5 instead of 16 i + 8
        ("resnet10t", -0.5, 16.0),  # halves by averaging beside strided convolutions: the mean of both
        ("convnext_atto", 8.0, 16.0),  # its last halving, undone by dilation, looks at a cell and the next
        ("efficientnet_b0", -7.5, 16.0),
        ("mobilenetv3_small_050", -15.5, 32.0),
        ("vit_tiny_patch16_224", 0.0, 16.0),
        ("swin_tiny_patch4_window7_224", 0.0, 32.0),
    ],
)
def test_known_networks(name: str, offset: float, stride: float) -> None:
    config = described(name, 224, (14, 14))
    assert config.cell_offset == pytest.approx((offset, offset), abs=0.01)
    assert config.cell_stride == (stride, stride)


def patches(encoder: Encoder, pictures: Tensor) -> Tensor:
    tokens = encoder.net.patch_embed(pictures)
    side = int(tokens.shape[1] ** 0.5)
    return tokens.transpose(1, 2).reshape(len(pictures), -1, side, side)


@pytest.mark.parametrize("name", ["resnet10t", "convnext_atto", "vit_tiny_patch16_224"])
def test_a_dot_moves_the_features_of_its_cell_most(name: str) -> None:
    torch.manual_seed(1)
    encoder = Encoder(described(name)).eval()
    places = [(2, 9), (7, 4)]
    pictures = torch.zeros(3, 3, SIZE, SIZE)
    for picture, place in zip(pictures[1:], places, strict=True):
        row, column = (16 * k + 8 for k in place)
        picture[:, row - 4 : row + 4, column - 4 : column + 4] = 3.0
    with torch.inference_mode():
        own = patches(encoder, pictures) if name.startswith("vit") else encoder.net.forward_features(pictures)
        features = encoder.to_grid(own)
    change = (features[1:] - features[:1]).norm(dim=1).flatten(1)
    assert [divmod(int(place), GRID[1]) for place in change.argmax(dim=1)] == places


def test_the_small_encoders_are_left_as_they_are() -> None:
    planes = torch.rand(1, 4, 8, 8)
    for encoder in ("cnn", "vit"):
        config = described(encoder, 128, (8, 8))
        assert (config.cell_offset, config.cell_stride, config.encoder_family) == ((0, 0), (0, 0), encoder)
        assert ToGrid(config)(planes) is planes


def test_interpolation_keeps_a_slope_and_widens_where_there_are_more_cells() -> None:
    """A plane that grows with the place has, after it, the value of each cell's centre."""
    config = replace(described("cnn", 224, (14, 14)), cell_offset=(-7.5, 3.0), cell_stride=(16.0, 14.0))
    down = 112 - 7.5 + 16.0 * (torch.arange(14) - 6.5)
    across = 112 + 3.0 + 14.0 * (torch.arange(16) - 7.5)
    planes = torch.stack([down[:, None].expand(14, 16), across[None].expand(14, 16)])[None]
    rows, columns = ToGrid(config)(planes)[0]
    wanted = 16 * torch.arange(14) + 8.0
    assert rows[1:-1, 0].numpy() == pytest.approx(wanted[1:-1].numpy(), abs=1e-3)
    assert rows[-1, 0] == pytest.approx(float(down[-1]), abs=1e-3)  # beyond the outermost they stay the same
    assert columns[0, 2:-2].numpy() == pytest.approx(wanted[2:-2].numpy(), abs=1e-3)
    every = torch.zeros(1, 1, 56, 56)
    every[0, 0, 29, 30] = 1.0
    fine = ToGrid(replace(config, cell_offset=(0.0, 0.0), cell_stride=(4.0, 4.0)))(every)
    assert float(fine.sum()) == pytest.approx(1 / 16, rel=1e-5)  # no cell is skipped


def test_families() -> None:
    names = (
        "resnet101",
        "vit_base_patch16_224",
        "swin_tiny_patch4_window7_224",
        "coatnet_0_224",
        "no-such-network",
    )
    assert [encoder_family(name) for name in names] == ["cnn", "vit", "vit", "", ""]


def test_what_the_published_weights_were_trained_with() -> None:
    config = described("resnet50", 224, (14, 14))
    assert config.mean == pytest.approx((123.675, 116.28, 103.53))
    assert config.std == pytest.approx((58.395, 57.12, 57.375))
    assert config.resample == "bicubic"


def test_networks_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(GazeError, match="cannot read pictures of 8 px"):
        described("vit_tiny_patch16_224", 8, (1, 1))
    with pytest.raises(GazeError, match="no network called 'nobody'"):
        described("nobody")


def test_layers_that_do_not_show_it_leave_the_cells_even() -> None:
    assert measure_cells(timm_network("mixer_s32_224", 224), 224) is None
    assert Cells().rounded() == Cells()
