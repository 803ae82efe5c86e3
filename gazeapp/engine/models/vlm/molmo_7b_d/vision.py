"""The eyes of Molmo 7B-D: vision encoder, pooling of 2 x 2 patches, and projection to the language model.

Names of modules and parameters are those of the public checkpoint. Source: model of allenai/molmo at commit
793fa387, written anew from its rules and compared with its outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazeapp.engine.models.vlm.molmo_7b_d.config import VisionSizes
from gazeapp.engine.models.vlm.molmo_7b_d.geometry import PATCH, SLOTS


class VisionAttention(nn.Module):
    """Attention with several heads between patches of a crop.

    Parameters
    ----------
    width_in
        Width of queries, keys and values before their projection.
    sizes
        Heads and their width, and the width that comes out.
    """

    def __init__(self, width_in: int, sizes: VisionSizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        inner = sizes.heads * sizes.head_width
        self.wq = nn.Linear(width_in, inner)
        self.wk = nn.Linear(width_in, inner)
        self.wv = nn.Linear(width_in, inner)
        self.wo = nn.Linear(inner, sizes.width)

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return what each query, shape (n, q, width_in), gathers from the keys, (n, k, width_in)."""
        # In float32 whatever the weights are, as in the authors' code: a crop is small, and half precision
        # would cost accuracy for nothing.
        q, k, v = (
            layer(states).view(*states.shape[:-1], self.heads, -1).transpose(1, 2).float()
            for layer, states in ((self.wq, queries), (self.wk, keys), (self.wv, keys))
        )
        gathered = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        out: Tensor = self.wo(gathered.to(queries.dtype))
        return out


class VisionFeedForward(nn.Module):
    """Two layers with the fast approximation of GELU between them."""

    def __init__(self, sizes: VisionSizes) -> None:
        super().__init__()
        self.w1 = nn.Linear(sizes.width, sizes.mlp_width)
        self.w2 = nn.Linear(sizes.mlp_width, sizes.width)

    def forward(self, states: Tensor) -> Tensor:
        """Return states of the same shape."""
        inner = self.w1(states)
        out: Tensor = self.w2(inner * torch.sigmoid(1.702 * inner))
        return out


class VisionBlock(nn.Module):
    """One block of the encoder; each half is normalised first and added to what came in."""

    def __init__(self, sizes: VisionSizes) -> None:
        super().__init__()
        self.attention = VisionAttention(sizes.width, sizes)
        self.feed_forward = VisionFeedForward(sizes)
        self.attention_norm = nn.LayerNorm(sizes.width, sizes.norm_eps)
        self.ffn_norm = nn.LayerNorm(sizes.width, sizes.norm_eps)

    def forward(self, states: Tensor) -> Tensor:
        """Return states of the same shape."""
        normed = self.attention_norm(states)
        states = states + self.attention(normed, normed)
        out: Tensor = states + self.feed_forward(self.ffn_norm(states))
        return out


class VisionEncoder(nn.Module):
    """The image transformer, which sees one crop at a time."""

    def __init__(self, sizes: VisionSizes) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(sizes.width))
        self.positional_embedding = nn.Parameter(torch.empty(sizes.positions, sizes.width))
        self.patch_embedding = nn.Linear(3 * PATCH * PATCH, sizes.width, bias=False)
        self.pre_ln = nn.LayerNorm(sizes.width, sizes.norm_eps)
        self.transformer = nn.ModuleDict(
            {"resblocks": nn.ModuleList(VisionBlock(sizes) for _ in range(sizes.blocks))}
        )
        self._taken = [sizes.blocks + index for index in sizes.taken_blocks]

    def forward(self, patches: Tensor) -> Tensor:
        """Return features of patches.

        Parameters
        ----------
        patches
            Shape (crops, 576, 588).

        Returns
        -------
        torch.Tensor
            Shape (crops, 576, 2 x width): outputs of two blocks side by side, the later block first.
        """
        states = self.patch_embedding(patches)
        first = self.class_embedding.expand(len(states), 1, -1)
        states = self.pre_ln(torch.cat([first, states], dim=1) + self.positional_embedding)
        taken = {}
        # Blocks after the last one that is taken have weights in the checkpoint, but nothing reads them.
        for index, block in enumerate(self.transformer["resblocks"][: max(self._taken) + 1]):  # type: ignore[index]
            states = block(states)
            taken[index] = states[:, 1:]
        return torch.cat([taken[index] for index in self._taken], dim=-1)


class Projector(nn.Module):
    """From the encoder's width to the language model's, gated."""

    def __init__(self, width_in: int, width: int, mlp_width: int) -> None:
        super().__init__()
        self.w1 = nn.Linear(width_in, mlp_width, bias=False)
        self.w2 = nn.Linear(mlp_width, width, bias=False)
        self.w3 = nn.Linear(width_in, mlp_width, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features, shape (..., width of the language model)."""
        out: Tensor = self.w2(functional.silu(self.w1(features)) * self.w3(features))
        return out


class VisionBackbone(nn.Module):
    """Everything between patches and what is added to the image's words.

    Parameters
    ----------
    sizes
        Of the encoder.
    width, mlp_width
        Of the language model and of its gated layers.
    """

    def __init__(self, sizes: VisionSizes, width: int, mlp_width: int) -> None:
        super().__init__()
        joined = len(sizes.taken_blocks) * sizes.width
        self.pad_embed = nn.Parameter(torch.empty(2, joined))
        self.image_vit = VisionEncoder(sizes)
        self.image_pooling_2d = VisionAttention(joined, sizes)
        self.image_projector = Projector(sizes.width, width, mlp_width)

    def forward(self, images: Tensor, image_masks: Tensor) -> Tensor:
        """Return one feature for each slot of each crop.

        Parameters
        ----------
        images
            Patches, shape (batch, crops, 576, 588).
        image_masks
            What of each patch is not border, as `preprocess.cut` returns it; shape (batch, crops, 576).

        Returns
        -------
        torch.Tensor
            Shape (batch, crops, 144, width of the language model).
        """
        features = self.image_vit(images.flatten(0, 1).to(self.pad_embed.dtype))
        shares = image_masks.flatten(0, 1)[..., None]
        # The -1 of the last crop counts as partly border: the weights were learned so.
        features = features + self.pad_embed[0] * (shares == 0).to(features.dtype)
        features = features + self.pad_embed[1] * ((shares < 1) & (shares != 0)).to(features.dtype)
        projected: Tensor = self.image_projector(self.pooled(features))
        return projected.view(*images.shape[:2], *projected.shape[1:])

    def pooled(self, features: Tensor) -> Tensor:
        """Pool 2 x 2 patches into one by attention whose query is their mean.

        Parameters
        ----------
        features
            Shape (crops, 576, 2 x width).

        Returns
        -------
        torch.Tensor
            Shape (crops, 144, width).
        """
        grid = features.view(-1, SLOTS, 2, SLOTS, 2, features.shape[-1])
        fours = grid.transpose(2, 3).flatten(3, 4).flatten(0, 2)
        out: Tensor = self.image_pooling_2d(fours.mean(dim=1, keepdim=True), fours)
        return out.view(len(features), SLOTS * SLOTS, -1)
