"""The commands that let models describe images: extraction, and a trial of it on one image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeapp.cli_base import FILE, call, counts, option_group, report_and_exit

if TYPE_CHECKING:
    from gazeapp.engine.workflows.extract import ExtractSettings

_OPTIONS = option_group(
    click.option(
        "--model",
        "models",
        multiple=True,
        help="Captioner, vision-language model or runner script; all captioners if not given.",
    ),
    click.option("--task", "tasks", multiple=True, help="Task; all of the project if not given."),
    click.option("--method", default="", help="Map method; each model's default if not given."),
    click.option("--words", default="content", show_default=True, type=click.Choice(["content", "all"])),
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
    keep: str, max_tokens: int, temperature: float, top_p: float, seed: int, **options: Any
) -> ExtractSettings:
    """Return the settings that the options say."""
    from gazeapp.engine.models.base import Decoding
    from gazeapp.engine.workflows.extract import ExtractSettings

    decoding = Decoding(max_tokens, temperature, top_p, seed)
    return ExtractSettings(keep="" if keep == "none" else keep, decoding=decoding, **options)


@click.command("extract")
@click.argument("project", type=FILE)
@_OPTIONS
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def extract_command(project: Path, as_json: bool, **options: Any) -> None:
    """Let models describe the images of PROJECT and store their attention maps."""
    from gazeapp.engine.workflows.extract import extract

    summary = call(project, extract, _settings(**options), as_json)
    outside = summary.details["outside_training"]
    if outside:
        click.echo(
            f"Note: {max(outside.values())} images are outside what {', '.join(outside)} were trained on (drawn "
            "scenes of the demo world); captions and maps for them are no evidence about photographs.",
            err=True,
        )
    report_and_exit(summary, as_json, f"{summary.verb}: {counts(summary)}")


@click.command("try")
@click.argument("project", type=FILE)
@_OPTIONS
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def try_command(project: Path, as_json: bool, **options: Any) -> None:
    """Run models on one image of PROJECT: how long and how much memory the whole set would take. Stores nothing.

    The options are those of extract, so that what is measured is what would be run.
    """
    from gazeapp.engine.workflows.trial import trial

    summary = call(project, trial, _settings(**options), as_json)
    lines = [
        f"{m['model']}: {m['seconds_per_image']:.2f} s an image and task after {m['load_seconds']:.1f} s of loading; "
        f"{m['units']} missing runs take about {m['estimate_seconds'] / 60:.1f} min, "
        f"{m['peak_memory_mb']:,} MB of memory and {m['estimate_bytes'] / 1e6:.1f} MB in the project file. "
        + " ".join(m["plan"])
        for m in summary.details["models"]
    ]
    report_and_exit(summary, as_json, "\n".join([*lines, f"trial: {counts(summary)}"]))


EXTRACT_COMMANDS = (extract_command, try_command)
