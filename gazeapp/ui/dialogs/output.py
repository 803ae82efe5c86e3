"""Where reports and tables go."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QWidget

from gazeapp.ui.dialogs.form import FormDialog, PathField, why_not_writable
from gazeapp.ui.folders import why_no_path


class _OutputDialog(FormDialog):
    """Asks for a place, and whether to show what is written there."""

    def __init__(
        self, parent: QWidget | None, title: str, says: str, button: str, place: PathField, start: Path
    ) -> None:
        super().__init__(parent, title, says, button)
        self._place = place
        self._place.set_path(start)
        self._open = QCheckBox()
        self._open.setChecked(True)
        self._place.changed.connect(self._check)

    @property
    def path(self) -> Path:
        """The chosen place."""
        return self._place.path or Path()

    @property
    def open_when_done(self) -> bool:
        """Whether to show it afterwards."""
        return self._open.isChecked()

    def _ask(self, label: str, tip: str, show: str, show_tip: str) -> None:
        self._open.setText(show)
        self.add_row(label, self._place, tip)
        self.add_row("", self._open, show_tip)
        self._check()

    def _why_not(self, place: Path | None) -> str:
        """Return why nothing can be written to ``place``; empty when it can."""
        return "" if place else "Choose a place."

    @Slot()
    def _check(self) -> None:
        self.set_reason(self._why_not(self._place.path))


class ReportDialog(_OutputDialog):
    """Asks where the report goes."""

    def __init__(self, parent: QWidget | None, project: Path) -> None:
        super().__init__(
            parent,
            "Write report",
            "One HTML file with data, models, settings, scores, pictures and methods; it opens anywhere, offline.",
            "Write report",
            PathField("save", "Report", "HTML files (*.html)"),
            project.with_name(f"{project.stem}-report.html"),
        )
        self._ask(
            "File",
            "An older file of that name is replaced.",
            "Open it when it is done",
            "Shows the report in your web browser.",
        )

    def _why_not(self, place: Path | None) -> str:
        return why_not_writable(place, ".html")


class ExportDialog(_OutputDialog):
    """Asks for the folder of tables and maps."""

    def __init__(self, parent: QWidget | None, project: Path) -> None:
        super().__init__(
            parent,
            "Export tables",
            "Tidy CSV tables of images, fixations, captions, scores and ceilings, the maps as NPZ, and a "
            "data dictionary.",
            "Export",
            PathField("folder", "Folder"),
            project.with_name(f"{project.stem}-export"),
        )
        self._ask(
            "Folder",
            "Made if it is missing; older tables in it are replaced.",
            "Open the folder when it is done",
            "Shows the folder in your file manager.",
        )

    def _why_not(self, place: Path | None) -> str:
        if place is not None and (reason := why_no_path(place)):
            return reason
        if place is not None and place.is_file():
            return "That is a file; choose a folder."
        return super()._why_not(place)
