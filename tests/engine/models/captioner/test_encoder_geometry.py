"""Cells lie where their receptive fields do, and features are brought to where the grid has its cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import DescribeOptions
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.encoder_cells import measure_cells
from gazeapp.engine.models.captioner.encoder_facts import encoder_family, with_encoder_facts
from gazeapp.engine.models.captioner.encoder_geometry import Cells, ToGrid, map_rect, pooled_cells
from gazeapp.engine.models.captioner.encoders import Encoder, timm_network
from gazeapp.engine.models.captioner.lesion import cell_share
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.types import Rect

SIZE, GRID = 192, (12, 12)
WORDS = ("<pad>", "<end>", "<start>")


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


@pytest.mark.parametrize(("name", "side"), [("resnet18", 16), ("regnetx_002", 24)])
def test_cells_lie_where_the_gradient_of_positive_weights_is_centred(name: str, side: int) -> None:
    """The truth is autograd's, which knows nothing of kernels, strides and padding; afterwards they are in place."""
    encoder = Encoder(described(name, 16 * side, (side, side)))
    pictures = torch.rand(1, 3, 16 * side, 16 * side, requires_grad=True)
    own = positive(encoder.net).forward_features(pictures)
    moved = encoder.to_grid(own)
    assert own.shape[2:] == moved.shape[2:] == (side, side)
    cells = [(side // 2, side // 2 - 1), (side // 2 - 1, side // 2)]
    seen = centres(
        torch.stack([planes[0, :, i, j].sum() for planes in (own, moved) for i, j in cells]), pictures
    )
    assert seen[:2] / 16 == pytest.approx(np.array(cells) + 0.5 / 16, abs=0.05)
    assert seen[2:] / 16 == pytest.approx(np.array(cells) + 0.5, abs=0.05)


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
    return tokens.transpose(1, 2).reshape(1, -1, side, side)


@pytest.mark.parametrize("name", ["resnet10t", "convnext_atto", "vit_tiny_patch16_224"])
@pytest.mark.parametrize("place", [(2, 9), (7, 4)])
def test_a_dot_moves_the_features_of_its_cell_most(name: str, place: tuple[int, int]) -> None:
    torch.manual_seed(1)
    encoder = Encoder(described(name)).eval()
    pictures = torch.zeros(2, 3, SIZE, SIZE)
    row, column = (16 * k + 8 for k in place)
    pictures[1, :, row - 4 : row + 4, column - 4 : column + 4] = 3.0
    with torch.inference_mode():
        if name.startswith("vit"):
            planes = (
                encoder.to_grid(patches(encoder, pictures[:1])),
                encoder.to_grid(patches(encoder, pictures[1:])),
            )
            change = (planes[1] - planes[0]).norm(dim=1)[0]
        else:
            features = encoder.to_grid(encoder.net.forward_features(pictures))
            change = (features[1] - features[0]).norm(dim=0)
    assert divmod(int(change.argmax()), GRID[1]) == place


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


def test_pooled_cells_of_the_published_resnet_captioner() -> None:
    """256 px, stride 32, 8 x 8 pooled to 14 x 14: centres by hand, and the rectangle that fits them best."""
    network = timm_network("resnet18", 256)
    cells = measure_cells(network, 256)
    assert cells is not None
    assert (cells.offset, cells.stride) == ((-15.5, -15.5), (32.0, 32.0))
    pooled = pooled_cells(cells, (8, 8), (14, 14))
    lows, highs = np.arange(14) * 8 // 14, -(-(np.arange(14) + 1) * 8 // 14) - 1
    by_hand = 32 * (lows + highs) / 2 + 0.5
    slope, middle = np.polyfit(np.arange(14) - 6.5, by_hand, 1)
    assert pooled.stride == pytest.approx((slope, slope))
    assert pooled.offset[0] == pytest.approx(middle - 128)
    config = replace(
        described("cnn", 256, (14, 14)), form="sgrvinod", cell_offset=pooled.offset, cell_stride=pooled.stride
    )
    rect = map_rect(config, 512, 256)
    assert rect.y + rect.height / 2 == pytest.approx(112.5)
    assert (rect.x, rect.width) == pytest.approx((2 * rect.y, 2 * rect.height))
    assert rect.height == pytest.approx(14 * slope)
    assert map_rect(described("cnn"), 512, 256) == Rect(0, 0, 512, 256)


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


def test_maps_and_lesions_of_captioners_from_elsewhere_lie_where_their_cells_do() -> None:
    """A description of 8 x 8 cells, 12 px apart, 4 px too far up and left: over 256 x 128 px it sticks out."""
    torch.manual_seed(0)
    config = replace(described("cnn", 128, (8, 8)), encoder="cnn")
    network = Captioner(config).eval()
    network.config = replace(config, form="sgrvinod", cell_offset=(-20.0, -20.0), cell_stride=(12.0, 12.0))
    model = CaptionerModel(network, captioner_info(Path("x"), network.config))
    image = np.zeros((128, 256, 3), np.uint8)
    assert model.describe(image, "general").rect == Rect(-8.0, -4.0, 192.0, 96.0)
    mask = np.zeros((128, 256), np.float32)
    mask[:8, :40] = 1.0
    lesion = Lesion(mask, "keys", 1.0)
    share = cell_share(lesion, (8, 8), map_rect(network.config, 256, 128)).reshape(8, 8)
    # Cells are 24 px wide from -8 and 12 px high from -4.
    assert share[0].tolist() == [1, 1, *[0] * 6]
    assert not share[1:].any()
    taken = np.array(model.describe(image, "general", options=DescribeOptions(lesion=lesion)).maps)
    assert not taken[:, 0, :2].any()
    assert taken[:, 0, 2:].all()
