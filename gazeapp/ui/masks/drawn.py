"""The masks that were drawn since the project was opened, each with what can be undone on it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gazeapp.engine.lesions.masks.editor import MaskEditor
from gazeapp.engine.types import MaskArray

_UNDO_BYTES = 64 * 2**20
"""Memory for what can be undone on one mask of one image; hundreds of strokes over a large photograph need less."""

_EDITOR_BYTES = 512 * 2**20
"""Masks of this size in all are kept with what can be undone; older ones are read anew."""


@dataclass(eq=False)
class Drawn:
    """A mask of one image as it is drawn; ``serial`` counts what was handed on to be stored."""

    editor: MaskEditor
    serial: int = 0


class DrawnMasks:
    """Masks by name and image, those used last at the end; the oldest go when all of it is too much to keep."""

    def __init__(self) -> None:
        self._all: OrderedDict[tuple[str, int], Drawn] = OrderedDict()

    def __iter__(self) -> Iterator[tuple[tuple[str, int], Drawn]]:
        """Go through the masks, each with its name and image."""
        return iter(self._all.items())

    @property
    def names(self) -> set[str]:
        """Names of the masks."""
        return {name for name, _ in self._all}

    def get(self, name: str, image_id: int) -> Drawn | None:
        """Return the mask of an image; None when it has not been read, or not been kept."""
        return self._all.get((name, image_id))

    def add(self, name: str, image_id: int, size: tuple[int, int], values: MaskArray | None) -> None:
        """Draw on the mask of an image from now on, with nothing to undo yet.

        Parameters
        ----------
        size
            Height and width of the image, px.
        values
            The mask as it is stored; None for an empty one.

        Raises
        ------
        GazeError
            If the mask is of another size than the image.
        """
        self._all[name, image_id] = Drawn(MaskEditor(*size, values, undo_bytes=_UNDO_BYTES))

    def use(self, name: str, image_id: int) -> None:
        """Say that a mask is in hand, so that it goes last."""
        self._all.move_to_end((name, image_id))

    def rename(self, old: str, new: str) -> None:
        """Give the masks of a name another one; what is read under the old one is then out of date."""
        for (name, image_id), drawn in list(self._all.items()):
            if name == old:
                self._all[new, image_id] = self._all.pop((name, image_id))
                drawn.serial += 1

    def remove(self, name: str) -> None:
        """Forget the masks of a name."""
        for key in [key for key in self._all if key[0] == name]:
            del self._all[key]

    def clear(self) -> None:
        """Forget all masks."""
        self._all.clear()

    def forget_oldest(self, may_go: Callable[[str, int], bool]) -> None:
        """Drop what was used longest ago, with its history, when all of it is too much to keep.

        ``may_go`` says of a name and an image whether the mask is stored as it was drawn; the last one always stays.
        """
        size = sum(drawn.editor.mask.nbytes for drawn in self._all.values())
        for key in list(self._all)[:-1]:
            if size <= _EDITOR_BYTES:
                break
            if may_go(*key):
                size -= self._all.pop(key).editor.mask.nbytes
