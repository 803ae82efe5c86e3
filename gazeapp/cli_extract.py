"""The commands that let models describe images: extraction, and a trial of it on one image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeapp.cli_base import FILE, call, counts, option_group, report_and_exit
from gazeapp.cli_runner import agree
from gazeapp.engine.errors import GazeError, NothingSaidError

if TYPE_CHECKING:
    from gazeapp.engine.models.base import ModelInfo
    from gazeapp.engine.workflows.extract_plan import ExtractSettings

_OPTIONS = option_group(
    click.option(
        "--model",
        "models",
        multiple=True,
        help="Captioner, vision-language model or runner script; all captioners if not given.",
    ),
    click.option("--task", "tasks", multiple=True, help="Task; all of the project if not given."),
    click.option("--method", default="", help="Map method; each model's default if not given."),
    click.option(
        "--words",
        default="content",
        show_default=True,
        type=click.Choice(["content", "all"]),
        help="Words whose maps make the caption's map: all but grammar words (docs/models.md lists them), or all.",
    ),
    click.option(
        "--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda", "mps"])
    ),
    click.option(
        "--mirrored",
        is_flag=True,
        help="Also describe each image left-right mirrored: the control for laterality.",
    ),
    click.option(
        "--keep",
        default="none",
        show_default=True,
        type=click.Choice(["none", "layers", "heads"]),
        help="Also store the map of each layer, or of each layer and head.",
    ),
    click.option(
        "--max-tokens", default=100, show_default=True, type=click.IntRange(1), help="Longest caption."
    ),
    click.option(
        "--temperature", default=0.0, show_default=True, help="0 takes the most probable word each time."
    ),
    click.option(
        "--top-p", default=1.0, show_default=True, help="Share of probability that words are drawn from."
    ),
    click.option("--seed", default=0, show_default=True, help="Seed of the draws."),
    click.option(
        "--beams",
        default=1,
        show_default=True,
        type=click.IntRange(1, 100),
        help="Beginnings of a caption that captioners follow side by side; 1 takes the most probable word each time.",
    ),
    click.option(
        "--length-normalised",
        is_flag=True,
        help="Rank captions of a beam search by the mean log-probability of their tokens, not the sum.",
    ),
    click.option(
        "--captions",
        type=click.Path(exists=True, path_type=Path),
        help="File of captions that models are made to say instead of their own (docs/decoding.md): the same words "
        "for all.",
    ),
    click.option(
        "--dtype",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", "float32", "float16", "bfloat16"]),
        help="Kind of number that vision-language models compute in.",
    ),
    click.option("--four-bit", is_flag=True, help="Pack vision-language models into 4 bits."),
)
"""What is extracted, and how."""


def _settings(
    keep: str,
    max_tokens: int,
    temperature: float,
    top_p: float,
    seed: int,
    beams: int,
    length_normalised: bool,
    captions: Path | None,
    **options: Any,
) -> ExtractSettings:
    """Return the settings that the options say."""
    from gazeapp.engine.models.base import Decoding
    from gazeapp.engine.workflows.extract_given import read_given
    from gazeapp.engine.workflows.extract_plan import ExtractSettings

    return ExtractSettings(
        keep="" if keep == "none" else keep,
        decoding=Decoding(max_tokens, temperature, top_p, seed, beams, length_normalised),
        given=None if captions is None else read_given(captions),
        **options,
    )


def agreed_models(names: tuple[str, ...]) -> list[ModelInfo]:
    """Return the facts about the models; on a terminal, runner scripts that were not agreed to are asked about.

    Without a terminal nobody can be asked, and the verb refuses them.
    """
    from gazeapp.engine.consent import ConsentStore
    from gazeapp.engine.models.runner_model import KIND
    from gazeapp.engine.runners.script import read_script
    from gazeapp.engine.workflows.extract_plan import chosen_models

    infos = chosen_models(names)
    if _on_a_terminal():
        for info in infos:
            if info.kind == KIND:
                agree(read_script(Path(info.checkpoint)), ConsentStore(), yes=False, always_show=False)
    return infos


def _on_a_terminal() -> bool:
    return sys.stdin.isatty()


def _remember_folders(infos: list[ModelInfo]) -> None:
    """Put the folders that were used on the user's list, so that `gazeapp models` and the window show them."""
    from gazeapp.engine.models.captioner.own import is_own, register
    from gazeapp.engine.models.vlm.loading.checkpoint import FOLDER
    from gazeapp.engine.models.vlm.loading.folders import ModelFolders

    for info in infos:
        try:
            if is_own(info):
                register(Path(info.checkpoint))
            elif info.facts.get("place") == FOLDER:
                ModelFolders().add(Path(info.checkpoint))
        except GazeError as error:
            click.echo(f"Note: {error}", err=True)


@click.command("extract")
@click.argument("project", type=FILE)
@_OPTIONS
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def extract_command(project: Path, as_json: bool, **options: Any) -> None:
    """Let models describe the images of PROJECT and store their attention maps."""
    from gazeapp.engine.workflows.extract import extract

    infos = agreed_models(options["models"])
    summary = call(project, extract, _settings(**options), as_json)
    _remember_folders(infos)
    note_outside(summary)
    _note_given(summary)
    _note_silent(summary, options["beams"], options["length_normalised"])
    report_and_exit(summary, as_json, f"{summary.verb}: {counts(summary)}")


def _note_given(summary: Any) -> None:
    """Say on stderr which images had no given caption, which words models did not know, and what was not used."""
    told = summary.details
    for task, count in told.get("without_caption", {}).items():
        click.echo(
            f"Note: {count} {'image has' if count == 1 else 'images have'} no given caption under {task}.",
            err=True,
        )
    for model, words in told.get("unknown_words", {}).items():
        named = ", ".join(f"{word} ({count})" for word, count in list(words.items())[:10])
        more = " and others" if len(words) > 10 else ""
        click.echo(f"Note: {model} does not know the words {named}{more}.", err=True)
    if told.get("captions_not_used"):
        click.echo(
            f"Note: {told['captions_not_used']} further captions were not used: only the first of an image and task "
            "is.",
            err=True,
        )


def _note_silent(summary: Any, beams: int, length_normalised: bool) -> None:
    """Say on stderr what helps where beams end in captions without a word."""
    if beams > 1 and not length_normalised and any(p.what == NothingSaidError.WHAT for p in summary.problems):
        click.echo(
            "Note: sums of log-probabilities prefer short captions, down to none at all; --length-normalised divides "
            "them by the number of words.",
            err=True,
        )


def note_outside(summary: Any) -> None:
    """Say on stderr where models were run on images of a kind that they were not trained on."""
    outside = summary.details["outside_training"]
    if outside:
        click.echo(
            f"Note: {max(outside.values())} images are outside what {', '.join(outside)} were trained on (drawn "
            "scenes of the demo world); captions and maps for them are no evidence about photographs.",
            err=True,
        )


@click.command("try")
@click.argument("project", type=FILE)
@_OPTIONS
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def try_command(project: Path, as_json: bool, **options: Any) -> None:
    """Run models on one image of PROJECT: how long and how much memory the whole set would take. Stores nothing.

    The options are those of extract, so that what is measured is what would be run.
    """
    from gazeapp.engine.workflows.trial import trial

    agreed_models(options["models"])
    summary = call(project, trial, _settings(**options), as_json)
    lines = [line for tried in summary.details["models"] for line in _lines_of(tried)]
    report_and_exit(summary, as_json, "\n".join([*lines, f"trial: {counts(summary)}"]))


def _lines_of(tried: dict[str, Any]) -> list[str]:
    """Return what a trial of one model found: what it said, and what the set would take."""
    from gazeapp.engine.models.vlm.loading.sizes import readable

    seconds = tried["estimate_seconds"]
    time = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return [
        f"{tried['model']} on {tried['image']}: {tried['caption']}",
        f"  {tried['seconds_per_image']:.2f} s an image and task after {tried['load_seconds']:.1f} s of loading",
        f"  {tried['units']} missing runs ({tried['there'] or 'none'} there already): about {time}, "
        f"{readable(tried['peak_memory_mb'] * 1e6)} of memory, and {readable(tried['estimate_bytes'])} in the "
        "project file",
        *(f"  {sentence}" for sentence in tried["plan"]),
    ]


EXTRACT_COMMANDS = (extract_command, try_command)
