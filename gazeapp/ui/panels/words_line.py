"""A line of words that is cut where its room ends, with all of it in the tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from gazeapp.ui import theme
from gazeapp.ui.panels.words_reading import Fact
from gazeapp.ui.widgets import plain


class CutLine(QLabel):
    """A quiet line that takes whatever width there is.

    Parameters
    ----------
    name
        What it is, for those who hear the window.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._line = ""
        theme.set_role(self, "muted")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    @property
    def line(self) -> str:
        """The whole line, however much of it is seen."""
        return self._line

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        """Show the values of facts beside each other, and in the tooltip what each is."""
        self.show_line("  ·  ".join(value for _name, value in facts))
        self.setToolTip(plain("\n".join(f"{name}: {value}" for name, value in facts)))

    def show_line(self, line: str, tip: str = "") -> None:
        """Show a line; ``tip`` says more."""
        self._line = line
        self.setToolTip(plain("\n".join(filter(None, (line, tip)))))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return the height of a line, and no width."""
        return QSize(0, self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        """Return the height of a line."""
        return self.minimumSizeHint()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._line, Qt.TextElideMode.ElideRight, self.width()))
