"""The decoders of captioners written out in plain float64 numbers, to hold the networks against."""

from __future__ import annotations

import numpy as np
from scipy.special import erf, log_softmax, softmax

from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.types import DoubleArray

Weights = dict[str, DoubleArray]


def read(
    network: Captioner,
    features: DoubleArray,
    tokens: list[int],
    left: DoubleArray,
    left_at_start: DoubleArray,
) -> tuple[DoubleArray, DoubleArray]:
    """Read a caption word by word.

    Parameters
    ----------
    network
        Whose decoder's weights are taken.
    features
        Grid features, shape (cells, width).
    tokens
        The task's token, then the caption's.
    left
        What is left of every cell: its weight before attention is normalised, shape (cells,).
    left_at_start
        What is left of every cell in the mean that an LSTM starts from.

    Returns
    -------
    log_probabilities
        Of every word of the vocabulary after each token, shape (tokens, words).
    attention
        Shape (layers, heads, tokens, cells).
    """
    own = {name: value.double().numpy() for name, value in network.decoder.state_dict().items()}
    if network.config.decoder == "lstm":
        return _lstm(own, features, tokens, left, left_at_start)
    return _transformer(own, network.config.layers, network.config.heads, features, tokens, left)


def _linear(own: Weights, name: str, x: DoubleArray) -> DoubleArray:
    return x @ own[f"{name}.weight"].T + own.get(f"{name}.bias", 0.0)


def _attention(scores: DoubleArray, left: DoubleArray) -> DoubleArray:
    weights = softmax(scores, axis=-1) * left
    return weights / weights.sum(axis=-1, keepdims=True)


def _sigmoid(x: DoubleArray) -> DoubleArray:
    return 1 / (1 + np.exp(-x))


def _lstm(
    own: Weights, features: DoubleArray, tokens: list[int], left: DoubleArray, at_start: DoubleArray
) -> tuple[DoubleArray, DoubleArray]:
    seen = at_start @ features / at_start.sum()
    hidden, memory = np.split(np.tanh(_linear(own, "start", seen)), 2)
    keys = _linear(own, "key", features)
    logs, attention = [], []
    for token in tokens:
        word = own["embed.weight"][token]
        gates = np.concatenate([word, seen]) @ own["cell.weight_ih"].T + own["cell.bias_ih"]
        gates += hidden @ own["cell.weight_hh"].T + own["cell.bias_hh"]
        come, stay, new, show = np.split(gates, 4)
        memory = _sigmoid(stay) * memory + _sigmoid(come) * np.tanh(new)
        hidden = _sigmoid(show) * np.tanh(memory)
        energy = _linear(own, "energy", np.tanh(keys + _linear(own, "query", hidden)))[:, 0]
        weights = _attention(energy, left)
        seen = weights @ features * _sigmoid(_linear(own, "gate", hidden))
        deep = np.tanh(_linear(own, "out.0", np.concatenate([hidden, seen, word])))
        logs.append(log_softmax(_linear(own, "out.2", deep)))
        attention.append(weights)
    return np.stack(logs), np.stack(attention)[None, None]


def _normed(own: Weights, name: str, x: DoubleArray) -> DoubleArray:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(centred.var(axis=-1, keepdims=True) + 1e-5)
    return centred / spread * own[f"{name}.weight"] + own[f"{name}.bias"]


def _heads(x: DoubleArray, heads: int) -> DoubleArray:
    """Return (rows, width) as (heads, rows, width / heads)."""
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)


def _mixed(weights: DoubleArray, value: DoubleArray) -> DoubleArray:
    return (weights @ value).transpose(1, 0, 2).reshape(weights.shape[1], -1)


def _transformer(
    own: Weights, layers: int, heads: int, features: DoubleArray, tokens: list[int], left: DoubleArray
) -> tuple[DoubleArray, DoubleArray]:
    """Read all words at once: no word knows of the later ones."""
    words = own["embed.weight"][tokens] + own["place"][0, : len(tokens)]
    earlier = np.tril(np.ones((len(tokens), len(tokens))))
    attention = []
    for k in range(layers):
        part = f"stack.{k}."
        query, key, value = (
            _heads(each, heads)
            for each in np.split(
                _linear(own, part + "self_in", _normed(own, part + "norm_self", words)), 3, 1
            )
        )
        scale = np.sqrt(query.shape[2])
        mixed = _mixed(_attention(query @ key.transpose(0, 2, 1) / scale, earlier), value)
        words = words + _linear(own, part + "self_out", mixed)
        query = _heads(_linear(own, part + "query", _normed(own, part + "norm_cross", words)), heads)
        key, value = (
            _heads(each, heads) for each in np.split(_linear(own, part + "key_value", features), 2, 1)
        )
        weights = _attention(query @ key.transpose(0, 2, 1) / scale, left)
        words = words + _linear(own, part + "cross_out", _mixed(weights, value))
        wide = _linear(own, part + "feed.0", _normed(own, part + "norm_feed", words))
        words = words + _linear(own, part + "feed.2", wide * (1 + erf(wide / np.sqrt(2))) / 2)
        attention.append(weights)
    logits = _linear(own, "out", _normed(own, "norm", words))
    return log_softmax(logits, axis=1), np.stack(attention)
