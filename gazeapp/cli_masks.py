"""The commands about masks and objects: what there is, bringing in, writing out, copying."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gazeapp.cli_base import FILE, option_group, run

_PLACING = ("refuse", "fraction", "pixel")
_placing = click.option(
    "--placing",
    default="refuse",
    show_default=True,
    type=click.Choice(_PLACING),
    help="On images of another size: refuse, stretch by fraction, or keep the pixels from the top left.",
)
_replace = click.option(
    "--replace", is_flag=True, help="Let another mask go that an image has under the same name."
)
_images = click.option(
    "--image", "images", multiple=True, help="Only this image; give it again for more. Default: all."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")


@click.command("masks")
@click.argument("project", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def masks_command(project: Path, as_json: bool) -> None:
    """List what can be written for a mask in PROJECT: its library, sides of the image, and what its data allow."""
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.masks import known_specs

    with Project.open(project) as opened:
        known = known_specs(opened)
        library = [
            {
                "name": one.name,
                "n_images": one.n_images,
                "mean_area": one.mean_area,
                "created": one.created,
                "images": [opened.images.get(image).name for image in opened.masks.images(one.name)],
            }
            for one in opened.masks.library()
        ]
    if as_json:
        specs = [{"spec": one.spec, "kind": one.kind, "says": one.says} for one in known]
        click.echo(json.dumps({"library": library, "specs": specs}, indent=2))
        return
    if not library:
        click.echo(
            "The library is empty: draw masks in the window, or bring them in with gazeapp import-masks."
        )
    for title, kinds in (
        ("Library:", ("library",)),
        ("Sides of the image (any percentage):", ("built_in",)),
        ("From data (any percentage):", ("people", "model", "object")),
    ):
        rows = [one for one in known if one.kind in kinds]
        if rows:
            click.echo(title)
        for one in rows:
            click.echo(f"  {one.spec:<32} {one.says}")


@click.command("import-masks")
@click.argument("project", type=FILE)
@click.argument("paths", type=FILE, nargs=-1, required=True)
@click.option("--name", default="", help="Name of the mask in the library; else labels and folders name it.")
@option_group(_placing, _replace, _json)
def import_masks_command(project: Path, paths: tuple[Path, ...], **options: Any) -> None:
    """Bring masks into PROJECT: grey PNG pictures, COCO annotations, labelme files, or folders of them.

    A picture is of the image that it is named like, white is taken away; it is called like its folder. COCO and
    labelme files name their images, and their labels name the masks.
    """
    from gazeapp.engine.workflows.masks_import import ImportMasksSettings, import_masks

    as_json = options.pop("as_json")
    run(project, import_masks, ImportMasksSettings(tuple(map(str, paths)), **options), as_json)


@click.command("export-masks")
@click.argument("project", type=FILE)
@click.option("-o", "--output", "folder", type=FILE, required=True, help="The folder to write into.")
@click.option("--mask", "names", multiple=True, help="Only this mask; give it again for more. Default: all.")
@click.option(
    "--format",
    default="png",
    show_default=True,
    type=click.Choice(["png", "coco", "labelme"]),
    help="PNG keeps graded masks; COCO and labelme know inside and outside alone.",
)
@click.option("--replace", is_flag=True, help="Let other files of the same names go.")
@_json
def export_masks_command(project: Path, folder: Path, as_json: bool, **options: Any) -> None:
    """Write the masks of PROJECT as files; gazeapp import-masks reads them back exactly."""
    from gazeapp.engine.workflows.masks_export import ExportMasksSettings, export_masks

    run(project, export_masks, ExportMasksSettings(str(folder), **options), as_json)


@click.command("make-mask")
@click.argument("project", type=FILE)
@click.argument("spec")
@click.option("--name", required=True, help="Name of the mask in the library.")
@click.option("--task", default="", help="Task whose human or attention maps count.")
@option_group(_images, _replace, _json)
def make_mask_command(project: Path, as_json: bool, **options: Any) -> None:
    """Put a mask into the library of PROJECT that follows from SPEC, such as "people 20%" or "object dog".

    It stays as it is when recordings, runs or objects change later. gazeapp masks lists what SPEC can be.
    """
    from gazeapp.engine.workflows.masks_change import MakeMaskSettings, make_mask

    run(project, make_mask, MakeMaskSettings(**options), as_json)


@click.command("copy-mask")
@click.argument("project", type=FILE)
@click.argument("name")
@click.option("--from", "source", required=True, help="The image that has it.")
@click.option(
    "--to", "images", multiple=True, help="An image that gets it; give it again for more. Default: all."
)
@click.option(
    "--placing",
    default="fraction",
    show_default=True,
    type=click.Choice(_PLACING),
    help="On images of another size: refuse, stretch by fraction, or keep the pixels from the top left.",
)
@option_group(_replace, _json)
def copy_mask_command(project: Path, as_json: bool, **options: Any) -> None:
    """Copy the mask NAME of one image of PROJECT to others."""
    from gazeapp.engine.workflows.masks_change import CopyMaskSettings, copy_mask

    run(project, copy_mask, CopyMaskSettings(**options), as_json)


@click.command("mirror-mask")
@click.argument("project", type=FILE)
@click.argument("name")
@click.argument("new_name")
@option_group(_images, _replace, _json)
def mirror_mask_command(project: Path, as_json: bool, **options: Any) -> None:
    """Store the mask NAME of PROJECT with left and right exchanged, as NEW_NAME."""
    from gazeapp.engine.workflows.masks_change import MirrorMaskSettings, mirror_mask

    run(project, mirror_mask, MirrorMaskSettings(**options), as_json)


@click.command("rename-mask")
@click.argument("project", type=FILE)
@click.argument("name")
@click.argument("new_name")
@_json
def rename_mask_command(project: Path, name: str, new_name: str, as_json: bool) -> None:
    """Call the mask NAME of PROJECT NEW_NAME; what was measured with it keeps the old name."""
    from gazeapp.engine.workflows.masks_change import RenameMaskSettings, rename_mask

    run(project, rename_mask, RenameMaskSettings(name, new_name), as_json)


@click.command("remove-mask")
@click.argument("project", type=FILE)
@click.argument("name")
@option_group(_images, _json)
def remove_mask_command(project: Path, name: str, images: tuple[str, ...], as_json: bool) -> None:
    """Remove the mask NAME from images of PROJECT; what was measured with it stays."""
    from gazeapp.engine.workflows.masks_change import RemoveMaskSettings, remove_mask

    run(project, remove_mask, RemoveMaskSettings(name, images), as_json)


@click.command("import-objects")
@click.argument("project", type=FILE)
@click.argument("paths", type=FILE, nargs=-1, required=True)
@click.option("--origin", default="", help="Where the boxes come from, in words; else the file's name.")
@option_group(_placing, _json)
def import_objects_command(project: Path, paths: tuple[Path, ...], **options: Any) -> None:
    """Bring boxes of objects into PROJECT: COCO annotations, labelme files, or tables, or folders of them.

    Tables (CSV) have the columns image, label, x, y, width, height, in px from the top left of the image. Boxes of
    an image replace those that it had from the same file. Lesions then tell which objects are no longer mentioned,
    and "object LABEL" is a mask.
    """
    from gazeapp.engine.workflows.objects import ImportObjectsSettings, import_objects

    as_json = options.pop("as_json")
    run(project, import_objects, ImportObjectsSettings(tuple(map(str, paths)), **options), as_json)


MASK_COMMANDS = (
    masks_command,
    import_masks_command,
    export_masks_command,
    make_mask_command,
    copy_mask_command,
    mirror_mask_command,
    rename_mask_command,
    remove_mask_command,
    import_objects_command,
)
