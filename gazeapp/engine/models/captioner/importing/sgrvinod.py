"""LSTM decoders of sgrvinod's and RoyalSkye's checkpoints: their sizes and weights."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.findings import Findings
from gazeapp.engine.models.captioner.importing.shapes import Shapes, noted_share, noted_side
from gazeapp.engine.models.captioner.importing.weights import Foreign

_CELLS = {"decode_step": "sgrvinod", "lstm": "royalskye"}
"""How the two call the LSTM, which is all that tells their checkpoints apart."""

_LONGEST = 51
"""Steps after which both scripts give up on a caption."""


def lstm_form(decoder: dict[str, Tensor]) -> str:
    """Return whose LSTM decoder it is, ``sgrvinod`` or ``royalskye``; empty for none."""
    return next(
        (
            form
            for name, form in _CELLS.items()
            if f"{name}.weight_ih" in decoder and "attention.full_att.weight" in decoder
        ),
        "",
    )


def lstm_parts(foreign: Foreign, where: str, findings: Findings) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what `CaptionerConfig` has to say of an LSTM decoder, and its weights by the names used here.

    Raises
    ------
    GazeError
        When parts of it are missing.
    """
    cell = next(name for name in _CELLS if f"{name}.weight_ih" in foreign.decoder)
    shapes = Shapes(foreign.decoder, where)
    attention, width = shapes.of("attention.encoder_att.weight", 2)
    state = shapes.of(f"{cell}.weight_hh", 2)[1]
    taken_in = shapes.of(f"{cell}.weight_ih", 2)[1]
    embed = taken_in - width
    if embed < 1:
        raise GazeError(
            f"{cell}.weight_ih takes in {taken_in} features, too few for a word and a cell of {width}.",
            where=where,
            todo="It is of a form that is not known.",
        )
    words = shapes.of("fc.weight", 2)[0]
    findings.inferred.append(
        f"Decoder: LSTM of {state} units, attention of {attention}, words of {embed} features, cells of {width}, "
        f"{words} words, from the shapes of its weights."
    )
    side = noted_side(foreign.attributes, "encoder.enc_image_size", 14, where)
    told = "encoder.enc_image_size" in foreign.attributes
    (findings.inferred if told else findings.assumed).append(
        f"Grid: {side} x {side} cells, {'noted in the encoder' if told else 'as both scripts have by default'}."
    )
    findings.assumed.append(f"Captions end after {_LONGEST} words at the latest, as in both scripts.")
    dropout = noted_share(foreign.attributes, "decoder.dropout.p", where)
    values = {
        "decoder": "lstm", "grid": (side, side), "width": width, "embed": embed, "state": state,
        "attention": attention, "max_words": _LONGEST, "dropout": dropout,
    }  # fmt: skip
    renamed = {
        f"decode_step{name.removeprefix(cell)}" if name.startswith(f"{cell}.") else name: tensor
        for name, tensor in foreign.decoder.items()
    }
    return values, renamed
