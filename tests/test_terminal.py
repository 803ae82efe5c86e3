"""What trainings leave in a log, and how they end when a cluster, a terminal or a user asks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gazeapp import terminal
from gazeapp.cli import main
from gazeapp.terminal import TrainingProgress
from tests.test_cli_train import TINY

posix = pytest.mark.skipif(os.name != "posix", reason="these signals are of POSIX systems")


def test_a_log_has_a_line_every_half_minute_and_every_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])
    progress = TrainingProgress(label="cnn-lstm")
    for clock[0], done, message in (
        (0.0, 1, "loss 3"),
        (29.0, 2, "loss 2.5"),
        (31.0, 1000, "loss 2"),
        (32.0, 1000, "cider: 0.5."),
        (61.5, 1001, "loss 1.5"),
        (62.5, 1002, "loss 1"),
    ):
        progress.report(done, 4000, message)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == [
        "1 of 4,000 steps  cnn-lstm · loss 3",
        "1,000 of 4,000 steps  cnn-lstm · loss 2",
        "1,000 of 4,000 steps  cnn-lstm · cider: 0.5.",
        "1,002 of 4,000 steps  cnn-lstm · loss 1",
    ]  # fmt: skip
    TrainingProgress(quiet=True).report(1, 2, "Going on.")
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_written_ends_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object, **_more: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(terminal.click, "echo", full)
    progress = TrainingProgress()
    progress.report(1, 2, "Going on.")
    with progress.watching():
        signal.raise_signal(signal.SIGTERM)
    assert progress.cancelled


@posix
def test_the_signals_of_clusters_ask_once_and_nohup_is_heeded() -> None:
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup themselves
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)}
    for number in before:
        progress = TrainingProgress(quiet=True)
        with progress.watching():
            for _ in range(2):  # whoever asks twice wants no other end than whoever asks once
                signal.raise_signal(number)
            assert progress.cancelled
    assert {number: signal.getsignal(number) for number in before} == before
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with (progress := TrainingProgress(quiet=True)).watching():
            signal.raise_signal(signal.SIGHUP)
            assert not progress.cancelled
    finally:
        signal.signal(signal.SIGHUP, inherited)


def signalled(folder: Path, after: int, number: signal.Signals) -> Result:
    """Train until some step, and send this process a signal then."""
    status = folder / "training" / "status.json"
    default = signal.getsignal(number)

    def send() -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            told = json.loads(status.read_text()) if status.exists() else {}
            if told.get("state") == "running" and told["step"] > after:
                break
            time.sleep(0.05)
        if signal.getsignal(number) == default:
            (
                folder / "training" / "stop"
            ).touch()  # where nothing is done about the signal it would end the tests
        else:
            os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    words = [
        "--encoder",
        "vit",
        "--decoder",
        "lstm",
        "--steps",
        "50000",
        "--batch",
        "2",
        "--scenes",
        "9",
        "-o",
        folder,
    ]
    words += [*TINY, "--set=evaluate_every=0", "--set=checkpoint_every=40000"]
    told = CliRunner().invoke(main, ["train", *map(str, words)])
    sender.join()
    return told


@posix
def test_a_training_that_a_cluster_ends_is_kept_and_goes_on(tmp_path: Path) -> None:
    def read(name: str) -> dict[str, object]:
        return json.loads((tmp_path / "training" / name).read_text())  # type: ignore[no-any-return]

    told = signalled(tmp_path, 0, signal.SIGTERM)
    assert told.exit_code == 1
    assert "SIGTERM: stopping after the step in hand" in told.stderr
    assert "its state is kept. Start it again with the same settings to go on." in told.stderr
    step = read("state.json")["step"]
    assert (read("status.json")["state"], read("status.json")["step"]) == ("stopped", step)
    again = signalled(tmp_path, int(str(step)), signal.SIGUSR1)
    assert f"Going on from step {step:,}." in again.stderr
    assert "SIGUSR1: stopping" in again.stderr
    assert int(str(read("state.json")["step"])) > int(str(step))


@posix
def test_a_launcher_outlives_the_warning_that_time_is_short() -> None:
    from gazeapp.engine.models.captioner.training.several import _outlive_warnings

    code = "import os, signal; os.kill(os.getpid(), signal.SIGUSR1); print('here')"
    done = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=_outlive_warnings, capture_output=True, text=True
    )
    assert done.stdout == "here\n"
