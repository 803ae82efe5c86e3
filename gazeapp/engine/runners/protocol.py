"""The words that gazeapp and a script exchange: one JSON object a line, each marked as meant for gazeapp."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock
from time import monotonic
from typing import IO, Any

from gazeapp.engine.types import Json

VERSION = 1
"""Version of the protocol; a script that speaks another one is refused."""

READY, PROGRESS, ANSWER, ERROR = "ready", "progress", "answer", "error"
MEMORY = "memory"
"""Reason of an error: memory ran out, so that a smaller image may do."""

_MARK = b'{"gazeapp"'
"""How a line begins that is meant for gazeapp; all other output goes to the log."""
_LONGEST_LINE = 1_000_000
"""Bytes."""
_KEPT_LINES = 200
_LARGEST_COUNT = 2**31 - 1
"""What a progress bar can count to."""

RunnerProgress = Callable[[int, int, str], None]
"""Told (done, total, message) while a script works; a total of 0 means that it is not known."""


class NotUnderstoodError(Exception):
    """A line that is marked as meant for gazeapp is none of the words of the protocol."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line from a script.

    Parameters
    ----------
    kind
        `READY`, `PROGRESS`, `ANSWER` or `ERROR`.
    request
        Number of the request that it belongs to; 0 for `READY`.
    values
        Everything else that it says.
    """

    kind: str
    request: int
    values: Json = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return what it says under ``key`` as one line that can be shown; empty when it says nothing."""
        value = self.values.get(key)
        return shown(value) if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """Return a count that it gives; 0 when it gives none."""
        value = self.values.get(key)
        return min(max(0, value), _LARGEST_COUNT) if isinstance(value, int) else 0


def shown(text: str) -> str:
    """Return text from a script as one line of printable characters, of a length that fits a sentence."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= 500 else line[:499] + "…"


def parse(line: bytes) -> Message:
    """Read one line of a script.

    Raises
    ------
    NotUnderstoodError
        If it is none of the words of the protocol.
    """
    try:
        values: Any = json.loads(line, parse_constant=_refuse)
        # Halves of characters that only exist in pairs can be written in JSON, but nowhere be stored.
        json.dumps(values, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise NotUnderstoodError from error
    if not isinstance(values, dict):
        raise NotUnderstoodError
    kind, request = values.pop("gazeapp", None), values.pop("request", 0)
    if kind not in (READY, PROGRESS, ANSWER, ERROR) or not isinstance(request, int):
        raise NotUnderstoodError
    return Message(kind, request, values)


def _refuse(constant: str) -> None:
    """Refuse NaN and infinities, which Python writes and other readers of JSON stumble over."""
    raise ValueError(f"{constant} is no JSON")


def request_line(request: int, action: str, folder: str) -> bytes:
    """Return the line that asks for something; its values lie in ``folder`` as ``request.json``."""
    return json.dumps({"request": request, "action": action, "folder": folder}).encode() + b"\n"


class Log:
    """The last lines that a script printed beside the protocol, and when it was last heard."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._lock = Lock()
        self._heard = monotonic()
        self._count = 0

    def heard(self) -> None:
        """Note that the script has shown a sign of life."""
        self._heard = monotonic()

    def add(self, raw: bytes) -> None:
        """Keep a line; empty ones are left out."""
        line = raw.decode("utf-8", "replace").rstrip()
        if line:
            with self._lock:
                self._lines.append(line[:2000])
                self._count += 1

    @property
    def silence(self) -> float:
        """Seconds since the script was last heard."""
        return monotonic() - self._heard

    @property
    def count(self) -> int:
        """How many lines there have been, those no longer kept included."""
        return self._count

    @property
    def lines(self) -> tuple[str, ...]:
        """The last lines, oldest first."""
        with self._lock:
            return tuple(self._lines)


def listen(stream: IO[bytes], messages: SimpleQueue[bytes | None], log: Log) -> None:
    """Sort what a script prints into messages and log until it ends; then say so with None."""
    for line in _lines(stream):
        log.heard()
        if line.startswith(_MARK):
            messages.put(line)
        else:
            log.add(line)
    messages.put(None)


def collect(stream: IO[bytes], log: Log) -> None:
    """Keep what a script prints as errors until it ends."""
    for line in _lines(stream):
        log.heard()
        log.add(line)


def _lines(stream: IO[bytes]) -> Any:
    with stream:
        yield from iter(lambda: stream.readline(_LONGEST_LINE), b"")
