"""What importing an eye-tracking file would do, with all that a user needs to see before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.formats import table as general_table
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.gaze.plan import ImportPlan, plan_import
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.reading import AUTO, SURE, guess_formats
from gazeapp.engine.gaze.records import Contents, Recording
from gazeapp.engine.gaze.source import Source, Watch
from gazeapp.engine.gaze.table_guess import preview, suggest
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry, outdated_detection
from gazeapp.engine.project.settings import as_values, settings_hash
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.gaze import (
    DEFAULT_TASK,
    FILE_VERB,
    FileSettings,
    ImportGazeSettings,
    read_as_is,
    values_of,
    with_fixations,
)

_LINES, _CHARACTERS = 40, 300
_MOST_NAMES = 1_000_000
_OUTDATED = "outdated"
"""Stands for the settings of an import whose fixations were found for another geometry: it is read again."""


class FormatGuess(NamedTuple):
    """A format that a file could be in, how sure that is (0 to 1), and what told it."""

    id: str
    name: str
    confidence: float
    reason: str


class PictureOf(NamedTuple):
    """An image of the project, to be drawn: its name, its file as last known, its size in px."""

    name: str
    path: Path
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class TablePreview:
    """The beginning of a table, and how its columns are taken.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        Cells of the first rows.
    header_line
        Number of the header's line, from 1.
    profile
        How the columns are taken: what the user says, else the best guess.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    header_line: int
    profile: TableProfile


@dataclass(frozen=True)
class Preview:
    """What was found in a file, before anything is stored.

    Parameters
    ----------
    file
        As it was given.
    settings
        How it was read.
    guesses
        The formats that it could be in, surest first.
    error
        Why it cannot be imported as it is; None when it can.
    plan
        What importing it would store; None when it cannot be read.
    images
        The images of the project that its trials show, by id.
    messages
        Its messages, for trying trial patterns on.
    table
        Its first rows, when it is a table.
    lines
        Its first lines as text; empty for a folder or a binary file.
    facts
        What the plan says of it, as :meth:`~gazeapp.engine.gaze.plan.ImportPlan.facts` does.
    own_fixations
        The tracker's own fixations, when they are to be replaced by fixations found in the samples.
    choices, default
        What the project holds to as it is: which fixations are used, and its default geometry.
    imported
        Whether the project holds an import of the same content.
    imports
        Task of each such import and hash of its settings; no hash where the first version imported it.
    read
        The file as it was read, before fixations were sought, to plan it anew without reading it.
    is_whole
        Whether ``read`` still has its samples; see :func:`without_samples`.
    """

    file: str
    settings: FileSettings = field(default_factory=FileSettings)
    guesses: tuple[FormatGuess, ...] = ()
    error: GazeError | None = None
    plan: ImportPlan | None = None
    images: Mapping[int, PictureOf] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    table: TablePreview | None = None
    lines: tuple[str, ...] = ()
    facts: Json = field(default_factory=dict)
    own_fixations: Contents | None = None
    choices: GazeChoices = field(default_factory=GazeChoices)
    default: Geometry = field(default_factory=Geometry)
    imported: bool = False
    imports: tuple[tuple[str, str], ...] = ()
    read: Recording | None = field(default=None, repr=False)
    is_whole: bool = True


def look_at(
    project: Project,
    settings: ImportGazeSettings,
    file: str,
    watch: Watch | None = None,
    before: Preview | None = None,
    default: Geometry | None = None,
) -> Preview:
    """Find out what importing a file would do; nothing is stored.

    Parameters
    ----------
    project
        Where it would be imported.
    settings
        Of the whole import; those of ``file`` are used.
    file
        The file, or the folder of a data set.
    watch
        Told about the progress of reading; what it raises to stop comes through.
    before
        An earlier preview of the same file. What it read is used again, unless the file was to be read
        otherwise.
    default
        What is to become the project's default geometry before the import; None: as it is.

    Returns
    -------
    Preview
        With the error in it when the file cannot be read or imported as it is.
    """
    own = settings.of(file)
    if before is not None and before.read and before.is_whole and _read_alike(before.settings, own):
        found = replace(before, settings=own, error=None, plan=None, own_fixations=None, facts={})
    else:
        start = Preview(file, own, choices=choices_of(project), default=default_geometry(project))
        found = _begin(start, watch)
    if found.error is not None or found.read is None:
        return found
    try:
        return _planned(project, settings, found, found.read, default or found.default)
    except GazeError as error:
        return replace(found, error=error)


def without_samples(found: Preview) -> Preview:
    """Return a preview without the samples of its file, which can be many; planning it anew reads the file."""
    if found.read is None or found.read.contents.samples is None:
        return found
    plan, own = found.plan, found.own_fixations
    return replace(
        found,
        read=_lighter(found.read),
        plan=None if plan is None else replace(plan, recording=_lighter(plan.recording)),
        own_fixations=None if own is None else replace(own, samples=None),
        is_whole=False,
    )


def _lighter(recording: Recording) -> Recording:
    return replace(recording, contents=replace(recording.contents, samples=None))


def names_in_file(path: Path) -> tuple[str, ...]:
    """Return the names of a text file, one a line, in their order; empty lines are passed over.

    Raises
    ------
    GazeError
        When the file cannot be read, is no text, or holds no name.
    """
    source = Source(path)
    if not source.is_text:
        raise source.problem("The list of images is no text.", "Write one name of an image in each line.")
    with source.open_text() as text:
        names = tuple(line.strip() for line in islice(text, _MOST_NAMES) if line.strip())
    if not names:
        raise source.problem("The list of images is empty.", "Write one name of an image in each line.")
    return names


def _read_alike(a: FileSettings, b: FileSettings) -> bool:
    """Return whether two settings hand over the same contents before fixations are sought."""
    return (a.format, a.rules, a.profile, a.detect) == (b.format, b.rules, b.profile, b.detect)


def _begin(found: Preview, watch: Watch | None) -> Preview:
    """Read a file and its head."""
    try:
        source = Source(Path(found.file))
        found = replace(found, lines=_lines(source), guesses=_guesses(source))
        found = replace(found, table=_table(source, found))
        recording = read_as_is(found.file, found.settings, watch)
    except GazeError as error:
        return replace(found, error=error)
    return replace(found, read=recording, messages=recording.facts.messages)


def _planned(
    project: Project, settings: ImportGazeSettings, found: Preview, read: Recording, default: Geometry
) -> Preview:
    own, choices = found.settings, settings.choices or choices_of(project)
    images = project.images.all()
    task = project.tasks.resolve(settings.task) or next(iter(project.tasks.all()), DEFAULT_TASK)
    for row in project.gaze.recordings(sha256=read.sha256):
        # What was said of an older import holds for the one that takes its place.
        if row.task in ("", task):
            own = replace(own, geometry=own.geometry.over(Geometry.of(row.geometry)))
    recording = with_fixations(read, own, default)
    plan = plan_import(
        recording,
        images,
        task=task,
        given=own.geometry,
        default=default,
        choices=choices,
        rules=own.match,
        names=ImageNames([image.name for image in images]),
        resolve=project.tasks.resolve,
    )
    replaced = own.detect and len(read.fixations) > 0
    imports = _imports(project, read.sha256)
    return replace(
        found,
        plan=plan,
        error=plan.blocked or _no_degrees(plan, choices),
        images=_pictures(project, images, plan),
        facts=plan.facts(),
        own_fixations=read.contents if replaced else None,
        imported=bool(imports),
        imports=imports,
    )


def is_there_already(found: Preview, settings: ImportGazeSettings) -> bool:
    """Return whether an import would pass a file over, as it was imported under the same task and settings."""
    task = settings.task.strip().casefold()
    for known, digest in found.imports:
        if not task or known.casefold() in ("", task):
            own = settings_hash(FILE_VERB, as_values(values_of(settings, found.file)))
            return digest in ("", own)
    return False


def _imports(project: Project, sha256: str) -> tuple[tuple[str, str], ...]:
    found, default = [], default_geometry(project)
    for row in project.gaze.recordings(sha256=sha256):
        stored = project.settings.get(row.settings_id)
        digest = stored.hash if stored.verb == FILE_VERB else ""
        found.append((row.task, _OUTDATED if outdated_detection(row, default) else digest))
    return tuple(found)


def _no_degrees(plan: ImportPlan, choices: GazeChoices) -> GazeError | None:
    if choices.sigma_unit != "deg" or not plan.n_used or plan.geometry.screen_px_per_degree is not None:
        return None
    return GazeError(
        "The blur of human maps is in degrees, and how many px a degree spans is not known for this file.",
        where=str(plan.recording.path),
        todo="Give the viewing distance and the screen's width, or the px per degree, or choose a blur in px.",
    )


def _pictures(project: Project, images: list[ImageRow], plan: ImportPlan) -> dict[int, PictureOf]:
    shown = plan.images
    return {
        image.id: PictureOf(image.name, project.folder / image.path, image.width, image.height)
        for image in images
        if image.id in shown
    }


def _guesses(source: Source) -> tuple[FormatGuess, ...]:
    return tuple(
        FormatGuess(entry.id, entry.name, guess.confidence, guess.reason)
        for entry, guess in guess_formats(source)
    )


def _lines(source: Source) -> tuple[str, ...]:
    if source.is_folder or not source.is_text:
        return ()
    return tuple(line[:_CHARACTERS] for line in source.head_lines[:_LINES])


def _table(source: Source, found: Preview) -> TablePreview | None:
    """Return the top of a file that is read as a table, or that nothing else reads."""
    own = found.settings
    best = found.guesses[0] if found.guesses else None
    by_content = best is None or best.id == general_table.FORMAT.id or best.confidence < SURE
    chosen = own.profile is not None or own.format == general_table.FORMAT.id
    if source.is_folder or not source.is_text or not (chosen or (own.format == AUTO and by_content)):
        return None
    try:
        profile = own.profile or suggest(source)
        top = preview(source, profile)
    except GazeError:
        return None  # reading the file says what is wrong with it
    return TablePreview(top.header, top.rows, top.columns.line, profile)
