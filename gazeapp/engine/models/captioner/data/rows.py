"""What every form of captions comes down to: rows of a picture's name, its split, and a caption of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import END, PAD, START, UNKNOWN, task_token
from gazeapp.engine.models.captioner.data.caption_set import GENERAL, TEST, TRAIN, VALIDATION

_SPLITS = {
    "": "",
    "train": TRAIN,
    "training": TRAIN,
    "restval": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
_TASK = re.compile(r"[^\W_](?:[\w -]*[^\W_])?")


@dataclass(frozen=True, slots=True)
class Row:
    """A caption of a picture as its file has it.

    Parameters
    ----------
    name
        The picture's name, which may have folders.
    text
        The caption; may be empty.
    split
        ``train``, ``validation``, ``test`` or empty.
    task
        The task that it was written under.
    place
        Where in the file it is, for messages, such as ``line 12``.
    """

    name: str
    text: str
    split: str
    task: str
    place: str


def split_named(name: str, where: str) -> str:
    """Return the split that a file calls ``name``; ``restval`` of Karpathy's splits is for training.

    Raises
    ------
    GazeError
        When it is none.
    """
    split = _SPLITS.get(name.strip().lower())
    if split is None:
        raise GazeError(
            f"'{name[:40]}' is no split.", where=where, todo="Splits are called train, val and test."
        )
    return split


def task_named(name: str, where: str) -> str:
    """Return the task that a file calls ``name``; ``general`` when it calls it nothing.

    Raises
    ------
    GazeError
        When a task cannot be called that.
    """
    task = name.strip() or GENERAL
    if not _TASK.fullmatch(task) or len(task) > 40 or task_token(task) in (PAD, START, END, UNKNOWN):
        raise GazeError(
            f"A task cannot be called '{name[:40]}'.",
            where=where,
            todo="Use letters, digits, spaces and hyphens, up to 40, and none of pad, start, end and unk.",
        )
    return task
