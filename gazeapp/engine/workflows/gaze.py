"""Import recordings of an eye tracker, and keep the human maps up to date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.gaze.detect import read_recording
from gazeapp.engine.gaze.geometry import Sigma
from gazeapp.engine.gaze.match import ImageNames
from gazeapp.engine.gaze.plan import Caution, ImportPlan, find_image, plan_import
from gazeapp.engine.gaze.records import OTHER_EYE, Fixations, Recording
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.project import ImageRow, Project, RecordingRow
from gazeapp.engine.project.gaze import FixationRow
from gazeapp.engine.types import FloatArray, IntArray, Json, Rect
from gazeapp.engine.workflows.base import Progress, Summary, Tally

VERB = "import gaze"
MAP_VERB = "human map"
DEFAULT_TASK = "free"
"""Task of recordings that name none, in a project that has no task yet."""

_DISPLAY_SIDE = 128


@dataclass(frozen=True)
class ImportGazeSettings:
    """Which recordings to import, and how to read them.

    Parameters
    ----------
    files
        Eye-tracking files.
    format
        A key of ``gaze.detect.FORMATS``, or ``auto`` to tell each file's format by its content.
    task
        Task of the trials that name none themselves; a name that differs from a task of the project in
        case or outer space only is that task. Empty: the project's only task, or ``free`` when it has
        none yet.
    eye
        ``auto``, ``left`` or ``right``; for files that tell the eyes apart.
    trial_pattern
        Regular expression of the messages that begin a trial; for files with messages.
    dry_run
        Read and report, store nothing.
    simulated
        Mark the recordings as simulated.
    sigma, sigma_unit
        Standard deviation of the human maps' Gaussian, in ``px`` (image px) or ``deg``.
    px_per_deg
        Image px per degree of visual angle; needed for ``deg``.
    screen
        Screen size (width, height), px, for files that do not say it.
    """

    files: tuple[str, ...]
    format: str = "auto"
    task: str = ""
    eye: str = "auto"
    trial_pattern: str = ""
    dry_run: bool = False
    simulated: bool = False
    sigma: float = 24.0
    sigma_unit: str = "px"
    px_per_deg: float | None = None
    screen: tuple[float, float] | None = None


def import_gaze(project: Project, settings: ImportGazeSettings, progress: Progress) -> Summary:
    """Import eye-tracking files; each file is stored whole or not at all.

    A file whose content was imported under the same task already is skipped, unless images that it
    shows have been added since: then it is read again in place of the older import. Trials whose
    image is unknown and fixations that lie outside their image are stored, marked and counted. The
    human maps of every image that a file concerns are made anew in the same transaction.

    Returns
    -------
    Summary
        ``details["files"]`` has one entry for each file that was read: ``file``, ``format``,
        ``confidence``, ``screen``, ``eyes``, ``eye_used``, ``rate_hz``, ``trials``, ``fixations``
        (not left out), ``without_image`` (those of them on no image of the project yet; the others
        are used), ``fixations_per_eye`` (read), ``dropped`` by reason, ``unmatched`` image names with
        the closest one, ``subjects``, ``stored``. ``details["new_tasks"]`` are the tasks that the
        files brought.

    Raises
    ------
    GazeError
        When the settings make no sense: a sigma in degrees without px per degree, or no task where
        the project has several.
    """
    job = _Import(project, settings)
    tally = Tally(project, VERB, progress, len(settings.files), store=not settings.dry_run)
    entries: list[Json] = []
    new_tasks: list[str] = []
    for file in settings.files:
        if tally.should_stop():
            break
        older = job.older_import(Path(file))
        if older is not None and not job.has_new_images(older):
            tally.skip(file)
            entries.append({"file": file, **older.facts, "stored": False})
            continue
        cautions: list[Caution] = []
        with tally.unit(file):
            plan = job.plan(Path(file))
            if not settings.dry_run:
                job.store(plan, older)
            entries.append({"file": file, **plan.facts(), "stored": not settings.dry_run})
            cautions = plan.cautions()
            new = [task for task in plan.tasks if task not in job.tasks_before]
            cautions += new_task_cautions(new, job.tasks_before)
            new_tasks += [task for task in new if task not in new_tasks]
        # A unit that ends well forgets its older problems, so that those of now are stored after it.
        for caution in cautions:
            tally.problem(file, caution.what, caution.todo, unit=file)
    totals = {name: sum(entry[name] for entry in entries) for name in ("trials", "fixations")}
    return tally.summary(files=entries, new_tasks=new_tasks, **totals)


def new_task_cautions(new: Sequence[str], before: Sequence[str]) -> list[Caution]:
    """Return a caution for each new task of a project that had tasks: it may be a slip of the hand."""
    return [
        Caution(
            f"Task '{task}' is new; the project had: {', '.join(before)}.",
            "If that is a slip, import again under the right name.",
        )
        for task in new
        if before
    ]


def display_map(
    x: ArrayLike, y: ArrayLike, image_height: int, image_width: int, sigma_px: float
) -> FloatArray:
    """Return the human map of an image at the size in which it is kept for display.

    Parameters
    ----------
    x, y
        Fixations on the image, image px.
    image_height, image_width
        Size of the image, px.
    sigma_px
        Standard deviation of the Gaussian, image px.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns), float32, sums to 1; the long side has at most 128 cells.
    """
    scale = min(1.0, _DISPLAY_SIDE / max(image_height, image_width))
    rows, columns = max(1, round(image_height * scale)), max(1, round(image_width * scale))
    xs = np.asarray(x, dtype=np.float64) * (columns / image_width)
    ys = np.asarray(y, dtype=np.float64) * (rows / image_height)
    return human_map(xs, ys, rows, columns, sigma_px * scale)


class _Import:
    """One call of the verb: the project's images and tasks, and the human maps' settings."""

    def __init__(self, project: Project, settings: ImportGazeSettings) -> None:
        self._project = project
        self._settings = settings
        self._sigma_px = Sigma(settings.sigma, settings.sigma_unit, settings.px_per_deg).in_pixels()
        self._default_task = project.tasks.resolve(settings.task)
        self.tasks_before = project.tasks.all()
        self._images = project.images.all()
        self._names = ImageNames([image.name for image in self._images])

    def older_import(self, path: Path) -> RecordingRow | None:
        """Return the import of the same content under the same task, unless this is a dry run."""
        if self._settings.dry_run:
            return None
        try:
            digest = sha256_of(path)
        except GazeError:
            return None  # reading the file says why it cannot be read
        for row in self._project.gaze.recordings(sha256=digest):
            # An import without a default task named every trial's task itself.
            if not self._default_task or row.task in ("", self._default_task):
                return row
        return None

    def has_new_images(self, recording: RecordingRow) -> bool:
        """Return whether a trial without an image has one now."""
        return any(
            trial.image_id is None and find_image(self._names, trial.image_name, trial.label) is not None
            for trial in self._project.gaze.trials(recording.id)
        )

    def plan(self, path: Path) -> ImportPlan:
        """Read a file and find out what importing it would store."""
        settings = self._settings
        recording = read_recording(path, settings.format, settings.eye, settings.trial_pattern)
        return plan_import(
            recording,
            self._images,
            self._task(recording),
            settings.screen,
            self._names,
            self._project.tasks.resolve,
        )

    def _task(self, recording: Recording) -> str:
        if self._default_task or all(trial.task for trial in recording.trials):
            return self._default_task
        tasks = self._project.tasks.all()
        if len(tasks) > 1:
            raise GazeError(
                "The recording names no task, and the project has several.",
                where=str(recording.path),
                todo=f"Say which it is with --task: {', '.join(tasks)}.",
            )
        return tasks[0] if tasks else DEFAULT_TASK

    def store(self, plan: ImportPlan, older: RecordingRow | None) -> None:
        """Store a recording in place of its older import, with the human maps it changes."""
        gaze, recording = self._project.gaze, plan.recording
        with self._project.transaction():
            touched: set[tuple[int, str]] = set()
            if older is not None:
                touched |= gaze.looked_at(older.id)
                gaze.remove_recording(older.id)
            recording_id = gaze.add_recording(
                path=recording.path,
                sha256=recording.sha256,
                format=recording.format,
                confidence=recording.confidence,
                task=self._task(recording),
                facts=plan.facts(),
                simulated=self._settings.simulated,
                settings_id=self._project.settings.put(VERB, self._settings),
            )
            for planned in plan.trials:
                shown = planned.transform
                trial_id = gaze.add_trial(
                    recording_id,
                    subject=planned.trial.subject,
                    task=planned.task,
                    image_id=planned.image_id,
                    label=planned.trial.label,
                    image_name=planned.trial.image,
                    shown=None
                    if shown is None
                    else Rect(shown.offset_x, shown.offset_y, shown.shown_width, shown.shown_height),
                )
                gaze.add_fixations(trial_id, _rows(planned.fixations))
            self._renew_human_maps(touched | gaze.looked_at(recording_id))

    def _renew_human_maps(self, pairs: Iterable[tuple[int, str]]) -> None:
        project, settings = self._project, self._settings
        values = {
            "sigma": settings.sigma,
            "sigma_unit": settings.sigma_unit,
            "px_per_deg": settings.px_per_deg,
            "long_side": _DISPLAY_SIDE,
            "weights": "none",
            "border": "each fixation's mass stays inside the image",
        }
        settings_id = project.settings.put(MAP_VERB, values)
        sizes: dict[int, ImageRow] = {image.id: image for image in self._images}
        for image_id, task in sorted(pairs):
            image = sizes[image_id]
            table = project.gaze.fixations(image_id, task)
            if len(table):
                density = display_map(table.x, table.y, image.height, image.width, self._sigma_px)
                project.maps.put_human(image_id, task, density, image.rect, settings_id)
            else:
                project.maps.remove_human(image_id, task)


def _rows(table: Fixations) -> Iterator[FixationRow]:
    columns = (table.x, table.y, table.start_ms, table.duration_ms, table.eye, table.why_dropped)
    order = _order(table)
    positions = _positions(table.index[order])
    return (
        FixationRow(*values)
        for values in zip(positions.tolist(), *(column[order].tolist() for column in columns), strict=True)
    )


def _order(table: Fixations) -> IntArray:
    """Return the order of storing: as read, the eye that is not used last, so that it takes no numbers."""
    return np.argsort(table.why_dropped == OTHER_EYE, kind="stable").astype(np.int64)


def _positions(index: IntArray) -> IntArray:
    """Return the file's own numbers where they count up, else 1, 2, ..."""
    if (np.diff(index) > 0).all():
        return index
    return np.arange(1, len(index) + 1, dtype=np.int64)
