"""The encoder that captioners from elsewhere share: a ResNet whose last planes are pooled to the grid."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.environment import ensure_torchvision


class PooledResNet(nn.Module):
    """A ResNet without its head; adaptive average pooling brings its last planes to the grid.

    ``forward`` takes pictures of shape (batch, 3, input_size, input_size) and returns features of shape (batch,
    cells, width), cells in row-major order, as the network has them: nothing is projected, normalised or added.
    """

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        ensure_torchvision()
        import timm

        if not config.encoder.startswith("resnet") or not timm.is_model(config.encoder):
            raise GazeError(f"Captioners of the form '{config.form}' have a ResNet, not {config.encoder!r}.")
        # Any: timm's networks answer forward_features, which nn.Module does not declare.
        self.net: Any = timm.create_model(config.encoder, pretrained=False, num_classes=0)
        self.grid = config.grid

    def forward(self, pictures: Tensor) -> Tensor:
        """Return grid features, shape (batch, cells, width)."""
        planes = functional.adaptive_avg_pool2d(self.net.forward_features(pictures), self.grid)
        return planes.flatten(2).transpose(1, 2)
