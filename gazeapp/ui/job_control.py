"""What the window and a running verb say to each other: stop, wait, go on, and how far it is."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

REPORTS_PER_SECOND = 15.0
_MOMENT_S = 0.25
_PACE_UNITS, _PACE_S = 9, 30.0
"""The time left follows from the last units, at least so many, or as many as there were in so many seconds."""


class JobControl:
    """How the window steers one job; used by both threads."""

    def __init__(self) -> None:
        self._cancel = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._claim = threading.Lock()

    def claim(self) -> bool:
        """Return whether the caller is the first: the worker that begins the job, or the window that removes it."""
        return self._claim.acquire(blocking=False)

    def cancel(self) -> None:
        """Let the job stop at the next place where it can, also while it is paused."""
        self._cancel.set()
        self._going.set()

    def pause(self) -> None:
        """Let the job wait at the next place where it can."""
        if not self._cancel.is_set():
            self._going.clear()

    def resume(self) -> None:
        """Let the job go on."""
        self._going.set()

    @property
    def cancelled(self) -> bool:
        """Whether the job is to stop."""
        return self._cancel.is_set()

    @property
    def paused(self) -> bool:
        """Whether the job is to wait."""
        return not self._going.is_set()

    def wait(self) -> None:
        """Wait until the job may go on or is to stop."""
        self._going.wait()


@dataclass(frozen=True, slots=True)
class Report:
    """How far a job is; ``paused`` says that it waits here until the window lets it go on.

    Times are in seconds and leave out the pauses.
    """

    id: int
    done: int = 0
    total: int = 0
    message: str = ""
    seconds: float = 0.0
    seconds_left: float | None = None
    paused: bool = False


class JobProgress:
    """What a running verb reports to; thins its reports out and tells the time left.

    Parameters
    ----------
    job_id
        Job that reports.
    control
        How the window steers the job.
    send
        Called in the worker thread with each report that goes out.
    clock
        Seconds that only go up.
    """

    def __init__(
        self,
        job_id: int,
        control: JobControl,
        send: Callable[[Report], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._control = control
        self._send = send
        self._clock = clock
        self._began = clock()
        self._paused_s = 0.0
        self._sent = float("-inf")
        self._last = Report(job_id)
        self._pace: deque[tuple[float, int]] = deque()

    @property
    def cancelled(self) -> bool:
        """Whether to stop after the unit in hand; while the job is paused, the answer comes when it goes on."""
        if self._control.paused:
            self._wait()
        return self._control.cancelled

    def report(self, done: int, total: int, message: str = "") -> None:
        """Say that ``done`` of ``total`` units are finished; ``message`` names the one in hand."""
        now = self.worked
        new_stage = total != self._last.total or done < self._last.done or not self._pace
        if new_stage:
            self._pace.clear()
        self._note_pace(now, done)
        self._last = Report(self._last.id, done, total, message, now, self._left(done, total))
        if new_stage or done == total or now - self._sent >= 1.0 / REPORTS_PER_SECOND:
            self._sent = now
            self._send(self._last)

    def _wait(self) -> None:
        since = self._clock()
        self._send(replace(self._last, seconds=self.worked, seconds_left=None, paused=True))
        self._control.wait()
        self._paused_s += self._clock() - since
        if not self._control.cancelled:
            self._send(self._last)

    @property
    def worked(self) -> float:
        """Seconds since the job began, without its pauses."""
        return self._clock() - self._began - self._paused_s

    def _note_pace(self, now: float, done: int) -> None:
        """Remember when how much was done; what is over in no time, such as skipped units, is one moment."""
        if self._pace and now // _MOMENT_S == self._pace[-1][0] // _MOMENT_S:
            self._pace.pop()
        self._pace.append((now, done))
        while len(self._pace) > _PACE_UNITS and self._pace[1][0] < now - _PACE_S:
            self._pace.popleft()

    def _left(self, done: int, total: int) -> float | None:
        """Return the seconds left at the pace of late: loading a model, or what was there before, says little."""
        (began, first), (now, _) = self._pace[0], self._pace[-1]
        if done <= first or total <= 0:
            return None
        return (now - began) / (done - first) * (total - done)
