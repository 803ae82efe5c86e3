"""The commands about maps that were made elsewhere: bringing them in, taking maps out."""

from __future__ import annotations

from pathlib import Path

import click

from gazeapp.cli_base import FILE, call, report_and_exit, run


@click.command("import-maps")
@click.argument("project", type=FILE)
@click.argument("path", type=FILE)
@click.option("--model", required=True, help="Name of the model that made the maps.")
@click.option(
    "--task",
    "tasks",
    required=True,
    multiple=True,
    help="Task that they belong to; give it several times when the same maps serve several tasks.",
)
@click.option(
    "--encoder", default="", help="Encoder of the model, for the comparison of architectures; with --decoder."
)
@click.option("--decoder", default="", help="Decoder of the model; with --encoder.")
@click.option("--log-density", is_flag=True, help="They are logarithms of a density, as pysaliency exports.")
@click.option("--truth", is_flag=True, help="They are the density that simulated observers were drawn from.")
@click.option(
    "--mirrored",
    is_flag=True,
    help="The model saw each image left-right mirrored: the control for laterality. Maps are not turned back.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def import_maps_command(
    project: Path,
    path: Path,
    model: str,
    tasks: tuple[str, ...],
    encoder: str,
    decoder: str,
    log_density: bool,
    truth: bool,
    mirrored: bool,
    as_json: bool,
) -> None:
    """Bring maps made elsewhere into PROJECT.

    PATH is a folder with one NPY, NPZ or grey picture for each image, or one HDF5 file (pysaliency's layout) or
    one NPZ file with an array for each image. Each map is named like its image, with or without the image's
    extension.
    """
    from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps

    settings = ImportMapsSettings(
        str(path),
        model,
        tasks,
        kind="truth" if truth else "imported",
        values="log_density" if log_density else "saliency",
        mirrored=mirrored,
        encoder=encoder,
        decoder=decoder,
    )
    run(project, import_maps, settings, as_json)


@click.command("remove-maps")
@click.argument("project", type=FILE)
@click.option("--model", required=True, help="Id of the model, as in models.csv of the export, or its name.")
@click.option("--task", default="", help="Task whose maps go; all tasks if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def remove_maps_command(project: Path, model: str, task: str, as_json: bool) -> None:
    """Take the maps of a model out of PROJECT, with its captions, scores and measures.

    Comparisons between models go, too, until the study is scored again. The files that maps were imported from
    stay where they are.
    """
    from gazeapp.engine.workflows.remove_maps import RemoveMapsSettings, remove_maps

    summary = call(project, remove_maps, RemoveMapsSettings(model, task), as_json)
    report_and_exit(summary, as_json, summary.details["said"].removesuffix("."))


MAP_COMMANDS = (import_maps_command, remove_maps_command)
