"""Transformers of RoyalSkye's checkpoints: their sizes, heads and weights."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.findings import Findings
from gazeapp.engine.models.captioner.importing.resnet import by_channel
from gazeapp.engine.models.captioner.importing.shapes import Shapes, noted_share, square_grid
from gazeapp.engine.models.captioner.importing.weights import Foreign

_FIRST = "decoder.layers.0.dec_enc_attn"
_COPY = "embedding.weight"
"""The words' features under a second name."""


def is_transformer(decoder: dict[str, Tensor]) -> bool:
    """Return whether it is a Transformer as RoyalSkye's scripts write it."""
    return "decoder.tgt_emb.weight" in decoder and f"{_FIRST}.W_Q.weight" in decoder


def transformer_parts(
    foreign: Foreign, heads: int, where: str, findings: Findings
) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]]:
    """Return what `CaptionerConfig` has to say of a Transformer, and its weights by the names used here.

    Parameters
    ----------
    foreign
        The checkpoint.
    heads
        Attention heads as the user knows them; 0 for as the checkpoint says.
    where
        The file, for what is told of it.
    findings
        Gets what was found out.

    Returns
    -------
    values
        Fields of the description.
    mixing
        Weights of the part before the decoder: the code of the places and the layers that mix the cells.
    decoder
        Weights of the decoder.

    Raises
    ------
    GazeError
        When parts are missing, the decoder attends to channels, or the number of heads cannot be known.
    """
    shapes = Shapes(foreign.decoder, where)
    if "encoder.pos_emb.weight" not in foreign.decoder:
        raise by_channel(where)
    cells, width = shapes.of("encoder.pos_emb.weight", 2)
    inner, seen = shapes.of(f"{_FIRST}.W_K.weight", 2)
    if seen != width:
        raise by_channel(where)
    words, embed = shapes.of("decoder.tgt_emb.weight", 2)
    places = shapes.of("decoder.pos_emb.weight", 2)[0]
    mixing, layers = shapes.count("encoder.layers"), shapes.count("decoder.layers")
    feed = (
        shapes.of("encoder.layers.0.pos_ffn.conv1.weight", 3)[0] if mixing else 0,
        shapes.of("decoder.layers.0.pos_ffn.conv1.weight", 3)[0],
    )
    count = _heads(foreign, heads, inner, where, findings)
    findings.inferred.append(
        f"Decoder: Transformer of {layers} layers, {inner} features over all heads, words of {embed} features, "
        f"{words} words, captions of up to {places - 1}; before it {mixing} layers that mix {cells} cells of {width} "
        "features; from the shapes of its weights."
    )
    findings.inferred.append(
        "Normalisation without learnt scale and shift, because the checkpoint has none: RoyalSkye's network makes it "
        "anew at every call."
    )
    values = {
        "decoder": "transformer", "grid": square_grid(cells, where), "width": width, "embed": embed, "layers": layers,
        "heads": count, "head_width": inner // count, "mixing_layers": mixing, "feed": feed, "max_words": places - 1,
        "dropout": noted_share(foreign.attributes, "decoder.decoder.dropout.p", where),
    }  # fmt: skip
    before, decoder = _divided(foreign.decoder, where)
    return values, before, decoder


def _heads(foreign: Foreign, asked: int, inner: int, where: str, findings: Findings) -> int:
    """Return the number of heads: shapes do not tell it, because all heads lie in one matrix."""
    settings = foreign.notes.get("final_args")
    noted = {
        "the attribute n_heads of its attention": foreign.attributes.get(f"decoder.{_FIRST}.n_heads"),
        "the settings of its training script": settings.get("n_heads")
        if isinstance(settings, dict)
        else None,
    }
    found = {source: count for source, count in noted.items() if type(count) is int}
    if asked:
        found["--heads"] = asked
    if not found:
        raise GazeError(
            "The checkpoint does not say how many attention heads it has, and the shapes of its weights cannot tell.",
            where=where,
            todo="Give the number that it was trained with, for example --heads 8.",
        )
    counts = set(found.values())
    count = min(counts)
    if len(counts) > 1 or count < 1 or inner % count:
        told = "; ".join(f"{number} by {source}" for source, number in found.items())
        raise GazeError(f"The number of attention heads does not fit {inner} features: {told}.", where=where)
    sentence = f"Attention heads: {count}, from {' and '.join(found)}; {inner // count} features each."
    (findings.assumed if list(found) == ["--heads"] else findings.inferred).append(sentence)
    return count


def _same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and one.equal(other)


def _divided(tensors: dict[str, Tensor], where: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Divide a Transformer's weights into those before the decoder and those of the decoder."""
    parts: dict[str, dict[str, Tensor]] = {"encoder": {}, "decoder": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        if part in parts:
            parts[part][rest] = tensor
        elif name != _COPY or not _same(tensor, tensors["decoder.tgt_emb.weight"]):
            raise GazeError(
                f"The checkpoint has a layer that RoyalSkye's Transformer does not: {name}.", where=where
            )
    return parts["encoder"], parts["decoder"]
