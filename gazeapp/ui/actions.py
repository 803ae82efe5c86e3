"""What the window can do: menus, shortcuts, buttons and the command palette, made of one table."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QMenu, QMenuBar, QWidget

from gazeapp.ui import theme
from gazeapp.ui.action_table import MENUS, TABLE, infos


class Actions(QObject):
    """The actions of one window, by id."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QAction] = {}
        self._reasons: dict[str, str] = {}
        self._submenus: dict[str, QMenu] = {}
        groups: dict[str, QActionGroup] = {}
        for info in infos():
            action = QAction(info.text, self)
            action.setObjectName(info.id)
            action.setCheckable(info.checkable)
            if info.keys_in == "view":
                # The view handles these keys itself, after the slider or button in focus had its turn.
                action.setText(f"{info.text}\t{self.keys(info.id)}")
            else:
                action.setShortcuts([QKeySequence(keys) for keys in info.shortcuts])
                window.addAction(action)
            if info.icon:
                theme.set_icon(action, info.icon)
            if info.group:
                groups.setdefault(info.group, QActionGroup(self)).addAction(action)
            self._actions[info.id] = action
            self.set_reason(info.id, "")

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def bind(self, action_id: str, slot: Callable[..., object]) -> None:
        """Call ``slot`` when the action is chosen; a checkable one passes whether it is on."""
        self._actions[action_id].triggered.connect(slot)

    def keys(self, action_id: str) -> str:
        """Return the keys of an action as this system writes them; empty when it has none."""
        info = next(i for i in infos() if i.id == action_id)
        native = QKeySequence.SequenceFormat.NativeText
        return " or ".join(QKeySequence(keys).toString(native) for keys in info.shortcuts)

    def reason(self, action_id: str) -> str:
        """Return why an action cannot be used now; empty when it can."""
        return self._reasons[action_id]

    def set_reason(self, action_id: str, reason: str) -> None:
        """Disable an action for a reason that its tooltip gives, or enable it with an empty one."""
        info = next(i for i in infos() if i.id == action_id)
        action = self._actions[action_id]
        self._reasons[action_id] = reason
        action.setEnabled(not reason)
        keys = f" ({self.keys(action_id)})" if info.shortcuts else ""
        tip = f"{info.tooltip}{keys}" + (f"\nNot now: {reason}" if reason else "")
        action.setToolTip(tip)

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Put every action into its menu and return the menus by name."""
        menus = {name: bar.addMenu(name) for name in MENUS}
        for menu in menus.values():
            menu.setToolTipsVisible(True)
        after_separator = False
        for entry in TABLE:
            if isinstance(entry, str):
                after_separator = True
                continue
            menu = menus[entry.menu]
            if after_separator and not menu.isEmpty():
                menu.addSeparator()
            after_separator = False
            if entry.submenu:
                menu = self._submenus.get(entry.submenu) or menu.addMenu(entry.submenu)
                menu.setToolTipsVisible(True)
                self._submenus[entry.submenu] = menu
            menu.addAction(self._actions[entry.id])
        return menus


class _Follower(QObject):
    """Keeps a button as its action is; goes away with the button."""

    def __init__(self, button: QAbstractButton, action: QAction) -> None:
        super().__init__(button)
        self._button = button
        self._action = action
        button.clicked.connect(action.trigger)
        action.changed.connect(self.update_button)
        self.update_button()

    @Slot()
    def update_button(self) -> None:
        self._button.setEnabled(self._action.isEnabled())
        self._button.setToolTip(self._action.toolTip())


def follow(button: QAbstractButton, action: QAction) -> None:
    """Make ``button`` do what ``action`` does, and be enabled and explained as it is."""
    _Follower(button, action)
