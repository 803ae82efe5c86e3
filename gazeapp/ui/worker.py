"""Work in the background: one worker thread that runs verbs in order, and the runner that owns it."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from PySide6.QtCore import QObject, QThread, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.ui.job_control import JobControl, JobProgress, Report

_log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Any, JobProgress], Any]
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
    """One job as it stands; ``status`` is queued, running, paused, done, failed or cancelled.

    ``seconds`` leaves pauses out; ``seconds_left`` is None while it cannot be told; ``result`` is what the verb
    returned; ``unit`` is what it finishes before it stops or waits; ``can_pause`` and ``can_go_on`` tell whether it
    may be paused, and whether running it again does only what is left.
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
    pausing: bool = False
    result: Any = None
    error: JobError | None = None
    unit: str = "unit"
    can_pause: bool = True
    can_go_on: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ("done", "failed", "cancelled")

    @property
    def begun(self) -> bool:
        """Whether it runs or is paused."""
        return self.status in ("running", "paused")

    @property
    def has_rest(self) -> bool:
        """Whether it ended with something left that running it again would do."""
        some_failed = bool(getattr(self.result, "failed", 0))
        return self.finished and self.can_go_on and (self.status != "done" or some_failed)


@dataclass(frozen=True, slots=True)
class _Job:
    id: int
    path: Path | None
    work: Work
    uses_torch: bool
    control: JobControl


@dataclass(frozen=True, slots=True)
class _Outcome:
    id: int
    status: str
    seconds: float
    result: Any = None
    error: JobError | None = None


class _Worker(QObject):
    reported = Signal(object)
    finished = Signal(object)

    @Slot(object)
    def run(self, job: _Job) -> None:
        if not job.control.claim():
            return  # it was taken out of the queue
        self.reported.emit(Report(job.id))
        progress = JobProgress(job.id, job.control, self.reported.emit)
        status, result, error = "done", None, None
        try:
            result = self._work(job, progress)
            status = "cancelled" if getattr(result, "cancelled", False) else "done"
        except BaseException as failure:  # noqa: BLE001 - whatever happens, the job must end in the window
            status, error = "failed", JobError.of(failure)
            if error.details:
                _log.error("job %s failed\n%s", job.id, error.details)
        self.finished.emit(_Outcome(job.id, status, progress.worked, result, error))

    def _work(self, job: _Job, progress: JobProgress) -> Any:
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
        self._jobs: dict[int, _Job] = {}
        self._controls: dict[int, JobControl] = {}
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
        return bool(self._controls)

    @property
    def current(self) -> JobState | None:
        """The job that runs, else the first that waits."""
        return next((s for s in self._states.values() if not s.finished), None)

    def submit(
        self,
        title: str,
        work: Work,
        path: Path | None,
        *,
        uses_torch: bool = False,
        unit: str = "unit",
        can_pause: bool = True,
        can_go_on: bool = False,
    ) -> int:
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
        unit
            What it finishes before it stops or waits, such as ``word``.
        can_pause
            Whether it may wait in the middle; a download may not, the other side would hang up.
        can_go_on
            Whether running it again does only what is left.

        Returns
        -------
        int
            Number of the job.
        """
        if self._stopped:
            raise RuntimeError("the runner has stopped")
        job_id = next(self._numbers)
        state = JobState(job_id, title, path, unit=unit, can_pause=can_pause, can_go_on=can_go_on)
        self._queue(_Job(job_id, path, work, uses_torch, JobControl()), state)
        return job_id

    def run_again(self, job_id: int) -> int | None:
        """Queue a job anew that ended with something left; return its new number, None when nothing is left."""
        state = self._states.get(job_id)
        if self._stopped or state is None or not state.has_rest:
            return None
        old, new_id = self._jobs.pop(job_id), next(self._numbers)
        self._put(replace(state, can_go_on=False))
        fresh = replace(old, id=new_id, control=JobControl())
        again = JobState(
            new_id, state.title, state.path, unit=state.unit, can_pause=state.can_pause, can_go_on=True
        )
        self._queue(fresh, again)
        return new_id

    def cancel(self, job_id: int) -> None:
        """Take a job that waits out of the queue; ask one that runs to stop. What it has stored stays."""
        control = self._controls.get(job_id)
        if control is None:
            return
        control.cancel()
        if control.claim():
            self._end(job_id, replace(self._states[job_id], status="cancelled"))
        else:
            self._put(replace(self._states[job_id], cancelling=True, pausing=False))

    def cancel_all(self) -> None:
        """Ask all jobs to stop, those that wait first, so that none begins."""
        for job_id in reversed(list(self._controls)):
            self.cancel(job_id)

    def pause(self, job_id: int) -> None:
        """Ask a running job to wait after the unit in hand, until `resume` or `cancel`."""
        state = self._states.get(job_id)
        if state is not None and state.status == "running" and state.can_pause and not state.cancelling:
            self._controls[job_id].pause()
            self._put(replace(state, pausing=True, seconds_left=None))

    def resume(self, job_id: int) -> None:
        """Let a paused job go on."""
        state = self._states.get(job_id)
        if state is not None and state.begun and not state.cancelling:
            self._controls[job_id].resume()
            self._put(replace(state, status="running", pausing=False))

    def pause_or_resume(self, job_id: int) -> None:
        """Pause a job that runs, let one that is paused or about to be go on."""
        state = self._states.get(job_id)
        if state is not None:
            (self.resume if state.pausing else self.pause)(job_id)

    def stop(self) -> None:
        """Cancel everything, wait for the unit in hand and end the thread; never cuts it off."""
        self._stopped = True
        for control in self._controls.values():
            control.cancel()
            control.claim()
        self._thread.quit()
        self._thread.wait()
        self._worker = None
        self._controls.clear()

    @Slot(object)
    def _reported(self, report: Report) -> None:
        state = self._states.get(report.id)
        if self._stopped or state is None or state.finished:
            return
        # A word that the job waits may come when the window has let it go on already.
        paused = report.paused and state.pausing
        self._put(
            replace(
                state,
                status="paused" if paused else "running",
                done=report.done,
                total=report.total,
                message=report.message,
                seconds=report.seconds,
                seconds_left=None if state.pausing else report.seconds_left,
            )
        )

    @Slot(object)
    def _finished(self, outcome: _Outcome) -> None:
        state = self._states.get(outcome.id)
        if self._stopped or state is None or state.finished:
            return
        ended = replace(
            state,
            status=outcome.status,
            seconds=outcome.seconds,
            seconds_left=None,
            pausing=False,
            result=outcome.result,
            error=outcome.error,
        )
        self._end(outcome.id, ended)

    def _queue(self, job: _Job, state: JobState) -> None:
        self._controls[job.id] = job.control
        if state.can_go_on:
            self._jobs[job.id] = job
        self._put(state)
        self._start.emit(job)

    def _end(self, job_id: int, state: JobState) -> None:
        del self._controls[job_id]
        if not state.has_rest:
            self._jobs.pop(job_id, None)
        self._put(state)
        if not self._controls:
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
