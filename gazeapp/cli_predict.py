"""The command that has a model predict brain responses to the images."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gazeapp.cli_base import FILE, run
from gazeapp.cli_runner import agree


@click.command("predict-responses")
@click.argument("project", type=FILE)
@click.option(
    "--runner",
    default="tribe",
    show_default=True,
    help="Id or file of the script that predicts; docs/tribe.md says how to bring your own.",
)
@click.option(
    "--name", default="TRIBE", show_default=True, help="What the responses are called in the project."
)
@click.option(
    "--image", "images", multiple=True, help="Image; may be given several times. All of them if not given."
)
@click.option(
    "--clip-seconds", default=10.0, show_default=True, help="How long each image is held still, s; 1 to 60."
)
@click.option("--fps", default=10, show_default=True, help="Frames per second of the clip; 1 to 60.")
@click.option(
    "--from",
    "first",
    default=4.0,
    show_default=True,
    help="Responses are averaged from this second of the clip...",
)
@click.option("--to", "last", type=float, help="...to this one; to its end if not given.")
@click.option(
    "--whole-picture",
    is_flag=True,
    help="Lay each image on a grey square, so that a model which looks at the middle of its film sees all of it.",
)
@click.option("--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda"]))
@click.option(
    "--at-once",
    default=16,
    show_default=True,
    type=click.IntRange(1),
    help="Images given to the script at a time.",
)
@click.option(
    "--folder",
    default="",
    help="Where the script keeps what it has made; a folder in your cache if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def predict_responses_command(
    project: Path,
    runner: str,
    name: str,
    images: tuple[str, ...],
    clip_seconds: float,
    fps: int,
    first: float,
    last: float | None,
    whole_picture: bool,
    device: str,
    at_once: int,
    folder: str,
    as_json: bool,
) -> None:
    """Have a model predict the brain's responses to the images of PROJECT, and store them as simulated.

    TRIBE v2, the default, is installed beside gazeapp after you agreed to it; it is not for commercial use and needs
    an NVIDIA graphics card. Images that have their prediction are skipped. Where nobody can be asked, agree first:
    gazeapp runner agree tribe
    """
    from gazeapp.engine.consent import ConsentStore
    from gazeapp.engine.runners.script import find_script
    from gazeapp.engine.workflows.predict_responses import PredictResponsesSettings, predict_responses

    settings = PredictResponsesSettings(
        runner=runner,
        images=images,
        name=name,
        clip_seconds=clip_seconds,
        fps=fps,
        window=(first, last),
        whole_picture=whole_picture,
        device=device,
        at_once=at_once,
        folder=folder,
    )
    if _on_a_terminal():
        agree(find_script(runner), ConsentStore(), yes=False, always_show=False)
    run(project, predict_responses, settings, as_json)


def _on_a_terminal() -> bool:
    return sys.stdin.isatty()
