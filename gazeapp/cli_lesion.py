"""The commands that take parts of images away from models, and lesions out of projects."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeapp.cli_base import FILE, call, counts, finish, report_and_exit
from gazeapp.cli_extract import agreed_models, note_outside

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.base import Progress, Summary
    from gazeapp.engine.workflows.lesion import LesionSettings


@click.command("lesion")
@click.argument("project", type=FILE)
@click.option(
    "--mask",
    "masks",
    multiple=True,
    help="left, right, 'left 30%', 'left graded', top, bottom, a mask of the library, 'people 20%', 'object LABEL', or "
    "a file; may be given several times. Default: left and right. A PNG that is named like an image, and COCO and "
    "labelme files, are masks of the images that they name, at their size; any other PNG is the mask of all images, "
    "scaled if the proportions of its sides are theirs, else refused.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["keys", "text", "readout", "zero", "mean", "pixels", "blur", "keys_and_start"]),
    help="Where in the model it is taken away (docs/neglect.md); may be given several times. Default: each model's "
    "own, for most keys.",
)
@click.option(
    "--strength",
    "strengths",
    multiple=True,
    type=click.FloatRange(0.0, 1.0),
    help="How much is taken away, 0 to 1; may be given several times. Default: 1.",
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    type=click.Choice(["mirrored", "random", "equal_mass", "none", "flipped", "off"]),
    help="What it is held against; may be given several times; off for nothing. Default: mirrored, random, equal_mass "
    "and none.",
)
@click.option(
    "--draws", "n_random", default=1, show_default=True, type=click.IntRange(1), help="Random masks each."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the random masks.")
@click.option("--model", "models", multiple=True, help="As for extract; all captioners if not given.")
@click.option("--task", "tasks", multiple=True, help="Task; all of the project if not given.")
@click.option("--image", "images", multiple=True, help="Name of an image; all if not given.")
@click.option("--method", default="", help="Map method; each model's default if not given.")
@click.option("--words", default="content", show_default=True, type=click.Choice(["content", "all"]))
@click.option(
    "--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda", "mps"])
)
@click.option("--max-tokens", default=100, show_default=True, type=click.IntRange(1), help="Longest caption.")
@click.option(
    "--dtype",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "float32", "float16", "bfloat16"]),
    help="Kind of number that vision-language models compute in.",
)
@click.option("--four-bit", is_flag=True, help="Pack vision-language models into 4 bits.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def lesion_command(project: Path, as_json: bool, **options: Any) -> None:
    """Take a part of the images of PROJECT away from models, and measure what that does.

    Captions and maps without the part are held against the intact ones and against controls; missing intact ones are
    made. What is there already is not done again. At the end, the loss of the intact caption is printed for each model
    and mask at the highest strength, lesion minus controls.
    """
    from gazeapp.engine.reports.neglect.brief import lesions_in_lines

    agreed_models(options["models"])
    settings = _settings(**options)

    def verb(opened: Project, chosen: LesionSettings, progress: Progress) -> Summary:
        from gazeapp.engine.workflows.annotations import chosen_images
        from gazeapp.engine.workflows.lesion import lesion
        from gazeapp.engine.workflows.mask_of_file import take_in
        from gazeapp.engine.workflows.masks import distinct_masks

        images = chosen_images(opened, chosen.images)
        masks = tuple(take_in(opened, text, images) for text in chosen.masks)
        summary = lesion(opened, replace(chosen, masks=masks), progress)
        results = [] if summary.cancelled else lesions_in_lines(opened, distinct_masks(opened, masks))
        return replace(summary, details={**summary.details, "results": results})

    summary = call(project, verb, settings, as_json)
    note_outside(summary)
    if as_json:
        report_and_exit(summary, as_json, "")
    click.echo(f"{summary.verb}: {counts(summary)}.")
    for mask, n in summary.details["images_without_mask"].items():
        click.echo(f"{n} images were left out of {mask}: they do not have it.")
    without = summary.details["without_equal_mass"]
    if without:
        click.echo(
            f"{without} controls of equal attention do not exist: what lies outside the mask has less attention than "
            "what lies under it."
        )
    without = summary.details["without_random"]
    if without:
        click.echo(
            f"{without} random controls do not exist: the mask takes the same share everywhere, so that it has no "
            "other place."
        )
    for line in summary.details["results"]:
        click.echo(line)
    sys.exit(finish(summary))


@click.command("remove-lesions")
@click.argument("project", type=FILE)
@click.option(
    "--mask", "masks", multiple=True, help="Lesions of this mask; give it again for more. Default: all."
)
@click.option("--model", "models", multiple=True, help="Lesions of this model, by id or name.")
@click.option("--task", "tasks", multiple=True, help="Lesions under this task.")
@click.option("--image", "images", multiple=True, help="Lesions of this image.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def remove_lesions_command(project: Path, as_json: bool, **options: tuple[str, ...]) -> None:
    """Take lesions out of PROJECT, with their controls, captions, maps and scores.

    Those go that agree with all that is given; without an option all go. What lesions change is summed up anew. Intact
    runs and masks stay.
    """
    from gazeapp.engine.workflows.remove_lesions import RemoveLesionsSettings, remove_lesions

    summary = call(project, remove_lesions, RemoveLesionsSettings(**options), as_json)
    report_and_exit(summary, as_json, summary.details["said"].removesuffix("."))


def _settings(
    masks: tuple[str, ...],
    strengths: tuple[float, ...],
    controls: tuple[str, ...],
    max_tokens: int,
    **options: Any,
) -> LesionSettings:
    """Return the settings that the options say."""
    from gazeapp.engine.models.base import Decoding
    from gazeapp.engine.workflows.lesion import LesionSettings

    usual = LesionSettings()
    return replace(
        usual,
        masks=masks or usual.masks,
        strengths=strengths or usual.strengths,
        controls=tuple(one for one in controls if one != "off") if controls else usual.controls,
        decoding=Decoding(max_tokens),
        **options,
    )


LESION_COMMANDS = (lesion_command, remove_lesions_command)
