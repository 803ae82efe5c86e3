"""A runner is asked, watched, cancelled and outlived: with real uv, on scripts that need nothing but Python."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.runners.process import RunnerProcess
from gazeapp.engine.runners.run import run
from gazeapp.engine.runners.script import ConsentNeededError, read_script
from tests.engine.runners import scripts
from tests.engine.runners.conftest import Started


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within the time that the system takes to say so."""
    for _ in range(250):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # ended; nobody has asked for its exit code yet
        except ProcessLookupError:
            return True
        except FileNotFoundError:
            pass  # ended just now, or a system without /proc
        time.sleep(0.02)
    return False


def exchange_folders(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "exchange").iterdir()]


def test_nothing_runs_before_the_user_agrees(tmp_path: Path, consents: ConsentStore) -> None:
    script = read_script(scripts.write(tmp_path, scripts.SERVED))
    process = RunnerProcess(script, consents)
    with pytest.raises(ConsentNeededError) as caught:
        run(process, {"do": "echo"}, tmp_path)
    assert caught.value.script is script
    assert process.pid is None
    assert exchange_folders(tmp_path) == []

    script.agree(consents)
    with process:
        assert run(process, {"do": "echo", "said": "now"}, tmp_path / "out").values["said"] == "now"


def test_a_changed_script_asks_again_and_the_agreed_text_is_what_runs(
    tmp_path: Path, consents: ConsentStore
) -> None:
    path = scripts.write(tmp_path, scripts.SERVED)
    script = read_script(path)
    script.agree(consents)
    path.write_text(scripts.SERVED.replace('"said": request', '"said": "changed" or request'))
    changed = read_script(path)
    assert not changed.agreed(consents)
    with RunnerProcess(changed, consents) as process, pytest.raises(ConsentNeededError):
        run(process, {"do": "echo"}, tmp_path)
    # What was read before the change is what the user agreed to, and what runs.
    with RunnerProcess(script, consents) as process:
        assert run(process, {"do": "echo", "said": "kept"}, tmp_path / "out").values["said"] == "kept"


def test_values_files_and_progress_come_back_and_stray_prints_do_not_disturb(
    agreed: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told: list[tuple[int, int, str]] = []
    process = agreed()
    said = "a “sentence”\nof two lines"
    result = run(
        process,
        {"do": "echo", "said": said},
        tmp_path / "out",
        progress=lambda *step: told.append(step),
    )
    assert result.values["said"] == said
    assert result.values["leaked"] == []
    assert result.values["path"] == str(Path(result.values["file"]).parent)
    assert tmp_path not in Path(result.values["file"]).parents
    assert result.files == (tmp_path / "out" / "made.txt",)
    assert result.files[0].read_text() == "made"
    assert told[0] == (0, 0, "Starting “A test”")
    assert told[-1] == (1, 2, "half")
    assert {"stray print", "stray child"} <= set(process.log)


def test_the_script_stays_for_the_next_request_and_its_folder_does_not_grow(
    agreed: Started, tmp_path: Path
) -> None:
    process = agreed()
    first = run(process, {"do": "echo"}, tmp_path / "out").values
    second = run(process, {"do": "echo"}, tmp_path / "out").values
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"]
    (folder,) = exchange_folders(tmp_path)
    assert list((tmp_path / "exchange" / folder).iterdir()) == []
    process.close()
    assert is_gone(first["pid"])
    assert exchange_folders(tmp_path) == []


def test_the_scripts_own_sentence_is_the_error_and_the_script_lives_on(
    agreed: Started, tmp_path: Path
) -> None:
    process = agreed()
    with pytest.raises(GazeError) as caught:
        run(process, {"do": "fail"}, tmp_path)
    assert caught.value.what == "The picture is too dark."
    assert caught.value.todo == "Use a brighter one."
    with pytest.raises(GazeError, match="ZeroDivisionError: division by zero"):
        run(process, {"do": "trip"}, tmp_path)
    assert run(process, {"do": "echo"}, tmp_path / "out").values["calls"] == 3


def test_memory_that_runs_out_is_told_apart_so_that_a_smaller_image_can_be_tried(
    agreed: Started, tmp_path: Path
) -> None:
    process = agreed()
    with pytest.raises(MemoryError, match=r"97.12 GiB"):
        run(process, {"do": "memory"}, tmp_path)
    assert run(process, {"do": "echo"}, tmp_path / "out").values["calls"] == 2


def test_a_script_that_dies_takes_its_unit_only(agreed: Started, tmp_path: Path) -> None:
    process = agreed()
    with pytest.raises(GazeError, match=r"ended by itself \(exit code 7\)") as caught:
        run(process, {"do": "die"}, tmp_path)
    assert "about to die" in caught.value.todo
    assert exchange_folders(tmp_path) == []
    assert run(process, {"do": "echo"}, tmp_path / "out").values["calls"] == 1


def test_cancelling_ends_the_script_and_what_it_started(agreed: Started, tmp_path: Path) -> None:
    pids: list[int] = []

    def note(done: int, total: int, message: str) -> None:
        if total == 1:
            pids.extend(int(pid) for pid in message.split())

    process = agreed()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        run(process, {"do": "sleep"}, tmp_path, progress=note, should_stop=lambda: len(pids) == 2)
    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)
    assert time.monotonic() - started < 20
    assert exchange_folders(tmp_path) == []
    assert run(process, {"do": "echo"}, tmp_path / "out").values["calls"] == 1


def test_cancelling_while_it_is_installed_leaves_nothing_running(agreed: Started, tmp_path: Path) -> None:
    # A script that never says that it is ready is, to us, one that is still being set up.
    process = agreed(scripts.RUN_HEAD + "import os, time\nprint('pid', os.getpid())\ntime.sleep(600)\n")
    with pytest.raises(StoppedError):
        run(process, {}, tmp_path, should_stop=lambda: any(line.startswith("pid") for line in process.log))
    (pid,) = [int(line.split()[1]) for line in process.log if line.startswith("pid")]
    assert is_gone(pid)
    assert exchange_folders(tmp_path) == []


def test_a_silent_script_is_ended(agreed: Started, tmp_path: Path) -> None:
    process = agreed(silence=0.5)
    with pytest.raises(GazeError, match="no sign of life"):
        run(process, {"do": "sleep"}, tmp_path)
    assert process.pid is None


def test_a_process_that_nobody_holds_ends(agreed: Started, tmp_path: Path, consents: ConsentStore) -> None:
    script = read_script(scripts.write(tmp_path, scripts.SERVED))
    script.agree(consents)
    process = RunnerProcess(script, consents)
    pid = run(process, {"do": "echo"}, tmp_path / "out").values["pid"]
    del process
    assert is_gone(pid)
    assert exchange_folders(tmp_path) == []


def test_work_in_hand_is_given_up_when_gazeapp_is_gone(agreed: Started, tmp_path: Path) -> None:
    # The script's input ends, as it does when the program at its other end dies; nobody signals anything.
    pids: list[int] = []

    def vanish(done: int, total: int, message: str) -> None:
        if total == 1:
            pids.append(int(message.split()[0]))
            stdin = process._running.process.stdin  # type: ignore[union-attr]
            stdin.close()  # type: ignore[union-attr]

    process = agreed()
    with pytest.raises(GazeError, match="ended by itself"):
        run(process, {"do": "sleep"}, tmp_path, progress=vanish)
    assert is_gone(pids[0])


@pytest.mark.parametrize(
    "said",
    [
        '{"gazeapp": "answer", "request": 1',
        '{"gazeapp": "answer", "request": 2}',
        '{"gazeapp": "ready", "protocol": 1, "request": 1}',
    ],
)
def test_an_answer_that_is_none_ends_the_script_with_a_sentence(
    agreed: Started, tmp_path: Path, said: str
) -> None:
    process = agreed(scripts.RAW.format(protocol=1, said=said))
    with pytest.raises(GazeError, match="cannot understand"):
        run(process, {}, tmp_path)
    assert process.pid is None


def test_a_script_of_another_protocol_is_refused(agreed: Started, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="cannot understand"):
        run(agreed(scripts.RAW.format(protocol=2, said="")), {}, tmp_path)


def test_a_script_that_fails_at_its_start_shows_its_last_lines(agreed: Started, tmp_path: Path) -> None:
    process = agreed(scripts.RUN_HEAD + "import surely_not_there\n")
    with pytest.raises(GazeError, match="could not be started") as caught:
        run(process, {}, tmp_path)
    assert "No module named 'surely_not_there'" in caught.value.todo


def test_what_cannot_be_installed_is_said_in_the_installers_words(agreed: Started, tmp_path: Path) -> None:
    text = scripts.HEAD.format(dependencies='"surely-not-there-gazeapp"', actions='["run"]')
    with pytest.raises(GazeError, match="could not be started") as caught:
        run(agreed(text), {}, tmp_path)
    assert "surely-not-there-gazeapp" in caught.value.todo


def test_only_plain_files_of_the_requests_own_folder_are_taken(agreed: Started, tmp_path: Path) -> None:
    process = agreed()
    for files in (["../request-1/request.json"], ["link"], ["missing"], ["/etc/passwd"], "made.txt", [3]):
        with pytest.raises(GazeError, match="cannot be used"):
            run(process, {"do": "files", "files": files}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_uv_the_user_is_told_how_to_get_it(
    agreed: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uv", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GazeError, match="uv, which is not installed here"):
        run(agreed(), {}, tmp_path)
    assert exchange_folders(tmp_path) == []
