"""What the File and Study menus do: ask what is needed, then hand a verb to the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.ui.action_table import infos
from gazeapp.ui.actions import Actions
from gazeapp.ui.drops import Drop, gaze_filter, sort_drop
from gazeapp.ui.folders import GAZE, IMAGES, PROJECTS, ask_for_file, ask_for_files, ask_for_folder
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobProgress, JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.ui.study import StudyView

_NEEDS_PROJECT = "open a project first"
_CHANGES = (
    "study.images",
    "study.gaze",
    "study.extract",
    "study.maps",
    "study.lesion",
    "study.remove_lesions",
    "study.score",
    "study.scanpaths",
    "neural.import_responses",
    "neural.predict",
    "neural.run",
    "neural.regions",
    "neural.remove_responses",
)
"""Actions that write into the project."""


def demo_folder() -> Path:
    """Return where the window builds the demo study: the user's own data folder."""
    from platformdirs import user_data_path

    return user_data_path("gazeapp", appauthor=False) / "demo-study"


@dataclass(frozen=True)
class _After:
    """What to do when a job has ended well."""

    do: Callable[[JobState], None]
    also_cancelled: bool = False


class StudyActions(QObject):
    """Connects the actions that change or make a study to dialogs, files and verbs."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        selection: Selection,
        actions: Actions,
        notifications: Notifications,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._selection = selection
        self._actions = actions
        self._notifications = notifications
        self._after: dict[int, _After] = {}
        self.demo_job = 0
        for action_id, slot in (
            ("file.new", self.new_project),
            ("file.open", self.open_project),
            ("file.demo", self.open_demo),
            ("file.close", session.close),
            ("study.images", self.add_images),
            ("study.gaze", self.import_gaze),
            ("study.maps", self.import_maps),
            ("study.score", self.score),
            ("study.scanpaths", self.compare_scanpaths),
            ("study.report", self.report),
            ("study.export", self.export),
        ):
            actions.bind(action_id, slot)
        session.runner.changed.connect(self._job_changed)
        session.refreshed.connect(self._explain)
        session.closed.connect(self._explain)
        self._explain()

    @Slot()
    def new_project(self, images: Sequence[Path] = (), gaze: Sequence[Path] = ()) -> None:
        """Ask for images, tasks and a place, then make a project; then ask how to import recordings."""
        from gazeapp.ui.dialogs.new_project import NewProjectDialog

        dialog = NewProjectDialog(self._window, list(images or ()))
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.create(dialog.path, dialog.tasks, dialog.images, gaze)

    def create(
        self, path: Path, tasks: Sequence[str], images: Sequence[Path], gaze: Sequence[Path] = ()
    ) -> int:
        """Make a project in the background and open it, then ask how to import recordings."""
        names = tuple(str(p) for p in images)

        def work(_project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.project import Project
            from gazeapp.engine.workflows.images import AddImagesSettings, add_images

            project = Project.create(path)
            try:
                for task in tasks:
                    project.tasks.add(task)
                return add_images(project, AddImagesSettings(names), progress) if names else None
            except GazeError:
                # Nothing was added, so an empty project would only be in the way of the next try.
                project.close()
                path.unlink()
                raise
            finally:
                project.close()

        return self._run(
            f"New project {path.name}",
            work,
            after=lambda _s: self._created(path, gaze),
            after_cancel=True,
        )

    def _created(self, path: Path, gaze: Sequence[Path]) -> None:
        if path.exists():  # cancelled while it waited, it was never made
            if gaze:
                self._import_when_read(gaze)
            self._session.open(path)

    @Slot()
    def open_project(self) -> None:
        """Ask which project to open."""
        pattern = "gazeapp projects (*.gaze);;All files (*)"
        path = ask_for_file(self._window, "Open project", PROJECTS, pattern, self._start_folder())
        if path is not None:
            self._session.open(path)

    @Slot()
    def open_demo(self) -> None:
        """Open the demo study; build or finish it first when that is needed."""
        if self.demo_job:
            return
        folder = demo_folder()

        def work(_project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.demo import DemoSettings, build_demo

            return build_demo(DemoSettings(str(folder)), progress)

        path = folder / "demo.gaze"
        self.demo_job = self._run(
            "Building the demo study",
            work,
            torch=not path.exists(),
            after=lambda _s: self._demo_ready(path),
        )

    def _demo_ready(self, path: Path) -> None:
        if self._session.path is None:
            self._session.open(path)
        else:
            self._notifications.note("The demo study is ready.", where=str(path))

    @Slot()
    def add_images(self, paths: Sequence[Path] = (), gaze: Sequence[Path] = ()) -> None:
        """Ask for pictures and add them; then ask how to import the recordings that came with them."""
        chosen = [str(p) for p in paths or ()]
        if not chosen:
            folder = ask_for_folder(self._window, "Add a folder of images", IMAGES, self._start_folder())
            chosen = [str(folder)] if folder is not None else []
        if chosen:
            from gazeapp.engine.workflows.images import AddImagesSettings, add_images

            settings = AddImagesSettings(tuple(chosen))
            self._run(
                "Adding images",
                lambda project, progress: add_images(project, settings, progress),
                here=True,
                after=(lambda _s: self._import_when_read(gaze)) if gaze else None,
            )

    def _import_when_read(self, gaze: Sequence[Path]) -> None:
        """Import recordings once the window knows the images that were added before them."""
        self._session.refreshed.connect(
            lambda _study: self.import_gaze(gaze), Qt.ConnectionType.SingleShotConnection
        )

    @Slot()
    def import_gaze(self, paths: Sequence[Path] = ()) -> None:
        """Ask for recordings, show what is in them, and import them."""
        study = self._session.study
        chosen = list(paths or ()) or ask_for_files(
            self._window, "Import gaze", GAZE, gaze_filter(), self._start_folder()
        )
        if not chosen or study is None:
            return
        from gazeapp.ui.dialogs.import_gaze import ImportGazeDialog

        # Pictures of the preview do not wait for the files that are being read.
        pictures = JobRunner(self, name="pictures")
        dialog = ImportGazeDialog(
            self._window, study, chosen, self._session.reader, pictures, self._selection.task
        )
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        settings, default = dialog.settings(), dialog.default_geometry
        pictures.stop()
        for part in (dialog, pictures):
            part.deleteLater()
        if not accepted:
            return

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.gaze import import_gaze
            from gazeapp.engine.workflows.marking import GeometrySettings, change_geometry

            if default is not None:
                change_geometry(project, GeometrySettings(default), progress)
            return import_gaze(project, settings, progress)

        self._run("Importing gaze", work, here=True)

    @Slot()
    def import_maps(self) -> None:
        """Ask for maps that were made elsewhere, and bring them in."""
        study = self._session.study
        if study is None:
            return
        from gazeapp.ui.dialogs.import_maps import ImportMapsDialog

        dialog = ImportMapsDialog(self._window, study)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        choice = dialog.choice()

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps

            return import_maps(project, ImportMapsSettings(**choice), progress)

        self._run("Importing maps", work, here=True)

    @Slot()
    def score(self) -> None:
        """Ask how to score, and score every map of the study."""
        study = self._session.study
        if study is None:
            return
        from gazeapp.ui.dialogs.score import ScoreDialog

        dialog = ScoreDialog(self._window, study, self._selection.preset)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        choice = dialog.choice()

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.evaluate import evaluate
            from gazeapp.engine.workflows.score import ScoreSettings

            return evaluate(project, ScoreSettings(**choice), progress)

        self._run("Scoring", work, here=True, after=lambda _s: self._show_scores(choice["preset"]))

    @Slot()
    def compare_scanpaths(self) -> None:
        """Compare the scanpaths of the people who looked at the same image."""

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.scanpaths import CompareScanpathsSettings, compare_scanpaths

            return compare_scanpaths(project, CompareScanpathsSettings(), progress)

        self._run("Comparing scanpaths", work, here=True)

    def _show_scores(self, preset: str) -> None:
        self._selection.preset = preset

    @Slot()
    def report(self) -> None:
        """Ask where to write the report, and write it."""
        from gazeapp.ui.dialogs.output import ReportDialog

        study = self._session.study
        if study is None:
            return
        dialog = ReportDialog(self._window, study.path)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        output, open_it, preset = dialog.path, dialog.open_when_done, self._selection.preset

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.report import ReportSettings, report

            return report(project, ReportSettings(output=str(output), preset=preset), progress)

        self._run("Writing the report", work, here=True, after=lambda _s: self._written(output, open_it))

    @Slot()
    def export(self) -> None:
        """Ask for a folder and write tables and maps there."""
        from gazeapp.ui.dialogs.output import ExportDialog

        study = self._session.study
        if study is None:
            return
        dialog = ExportDialog(self._window, study.path)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        folder, open_it = dialog.path, dialog.open_when_done

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.export import ExportSettings, export

            return export(project, ExportSettings(folder=str(folder)), progress)

        self._run("Exporting", work, here=True, after=lambda _s: self._written(folder, open_it))

    def accept_drop(self, paths: Sequence[Path]) -> Drop:
        """Do what dropped files ask for, and return how they were understood."""
        study = self._session.study
        names = [image.name for image in study.images.values()] if study is not None else ()
        drop = sort_drop(paths, names)
        if drop.unknown:
            self._notifications.problem(
                f"{len(drop.unknown)} dropped item{'s are' if len(drop.unknown) > 1 else ' is'} not something "
                "that gazeapp reads.",
                where=", ".join(str(p) for p in drop.unknown[:3]),
                todo="Drop pictures or a folder of them, files of an eye tracker, or a .gaze project.",
            )
        if drop.project is not None:
            self._session.open(drop.project)
            return drop
        if drop.images and self._session.path is None:
            self.new_project(drop.images, drop.gaze)
        elif drop.images and self._may("study.images"):
            self.add_images(drop.images, drop.gaze)
        elif drop.gaze and not drop.images and self._may("study.gaze"):
            self.import_gaze(drop.gaze)
        return drop

    def _may(self, action_id: str) -> bool:
        reason = self._actions.reason(action_id)
        if reason:
            self._notifications.note("What was dropped cannot be added now.", todo=f"Reason: {reason}.")
        return not reason

    def _run(
        self,
        title: str,
        work: Callable[[Any, JobProgress], Any],
        *,
        here: bool = False,
        torch: bool = False,
        after: Callable[[JobState], None] | None = None,
        after_cancel: bool = False,
    ) -> int:
        path = self._session.path if here else None
        job = self._session.runner.submit(title, work, path, uses_torch=torch)
        if after is not None:
            self._after[job] = _After(after, after_cancel)
        return job

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished:
            return
        if state.id == self.demo_job:
            self.demo_job = 0
        after = self._after.pop(state.id, None)
        if state.error is not None:
            error = state.error
            self._notifications.problem(error.what, where=error.where, todo=error.todo, details=error.details)
        elif after is not None and (state.status == "done" or after.also_cancelled):
            after.do(state)

    def _written(self, path: Path, open_it: bool) -> None:
        self._notifications.note("Written.", where=str(path))
        if open_it:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def _start_folder(self) -> Path | None:
        return self._session.path.parent if self._session.path else None

    @Slot()
    def _explain(self, _study: object = None) -> None:
        """Enable what can be done now; say why the rest cannot."""
        for action_id, reason in reasons(self._session.study, self._session.read_only).items():
            self._actions.set_reason(action_id, reason)


def reasons(study: StudyView | None, read_only: str) -> dict[str, str]:
    """Return for each action of a study why it cannot be used now; empty when it can."""
    views = tuple(info.id for info in infos() if info.id.startswith("view."))
    names = ("file.close", "study.images", "study.gaze", "study.extract", "study.score", "study.report")
    found = dict.fromkeys(
        (
            *names,
            "study.maps",
            "study.lesion",
            "study.remove_lesions",
            "study.scanpaths",
            "study.export",
            "study.quality",
            *(action_id for action_id in _CHANGES if action_id.startswith("neural.")),
            *views,
        ),
        "",
    )
    if study is None:
        return dict.fromkeys(found, _NEEDS_PROJECT)
    no_images = "" if study.images else "the project has no images yet"
    no_gaze = "" if study.fixations else "no gaze has been imported yet"
    no_tasks = "" if study.tasks else "the project has no task yet; import gaze or name one"
    found["study.gaze"] = no_images
    found["study.extract"] = found["study.maps"] = found["study.lesion"] = no_images or no_tasks
    found["study.remove_lesions"] = "" if study.lesions else "nothing was taken away from a model yet"
    # Without any model, people and the baselines are scored all the same: that is the ceiling.
    found["study.score"] = found["study.scanpaths"] = found["study.quality"] = no_images or no_gaze
    found["study.report"] = found["study.export"] = no_images
    no_responses = "" if study.responses else "the project has no brain responses yet"
    no_maps = "" if study.runs or study.fixations else "there are neither maps of models nor fixations yet"
    found["neural.import_responses"] = found["neural.predict"] = no_images
    found["neural.run"] = no_responses or no_maps
    found["neural.remove_responses"] = no_responses
    if read_only:
        for action_id in _CHANGES:
            found[action_id] = read_only
    return found
