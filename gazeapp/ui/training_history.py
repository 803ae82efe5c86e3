"""The history that a training writes line by line, kept as arrays that grow with it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.types import DoubleArray

MOST_STEPS = 2**31 - 1
"""Steps beyond this are not believed."""

_MOST = 1e9
_SEEN_BYTES = 256
_MEASURES = ("cider", "bleu4", "validation_loss")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures on validation pictures after a step; ``measures`` such as ``cider`` by name."""

    step: int
    measures: Mapping[str, float]
    best: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Loss, learning rate and seconds since the start by step; arrays of one length, never written to.

    A loss that is no number, or beyond all sense, is NaN.
    """

    steps: DoubleArray
    losses: DoubleArray
    rates: DoubleArray
    seconds: DoubleArray

    @classmethod
    def empty(cls) -> Curve:
        """Return the curve of a training that has not written anything."""
        return cls(*np.empty((4, 0)))


class History:
    """Reads ``history.jsonl``; `read` takes only the lines that are new.

    Parameters
    ----------
    path
        The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._stamp: tuple[int, ...] = ()
        self._seen: tuple[bytes, bytes] = (b"", b"")
        self._forget()

    def __len__(self) -> int:
        return self._count

    def read(self) -> bool:
        """Take what is new; begin anew when the file is another one than before, or is gone.

        Returns
        -------
        bool
            Whether there is anything new.

        Raises
        ------
        OSError
            When the file is there, cannot be read, and never could.
        """
        try:
            facts = self._path.stat()
            stamp = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if stamp == self._stamp:
                return False
            anew, block = self._unread(stamp)
        except (FileNotFoundError, NotADirectoryError):
            had = bool(self._count or self.evaluations)
            self._offset, self._stamp, self._seen = 0, (), (b"", b"")
            self._forget()
            return had
        except OSError:
            if not self._stamp:
                raise
            return False  # a network disk that does not answer now will answer later
        self._stamp = stamp
        if anew:
            self._offset = 0
            self._forget()
        whole = block[: block.rfind(b"\n") + 1]  # the last line may be half written
        if whole:
            self._seen = ((whole if anew else self._seen[0] + whole)[:_SEEN_BYTES], whole[-_SEEN_BYTES:])
            self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)
        self.curve = self._curve()
        if self._evaluations != list(self.evaluations):
            self.evaluations = tuple(self._evaluations)
        return anew or bool(whole)

    def _unread(self, stamp: tuple[int, ...]) -> tuple[bool, bytes]:
        """Return whether the file is not the one read before, and the bytes of it that were not read."""
        with self._path.open("rb") as file:
            anew = stamp[:2] != self._stamp[:2] or stamp[2] < self._offset
            if not anew:
                head, last = self._seen
                anew = file.read(len(head)) != head
                file.seek(max(0, self._offset - len(last)))
                anew = anew or file.read(len(last)) != last
            file.seek(0 if anew else self._offset)
            return anew, file.read()

    def _forget(self) -> None:
        self._rows = np.empty((4, 64))
        self._count = self._shown = 0
        self.curve = Curve.empty()
        self.evaluations: tuple[Evaluation, ...] = ()
        self._evaluations: list[Evaluation] = []

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            step = whole_number(entry["step"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if step is None:
            return
        loss = entry.get("loss")
        if isinstance(loss, int | float) and not isinstance(loss, bool):
            self._take_loss(step, loss, entry)
            return
        measures = {name: value for name in _MEASURES if (value := number(entry.get(name))) is not None}
        if measures:
            self._drop_evaluations(step)
            self._evaluations.append(Evaluation(step, measures, bool(entry.get("best"))))

    def _take_loss(self, step: int, loss: float, entry: Mapping[str, Any]) -> None:
        if self._count and self._rows[0, self._count - 1] >= step:
            # A training that goes on after a kill begins at its checkpoint, before the last line.
            self._count = int(np.searchsorted(self._rows[0, : self._count], step))
            self._drop_evaluations(step)
        if self._count < self._shown:  # what was handed out is never written to
            self._rows, self._shown = self._rows.copy(), 0
        if self._count == self._rows.shape[1]:
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)], axis=1)
        values = (number(loss), number(entry.get("rate")), number(entry.get("seconds")))
        self._rows[:, self._count] = (step, *(math.nan if value is None else value for value in values))
        self._count += 1

    def _drop_evaluations(self, step: int) -> None:
        while self._evaluations and self._evaluations[-1].step >= step:
            self._evaluations.pop()

    def _curve(self) -> Curve:
        table = self._rows[:, : self._count]
        table.flags.writeable = False
        self._shown = self._count
        return Curve(*table)


def number(value: object) -> float | None:
    """Return a number that can be believed; None for any other, NaN and infinity among them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -_MOST <= value <= _MOST else None


def whole_number(value: object) -> int | None:
    """Return a count of steps, or the like, that can be believed; None for any other."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= MOST_STEPS else None
