"""A training that was stopped or killed goes on to the same weights as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training import checkpoint as room
from gazeapp.engine.models.captioner.training.checkpoint import Checkpoints, Standing
from gazeapp.engine.models.captioner.training.fitting import Keeping, Trained, fit, make_optimiser
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.types import Json
from tests.engine.models.captioner.training.tiny import Pictures, Quiet, history, tiny, tiny_config

LONG = tiny(steps=40, checkpoint_every=3, dropout=0.3, evaluate_every=4)


def rising(model: Captioner) -> Json:
    """Figures that follow from the weights, so that the best depends on all that came before."""
    value = float(model.state_dict()["decoder.embed.weight"].abs().sum()) % 1
    return {"cider": value, "bleu4": 0.0, "validation_loss": 0.0}


def run(folder: Path, settings: TrainSettings = LONG, progress: Quiet | None = None) -> Trained:
    return fit(
        tiny_config(settings),
        Pictures(),
        settings,
        progress or Quiet(),
        judge=rising,
        keeping=Keeping(folder, "data"),
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, run(folder)


def assert_same(done: Trained, other: Trained) -> None:
    assert done.losses == other.losses
    assert done.evaluations == other.evaluations
    theirs = other.model.state_dict()
    assert all(torch.equal(weights, theirs[name]) for name, weights in done.model.state_dict().items())


def status(folder: Path) -> Json:
    found: Json = json.loads((folder / "training" / "status.json").read_text("utf-8"))
    return found


def without_seconds(folder: Path) -> list[Json]:
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in history(folder)]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.engine.models.captioner.training.test_resume import run
from tests.engine.models.captioner.training.tiny import Quiet

class Killed(Quiet):
    def report(self, done, total, message):
        if done == 17:
            os.kill(os.getpid(), signal.SIGKILL)

run(Path(sys.argv[1]), progress=Killed())
"""


def test_a_killed_training_goes_on_to_the_same_weights(
    tmp_path: Path, undisturbed: tuple[Path, Trained]
) -> None:
    """The process is killed from its own inside, between two checkpoints, however fast the machine is."""
    # Torch computes alike with as many threads.
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path.cwd()),
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
    }
    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False)
    assert process.returncode == -signal.SIGKILL
    assert status(tmp_path)["state"] == "running", "it had no time to say anything"
    kept = json.loads((tmp_path / "training" / "state.json").read_text("utf-8"))
    assert kept["step"] == 15
    again = run(tmp_path)
    assert_same(again, undisturbed[1])
    assert without_seconds(tmp_path) == without_seconds(undisturbed[0])


def test_a_stopped_training_keeps_its_state_and_goes_on(
    tmp_path: Path, undisturbed: tuple[Path, Trained]
) -> None:
    with pytest.raises(GazeError, match=r"cancelled after step 7 of 40; its state is kept") as caught:
        run(tmp_path, progress=Quiet(stop_after=7))
    assert "same settings to go on" in caught.value.todo
    assert (status(tmp_path)["state"], status(tmp_path)["step"]) == ("stopped", 7)
    assert_same(run(tmp_path), undisturbed[1])
    assert without_seconds(tmp_path) == without_seconds(undisturbed[0])


class AsksByFile(Quiet):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def report(self, done: int, total: int, message: str) -> None:
        if done == 5:
            (self.folder / "training" / "stop").touch()


def test_a_file_asks_a_training_to_stop(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="cancelled after step 5"):
        run(tmp_path, progress=AsksByFile(tmp_path))
    assert not (tmp_path / "training" / "stop").exists()
    assert status(tmp_path)["state"] == "stopped"


def test_a_training_that_ended_is_not_trained_again(undisturbed: tuple[Path, Trained]) -> None:
    watch = Quiet()
    assert_same(run(undisturbed[0], progress=watch), undisturbed[1])
    assert watch.done == 0


def test_other_settings_or_data_are_refused_by_name(undisturbed: tuple[Path, Trained]) -> None:
    folder = undisturbed[0]
    with pytest.raises(GazeError, match=r"rate was 0\.001 and is to be 0\.5") as caught:
        run(folder, replace(LONG, rate=0.5))
    assert "another folder" in caught.value.todo
    with pytest.raises(GazeError, match="fingerprint was 'data' and is to be 'other'"):
        fit(tiny_config(), Pictures(), LONG, Quiet(), keeping=Keeping(folder, "other"))
    run(folder, replace(LONG, workers=2, checkpoint_every=9))  # places and spreading are no matter


def saved(folder: Path, step: int) -> tuple[Checkpoints, Captioner]:
    torch.manual_seed(step)
    model = Captioner(tiny_config())
    checkpoints = Checkpoints(folder, {"a": 1})
    checkpoints.save(Standing(step=step, losses=[1.0] * step), model, make_optimiser(model, tiny()))
    return checkpoints, model


def loaded(checkpoints: Checkpoints) -> tuple[Standing, Captioner]:
    model = Captioner(tiny_config())
    standing = checkpoints.load(model, make_optimiser(model, tiny()))
    assert standing is not None
    return standing, model


def test_a_kill_between_tensors_and_state_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints, first = saved(tmp_path, 3)
    before = json.dumps

    def killed(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(room.json, "dumps", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(Standing(step=6), Captioner(tiny_config()), make_optimiser(first, tiny()))
    monkeypatch.setattr(room.json, "dumps", before)
    standing, model = loaded(checkpoints)
    assert standing.step == 3
    assert torch.equal(model.state_dict()["decoder.embed.weight"], first.state_dict()["decoder.embed.weight"])
    saved(tmp_path, 9)
    assert [path.name for path in (tmp_path / "training").glob("state-*")] == ["state-9.safetensors"]


def test_a_full_disk_is_a_sentence_and_the_checkpoint_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints, _ = saved(tmp_path, 3)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(GazeError, match="disk is full"):
            saved(tmp_path, 6)
    assert loaded(checkpoints)[0].step == 3


def test_damaged_checkpoints_are_told(tmp_path: Path) -> None:
    checkpoints, _ = saved(tmp_path, 3)
    tensors = tmp_path / "training" / "state-3.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-100])
    with pytest.raises(GazeError, match="checkpoint cannot be read"):
        loaded(checkpoints)
    (tmp_path / "training" / "state.json").write_text("{", "utf-8")
    with pytest.raises(GazeError, match="checkpoint cannot be read"):
        loaded(checkpoints)
