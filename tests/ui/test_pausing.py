"""Jobs that wait, go on, are taken out of the queue and run again."""

import threading

import pytest
from PySide6.QtCore import QObject, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import Summary, Tally
from gazeapp.ui.job_control import JobControl, JobProgress, Report
from gazeapp.ui.panels.job_line import standing
from gazeapp.ui.panels.jobs import JobsPanel, StatusLine
from gazeapp.ui.worker import JobRunner, JobState


class Steps:
    """Work whose units wait to be let through one by one."""

    def __init__(self, units: int = 4) -> None:
        self.units = units
        self.done = 0
        self.gate = threading.Semaphore(0)
        self.in_hand = threading.Semaphore(0)

    def __call__(self, _project, progress):
        progress.report(0, self.units, "")
        while self.done < self.units and not progress.cancelled:
            self.in_hand.release()
            assert self.gate.acquire(timeout=60)
            self.done += 1
            progress.report(self.done, self.units, f"unit {self.done}")
        return Summary("test", self.done, 0, 0, self.done < self.units, 1.0)

    def wait_for_unit(self) -> None:
        assert self.in_hand.acquire(timeout=60)


class Ends(QObject):
    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self.states: list[JobState] = []
        runner.changed.connect(self.take)

    @Slot(object)
    def take(self, state: JobState) -> None:
        self.states.append(state)


@pytest.fixture
def runner():
    made = JobRunner()
    yield made
    made.stop()


def state(runner, job):
    return next(s for s in runner.jobs if s.id == job)


def paused(qtbot, runner, steps, job):
    """Pause `job` in the middle of a unit, finish that unit, and wait until the pause has taken hold."""
    steps.wait_for_unit()
    qtbot.waitUntil(lambda: state(runner, job).status == "running")
    runner.pause(job)
    assert state(runner, job).status == "running"
    assert "pausing after the word in hand" in standing(state(runner, job))
    steps.gate.release()
    qtbot.waitUntil(lambda: state(runner, job).status == "paused")


def test_a_pause_takes_hold_between_units_and_the_job_goes_on_where_it_was(qtbot, runner):
    steps = Steps()
    job = runner.submit("long", steps, None, unit="word")
    paused(qtbot, runner, steps, job)
    steps.gate.release(10)  # nothing but the pause holds it now
    assert not steps.in_hand.acquire(timeout=0.05)
    assert steps.done == 1
    assert standing(state(runner, job)) == "1/4  ·  paused"
    assert state(runner, job).seconds_left is None
    runner.resume(job)
    qtbot.waitUntil(lambda: not runner.busy)
    assert (state(runner, job).status, steps.done) == ("done", 4)


def test_a_paused_job_can_be_cancelled(qtbot, runner):
    steps = Steps()
    job = runner.submit("long", steps, None, unit="word")
    paused(qtbot, runner, steps, job)
    runner.cancel(job)
    qtbot.waitUntil(lambda: not runner.busy)
    assert (state(runner, job).status, steps.done) == ("cancelled", 1)


def test_a_runner_stops_while_a_job_is_paused(qtbot, runner):
    steps = Steps()
    job = runner.submit("long", steps, None, unit="word")
    paused(qtbot, runner, steps, job)
    runner.stop()
    assert steps.done == 1


def test_resuming_before_the_pause_took_hold_leaves_no_trace(qtbot, runner):
    steps, ends = Steps(), Ends(runner)
    job = runner.submit("long", steps, None)
    steps.wait_for_unit()
    qtbot.waitUntil(lambda: state(runner, job).status == "running")
    runner.pause_or_resume(job)
    runner.pause_or_resume(job)
    runner._reported(Report(job, 1, 4, paused=True))  # a word that comes too late
    assert state(runner, job).status == "running"
    steps.gate.release(10)
    qtbot.waitUntil(lambda: not runner.busy)
    assert "paused" not in {s.status for s in ends.states}
    assert steps.done == 4


def test_what_cannot_wait_is_not_paused(qtbot, runner):
    steps = Steps()
    job = runner.submit("download", steps, None, can_pause=False)
    steps.wait_for_unit()
    qtbot.waitUntil(lambda: state(runner, job).status == "running")
    runner.pause(job)
    assert not state(runner, job).pausing
    steps.gate.release(10)
    qtbot.waitUntil(lambda: not runner.busy)


def test_a_waiting_job_is_gone_at_once_and_the_others_keep_their_turn(qtbot, runner):
    first, second, third = Steps(1), Steps(1), Steps(1)
    jobs = [runner.submit(f"job {n}", work, None) for n, work in enumerate((first, second, third))]
    first.wait_for_unit()
    runner.cancel(jobs[1])
    assert state(runner, jobs[1]).status == "cancelled"
    assert standing(state(runner, jobs[1])) == "taken out before it began"
    for work in (first, second, third):
        work.gate.release()
    qtbot.waitUntil(lambda: not runner.busy)
    assert [work.done for work in (first, second, third)] == [1, 0, 1]


@pytest.mark.parametrize("how", ["cancelled", "failed", "some failed"])
def test_a_job_with_something_left_can_run_again_once(qtbot, runner, how):
    runs = []

    def work(_project, progress):
        runs.append(1)
        if len(runs) > 1:
            return Summary("test", 3, 1, 0, False, 1.0)
        if how == "failed":
            raise GazeError("No.")
        return Summary("test", 1, 0, int(how == "some failed"), how == "cancelled", 1.0)

    job = runner.submit("run", work, None, unit="word", can_go_on=True)
    qtbot.waitUntil(lambda: not runner.busy)
    assert state(runner, job).has_rest
    again = runner.run_again(job)
    qtbot.waitUntil(lambda: not runner.busy)
    assert not state(runner, job).has_rest
    assert (state(runner, again).title, state(runner, again).status) == ("run", "done")
    assert not state(runner, again).has_rest
    assert runner.run_again(job) is None
    assert runner.run_again(again) is None
    assert len(runs) == 2


def test_other_work_is_never_run_twice(qtbot, runner):
    job = runner.submit("import", lambda _p, _q: Summary("test", 0, 0, 3, True, 1.0), None)
    qtbot.waitUntil(lambda: not runner.busy)
    assert runner.run_again(job) is None


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def test_a_pause_counts_neither_as_work_nor_in_the_time_left():
    clock, sent, control = Clock(), [], JobControl()
    progress = JobProgress(1, control, sent.append, clock)
    progress.report(0, 10, "")
    clock.now += 2.0
    progress.report(1, 10, "a")
    control.pause()

    def let_go() -> None:
        clock.now += 500.0
        control.resume()

    timer = threading.Timer(0.02, let_go)
    timer.start()
    assert not progress.cancelled
    timer.join()
    assert [report.paused for report in sent] == [False, False, True, False]
    assert sent[2].seconds_left is None
    clock.now += 2.0
    progress.report(2, 10, "b")
    assert sent[-1].seconds == pytest.approx(4.0)
    assert sent[-1].seconds_left == pytest.approx(16.0)


def test_units_that_were_there_already_do_not_make_the_rest_look_quick():
    clock, sent = Clock(), []
    progress = JobProgress(1, JobControl(), sent.append, clock)
    progress.report(0, 200, "")
    for done in range(1, 101):
        clock.now += 0.0005
        progress.report(done, 200, "skipped")
    clock.now += 10.0
    progress.report(101, 200, "a.png")
    assert sent[-1].seconds_left == pytest.approx(99 * 10.0, rel=0.02)


def test_the_list_and_the_line_pause_and_run_again(qtbot, runner):
    panel, line, steps = JobsPanel(runner), StatusLine(runner), Steps()
    qtbot.addWidget(panel)
    qtbot.addWidget(line)
    job = runner.submit("Running models", steps, None, unit="word", can_go_on=True)
    steps.wait_for_unit()
    qtbot.waitUntil(lambda: state(runner, job).status == "running")
    shown = panel._lines[job]
    assert shown.again.isHidden()
    shown.pause.click()
    steps.gate.release()
    qtbot.waitUntil(lambda: "paused" in line.text)
    assert (shown.pause.text(), line._pause.text()) == ("Resume", "Resume")
    line._pause.click()
    steps.wait_for_unit()
    qtbot.waitUntil(lambda: shown.pause.text() == "Pause")
    shown.cancel.click()
    assert "stopping after the word in hand" in shown.text
    steps.gate.release()
    qtbot.waitUntil(lambda: not runner.busy)
    assert shown.pause.isHidden()
    assert shown.cancel.isHidden()
    shown.again.click()
    steps.gate.release(10)
    qtbot.waitUntil(lambda: not runner.busy)
    assert steps.done == 4
    assert shown.again.isHidden()


def test_keys_pause_and_run_again_in_the_window(open_window, qtbot):
    window, steps = open_window, Steps()
    runner, actions = window.session.runner, window.actions_
    assert actions.reason("work.pause") == "nothing is running"
    assert "something left" in actions.reason("work.again")
    job = runner.submit("Running models", steps, None, can_go_on=True)
    steps.wait_for_unit()
    qtbot.waitUntil(lambda: actions.reason("work.pause") == "")
    actions["work.pause"].trigger()
    steps.gate.release()
    qtbot.waitUntil(lambda: state(runner, job).status == "paused")
    runner.cancel(runner.submit("taken out of the queue", Steps(), None, can_go_on=True))
    assert "something left" in actions.reason("work.again")
    assert "go on" in actions["work.pause"].text()
    actions["work.cancel"].trigger()
    qtbot.waitUntil(lambda: not runner.busy)
    assert actions.reason("work.again") == ""
    steps.gate.release(10)
    actions["work.again"].trigger()
    qtbot.waitUntil(lambda: not runner.busy)
    assert steps.done == 4
    assert actions.reason("work.again") != ""


def test_the_window_closes_while_a_job_is_paused(open_window, qtbot, study):
    window, runner, inside = open_window, open_window.session.runner, threading.Event()

    def work(project, progress):
        tally = Tally(project, "test", progress, 3)
        for number in range(3):
            inside.set()
            if tally.should_stop():
                break
            with tally.unit(f"unit {number}"), project.transaction():
                project.tasks.add(f"task {number}")
        return tally.summary()

    blocker = Steps(1)
    runner.submit("before", blocker, None)
    job = window.session.submit("slow", work)
    blocker.wait_for_unit()
    runner._controls[job].pause()  # before it begins, so that it waits before its first unit
    blocker.gate.release()
    assert inside.wait(60)
    assert not window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    with Project.open(study.path) as project:
        assert not [task for task in project.tasks.all() if task.startswith("task")]
        assert project.integrity_problems() == []
