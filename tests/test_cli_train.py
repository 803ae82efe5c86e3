"""`gazeapp train`: words become settings, and what comes out is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gazeapp.cli import main
from gazeapp.cli_train import curve_line
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training import loop, several
from gazeapp.engine.models.captioner.training.settings import (
    TrainSettings,
    photograph_settings,
    settings_from,
)
from gazeapp.engine.models.captioner.training.several import launch_command, train_on_several
from tests.engine.models.captioner.training.tiny import Quiet, tiny
from tests.small_captions import small_set

TINY = [f"--set={name}={value}" for name, value in (
    ("warmup", 1), ("input_size", 32), ("grid", "4,4"), ("width", 16), ("state", 8), ("attention", 8), ("layers", 1),
    ("heads", 2), ("max_words", 12), ("min_count", 1), ("evaluate_every", 2),
)]  # fmt: skip


def gazeapp(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, words)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainSettings]:
    """What a training is asked for, in place of training."""
    found: list[TrainSettings] = []

    def stop(settings: TrainSettings, _progress: object) -> None:
        found.append(settings)
        raise GazeError("That is all.")

    monkeypatch.setattr(loop, "train", stop)
    return found


def test_captions_are_trained_on_and_told_as_curve_table_and_json(tmp_path: Path) -> None:
    small = small_set(tmp_path / "small", n=16)
    words = ["--data", small.karpathy, "--images", small.images, "--encoder", "vit", "--decoder", "lstm"]
    words += ["--preset", "demo", "--steps", "4", "--batch", "2", "-o", tmp_path / "mine", *TINY]
    told = gazeapp(*words)
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[0].startswith("loss ")
    assert "step         2  CIDEr-D 0." in told.output
    assert "MODEL_CARD.md" in told.output
    again = gazeapp(*words, "--json")
    assert json.loads(again.stdout)["figures"]["captions"]["general"]["n"] > 0
    other = gazeapp(*words, "--seed", "2")
    assert other.exit_code == 1
    assert "seed was 1 and is to be 2" in other.output


def test_settings_come_from_preset_file_options_and_set_in_this_order(
    tmp_path: Path, asked: list[TrainSettings]
) -> None:
    captions = tmp_path / "captions.json"
    file = tmp_path / "settings.json"
    file.write_text(
        json.dumps({"data": str(captions), "rate": 1, "batch": 16, "steps": 7, "encoder": "resnet18"})
    )
    gazeapp("--settings", file, "--decoder", "lstm", "-o", tmp_path / "o", "--steps", "9", "--set", "batch=8")
    (settings,) = asked
    expected = photograph_settings(
        data=str(captions),
        rate=1.0,
        batch=8,
        steps=9,
        encoder="resnet18",
        decoder="lstm",
        out=str(tmp_path / "o"),
    )
    assert settings == expected
    gazeapp("--encoder", "cnn", "--decoder", "transformer", "-o", tmp_path, "--task", "general", "--frozen")
    assert asked[1] == TrainSettings(
        decoder="transformer", tasks=("general",), frozen=True, out=str(tmp_path)
    )


@pytest.mark.parametrize(
    ("words", "learns", "rate", "note"),
    [
        (
            ["--encoder", "resnet18", "--encoder-weights", "none"],
            True,
            4e-4,
            "is trained, too, at the rate 0.0004",
        ),
        (["--encoder", "vit", "--set", "rate=0.002"], True, 2e-3, "is trained, too, at the rate 0.002"),
        (["--encoder", "cnn", "--set", "encoder_rate=0.003"], True, 3e-3, "at the rate 0.003"),
        (["--encoder", "cnn", "--frozen"], False, 1e-5, "its random weights stay"),
        (["--encoder", "resnet18"], False, 1e-5, ""),
        (["--encoder", "resnet18", "--fine-tune"], True, 1e-5, ""),
    ],
)
def test_an_encoder_that_starts_from_chance_learns_unless_somebody_says_otherwise(
    words: list[str], learns: bool, rate: float, note: str, tmp_path: Path, asked: list[TrainSettings]
) -> None:
    told = gazeapp("--data", "captions.json", "--decoder", "lstm", "-o", tmp_path, *words)
    (settings,) = asked
    assert (settings.frozen, settings.encoder_rate) == (not learns, rate)
    assert (settings.encoder_weights == "timm") == (not note)
    assert ("starts from chance" in told.stderr) == bool(note)
    assert note in told.stderr


def test_without_evaluations_there_is_no_patience_unless_it_is_asked_for(
    tmp_path: Path, asked: list[TrainSettings]
) -> None:
    words = ["--data", "captions.json", "--encoder", "resnet18", "--decoder", "lstm", "-o", tmp_path]
    gazeapp(*words, "--set", "evaluate_every=0")
    assert (asked[0].evaluate_every, asked[0].patience) == (0, 0)
    told = gazeapp(*words, "--set", "evaluate_every=0", "--set", "patience=3")
    assert len(asked) == 1
    assert "Set evaluate_every, or patience to 0." in told.stderr


def test_a_captioner_to_go_on_from_says_its_encoder_and_decoder(
    tmp_path: Path, asked: list[TrainSettings]
) -> None:
    from gazeapp.engine.resources import resource_path

    gazeapp("--start-from", resource_path("models", "vit-transformer"), "-o", tmp_path)
    assert (asked[0].encoder, asked[0].decoder) == ("vit", "transformer")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--decoder", "lstm"], 2, "Name the encoder"),
        (["--encoder", "cnn", "--decoder", "lstm"], 1, "nowhere to write"),
        (["--encoder", "cnn", "--decoder", "lstm", "--set", "rat=1"], 1, "Did you mean rate?"),
        (["--encoder", "cnn", "--decoder", "lstm", "--set", "rate"], 2, "NAME=VALUE"),
        (["--encoder", "cnn", "--decoder", "lstm", "--set", "rate=fast"], 1, "cannot be 'fast'"),
        (
            ["--encoder", "cnn", "--decoder", "lstm", "--data", "c.json", "--set", "rate=fast"],
            1,
            "rate cannot be",
        ),
        (["--encoder", "cnn", "--decoder", "lstm", "--set", "grid=7"], 1, "grid cannot be"),
        (["--encoder", "cnn", "--decoder", "lstm", "--steps", "0", "-o", "x"], 1, "steps is greater than 0"),
        (["--settings", "nowhere.json"], 1, "cannot be read"),
        (["--decoder", "gru"], 2, "lstm"),
    ],
)
def test_words_that_make_no_sense_are_told_in_a_sentence(words: list[str], code: int, message: str) -> None:
    told = gazeapp(*words)
    assert told.exit_code == code
    assert message in told.output
    assert "Traceback" not in told.output


def test_every_setting_can_be_set_and_keeps_its_kind() -> None:
    base = TrainSettings()
    changed = settings_from(json.loads(json.dumps(base.to_json())), photograph_settings())
    assert changed.to_json() == base.to_json()
    with pytest.raises(GazeError, match="frozen cannot be 1"):
        settings_from({"frozen": 1}, base)
    with pytest.raises(GazeError, match=r"steps cannot be 2\.5"):
        settings_from({"steps": 2.5}, base)


def test_a_curve_is_drawn_between_its_least_and_greatest_value() -> None:
    assert curve_line([0.0, 0.5, 1.0, 0.25]) == "▁▅█▃"
    assert curve_line([2.0, 2.0]) == "▁▁"


def test_several_processes_are_started_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tiny(gpus=2, device="cpu", out=str(tmp_path))
    command = launch_command(settings, tmp_path / "settings.json", as_json=False)
    assert command[command.index("--num_processes") + 1] == "2"
    assert command[-4:] == ["gazeapp", "train", "--settings", str(tmp_path / "settings.json")]
    monkeypatch.setenv("GAZEAPP_TRAINS_TOGETHER", "1")
    with pytest.raises(GazeError, match="did not start 2 processes"):
        train_on_several(settings, Quiet())


def test_processes_are_asked_to_stop_by_file_and_their_word_is_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tiny(gpus=2, device="cpu", out=str(tmp_path))
    notes = tmp_path / "training"
    waits = f"import time, pathlib; p = pathlib.Path({str(notes / 'stop')!r})\nwhile not p.exists(): time.sleep(0.01)"
    monkeypatch.setattr(several, "launch_command", lambda *_: [sys.executable, "-c", waits])
    assert train_on_several(settings, Quiet(stop_after=0)) == 1
    (notes / "status.json").write_text('{"state": "finished"}')
    monkeypatch.setattr(several, "launch_command", lambda *_: [sys.executable, "-c", ""])
    assert train_on_several(settings, Quiet()) == 0
