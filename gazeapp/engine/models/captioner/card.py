"""The model card: what a captioner was trained on, how well it does, and what it is not for."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.types import Json

CARD_NAME = "MODEL_CARD.md"
_ENTRIES = {
    "objects": "colour and noun of an object, in its box (general)",
    "targets": "words for what is looked at, pointed to or held, in its box (social)",
    "people": "sex and shirt of a person, in the person's box (social)",
    "heads": "the caption's map, on people's heads (social)",
    "heads_general": "the caption's map, on people's heads (general)",
}


def write_card(folder: Path, config: CaptionerConfig) -> Path:
    """Write the model card of a captioner beside its weights."""
    path = folder / CARD_NAME
    path.write_text(card(config), "utf-8")
    return path


def card(config: CaptionerConfig) -> str:
    """Return the model card as Markdown."""
    training, figures = config.training, config.figures
    command = (
        f"gazeapp train --data {training['data']} --encoder {config.encoder} --decoder {config.decoder} "
        f"--steps {training['steps']} --batch {training['batch']} --seed {training['seed']} -o DIR"
    )
    exact, accuracy = figures["exact"], figures["token_accuracy"]
    return f"""# {config.name}

A small image captioner that shows where it attends for each word.
Encoder: {_encoder(config)}.
Decoder: {_decoder(config)}.
Both tasks ({", ".join(config.tasks)}) are one model; a token tells it which.

## Data and training

Drawn scenes of the demo world ({training["n_scenes"]:,} seeds of its training split) with their true
general and social captions; no photograph, no recording of a person, no text from elsewhere.
{training["steps"]:,} steps of {training["batch"]} scenes, AdamW, highest rate {training["rate"]},
seed {training["seed"]}; {training["seconds"]:,} s on one shared processor core. Nothing told the model where to look.

    {command}

Weights: `weights.safetensors`, float16, SHA-256 `{config.revision}`.

## Figures on held-out scenes

{figures["n_test"]:,} test scenes, drawn at 512 px and stretched to {config.input_size} px; layer and heads were chosen
on {figures["n_validation"]:,} validation scenes. Training, validation, test and demo scenes share no seed.

| | general | social |
|---|---|---|
| captions said word for word | {exact["general"]:.3f} | {exact["social"]:.3f} |
| words right after the true words before | {accuracy["general"]:.4f} | {accuracy["social"]:.4f} |

Where it attends (along the true captions). Ratio: share of attention over share of the image's area;
1 is an even spread. Shuffled: the same with boxes of other scenes, which the layout of scenes alone gives.

{_attention(config, figures)}

Default map method: `{config.default_method}`.

## What it is not for

It knows {len(config.vocabulary)} tokens and one drawn world. On photographs its captions are wrong and its maps are
no evidence about anything; gazeapp marks them as outside what it was trained on. It is a
demonstration and a test object, not a model of human vision.
"""


def _attention(config: CaptionerConfig, figures: Json) -> str:
    lines = ["| map method | attention to | share | area | ratio | shuffled |", "|---|---|---|---|---|---|"]
    for method, entries in figures["attention"].items():
        star = " (default)" if method == config.default_method else ""
        for key, label in _ENTRIES.items():
            e = entries[key]
            lines.append(
                f"| `{method}`{star} | {label} | {e['share']:.3f} | {e['area']:.3f} "
                f"| {e['ratio']:.1f} | {e['shuffled']:.1f} |"
            )
    return "\n".join(lines)


def _encoder(config: CaptionerConfig) -> str:
    small = {
        "cnn": "a ResNet of four basic blocks (timm), stride 16",
        "vit": "a Vision Transformer of four layers and four heads (timm), patches of 16 px",
    }
    network = small.get(config.encoder, f"timm's {config.encoder}")
    return (
        f"{network}, on a grid of {config.grid[0]} x {config.grid[1]} with a fixed sine-cosine position code"
    )


def _decoder(config: CaptionerConfig) -> str:
    if config.decoder == "lstm":
        return f"an LSTM of {config.state} units with soft additive attention and a gate"
    return f"a Transformer of {config.layers} layers and {config.heads} heads with cross-attention"
