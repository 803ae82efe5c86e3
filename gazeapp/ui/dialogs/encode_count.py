"""What predicting responses would take in: images, regions and sources, counted on another thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel

from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.import_responses_found import in_the_window
from gazeapp.ui.worker import JobRunner, JobState, Work, duration

if TYPE_CHECKING:
    from gazeapp.engine.workflows.encode_count import EncodingCount

_COUNTING = "Counting images, regions and sources…"


class EncodeCountLine(CountingLine):
    """Says how many images, regions and sources there are, and about how long their prediction takes."""

    refused = Signal()
    """The engine takes the settings no more, or takes them again; see ``problem``."""

    def __init__(self, label: QLabel, lookups: JobRunner, path: Path) -> None:
        super().__init__(label, lookups, path)
        self.counted.connect(self._show_count)
        self._choice: Mapping[str, Any] | None = None
        self._name_of: Mapping[str, str] = {}
        self.problem = ""

    def show(self, choice: Mapping[str, Any] | None, name_of: Mapping[str, str]) -> None:
        """Count what ``choice``, arguments of ``EncodeSettings``, asks for; None counts nothing."""
        self._name_of = name_of
        if choice != self._choice or choice is None:
            self._choice, self.problem = choice, ""
            self.ask(_COUNTING if choice is not None else "", None if choice is None else count_work(choice))

    @Slot(object)
    def _show_count(self, state: JobState) -> None:
        if state.error is not None:
            self.problem = in_the_window(state.error)
        elif state.result is not None and self._choice is not None:
            found: EncodingCount = state.result
            self.problem = "" if found.images else " ".join(in_the_window(why) for why in found.whys)
            self._label.setText(in_words(found, self._name_of))
        self.refused.emit()


def in_words(found: EncodingCount, name_of: Mapping[str, str]) -> str:
    """Return what is counted, in sentences."""
    parts = []
    for task, n in found.images.items():
        parts.append(f"{task}: {_count(n, 'image')}, {_count(found.sources[task], 'source')}")
    regions = _count(found.n_regions, "region")
    regions += f" and {_count(found.n_groups, 'group')} of them" if found.n_groups else ""
    text = f"{regions}. {'; '.join(parts)}."
    if found.n_subjects > 1:
        text += f" The mean over subjects and {found.n_subjects - 1:,} of them by themselves."
    for task, sources in found.left_out.items():
        names = ", ".join(name_of.get(one, one) for one in sources)
        text += f" Under {task}, {names} {'is' if len(sources) == 1 else 'are'} left out, with maps of too few images."
    for why in found.whys:
        text += f" {why.what}"
    if found.seconds is None:
        return f"{text} How long it takes is told once it runs."
    return f"{text} It takes about {duration(found.seconds)}, less where some of it is there already."


def count_work(choice: Mapping[str, Any]) -> Work:
    """Return the work that counts; ``choice`` are arguments of ``EncodeSettings``. It stores nothing."""

    def work(project: Any, _progress: Any) -> EncodingCount:
        from gazeapp.engine.workflows.encode import EncodeSettings
        from gazeapp.engine.workflows.encode_count import count_encoding

        return count_encoding(project, EncodeSettings(**choice))

    return work


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
