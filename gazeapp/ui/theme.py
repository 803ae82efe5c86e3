"""How the window looks: neutral greys, one accent, 8-pixel steps, in light and dark."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from string import Template

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QBrush,
    QColor,
    QFont,
    QFontDatabase,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from gazeapp.engine.resources import resource_path

STEP = 8
"""Every distance in the window is a multiple of this, px."""

MODES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Colors:
    """The window's colours in one theme, as ``#rrggbb``."""

    name: str
    window: str
    base: str
    raised: str
    hover: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    on_accent: str
    accent_soft: str
    warning: str
    warning_soft: str


LIGHT = Colors(
    name="light",
    window="#f4f4f5",
    base="#ffffff",
    raised="#ffffff",
    hover="#e9e9ec",
    line="#dfe0e3",
    text="#1b1c1f",
    muted="#63666d",
    faint="#a2a5ab",
    accent="#3f5bd8",
    on_accent="#ffffff",
    accent_soft="#e4e8fb",
    warning="#9a5b00",
    warning_soft="#fbf0dc",
)
DARK = Colors(
    name="dark",
    window="#1f2023",
    base="#18191b",
    raised="#2a2b2f",
    hover="#33353a",
    line="#34363b",
    text="#e6e7e9",
    muted="#a0a3aa",
    faint="#6c6f76",
    accent="#8da2ff",
    on_accent="#14161f",
    accent_soft="#2d3353",
    warning="#e3b261",
    warning_soft="#3a3123",
)

_STYLE = Template(
    """
* { outline: none; }
QWidget { color: $text; }
QMainWindow, QDialog, QWidget#page, QStackedWidget#pages { background: $window; }
QMainWindow::separator { background: $line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $accent; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 6px 8px; }

QLabel[role="title"] { font-size: ${title}px; font-weight: 600; }
QLabel[role="display"] { font-size: ${display}px; font-weight: 300; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="section"] { color: $muted; font-size: ${small}px; font-weight: 600; }
QLabel[role="badge"] { color: $warning; background: $warning_soft; border-radius: 7px; padding: 1px 7px;
    font-size: ${small}px; font-weight: 600; }
QLabel[role="note"] { color: $warning; background: $warning_soft; border-radius: 6px; padding: 8px; }
QLabel[role="key"] { color: $muted; background: $hover; border-radius: 4px; padding: 1px 6px;
    font-size: ${small}px; }
QLabel:disabled { color: $faint; }

QMenuBar { background: $window; padding: 2px 8px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $raised; border: 1px solid $line; padding: 6px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 6px 4px; }
QMenu::icon { padding-left: 8px; }

QToolBar { background: $window; border: none; border-bottom: 1px solid $line; padding: 6px 12px; spacing: 8px; }
QStatusBar { background: $window; border-top: 1px solid $line; }
QStatusBar::item { border: none; }

QPushButton { background: $raised; border: 1px solid $line; border-radius: 6px; padding: 6px 14px;
    min-height: 18px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $line; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $faint; background: $window; }
QPushButton:default, QPushButton[role="primary"] { background: $accent; color: $on_accent;
    border-color: $accent; }
QPushButton:default:disabled, QPushButton[role="primary"]:disabled { background: $hover; color: $faint;
    border-color: $line; }
QPushButton[role="quiet"] { background: transparent; border: 1px solid transparent; padding: 4px 8px;
    color: $muted; }
QPushButton[role="quiet"]:hover { background: $hover; color: $text; }
QPushButton[role="quiet"]:focus { border-color: $accent; }
QPushButton[role="quiet"]:disabled { color: $faint; background: transparent; }
QPushButton[role="segment"] { background: transparent; border: 1px solid transparent; border-radius: 5px;
    padding: 3px 12px; color: $muted; min-height: 16px; }
QPushButton[role="segment"]:hover { color: $text; }
QPushButton[role="segment"]:checked { background: $raised; color: $text; border-color: $line; }
QPushButton[role="segment"]:disabled, QPushButton[role="segment"]:checked:disabled { color: $faint; }
QPushButton[role="segment"]:focus { border-color: $accent; }
QFrame#segments { background: $hover; border-radius: 7px; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 5px; padding: 3px; }
QToolButton:hover { background: $hover; }
QToolButton:checked { background: $accent_soft; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $faint; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox { background: $base;
    border: 1px solid $line; border-radius: 6px; padding: 4px 8px; min-height: 18px;
    selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QComboBox:focus { border-color: $accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: $faint;
    background: $window; }
QWidget#dockTitle QComboBox, QComboBox[role="quiet"] { background: transparent; border-color: transparent;
    min-height: 14px; padding: 2px 4px; color: $muted; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: url($chevron); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line; padding: 4px;
    selection-background-color: $accent_soft; selection-color: $text; }
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {
    width: 0; border: none; }
QCheckBox::indicator, QListView::indicator { width: 14px; height: 14px; border: 1px solid $faint; border-radius: 4px;
    background: $base; }
QCheckBox::indicator:hover, QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked, QListView::indicator:checked { background: $accent; border-color: $accent;
    image: url($tick); }
QCheckBox::indicator:disabled { border-color: $line; background: $window; }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $faint; border-radius: 8px; background: $base; }
QRadioButton::indicator:hover, QRadioButton::indicator:focus { border-color: $accent; }
QRadioButton::indicator:checked { border-color: $accent; background: qradialgradient(cx:0.5, cy:0.5, radius:0.5,
    fx:0.5, fy:0.5, stop:0 $base, stop:0.4 $base, stop:0.5 $accent, stop:1 $accent); }
QRadioButton::indicator:disabled { border-color: $line; background: $window; }
QRadioButton::indicator:checked:disabled { border-color: $faint; background: qradialgradient(cx:0.5, cy:0.5,
    radius:0.5, fx:0.5, fy:0.5, stop:0 $window, stop:0.4 $window, stop:0.5 $faint, stop:1 $faint); }
QCheckBox, QRadioButton { spacing: 8px; padding: 2px; }
QCheckBox:disabled, QRadioButton:disabled { color: $faint; }
QCheckBox[role="offered"]:disabled { color: $text; }

QAbstractItemView { background: $base; border: none; alternate-background-color: $base;
    selection-background-color: $accent_soft; selection-color: $text; }
QListView::item, QTreeView::item { padding: 4px 8px; border-radius: 4px; }
QListView::item:hover, QTreeView::item:hover, QTableView::item:hover { background: $hover; }
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected { background: $accent_soft;
    color: $text; }
QTableView { gridline-color: transparent; }
QTableView::item { padding: 0 8px; }
QHeaderView { background: $base; }
QHeaderView::section { background: $base; color: $muted; border: none; border-bottom: 1px solid $line;
    padding: 6px 8px; font-size: ${small}px; font-weight: 600; }
QHeaderView::section:hover { color: $text; }
QTableCornerButton::section { background: $base; border: none; }

QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: $muted; padding: 8px 12px; border: none;
    border-bottom: 2px solid transparent; font-size: ${small}px; font-weight: 600; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QTabWidget::pane { border: none; }

QProgressBar { background: $hover; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSlider::groove:horizontal { height: 4px; background: $line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { background: $raised; border: 1px solid $faint; width: 12px; height: 12px;
    margin: -5px 0; border-radius: 7px; }
QSlider::handle:horizontal:focus { border-color: $accent; }

QWidget#dockTitle { background: $window; }
QWidget#dockBody { background: $base; }
QFrame#strip { background: $warning_soft; border-bottom: 1px solid $line; }
QFrame#strip[level="note"] { background: $accent_soft; }
QFrame#strip QLabel { background: transparent; }
QPushButton#card { background: $raised; border: 1px solid $line; border-radius: 12px; padding: 0; }
QPushButton#card:hover, QPushButton#card:focus { border-color: $accent; background: $raised; }
QPushButton#card:pressed { background: $hover; }
QPushButton#recent { background: transparent; border: 1px solid transparent; padding: 0; }
QPushButton#recent:hover { background: $hover; }
QPushButton#recent:focus { border-color: $accent; }
QFrame#palette { background: $raised; border: 1px solid $line; border-radius: 10px; }
"""
)


@lru_cache(maxsize=512)
def _pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    text = resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(text.replace("currentColor", color).encode()))
    pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(pixmap.rect()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def pixmap(name: str, color: str, size: int = 16) -> QPixmap:
    """Return the icon ``name`` of resources/icons in ``color``, ``size`` logical px square."""
    app = QGuiApplication.instance()
    ratio = app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
    return _pixmap(name, color, size, ratio)


def icon(name: str, size: int = 16) -> QIcon:
    """Return the icon ``name`` in the text colour of the theme in force, paler when disabled."""
    shades = colors()
    made = QIcon(pixmap(name, shades.muted, size))
    made.addPixmap(pixmap(name, shades.faint, size), QIcon.Mode.Disabled)
    made.addPixmap(pixmap(name, shades.text, size), QIcon.Mode.Active)
    return made


def set_icon(target: QAbstractButton | QAction | QLabel, name: str, size: int = 16) -> None:
    """Give ``target`` an icon that follows the theme."""
    target.setProperty("iconName", name)
    target.setProperty("iconSize16", size)
    if isinstance(target, QLabel):
        target.setPixmap(pixmap(name, colors().muted, size))
    else:
        target.setIcon(icon(name, size))


def set_role(widget: QLabel | QAbstractButton, role: str) -> None:
    """Set the style role of ``widget`` (``title``, ``muted``, ``primary`` ...)."""
    widget.setProperty("role", role)


def brush(color: str) -> QBrush:
    """Return a brush of one of the theme's colours."""
    return QBrush(QColor(color))


def tabular(font: QFont) -> QFont:
    """Return ``font`` with digits of equal width, for columns of numbers."""
    made = QFont(font)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def small_font(font: QFont) -> QFont:
    """Return ``font`` one size smaller, for numbers and names inside a drawing."""
    made = QFont(font)
    if made.pixelSize() > 0:
        made.setPixelSize(max(made.pixelSize() - 1, 9))
    else:
        made.setPointSizeF(max(made.pointSizeF() - 1, 7))
    return made


class Theme(QObject):
    """The theme in force: what the system asks for, or what View > Theme says."""

    changed = Signal()

    def __init__(self, app: QApplication, mode: str = "system") -> None:
        super().__init__(app)
        self._app = app
        self._mode = mode if mode in MODES else "system"
        app.setStyle("Fusion")
        load_fonts()
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        self._apply()

    @property
    def mode(self) -> str:
        """``system``, ``light`` or ``dark``."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Follow the system, or stay light or dark."""
        if mode not in MODES:
            raise ValueError(f"the theme is one of {', '.join(MODES)}, not {mode!r}")
        self._mode = mode
        self._apply()

    @Slot()
    def _system_changed(self) -> None:
        if self._mode == "system":
            self._apply()

    def _apply(self) -> None:
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        hints = self._app.styleHints()
        hints.blockSignals(True)  # our own request must not come back as the system's wish
        hints.setColorScheme(schemes.get(self._mode, Qt.ColorScheme.Unknown))
        hints.blockSignals(False)
        dark = self._mode == "dark" or (self._mode == "system" and hints.colorScheme() == Qt.ColorScheme.Dark)
        _State.colors = DARK if dark else LIGHT
        self._app.setPalette(palette(_State.colors))
        self._app.setStyleSheet(style_sheet(_State.colors, self._app.font()))
        for widget in self._app.allWidgets():
            _recolour(widget)
            for action in widget.actions():
                _recolour(action)
        self.changed.emit()


class _State:
    colors = LIGHT


def colors() -> Colors:
    """Return the colours of the theme in force."""
    return _State.colors


def _recolour(target: QObject) -> None:
    name = target.property("iconName")
    if name and isinstance(target, (QAbstractButton, QAction, QLabel)):
        set_icon(target, str(name), int(target.property("iconSize16")))


def palette(shades: Colors) -> QPalette:
    """Return the Qt palette of ``shades``."""
    role = QPalette.ColorRole
    made = QPalette()
    for which, value in (
        (role.Window, shades.window),
        (role.WindowText, shades.text),
        (role.Base, shades.base),
        (role.AlternateBase, shades.window),
        (role.Text, shades.text),
        (role.Button, shades.raised),
        (role.ButtonText, shades.text),
        (role.BrightText, shades.on_accent),
        (role.Highlight, shades.accent),
        (role.HighlightedText, shades.on_accent),
        (role.Link, shades.accent),
        (role.LinkVisited, shades.accent),
        (role.ToolTipBase, shades.raised),
        (role.ToolTipText, shades.text),
        (role.PlaceholderText, shades.faint),
        (role.Mid, shades.line),
        (role.Midlight, shades.hover),
        (role.Dark, shades.faint),
        (role.Light, shades.raised),
        (role.Shadow, shades.line),
        (role.Accent, shades.accent),
    ):
        made.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(shades.faint))
    return made


def style_sheet(shades: Colors, font: QFont) -> str:
    """Return the style sheet of ``shades``, its sizes relative to the system ``font``."""
    base = font.pixelSize() if font.pixelSize() > 0 else round(font.pointSizeF() * _dots() / 72)
    tick = resource_path("icons", f"tick-{shades.name}.svg").as_posix()
    chevron = resource_path("icons", f"chevron-{shades.name}.svg").as_posix()
    return _STYLE.substitute(
        asdict(shades),
        small=max(10, base - 1),
        title=base + 3,
        display=base * 2 + 4,
        chevron=chevron,
        tick=tick,
    )


def _dots() -> float:
    screen = QGuiApplication.primaryScreen()
    return screen.logicalDotsPerInch() if screen is not None and sys.platform != "darwin" else 72.0


def load_fonts() -> None:
    """Make sure that text can be drawn: without system fonts, use the one matplotlib carries."""
    # Fontconfig lists aliases such as "Sans Serif" even where no font file is installed.
    if QFontMetrics(QApplication.font()).inFont("a"):
        return
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"):
        QFontDatabase.addApplicationFont(str(folder / name))
    QApplication.setFont(QFont("DejaVu Sans", 9))
