"""The commands about factorial designs of captioners: training four alike, comparing them, and what each costs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gazeapp.cli_base import FILE, sentence
from gazeapp.cli_train import settings_of_options, train_command
from gazeapp.terminal import TrainingProgress

_OF_ONE = ("encoder", "decoder", "name", "seed", "encoder_weights", "start_from", "output", "as_json")
_SHARED: list[click.Parameter] = [p for p in train_command.params if p.name not in _OF_ONE]
"""What the four share is asked for as `gazeapp train` asks for it."""
_ALL = 4


@click.command("factorial", params=_SHARED)
@click.argument("folders", nargs=-1, type=FILE)
@click.option(
    "--check",
    is_flag=True,
    help="Train nothing: compare the captioners in FOLDERS, or those that ship.",
)
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    help="One of the two encoders; give it twice. cnn and vit for the demo world, ResNet-101 and ViT-B/16 otherwise.",
)
@click.option(
    "--encoder-weights",
    multiple=True,
    help="timm for published weights, or none; give a safetensors file for each of the two encoders.",
)
@click.option(
    "--name", help="Put before the names of the four, which end in the seed where there are several."
)
@click.option("--seed", "seeds", multiple=True, type=int, help="Seed; several train the four with each.")
@click.option(
    "--start-from", type=FILE, help="Folder of a factorial design to go on from, each from its like."
)
@click.option(
    "-o", "--output", type=FILE, help="Folder of the four captioners and of what is told about them."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def factorial_command(
    folders: tuple[Path, ...], check: bool, as_json: bool, output: Path | None, **given: Any
) -> None:
    """Train two encoders by two decoders alike, and check that nothing else differs.

    The four are trained one after another with the same data, vocabulary, split, seed and budget. The same command
    again goes on where it stopped. FACTORIAL.md in the folder has what they share, what each costs, and how they do.
    """
    if check:
        sys.exit(_check(folders, as_json))
    if folders:
        raise click.UsageError("Folders are compared with --check; a training writes to the folder of -o.")
    sys.exit(_train(given, output, as_json))


@click.command("architecture")
@click.argument("folders", nargs=-1, type=FILE)
def architecture_command(folders: tuple[Path, ...]) -> None:
    """Say what the captioners in FOLDERS, or those that ship, are made of: grid, parameters, operations."""
    from gazeapp.engine.models.captioner.architecture import cost_tables, measure
    from gazeapp.engine.models.captioner.config import read_config
    from gazeapp.engine.models.captioner.training.factorial_check import captioners_in, shipped_four

    there = captioners_in(folders) if folders else shipped_four()
    click.echo(cost_tables([measure(read_config(folder)) for folder in there]))


def _train(given: dict[str, Any], output: Path | None, as_json: bool) -> int:
    """Train the four and say what came out; return the exit code."""
    from gazeapp.engine.models.captioner.training.factorial import factorial
    from gazeapp.engine.models.captioner.training.factorial_check import as_json as check_as_json
    from gazeapp.engine.models.captioner.training.factorial_settings import FactorialSettings

    encoders, weights, seeds = given.pop("encoders"), given.pop("encoder_weights"), given.pop("seeds")
    start_from = given.pop("start_from")
    where_from = [given.pop(name) for name in ("preset", "file", "others")]
    # Every one of the four has an encoder and a decoder of its own; those named here stand for all of them.
    of_one = {"encoder": encoders[0] if encoders else "resnet101", "decoder": "lstm"}
    one_start = weights[0] if len(weights) == 1 else None
    shared = settings_of_options(
        {**given, **of_one, "output": output, "encoder_weights": one_start},
        *where_from,
        goes_on=start_from is not None,
    )
    shared = replace(shared, start_from=str(start_from or ""))
    settings = FactorialSettings(
        shared,
        encoders=encoders,
        encoder_weights=weights if len(weights) > 1 else (),
        seeds=seeds or (shared.seed,),
        out=shared.out,
    )
    with TrainingProgress(quiet=as_json).watching() as progress:
        summary = factorial(settings, progress)
    if as_json:
        found = {
            "folder": settings.out,
            "passed": summary.passed,
            "checks": {seed: check_as_json(check) for seed, check in summary.checks.items()},
        }
        click.echo(json.dumps(found, indent=2))
    else:
        for seed, check in summary.checks.items():
            there, before = len(summary.folders[seed]), f"Seed {seed}: " if len(summary.checks) > 1 else ""
            if there < _ALL:
                click.echo(f"{before}{there} of the {_ALL} captioners are there.")
            else:
                _say(check, before)
        click.echo(f"What was found is in {Path(settings.out) / 'FACTORIAL.md'}.")
    for failure in summary.failures:
        click.echo(sentence(failure.what, failure.label, failure.todo), err=True)
    if summary.cancelled:
        click.echo("Stopped before the end; the same command goes on from there.", err=True)
    return 0 if summary.passed else 1


def _check(folders: Sequence[Path], as_json: bool) -> int:
    """Compare captioners and say what differs; return the exit code."""
    from gazeapp.engine.models.captioner.training.factorial_check import as_json as check_as_json
    from gazeapp.engine.models.captioner.training.factorial_check import (
        captioners_in,
        check_factorial,
        shipped_four,
    )

    check = check_factorial(captioners_in(folders) if folders else shipped_four())
    if as_json:
        click.echo(json.dumps(check_as_json(check), indent=2))
    else:
        _say(check)
    return 0 if check.passed else 1


def _say(check: Any, before: str = "") -> None:
    """Say what a comparison found."""
    from gazeapp.engine.models.captioner.training.factorial_check import verdict

    click.echo(f"{before}{verdict(check)}")
    click.echo(f"The same in all: {', '.join(name.replace('_', ' ') for name in check.same) or 'nothing'}.")
    for name, values in check.differs.items():
        told = "; ".join(f"{label} {value}" for label, value in values.items())
        click.echo(f"  {name.replace('_', ' ')}: {told}")
    for text in (*check.problems, *check.unchecked, *check.notes):
        click.echo(text, err=True)


FACTORIAL_COMMANDS = (factorial_command, architecture_command)
"""The commands of this file, to be added to the group."""
