"""Work in the background: one worker thread that runs verbs in order, and the runner that owns it."""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from PySide6.QtCore import QObject, QThread, Signal, Slot

from gazeapp.engine.errors import GazeError

REPORTS_PER_SECOND = 15.0

_log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Any, "JobProgress"], Any]
"""A verb with its settings bound: called with the open project (None without a path) and progress."""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: what, where, what to do, and the trace for a bug report."""

    what: str
    where: str = ""
    todo: str = ""
    details: str = ""

    @classmethod
    def of(cls, error: BaseException) -> JobError:
        """Put ``error`` into sentences; only a GazeError is expected, others keep their trace."""
        if isinstance(error, GazeError):
            return cls(error.what, error.where, error.todo)
        trace = "".join(traceback.format_exception(error))
        return cls(
            f"gazeapp met an error that it did not expect ({type(error).__name__}: {error}).",
            todo="Nothing already stored is lost. Please report it with the details.",
            details=trace,
        )


@dataclass(frozen=True, slots=True)
class JobState:
    """One job as it stands; ``status`` is queued, running, done, failed or cancelled.

    ``seconds_left`` is None while it cannot be told; ``result`` is what the verb returned.
    """

    id: int
    title: str
    path: Path | None
    status: str = "queued"
    done: int = 0
    total: int = 0
    message: str = ""
    seconds: float = 0.0
    seconds_left: float | None = None
    cancelling: bool = False
    result: Any = None
    error: JobError | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class _Job:
    id: int
    path: Path | None
    work: Work
    uses_torch: bool
    cancel: threading.Event


@dataclass(frozen=True, slots=True)
class _Report:
    id: int
    done: int
    total: int
    message: str
    seconds: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    id: int
    status: str
    seconds: float
    result: Any = None
    error: JobError | None = None


class JobProgress:
    """What a running verb reports to; thins its reports out and tells the time left.

    Parameters
    ----------
    job_id
        Job that reports.
    cancel
        Set from the window to stop after the unit in hand.
    send
        Called in the worker thread with each report that goes out.
    clock
        Seconds that only go up.
    """

    def __init__(
        self,
        job_id: int,
        cancel: threading.Event,
        send: Callable[[_Report], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._id = job_id
        self._cancel = cancel
        self._send = send
        self._clock = clock
        self._began = clock()
        self._sent = float("-inf")
        self._total = -1
        self._stage_began = self._began
        self._stage_done = 0

    @property
    def cancelled(self) -> bool:
        """Whether to stop after the unit in hand."""
        return self._cancel.is_set()

    def report(self, done: int, total: int, message: str = "") -> None:
        """Say that ``done`` of ``total`` units are finished; ``message`` names the one in hand."""
        now = self._clock()
        if total != self._total or done < self._stage_done:
            self._total, self._stage_began, self._stage_done = total, now, done
        elif now - self._sent < 1.0 / REPORTS_PER_SECOND and done != total:
            return
        self._sent = now
        self._send(_Report(self._id, done, total, message, now - self._began, self._left(done, total, now)))

    def _left(self, done: int, total: int, now: float) -> float | None:
        steps = done - self._stage_done
        if steps <= 0 or total <= 0:
            return None
        return (now - self._stage_began) / steps * (total - done)


class _Worker(QObject):
    reported = Signal(object)
    finished = Signal(object)

    @Slot(object)
    def run(self, job: _Job) -> None:
        began = time.monotonic()
        status, result, error = "done", None, None
        try:
            if job.cancel.is_set():
                status = "cancelled"
            else:
                result = self._work(job)
                status = "cancelled" if getattr(result, "cancelled", False) else "done"
        except BaseException as failure:  # noqa: BLE001 - whatever happens, the job must end in the window
            status, error = "failed", JobError.of(failure)
            if error.details:
                _log.error("job %s failed\n%s", job.id, error.details)
        self.finished.emit(_Outcome(job.id, status, time.monotonic() - began, result, error))

    def _work(self, job: _Job) -> Any:
        progress = JobProgress(job.id, job.cancel, self.reported.emit)
        if job.uses_torch:
            _leave_a_core_for_the_window()
        if job.path is None:
            return job.work(None, progress)
        from gazeapp.engine.project import Project

        with Project.open(job.path) as project:
            return job.work(project, progress)


def _leave_a_core_for_the_window() -> None:
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))


class JobRunner(QObject):
    """Runs jobs one after another in its own thread; lives in the GUI thread.

    ``changed`` carries the :class:`JobState` of a job whenever anything about it changes;
    ``idle`` comes when the last job has ended. Reports of a job that has ended, or that come after
    :meth:`stop`, are dropped.
    """

    changed = Signal(object)
    idle = Signal()
    _start = Signal(object)

    def __init__(self, parent: QObject | None = None, name: str = "verbs") -> None:
        super().__init__(parent)
        self._numbers = count(1)
        self._states: dict[int, JobState] = {}
        self._cancels: dict[int, threading.Event] = {}
        self._stopped = False
        self._thread = QThread(self)
        self._thread.setObjectName(name)
        self._worker: _Worker | None = _Worker()
        self._worker.moveToThread(self._thread)
        self._start.connect(self._worker.run)
        self._worker.reported.connect(self._reported)
        self._worker.finished.connect(self._finished)
        self._thread.start()

    @property
    def jobs(self) -> list[JobState]:
        """All jobs of this window, oldest first."""
        return list(self._states.values())

    @property
    def stopped(self) -> bool:
        """Whether the thread has ended."""
        return self._stopped

    @property
    def busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._cancels)

    @property
    def current(self) -> JobState | None:
        """The job that runs, else the first that waits."""
        return next((s for s in self._states.values() if not s.finished), None)

    def submit(self, title: str, work: Work, path: Path | None, *, uses_torch: bool = False) -> int:
        """Queue a job.

        Parameters
        ----------
        title
            What it does, as the list of jobs shows it.
        work
            Called in the worker thread with (project, progress); its return value becomes the result.
        path
            Project that the worker opens for it; None for work that needs none.
        uses_torch
            Load torch first and leave it one core less than there are, for the window.

        Returns
        -------
        int
            Number of the job.
        """
        if self._stopped:
            raise RuntimeError("the runner has stopped")
        job_id = next(self._numbers)
        cancel = threading.Event()
        self._cancels[job_id] = cancel
        self._put(JobState(job_id, title, path))
        self._start.emit(_Job(job_id, path, work, uses_torch, cancel))
        return job_id

    def cancel(self, job_id: int) -> None:
        """Ask a job to stop after the unit in hand; what it has stored stays."""
        if job_id in self._cancels:
            self._cancels[job_id].set()
            self._put(replace(self._states[job_id], cancelling=True))

    def cancel_all(self) -> None:
        """Ask all jobs to stop."""
        for job_id in list(self._cancels):
            self.cancel(job_id)

    def stop(self) -> None:
        """Cancel everything, wait for the unit in hand and end the thread; never cuts it off."""
        self._stopped = True
        for cancel in self._cancels.values():
            cancel.set()
        self._thread.quit()
        self._thread.wait()
        self._worker = None
        self._cancels.clear()

    @Slot(object)
    def _reported(self, report: _Report) -> None:
        state = self._states.get(report.id)
        if self._stopped or state is None or state.finished:
            return
        self._put(
            replace(
                state,
                status="running",
                done=report.done,
                total=report.total,
                message=report.message,
                seconds=report.seconds,
                seconds_left=report.seconds_left,
            )
        )

    @Slot(object)
    def _finished(self, outcome: _Outcome) -> None:
        state = self._states.get(outcome.id)
        if self._stopped or state is None or state.finished:
            return
        del self._cancels[outcome.id]
        self._put(
            replace(
                state,
                status=outcome.status,
                seconds=outcome.seconds,
                seconds_left=None,
                result=outcome.result,
                error=outcome.error,
            )
        )
        if not self._cancels:
            self.idle.emit()

    def _put(self, state: JobState) -> None:
        self._states[state.id] = state
        self.changed.emit(state)


def duration(seconds: float | None) -> str:
    """Return a time span in words: ``45 s``, ``2 min``, ``1 h 10 min``; empty for None."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "under 1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
