"""Import recordings of an eye tracker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.gaze.cautions import counted, unknown_images
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.detection import DetectionSettings, detect_contents
from gazeapp.engine.gaze.formats import ReadOptions
from gazeapp.engine.gaze.geometry import Geometry, effective
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.gaze.match import Match, MatchRules
from gazeapp.engine.gaze.plan import ImportPlan, plan_import
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.reading import AUTO, read_recording
from gazeapp.engine.gaze.records import Recording, Why
from gazeapp.engine.gaze.source import Source, Watch
from gazeapp.engine.gaze.trial_rules import TrialRules
from gazeapp.engine.project import Project, RecordingRow
from gazeapp.engine.project.gaze_rules import AS_READ, choices_of, default_geometry, outdated_detection
from gazeapp.engine.project.settings import as_values, settings_hash
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.gaze_rows import put_back, shifts_of, store_trials
from gazeapp.engine.workflows.marking import GEOMETRY_VERB, Marker, choose_fixations
from gazeapp.engine.workflows.score_state import assume_scored

VERB = "import gaze"
FILE_VERB = "read recording"
DEFAULT_TASK = "free"
"""Task of recordings that name none, in a project that has no task yet."""


@dataclass(frozen=True)
class FileSettings:
    """How to read a file.

    Parameters
    ----------
    format
        A key of ``gaze.formats.FORMATS``, or ``auto`` to tell by the content.
    rules
        How messages divide it into trials.
    profile
        Which column is which, for a table.
    match
        How trials find their images where their names do not do.
    geometry
        Screen, place of the images and distance, as far as the user says them.
    detect
        Whether to find fixations in the samples of a file that has fixations of its own. Files with
        samples only are searched in any case.
    detection
        How fixations are found in samples.
    """

    format: str = AUTO
    rules: TrialRules = field(default_factory=TrialRules)
    profile: TableProfile | None = None
    match: MatchRules = field(default_factory=MatchRules)
    geometry: Geometry = field(default_factory=Geometry)
    detect: bool = False
    detection: DetectionSettings = field(default_factory=DetectionSettings)


@dataclass(frozen=True)
class ImportGazeSettings:
    """Which recordings to import, and how to read them.

    Parameters
    ----------
    files
        Eye-tracking files, and folders of data sets.
    task
        Task of the trials that name none themselves; a name that differs from a task of the project in
        case or outer space only is that task. Empty: the project's only task, or ``free`` when it has
        none yet.
    reading
        How to read the files.
    own
        How to read particular files, by their name in ``files``.
    choices
        Which fixations are used; they become those of the project. None: those that it has.
    simulated
        Mark the recordings as simulated.
    dry_run
        Read and report, store nothing.
    """

    files: tuple[str, ...]
    task: str = ""
    reading: FileSettings = field(default_factory=FileSettings)
    own: Mapping[str, FileSettings] = field(default_factory=dict)
    choices: GazeChoices | None = None
    simulated: bool = False
    dry_run: bool = False

    def of(self, file: str) -> FileSettings:
        """Return how to read one file."""
        return self.own.get(file, self.reading)


def import_gaze(project: Project, settings: ImportGazeSettings, progress: Progress) -> Summary:
    """Import eye-tracking files; each file is stored whole or not at all.

    A file whose content was imported under the same task and settings already is skipped; trials of it
    whose image has come into the project since get their image. Under other settings it is read again
    in place of the older import. Trials whose image is unknown and fixations that are not used are
    stored, marked and counted. The human maps of every image that a file concerns are made anew in the
    same transaction.

    Returns
    -------
    Summary
        ``details["files"]`` has one entry for each file that was read: what
        :meth:`~gazeapp.engine.gaze.plan.ImportPlan.facts` says of it, with ``file``, ``stored`` and, where
        it cannot be imported as it is, ``blocked``: why.
        Choices that come with files of which none can be imported are taken back.
        ``details["new_tasks"]`` are the tasks that the files brought.

    Raises
    ------
    GazeError
        When the settings make no sense: a sigma in degrees without px per degree, or no task where
        the project has several.
    """
    job = _Import(project, settings)
    tally = Tally(project, VERB, progress, len(settings.files), store=not settings.dry_run)
    before = choices_of(project)
    if settings.choices is not None and not settings.dry_run and settings.choices != before:
        choose_fixations(project, settings.choices, progress)
    if not settings.dry_run:
        assume_scored(project)
    entries: list[Json] = []
    new_tasks: list[str] = []
    for number, file in enumerate(settings.files):
        if tally.should_stop():
            break
        older = job.older_import(Path(file))
        if older is not None and job.is_same(older, file):
            changed = job.match_again(older)
            now = job.facts_now(older)
            if changed:
                project.problems.clear(VERB, file)
            if changed and now["unmatched"]:
                caution = unknown_images([Match(**entry) for entry in now["unmatched"]])
                tally.problem(file, caution.what, caution.todo, unit=file)
            tally.skip(file)
            entries.append({"file": file, **now, "stored": False, "there_already": True, "replaces": False})
            continue
        cautions: list[GazeError] = []
        told = len(entries)
        try:
            with tally.unit(file):
                plan = job.plan(file, _watch(progress, number, len(settings.files), file))
                entry = {"file": file, **plan.facts(), "stored": False}
                entries.append(entry)
                cautions = [*plan.cautions, *job.repeats(plan, file)]
                entry |= job.standing(plan, file)
                with _told_in(entry):
                    if plan.blocked is not None:
                        raise plan.blocked
                    if not settings.dry_run:
                        entry["stored"] = job.store(plan, file, progress)
                new = [task for task in plan.tasks if task not in job.tasks_before]
                cautions += new_task_cautions(new, job.tasks_before)
                new_tasks += [task for task in new if task not in new_tasks]
        except StoppedError:
            tally.cancelled = True
            del entries[told:]
            break
        # A unit that ends well forgets its older problems, so that those of now are stored after it.
        for caution in cautions:
            tally.problem(file, caution.what, caution.todo, unit=file)
    if tally.failed and not tally.done + tally.skipped and choices_of(project) != before:
        choose_fixations(project, before, progress)
    totals = {name: sum(entry[name] for entry in entries) for name in ("trials", "fixations")}
    return tally.summary(files=entries, new_tasks=new_tasks, **totals)


@contextmanager
def _told_in(entry: Json) -> Iterator[None]:
    """Keep in a file's entry why it is not imported."""
    try:
        yield
    except GazeError as error:
        entry["blocked"] = error.what
        raise


def new_task_cautions(new: Sequence[str], before: Sequence[str]) -> list[GazeError]:
    """Return a caution for each new task of a project that had tasks: it may be a slip of the hand."""
    return [
        GazeError(
            f"Task '{task}' is new; the project had: {', '.join(before)}.",
            todo="If that is a slip, import again under the right name.",
        )
        for task in new
        if before
    ]


def read_as_is(file: str, settings: FileSettings, watch: Watch | None = None) -> Recording:
    """Read a file, with the fixations of its own and, where detection is asked for, its samples.

    Raises
    ------
    GazeError
        When it cannot be read.
    """
    options = ReadOptions(settings.rules, settings.profile, samples=settings.detect)
    return read_recording(file, settings.format, options, watch)


def with_fixations(recording: Recording, settings: FileSettings, default: Geometry) -> Recording:
    """Return a recording with the fixations that the settings ask for: its own, or those in its samples.

    Raises
    ------
    GazeError
        When there are no samples to find any in, or degrees of visual angle are not known.
    """
    contents, file = recording.contents, str(recording.path)
    if contents.samples is None or not len(contents.samples):
        if settings.detect:
            raise GazeError(
                "The file holds no samples to find fixations in.",
                where=file,
                todo="Use the fixations of the file itself.",
            )
        return recording
    if len(contents.fixations) and not settings.detect:
        return recording
    geometry = effective(settings.geometry, contents.facts, default)
    try:
        found = detect_contents(
            contents,
            screen=geometry.screen,
            px_per_degree=geometry.screen_px_per_degree,
            settings=settings.detection,
        )
    except GazeError as error:
        raise GazeError(error.what, where=error.where or file, todo=error.todo) from error
    return replace(recording, contents=found)


def values_of(settings: ImportGazeSettings, file: str) -> Json:
    """Return what tells an import of a file from others of the same content and task."""
    return {"simulated": settings.simulated, **asdict(settings.of(file))}


class _Import:
    """One call of the verb: the project's images, tasks, choices and default geometry."""

    def __init__(self, project: Project, settings: ImportGazeSettings) -> None:
        self._project = project
        self._settings = settings
        self._task = project.tasks.resolve(settings.task)
        self.tasks_before = project.tasks.all()
        self._images = project.images.all()
        self._by_id = {image.id: image for image in self._images}
        self._names = ImageNames([image.name for image in self._images])
        self._planned_under = self._choices_and_geometry()
        self._looked: dict[tuple[str, int | None, str], str] | None = None

    def _choices_and_geometry(self) -> tuple[GazeChoices, Geometry]:
        """Return which fixations are used, and the geometry of recordings that say nothing themselves."""
        choices = self._settings.choices or choices_of(self._project)
        return choices, default_geometry(self._project)

    def older_import(self, path: Path) -> RecordingRow | None:
        """Return the import of the same content under the same task, unless this is a dry run."""
        if self._settings.dry_run:
            return None
        try:
            digest = Source(path).sha256()
        except (GazeError, OSError):
            return None  # reading the file says why it cannot be read
        return self._older(digest)

    def _older(self, digest: str) -> RecordingRow | None:
        for row in self._project.gaze.recordings(sha256=digest):
            # An import without a default task named every trial's task itself.
            if not self._task or row.task in ("", self._task):
                return row
        return None

    def is_same(self, older: RecordingRow, file: str) -> bool:
        """Return whether a file was imported under the same settings, and importing it again changes nothing."""
        # Fixations that were found under another geometry are found anew.
        if outdated_detection(older, default_geometry(self._project)):
            return False
        stored = self._project.settings.get(older.settings_id)
        # Recordings of the first version kept the settings of the whole import.
        return stored.verb != FILE_VERB or stored.hash == settings_hash(
            FILE_VERB, as_values(values_of(self._settings, file))
        )

    def match_again(self, older: RecordingRow) -> bool:
        """Give trials of an older import the images that came since; return whether there were any."""
        with self._project.transaction():
            marker = Marker(self._project, images=self._by_id)
            if not marker.match(older, self._names, self._images):
                return False
            marker.finish()
        return True

    def facts_now(self, older: RecordingRow) -> Json:
        """Return the facts of an older import, as it stands under the choices and images of now."""
        gaze = self._project.gaze
        known = {name: value for name, value in older.facts.items() if name != AS_READ}
        used, waiting, images, names = gaze.in_use(older.id)
        lost = older.facts.get(AS_READ, {}).get("lost_rows", {})
        return {
            **known,
            "fixations": used,
            "without_image": waiting,
            "images": images,
            "dropped": {**lost, **gaze.dropped(older.id)},
            "unmatched": [entry for entry in known.get("unmatched", []) if entry["name"] in names],
        }

    def standing(self, plan: ImportPlan, file: str) -> Json:
        """Return whether the same import is there already, and whether this one takes an older one's place."""
        older = self._older(plan.recording.sha256)
        there = older is not None and self.is_same(older, file)
        return {"there_already": there, "replaces": older is not None and not there}

    def repeats(self, plan: ImportPlan, file: str) -> list[GazeError]:
        """Return a caution when subjects looked at the same images under the same task in another file."""
        if self._looked is None:
            self._looked = self._project.gaze.looked()
        older = self._older(plan.recording.sha256)
        own = Path(file).name if older is None else Path(older.file).name
        keys = {
            (trial.trial.subject, trial.image_id, trial.task)
            for trial in plan.trials
            if trial.image_id is not None and (plan.why[trial.rows] == Why.USED).any()
        }
        if plan.blocked is not None or not keys:
            return []
        others = Counter(self._looked[key] for key in keys if self._looked.get(key, own) != own)
        self._looked.update({key: own for key in keys if key not in self._looked})
        if not others:
            return []
        name, n = others.most_common(1)[0]
        subjects = len({key[0] for key in keys})
        return [
            GazeError(
                f"{counted(n, 'scanpath')} of {counted(subjects, 'subject')} are on images and under a task that the "
                f"same subjects have in '{name}' already; both count.",
                todo="If it is the same recording in another file, keep one of them only: gazeapp remove-gaze takes "
                "a recording out of the project.",
            )
        ]

    def plan(self, file: str, watch: Watch) -> ImportPlan:
        """Read a file and find out what importing it would store."""
        settings = self._settings.of(file)
        self._planned_under = choices, geometry = self._choices_and_geometry()
        recording, without = read_as_is(file, settings, watch), None
        settings = replace(settings, geometry=self._said(file, self._older(recording.sha256)))
        try:
            recording = with_fixations(recording, settings, geometry)
        except GazeError as error:
            without = error
        return plan_import(
            recording,
            self._images,
            task=self._task_of(recording),
            given=settings.geometry,
            default=geometry,
            choices=choices,
            rules=settings.match,
            names=self._names,
            resolve=self._project.tasks.resolve,
            without=without,
        )

    def _said(self, file: str, older: RecordingRow | None) -> Geometry:
        """Return what the user says of a file's geometry, and else said of its older import."""
        given = self._settings.of(file).geometry
        return given if older is None else given.over(Geometry.of(older.geometry))

    def _task_of(self, recording: Recording) -> str:
        if self._task or all(trial.task for trial in recording.trials):
            return self._task
        tasks = self._project.tasks.all()
        if len(tasks) > 1:
            raise GazeError(
                "The recording names no task, and the project has several.",
                where=str(recording.path),
                todo=f"Say under which one people looked (--task on the command line): {', '.join(tasks)}.",
            )
        return tasks[0] if tasks else DEFAULT_TASK

    def store(self, plan: ImportPlan, file: str, progress: Progress) -> bool:
        """Store a recording in place of its older import, with the human maps it changes.

        Return False when another program has stored the same while the file was read.
        """
        gaze, recording = self._project.gaze, plan.recording
        facts = recording.facts
        with self._project.transaction():
            older = self._older(recording.sha256)
            if older is not None and self.is_same(older, file):
                return False
            touched: set[tuple[int, str]] = set()
            said, shifts = self._said(file, older), shifts_of(self._project, older)
            if older is not None:
                touched |= gaze.looked_at(older.id)
                gaze.remove_recording(older.id)
                self._project.problems.clear(GEOMETRY_VERB, older.file)
            recording_id = gaze.add_recording(
                path=recording.path,
                sha256=recording.sha256,
                format=recording.format,
                confidence=recording.confidence,
                task="" if all(trial.trial.task for trial in plan.trials) else plan.trials[0].task,
                facts={
                    **plan.facts(),
                    AS_READ: {
                        "lost_rows": facts.lost_rows,
                        "screen": None if facts.screen is None else list(facts.screen),
                        "distance_cm": facts.distance_cm,
                        "screen_width_cm": facts.screen_width_cm,
                    },
                },
                simulated=self._settings.simulated,
                settings_id=self._project.settings.put(FILE_VERB, values_of(self._settings, file)),
                frame=facts.frame.as_json(),
                geometry=said.as_json(),
            )
            store_trials(self._project, recording_id, plan)
            marker = Marker(self._project, images=self._by_id)
            marker.shift(put_back(self._project, recording_id, shifts))
            if self._was_changed():
                marker.place(gaze.recordings(recording.sha256)[-1])
            marker.finish(touched | gaze.looked_at(recording_id), progress)
        return True

    def _was_changed(self) -> bool:
        """Return whether another program has changed the choices or the default geometry since."""
        now = choices_of(self._project), default_geometry(self._project)
        return now != self._planned_under


_WORTH_TELLING = 1 << 20
"""Bytes from which the progress within a file is told."""


def _watch(progress: Progress, number: int, total: int, file: str) -> Watch:
    """Return what is told about the reading of a file, and stops it when the user cancels."""
    name = Path(file).name

    def watch(read: int, size: int) -> None:
        if progress.cancelled:
            raise StoppedError
        if size < _WORTH_TELLING:
            return
        progress.report(number, total, f"{name} · {100 * read // max(size, 1)} % read")

    return watch
