"""Map methods of captioners: which attention of which layer and heads makes a word's map.

``alpha`` is the soft attention of an LSTM decoder. ``alpha-gated`` has the same maps of words, but counts how much of
what was attended the decoder let through its gate: a word's share of attention on the image is its gate, and the
caption's map is the mean of its words' maps weighted by their gates, sum(gate_t alpha_t) / sum(gate_t): where what the
decoder read came from. Where a gate has many features, it is their mean.

For Transformer decoders ``cross-L1-H0+2`` is the mean of heads 0 and 2 of layer 1, ``cross-L1-mean`` the mean of all
heads of layer 1, and ``cross-mean`` the mean of all heads of all layers; layers and heads count from 0.
"""

from __future__ import annotations

import re

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.types import FloatArray

ALPHA, GATED = "alpha", "alpha-gated"
_CROSS = re.compile(r"cross-(?:mean|L(?P<layer>\d+)-(?:mean|H(?P<heads>\d+(?:\+\d+)*)))")


def offered_methods(config: CaptionerConfig) -> tuple[str, ...]:
    """Return the map methods to offer for a captioner, its default first."""
    if config.decoder == "lstm":
        return (ALPHA, GATED)
    means = [f"cross-L{layer}-mean" for layer in reversed(range(config.layers))]
    default = config.default_method or means[0]
    return tuple(dict.fromkeys((default, *means, "cross-mean")))


def method_id(layer: int, chosen: tuple[int, ...], heads: int) -> str:
    """Return the map method that averages the ``chosen`` of a layer's ``heads`` heads."""
    if len(chosen) == heads:
        return f"cross-L{layer}-mean"
    return f"cross-L{layer}-H{'+'.join(str(head) for head in sorted(chosen))}"


def check_captioner_method(info: ModelInfo, method: str) -> None:
    """Refuse a map method that a captioner does not have, by the layers and heads that its description says.

    Raises
    ------
    GazeError
        When it has no such method; the sentence says what it has.
    """
    if method in info.methods:
        return
    layers, heads = len(info.facts.get("layers", ())), int(info.facts.get("heads", 0))
    if _CROSS.fullmatch(method) is None or not layers:
        todo = f"It offers: {', '.join(info.methods)}."
        if layers:
            todo += " Single heads can be named, too, such as cross-L0-H0 or cross-L0-H0+1."
        raise GazeError(f"{info.name} has no map method '{method}'.", todo=todo)
    _layer_and_heads(method, layers, heads)


def has_layer_and_heads(method: str, layers: int, heads: int) -> bool:
    """Return whether a method of a Transformer decoder names a layer and heads among so many."""
    if _CROSS.fullmatch(method) is None or not layers:
        return False
    try:
        _layer_and_heads(method, layers, heads)
    except GazeError:
        return False
    return True


def pick_attention(attention: FloatArray, method: str) -> FloatArray:
    """Average the attention of the layers and heads that ``method`` names.

    Parameters
    ----------
    attention
        Shape (layers, heads, words, cells); (1, 1, words, cells) for an LSTM decoder.
    method
        A map method.

    Returns
    -------
    numpy.ndarray
        Shape (words, cells), float32.

    Raises
    ------
    GazeError
        When ``method`` is no map method of this decoder, or names a layer or head it lacks.
    """
    layers, heads = attention.shape[:2]
    if method in (ALPHA, GATED) and layers == heads == 1:
        alpha: FloatArray = attention[0, 0]
        return alpha
    layer, chosen = _layer_and_heads(method, layers, heads)
    if layer is None:
        every: FloatArray = attention.mean(axis=(0, 1))
        return every
    mean: FloatArray = attention[layer, chosen].mean(axis=0)
    return mean


def _layer_and_heads(method: str, layers: int, heads: int) -> tuple[int | None, list[int]]:
    """Return the layer, None for all, and the heads that a method of a Transformer decoder names."""
    match = _CROSS.fullmatch(method)
    if match is None:
        raise GazeError(
            f"'{method}' is no map method of this model.",
            todo="Use alpha or alpha-gated for LSTM decoders, or for example cross-L1-mean or cross-L0-H1+3.",
        )
    if match["layer"] is None:
        return None, list(range(heads))
    layer = int(match["layer"])
    chosen = [int(head) for head in match["heads"].split("+")] if match["heads"] else list(range(heads))
    if layer >= layers or max(chosen) >= heads or len(set(chosen)) < len(chosen):
        raise GazeError(
            f"'{method}' names a layer or head that this model lacks, or one head twice.",
            todo=f"It has layers 0 to {layers - 1} with heads 0 to {heads - 1}.",
        )
    return layer, chosen
