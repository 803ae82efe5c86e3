"""Progress on a terminal, and Ctrl-C that lets the unit in hand finish."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

_SHOW_EVERY_S = 0.1


class TerminalProgress:
    """A progress line on a terminal; nothing in a pipe.

    Parameters
    ----------
    quiet
        Show nothing even on a terminal.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._show = sys.stderr.isatty() and not quiet
        self._stop = threading.Event()
        self._shown_at = 0.0

    @property
    def cancelled(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._stop.is_set()

    def report(self, done: int, total: int, message: str) -> None:
        """Draw the line anew, at most ten times a second."""
        now = time.monotonic()
        if not self._show or (now - self._shown_at < _SHOW_EVERY_S and done < total):
            return
        self._shown_at = now
        width = 24
        filled = width * done // total if total else 0
        line = f"[{'#' * filled}{'.' * (width - filled)}] {done}/{total}  {message}"
        columns = shutil.get_terminal_size().columns
        click.echo(f"\r\x1b[K{line[: columns - 1]}", nl=False, err=True)

    @contextmanager
    def watching(self) -> Iterator[TerminalProgress]:
        """Let the first Ctrl-C stop after the unit in hand, and a second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)
            if self._show:
                click.echo("\r\x1b[K", nl=False, err=True)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt
        self._stop.set()
        click.echo("\nStopping after the unit in hand; press Ctrl-C again to stop at once.", err=True)
