"""The command that predicts brain responses from maps."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeapp.cli_base import FILE, call, counts, finish, report_and_exit
from gazeapp.engine.errors import GazeError

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.base import Progress, Summary
    from gazeapp.engine.workflows.encode import EncodeSettings


@click.command("neural")
@click.argument("project", type=FILE)
@click.option(
    "--responses",
    default="",
    help="Responses of the project by name, or a file or folder to import first (docs/responses.md). Default: those "
    "that the project has.",
)
@click.option(
    "--measured/--simulated",
    "measured",
    default=None,
    help="What a file of responses holds, where it does not say so itself.",
)
@click.option(
    "--atlas",
    default="desikan",
    show_default=True,
    help="Regions: an atlas by name, or a file or folder to import first (docs/regions.md).",
)
@click.option(
    "--hemispheres",
    default="joined",
    show_default=True,
    type=click.Choice(["joined", "separate"]),
    help="Whether the left and right parts of a region are one.",
)
@click.option("--task", "tasks", multiple=True, help="Task; all of the project if not given.")
@click.option("--model", "models", multiple=True, help="Model by id; all that have maps if not given.")
@click.option(
    "--control",
    "controls",
    multiple=True,
    type=click.Choice(["luminance", "contrast", "centre", "other_image", "off"]),
    help="Predictor that needs no model; may be given several times; off for none. Default: all.",
)
@click.option("--no-vertices", is_flag=True, help="Predict regions only, no maps of the cortex.")
@click.option("--each-subject", is_flag=True, help="Predict each subject's responses as well as their mean.")
@click.option("--no-partitions", is_flag=True, help="Leave out shared and unique variance.")
@click.option("--no-rsa", is_flag=True, help="Leave out the comparison of dissimilarities.")
@click.option("--grid", default=14, show_default=True, type=click.IntRange(2, 64), help="Cells a side.")
@click.option("--folds", "n_folds", default=5, show_default=True, type=click.IntRange(2))
@click.option("--inner-folds", "n_inner", default=5, show_default=True, type=click.IntRange(2))
@click.option(
    "--permutations",
    "n_permutations",
    type=click.IntRange(0, 100_000),
    help="Permutations of tests. Default: 1000, or 20 for each region where that is more.",
)
@click.option("--resamples", "n_bootstrap", default=1000, show_default=True, type=click.IntRange(0, 100_000))
@click.option("--seed", default=0, show_default=True, help="Seed of folds, permutations and resamples.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def neural_command(project: Path, as_json: bool, **options: Any) -> None:
    """Learn to predict brain responses from the maps of PROJECT, and test how well that goes in each region.

    Every source (models, people, controls) predicts held-out images by ridge regression. What was done with the same
    maps and responses is not done again.
    """
    from gazeapp.engine.reports.neural.brief import encoding_in_lines

    responses, atlas = options.pop("responses"), options.pop("atlas")
    measured = options.pop("measured")
    settings = _settings(**options)

    def verb(opened: Project, chosen: EncodeSettings, progress: Progress) -> Summary:
        from gazeapp.engine.workflows.encode import encode

        name = _take_responses(opened, responses, measured, progress)
        regions = _take_atlas(opened, atlas, progress)
        summary = encode(opened, replace(chosen, responses=name, atlas=regions), progress)
        lines = encoding_in_lines(opened, summary.details["responses"], summary.details["atlas"])
        return replace(summary, details={**summary.details, "results": lines})

    summary = call(project, verb, settings, as_json)
    if as_json:
        report_and_exit(summary, as_json, "")
    click.echo(f"{summary.verb}: {counts(summary)}.")
    for line in summary.details["results"]:
        click.echo(line)
    sys.exit(finish(summary))


def _settings(**options: Any) -> EncodeSettings:
    from gazeapp.engine.workflows.encode import EncodeSettings

    chosen = options.pop("controls")
    controls = () if "off" in chosen else chosen
    if controls or "off" in chosen:
        options["controls"] = tuple(controls)
    return EncodeSettings(
        vertices=not options.pop("no_vertices"),
        subjects=options.pop("each_subject"),
        partitions=not options.pop("no_partitions"),
        rsa=not options.pop("no_rsa"),
        **options,
    )


def _take_responses(project: Project, text: str, measured: bool | None, progress: Progress) -> str:
    """Return the name of responses, imported first where ``text`` is a file or folder."""
    known = {row.name for row in project.responses.all()}
    if not text or text in known:
        return text
    if not Path(text).exists():
        _check_name(text, "responses")
        return text
    from gazeapp.engine.workflows.import_responses import ImportResponsesSettings, import_responses

    simulated = None if measured is None else not measured
    summary = import_responses(project, ImportResponsesSettings(text, simulated=simulated), progress)
    return str(summary.details["responses"])


def _take_atlas(project: Project, text: str, progress: Progress) -> str:
    """Return the name of an atlas, imported first where ``text`` is a file or folder."""
    known = {row.name for row in project.atlases.all()}
    if text in known:
        return text
    if not Path(text).exists():
        _check_name(text, "atlas")
        return text
    from gazeapp.engine.workflows.regions import ImportRegionsSettings, import_atlas

    summary = import_atlas(project, ImportRegionsSettings((text,)), progress)
    return str(summary.details["atlas"])


def _check_name(text: str, what: str) -> None:
    """Refuse what is written like a file but is neither one nor a name.

    Raises
    ------
    GazeError
        If it has a separator or ends as files do.
    """
    if len(Path(text).parts) > 1 or Path(text).suffix:
        raise GazeError(
            f"There is no file or folder “{text}”, and the project has no {what} of that name.",
            todo=f"Check the path, or give a name that `gazeapp {'regions' if what == 'atlas' else what}` lists.",
        )


ENCODE_COMMANDS = (neural_command,)
