"""The command that brings a captioner from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazeapp.cli_base import FILE
from gazeapp.engine.errors import GazeError

if TYPE_CHECKING:
    from gazeapp.engine.models.captioner.config import CaptionerConfig
    from gazeapp.engine.models.captioner.importing.findings import Findings

_PICKLE_NOTE = (
    "{name} may be in Python's pickle format, which can carry code. gazeapp follows its instructions on plain data and "
    "knows no instruction that runs anything; a file that asks for more is refused."
)


@click.command("import-captioner")
@click.argument("checkpoint", type=FILE)
@click.option("--words", type=FILE, help="The checkpoint's WORDMAP_*.json.")
@click.option(
    "--encoder-weights", type=FILE, help="The ResNet's weights, where the checkpoint holds the decoder only."
)
@click.option(
    "--heads",
    default=0,
    type=click.IntRange(0),
    help="Attention heads, where the checkpoint does not say how many.",
)
@click.option("--name", default="", help="Name to show; the folder's if not given.")
@click.option("--domain", default="", help="What it was trained on, in a few words, such as 'COCO Captions'.")
@click.option("-o", "--output", type=FILE, help="Folder of the new captioner.")
@click.option("--yes", is_flag=True, help="Read a pickle without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def import_captioner_command(
    checkpoint: Path,
    words: Path | None,
    encoder_weights: Path | None,
    heads: int,
    name: str,
    domain: str,
    output: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Make a captioner of CHECKPOINT, as the training scripts of sgrvinod and RoyalSkye write them.

    What was inferred, what was assumed and what could not be checked is printed and kept. CHECKPOINT may also be a
    folder with captioner.json and weights.safetensors of your own, which is checked and put on the list.
    """
    if checkpoint.is_dir():
        from gazeapp.engine.models.captioner.importing.native import check_folder

        _tell(*check_folder(checkpoint), checkpoint, as_json)
        return
    if words is None or output is None:
        raise click.UsageError("A checkpoint needs --words WORDMAP.json and -o FOLDER.")
    from gazeapp.engine.models.captioner.importing.importer import ImportSettings, import_captioner

    given = [path for path in (checkpoint, encoder_weights) if path is not None]
    for path in (*given, words):
        if not path.is_file():
            raise GazeError("The file cannot be read: it is not there.", where=str(path))
    _agree([path for path in given if path.suffix != ".safetensors"], yes)
    settings = ImportSettings(checkpoint, words, output, encoder_weights, heads, name, domain)
    done = import_captioner(settings)
    _tell(done.config, done.findings, output, as_json)


def _agree(pickles: list[Path], yes: bool) -> None:
    """Say how pickles are read, and ask before one is."""
    for path in pickles:
        click.echo(_PICKLE_NOTE.format(name=path.name), err=True)
    if not pickles or yes:
        return
    try:
        agreed = click.confirm("Read it?", default=False, err=True)
    except click.Abort:
        raise GazeError(
            "Nobody answered, so nothing was read.", todo="Where nobody can be asked, agree with --yes."
        ) from None
    if not agreed:
        raise GazeError("Nothing was read.")


def _remember(folder: Path) -> None:
    """Put the captioner on the user's list, so that it is found by its id and shown in the window."""
    from gazeapp.engine.models.captioner.own import register

    try:
        register(folder)
    except GazeError as error:
        click.echo(f"Note: {error}", err=True)


def _tell(config: CaptionerConfig, findings: Findings, folder: Path, as_json: bool) -> None:
    _remember(folder)
    if as_json:
        facts = {"id": config.id, "name": config.name, "folder": str(folder), "form": config.form}
        facts |= {"encoder": config.encoder, "decoder": config.decoder, "revision": config.revision}
        click.echo(json.dumps(facts | findings.to_json(), indent=2))
        return
    for title, sentences in findings.to_json().items():
        click.echo(f"{title.capitalize()}:" if title != "unchecked" else "Could not be checked:")
        for sentence in sentences or ["nothing"]:
            click.echo(f"  {sentence}")
    click.echo(f"{config.name}: {folder}")
    click.echo(f'Use it: gazeapp extract PROJECT --model "{folder}"')
