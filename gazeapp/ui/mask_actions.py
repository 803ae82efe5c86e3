"""What the Mask menu does: tools of the painter, the library of masks, masks from data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QDialog, QMenu, QMessageBox, QWidget

from gazeapp.ui.action_table import MASK, infos
from gazeapp.ui.actions import Actions
from gazeapp.ui.history import History
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.widgets import no_mnemonic
from gazeapp.ui.worker import JobProgress, JobState

if TYPE_CHECKING:
    from gazeapp.ui.masks.bar import MaskBar
    from gazeapp.ui.masks.painter import MaskPainter
    from gazeapp.ui.masks.session import MaskSession
    from gazeapp.ui.panels.compare import ComparePanel

_OFF = "paint a mask first (B)"
_TOOLS = ("brush", "eraser", "polygon", "rectangle", "ellipse", "half_plane", "gradient")
_SIDES = ("left", "right", "top", "bottom")
_STEPS = ("fill", "invert", "clear", "soften")
_KEEP, _REPLACE = "Copy where there is none", "Copy and replace"
_LIBRARY = ("new", "rename", "duplicate", "delete", "copy_next", "copy_all", "import", "export")
_READY = (
    ("Left, graded", "left graded"),
    ("Right, graded", "right graded"),
    ("Left, soft edge", "left soft 10%"),
    ("Right, soft edge", "right soft 10%"),
)
_SHARES = (10, 20, 30)
_WAYS = (
    ("Stretch to images of another size", "fraction"),
    ("Keep pixels on images of another size", "pixel"),
)


class MaskActions(QObject):
    """Connects the actions of masks with the painter of the compare view, the history and the project."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        selection: Selection,
        actions: Actions,
        history: History,
        notifications: Notifications,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._selection = selection
        self._actions = actions
        self._history = history
        self._notifications = notifications
        self._compare: ComparePanel | None = None
        self._bar: MaskBar | None = None
        self._jobs: dict[int, str] = {}
        self._told_unsaved = -1
        session.refreshed.connect(self._explain)
        session.closed.connect(self._explain)
        session.runner.changed.connect(self._job_changed)
        self._explain()

    @property
    def masks(self) -> MaskSession:
        """The mask in hand."""
        return self._compare.masks

    @property
    def painter(self) -> MaskPainter:
        """What draws it."""
        return self._compare.painter

    def follow(self, compare: ComparePanel) -> None:
        """Act on what is painted in the compare view, and put the tools beside it."""
        from gazeapp.ui.masks.bar import MaskBar
        from gazeapp.ui.masks.toolbox import ToolBox

        self._compare = compare
        masks, painter, actions = compare.masks, compare.painter, self._actions
        self._menu = QMenu(self._window)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self.fill_menu)
        self._bar = MaskBar(actions, masks, painter, self._menu, compare)
        compare.add_tools(self._bar, ToolBox(actions, compare))
        for name in _TOOLS:
            actions.bind(f"mask.{name}", partial(self._take, name))
        for name in _SIDES:
            actions.bind(f"mask.{name}", partial(self._call, painter.put_side, name))
        for name in _STEPS:
            actions.bind(f"mask.{name}", partial(self._call, painter.do, name))
        for name, grows, softens in (
            ("larger", 1, 0),
            ("smaller", -1, 0),
            ("softer", 0, 1),
            ("harder", 0, -1),
        ):
            actions.bind(f"mask.{name}", partial(self._call, painter.step_pen, grows, softens))
        for name, do in (
            ("subtract", self._subtract),
            ("mirror", masks.mirror),
            ("new", self.new),
            ("rename", self.rename),
            ("duplicate", masks.duplicate),
            ("delete", self.delete),
            ("copy_next", self.copy_to_next),
            ("copy_all", self.copy_to_all),
            ("import", self.import_masks),
            ("export", self.export_masks),
        ):
            actions.bind(f"mask.{name}", partial(self._call, do))
        self._bar.named.connect(self._rename)
        painter.changed.connect(self._follow_painter)
        painter.failed.connect(self._notifications.error)
        masks.failed.connect(self._notifications.error)
        masks.told.connect(self._tell_trouble)
        for signal in (masks.switched, masks.changed):
            signal.connect(self._explain_undo)
        self._selection.changed.connect(self._selection_changed)
        self._explain()
        self._follow_painter()

    def finish(self) -> bool:
        """Store what was painted last; return whether the window may close, and say so when it should not.

        It may when all is stored, or when the user has been told that this is not so and has drawn nothing since.
        """
        if self._compare is None:
            return True
        masks, keeper = self.masks, self.masks.keeper
        masks.end_stroke()
        if keeper.finish() or self._told_unsaved == keeper.n_asked:
            return True
        self._told_unsaved = keeper.n_asked
        names = ", ".join(sorted({key.name for key in keeper.unsaved}))
        trouble = masks.trouble
        self._notifications.problem(
            f"What was drawn last is not stored yet{f' ({names})' if names else ''}.",
            where=trouble.what if trouble is not None else "",
            todo="Mend that and wait a moment. Closed again, the window gives it up.",
        )
        return False

    @Slot()
    def new(self) -> None:
        """Begin another mask, and ask for its name in place."""
        if self.masks.may_change():
            self.masks.new()
            self._bar.ask_name()

    @Slot()
    def rename(self) -> None:
        """Ask for another name of the mask in hand, in place."""
        if self.masks.may_change():
            self._bar.ask_name()

    @Slot()
    def delete(self) -> None:
        """Remove the mask in hand from all images, when the user means it."""
        if not self.masks.may_change():
            return
        mask = self.masks.library.get(self.masks.name)
        count = mask.n_images if mask is not None else 0
        images = "1 image" if count == 1 else f"{count} images"
        if count == 0 or self._agrees(
            f"Delete “{self.masks.name}” from {images}?",
            "This cannot be undone. What was measured with it stays.",
            "Delete",
        ):
            self.masks.delete()

    @Slot()
    def copy_to_next(self) -> None:
        """Put this image's mask on the next one and go there."""
        if not self.masks.copy_to_next():
            self._notifications.note(
                "This is the last image of the list.", todo="Choose the image to copy to first."
            )

    @Slot()
    def copy_to_all(self) -> None:
        """Put this image's mask on all others, when the user means it."""
        masks, study = self.masks, self._session.study
        row = study.images.get(masks.image_id) if study is not None else None
        if row is None or masks.mask is None or not self._may_store():
            return
        known = masks.library.get(masks.name)
        others = (known.n_images if known is not None else 0) - (masks.name in masks.library.here)
        bare = len(study.images) - 1 - others
        answer = self._choice(
            f"Copy “{masks.name}” to all images?", _copy_text(bare, others), _copies(bare, others)
        )
        if not answer:
            return
        replace = answer == _REPLACE
        name, source, way = masks.name, row.name, masks.way

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.masks_change import CopyMaskSettings, copy_mask

            return copy_mask(project, CopyMaskSettings(name, source, placing=way, replace=replace), progress)

        self._submit(f"Copying the mask {name} to all images", work)

    @Slot()
    def import_masks(self) -> None:
        """Ask for files of masks and read them into the library; a picture of no image is put on the one in hand."""
        from gazeapp.ui.masks.dialogs import ImportMasksDialog

        dialog = ImportMasksDialog(self._window)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        chosen, path = dialog.choice(), dialog.place.path
        dialog.deleteLater()
        if not accepted or path is None or not self._may_store():
            return
        if path.suffix.lower() == ".png" and not self._is_image_name(path.stem):
            self.masks.put_file(path, chosen["name"], chosen["placing"], replace=chosen["replace"])
            return

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.masks_import import ImportMasksSettings, import_masks

            return import_masks(project, ImportMasksSettings(**chosen), progress)

        self._submit("Importing masks", work)

    @Slot()
    def export_masks(self) -> None:
        """Ask which masks to write and where, and write them."""
        from gazeapp.ui.masks.dialogs import ExportMasksDialog

        path = self._session.path
        if path is None:
            return
        start = path.with_name(f"{path.stem}-masks")
        dialog = ExportMasksDialog(self._window, self.masks.name, len(self.masks.library.masks), start)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        chosen = dialog.choice()
        dialog.deleteLater()
        if not accepted or not self.masks.keeper.finish():
            return

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.masks_export import ExportMasksSettings, export_masks

            return export_masks(project, ExportMasksSettings(**chosen), progress)

        self._submit("Exporting masks", work, chosen["folder"])

    def _is_image_name(self, stem: str) -> bool:
        from gazeapp.engine.gaze.image_names import ImageNames

        study = self._session.study
        return (
            study is not None
            and ImageNames([row.name for row in study.images.values()]).find(stem) is not None
        )

    def _may_store(self) -> bool:
        """Return whether masks can be stored now, with all that was drawn; else say why not."""
        reason = self._session.read_only
        if not reason and not self.masks.keeper.finish():
            reason = "what was drawn last is not stored yet"
        if reason:
            self._notifications.note("This cannot be done now.", todo=f"Reason: {reason}.")
        return not reason

    def _submit(self, title: str, work: Any, written: str = "") -> None:
        self._jobs[self._session.submit(title, work)] = written

    @Slot()
    def fill_menu(self) -> None:
        """Fill the menu of masks with what there is now."""
        menu, masks = self._menu, self.masks
        menu.clear()
        choices = QActionGroup(menu)
        for name in dict.fromkeys((*masks.library.names, masks.name)):
            known = masks.library.get(name)
            count = known.n_images if known is not None else 0
            action = menu.addAction(f"{no_mnemonic(name)}\t{count} image{'s' if count != 1 else ''}")
            action.setCheckable(True)
            action.setChecked(name == masks.name)
            action.triggered.connect(partial(self._call, masks.choose, name))
            choices.addAction(action)
        menu.addSeparator()
        for name in ("new", "duplicate", "rename", "delete"):
            menu.addAction(self._actions[f"mask.{name}"])
        menu.addSeparator()
        self._fill_ready(menu.addMenu("Put in"))
        menu.addAction(self._actions["mask.mirror"])
        menu.addSeparator()
        for name in ("copy_next", "copy_all"):
            menu.addAction(self._actions[f"mask.{name}"])
        self._fill_ways(menu.addMenu("Images of another size"))
        menu.addSeparator()
        for name in ("import", "export"):
            menu.addAction(self._actions[f"mask.{name}"])

    def _fill_ready(self, menu: QMenu) -> None:
        """Offer masks that need no drawing, or that follow from data of this image."""
        for text, spec in _READY:
            self._offer(menu, text, spec)
        scene = self._compare.scene
        people = scene is not None and scene.people.map is not None
        menu.addSeparator()
        for share in _SHARES:
            reason = "" if people else "nobody has looked at this image under the task yet"
            self._offer(menu, f"Where people looked most, {share} %", f"people {share}%", reason)
        models = [model for model in scene.models if model.map is not None] if scene is not None else []
        menu.addSeparator()
        for model in models:
            self._offer(menu, f"Where {no_mnemonic(model.name)} attends most, 20 %", f"model {model.id} 20%")
        if not models:
            self._offer(menu, "Where a model attends most", "", "no model has described this image yet")
        menu.addSeparator()
        for kind in self.masks.library.objects:
            self._offer(menu, f"Object: {no_mnemonic(kind)}", f"object {kind}")
        if not self.masks.library.objects:
            self._offer(menu, "Object", "", "no boxes of objects are known on this image")

    def _offer(self, menu: QMenu, text: str, spec: str, reason: str = "") -> None:
        action = menu.addAction(text)
        action.setEnabled(not reason)
        action.setToolTip(
            f"Not now: {reason}" if reason else "Takes the place of what is drawn; it can be undone."
        )
        action.triggered.connect(partial(self._call, self.masks.put_in, spec))
        menu.setToolTipsVisible(True)

    def _fill_ways(self, menu: QMenu) -> None:
        group = QActionGroup(menu)
        for text, way in _WAYS:
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(self.masks.way == way)
            action.triggered.connect(partial(self._call, setattr, self.masks, "way", way))
            group.addAction(action)

    @Slot(str)
    def _rename(self, name: str) -> None:
        self._bar.stop_naming()
        self.masks.rename(name)

    def _take(self, name: str, _on: bool = True) -> None:
        painter = self.painter
        painter.take("brush" if name == "eraser" == painter.tool_name else name)
        self._follow_painter()

    def _call(self, do: Any, *values: Any) -> None:
        """Call what an action stands for, without the tick that Qt hands on last."""
        do(*(values[:-1] if values and isinstance(values[-1], bool) else values))

    def _subtract(self) -> None:
        self.painter.set_pen(erases=not self.painter.pen.erases)
        self._follow_painter()

    @Slot()
    def _follow_painter(self) -> None:
        """Let ticks and the Edit menu follow the tool in hand."""
        if self._compare is None:
            return
        self._actions[f"mask.{self.painter.tool_name}"].setChecked(True)
        self._actions["mask.subtract"].setChecked(self.painter.pen.erases)

    @Slot(object)
    def _selection_changed(self, changed: frozenset[str]) -> None:
        display = self._selection.display
        if "painting" in changed and display.painting:
            self._selection.update(moving=False)
        elif "moving" in changed and display.moving:
            self._selection.update(painting=False)
        if "painting" in changed:
            self._history.lend(self.masks if self.masks.is_on else None)
            self._explain()

    @Slot()
    def _tell_trouble(self) -> None:
        """Say what the line over the panes says while nobody can see that."""
        trouble = self.masks.trouble
        if trouble is not None and not self.masks.is_on:
            self._notifications.error(trouble)

    @Slot()
    def _explain_undo(self) -> None:
        self._history.explain()

    @Slot(object)
    def _explain(self, _study: object = None) -> None:
        """Enable what can be done now; say why the rest cannot."""
        study = self._session.study
        reason = ""
        if study is None:
            reason = "open a project first"
        elif not study.images:
            reason = "the project has no images yet"
        if reason:
            self._selection.update(painting=False)
        painting = self._selection.display.painting
        for info in infos():
            if info.menu == MASK:
                why = reason or ("" if painting or info.id == "mask.paint" else _OFF)
                if self._actions.reason(info.id) != why:
                    self._actions.set_reason(info.id, why)

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in self._jobs:
            return
        written, summary = self._jobs.pop(state.id), state.result
        if state.status != "done":
            return  # what ended it is told for all jobs alike
        if summary.failed and not summary.done and summary.problems:
            first = summary.problems[0]
            self._notifications.problem(first.what, where=first.where, todo=first.todo)
        elif written and not summary.failed:
            self._notifications.note("Written.", where=written)

    def _agrees(self, question: str, text: str, yes: str) -> bool:
        return bool(self._choice(question, text, (yes,)))

    def _choice(self, question: str, text: str, answers: Sequence[str]) -> str:
        """Return the answer that the user gives; empty when nothing is to be done."""
        box = QMessageBox(
            QMessageBox.Icon.NoIcon, "gazeapp", question, QMessageBox.StandardButton.NoButton, self._window
        )
        box.setInformativeText(text)
        buttons = {box.addButton(one, QMessageBox.ButtonRole.AcceptRole): one for one in answers}
        box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return buttons.get(box.clickedButton(), "")


def _copies(bare: int, others: int) -> tuple[str, ...]:
    """Return the ways of copying to ``bare`` images without the mask and to ``others`` that have it."""
    if not others:
        return ("Copy",)
    return (_KEEP, _REPLACE) if bare else (_REPLACE,)


def _copy_text(bare: int, others: int) -> str:
    """Say what copying does to ``bare`` images without the mask and to ``others`` that have one of its name."""
    new = f"{_images(bare)} without it {'gets' if bare == 1 else 'get'} it." if bare else ""
    lost = (
        f"{_images(others)} {'has' if others == 1 else 'have'} a mask of this name, which would be replaced and lost."
        if others
        else ""
    )
    back = "Copies are taken back with “Clear” on an image, or with “Delete mask…”, which removes the mask everywhere."
    return " ".join(filter(None, (new, lost, back)))


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"
