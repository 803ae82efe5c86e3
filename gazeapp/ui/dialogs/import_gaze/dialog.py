"""The import dialog: files at the left, pages about the one in sight at the right, the import below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.cautions import counted
from gazeapp.engine.gaze.formats import FORMATS
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.workflows.gaze import ImportGazeSettings
from gazeapp.engine.workflows.gaze_preview import Preview, without_samples
from gazeapp.ui import theme
from gazeapp.ui.dialogs.import_gaze.bar import ImportBar
from gazeapp.ui.dialogs.import_gaze.choices_page import ChoicesPage
from gazeapp.ui.dialogs.import_gaze.columns_page import ColumnsPage
from gazeapp.ui.dialogs.import_gaze.entries import READING, Entry, edits_in_words, same_content
from gazeapp.ui.dialogs.import_gaze.file_list import FileList
from gazeapp.ui.dialogs.import_gaze.images_page import ImagesPage
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.dialogs.import_gaze.previews import Previewer, Wish
from gazeapp.ui.dialogs.import_gaze.read_page import ReadPage
from gazeapp.ui.dialogs.import_gaze.samples_page import SamplesPage
from gazeapp.ui.dialogs.import_gaze.scanpath_page import ScanpathPage
from gazeapp.ui.dialogs.import_gaze.screen_page import ScreenPage
from gazeapp.ui.dialogs.import_gaze.trials_page import TrialsPage
from gazeapp.ui.drops import gaze_files
from gazeapp.ui.folders import GAZE, remember_folder
from gazeapp.ui.study import StudyView
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import EmptyState, advice, label
from gazeapp.ui.worker import JobRunner

_AFTER_TYPING_MS = 300
_SIZE = (1120, 720)
_FILES_WIDTH = 34 * STEP


class ImportGazeDialog(QDialog):
    """Shows what is in recordings, lets it be put right, and says how to import them.

    Parameters
    ----------
    study
        The project that they would be imported into.
    files
        Recordings, or folders of them.
    reader
        Thread that looks into the files; not that of long jobs, so that it does not wait for them.
    pictures
        Thread that reads the images that scanpaths are drawn on.
    task
        Task in hand, filled in.
    """

    def __init__(
        self,
        parent: QWidget | None,
        study: StudyView,
        files: Sequence[Path],
        reader: JobRunner,
        pictures: JobRunner,
        task: str = "",
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import gaze")
        self.setAcceptDrops(True)
        self.setMinimumSize(1024, 640)
        self.resize(*_SIZE)
        self._previewer = Previewer(reader, study.path, self)
        self._previewer.found.connect(self._found)
        self._previewer.reading.connect(self._reading)
        self.files = FileList()
        self.read_page, self.screen_page, self.choices_page = ReadPage(), ScreenPage(), ChoicesPage()
        self.images_page = ImagesPage([image.name for image in study.images.values()])
        self.scanpath_page = ScanpathPage(pictures)
        self.trials_page, self.columns_page = TrialsPage(), ColumnsPage()
        self.samples_page = SamplesPage(pictures)
        self._always: tuple[Page, ...] = (self.read_page, self.scanpath_page, self.images_page)
        self._per_format: tuple[Page, ...] = (
            self.images_page,
            self.trials_page,
            self.columns_page,
            self.screen_page,
            self.samples_page,
        )
        self.pages = (*self._always, *self._per_format[1:], self.choices_page)
        self._stale: set[Page] = set()
        self._wanted: set[str] = set()
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(_AFTER_TYPING_MS)
        self._wait.timeout.connect(self._look)
        self.bar = ImportBar(study.tasks, task)
        self._build()
        self._connect()
        self.add_files(files)
        self._say()

    # What is asked of it once it is accepted

    @property
    def default_geometry(self) -> Geometry | None:
        """What is to become the project's default geometry before the import; None: it stays as it is."""
        return self.screen_page.default

    def settings(self) -> ImportGazeSettings:
        """Return how to import the files that can be imported."""
        chosen = [entry for entry in self.files.entries if entry.can_be_imported]
        return ImportGazeSettings(
            files=tuple(entry.file for entry in chosen),
            task=self.bar.task,
            own={entry.file: entry.settings for entry in chosen},
            choices=self.choices_page.choices,
            simulated=self.bar.simulated,
        )

    # Files

    @Slot(list)
    def add_files(self, paths: Iterable[Path]) -> None:
        """Add recordings, and those in folders."""
        known = {entry.file for entry in self.files.entries}
        new = [Entry(file) for path in gaze_files(paths) if (file := str(path)) not in known]
        if new:
            remember_folder(GAZE, Path(new[0].file).parent)
        self.files.add(new)
        self._renew(new)
        self._look()

    @Slot(object)
    def _removed(self, entry: Entry) -> None:
        self._wanted.discard(entry.file)
        self._previewer.forget(entry.file)
        self._say()

    def _renew(self, entries: Iterable[Entry]) -> None:
        """Have files looked into, soon."""
        for entry in entries:
            entry.is_fresh, entry.share_read = False, 0.0
            self._wanted.add(entry.file)
            self.files.tell(entry)
        self._wait.start()
        self._say()

    @Slot()
    def _look(self) -> None:
        wanted, self._wanted = self._wanted, set()
        current = self.files.current
        for entry in self.files.entries:
            if entry.file in wanted:
                settings = ImportGazeSettings(
                    files=(entry.file,),
                    task=self.bar.task,
                    own={entry.file: entry.settings},
                    choices=self.choices_page.choices,
                )
                wish = Wish(entry.file, settings, entry.preview, self.default_geometry)
                self._previewer.want(wish, first=entry is current)

    @Slot(str, float)
    def _reading(self, file: str, share: float) -> None:
        entry = self._entry(file)
        if entry is not None:
            entry.share_read = share
            self.files.tell(entry)

    @Slot(str, object)
    def _found(self, file: str, preview: Preview) -> None:
        entry = self._entry(file)
        if entry is None or preview.settings != entry.settings:
            return
        entry.is_fresh = file not in self._wanted
        # Samples are kept of the file in sight only: those of many files would fill the memory.
        entry.preview = preview if entry is self.files.current else without_samples(preview)
        self.files.tell(entry)
        if entry is self.files.current:
            self._show(entry)
        self._say()

    def _entry(self, file: str) -> Entry | None:
        return next((entry for entry in self.files.entries if entry.file == file), None)

    # Pages

    @Slot(object)
    def _choose(self, entry: Entry | None) -> None:
        for other in self.files.entries:
            if other is not entry and other.preview is not None:
                other.preview = without_samples(other.preview)
        if entry is not None:
            self._previewer.advance(entry.file)
        self._show(entry)

    def _show(self, entry: Entry | None) -> None:
        """Show a file on the pages; those out of sight are filled when they come into it."""
        if entry is None or entry.preview is None:
            self._right.setCurrentWidget(self._nothing if entry is None else self._loading)
            return
        self._right.setCurrentWidget(self._about)
        self._name.setText(entry.name)
        self._name.setToolTip(entry.file)
        self._stale = set(self.pages)
        self._show_tabs(entry.preview)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        entry, page = self.files.current, self.tabs.currentWidget()
        if entry is not None and isinstance(page, Page) and page in self._stale:
            self._stale.discard(page)
            page.show_file(entry.preview, entry.settings)
        self._offer_all()

    def _show_tabs(self, preview: Preview | None) -> None:
        more = self._more.isChecked()
        for number, page in enumerate(self.pages):
            shown = page.applies(preview) and (more or page in self._always)
            self.tabs.setTabVisible(number, shown)

    @Slot(bool)
    def _show_more(self, more: bool) -> None:
        theme.set_icon(self._more, "down" if more else "next")
        entry = self.files.current
        self._show_tabs(entry.preview if entry is not None else None)

    @Slot(str)
    def go_to(self, title: str) -> None:
        """Bring a page into sight, advanced or not."""
        number = next((k for k, page in enumerate(self.pages) if page.title == title), 0)
        if self.pages[number] not in self._always:
            self._more.setChecked(True)
        self.tabs.setCurrentIndex(number)
        self.pages[number].setFocus()

    def _page_changed(self, page: Page) -> None:
        """Take over what the user changed on a page."""
        entry = self.files.current
        if page is self.choices_page:
            self._renew(self.files.entries)
            return
        if entry is None:
            return
        try:
            settings = page.apply_to(entry.settings)
        except GazeError as error:
            self._complain(error)
            return
        self._complain(None)
        if settings != entry.settings:
            entry.settings = settings
            self._renew([entry])
            self._offer_all()

    @Slot()
    def _default_changed(self) -> None:
        self._renew(self.files.entries)

    def _complain(self, error: GazeError | None) -> None:
        self._wrong.setText(advice(error) if error else "")
        self._wrong.setVisible(error is not None)

    # The same for all files of a format

    def _alike(self) -> list[Entry]:
        """Return the other files of the format of the one in sight."""
        current = self.files.current
        if current is None or not current.format:
            return []
        return [
            entry for entry in self.files.entries if entry is not current and entry.format == current.format
        ]

    def _offer_all(self) -> None:
        page, current, alike = self.tabs.currentWidget(), self.files.current, self._alike()
        offered = isinstance(page, Page) and page in self._per_format and bool(alike)
        self._all.setVisible(offered)
        if not offered or current is None:
            return
        name = FORMATS[current.format].name
        self._all.setText(f"Apply this page to all {len(alike) + 1} files of this format")
        differ = any(page.apply_to(entry.settings) != entry.settings for entry in alike)
        self._all.setEnabled(differ)
        tip = f"{name}: the other files get what this page says."
        self._all.setToolTip(tip if differ else "All files of this format have what this page says.")

    @Slot()
    def _apply_to_all(self) -> None:
        page = self.tabs.currentWidget()
        if isinstance(page, Page):
            changed = []
            for entry in self._alike():
                settings = page.apply_to(entry.settings)
                if settings != entry.settings:
                    entry.settings = settings
                    changed.append(entry)
            self._renew(changed)
            self._offer_all()

    # The import

    @Slot()
    def _say(self) -> None:
        """Say what would be imported, or why nothing can be."""
        entries = self.files.entries
        ready = [entry for entry in entries if entry.can_be_imported]
        reading = [entry for entry in entries if entry.state == READING]
        left_out = [entry for entry in entries if entry not in ready and entry not in reading]
        there = [entry for entry in ready if entry.is_there(self.bar.task, self.bar.simulated)]
        new = [entry for entry in ready if entry not in there]
        fixations = sum(entry.fixations for entry in new)
        found = counted(fixations, "fixation") if fixations else "0 in use"
        button = f"Import {counted(len(new), 'file')}: {found}" if new else "Import"
        note = self.bar.missing()
        if not entries:
            note = "Add the files that the eye tracker wrote."
        elif reading:
            note = f"Reading {counted(len(reading), 'file')}…"
        elif not ready:
            which = "this file" if len(entries) == 1 else "these files"
            note = f"Nothing can be imported as it is from {which}."
        elif not new and self.choices_page.choices is None and self.default_geometry is None:
            which = "This file is" if len(there) == 1 else f"All {len(there)} files are"
            note = f"{which} in the project already, under the same settings."
        if note:
            self.bar.say(button, note, ready=False)
            return
        notes = []
        if there:
            notes.append(f"{len(there):,} {'is' if len(there) == 1 else 'are'} there already.")
        if left_out:
            names = ", ".join(entry.name for entry in left_out[:3])
            more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
            notes.append(f"Left out, as they cannot be imported: {names}{more}.")
        notes += [f"{second} holds the same as {first}." for first, second in same_content(ready)[:2]]
        if self.bar.new_task():
            notes.append(f"The task \u201c{self.bar.new_task()}\u201d is new.")
        self.bar.say(button, " ".join(notes), ready=True)

    @Slot()
    def _import(self) -> None:
        if self.bar.import_button.isEnabled():
            self.accept()

    @property
    def lost_by_closing(self) -> str:
        """What the user has set here and would have to set again; empty when nothing is."""
        parts = [
            edits_in_words(self.files.entries),
            "which fixations count" if self.choices_page.choices is not None else "",
            "the project's default screen and distance" if self.default_geometry is not None else "",
        ]
        return "; ".join(part for part in parts if part)

    def reject(self) -> None:
        """Close without importing; asks first when something that was set would be lost."""
        lost = self.lost_by_closing
        if not lost or self._may_close(lost):
            super().reject()

    def _may_close(self, lost: str) -> bool:
        box = QMessageBox(self)
        box.setWindowTitle("Close without importing")
        box.setText("Close without importing?")
        box.setInformativeText(f"What you have set here would be lost: {lost}.")
        close = box.addButton("Close without importing", QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton("Keep working", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.exec()
        return box.clickedButton() is close

    def done(self, result: int) -> None:
        """Close; nothing more is read."""
        self._wait.stop()
        self._previewer.stop()
        super().done(result)

    # Dropping

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        self.add_files([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()

    # Building

    def _build(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for page in self.pages:
            self.tabs.addTab(page, page.title)
        self._more = QPushButton("Advanced")
        self._more.setCheckable(True)
        self._more.setToolTip("Trials, columns, screen and distance, samples, and which fixations count.")
        self._all = QPushButton()
        for button in (self._more, self._all):
            theme.set_role(button, "quiet")
            button.setAutoDefault(False)
        self.tabs.setCornerWidget(self._more)
        self._name = label("", "title")
        self._wrong = label("", "note", wrap=True)
        self._wrong.hide()
        self._about = QWidget()
        column = QVBoxLayout(self._about)
        column.setContentsMargins(2 * STEP, 0, 0, 0)
        column.setSpacing(STEP)
        for widget in (self._name, self._wrong):
            column.addWidget(widget)
        column.addWidget(self.tabs, 1)
        column.addWidget(self._all, 0, Qt.AlignmentFlag.AlignLeft)
        self._loading = EmptyState("clock", "Reading the file", "What is in it shows here in a moment.")
        self._nothing = EmptyState(
            "gaze",
            "No files yet",
            "Drop the files that your eye tracker wrote, or the folder that holds them. What they are is told "
            "by their content.",
        )
        self._right = QStackedWidget()
        for widget in (self._nothing, self._loading, self._about):
            self._right.addWidget(widget)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.files)
        split.addWidget(self._right)
        split.setStretchFactor(1, 1)
        split.setSizes([_FILES_WIDTH, _SIZE[0] - _FILES_WIDTH])
        split.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(2 * STEP, 2 * STEP, 2 * STEP, 2 * STEP)
        whole.setSpacing(2 * STEP)
        whole.addWidget(split, 1)
        whole.addWidget(self.bar)

    def _connect(self) -> None:
        self.files.chosen.connect(self._choose)
        self.files.added.connect(self.add_files)
        self.files.removed.connect(self._removed)
        for page in self.pages:
            page.changed.connect(partial(self._page_changed, page))
        self.read_page.go_to.connect(self.go_to)
        self.screen_page.default_changed.connect(self._default_changed)
        self.tabs.currentChanged.connect(self._fill)
        self._more.toggled.connect(self._show_more)
        self._show_more(False)
        self._all.clicked.connect(self._apply_to_all)
        self.bar.changed.connect(self._say)
        self.bar.import_button.clicked.connect(self._import)
        self.bar.cancel_button.clicked.connect(self.reject)
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(key), self).activated.connect(self._import)
