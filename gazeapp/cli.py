"""The command line: it turns words into settings and calls the same verbs as the window."""

from __future__ import annotations

import difflib
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

import gazeapp
from gazeapp.cli_base import FILE, call, counts, finish, report_and_exit, run, sentence
from gazeapp.cli_encode import ENCODE_COMMANDS
from gazeapp.cli_extract import EXTRACT_COMMANDS
from gazeapp.cli_factorial import FACTORIAL_COMMANDS
from gazeapp.cli_gaze import COMMANDS
from gazeapp.cli_import_captioner import import_captioner_command
from gazeapp.cli_lesion import LESION_COMMANDS
from gazeapp.cli_maps import MAP_COMMANDS
from gazeapp.cli_masks import MASK_COMMANDS
from gazeapp.cli_models import MODEL_COMMANDS
from gazeapp.cli_neural import NEURAL_COMMANDS
from gazeapp.cli_predict import predict_responses_command
from gazeapp.cli_regions import REGION_COMMANDS
from gazeapp.cli_runner import runner_command
from gazeapp.cli_score import score_command
from gazeapp.cli_train import train_command
from gazeapp.display import has_display
from gazeapp.engine.errors import GazeError
from gazeapp.terminal import TerminalProgress


class _Commands(click.Group):
    """A group that opens the window when its first word is no command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or self._is_project(args[0]):
            args = ["window", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands:
            close = difflib.get_close_matches(args[0], self.commands, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            ctx.fail(f"There is no command '{args[0]}', nor a project file of that name.{hint}")
        return super().resolve_command(ctx, args)

    def _is_project(self, word: str) -> bool:
        path = Path(word)
        return word not in self.commands and (path.suffix == ".gaze" or path.is_file())

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GazeError as error:
            click.echo(sentence(error.what, error.where, error.todo), err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(gazeapp.__version__, prog_name="gazeapp")
def main() -> None:
    """Show where people look and where vision-language models attend, and how far the two agree.

    Without a command the window opens; a project file may follow: gazeapp study.gaze
    """


@main.command()
@click.argument("project", type=FILE, required=False)
def window(project: Path | None) -> None:
    """Open the window, with PROJECT if given."""
    if not has_display():
        raise GazeError(
            "No window can be opened here, because no display answers.",
            todo="Run it on a desktop, or use the commands: gazeapp --help lists them.",
        )
    from gazeapp.ui.app import main as open_window

    sys.exit(open_window(project))


@main.command()
@click.argument("folder", type=FILE, default=Path("demo-study"), metavar="[DIR]")
@click.option("--no-window", is_flag=True, help="Build it, write report and pictures, and open no window.")
@click.option("--scenes", default=48, show_default=True, type=click.IntRange(2), help="Number of scenes.")
@click.option(
    "--observers", default=12, show_default=True, type=click.IntRange(2), help="Simulated observers."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the scenes and observers.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def demo(folder: Path, no_window: bool, scenes: int, observers: int, seed: int, as_json: bool) -> None:
    """Build and run the whole demo study in DIR, then show it.

    Drawn scenes, simulated observers and brain responses, the four models that ship, scores and a report. What is there
    already is not computed again.
    """
    from gazeapp.engine.workflows.demo import DemoSettings, build_demo

    settings = DemoSettings(str(folder), scenes, observers, seed)
    with TerminalProgress(quiet=as_json).watching() as progress:
        summary = build_demo(settings, progress)
    pictures: list[Path] = []
    show = not no_window and has_display()
    if not show and not summary.cancelled:
        pictures = _save_pictures(settings.project_path, folder / "pictures")
    if as_json:
        click.echo(json.dumps({**summary.as_json(), "pictures": [str(path) for path in pictures]}, indent=2))
    else:
        click.echo(f"Demo study (simulated): {counts(summary)}.")
        click.echo(f"  project   {settings.project_path}")
        click.echo(f"  report    {settings.report_path}")
        for path in pictures:
            click.echo(f"  picture   {path}")
    code = finish(summary)
    if show and not summary.cancelled:
        from gazeapp.ui.app import main as open_window

        code = code or open_window(settings.project_path)
    sys.exit(code)


@main.command()
@click.argument("project", type=FILE)
@click.option(
    "--images", "folders", type=FILE, multiple=True, required=True, help="Folder or file of images."
)
@click.option("--task", "tasks", multiple=True, help="Task name; give it again for more.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def new(project: Path, folders: tuple[Path, ...], tasks: tuple[str, ...], as_json: bool) -> None:
    """Create PROJECT and add images to it."""
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.images import AddImagesSettings, add_images

    settings = AddImagesSettings(tuple(str(path) for path in folders))
    created = Project.create(project)
    try:
        for task in tasks:
            created.tasks.add(task)
        with TerminalProgress(quiet=as_json).watching() as progress:
            summary = add_images(created, settings, progress)
    except GazeError:
        empty = not created.images.all()
        created.close()
        if empty:
            project.unlink()
        raise
    created.close()
    report_and_exit(summary, as_json, f"{project} holds {summary.details['images']} images")


@main.command("add-images")
@click.argument("project", type=FILE)
@click.argument("paths", type=FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def add_images_command(project: Path, paths: tuple[Path, ...], as_json: bool) -> None:
    """Add pictures, or folders of pictures, to PROJECT."""
    from gazeapp.engine.workflows.images import AddImagesSettings, add_images

    settings = AddImagesSettings(tuple(str(path) for path in paths))
    run(project, add_images, settings, as_json)


@main.command("scanpaths")
@click.argument("project", type=FILE)
@click.option(
    "--measure",
    "measures",
    multiple=True,
    help="A scanpath measure; may be given several times. Default: all but MultiMatch.",
)
@click.option(
    "--multimatch",
    is_flag=True,
    help="MultiMatch, too, which takes four times as long as all others together.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def scanpaths_command(project: Path, measures: tuple[str, ...], multimatch: bool, as_json: bool) -> None:
    """Compare the scanpaths of the people of PROJECT, image by image."""
    from gazeapp.engine.gaze.scanpaths import ScanpathSettings
    from gazeapp.engine.gaze.scanpaths.measures import DEFAULT, MULTIMATCH
    from gazeapp.engine.workflows.scanpaths import CompareScanpathsSettings, compare_scanpaths

    chosen = tuple(dict.fromkeys([*(measures or DEFAULT), *(MULTIMATCH if multimatch else ())]))
    run(project, compare_scanpaths, CompareScanpathsSettings(ScanpathSettings(measures=chosen)), as_json)


@main.command("report")
@click.argument("project", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="The file to write, .html.")
@click.option(
    "--preset",
    default="tuebingen",
    show_default=True,
    type=click.Choice(["tuebingen", "mit", "harmonization"]),
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def report_command(project: Path, output: Path, preset: str, as_json: bool) -> None:
    """Write the report of PROJECT as one self-contained file."""
    from gazeapp.engine.workflows.report import ReportSettings, report

    summary = call(project, report, ReportSettings(output=str(output), preset=preset), as_json)
    _say_without_scores(project, preset)
    report_and_exit(summary, as_json, f"{summary.verb}: {counts(summary)}")


@main.command("export")
@click.argument("project", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="The folder to write into.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def export_command(project: Path, output: Path, as_json: bool) -> None:
    """Write the tables, maps and overlays of PROJECT into a folder."""
    from gazeapp.engine.workflows.export import ExportSettings, export

    summary = call(project, export, ExportSettings(folder=str(output)), as_json)
    _say_without_scores(project)
    report_and_exit(summary, as_json, f"{summary.verb}: {counts(summary)}")


def _say_without_scores(path: Path, preset: str = "") -> None:
    """Say on stderr that there are no scores, of a preset or at all."""
    from gazeapp.engine.project import Project

    with Project.open(path) as project:
        there = sorted({row.preset for row in project.scores.summary()})
    if not there:
        click.echo("Note: The project has no scores yet; gazeapp score makes them.", err=True)
    elif preset and preset not in there:
        click.echo(
            f"Note: The project was not scored with the preset {preset}, so its scores are missing; there are scores "
            f"of: {', '.join(there)}.",
            err=True,
        )


def _save_pictures(project: Path, folder: Path) -> list[Path]:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from gazeapp.ui.pictures import save_window_pictures

    return save_window_pictures(project, folder)


for _command in (
    *COMMANDS,
    *MAP_COMMANDS,
    *MODEL_COMMANDS,
    *EXTRACT_COMMANDS,
    *MASK_COMMANDS,
    *LESION_COMMANDS,
    *NEURAL_COMMANDS,
    *ENCODE_COMMANDS,
    *REGION_COMMANDS,
    predict_responses_command,
    score_command,
    runner_command,
    train_command,
    import_captioner_command,
    *FACTORIAL_COMMANDS,
):
    main.add_command(_command)
