"""What every verb shares: progress, cancelling, counting, and one bad item never stopping the batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import ProblemRow, Project
from gazeapp.engine.types import Json


class Progress(Protocol):
    """How a verb tells what it is doing, and learns that it should stop."""

    def report(self, done: int, total: int, message: str) -> None:
        """Say that ``done`` of ``total`` units are finished; ``message`` names the one in hand."""

    @property
    def cancelled(self) -> bool:
        """Whether the user wants the verb to stop after the unit in hand."""


class Silent:
    """Progress that nobody watches."""

    cancelled = False

    def report(self, done: int, total: int, message: str) -> None:
        """Do nothing."""


SILENT: Progress = Silent()


class Stage:
    """Progress of one step of several, shown with its name."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name

    @property
    def cancelled(self) -> bool:
        """Whether the user wants the verb to stop."""
        return self._progress.cancelled

    def report(self, done: int, total: int, message: str) -> None:
        """Say how far the step is."""
        self._progress.report(done, total, f"{self._name} · {message}" if message else self._name)


class WorkClock:
    """Times a unit, leaving out how long a paused job waits where the unit asks whether to stop."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._waited = 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the clock was made, without the pauses."""
        return time.perf_counter() - self._began - self._waited

    def should_stop(self) -> bool:
        """Return whether the user cancelled; while the job is paused, the answer comes when it goes on."""
        asked = time.perf_counter()
        cancelled = self._progress.cancelled
        self._waited += time.perf_counter() - asked
        return cancelled


@dataclass(frozen=True)
class Summary:
    """What a verb did.

    Parameters
    ----------
    verb
        Name of the verb.
    done, skipped, failed
        Units finished now, units that were there already, units that could not be done.
    cancelled
        Whether it was stopped before the end.
    seconds
        Time taken, s.
    problems
        One row for each failed unit, as stored in the project.
    details
        Further facts, JSON-able.
    """

    verb: str
    done: int
    skipped: int
    failed: int
    cancelled: bool
    seconds: float
    problems: tuple[ProblemRow, ...] = ()
    details: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        """Return the summary for scripts."""
        return {
            "verb": self.verb,
            "done": self.done,
            "skipped": self.skipped,
            "failed": self.failed,
            "cancelled": self.cancelled,
            "seconds": round(self.seconds, 3),
            "problems": [{"where": p.where, "what": p.what, "todo": p.todo} for p in self.problems],
            **self.details,
        }


class Tally:
    """Counts the units of one call of a verb, and turns their failures into problems.

    Parameters
    ----------
    project
        Where problems are stored.
    verb
        Name of the verb.
    progress
        Told after each unit.
    total
        Number of units.
    store
        Whether problems are stored in the project; a dry run only tells them.
    """

    def __init__(
        self, project: Project, verb: str, progress: Progress, total: int, store: bool = True
    ) -> None:
        self.done = 0
        self.skipped = 0
        self.failed = 0
        self.cancelled = False
        self.total = total
        self._project = project
        self._verb = verb
        self._store = store
        self._progress = progress
        self._problems: list[ProblemRow] = []
        self._started = time.perf_counter()
        progress.report(0, total, "")

    @property
    def n_told(self) -> int:
        """Units that are counted so far."""
        return self.done + self.skipped + self.failed

    def should_stop(self) -> bool:
        """Return whether the user cancelled; the summary then says so."""
        self.cancelled = self.cancelled or self._progress.cancelled
        return self.cancelled

    def skip(self, message: str = "") -> None:
        """Count a unit that is in the project already."""
        self.skipped += 1
        self._tell(message)

    def problem(self, where: str, what: str, todo: str = "", unit: str = "") -> None:
        """Store a problem that does not make its unit fail."""
        if self._store:
            self._problems.append(self._project.problems.add(self._verb, where, what, todo, unit))
        else:
            self._problems.append(ProblemRow(0, self._verb, where, what, todo, ""))

    def fail(self, where: str, what: str, todo: str = "", unit: str = "") -> None:
        """Count a unit that could not be done, and store why."""
        self.problem(where, what, todo, unit)
        self.count_failure(where)

    def count_failure(self, message: str = "") -> None:
        """Count a unit that could not be done, and whose problem is stored with those of others."""
        self.failed += 1
        self._tell(message)

    @contextmanager
    def unit(self, where: str) -> Iterator[None]:
        """Run one unit: count it when it ends well, store a problem when it does not.

        A full disk or a project that cannot be written ends the verb, because no later unit could
        be stored either; so does a programming error.
        """
        try:
            yield
        except GazeError as error:
            if error.where == str(self._project.path):
                raise
            self.fail(error.where or where, error.what, error.todo, unit=where)
        except MemoryError:
            self.fail(where, "There was not enough memory.", "Close other programs or use smaller images.")
        else:
            if self._store:
                self._project.problems.clear(self._verb, where)
            self.done += 1
            self._tell(where)

    def summary(self, **details: object) -> Summary:
        """Return what was done so far."""
        return Summary(
            verb=self._verb,
            done=self.done,
            skipped=self.skipped,
            failed=self.failed,
            cancelled=self.cancelled,
            seconds=time.perf_counter() - self._started,
            problems=tuple(self._problems),
            details=dict(details),
        )

    def _tell(self, message: str) -> None:
        self._progress.report(self.n_told, self.total, message)
