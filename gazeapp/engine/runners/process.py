"""A running script: asked one thing at a time, watched while it works, ended with everything it started."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.runners import launch, protocol
from gazeapp.engine.runners.protocol import Message, NotUnderstoodError, RunnerProgress
from gazeapp.engine.runners.script import ConsentNeededError, RunnerScript
from gazeapp.engine.types import Json

_POLL = 0.05
"""Seconds between two looks at whether the user wants to stop."""
_KILLED = (-9, 137)
"""Exit codes of a program that the system has killed, as it does when memory runs out."""
_LAST_LINES = 5
"""Lines of the log that an error shows."""
_PATIENCE = 2.0
"""Seconds that a script has to end by itself once it is no longer needed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script answered to one request.

    Parameters
    ----------
    values
        What it said, JSON-able; not checked yet.
    folder
        Folder of the request, with the files that it wrote; gone when the request is over.
    """

    values: Json
    folder: Path


def silent(done: int, total: int, message: str) -> None:
    """Progress that nobody watches."""


def never() -> bool:
    """A user who never wants to stop."""
    return False


class RunnerProcess:
    """A script in its environment; started when it is first asked something, and again after it has died.

    To be used by one thread at a time. It ends with `close`, at the end of a ``with`` block, when it is no longer
    referred to, or with gazeapp itself.

    Parameters
    ----------
    script
        The script.
    consents
        Where the user's consent to it is looked up each time it is started.
    silence
        Seconds without any sign of life after which a script at work is given up.
    install_silence
        The same while its environment is set up, where one download may take long without a word.
    """

    def __init__(
        self,
        script: RunnerScript,
        consents: ConsentStore,
        *,
        silence: float = 900.0,
        install_silence: float = 3600.0,
    ) -> None:
        self.script = script
        self._consents = consents
        self._silence = silence
        self._install_silence = install_silence
        self._requests = 0
        self._log = protocol.Log()
        self._running: _Running | None = None

    def __enter__(self) -> RunnerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines that the script and its installer printed."""
        return self._log.lines

    @property
    def pid(self) -> int | None:
        """Process id of the script's process group; None while it is not running."""
        running = self._running
        return None if running is None or running.process.poll() is not None else running.process.pid

    def close(self) -> None:
        """End the script; it is started again when it is next asked something."""
        if self._running is not None:
            self._running.end(_PATIENCE)
            self._running = None

    @contextmanager
    def request(
        self,
        action: str,
        write: Callable[[Path], Json],
        progress: RunnerProgress = silent,
        should_stop: Callable[[], bool] = never,
    ) -> Iterator[Answer]:
        """Ask the script for something and wait for its answer.

        Parameters
        ----------
        action
            `DESCRIBE` or `RUN`.
        write
            Writes the files of the request into a folder and returns its values, JSON-able.
        progress
            Told how far the script is, first while it is installed.
        should_stop
            Asked several times a second; when it answers True the script is ended with everything it started.

        Raises
        ------
        ConsentNeededError
            If the user has not agreed to the script as it is.
        StoppedError
            If ``should_stop`` said so.
        GazeError
            If it cannot be started, fails, dies, is silent for too long or answers what cannot be understood.
        MemoryError
            If it says that memory ran out.
        """
        if action not in self.script.actions:
            raise GazeError(f"“{self.script.name}” cannot be asked to {action}.", where=str(self.script.path))
        self._requests += 1
        try:
            running = self._ready(progress, should_stop)
            folder = running.folder / f"request-{self._requests}"
            folder.mkdir()
            (folder / "request.json").write_text(json.dumps(write(folder)), "utf-8")
            running.say(protocol.request_line(self._requests, action, folder.name))
            answer = self._answer(running, progress, should_stop)
        except OSError as error:
            self._give_up()
            raise self._error(
                f"No files can be exchanged with “{self.script.name}”: {error.strerror or error}.",
                "Check that the disk is not full.",
            ) from error
        except BaseException:
            # Whatever it was, the script may still be at work on it: the next request starts with a new one.
            self._give_up()
            raise
        try:
            if answer.kind == protocol.ERROR:
                if answer.text("reason") == protocol.MEMORY:
                    raise MemoryError(answer.text("what"))
                raise self._error(
                    answer.text("what") or f"“{self.script.name}” failed and did not say why.",
                    answer.text("todo"),
                )
            yield Answer(answer.values, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _ready(self, progress: RunnerProgress, should_stop: Callable[[], bool]) -> _Running:
        """Return the running script; start it, and wait until it is ready, when it is not."""
        if self._running is not None and self._running.process.poll() is None:
            return self._running
        self.close()
        if not self.script.agreed(self._consents):
            raise ConsentNeededError(self.script)
        progress(0, 0, f"Starting “{self.script.name}”")
        self._log = protocol.Log()
        self._running = running = _Running(self.script, self._log)
        told = 0
        while True:
            message = self._next(running, self._install_silence, should_stop)
            if message is None:
                if self._log.count > told:
                    told = self._log.count
                    progress(0, 0, f"Starting “{self.script.name}”: {protocol.shown(self._log.lines[-1])}")
            elif message.kind == protocol.READY and message.values.get("protocol") == protocol.VERSION:
                running.is_ready = True
                return running
            else:
                raise self._garbage()

    def _answer(
        self, running: _Running, progress: RunnerProgress, should_stop: Callable[[], bool]
    ) -> Message:
        """Wait for the answer to the request in hand, or the script's own word that it failed."""
        self._log.heard()
        while True:
            message = self._next(running, self._silence, should_stop)
            if message is None:
                continue
            if message.request != self._requests or message.kind == protocol.READY:
                raise self._garbage()
            if message.kind != protocol.PROGRESS:
                return message
            progress(message.number("done"), message.number("total"), message.text("message"))

    def _next(self, running: _Running, silence: float, should_stop: Callable[[], bool]) -> Message | None:
        """Return the next message; None when there was none for a moment."""
        if should_stop():
            raise StoppedError
        try:
            line = running.messages.get(timeout=_POLL)
        except Empty:
            if running.process.poll() is not None and running.has_said_all():
                raise self._died(running) from None
            if self._log.silence > silence:
                raise self._error(
                    f"“{self.script.name}” has shown no sign of life for {silence:.0f} s and was ended.",
                    self._last_lines()
                    or "Try again; on a slow computer, with a smaller image or a shorter caption.",
                ) from None
            return None
        if line is None:
            raise self._died(running)
        try:
            return protocol.parse(line)
        except NotUnderstoodError:
            raise self._garbage() from None

    def _give_up(self) -> None:
        if self._running is not None:
            self._running.end()
            self._running = None

    def _died(self, running: _Running) -> GazeError:
        code = running.end()
        did = "ended by itself" if running.is_ready else "could not be started"
        why = "; the computer may have run out of memory" if code in _KILLED else ""
        return self._error(f"“{self.script.name}” {did} (exit code {code}{why}).", self._last_lines())

    def _garbage(self) -> GazeError:
        return self._error(
            f"“{self.script.name}” sent what gazeapp cannot understand and was ended.",
            "Its author can compare it with the guide to runners (docs/runners.md).",
        )

    def _last_lines(self) -> str:
        lines = self.log[-_LAST_LINES:]
        return (
            f"The last that it printed: {' | '.join(protocol.shown(line) for line in lines)}" if lines else ""
        )

    def _error(self, what: str, todo: str) -> GazeError:
        return GazeError(what, where=str(self.script.path), todo=todo)


class _Running:
    """One start of a script: its process, its exchange folder and what it has said."""

    def __init__(self, script: RunnerScript, log: protocol.Log) -> None:
        placed = launch.place_script(script)
        self.folder = Path(tempfile.mkdtemp(prefix="gazeapp-runner-"))
        try:
            self.process = launch.start(placed, self.folder)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.is_ready = False
        self._end = weakref.finalize(self, launch.end, self.process, self.folder)
        self.messages: SimpleQueue[bytes | None] = SimpleQueue()
        out, errors = self.process.stdout, self.process.stderr
        assert out is not None
        assert errors is not None
        self._listeners = (
            Thread(target=protocol.listen, args=(out, self.messages, log), daemon=True),
            Thread(target=protocol.collect, args=(errors, log), daemon=True),
        )
        for listener in self._listeners:
            listener.start()

    def say(self, line: bytes) -> None:
        """Send a line; a script that is gone is noticed when its answer is waited for."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.write(line)
            self.process.stdin.flush()

    def has_said_all(self) -> bool:
        """Return whether a process that is gone has left no message; what it started may hold its output open."""
        self._listeners[0].join(1.0)
        return self.messages.empty()

    def end(self, patience: float = 0.0) -> int:
        """End it with everything that it started, and return its exit code.

        Parameters
        ----------
        patience
            Seconds that it has to end by itself after its input is closed.
        """
        with suppress(OSError, subprocess.TimeoutExpired):
            if patience and self.process.stdin is not None:
                self.process.stdin.close()
                self.process.wait(patience)
        self._end()
        for listener in self._listeners:
            listener.join(1.0)
        return self.process.returncode
