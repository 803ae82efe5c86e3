"""The commands about recordings: reading them, choosing fixations, screens, offsets, quality."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeapp.cli_base import FILE, call, counts, option_group, parse_sigma, report_and_exit, run
from gazeapp.engine.errors import GazeError

if TYPE_CHECKING:
    from gazeapp.engine.gaze.choices import GazeChoices
    from gazeapp.engine.gaze.geometry import Geometry
    from gazeapp.engine.gaze.match import MatchRules
    from gazeapp.engine.gaze.profiles import TableProfile
    from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings

_FRAMES = {
    "image-px": {"of": "image"},
    "screen-px": {"of": "screen"},
    "image-share": {"of": "image", "unit": "share"},
    "screen-share": {"of": "screen", "unit": "share"},
}


_CHOICES = option_group(
    click.option(
        "--eye",
        type=click.Choice(["best", "left", "right", "average"]),
        help="Eye whose fixations are used; best is the one with more positions.",
    ),
    click.option(
        "--first", "first_fixation", type=click.Choice(["keep", "drop"]), help="First fixation of each trial."
    ),
    click.option("--min-duration", "min_duration_ms", type=float, help="Leave out shorter fixations, ms."),
    click.option("--max-duration", "max_duration_ms", type=float, help="Leave out longer fixations, ms."),
    click.option(
        "--outside",
        type=click.Choice(["drop", "clamp"]),
        help="Fixations outside their image: leave out, or move to its border.",
    ),
    click.option(
        "--weighting", type=click.Choice(["equal", "duration"]), help="What a fixation counts in human maps."
    ),
    click.option("--sigma", help="Blur of the human maps: 24px or 1deg."),
)

_GEOMETRY = option_group(
    click.option("--screen", type=(float, float), metavar="W H", help="Screen width and height, px."),
    click.option(
        "--placement",
        type=click.Choice(["recorded", "own size", "fit", "fill", "explicit"]),
        help="Where the image lay on the screen.",
    ),
    click.option(
        "--rect",
        type=(float, float, float, float),
        metavar="X Y W H",
        help="Where the image lay, screen px; implies --placement explicit.",
    ),
    click.option("--distance-cm", type=float, help="From the eye to the screen, cm."),
    click.option("--screen-width-cm", type=float, help="Width of the screen, cm."),
    click.option(
        "--px-per-deg", type=float, help="Screen px in a degree of visual angle, if known directly."
    ),
)

_TRIALS = option_group(
    click.option("--trial-preset", default="auto", show_default=True, help="Messages that divide trials."),
    click.option(
        "--trial-pattern", default="", help="Regular expression of the message that begins a trial."
    ),
    click.option("--trial-end", default="", help="Regular expression of the message that ends a trial."),
    click.option(
        "--image-pattern", default="", help="Regular expression whose first group is the image's name."
    ),
)

_MATCHING = option_group(
    click.option(
        "--match", "matches", multiple=True, metavar="RECORDED=IMAGE", help="Image that a name stands for."
    ),
    click.option(
        "--order",
        type=FILE,
        help="Text file with one image a line, in the order in which each subject saw them.",
    ),
)

_TABLES = option_group(
    click.option("--profile", help="Column mapping: a file, or the name of a saved one."),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="WHAT=HEADER",
        help="Which column is image, subject, x, y, task, trial, index, start, end, duration, eye, valid, time.",
    ),
    click.option("--frame", type=click.Choice([*_FRAMES]), help="Frame of x and y in a table."),
    click.option("--y-up", is_flag=True, help="y of a table grows upwards."),
    click.option("--save-profile", metavar="NAME", help="Keep the column mapping in use under a name."),
)

_DETECTION = option_group(
    click.option(
        "--from-samples", is_flag=True, help="Find fixations in samples though the file has its own."
    ),
    click.option(
        "--method",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", "ivt", "idt", "i2mc", "remodnav"]),
        help="How fixations are found in samples.",
    ),
    click.option("--velocity", type=float, help="Threshold of I-VT, degrees a second."),
    click.option("--dispersion", type=float, help="Threshold of I-DT, degrees."),
    click.option("--min-fixation", type=float, help="Shortest fixation that is found, ms."),
)


@click.command("import-gaze")
@click.argument("project", type=FILE)
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--format", "format_", default="auto", show_default=True, help="gazeapp formats lists them.")
@click.option("--task", default="", help="Task of the recordings that do not name one themselves.")
@_TRIALS
@_MATCHING
@_TABLES
@_GEOMETRY
@_DETECTION
@_CHOICES
@click.option("--simulated", is_flag=True, help="Mark the recordings as simulated.")
@click.option("--dry-run", is_flag=True, help="Read and report, store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was read from each file as JSON.")
def import_gaze_command(
    project: Path,
    files: tuple[Path, ...],
    format_: str,
    task: str,
    simulated: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Read eye-tracking FILES, or folders of data sets, into PROJECT.

    What is said of eye, first fixation, durations, outside, weighting and sigma holds for the whole
    project from then on; gazeapp choose-fixations changes it later.
    """
    from gazeapp.engine.gaze.cautions import in_lines
    from gazeapp.engine.gaze.reading import expand
    from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze

    for path in files:
        if not expand([path]):
            raise GazeError(
                "The folder holds no recording.",
                where=str(path),
                todo="Files are taken whose names end as those of a known format; name others one by one.",
            )
    names = tuple(str(path) for path in expand(files))
    reading = _file_settings(format_, options)
    own = {}
    if options["columns"] or options["frame"] or options["y_up"]:
        own = {
            name: replace(reading, profile=_profile(Path(name), reading.profile, options)) for name in names
        }
    settings = ImportGazeSettings(
        files=names,
        task=task,
        reading=reading,
        own=own,
        choices=_choices(project, options),
        simulated=simulated,
        dry_run=dry_run,
    )
    summary = call(project, import_gaze, settings, as_json)
    if options["save_profile"]:
        saved = _save_profile(options["save_profile"], settings)
        click.echo(
            f"The column mapping is in {saved}; --profile {options['save_profile']} uses it.", err=True
        )
    lines = []
    for entry in summary.details["files"]:
        lines += [f"{entry['file']}{_standing(entry, dry_run)}", *(f"    {line}" for line in in_lines(entry))]
    done = counts(summary)
    if dry_run:
        done = f"dry run, nothing stored: {done.replace('done', 'can be imported')}"
    report_and_exit(summary, as_json, "\n".join([*lines, f"{summary.verb}: {done}"]))


def _standing(entry: dict[str, Any], dry_run: bool) -> str:
    """Return what became of a file, or would, behind its name."""
    if "blocked" in entry:
        return "  (cannot be imported as it is)" if dry_run else "  (not imported)"
    if entry["there_already"]:
        return "  (there already, as it stands now)"
    if entry["replaces"]:
        return f"  ({'would take' if dry_run else 'took'} the place of an earlier import of it)"
    return ""


def _save_profile(name: str, settings: ImportGazeSettings) -> Path:
    from gazeapp.engine.gaze.profiles import profiles_folder, save_profile

    profiles = [settings.of(file).profile for file in settings.files]
    profile = next((profile for profile in profiles if profile is not None), None)
    if profile is None:
        raise GazeError(
            "There is no column mapping to save.",
            todo="Say which column is which with --column, or give one with --profile.",
        )
    return save_profile(replace(profile, name=name), profiles_folder())


@click.command("formats")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def formats_command(as_json: bool) -> None:
    """List the recordings that can be read."""
    from gazeapp.engine.gaze.formats import ALL

    if as_json:
        rows = [
            {"id": f.id, "name": f.name, "samples": f.has_samples, "messages": f.has_messages} for f in ALL
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for entry in ALL:
        click.echo(f"{entry.id:<20} {entry.name}")


@click.command("choose-fixations")
@click.argument("project", type=FILE)
@_CHOICES
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def choose_fixations_command(project: Path, as_json: bool, **options: Any) -> None:
    """Change which fixations of PROJECT are used; what is not said stays as it is.

    Nothing is deleted: fixations are marked, and can be marked otherwise later. Without options it says
    what holds now.
    """
    from gazeapp.engine.workflows.marking import choose_fixations

    choices = _choices(project, options)
    if choices is None:
        _show_choices(project, as_json)
        return
    summary = call(project, choose_fixations, choices, as_json)
    done = f"{_in_words(choices)}; {summary.details['changed']} fixations marked otherwise"
    stopped = "stopped before the end, so nothing was changed"
    report_and_exit(summary, as_json, f"{summary.verb}: {stopped if summary.cancelled else done}")


def _in_words(choices: GazeChoices) -> str:
    return f"{choices.in_words()}, blur {choices.sigma:g} {choices.sigma_unit}"


def _show_choices(path: Path, as_json: bool) -> None:
    from gazeapp.engine.project import Project
    from gazeapp.engine.project.gaze_rules import choices_of

    with Project.open(path) as project:
        choices = choices_of(project)
    click.echo(json.dumps(choices.as_json(), indent=2) if as_json else f"{_in_words(choices)}.")


@click.command("set-geometry")
@click.argument("project", type=FILE)
@_GEOMETRY
@click.option(
    "--recording",
    "recordings",
    multiple=True,
    help="File name of a recording; without, it is said of all that say nothing themselves.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def set_geometry_command(project: Path, recordings: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Say how large the screen was, where images lay on it, and how far away it was.

    What is not said stays as it is. The recordings' files are not read again.
    """
    from gazeapp.engine.gaze.geometry import Geometry
    from gazeapp.engine.workflows.marking import GeometrySettings, change_geometry

    said = _geometry(options)
    if said == Geometry():
        raise GazeError("Nothing is said to change.", todo="Say it, for example with --screen 1920 1080.")
    ids = tuple(_recording_ids(project, recordings))
    summary = call(project, change_geometry, GeometrySettings(said, ids, keep=True), as_json)
    done = f"{counts(summary)}; {summary.details['changed']} fixations marked otherwise"
    report_and_exit(summary, as_json, f"{summary.verb}: {done}")


@click.command("remove-gaze")
@click.argument("project", type=FILE)
@click.argument("recordings", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def remove_gaze_command(project: Path, recordings: tuple[str, ...], as_json: bool) -> None:
    """Take RECORDINGS (file names) out of PROJECT, with their trials, fixations and offsets.

    The recordings' files stay where they are.
    """
    from gazeapp.engine.workflows.marking import RemoveSettings, remove_gaze

    run(project, remove_gaze, RemoveSettings(tuple(_recording_ids(project, recordings))), as_json)


@click.command("quality")
@click.argument("project", type=FILE)
@click.option("-o", "--output", type=FILE, help="CSV file for the figures; columns as in gazeapp export.")
@click.option(
    "--by",
    type=click.Choice(["trial", "recording"]),
    default="trial",
    show_default=True,
    help="What a row of the CSV file is.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures of the recordings as JSON.")
def quality_command(project: Path, output: Path | None, by: str, as_json: bool) -> None:
    """Show how good the recordings of PROJECT are, and which stand out.

    A recording here is one subject in one file.
    """
    from gazeapp.engine.project import Project
    from gazeapp.engine.reports import quality
    from gazeapp.engine.reports.dictionary import QUALITY, QUALITY_RECORDINGS
    from gazeapp.engine.reports.tables import write_table

    with Project.open(project) as opened:
        found = quality.read_quality(opened)
    if output is not None and by == "trial":
        write_table(output, QUALITY, quality.trial_rows(found))
    elif output is not None:
        write_table(output, QUALITY_RECORDINGS, quality.recording_rows(found))
    if as_json:
        names = [column.name for column in QUALITY_RECORDINGS.columns]
        rows = [dict(zip(names, row, strict=True)) for row in quality.recording_rows(found)]
        click.echo(json.dumps({"trials": len(found.trials), "recordings": rows}, indent=2))
        return
    click.echo(f"{found.in_words()}.")
    for line in quality.standing_out(found):
        click.echo(line)


def _file_settings(format_: str, options: dict[str, Any]) -> FileSettings:
    from gazeapp.engine.gaze.detection import DetectionSettings
    from gazeapp.engine.gaze.profiles import find_profile
    from gazeapp.engine.gaze.trial_rules import TrialRules
    from gazeapp.engine.workflows.gaze import FileSettings

    names = {"velocity": "velocity_deg_s", "dispersion": "dispersion_deg", "min_fixation": "min_duration_ms"}
    thresholds = {names[key]: options[key] for key in names if options[key] is not None}
    return FileSettings(
        format=format_,
        rules=TrialRules(
            options["trial_preset"], options["trial_pattern"], options["trial_end"], options["image_pattern"]
        ),
        profile=find_profile(options["profile"]) if options["profile"] else None,
        match=_match_rules(options),
        geometry=_geometry(options),
        detect=options["from_samples"],
        detection=DetectionSettings(method=options["method"], **thresholds),
    )


def _match_rules(options: dict[str, Any]) -> MatchRules:
    from gazeapp.engine.gaze.match import MatchRules

    order: tuple[str, ...] = ()
    if options["order"]:
        try:
            lines = options["order"].read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise GazeError(
                "The list of images cannot be read.",
                where=str(options["order"]),
                todo="Give a text file in UTF-8 with the name of one image a line.",
            ) from error
        order = tuple(line.strip() for line in lines if line.strip())
    return MatchRules(_pairs(options["matches"], "--match"), order)


def _pairs(words: tuple[str, ...], option: str) -> dict[str, str]:
    pairs = {}
    for word in words:
        left, sign, right = word.partition("=")
        if not (sign and left.strip()):
            raise click.BadParameter(f"'{word}' for {option} is not of the form LEFT=RIGHT.")
        pairs[left.strip()] = right.strip()
    return pairs


def _profile(file: Path, profile: TableProfile | None, options: dict[str, Any]) -> TableProfile:
    from gazeapp.engine.gaze.records import Frame
    from gazeapp.engine.gaze.source import Source
    from gazeapp.engine.gaze.table_guess import suggest

    said = _pairs(options["columns"], "--column")
    base = profile or suggest(Source(file), said)
    columns = {**base.columns, **said}
    frame = base.frame if options["frame"] is None else Frame(**_FRAMES[options["frame"]])
    return replace(base, columns=columns, frame=replace(frame, y_up=options["y_up"] or frame.y_up))


def _geometry(options: dict[str, Any]) -> Geometry:
    from gazeapp.engine.gaze.geometry import Geometry

    names = {entry.name for entry in fields(Geometry)}
    given = {name: value for name, value in options.items() if name in names and value is not None}
    if given.get("rect") and not given.get("placement"):
        given["placement"] = "explicit"
    return Geometry(**given)


def _choices(path: Path, options: dict[str, Any]) -> GazeChoices | None:
    """Return the project's choices with what was said changed, or None when nothing was said."""
    from gazeapp.engine.project import Project
    from gazeapp.engine.project.gaze_rules import choices_of

    given = {
        name: value
        for name, value in options.items()
        if name in ("eye", "first_fixation", "min_duration_ms", "max_duration_ms", "outside", "weighting")
        and value is not None
    }
    if options["sigma"]:
        given["sigma"], given["sigma_unit"] = parse_sigma(options["sigma"])
    if not given:
        return None
    with Project.open(path) as project:
        return replace(choices_of(project), **given)


def _recording_ids(path: Path, names: tuple[str, ...]) -> list[int]:
    from gazeapp.engine.project import Project

    if not names:
        return []
    with Project.open(path) as project:
        known = {row.id: Path(row.file).name for row in project.gaze.recordings()}
    ids = []
    for name in names:
        found = [number for number, file in known.items() if file == Path(name).name]
        if not found:
            raise GazeError(
                f"The project has no recording '{name}'.",
                todo=f"Its recordings are: {', '.join(known.values()) or 'none yet'}.",
            )
        ids += found
    return ids


COMMANDS = (
    remove_gaze_command,
    import_gaze_command,
    formats_command,
    choose_fixations_command,
    set_geometry_command,
    quality_command,
)
