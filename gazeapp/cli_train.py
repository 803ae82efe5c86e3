"""The command that trains a captioner."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gazeapp.cli_base import FILE
from gazeapp.engine.errors import GazeError
from gazeapp.terminal import TrainingProgress

_BLOCKS = "▁▂▃▄▅▆▇█"
_NONE = "none"
_SMALL = ("cnn", "vit")
"""Encoders for which nobody publishes weights."""


@click.command("train")
@click.option(
    "--data", help="demo-world (the default), or a file or folder of captions: COCO, Karpathy, Flickr, CSV."
)
@click.option("--images", help="Folder of the pictures, where they do not lie beside the captions.")
@click.option("--encoder", help="cnn, vit, or the name of a timm network such as resnet101.")
@click.option("--decoder", type=click.Choice(["lstm", "transformer"]))
@click.option(
    "--task",
    "--tasks",
    "tasks",
    multiple=True,
    help="Task to learn; may be given several times. All if not given.",
)
@click.option("-o", "--output", type=FILE, help="Folder of the new captioner.")
@click.option("--name", help="Name to show.")
@click.option("--steps", type=int, help="Optimiser steps.")
@click.option("--batch", type=int, help="Pictures in a step.")
@click.option("--accumulate", type=int, help="Parts that a step is computed in, where memory is short.")
@click.option("--seed", type=int, help="Seed of weights, order, augmentation and split.")
@click.option("--scenes", "n_scenes", type=int, help="Scenes of the demo world to draw.")
@click.option("--frozen/--fine-tune", default=None, help="Whether the encoder's network stays as it is.")
@click.option("--encoder-weights", help="timm for its published weights, a safetensors file, or none.")
@click.option("--start-from", type=FILE, help="Captioner to go on from, with its vocabulary and sizes.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]))
@click.option("--gpus", type=int, help="Graphics cards (with --device cpu: processes) that share the work.")
@click.option("--precision", type=click.Choice(["no", "fp16", "bf16"]), help="no is 32 bits.")
@click.option(
    "--preset",
    type=click.Choice(["demo", "photographs"]),
    help="Where settings that are not given come from; follows from the data.",
)
@click.option("--settings", "file", type=FILE, help="JSON file of settings, as training/settings.json is.")
@click.option(
    "--set",
    "others",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other setting, such as --set rate=0.0005 or --set grid=7,7; docs/training.md lists them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the captioner's figures as JSON.")
def train_command(
    preset: str | None, file: Path | None, others: tuple[str, ...], as_json: bool, **given: Any
) -> None:
    """Train a captioner, measure it on held-out pictures, and write it with its card.

    A training that was stopped goes on when the same command is given again. Ctrl-C, and the signals by which a
    cluster announces the end of a job's time (SIGTERM, SIGUSR1), stop after the step in hand, with a checkpoint.
    """
    from gazeapp.engine.models.captioner.training.machine import process_count
    from gazeapp.engine.models.captioner.training.settings import checked

    settings = checked(settings_of_options(given, preset, file, others))
    if settings.gpus > 1 and process_count() == 1:
        from gazeapp.engine.models.captioner.training.several import train_on_several

        with TrainingProgress(quiet=True).watching() as progress:
            sys.exit(train_on_several(settings, progress, as_json))
    from gazeapp.engine.models.captioner.training.loop import train

    if process_count() > 1:
        _train_here(settings, as_json)
        return
    with TrainingProgress(quiet=as_json).watching() as progress:
        config = train(settings, progress)
    _tell(config, settings.out, as_json)


def _train_here(settings: Any, as_json: bool) -> None:
    """Train as one of several processes; what goes wrong is told by the process that started them."""
    from gazeapp.engine.models.captioner.training.loop import train
    from gazeapp.engine.models.captioner.training.machine import process_number

    leads = process_number() == 0
    try:
        label = Path(settings.out).name
        with TrainingProgress(as_json or not leads, label).watching() as progress:
            config = train(settings, progress)
    except GazeError as error:
        if leads:
            click.echo(str(error), err=True)
        return
    if leads:
        _tell(config, settings.out, as_json)


def _tell(config: Any, folder: str, as_json: bool) -> None:
    """Say what came out: as JSON, or as a curve and a table."""
    if as_json:
        told = {"id": config.id, "folder": folder, "figures": config.figures, "training": config.training}
        click.echo(json.dumps(told, indent=2))
        return
    points = config.training.get("curve", [])
    if points:
        click.echo(f"loss {curve_line([loss for _, loss in points])} {points[-1][1]:.3f}")
    for line in config.training.get("evaluations", []):
        star = "  best so far" if line["best"] else ""
        click.echo(
            f"step {line['step']:>9,}  CIDEr-D {line['cider']:.3f}  BLEU-4 {line['bleu4']:.3f}  "
            f"loss {line['validation_loss']:.3f}{star}"
        )
    click.echo(f"{config.name} is in {folder}; its figures are in {Path(folder) / 'MODEL_CARD.md'}.")
    click.echo(f"gazeapp extract PROJECT --model {folder} uses it.")


def curve_line(values: Sequence[float]) -> str:
    """Return values as a line of blocks between the least and the greatest, or from 0 where all are alike."""
    low, high = min(values), max(values)
    if high == low:
        return _BLOCKS[0] * len(values)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((value - low) / (high - low) * top)] for value in values)


def settings_of_options(
    given: dict[str, Any],
    preset: str | None,
    file: Path | None,
    others: tuple[str, ...],
    goes_on: bool = False,
) -> Any:
    """Return the settings: a preset, with those of the file, of the options, and of --set over it.

    ``goes_on`` says that encoders start from those of other captioners, where the settings do not.
    """
    from gazeapp.engine.models.captioner.training.settings import (
        DEMO_WORLD,
        TrainSettings,
        photograph_settings,
        settings_from,
    )

    values = _read(file) if file is not None else {}
    out = given.pop("output")
    options = {name: value for name, value in given.items() if value not in (None, ())}
    options |= {"out": str(out)} if out is not None else {}
    options = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    values |= options
    demo = values.get("data", DEMO_WORLD) == DEMO_WORLD if preset is None else preset == "demo"
    base = TrainSettings() if demo else photograph_settings()
    chosen = {**values, **_set(others, base)}
    _fill_from_start(chosen)
    if not goes_on and not chosen.get("start_from"):
        _fill_from_chance(chosen, base)
    if chosen.get("evaluate_every") == 0:
        chosen.setdefault("patience", 0)
    missing = [name for name in ("encoder", "decoder") if name not in chosen]
    if missing:
        raise click.UsageError(f"Name the {missing[0]}: --{missing[0]}.")
    return settings_from(chosen, base, str(file or ""))


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GazeError(f"The settings cannot be read: {error}.", where=str(file)) from error
    if not isinstance(values, dict):
        raise GazeError("The settings are no JSON object.", where=str(file))
    return values


def _set(others: tuple[str, ...], base: Any) -> dict[str, Any]:
    """Return what --set says, as values of the kinds that the settings have."""
    found: dict[str, Any] = {}
    for text in others:
        name, sign, value = text.partition("=")
        if not sign:
            raise click.UsageError(f"--set takes NAME=VALUE, not '{text}'.")
        found[name] = _value(value, getattr(base, name, value))
    return found


def _value(text: str, like: object) -> object:
    if isinstance(like, str):
        return text
    if isinstance(like, tuple):
        parts = [part.strip() for part in text.replace("x", ",").split(",")]
        return [int(part) for part in parts] if all(part.isdigit() for part in parts) else parts
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fill_from_start(values: dict[str, Any]) -> None:
    """Take encoder and decoder from the captioner to go on from, where they are not given."""
    if values.get("start_from"):
        from gazeapp.engine.models.captioner.config import read_config

        config = read_config(Path(values["start_from"]))
        values.setdefault("encoder", config.encoder)
        values.setdefault("decoder", config.decoder)


def _fill_from_chance(values: dict[str, Any], base: Any) -> None:
    """Let an encoder learn that starts from chance, where nobody says that it should not, and say so.

    The settings for photographs have the encoder frozen, and a low rate for fine-tuning; both are meant for published
    weights, and a frozen network of random weights sees next to nothing.
    """
    if base.encoder_weights == _NONE:
        return
    if values.get("encoder") in _SMALL:
        values.setdefault("encoder_weights", _NONE)
    if values.get("encoder_weights") != _NONE:
        return
    if values.get("frozen"):
        click.echo(
            "Note: the encoder starts from chance and is frozen, as you say, so its random weights stay. "
            "Without --frozen it learns.",
            err=True,
        )
        return
    values.setdefault("encoder_rate", values.get("rate", base.rate))
    values["frozen"] = False
    click.echo(
        f"Note: the encoder starts from chance, so it is trained, too, at the rate {values['encoder_rate']}; "
        "published weights would be frozen unless --fine-tune is given.",
        err=True,
    )
