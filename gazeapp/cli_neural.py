"""The commands about brain responses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeapp.cli_base import FILE, call, counts, how_many, report_and_exit, sentence

if TYPE_CHECKING:
    from gazeapp.engine.neural.responses.preview import ResponsesPreview
    from gazeapp.engine.project import ResponsesRow
    from gazeapp.engine.workflows.import_responses import ImportResponsesSettings

_SHOWN = 20


@click.command("import-responses")
@click.argument("project", type=FILE)
@click.argument("path", type=FILE)
@click.option("--name", default="", help="What the project calls them; the file's name if not given.")
@click.option(
    "--simulated/--measured",
    default=None,
    help="Whether a model made them, or they were measured; has to be said unless the file does.",
)
@click.option("--images-list", type=FILE, help="File with the image of each row, one a line, in their order.")
@click.option(
    "--window",
    help="Seconds of each time course that are averaged, as FROM:TO. [default: 4: (the plateau of a clip)]",
)
@click.option("--rows", help="Rows of each time course that are averaged instead, as FIRST:LAST, from 1.")
@click.option("--tr", type=float, help="Seconds between the rows of a time course. [default: 1]")
@click.option(
    "--subject", default="", help="Whose they are, if the file names nobody; else the only subject to read."
)
@click.option(
    "--hemisphere",
    type=click.Choice(["left", "right"]),
    help="Read this hemisphere alone; the other one has no values.",
)
@click.option(
    "--repeats", is_flag=True, help="The axis between images and targets is of repeats, not of time."
)
@click.option("--dry-run", is_flag=True, help="Say what would be imported; nothing is stored.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def import_responses_command(
    project: Path,
    path: Path,
    name: str,
    simulated: bool | None,
    images_list: Path | None,
    window: str | None,
    rows: str | None,
    tr: float | None,
    subject: str,
    hemisphere: str | None,
    repeats: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring brain responses to the images of PROJECT in, measured or simulated.

    PATH is an NPZ file; an NPY file or a pair of GIFTI or MGH files with a list of images; a CSV or TSV table of
    images and regions; a folder with an NPY file for each image; or a folder with one of these for each subject.
    """
    from gazeapp.engine.neural.responses.options import parse_window
    from gazeapp.engine.workflows.import_responses import ImportResponsesSettings, import_responses

    if window is not None and rows is not None:
        raise click.UsageError("Give --window or --rows, not both.")
    chosen = window if rows is None else rows
    settings = ImportResponsesSettings(
        str(path),
        name,
        simulated,
        "" if images_list is None else str(images_list),
        None if chosen is None else parse_window(chosen, in_rows=rows is not None),
        tr,
        subject,
        hemisphere or "",
        "repeats" if repeats else "",
    )
    if dry_run:
        _tell_preview(project, settings, as_json)
    summary = call(project, import_responses, settings, as_json)
    lines = [
        f"{summary.verb}: {counts(summary)}",
        *(note.removesuffix(".") for note in summary.details.get("notes", ())),
    ]
    report_and_exit(summary, as_json, ".\n".join(lines))


@click.command("responses")
@click.argument("project", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def responses_command(project: Path, as_json: bool) -> None:
    """List the brain responses in PROJECT."""
    from gazeapp.engine.project import Project

    with Project.open(project) as opened:
        rows = opened.responses.all()
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "name": row.name,
                        "simulated": row.simulated,
                        "space": row.space,
                        "targets": row.n_targets,
                        "images": row.n_images,
                        "subjects": list(row.subjects),
                        "source": row.source,
                        "ceilings": row.ceiling_origin,
                        "facts": row.facts,
                        "created": row.created,
                    }
                    for row in rows
                ],
                indent=2,
            )
        )
    elif not rows:
        click.echo("The project has no brain responses; gazeapp import-responses brings them in.")
    else:
        for row in rows:
            click.echo(
                f"{row.name}  {'simulated' if row.simulated else 'measured'}  {how_many(row.n_images, 'image')}  "
                f"{_targets(row.space, row.n_targets)}  {_subjects(row.subjects)}  "
                f"{_ceilings(row)}"
            )


def _ceilings(row: ResponsesRow) -> str:
    """Return where the ceilings of regions come from."""
    if len(row.subjects) > 1:
        return "ceilings from subjects"
    return f"ceilings from {row.ceiling_origin}" if row.ceiling_origin else "no ceilings"


@click.command("remove-responses")
@click.argument("project", type=FILE)
@click.option("--name", required=True, help="What the project calls them, as gazeapp responses lists it.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def remove_responses_command(project: Path, name: str, as_json: bool) -> None:
    """Take brain responses out of PROJECT, with what encoding models found of them; their file stays."""
    from gazeapp.engine.workflows.import_responses import RemoveResponsesSettings, remove_responses

    summary = call(project, remove_responses, RemoveResponsesSettings(name), as_json)
    report_and_exit(summary, as_json, summary.details["said"].removesuffix("."))


def _tell_preview(project: Path, settings: ImportResponsesSettings, as_json: bool) -> None:
    """Say what an import would do, and exit: 1 where it would fail."""
    from gazeapp.engine.neural.responses.preview import preview_responses
    from gazeapp.engine.project import Project

    with Project.open(project) as opened:
        images = [image.name for image in opened.images.all()]
    found = preview_responses(Path(settings.path), settings.options, images)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=2))
    else:
        _print_preview(found)
    for caution in (*found.cautions, *([found.error] if found.error else [])):
        click.echo(sentence(caution.what, caution.where, caution.todo), err=True)
    sys.exit(1 if found.error else 0)


def _print_preview(found: ResponsesPreview) -> None:
    if not found.form:
        return
    origin = {True: "simulated", False: "measured", None: "measured or simulated: not said"}[found.simulated]
    click.echo(f"{found.form}, {origin}{f', {found.source}' if found.source else ''}")
    click.echo(
        f"{how_many(found.n_images, 'image')}, {_targets(found.space, found.n_targets)}, {_subjects(found.subjects)}, "
        f"up to {found.most_repeats} of an image"
    )
    if found.time_rows:
        click.echo(f"time courses of {found.time_rows} rows: mean of {found.facts['window']}")
    for one in found.matched.names[:_SHOWN]:
        near = f" (is it {one.closest}?)" if one.closest else ""
        click.echo(f"  {one.name} -> {one.image or f'none{near}'}")
    if len(found.matched.names) > _SHOWN:
        click.echo(f"  and {len(found.matched.names) - _SHOWN} more")
    click.echo(f"{len(found.matched.image_of)} of {len(found.matched.names)} names match an image")


def _as_json(found: ResponsesPreview) -> dict[str, Any]:
    return {
        "path": found.path,
        "format": found.form,
        "space": found.space,
        "targets": found.n_targets,
        "subjects": list(found.subjects),
        "rows": found.n_rows,
        "images": found.n_images,
        "most_repeats": found.most_repeats,
        "time_rows": found.time_rows,
        "simulated": found.simulated,
        "source": found.source,
        "has_ceilings": found.has_ceilings,
        "rows_looked_at": found.n_looked_at,
        "targets_without_value": found.n_never_known,
        "values_missing": found.n_missing,
        "matched": [
            {"name": one.name, "image": one.image, "rows": one.n_rows, "why": one.why, "closest": one.closest}
            for one in found.matched.names
        ],
        "images_without_response": list(found.matched.without),
        "facts": found.facts,
        "cautions": [str(caution) for caution in found.cautions],
        "error": str(found.error) if found.error else "",
    }


def _targets(space: str, n: int) -> str:
    return how_many(n, "region") if space == "regions" else how_many(n, "vertex", "vertices")


def _subjects(subjects: tuple[str, ...]) -> str:
    named = [subject for subject in subjects if subject]
    return f"{len(named)} subject{'' if len(named) == 1 else 's'}" if named else "no subject named"


NEURAL_COMMANDS = (import_responses_command, responses_command, remove_responses_command)
