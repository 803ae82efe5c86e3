"""The command that imports captioners: it asks before it reads a pickle, and says what it found."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.registry import available_models
from tests.engine.models.captioner.importing import checkpoints as made
from tests.engine.models.captioner.importing.archives import archive


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("files")
    content = {"encoder": made.encoder(made.resnet()), "decoder": made.lstm_decoder()}
    return made.save(folder / "BEST_checkpoint.pth.tar", content), made.word_map(folder / "WORDMAP.json")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def run(*words: object, answer: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["import-captioner", *map(str, words)], input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_it_asks_first_and_then_says_what_it_found(files: tuple[Path, Path], tmp_path: Path) -> None:
    checkpoint, words = files
    out = tmp_path / "cnn-lstm-coco"
    code, _, told = run(checkpoint, "--words", words, "-o", out, answer="n\n")
    assert code == 1
    assert "knows no instruction that runs anything" in told
    assert "Nothing was read." in told
    assert not out.exists()
    code, told, _ = run(checkpoint, "--words", words, "-o", out, "--domain", "COCO", answer="y\n")
    assert code == 0
    for part in (
        "Inferred:",
        "resnet18",
        "Assumed:",
        "256 x 256 px",
        "Could not be checked:",
        "you say: COCO",
    ):
        assert part in told
    picture = np.asarray(Image.new("RGB", (90, 60), "grey"))
    assert CaptionerModel.load(out).describe(picture, "any").maps.shape[1:] == (14, 14)
    code, told, _ = run(out, "--json")
    assert code == 0
    found = json.loads(told)
    assert (found["id"], found["form"], found["encoder"]) == ("cnn-lstm-coco", "sgrvinod", "resnet18")
    assert any("sums to one" in line for line in found["inferred"])
    assert [model.id for model in available_models()][-1] == "cnn-lstm-coco"


def test_where_nobody_can_be_asked_the_way_to_agree_is_named(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    code, _, told = run(files[0], "--words", files[1], "-o", tmp_path / "out")
    assert code == 1
    assert "agree with --yes" in told
    assert "Aborted" not in told


def test_nobody_is_asked_about_a_file_that_is_not_there(files: tuple[Path, Path], tmp_path: Path) -> None:
    for words in (
        (tmp_path / "none.pth", "--words", files[1]),
        (files[0], "--words", tmp_path / "none.json"),
    ):
        code, _, told = run(*words, "-o", tmp_path / "out", answer="y\n")
        assert code == 1
        assert "it is not there" in told
        assert "Read it?" not in told


def test_a_payload_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.mkdir, (canary,)  # type: ignore[return-value]

    path = archive(tmp_path / "bad.pth.tar", pickle.dumps({"decoder": Payload()}, 2))
    code, told, error = run(path, "--words", files[1], "-o", tmp_path / "out", "--yes")
    assert (code, told) == (1, "")
    assert "not opened: it asks for " in error
    assert not canary.exists()
    assert not (tmp_path / "out").exists()


def test_wrong_usage(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert run(files[0])[0] == 2
    assert run(files[0], "--words", files[1])[0] == 2
    code, _, told = run(tmp_path / "none.pth", "--words", files[1], "-o", tmp_path / "out", "--yes")
    assert code == 1
    assert "cannot be read" in told
    code, _, told = run(tmp_path)
    assert code == 1
    assert "captioner.json" in told
