"""The model card of a captioner that was trained elsewhere."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.models.captioner.card import CARD_NAME
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.types import Json


def write_import_card(folder: Path, config: CaptionerConfig) -> Path:
    """Write the model card of an imported captioner beside its weights."""
    path = folder / CARD_NAME
    path.write_text(import_card(config), "utf-8")
    return path


def import_card(config: CaptionerConfig) -> str:
    """Return the model card as Markdown."""
    origin = config.training["imported_from"]
    return f"""# {config.name}

An image captioner that was trained elsewhere and imported: {config.encoder} with the {_DECODERS[config.decoder]} of
{_FORMS[config.form]} on a grid of {config.grid[0]} x {config.grid[1]} cells; {len(config.vocabulary):,} words.

Trained on: {config.domain or "not known"}.

## Where it comes from

- `{origin["checkpoint"]}`, SHA-256 `{origin["sha256"]}`
- `{origin["words"]}`, SHA-256 `{origin["words_sha256"]}`
{_encoder_line(origin)}- Now: `weights.safetensors`, the same numbers in single precision, SHA-256 `{config.revision}`

## What was inferred

{_lines(config.training["inferred"])}

## What was assumed

{_lines(config.training["assumed"])}

## What could not be checked

{_lines(config.training["unchecked"])}

No figures were measured here: how well it describes your images is for you to see.
"""


_DECODERS = {"lstm": "LSTM decoder", "transformer": "Transformer decoder"}
_FORMS = {
    "sgrvinod": "sgrvinod's a-PyTorch-Tutorial-to-Image-Captioning",
    "royalskye": "RoyalSkye's Image-Caption",
}


def _encoder_line(origin: Json) -> str:
    return f"- The encoder's weights: `{origin['encoder_weights']}`\n" if origin["encoder_weights"] else ""


def _lines(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
