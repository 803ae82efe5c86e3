"""Where in the models a mask takes away, with what that reaches and misses in those that are chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import SCOPES
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.lesioning import check_scope, offers
from gazeapp.engine.reports.neglect.words import SCOPE_NAMES
from gazeapp.engine.reports.numbers import listed
from gazeapp.ui import theme
from gazeapp.ui.widgets import capital, label, plain

_ORDER = ("keys", "keys_and_start", "text", "readout", "zero", "mean", "pixels", "blur")
_AT_FIRST = "keys"


class ScopeChoice(QWidget):
    """A box for each scope; below those that are ticked, what they do in the chosen models."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._infos: Sequence[ModelInfo] = ()
        self.boxes: dict[str, QCheckBox] = {}
        self.words: dict[str, QLabel] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP // 2)
        for scope in _ORDER:
            box = QCheckBox(capital(SCOPE_NAMES[scope]))
            box.setChecked(scope == _AT_FIRST)
            box.toggled.connect(self._explain)
            box.toggled.connect(self.changed)
            words = label("", "muted", wrap=True)
            words.setContentsMargins(24, 0, 0, theme.STEP // 2)
            self.boxes[scope], self.words[scope] = box, words
            column.addWidget(box)
            column.addWidget(words)
        self._explain()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The scopes that are ticked and that one of the models offers."""
        return tuple(scope for scope, box in self.boxes.items() if box.isChecked() and box.isEnabled())

    def of(self, info: ModelInfo) -> tuple[str, ...]:
        """Return the ticked scopes that a model offers."""
        offered = {offer.scope for offer in offers(info)}
        return tuple(scope for scope in self.chosen if scope in offered)

    def show_models(self, infos: Sequence[ModelInfo]) -> None:
        """Say what the scopes do in these models; those that none of them offers cannot be ticked."""
        self._infos = tuple(infos)
        self._explain()

    @Slot()
    def _explain(self) -> None:
        for scope, box in self.boxes.items():
            lacking = _reasons(self._infos, scope)
            can = not self._infos or len(lacking) < len(self._infos)
            said = (
                _sentences(self._infos, scope)
                if can
                else "\n".join(f"Not here: {why}" for why in _by_reason(lacking))
            )
            apart = (
                [f"Not in {listed(names)}: {why}" for why, names in _by_reason(lacking).items()]
                if can
                else []
            )
            text = "\n".join([said or SCOPES[scope], *apart])
            box.setEnabled(can)
            box.setToolTip(plain(text))
            self.words[scope].setText(text)
            self.words[scope].setVisible(can and box.isChecked())


def _sentences(infos: Sequence[ModelInfo], scope: str) -> str:
    """Return what a scope reaches and misses; sentences that are true of some models only are told of these."""
    models: dict[str, list[str]] = {}
    for info in infos:
        for offer in offers(info):
            for sentence in _split(f"{offer.reaches} {offer.misses}") if offer.scope == scope else ():
                models.setdefault(sentence, []).append(info.name)
    said: dict[tuple[str, ...], list[str]] = {}
    for sentence, names in models.items():
        said.setdefault(tuple(names), []).append(sentence)
    lines = []
    for names, sentences in said.items():
        text = " ".join(sentences)
        lines.append(text if len(names) == len(infos) else f"{listed(list(names))}: {text}")
    return "\n".join(lines)


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=\.)\s+(?=[A-Z])", text.strip()) if part]


def _reasons(infos: Sequence[ModelInfo], scope: str) -> dict[str, str]:
    """Return name -> why of the models that do not offer a scope."""
    found = {}
    for info in infos:
        try:
            check_scope(info, scope)
        except GazeError as error:
            found[info.name] = error.what.rpartition(": ")[2]
    return found


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, why in reasons.items():
        found.setdefault(why, []).append(name)
    return found
