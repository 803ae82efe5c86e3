"""Encoders: a picture becomes features on the common grid. Every network comes from timm."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.encoder_geometry import ToGrid, planes_of
from gazeapp.engine.models.environment import ensure_torchvision


def position_code(rows: int, columns: int, width: int) -> Tensor:
    """Return the fixed sine-cosine code of grid positions, shape (rows * columns, width).

    Half of the features code the row and half the column, with wavelengths from 5 to 150 cells.
    A fixed code is used because small learnt ones did not let LSTM decoders take off.
    """
    quarter = width // 4
    rate = 1.2 / 30 ** (torch.arange(quarter) / quarter)

    def code(count: int) -> Tensor:
        angle = torch.arange(float(count))[:, None] * rate
        return torch.cat([angle.sin(), angle.cos()], dim=1)

    across = code(rows)[:, None].expand(rows, columns, -1)
    along = code(columns)[None].expand(rows, columns, -1)
    return torch.cat([across, along], dim=2).reshape(rows * columns, -1)


class PatchEmbedding(nn.Module):
    """Non-overlapping patches, embedded in two convolutions; each token sees only its own patch."""

    def __init__(self, img_size: int, patch_size: int, in_chans: int, embed_dim: int, **_: Any) -> None:
        super().__init__()
        side = img_size // patch_size
        self.grid_size = (side, side)
        self.num_patches = side * side
        self.patch_size = (patch_size, patch_size)
        self.project = nn.Sequential(
            nn.Conv2d(in_chans, 48, 4, 4),
            nn.GELU(),
            nn.BatchNorm2d(48),
            nn.Conv2d(48, embed_dim, patch_size // 4, patch_size // 4),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Return patch tokens, shape (batch, patches, width)."""
        tokens: Tensor = self.project(pictures).flatten(2).transpose(1, 2)
        return tokens


def _small_cnn() -> tuple[nn.Module, int]:
    """Return a small ResNet of stride 16 whose cells lie exactly where their receptive fields do.

    A usual ResNet's strided 3 x 3 convolutions are centred on the first pixel of each pair; over four
    halvings that moves every cell's receptive field half a cell up and to the left of the cell's place
    in the picture. Kernels of even size, centred between the pixels, keep the two together. The stem
    goes straight to a quarter of the size, because timm's would cost more than all the rest.
    """
    from timm.models import resnet

    block: Any = resnet.BasicBlock
    net: Any = resnet.ResNet(
        block, (1, 1, 1, 1), channels=(32, 64, 96, 96), stem_type="deep", stem_width=12,
        output_stride=16, avg_down=True, num_classes=0, global_pool="",
    )  # fmt: skip
    net.conv1 = nn.Conv2d(3, 24, 6, stride=4, padding=1, bias=False)
    net.maxpool = nn.Identity()
    net.layer2[0].conv1 = nn.Conv2d(32, 64, 4, stride=2, padding=1, bias=False)
    net.layer3[0].conv1 = nn.Conv2d(64, 96, 4, stride=2, padding=1, bias=False)
    return net, 96


def _small_vit(config: CaptionerConfig) -> tuple[nn.Module, int]:
    from timm.models.vision_transformer import VisionTransformer

    net: Any = VisionTransformer(
        img_size=config.input_size, patch_size=config.input_size // config.grid[0], embed_dim=config.width,
        depth=4, num_heads=4, mlp_ratio=2, num_classes=0, class_token=False, global_pool="",
        embed_layer=PatchEmbedding,
    )  # fmt: skip
    with torch.no_grad():
        net.pos_embed.copy_(position_code(*config.grid, config.width) * 0.5)
    return net, config.width


def timm_network(name: str, input_size: int, grid: tuple[int, int] | None = None) -> Any:
    """Return a network of timm with random weights, for square pictures, without its classifier.

    Parameters
    ----------
    name
        A name that timm knows.
    input_size
        Side of the pictures, px.
    grid
        Rows and columns that are wanted; networks that can (ResNet, ConvNeXt, RegNet, EfficientNet...) are built with
        dilation instead of their last halvings, so that they give this many. None builds them as they were trained.

    Raises
    ------
    GazeError
        When timm knows no such network.
    """
    ensure_torchvision()
    import timm

    if not timm.is_model(name):
        raise GazeError(
            f"timm knows no network called {name!r}.",
            todo="Use cnn, vit or a name from timm.list_models().",
        )
    stride = input_size // grid[0] if grid else 0
    ways: list[dict[str, Any]] = [{"output_stride": stride}] if stride in (8, 16) else []
    for way in (*ways, {"img_size": input_size}):
        try:
            return timm.create_model(name, pretrained=False, num_classes=0, **way)
        except (TypeError, AssertionError, NotImplementedError):
            continue  # it knows no such setting
    return timm.create_model(name, pretrained=False, num_classes=0)


def _network(config: CaptionerConfig) -> tuple[nn.Module, int]:
    """Return an encoder's network and the number of features that it gives."""
    if config.encoder == "cnn":
        return _small_cnn()
    if config.encoder == "vit":
        return _small_vit(config)
    network = timm_network(config.encoder, config.input_size, config.grid)
    return network, int(network.num_features)


class Encoder(nn.Module):
    """A timm network, then features on the common grid with the fixed position code added.

    ``forward`` takes pictures of shape (batch, 3, input_size, input_size) and returns features of
    shape (batch, cells, width), cells in row-major order.
    """

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        ensure_torchvision()
        network, features = _network(config)
        # Any: timm's networks answer forward_features, which nn.Module does not declare.
        self.net: Any = network
        self.to_grid = ToGrid(config)
        self.project = nn.Linear(features, config.width)
        self.norm = nn.LayerNorm(config.width)
        self.position: Tensor
        self.register_buffer("position", position_code(*config.grid, config.width), persistent=False)
        self._frozen = False

    def forward(self, pictures: Tensor) -> Tensor:
        """Return grid features, shape (batch, cells, width)."""
        planes = self.to_grid(planes_of(self.net, self.net.forward_features(pictures)))
        cells = self.norm(self.project(planes.flatten(2).transpose(1, 2)))
        located: Tensor = cells + self.position.to(cells.dtype)
        return located

    def freeze(self) -> None:
        """Keep the network as it is: no gradients, and no running statistics; projection and norm go on learning."""
        self._frozen = True
        self.net.requires_grad_(False)
        self.net.eval()

    def train(self, mode: bool = True) -> Self:
        """Set training mode; a frozen network stays as it is when it is used."""
        super().train(mode)
        if self._frozen:
            self.net.eval()
        return self
