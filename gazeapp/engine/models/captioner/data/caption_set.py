"""Captioned pictures as read from a file, whatever its form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GENERAL = "general"
"""Task of captions whose file tells none: to describe the scene."""

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True, slots=True)
class CaptionText:
    """A caption as written, and the task that it was written under."""

    task: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file with its captions.

    Parameters
    ----------
    name
        As the caption file names it; no other picture of the set has it.
    path
        Where it was found.
    split
        ``train``, ``validation`` or ``test``; empty where the file tells none.
    captions
        At least one, in the order of the file.
    """

    name: str
    path: Path
    split: str
    captions: tuple[CaptionText, ...]

    def told(self, task: str) -> tuple[str, ...]:
        """Return the captions under a task; none is possible."""
        return tuple(caption.text for caption in self.captions if caption.task == task)


@dataclass(frozen=True, slots=True)
class CaptionSet:
    """Captioned pictures, in the order in which their file first names them.

    Parameters
    ----------
    pictures
        At least one; every file was there when the captions were read.
    form
        Form of the captions, such as ``COCO Captions``.
    notes
        Sentences on what was left out.
    """

    pictures: tuple[Picture, ...]
    form: str
    notes: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """All tasks that have captions: ``general`` first, the others by alphabet."""
        found = {caption.task for picture in self.pictures for caption in picture.captions}
        return tuple(sorted(found, key=lambda task: (task != GENERAL, task)))
