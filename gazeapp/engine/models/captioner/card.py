"""The model card: what a captioner was trained on, how well it does, and what it is not for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.markdown import plain
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import Json

CARD_NAME = "MODEL_CARD.md"
_SETTINGS = (
    "tasks", "batch", "accumulate", "rate", "encoder_rate", "warmup", "weight_decay", "frozen", "grid", "width",
    "dropout", "max_words", "doubly_stochastic", "min_count", "precision", "seed", "evaluate_every", "patience",
    "measure",
)  # fmt: skip
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
    with replacing(path) as partial:
        partial.write_text(card(config), "utf-8")
    return path


def card(config: CaptionerConfig) -> str:
    """Return the model card as Markdown."""
    return _demo_card(config) if config.domain == "demo-world" else _caption_card(config)


def _demo_card(config: CaptionerConfig) -> str:
    training, figures = config.training, config.figures
    command = (
        f"gazeapp train --data {training['data']} --encoder {config.encoder} --decoder {config.decoder} "
        f"--steps {training['steps']} --batch {training['batch']} --seed {training['seed']}{_others(training)} -o DIR"
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
seed {training["seed"]}; {_where(training)}. Nothing told the model where to look.

    {command}

Weights: `weights.safetensors`, float16, SHA-256 `{config.revision}`.
{_course(training)}
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


def _others(training: Json) -> str:
    """Return the other settings that are not the demo's, as options of the command."""
    usual = TrainSettings().to_json()
    named = ("encoder", "decoder", "data", "steps", "batch", "seed", "name")
    changed = [key for key in usual if key not in named and training.get(key, usual[key]) != usual[key]]
    return "".join(f" --set {key}={json.dumps(training[key])}" for key in changed)


def _caption_card(config: CaptionerConfig) -> str:
    training = config.training
    decides = {
        key: value for key, value in training.items() if key in _SETTINGS and value not in ("", (), [])
    }
    notes = "".join(f"- {plain(note)}\n" for note in training["notes"])
    return f"""# {plain(config.name)}

An image captioner that shows where it attends for each word, trained with gazeapp.
Encoder: {_encoder(config)}, input {config.input_size} x {config.input_size} px.
Decoder: {_decoder(config)}.
Tasks: {", ".join(plain(task) for task in config.tasks)}; a token tells it which.

## Data

{plain(training["data"])} ({plain(training["form"])}).

| | |
|---|---|
| training pictures | {training["n_train"]:,} with {training["n_captions"]:,} captions |
| validation, test pictures | {training["n_validation"]:,}, {training["n_test"]:,} |
| vocabulary | {len(config.vocabulary):,} tokens |
| fingerprint of vocabulary, split and captions | `{training["fingerprint"]}` |

{notes}
The licence of the pictures and captions is not known to gazeapp. Whoever trained this model is to check what it
allows before the weights are passed on.

## Training

{_how(config)}{_where(training)}.

{_table(("setting", "value"), [(f"`{key}`", plain(_shown(value))) for key, value in decides.items()])}

Versions: {", ".join(f"{name} {number}" for name, number in training["versions"].items())}.
Weights: `weights.safetensors`, float16, SHA-256 `{config.revision}`.
{_course(training)}
## Figures on held-out pictures

{_figures(config.figures)}

Default map method: `{config.default_method}`.

## What it is not for

It learnt what the captions above say of the pictures above, with whatever is wrong or unfair in them; on other kinds
of pictures its words and maps may mean little. Where it attends says how it read the picture for a word, not why it
chose the word, and is no model of human vision by itself. It is no basis for decisions about people.
"""


def _how(config: CaptionerConfig) -> str:
    training = config.training
    text = (
        f"{training['steps_done']:,} of {training['steps']:,} steps of {training['batch']:,} pictures (a caption of "
        "each under every task), AdamW, cross-entropy of the words"
    )
    if config.decoder == "lstm" and training["doubly_stochastic"]:
        text += f" and {training['doubly_stochastic']:g} times the doubly stochastic term (Xu et al. 2015, eq. 14)"
    text += f"; nothing told the model where to look. {_start(training)}"
    return text + ("The encoder's network stayed as it was. " if training["frozen"] else "")


def _start(training: Json) -> str:
    """Return what a training started from, as a sentence."""
    origin = training.get("origin")
    if not origin:
        return "It started from random weights. "
    what = (
        "It went on from the captioner" if training["start_from"] else "The encoder started from the weights"
    )
    licence = f", licence {plain(origin['licence'])}" if origin.get("licence") else ""
    return f"{what} {plain(origin['source'])} (SHA-256 `{origin['sha256']}`{licence}). "


def _where(training: Json) -> str:
    """Return how long a training took, and on what."""
    place = training.get("hardware") or "one shared processor core"
    return f"{training['seconds']:,} s on {plain(place)}"


def _course(training: Json) -> str:
    """Return the course of the loss, and of figures on validation pictures, as tables; older trainings have none."""
    parts = []
    if training.get("curve"):
        points = [(f"{step:,}", f"{loss:.4g}") for step, loss in training["curve"]]
        parts.append(_table(("up to step", "mean loss"), points))
    if training.get("evaluations"):
        names = ("cider", "bleu4", "validation_loss")
        rows = [
            (
                f"{line['step']:,}",
                *(f"{line[name]:.4g}" for name in names),
                "best so far" if line["best"] else "",
            )
            for line in training["evaluations"]
        ]
        parts.append(_table(("after step", "CIDEr-D", "BLEU-4", "loss of words", ""), rows))
        parts.append(
            "Of validation pictures; the weights of the best evaluation (of equal ones, of that with the lowest loss) "
            "are the ones stored."
        )
    return "".join(f"\n{part}\n" for part in parts)


def _figures(figures: Json) -> str:
    if not figures.get("captions"):
        return "There were no test pictures."
    rows = [
        (
            plain(task),
            f"{of['n']:,}",
            f"{of['cider']:.3f}",
            f"{of['bleu4']:.4f}",
            f"{of['validation_loss']:.3f}",
        )
        for task, of in figures["captions"].items()
    ]
    table = _table(("task", "pictures", "CIDEr-D", "BLEU-4", "loss of words"), rows)
    if any(of["n"] == 1 for of in figures["captions"].values()):
        table += "\n\nCIDEr-D of a single picture is always 0: no phrase is rarer than another."
    return f"""{table}

Of the most probable word at each step (greedy). CIDEr-D is 0 to 10, BLEU-4 0 to 1, the loss in nats a word along one
caption of each picture. Captions are split into words by gazeapp's tokeniser, not by that of the COCO evaluation
(Penn Treebank), so the figures are not those of its server."""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: object) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


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
    network = small.get(config.encoder, f"timm's {plain(config.encoder)}")
    return (
        f"{network}, on a grid of {config.grid[0]} x {config.grid[1]} with a fixed sine-cosine position code"
    )


def _decoder(config: CaptionerConfig) -> str:
    if config.decoder == "lstm":
        return f"an LSTM of {config.state} units with soft additive attention and a gate"
    return f"a Transformer of {config.layers} layers and {config.heads} heads with cross-attention"
