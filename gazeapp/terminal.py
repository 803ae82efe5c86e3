"""Progress on a terminal, and Ctrl-C that lets the unit in hand finish."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import click

_SHOW_EVERY_S = 0.1
_LINE_EVERY_S = 30.0
_ENDS = ("SIGTERM", "SIGHUP", "SIGBREAK", "SIGUSR1")
"""Signals by which a cluster or a closed terminal asks a process to end, where the system has them."""


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


class TrainingProgress(TerminalProgress):
    """Progress of trainings, which may take days: lines that stay, and an end when a cluster asks for it.

    On a terminal the progress line is drawn, and what is told in a sentence (a measurement, that a training goes on)
    stays above it. In a pipe or a file there are the sentences, and a line every 30 s.

    Parameters
    ----------
    quiet
        Show nothing.
    label
        What the lines begin with, such as which of several captioners it is; empty for nothing.
    """

    def __init__(self, quiet: bool = False, label: str = "") -> None:
        super().__init__(quiet)
        self._quiet, self._before = quiet, f"{label} · " if label else ""
        self._told_at = -_LINE_EVERY_S

    def report(self, done: int, total: int, message: str) -> None:
        """Draw the progress line, and leave a line where one is due."""
        if self._quiet:
            return
        message = f"{self._before}{message}"
        now = time.monotonic()
        # A terminal that was closed, or a full disk under the log, is no reason to lose a training.
        with suppress(OSError):
            if message.endswith(".") or (not self._show and now - self._told_at >= _LINE_EVERY_S):
                self._told_at = now
                self._leave(f"{done:,} of {total:,} steps  {message}")
            super().report(done, total, message)

    @contextmanager
    def watching(self) -> Iterator[TrainingProgress]:
        """Let Ctrl-C, and the signals by which clusters end a process, stop after the step in hand."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        there = [getattr(signal, name) for name in _ENDS if hasattr(signal, name)]
        # Whoever starts it with nohup wants it to outlive the terminal.
        wanted = [s for s in there if s.name != "SIGHUP" or signal.getsignal(s) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._end) for number in wanted}
        try:
            with super().watching():
                yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _leave(self, text: str) -> None:
        clear = "\r\x1b[K" if self._show else time.strftime("%Y-%m-%d %H:%M:%S  ")
        click.echo(f"{clear}{text}", err=True)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            return  # clusters ask more than once
        self._stop.set()
        # The signal may come while another line is being written, or because there is no terminal any more.
        with suppress(OSError, RuntimeError):
            if not self._quiet:
                self._leave(
                    f"{signal.Signals(number).name}: stopping after the step in hand, with a checkpoint."
                )
