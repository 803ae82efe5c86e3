"""One training at a time in a folder, whoever was killed there before; and what is told of one that cannot begin."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.lock import (
    Holder,
    alone_in,
    forget_other_computers,
    holder_of,
    telling_failure,
)
from gazeapp.engine.models.captioner.training.loop import train
from tests.engine.models.captioner.training.tiny import Quiet, tiny

HOLDS = """
import sys, time
from pathlib import Path
from gazeapp.engine.models.captioner.training.lock import alone_in
with alone_in(Path(sys.argv[1])):
    print("holds", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    yield process
    process.kill()
    process.communicate()


def write(folder: Path, holder: Holder) -> Path:
    path = folder / "training" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(holder)))
    return path


def test_a_second_process_is_told_and_a_killed_one_is_taken_over(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    with pytest.raises(GazeError, match=rf"A training runs in this folder \(process {other.pid}\)"):
        train(tiny(out=str(tmp_path)), Quiet())
    assert not (tmp_path / "training" / "status.json").exists(), "the one at work has the word"
    other.kill()
    time.sleep(0.05)  # it is still there as a zombie, whom nobody has waited for
    with alone_in(tmp_path):
        holder = holder_of(tmp_path)
        assert holder is not None
        assert (holder.pid, holder.host) == (os.getpid(), platform.node())
    assert holder_of(tmp_path) is None


def test_the_folder_is_free_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="no"), alone_in(tmp_path):
            raise ValueError("no")
    assert not list(tmp_path.iterdir())


def test_a_number_that_another_process_has_now_holds_nothing(tmp_path: Path) -> None:
    write(tmp_path, Holder(os.getpid(), platform.node(), psutil.Process().create_time() - 3600))
    with alone_in(tmp_path):
        pass
    write(tmp_path, Holder(10**400, platform.node(), 1.0))  # no number that a process can have
    with alone_in(tmp_path):
        pass


def test_another_computers_training_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, Holder(7, "elsewhere", 1.0))
    with pytest.raises(GazeError, match="on the computer elsewhere") as caught, alone_in(tmp_path):
        pass
    assert str(path) in caught.value.todo
    forget_other_computers(tmp_path)
    with alone_in(tmp_path):
        forget_other_computers(tmp_path)
        assert holder_of(tmp_path) is not None, "that of this computer stays"


def test_a_half_written_file_is_waited_for_and_taken_away_when_it_is_old(tmp_path: Path) -> None:
    path = write(tmp_path, Holder(1, "", 0.0))
    path.write_text("")
    with pytest.raises(GazeError, match="being taken by another"), alone_in(tmp_path):
        pass
    then = time.time() - 60
    os.utime(path, (then, then))
    with alone_in(tmp_path):
        pass


def test_an_old_request_to_stop_is_forgotten_and_a_young_one_obeyed(tmp_path: Path) -> None:
    stop = tmp_path / "training" / "stop"
    stop.parent.mkdir()
    stop.touch()
    with alone_in(tmp_path):
        assert stop.exists(), "it came after this process began"
    long_ago = psutil.Process().create_time() - 60
    os.utime(stop, (long_ago, long_ago))
    with alone_in(tmp_path):
        assert not stop.exists()


def test_a_stop_asked_for_while_a_training_starts_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "stop").touch()
    with pytest.raises(GazeError, match="cancelled after step 1 of 6"):
        train(tiny(out=str(tmp_path)), Quiet())
    assert told(tmp_path)["state"] == "stopped"


def told(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "training" / "status.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"precision": "fp16"}, "for graphics cards"),
        ({"encoder": "no_such_net", "data": "demo-world"}, "no_such_net"),
        ({"data": "nowhere.csv"}, "cannot be read"),
    ],
)
def test_why_a_training_could_not_begin_is_told_in_its_folder(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(GazeError, match=sentence) as caught:
        train(replace(tiny(out=str(tmp_path)), **changes), Quiet())  # type: ignore[arg-type]
    status = told(tmp_path)
    assert (status["state"], status["step"], status["message"]) == ("failed", 0, caught.value.what)
    assert not (tmp_path / "training" / "settings.json").exists(), "nothing is there to go on with"


def test_what_ended_well_or_is_another_training_is_left_as_it_is(tmp_path: Path) -> None:
    settings = tiny(out=str(tmp_path))
    notes = tmp_path / "training"
    notes.mkdir()

    def fails(state: str, asked: object) -> str:
        (notes / "status.json").write_text(json.dumps({"state": state, "step": 4, "updated": 5.0}))
        (notes / "settings.json").write_text(json.dumps(asked))
        with pytest.raises(GazeError), telling_failure(settings):
            raise GazeError("The captions are gone.")
        return str(told(tmp_path)["state"])

    assert fails("stopped", asdict(settings)) == "failed"
    assert told(tmp_path)["step"] == 4
    assert fails("finished", asdict(settings)) == "finished"
    assert fails("stopped", asdict(replace(settings, rate=0.5))) == "stopped"
    assert fails("stopped", asdict(replace(settings, out="elsewhere", workers=3))) == "failed"
