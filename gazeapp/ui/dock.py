"""Docks with a quiet title: a name or tabs, and two small buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QStackedWidget, QTabBar, QWidget

from gazeapp.ui import theme
from gazeapp.ui.widgets import icon_button, label


class DockTitle(QWidget):
    """The title of a dock; dragging it moves the dock, a double click floats it."""

    def __init__(self, dock: QDockWidget, left: QWidget, middle: QWidget | None = None) -> None:
        super().__init__(dock)
        self.setObjectName("dockTitle")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._dock = dock
        float_ = icon_button("float", f"Float {dock.windowTitle().lower()} or put it back")
        float_.clicked.connect(self._float)
        close = icon_button("close", f"Hide {dock.windowTitle().lower()} (View menu brings it back)")
        close.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.STEP * 2, 0, theme.STEP // 2, 0)
        row.setSpacing(0)
        row.addWidget(left)
        if middle is None:
            row.addStretch(1)
        else:
            row.addWidget(middle, 1)
        row.addWidget(float_)
        row.addWidget(close)
        self.setMinimumHeight(theme.STEP * 4)

    @Slot()
    def _float(self) -> None:
        self._dock.setFloating(not self._dock.isFloating())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Leave the mouse to the dock, which moves with it."""
        event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Leave the mouse to the dock, which moves with it."""
        event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Leave the mouse to the dock, which moves with it."""
        event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Leave the mouse to the dock, which floats."""
        event.ignore()


class Dock(QDockWidget):
    """A dock with one panel."""

    def __init__(self, name: str, title: str, window: QMainWindow) -> None:
        super().__init__(title, window)
        self.setObjectName(name)

    def set_panel(self, panel: QWidget) -> None:
        """Put ``panel`` in."""
        self.setTitleBarWidget(DockTitle(self, label(self.windowTitle().upper(), "section")))
        self.setWidget(panel)


class TabDock(Dock):
    """A dock whose title holds tabs; further pages can be added."""

    def __init__(self, name: str, title: str, window: QMainWindow) -> None:
        super().__init__(name, title, window)
        self._ids: list[str] = []
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName(title)
        self._stack = QStackedWidget()
        self.tabs.currentChanged.connect(self._stack.setCurrentIndex)
        self._corners = QStackedWidget()
        self.tabs.currentChanged.connect(self._corners.setCurrentIndex)
        self.setTitleBarWidget(DockTitle(self, self.tabs, self._corners))
        self.setWidget(self._stack)

    def add_page(self, page_id: str, title: str, panel: QWidget, corner: QWidget | None = None) -> None:
        """Add a page behind the others; ``corner`` stands in the title while the page is in front."""
        self._ids.append(page_id)
        self._stack.addWidget(panel)
        self._corners.addWidget(corner or QWidget())
        self.tabs.addTab(title.upper())

    def show_page(self, page_id: str) -> None:
        """Bring a page to the front, and the dock with it."""
        self.tabs.setCurrentIndex(self._ids.index(page_id))
        self.show()
        self.raise_()
