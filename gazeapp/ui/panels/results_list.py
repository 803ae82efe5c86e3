"""The list of views of the results."""

from __future__ import annotations

from PySide6.QtCore import QSettings, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from gazeapp.engine.reports.results.data import Results
from gazeapp.ui import theme
from gazeapp.ui.panels.results_views import SCORES, VIEWS, View
from gazeapp.ui.widgets import plain

_VIEW = "scores/view"
_WIDTH, _HEIGHT = 112, 24


class ViewList(QListWidget):
    """The names of the views; the one in front is remembered, those with nothing to show are grey."""

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What is shown of the results")
        self.setFixedWidth(_WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        for view in VIEWS:
            item = QListWidgetItem(view.name)
            item.setToolTip(plain(view.about))
            item.setSizeHint(QSize(_WIDTH - 4, _HEIGHT))
            self.addItem(item)
        self.show_view(str(QSettings().value(_VIEW, SCORES)))
        self.currentRowChanged.connect(self._remember)

    @property
    def view(self) -> View:
        """The view in front."""
        return VIEWS[max(self.currentRow(), 0)]

    def show_view(self, view_id: str) -> None:
        """Bring a view to the front; the first one where there is none of that name."""
        ids = [view.id for view in VIEWS]
        self.setCurrentRow(ids.index(view_id) if view_id in ids else 0)

    @Slot()
    def show_next(self) -> None:
        """Bring the next view to the front."""
        self.setCurrentRow((self.currentRow() + 1) % len(VIEWS))

    @Slot()
    def show_previous(self) -> None:
        """Bring the view before to the front."""
        self.setCurrentRow((self.currentRow() - 1) % len(VIEWS))

    def mute(self, results: Results | None) -> None:
        """Show the names of views that have nothing yet in a quiet colour."""
        shades = theme.colors()
        for k, view in enumerate(VIEWS):
            found = results is not None and any(results.of(name) for name in view.analyses)
            quiet = view.id != SCORES and not found
            self.item(k).setForeground(QColor(shades.muted if quiet else shades.text))

    @Slot()
    def _remember(self, _row: int = 0) -> None:
        QSettings().setValue(_VIEW, self.view.id)
        self.chosen.emit()
