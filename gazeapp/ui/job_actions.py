"""The keys of the jobs: pause and go on, and run again what is left."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from gazeapp.ui.actions import Actions
from gazeapp.ui.worker import JobRunner, JobState

_NOTHING_RUNS = "nothing is running"
_NOTHING_LEFT = "no job has ended with something left to do"


class JobActions(QObject):
    """Connects the actions of jobs with the runner, and explains when they cannot be used."""

    def __init__(self, runner: JobRunner, actions: Actions, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self._actions = actions
        actions.bind("work.pause", self.pause_or_resume)
        actions.bind("work.again", self.run_again)
        runner.changed.connect(self._explain)
        self._explain()

    @Slot()
    def pause_or_resume(self) -> None:
        """Pause the running job, or let it go on."""
        current = self._runner.current
        if current is not None:
            self._runner.pause_or_resume(current.id)

    @Slot()
    def run_again(self) -> None:
        """Run the newest job again that ended with something left."""
        job = self._unfinished()
        if job is not None:
            self._runner.run_again(job.id)

    def _unfinished(self) -> JobState | None:
        """Return the newest job that began and left something; one that was taken out of the queue is not meant."""
        jobs = reversed(self._runner.jobs)
        return next((job for job in jobs if job.has_rest and (job.result or job.error) is not None), None)

    @Slot(object)
    def _explain(self, _state: object = None) -> None:
        current = self._runner.current
        reason = ""
        if current is None or not current.begun:
            reason = _NOTHING_RUNS
        elif not current.can_pause:
            reason = "this job cannot wait in the middle; cancelled, it goes on later where it stopped"
        elif current.cancelling:
            reason = "the job is stopping"
        held = current is not None and current.pausing
        self._actions["work.pause"].setText("Let the paused job go on" if held else "Pause the running job")
        for action_id, why in (
            ("work.pause", reason),
            ("work.again", "" if self._unfinished() else _NOTHING_LEFT),
        ):
            if self._actions.reason(action_id) != why:
                self._actions.set_reason(action_id, why)
