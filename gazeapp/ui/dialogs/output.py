"""Where reports and tables go."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QWidget

from gazeapp.ui.dialogs.form import FormDialog, PathField, why_not_writable


class ReportDialog(FormDialog):
    """Asks where the report goes."""

    def __init__(self, parent: QWidget | None, project: Path) -> None:
        super().__init__(
            parent,
            "Write report",
            "One HTML file with data, models, settings, scores, pictures and methods; it opens anywhere, offline.",
            "Write report",
        )
        self._place = PathField("save", "Report", "HTML files (*.html)")
        self._place.set_path(project.with_name(f"{project.stem}-report.html"))
        self._open = QCheckBox("Open it when it is done")
        self._open.setChecked(True)
        self.add_row("File", self._place, "An older file of that name is replaced.")
        self.add_row("", self._open, "Shows the report in your web browser.")
        self._place.changed.connect(self._check)
        self._check()

    @property
    def path(self) -> Path:
        """The file."""
        return self._place.path or Path()

    @property
    def open_when_done(self) -> bool:
        """Whether to show it afterwards."""
        return self._open.isChecked()

    @Slot()
    def _check(self) -> None:
        self.set_reason(why_not_writable(self._place.path, ".html"))


class ExportDialog(FormDialog):
    """Asks for the folder of tables and maps."""

    def __init__(self, parent: QWidget | None, project: Path) -> None:
        super().__init__(
            parent,
            "Export tables",
            "Tidy CSV tables of images, fixations, captions, scores and ceilings, the maps as NPZ, and a "
            "data dictionary.",
            "Export",
        )
        self._place = PathField("folder", "Folder")
        self._place.set_path(project.with_name(f"{project.stem}-export"))
        self._open = QCheckBox("Open the folder when it is done")
        self._open.setChecked(True)
        self.add_row("Folder", self._place, "Made if it is missing; older tables in it are replaced.")
        self.add_row("", self._open, "Shows the folder in your file manager.")
        self._place.changed.connect(self._check)
        self._check()

    @property
    def path(self) -> Path:
        """The folder."""
        return self._place.path or Path()

    @property
    def open_when_done(self) -> bool:
        """Whether to show it afterwards."""
        return self._open.isChecked()

    @Slot()
    def _check(self) -> None:
        place = self._place.path
        reason = "" if place else "Choose a folder."
        if place is not None and place.is_file():
            reason = "That is a file; choose a folder."
        self.set_reason(reason)
