"""Reading what a training writes: bit by bit, half written, replaced, gone silent."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from gazeapp.ui.panels.training_curves import push_apart, read_at
from gazeapp.ui.panels.training_lines import best_of, smooth
from gazeapp.ui.panels.training_words import details, in_a_few_words, in_a_sentence, pace, span
from gazeapp.ui.training_folder import (
    FAILED,
    FINISHED,
    RUNNING,
    SILENT,
    STOPPED,
    STOPPING,
    WAITING,
    TrainingReader,
    find_trainings,
)


def line(step, loss=2.0, **more):
    return json.dumps({"step": step, "loss": loss, "rate": 1e-3, "seconds": step / 5, **more}) + "\n"


def evaluation(step, cider, best=False):
    return json.dumps({"step": step, "cider": cider, "bleu4": cider / 3, "best": best}) + "\n"


class Fake:
    """A training's folder that is written by hand."""

    def __init__(self, folder):
        self.folder, self.notes = folder, folder / "training"
        self.notes.mkdir(parents=True)
        self.write("settings.json", json.dumps({"encoder": "cnn", "decoder": "lstm", "steps": 1000}))

    def write(self, name, text):
        (self.notes / name).write_text(text)

    def add(self, *lines):
        with (self.notes / "history.jsonl").open("a") as file:
            file.write("".join(lines))

    def status(self, state="running", step=0, pid=None, message="", updated=None):
        told = {"state": state, "step": step, "steps": 1000, "message": message}
        told |= {"pid": os.getpid() if pid is None else pid, "updated": updated or time.time()}
        self.write("status.json", json.dumps(told))

    def long_ago(self, seconds):
        then = time.time() - seconds
        os.utime(self.notes / "history.jsonl", (then, then))


@pytest.fixture
def fake(tmp_path):
    return Fake(tmp_path / "captioner")


def test_history_is_read_as_it_grows_and_a_half_written_line_waits(fake):
    reader = TrainingReader(fake.folder)
    fake.status()
    fake.add(line(20, 3.0), line(40, 2.5), line(60, 2.4)[:15])
    assert reader.read().curve.steps.tolist() == [20, 40]
    fake.add(line(60, 2.4)[15:], evaluation(60, 0.4, best=True), line(80, 2.0))
    training = reader.read()
    assert training.curve.steps.tolist() == [20, 40, 60, 80]
    assert training.curve.losses.tolist() == [3.0, 2.5, 2.4, 2.0]
    assert training.curve.seconds.tolist() == [4, 8, 12, 16]
    assert best_of(training) == (60, "cider", 0.4)
    assert (training.name, training.state, training.step, training.steps) == ("CNN-LSTM", RUNNING, 80, 1000)
    assert reader.read().curve is training.curve  # nothing new, nothing made


def test_a_history_that_was_replaced_or_cut_is_read_anew(fake):
    reader = TrainingReader(fake.folder)
    fake.status()
    fake.add(line(20), line(40), line(60))
    reader.read()
    (fake.notes / "other").write_text(line(10) + line(30) + line(50))  # as long as before, but another file
    (fake.notes / "other").replace(fake.notes / "history.jsonl")
    assert reader.read().curve.steps.tolist() == [10, 30, 50]
    fake.write("history.jsonl", line(20, 9.0))
    assert reader.read().curve.losses.tolist() == [9.0]


def test_steps_that_are_done_again_after_a_kill_take_the_place_of_the_old_ones(fake):
    fake.status()
    fake.add(line(20), line(40), evaluation(40, 0.5), line(60), evaluation(60, 0.7, best=True), line(40, 1.0))
    training = TrainingReader(fake.folder).read()
    assert training.curve.steps.tolist() == [20, 40]
    assert training.curve.losses.tolist() == [2.0, 1.0]
    assert training.evaluations == ()


def test_lines_that_say_nothing_are_left_out(fake):
    fake.status()
    fake.add(
        "no json\n", "[1]\n", '{"step": "x"}\n', '{"loss": 1}\n', line(20), '{"step": 30, "loss": null}\n'
    )
    assert TrainingReader(fake.folder).read().curve.steps.tolist() == [20]


def test_a_half_written_status_leaves_the_one_before(fake):
    reader = TrainingReader(fake.folder)
    fake.status(step=40)
    assert reader.read().step == 40
    fake.write("status.json", '{"state": "run')
    assert (reader.read().step, reader.read().state) == (40, RUNNING)


@pytest.mark.parametrize("state", [STOPPED, FINISHED, FAILED])
def test_how_it_ended_is_taken_from_the_status(fake, state):
    fake.status(state, step=500, message="The card ran out of memory.")
    training = TrainingReader(fake.folder).read()
    assert training.state == state
    assert training.can_go_on == (state != FINISHED)
    assert ("The card ran out of memory." in in_a_sentence(training)) == (state == FAILED)


def test_a_process_that_died_without_a_word_is_seen(fake):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    fake.status(step=300, pid=child.pid)
    fake.add(line(300))
    reader = TrainingReader(fake.folder)
    assert reader.read().state == RUNNING
    child.kill()
    child.wait()
    fake.status(step=300, pid=child.pid, updated=time.time() - 10)
    fake.long_ago(10)
    training = reader.read()
    assert (training.state, training.was_here, training.can_go_on) == (SILENT, True, True)
    assert "ended without a word after step 300" in in_a_sentence(training)


def test_a_process_elsewhere_has_longer_before_it_counts_as_silent(fake):
    nobody = 2**22 + 1  # above what this system gives to processes
    fake.add(line(300))
    for seconds, state in ((60, RUNNING), (600, SILENT)):
        fake.status(step=300, pid=nobody, updated=time.time() - seconds)
        fake.long_ago(seconds)
        training = TrainingReader(fake.folder).read()
        assert training.state == state
    assert "not on this computer" in in_a_sentence(training)


def test_the_number_of_another_process_is_not_taken_for_the_training(fake):
    fake.add(line(300))
    fake.status(step=300, updated=time.time() - 10 * 86_400)  # this very process began later
    fake.long_ago(10 * 86_400)
    assert TrainingReader(fake.folder).read().state == SILENT


def test_a_process_that_was_just_started_speaks_for_a_folder_that_has_old_words(fake):
    fake.status(STOPPED, step=500, updated=time.time() - 100)
    assert TrainingReader(fake.folder).read().state == STOPPED
    training = TrainingReader(fake.folder).read(os.getpid(), time.time())
    assert (training.state, training.message) == (RUNNING, "")
    fake.status("failed", step=500, message="No.", updated=time.time() + 1)
    assert TrainingReader(fake.folder).read(os.getpid(), time.time()).state == FAILED


def test_a_request_to_stop_is_seen(fake):
    fake.status(step=10)
    fake.write("stop", "")
    assert TrainingReader(fake.folder).read().state == STOPPING


def test_what_a_process_wrote_in_need_is_told(fake):
    fake.write("errors.txt", "one\ntwo\nthree\nfour\nfive\nsix\n")
    fake.status(FAILED, step=10, message="It failed.")
    assert details(TrainingReader(fake.folder).read()) == "two\nthree\nfour\nfive\nsix"
    fake.write("errors.txt", "It failed.\n")
    assert details(TrainingReader(fake.folder).read()) == ""


def test_trainings_are_found_in_a_folder_of_four_and_of_seeds(tmp_path):
    Fake(tmp_path / "all" / "cnn-lstm")
    Fake(tmp_path / "all" / "vit-lstm")
    Fake(tmp_path / "all" / "seed-2" / "cnn-lstm")
    (tmp_path / "all" / "pictures").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in find_trainings(tmp_path / "all")]
    assert found == ["all/cnn-lstm", "all/vit-lstm", "all/seed-2/cnn-lstm"]
    assert find_trainings(tmp_path / "all" / "cnn-lstm") == [tmp_path / "all" / "cnn-lstm"]
    assert find_trainings(tmp_path / "nowhere") == []
    assert TrainingReader(tmp_path / "nowhere").read().state == WAITING


def test_pace_and_time_left(fake):
    fake.status(step=500)
    fake.add(*(line(step) for step in range(20, 501, 20)))
    training = TrainingReader(fake.folder).read()
    assert pace(training) == pytest.approx(5.0)
    said = in_a_sentence(training)
    assert said == "Step 500 of 1,000  ·  loss 2.000  ·  5 steps a second  ·  about 2 min left"
    assert in_a_few_words(training) == "running 50 %"
    assert span(3 * 86_400 + 7200) == "3 days 2 h"


def test_the_pace_counts_from_where_the_clock_began_again(fake):
    fake.status(step=60)
    fake.add(line(20, seconds=100), line(40, seconds=200), line(60, seconds=4), line(80, seconds=14))
    assert pace(TrainingReader(fake.folder).read()) == pytest.approx(2.0)


def test_the_running_mean_is_that_of_its_window():
    losses = np.random.default_rng(0).normal(size=400)
    mean = smooth(losses)
    for place in (0, 3, 200, 399):
        window = losses[max(0, place - 5) : place + 6]
        assert mean[place] == pytest.approx(window.mean())
    assert smooth(losses[:30]).tolist() == losses[:30].tolist()


@pytest.mark.parametrize("seed", range(5))
def test_names_are_pushed_apart_inside_their_range(seed):
    places = np.random.default_rng(seed).uniform(0, 60, 4)
    moved = push_apart(places, 15.0, 0.0, 60.0)
    assert np.diff(np.sort(moved)).min() >= 15.0 - 1e-9
    assert moved.min() >= 0
    assert moved.max() <= 60
    assert np.argsort(moved).tolist() == np.argsort(places).tolist()


def test_curves_are_read_at_the_line_that_is_next(fake):
    fake.status()
    fake.add(line(20, 3.0), evaluation(20, 0.3), line(40, 2.0), evaluation(40, 0.6))
    training = TrainingReader(fake.folder).read()
    said = read_at(training, training.curve.losses, 28.0)
    assert said == "CNN-LSTM: step 20 · loss 3.000 (mean 3.000) · rate 0.001 · CIDEr-D 0.300 · BLEU-4 0.100"


HUGE = "1" + "0" * 400


@pytest.mark.parametrize("step", ["Infinity", "NaN", HUGE, "-5", "1e300", "3000000000", "true"])
def test_steps_that_cannot_be_are_left_out(fake, step):
    fake.status(step=40)
    fake.add(line(20), f'{{"step": {step}, "loss": 1}}\n', "[" * 200_000 + "\n", line(40))
    assert TrainingReader(fake.folder).read().curve.steps.tolist() == [20, 40]


@pytest.mark.parametrize("loss", ["Infinity", "-Infinity", "NaN", HUGE, "1e308"])
def test_a_loss_that_is_no_number_leaves_a_gap(fake, loss):
    fake.status(step=40)
    fake.add(line(20), f'{{"step": 30, "loss": {loss}, "cider": {loss}}}\n')
    training = TrainingReader(fake.folder).read()
    assert np.isnan(training.curve.losses).tolist() == [False, True]
    assert "the loss is not a number" in in_a_sentence(training)


@pytest.mark.parametrize(
    "status",
    [
        '{"state": "running", "step": Infinity, "steps": NaN, "pid": 1, "updated": 1e400}',
        f'{{"state": "running", "step": {HUGE}, "steps": {HUGE}, "pid": {HUGE}, "updated": {HUGE}}}',
        '{"state": "running", "step": 1, "steps": 99999999999999, "pid": -1, "updated": -1e300}',
        "[" * 100_000,
    ],
)
def test_an_odd_status_is_told_in_whole_steps_that_can_be(fake, status):
    fake.add(line(20))
    fake.write("status.json", status)
    fake.write("settings.json", "[" * 100_000)
    training = TrainingReader(fake.folder).read()
    assert (training.steps, training.curve.steps.tolist()) == (0, [20])
    assert training.step in (1, 20)


def test_a_history_written_anew_and_longer_into_the_same_file_is_read_from_its_start(fake):
    reader = TrainingReader(fake.folder)
    fake.status()
    fake.add(*(line(step, 1.0) for step in (10, 20, 30)))
    before = reader.read().curve
    fake.write("history.jsonl", "".join(line(step, 9.0) for step in (10, 20, 30, 40, 50)))
    assert reader.read().curve.losses.tolist() == [9.0] * 5
    fake.write("history.jsonl", "".join(line(step, 9.0 + (step == 50)) for step in (10, 20, 30, 40, 50, 60)))
    assert reader.read().curve.losses.tolist() == [9.0] * 4 + [10.0, 9.0]
    assert before.losses.tolist() == [1.0] * 3  # what was handed out stays


def test_what_was_handed_out_stays_when_steps_are_done_again(fake):
    reader = TrainingReader(fake.folder)
    fake.status()
    fake.add(*(line(step, 1.0) for step in range(1, 200)))
    before = reader.read().curve
    fake.add(*(line(step, 2.0) for step in range(100, 300)))
    after = reader.read().curve
    assert before.losses.tolist() == [1.0] * 199
    assert after.steps.tolist() == list(range(1, 300))
    assert after.losses.tolist() == [1.0] * 99 + [2.0] * 200


def test_files_that_were_deleted_are_forgotten(fake):
    reader = TrainingReader(fake.folder)
    fake.status()
    fake.add(line(10))
    reader.read()
    (fake.notes / "history.jsonl").unlink()
    assert reader.read().curve.steps.tolist() == []
    (fake.notes / "status.json").unlink()
    assert reader.read().state == WAITING


def test_one_loss_that_is_no_number_does_not_spoil_the_running_mean():
    losses = np.random.default_rng(0).normal(size=400)
    losses[50] = np.nan
    mean = smooth(losses)
    assert np.isfinite(mean).all()
    for place in (48, 52, 399):
        assert mean[place] == pytest.approx(np.nanmean(losses[max(0, place - 5) : place + 6]))
