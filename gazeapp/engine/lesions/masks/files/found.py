"""What is found in a mask file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.placing import is_hard
from gazeapp.engine.types import MaskArray


@dataclass(frozen=True, slots=True, eq=False)
class FoundMask:
    """A mask in a file; it is drawn when its values are asked for, so that a file may hold thousands.

    Parameters
    ----------
    image
        Name of its image, as the file has it, with ``/`` between folders; empty where the file names none.
    label
        What the file calls it; empty where it has no word for it.
    draw
        Makes the values.
    notes
        What the user should know about how it was read, as sentences.
    """

    image: str
    label: str
    draw: Callable[[], MaskArray] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def values(self) -> MaskArray:
        """The mask, shape (height, width) of the image that the file was made for, 0 to 255.

        Raises
        ------
        GazeError
            When what the file says of this mask does not fit together; other masks of the file may be sound.
        """
        return self.draw()


def check_hard(values: MaskArray, kind: str, where: str) -> None:
    """Refuse a graded mask where a file can hold none.

    Raises
    ------
    GazeError
        With the format that can.
    """
    if not is_hard(values):
        raise GazeError(
            f"The mask is graded, and {kind} files know inside and outside alone.",
            where=where,
            todo="Export it as PNG, which keeps every value.",
        )
