"""The commands about runners: which scripts there are, agreeing to one, trying one on a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazeapp.cli_base import FILE, sentence
from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.terminal import TerminalProgress

if TYPE_CHECKING:
    from gazeapp.engine.consent import ConsentStore
    from gazeapp.engine.models.base import Caption, DescribeOptions
    from gazeapp.engine.runners.script import RunnerScript

_YES = click.option(
    "--yes", is_flag=True, help="Agree without being asked, after the script and what it installs are shown."
)


@click.group("runner")
def runner_command() -> None:
    """Scripts with libraries of their own: list them, agree to one, try one.

    SCRIPT is a file, or the id of one that is listed.
    """


@runner_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_command(as_json: bool) -> None:
    """List the scripts that ship and those in your own folder."""
    from gazeapp.engine.consent import ConsentStore
    from gazeapp.engine.runners.script import find_scripts, scripts_folder

    found, problems = find_scripts()
    store = ConsentStore()
    if as_json:
        click.echo(json.dumps([_as_json(script, store) for script in found], indent=2))
    else:
        for script in found:
            agreed = "agreed to" if script.agreed(store) else "not agreed to yet"
            click.echo(
                f"{script.id:<18} {script.name}; installs {script.installs}; download {script.download}; {agreed}"
            )
        click.echo(f"Your own scripts: {scripts_folder()}")
    for problem in problems:
        click.echo(sentence(problem.what, problem.where, problem.todo), err=True)


@runner_command.command("agree")
@click.argument("script")
@_YES
def agree_command(script: str, yes: bool) -> None:
    """Show what SCRIPT installs and runs, and agree to it."""
    from gazeapp.engine.consent import ConsentStore
    from gazeapp.engine.runners.script import find_script

    agree(find_script(script), ConsentStore(), yes, always_show=True)


@runner_command.command("forget")
@click.argument("script")
def forget_command(script: str) -> None:
    """Take back every consent to SCRIPT; its next use asks again."""
    from gazeapp.engine.consent import RUNNER, ConsentStore

    store, subject = ConsentStore(), Path(script).stem if script.endswith(".py") else script
    known = store.known(RUNNER, subject)
    store.withdraw(RUNNER, subject)
    click.echo("Its next use asks again." if known else f"You had not agreed to '{subject}'.")


@runner_command.command("try")
@click.argument("script")
@click.argument("picture", type=FILE)
@click.option("--prompt", default="Describe the image.", show_default=True, help="What the model is asked.")
@click.option("--method", default="", help="Map method; the script's first if not given.")
@click.option("--max-tokens", default=100, show_default=True, type=click.IntRange(1), help="Longest caption.")
@_YES
@click.option("--json", "as_json", is_flag=True, help="Print words, maps' peaks and facts as JSON.")
def try_command(
    script: str, picture: Path, prompt: str, method: str, max_tokens: int, yes: bool, as_json: bool
) -> None:
    """Let SCRIPT describe one PICTURE: each word with its probability, mass on the image, and where its map peaks."""
    from gazeapp.engine.consent import ConsentStore
    from gazeapp.engine.models.base import Decoding, DescribeOptions
    from gazeapp.engine.runners.script import find_script

    store = ConsentStore()
    chosen = find_script(script)
    agree(chosen, store, yes, always_show=False)
    with TerminalProgress(quiet=as_json).watching() as progress:
        options = DescribeOptions(
            prompt=prompt, decoding=Decoding(max_tokens), should_stop=lambda: progress.cancelled
        )
        caption = _caption(chosen, store, picture, method, options, progress)
    told = zip(caption.words, caption.image_mass, _peaks(caption), strict=True)
    if as_json:
        rows, columns = caption.maps.shape[1:]
        words = [
            {
                "text": word.text,
                "log_probability": word.log_probability,
                "image_mass": float(mass),
                "peak": peak,
            }
            for word, mass, peak in told
        ]
        whole = {"caption": caption.text, "words": words, "grid": [rows, columns], "facts": caption.facts}
        click.echo(json.dumps(whole, indent=2))
        return
    click.echo(caption.text)
    for word, mass, (x, y) in told:
        click.echo(
            f"{word.text:<18} log-probability {word.log_probability:7.3f}; {mass:4.0%} on the image; "
            f"most at ({x:.0f}, {y:.0f}) px"
        )


def _caption(
    script: RunnerScript,
    store: ConsentStore,
    picture: Path,
    method: str,
    options: DescribeOptions,
    progress: TerminalProgress,
) -> Caption:
    from gazeapp.engine.models.runner_model import RunnerModel
    from gazeapp.engine.pictures import read_picture

    pixels, _ = read_picture(picture)
    model = RunnerModel(script, store, progress.report)
    try:
        return model.describe(pixels, "", method, options)
    except StoppedError as error:
        raise GazeError("Stopped; the script was ended.") from error
    except MemoryError as error:
        raise GazeError(f"The script ran out of memory: {error}", todo="Try a smaller picture.") from error
    finally:
        model.close()


def _peaks(caption: Caption) -> list[tuple[float, float]]:
    """Return the middle of the cell where each word's map is greatest, px."""
    rows, columns = caption.maps.shape[1:]
    found = []
    for flat in caption.maps.reshape(len(caption.words), -1).argmax(axis=1):
        row, column = divmod(int(flat), columns)
        rect = caption.rect
        found.append(
            (rect.x + (column + 0.5) * rect.width / columns, rect.y + (row + 0.5) * rect.height / rows)
        )
    return found


def agree(script: RunnerScript, store: ConsentStore, yes: bool, *, always_show: bool) -> None:
    """Ask for consent where it is missing, and record it.

    Raises
    ------
    GazeError
        When the user does not agree.
    """
    agreed = script.agreed(store)
    if always_show or not agreed:
        click.echo(script.question(store), err=True)
    if agreed:
        return
    if not yes and not click.confirm("Agree?", default=False, err=True):
        raise GazeError("You did not agree, so nothing was installed or run.")
    script.agree(store)


def _as_json(script: RunnerScript, store: ConsentStore) -> dict[str, object]:
    return {
        "id": script.id,
        "name": script.name,
        "description": script.description,
        "licence": script.licence,
        "download": script.download,
        "dependencies": script.dependencies,
        "requires_python": script.requires_python,
        "actions": script.actions,
        "methods": script.methods,
        "file": str(script.path),
        "sha256": script.sha256,
        "agreed": script.agreed(store),
    }
