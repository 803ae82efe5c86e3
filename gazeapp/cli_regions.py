"""The commands about regions of the cortex: what there is, bringing in, writing out, groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazeapp.cli_base import FILE, call, counts, how_many, report_and_exit, run

if TYPE_CHECKING:
    from gazeapp.engine.project.rows import AtlasRow

_json = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")


@click.command("regions")
@click.argument("project", type=FILE)
@click.argument("atlas", required=False)
@click.option("--find", is_flag=True, help="Also list atlases that lie on this computer and can be imported.")
@click.option(
    "--subjects-dir", type=FILE, help="FreeSurfer's folder of subjects. Default: what the environment says."
)
@click.option(
    "--folder", "folders", type=FILE, multiple=True, help="A further folder to look for atlases in."
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def regions_command(
    project: Path,
    atlas: str | None,
    find: bool,
    subjects_dir: Path | None,
    folders: tuple[Path, ...],
    as_json: bool,
) -> None:
    """List the atlases of PROJECT, or the regions and groups of ATLAS with their sizes on the white surface."""
    if atlas is not None:
        _list_regions(project, atlas, as_json)
    else:
        _list_atlases(project, find or bool(folders), subjects_dir, folders, as_json)


def _list_atlases(
    project: Path, find: bool, subjects_dir: Path | None, folders: tuple[Path, ...], as_json: bool
) -> None:
    from gazeapp.engine.neural.regions.discover import discover
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.regions import all_atlases

    with Project.open(project) as opened:
        rows = all_atlases(opened)
    found = discover(subjects_dir, folders) if find else []
    if as_json:
        atlases = [
            {"name": row.name, "regions": row.n_regions, "source": row.source, "limits": row.limits}
            | {"groups": {group: list(members) for group, members in row.groups.items()}}
            for row in rows
        ]
        places = [
            {"name": one.name, "title": one.title, "place": one.place, "hemispheres": one.hemispheres}
            | {"paths": [str(path) for path in one.paths]}
            for one in found
        ]
        click.echo(json.dumps({"atlases": atlases, "found": places}, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row.name}: {_contents(row)}; {row.source}")
        if row.limits:
            click.echo(f"  {row.limits}")
    for one in found:
        click.echo(f"On this computer ({one.place}): {one.name}, {one.title}")
        click.echo(f"  gazeapp import-regions {project} {' '.join(map(str, one.paths))}")
    if find and not found:
        click.echo(
            "No further atlas was found; name its folder with --folder, or FreeSurfer's with --subjects-dir."
        )


def _list_regions(project: Path, name: str, as_json: bool) -> None:
    from gazeapp.engine.neural.regions.picking import region_size
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.regions import atlas_for, region_list

    with Project.open(project) as opened:
        atlas = atlas_for(opened, name)
    sizes = [(region, group, region_size(region)) for region, group in region_list(atlas, "separate")]
    if as_json:
        regions = [
            {"name": region.name, "hemisphere": size.hemisphere, "group": group}
            | {"vertices": size.n_vertices, "area_mm2": round(size.area_mm2, 1)}
            for region, group, size in sizes
        ]
        head = {"atlas": atlas.name, "source": atlas.source, "limits": atlas.limits}
        click.echo(json.dumps({**head, "regions": regions}, indent=2, ensure_ascii=False))
        return
    width = max(len(region.name) for region, _, _ in sizes)
    for region, group, size in sizes:
        kind = f"  group of {', '.join(atlas.groups[region.name])}" if group else ""
        click.echo(
            f"{region.name:<{width}}  {size.hemisphere:<5}  {size.n_vertices:>6,} vertices  "
            f"{size.area_mm2:>8,.0f} mm²{kind}"
        )
    for line in (atlas.source, atlas.limits):
        if line:
            click.echo(line)


@click.command("import-regions")
@click.argument("project", type=FILE)
@click.argument("paths", type=FILE, nargs=-1, required=True)
@click.option("--name", default="", help="Name of the atlas; else its files name it.")
@click.option(
    "--names",
    "names_file",
    type=FILE,
    help="A table or colour table of what numbers are called, or names one to a line.",
)
@click.option("--replace", is_flag=True, help="Let another atlas of that name go.")
@_json
def import_regions_command(
    project: Path, paths: tuple[Path, ...], name: str, names_file: Path | None, replace: bool, as_json: bool
) -> None:
    """Bring an atlas on fsaverage or fsaverage5 into PROJECT.

    PATHS are FreeSurfer annotations, label volumes (.mgz), GIFTI labels or tables with a row for each vertex, one of
    each hemisphere or one of both; FreeSurfer labels (.label) or a folder of them; or a file of gazeapp
    export-regions. Of fsaverage, the first 10,242 vertices of each hemisphere are taken.
    """
    from gazeapp.engine.workflows.regions import ImportRegionsSettings, import_atlas

    settings = ImportRegionsSettings(
        tuple(map(str, paths)), name, str(names_file) if names_file else "", replace
    )
    summary = call(project, import_atlas, settings, as_json)
    if not as_json:
        for note in summary.details["notes"]:
            click.echo(f"Note: {note}", err=True)
    regions = summary.details["regions"]
    report_and_exit(
        summary,
        as_json,
        f"“{summary.details['atlas']}” with {how_many(regions, 'region')}: {counts(summary)}",
    )


@click.command("export-regions")
@click.argument("project", type=FILE)
@click.argument("atlas")
@click.option("-o", "--output", type=FILE, required=True, help="The file to write, .json.")
@click.option("--replace", is_flag=True, help="Let another file of that name go.")
@_json
def export_regions_command(project: Path, atlas: str, output: Path, replace: bool, as_json: bool) -> None:
    """Write ATLAS of PROJECT, with its groups, as a file that gazeapp import-regions reads back."""
    from gazeapp.engine.workflows.regions import ExportRegionsSettings, export_atlas

    run(project, export_atlas, ExportRegionsSettings(atlas, str(output), replace), as_json)


@click.command("remove-regions")
@click.argument("project", type=FILE)
@click.argument("atlas")
@click.option("--region", default="", help="Only this region, of those that were picked on the cortex.")
@_json
def remove_regions_command(project: Path, atlas: str, region: str, as_json: bool) -> None:
    """Take ATLAS out of PROJECT; of desikan, changed groups go. What was computed with it stays."""
    from gazeapp.engine.workflows.regions import RemoveRegionsSettings, remove_atlas

    run(project, remove_atlas, RemoveRegionsSettings(atlas, region), as_json)


@click.command("group-regions")
@click.argument("project", type=FILE)
@click.argument("atlas")
@click.argument("group", required=False)
@click.argument("regions", nargs=-1)
@click.option("--presets", is_flag=True, help="Take the groups that are known for the atlas, and no others.")
@_json
def group_regions_command(
    project: Path, atlas: str, group: str | None, regions: tuple[str, ...], presets: bool, as_json: bool
) -> None:
    """Make GROUP of REGIONS of ATLAS in PROJECT, in place of the one of that name; without REGIONS it goes."""
    from gazeapp.engine.workflows.regions import GroupRegionsSettings, group_regions

    if presets == (group is not None):
        raise click.UsageError("Name a group, or give --presets.")
    settings = GroupRegionsSettings(atlas, group or "", regions, presets)
    run(project, group_regions, settings, as_json)


def _contents(row: AtlasRow) -> str:
    groups = how_many(len(row.groups), "group") if row.groups else "no groups"
    return f"{how_many(row.n_regions, 'region')}, {groups}"


REGION_COMMANDS = (
    regions_command,
    import_regions_command,
    export_regions_command,
    remove_regions_command,
    group_regions_command,
)
