"""The worker thread: order, cancelling, failing, ending."""

import threading
import time

import pytest
from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.ui.job_control import JobControl, JobProgress, Report
from gazeapp.ui.worker import JobRunner, JobState, _Outcome, duration


class Watcher(QObject):
    """Remembers what a runner tells, and in which thread."""

    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self.states: list[JobState] = []
        self.threads: set[int] = set()
        runner.changed.connect(self.take)

    @Slot(object)
    def take(self, state: JobState) -> None:
        self.states.append(state)
        self.threads.add(threading.get_ident())

    def ends(self) -> dict[int, JobState]:
        return {s.id: s for s in self.states if s.finished}


@pytest.fixture
def runner():
    made = JobRunner()
    yield made
    made.stop()


@pytest.fixture
def watcher(runner):
    return Watcher(runner)


def wait_for(qtbot, watcher, *jobs):
    qtbot.waitUntil(lambda: set(jobs) <= watcher.ends().keys())
    return [watcher.ends()[job] for job in jobs]


def counting(units, pause=0.0, started=None):
    def work(_project, progress):
        done = 0
        for number in range(units):
            if progress.cancelled:
                break
            if started is not None:
                started.set()
            time.sleep(pause)
            done += 1
            progress.report(done, units, f"unit {number}")
        return done

    return work


def test_jobs_run_in_order_in_another_thread_and_report_in_this_one(qtbot, runner, watcher):
    ran = []

    def work(number):
        return lambda _project, _progress: ran.append((number, threading.get_ident())) or number

    jobs = [runner.submit(f"job {n}", work(n), None) for n in range(5)]
    states = wait_for(qtbot, watcher, *jobs)
    assert [s.result for s in states] == [0, 1, 2, 3, 4]
    assert [number for number, _ in ran] == [0, 1, 2, 3, 4]
    assert len({thread for _, thread in ran}) == 1
    assert threading.get_ident() not in {thread for _, thread in ran}
    assert watcher.threads == {threading.get_ident()}
    assert not runner.busy


def test_the_worker_opens_the_project_itself(qtbot, runner, watcher, study):
    job = runner.submit("count", lambda project, _p: (len(project.images.all()), project.path), study.path)
    (state,) = wait_for(qtbot, watcher, job)
    assert state.result == (3, study.path)


def test_a_failure_meant_for_the_user_keeps_its_sentences(qtbot, runner, watcher):
    def work(_project, _progress):
        raise GazeError("The image is cut off.", where="a.png", todo="Copy it again.")

    (state,) = wait_for(qtbot, watcher, runner.submit("bad", work, None))
    assert state.status == "failed"
    assert (state.error.what, state.error.where, state.error.todo) == (
        "The image is cut off.",
        "a.png",
        "Copy it again.",
    )
    assert state.error.details == ""


def test_an_unexpected_failure_ends_the_job_and_not_the_thread(qtbot, runner, watcher):
    bad = runner.submit("bad", lambda _project, _progress: {}["no such key"], None)
    good = runner.submit("good", lambda _project, _progress: 7, None)
    failed, done = wait_for(qtbot, watcher, bad, good)
    assert failed.status == "failed"
    assert "KeyError" in failed.error.details
    assert (done.status, done.result) == ("done", 7)


def test_a_file_that_is_no_project_gives_a_sentence(qtbot, runner, watcher, tmp_path):
    path = tmp_path / "note.gaze"
    path.write_text("hello")
    (state,) = wait_for(qtbot, watcher, runner.submit("open", lambda project, _p: project, path))
    assert "no gazeapp project" in state.error.what


def test_cancel_stops_after_the_unit_in_hand(qtbot, runner, watcher):
    started = threading.Event()
    job = runner.submit("long", counting(10_000, 0.002, started), None)
    assert started.wait(60)
    runner.cancel(job)
    (state,) = wait_for(qtbot, watcher, job)
    assert 0 < state.result < 10_000
    assert any(s.cancelling for s in watcher.states)


def test_a_job_cancelled_while_it_waits_never_starts(qtbot, runner, watcher):
    started, ran = threading.Event(), []
    first = runner.submit("long", counting(10_000, 0.002, started), None)
    second = runner.submit("never", lambda _project, _progress: ran.append(1), None)
    assert started.wait(60)
    runner.cancel(second)
    runner.cancel(first)
    _, never = wait_for(qtbot, watcher, first, second)
    assert never.status == "cancelled"
    assert ran == []


def test_create_run_cancel_stop_many_times(qtbot):
    for number in range(30):
        runner = JobRunner()
        watcher = Watcher(runner)
        started = threading.Event()
        job = runner.submit("long", counting(10_000, 0.001, started), None)
        assert started.wait(60)
        if number % 3 == 0:
            runner.cancel(job)
            wait_for(qtbot, watcher, job)
        runner.stop()
        assert not runner.busy


def test_nothing_comes_after_stop(qtbot, runner, watcher):
    started = threading.Event()
    job = runner.submit("long", counting(10_000, 0.001, started), None)
    assert started.wait(60)
    runner.stop()
    before = len(watcher.states)
    qtbot.wait(50)  # reports queued before the stop arrive now, if they arrive at all
    assert len(watcher.states) == before
    assert job not in watcher.ends()
    with pytest.raises(RuntimeError, match="stopped"):
        runner.submit("late", lambda _project, _progress: 1, None)


def test_late_reports_of_a_finished_job_are_dropped(qtbot, runner, watcher):
    job = runner.submit("quick", lambda _project, _progress: 1, None)
    wait_for(qtbot, watcher, job)
    before = len(watcher.states)
    runner._reported(Report(job, 5, 10, "late", 1.0, None))
    runner._finished(_Outcome(job, "failed", 1.0))
    runner._reported(Report(999, 1, 2, "of nobody", 1.0, None))
    assert len(watcher.states) == before
    assert runner.jobs[-1].status == "done"


def test_stopping_leaves_whole_units_in_the_project(qtbot, runner, tmp_path):
    path = tmp_path / "p.gaze"
    Project.create(path).close()
    started = threading.Event()

    def work(project, progress):
        for number in range(1000):
            if progress.cancelled:
                return
            with project.transaction():
                project.tasks.add(f"first {number}")
                started.set()
                time.sleep(0.002)
                project.tasks.add(f"second {number}")

    runner.submit("writing", work, path)
    assert started.wait(60)
    runner.stop()
    with Project.open(path) as project:
        names = project.tasks.all()
        assert project.integrity_problems() == []
    assert len(names) % 2 == 0
    assert 0 < len(names) < 2000


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_reports_are_thinned_out_and_the_last_one_always_goes_out():
    clock, sent = Clock(), []
    progress = JobProgress(1, JobControl(), sent.append, clock)
    for done in range(1001):
        progress.report(done, 1000, "x")
        clock.now += 0.001
    assert sent[-1].done == 1000
    assert len(sent) == pytest.approx(15, abs=3)


def test_time_left_is_what_the_units_so_far_took():
    clock, sent = Clock(), []
    progress = JobProgress(1, JobControl(), sent.append, clock)
    for done in (0, 1, 2, 3, 4):
        progress.report(done, 10, "x")
        clock.now += 2.0
    assert sent[0].seconds_left is None
    assert sent[-1].seconds_left == pytest.approx(6 * 2.0)
    progress.report(0, 50, "the next stage")
    assert sent[-1].seconds_left is None
    clock.now += 3.0
    progress.report(5, 50, "x")
    assert sent[-1].seconds_left == pytest.approx(45 * 3.0 / 5)


def test_byte_counts_beyond_32_bits_pass(qtbot, runner, watcher):
    job = runner.submit("big", lambda _p, progress: progress.report(2**40, 2**41, "bytes"), None)
    wait_for(qtbot, watcher, job)
    assert any(s.total == 2**41 and s.done == 2**40 for s in watcher.states)


class Emitter(QObject):
    ping = Signal()


def test_this_qt_survives_many_signals():
    """PySide6 6.12 on Python 3.11 drops a reference to True with each emit and then aborts."""
    emitter = Emitter()
    for _ in range(5000):
        emitter.ping.emit()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.2, "under 1 s"),
        (45, "45 s"),
        (150, "2 min"),
        (4300, "1 h 12 min"),
        (3600 * 3, "3 h 0 min"),
    ],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_runner_knows_what_waits(qtbot, runner, watcher):
    started = threading.Event()
    first = runner.submit("first", counting(10_000, 0.002, started), None)
    second = runner.submit("second", counting(1), None)
    assert started.wait(60)
    assert runner.current.id == first
    runner.cancel_all()
    wait_for(qtbot, watcher, first, second)
    assert runner.current is None
