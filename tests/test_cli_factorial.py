"""Four captioners trained from the command line on a small set of captions, and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gazeapp.cli import main
from gazeapp.cli_factorial import architecture_command, factorial_command
from gazeapp.engine.models.captioner.training.factorial_check import check_factorial, shipped_four
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from tests.small_captions import small_set

IDS = ["cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer"]
SMALL = (
    "input_size=32",
    "grid=2,2",
    "width=16",
    "state=16",
    "attention=8",
    "layers=1",
    "heads=2",
    "min_count=1",
)
PLAIN = ("warmup=1", "evaluate_every=0", "patience=0", "workers=0")


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Return the words of a command that trains four tiny captioners, without the folder to write to."""
    folder = tmp_path_factory.mktemp("captions")
    captions = small_set(folder / "set")
    options = [word for text in (*SMALL, *PLAIN) for word in ("--set", text)]
    return [
        *(
            "factorial",
            "--data",
            captions.table,
            "--images",
            captions.images,
            "--encoder",
            "cnn",
            "--encoder",
            "vit",
        ),
        *("--encoder-weights", "none", "--fine-tune", "--device", "cpu", "--precision", "no"),
        *("--steps", "2", "--batch", "2", *options),
    ]


@pytest.fixture(scope="module")
def four(command, tmp_path_factory):
    """Train the four; return their folder and what was said."""
    out = tmp_path_factory.mktemp("four") / "out"
    return out, run(*command, "-o", out)


def test_one_command_trains_four_that_differ_in_encoder_and_decoder_alone(four):
    out, result = four
    assert result.exit_code == 0, result.output
    assert "nothing else differs" in result.output
    check = check_factorial([out / name for name in IDS])
    assert check.passed
    shared = {
        "vocabulary",
        "content_words",
        "tasks",
        "fingerprint",
        "grid",
        "input_size",
        "seed",
        "steps",
        "batch",
    }
    assert shared <= set(check.same)
    page = (out / "FACTORIAL.md").read_text()
    assert "| captions, general, bleu4 |" in page
    assert "cnn minus vit" in page


def test_again_trains_nothing_and_says_the_same(four, command):
    out, _ = four
    before = {name: (out / name / "weights.safetensors").stat().st_mtime_ns for name in IDS}
    result = run(*command, "-o", out, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["passed"]
    assert before == {name: (out / name / "weights.safetensors").stat().st_mtime_ns for name in IDS}


def test_check_names_what_was_changed(four, tmp_path):
    out, _ = four
    for name in IDS:
        (tmp_path / name).mkdir()
        description = json.loads((out / name / "captioner.json").read_text())
        if name == "vit-lstm":
            description["training"]["seed"] = 5
        (tmp_path / name / "captioner.json").write_text(json.dumps(description))
    result = run("factorial", "--check", tmp_path)
    assert result.exit_code == 1
    others = "cnn-lstm-out, cnn-transformer-out and vit-transformer-out"
    assert f"Seed: {others} have 1, vit-lstm-out has 5." in result.output
    told = json.loads(run("factorial", "--check", tmp_path, "--json").stdout)
    assert not told["passed"]
    assert len(told["problems"]) == 1
    assert run("factorial", "--check", out).exit_code == 0


def test_the_captioners_that_ship_differ_in_encoder_and_decoder_alone():
    assert check_factorial(shipped_four()).passed


def test_other_settings_in_the_same_folder_fail_for_all_four(four, command):
    out, _ = four
    result = run(*command, "-o", out, "--set", "rate=0.5")
    assert result.exit_code == 1
    for name in IDS:
        assert (
            f"{name}: The folder holds a training with other settings: "
            "encoder_rate was 0.0004 and is to be 0.5; rate was" in result.output
        )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--check", "/nowhere"), 1, "folder is not there"),
        (("somewhere",), 2, "--check"),
        (("--encoder", "cnn", "-o", "x"), 1, "two different encoders"),
        (("--encoder", "cnn", "--encoder", "nonsense", "-o", "x"), 1, "nonsense"),
        (("--seed", "1", "--seed", "1", "-o", "x"), 1, "named once"),
        ((), 1, "nowhere to"),
    ],
)
def test_what_cannot_be_is_a_sentence(words, code, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("factorial", *words)
    assert result.exit_code == code
    assert said in result.output
    assert not list(Path.cwd().iterdir())


def test_every_setting_is_asked_for_as_train_does():
    names = {parameter.name for parameter in factorial_command.params}
    assert {"data", "images", "steps", "batch", "file", "others", "encoders", "seeds", "output"} <= names
    assert "decoder" not in names
    assert TrainSettings.__dataclass_fields__.keys() >= names & {
        "steps",
        "batch",
        "accumulate",
        "precision",
        "gpus",
    }


def test_costs_are_told_of_folders_and_of_those_that_ship(four):
    out, _ = four
    own = CliRunner().invoke(architecture_command, [str(out)])
    assert "| CNN-LSTM out | 32 | 2 x 2 | 16 x 16 | 16 |" in own.output
    assert own.output.count("| ViT-Transformer out |") == 3
