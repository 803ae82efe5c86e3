"""The list of models to choose from: what is here, what needs a yes, what could be downloaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.ui import theme
from gazeapp.ui.dialogs.model_offers import AWAY, CAPTIONERS, GROUPS, HERE, RUNNERS, Offer
from gazeapp.ui.widgets import drop_widget, icon_button, label, no_mnemonic, plain

_NOTHING = {
    HERE: "None yet. Download one below, or add a folder.",
    RUNNERS: "None.",
}


class ModelList(QScrollArea):
    """Boxes to tick, by group; buttons where something has to happen first.

    Parameters
    ----------
    ran
        Ids of the models that the study was run with, which are ticked at first; where there are none, the captioners
        that ship.
    """

    changed = Signal()
    download_asked = Signal(object)
    agreement_asked = Signal(object)
    removal_asked = Signal(object)

    def __init__(self, ran: Collection[str] = ()) -> None:
        super().__init__()
        self._ran = ran
        self._seen: set[str] = set()
        self.setObjectName("modelList")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.offers: dict[str, Offer] = {}
        self.boxes: dict[str, QCheckBox] = {}
        self.buttons: dict[str, QPushButton] = {}
        self._busy: dict[str, str] = {}
        self._to_tick: set[str] = set()
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(0, 0, theme.STEP * 2, 0)
        self._column.setSpacing(theme.STEP * 2)
        self._column.addStretch(1)
        self.setWidget(body)
        self._groups: dict[str, QWidget] = {}

    @property
    def chosen(self) -> tuple[Offer, ...]:
        """The models that are ticked, in the order of the list."""
        return tuple(self.offers[name] for name, box in self.boxes.items() if box.isChecked())

    def show_group(self, group: str, offers: Sequence[Offer], note: str = "") -> None:
        """Show the models of a group; ticks stay.

        ``note`` stands there instead while the models are being looked for.
        """
        ticked = {offer.name for offer in self.chosen} | self._to_tick
        for name in [name for name, offer in self.offers.items() if offer.group == group]:
            for part in (self.offers, self.boxes, self.buttons):
                part.pop(name, None)
        made = self._make_group(group, offers, note or ("" if offers else _NOTHING.get(group, "")), ticked)
        old = self._groups.pop(group, None)
        if old is not None:
            place = self._column.indexOf(old)
            drop_widget(self._column.takeAt(place))
        else:
            place = sum(GROUPS.index(other) < GROUPS.index(group) for other in self._groups)
        self._groups[group] = made
        self._column.insertWidget(place, made)
        self.boxes = dict(
            sorted(self.boxes.items(), key=lambda item: GROUPS.index(self.offers[item[0]].group))
        )

    def tick_when_shown(self, name: str) -> None:
        """Choose a model once it is in the list and can be."""
        self._to_tick.add(name)

    def set_busy(self, name: str, doing: str) -> None:
        """Say on a model's button what is going on; empty when nothing is."""
        if doing:
            self._busy[name] = doing
        else:
            self._busy.pop(name, None)
        button = self.buttons.get(name)
        if button is not None:
            button.setText(doing or _asks(self.offers[name]))
            button.setEnabled(not doing)

    def _make_group(self, group: str, offers: Sequence[Offer], note: str, ticked: set[str]) -> QWidget:
        part = QWidget()
        grid = QGridLayout(part)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.STEP * 2)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        heading = label(group, "muted")
        heading.setContentsMargins(0, 0, 0, theme.STEP // 2)
        grid.addWidget(heading, 0, 0, 1, 3)
        if note:
            grid.addWidget(label(note, wrap=True), 1, 0, 1, 3)
        for number, offer in enumerate(offers):
            self._add(grid, 1 + 2 * number, offer, ticked)
        return part

    def _add(self, grid: QGridLayout, row: int, offer: Offer, ticked: set[str]) -> None:
        self.offers[offer.name] = offer
        box = QCheckBox(no_mnemonic(offer.title))
        box.setEnabled(offer.may_run)
        if offer.may_run:
            self._to_tick.discard(offer.name)
        at_first = offer.name not in self._seen and (
            offer.id in self._ran if self._ran else offer.group == CAPTIONERS and not offer.folder
        )
        self._seen.add(offer.name)
        box.setChecked(offer.may_run and (offer.name in ticked or at_first))
        box.setToolTip(plain("\n".join(part for part in (offer.why_not, offer.tip) if part)))
        if offer.asks is not None or offer.group == AWAY:
            theme.set_role(box, "offered")  # it can become a choice, so its name is not faint
        box.toggled.connect(self.changed)
        self.boxes[offer.name] = box
        facts = label(offer.facts, "muted", wrap=True)
        facts.setContentsMargins(24, 0, 0, theme.STEP // 2)
        facts.setToolTip(box.toolTip())
        grid.addWidget(box, row, 0)
        grid.addWidget(facts, row + 1, 0)
        if offer.added:
            off = icon_button("close", f"Take {offer.title} off the list; its files stay")
            off.clicked.connect(partial(_send, self.removal_asked, offer))
            grid.addWidget(off, row, 2, 2, 1, Qt.AlignmentFlag.AlignTop)
        if offer.card:
            read = icon_button("report", f"Read the model card of {offer.title}")
            read.clicked.connect(partial(_open, offer.card))
            grid.addWidget(read, row, 1, 2, 1, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        asks = _asks(offer)
        if asks:
            button = QPushButton(self._busy.get(offer.name, asks))
            button.setEnabled(offer.name not in self._busy)
            button.setAutoDefault(False)
            button.setAccessibleName(f"{asks} {offer.title}")
            theme.set_role(button, "quiet")
            signal = self.download_asked if offer.group == AWAY else self.agreement_asked
            button.clicked.connect(partial(_send, signal, offer))
            self.buttons[offer.name] = button
            grid.addWidget(button, row, 1, 2, 1, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)


def _send(signal: Signal, offer: Offer, _on: bool = False) -> None:
    signal.emit(offer)


def _open(card: str, _on: bool = False) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(card))


def _asks(offer: Offer) -> str:
    """Return what a model's button says; empty where it needs none."""
    if offer.group == AWAY:
        return f"Download {readable(offer.size)}…" if offer.size else "Download…"
    return "Read and agree…" if offer.asks is not None else ""
