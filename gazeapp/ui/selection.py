"""What is being looked at: one state that every panel reads, changes and follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True, slots=True)
class DisplayState:
    """How maps are drawn, in every pane alike.

    Parameters
    ----------
    opacity
        Opacity of the map over the image, 0 to 1.
    colormap
        Name of the colour map for densities.
    show_overlay, show_fixations, show_scanpath
        Which layers lie over the image.
    show_difference
        Whether models show their difference from people (map minus people) in place of their map.
    shared_scale
        Whether all panes share one colour scale; else each map has its own.
    subject
        Observer whose fixations and scanpath are shown; empty for all.
    moving
        Whether dragging in people's pane moves a scanpath.
    painting
        Whether dragging in any pane paints a mask.
    lesion
        Whether models show what they do under the lesion: ``lesioned``, or ``change`` for lesioned minus intact
        maps; empty for the intact ones.
    layout
        How the compare view arranges its panes: ``grid`` shows them side by side, ``one`` only the one in focus.
    """

    opacity: float = 0.6
    colormap: str = "viridis"
    show_overlay: bool = True
    show_fixations: bool = True
    show_scanpath: bool = False
    show_difference: bool = False
    shared_scale: bool = True
    subject: str = ""
    moving: bool = False
    painting: bool = False
    lesion: str = ""
    layout: str = "grid"

    def __post_init__(self) -> None:
        if not 0.0 <= self.opacity <= 1.0:
            raise ValueError(f"opacity is between 0 and 1, not {self.opacity}")


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is looked at, apart from how it is drawn."""

    image_id: int | None = None
    task: str = ""
    source: str | None = None
    word: int = -1
    metric: str = "nss"
    preset: str = "tuebingen"


_SUBJECT = frozenset(field.name for field in fields(_Subject))
_DISPLAY = frozenset(field.name for field in fields(DisplayState))


class Selection(QObject):
    """The image, task, source, word and metric in hand, and how maps are drawn.

    ``changed`` carries a frozenset of the names of the fields that changed. A change of image,
    task or source sets ``word`` back to -1 (the caption's mean map), because words belong to one
    caption; pass ``word`` in the same :meth:`update` to choose one.

    Setting a field to the value it has emits nothing, so that panels may write back what they show.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._subject = _Subject()
        self._display = DisplayState()

    @property
    def display(self) -> DisplayState:
        """How maps are drawn."""
        return self._display

    @property
    def image_id(self) -> int | None:
        """Image in hand; None when there is none."""
        return self._subject.image_id

    @image_id.setter
    def image_id(self, value: int | None) -> None:
        self.update(image_id=value)

    @property
    def task(self) -> str:
        """Task in hand; empty when the study has none."""
        return self._subject.task

    @task.setter
    def task(self, value: str) -> None:
        self.update(task=value)

    @property
    def source(self) -> str | None:
        """Focused pane: a model's id or ``people``."""
        return self._subject.source

    @source.setter
    def source(self, value: str | None) -> None:
        self.update(source=value)

    @property
    def word(self) -> int:
        """Index of the focused model's word whose map is shown; -1 shows the caption's mean map."""
        return self._subject.word

    @word.setter
    def word(self, value: int) -> None:
        self.update(word=value)

    @property
    def metric(self) -> str:
        """Metric that panes and lists show."""
        return self._subject.metric

    @metric.setter
    def metric(self, value: str) -> None:
        self.update(metric=value)

    @property
    def preset(self) -> str:
        """Metric conventions that scores are read from."""
        return self._subject.preset

    @preset.setter
    def preset(self, value: str) -> None:
        self.update(preset=value)

    def update(self, **values: Any) -> None:
        """Set any fields of the selection or of its display state, with one ``changed`` for all.

        Raises
        ------
        ValueError
            A name is not a field, or a value is out of range.
        """
        unknown = values.keys() - _SUBJECT - _DISPLAY
        if unknown:
            raise ValueError(f"the selection has no {', '.join(sorted(unknown))}")
        changed = self._changed_names(values)
        if changed & {"image_id", "task", "source"} and "word" not in values and self.word != -1:
            values = {**values, "word": -1}
            changed |= {"word"}
        if not changed:
            return
        display = replace(self._display, **{n: values[n] for n in changed & _DISPLAY})
        self._subject = replace(self._subject, **{n: values[n] for n in changed & _SUBJECT})
        self._display = display
        self.changed.emit(frozenset(changed))

    def _changed_names(self, values: Mapping[str, Any]) -> set[str]:
        now = {n: getattr(self._subject, n) for n in _SUBJECT} | {
            n: getattr(self._display, n) for n in _DISPLAY
        }
        return {name for name, value in values.items() if now[name] != value}
