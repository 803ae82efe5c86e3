"""A layer of a Transformer decoder, over whole captions for training and word by word for saying them."""

from __future__ import annotations

import copy
import math
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

KeyValue: TypeAlias = tuple[Tensor, Tensor]


class TransformerLayer(nn.Module):
    """Causal self-attention over the words, cross-attention to the grid, feed-forward; norms first."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_self, self.norm_cross, self.norm_feed = (nn.LayerNorm(width) for _ in range(3))
        self.self_in, self.self_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.cross_out = nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.drop = nn.Dropout(dropout)

    def look(self, features: Tensor) -> KeyValue:
        """Return keys and values of the grid, each (pictures, heads, cells, width / heads)."""
        pictures, cells, width = features.shape
        parts = self.key_value(features).view(pictures, cells, 2, self.heads, width // self.heads)
        key, value = parts.permute(2, 0, 3, 1, 4)
        return key, value

    def forward(self, words: Tensor, grid: KeyValue, repeats: int) -> tuple[Tensor, Tensor]:
        """Return the words' new features and their attention to the cells.

        Parameters
        ----------
        words
            Shape (sequences, words, width).
        grid
            What `look` gave.
        repeats
            Captions of each picture.
        """
        words = words + self.drop(self._attend_words(self.norm_self(words)))
        read, attention = self._attend_grid(self.norm_cross(words), grid, repeats)
        words = words + self.drop(read)
        return words + self.drop(self.feed(self.norm_feed(words))), attention

    def _attend_words(self, words: Tensor) -> Tensor:
        count, length, width = words.shape
        parts = self.self_in(words).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        told: Tensor = self.self_out(mixed.transpose(1, 2).reshape(count, length, width))
        return told

    def _attend_grid(self, words: Tensor, grid: KeyValue, repeats: int) -> tuple[Tensor, Tensor]:
        count, length, width = words.shape
        each = width // self.heads
        pictures = count // repeats
        # The captions of a picture share its keys: they are queries of one longer sequence.
        query = self.query(words).view(pictures, repeats * length, self.heads, each).transpose(1, 2)
        key, value = grid
        weights = (query @ key.transpose(2, 3) / math.sqrt(each)).softmax(dim=-1)
        read = (weights @ value).transpose(1, 2).reshape(count, length, width)
        attention = weights.view(pictures, self.heads, repeats, length, -1).transpose(1, 2)
        return self.cross_out(read), attention.reshape(count, self.heads, length, -1)


class LayerSteps:
    """A `TransformerLayer` that takes in one word after another.

    It computes what the layer does over all words at once. In so small a network more time goes into the calls than
    into what they compute, so it holds the weights and makes as few calls as will do; that halves the time.

    Parameters
    ----------
    layer
        The layer; dropout is left out.
    features
        Grid features, shape (pictures, cells, width).
    bias
        Added to the scores of the cells, shape (pictures, cells); None for nothing.
    """

    def __init__(self, layer: TransformerLayer, features: Tensor, bias: Tensor | None) -> None:
        self._heads, self._width = layer.heads, features.shape[2]
        key, value = layer.look(features)
        self._keys, self._values = key.flatten(0, 1).transpose(1, 2), value.flatten(0, 1)
        self._bias = None if bias is None else bias.repeat_interleave(layer.heads, dim=0).unsqueeze(1)
        self._words: Tensor | None = None
        self._norm_self, self._norm_cross, self._norm_feed = (
            (norm.weight, norm.bias) for norm in (layer.norm_self, layer.norm_cross, layer.norm_feed)
        )
        self._self_in, self._self_out, self._query, self._cross_out = (
            (part.weight, part.bias) for part in (layer.self_in, layer.self_out, layer.query, layer.cross_out)
        )
        self._widen, self._narrow = (
            (part.weight, part.bias) for part in layer.feed if isinstance(part, nn.Linear)
        )

    def step(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Take in one word of each picture.

        Parameters
        ----------
        words
            Shape (pictures, width).

        Returns
        -------
        words
            The words' new features, shape (pictures, width).
        attention
            Shape (pictures, heads, cells).
        """
        words = words + self._attend_words(self._normed(words, self._norm_self))
        read, attention = self._attend_grid(self._normed(words, self._norm_cross))
        words = words + read
        wide = functional.linear(self._normed(words, self._norm_feed), *self._widen)
        return words + functional.linear(functional.gelu(wide), *self._narrow), attention

    def chosen(self, rows: Tensor) -> LayerSteps:
        """Return the same for some of the pictures, in their order; a picture may come more than once."""
        other = copy.copy(self)
        heads = (self._heads * rows[:, None] + torch.arange(self._heads, device=rows.device)).flatten()
        other._keys, other._values = self._keys[heads], self._values[heads]
        if self._bias is not None:
            other._bias = self._bias[heads]
        if self._words is not None:
            other._words = self._words[rows]
        return other

    def _normed(self, words: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return functional.layer_norm(words, (self._width,), *norm)

    def _attend_words(self, words: Tensor) -> Tensor:
        count, each = len(words), self._width // self._heads
        parts = functional.linear(words, *self._self_in).view(count, 3, self._heads, 1, each)
        new = parts[:, 1:]
        self._words = new if self._words is None else torch.cat([self._words, new], dim=3)
        key, value = self._words.unbind(1)
        mixed = functional.scaled_dot_product_attention(parts[:, 0], key, value)
        return functional.linear(mixed.reshape(count, self._width), *self._self_out)

    def _attend_grid(self, words: Tensor) -> tuple[Tensor, Tensor]:
        count, each = len(words), self._width // self._heads
        query = functional.linear(words, *self._query).view(count * self._heads, 1, each)
        scores = torch.bmm(query, self._keys) / math.sqrt(each)
        weights = (scores if self._bias is None else scores + self._bias).softmax(dim=-1)
        read = torch.bmm(weights, self._values).view(count, self._width)
        return functional.linear(read, *self._cross_out), weights.view(count, self._heads, -1)
