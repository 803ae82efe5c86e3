"""Four trainings alike, one after another: what they share, what happens when one fails, and what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.training import factorial as room
from gazeapp.engine.models.captioner.training.factorial import factorial, members_of
from gazeapp.engine.models.captioner.training.factorial_check import Member
from gazeapp.engine.models.captioner.training.factorial_page import effects, factorial_page, flat_figures
from gazeapp.engine.models.captioner.training.factorial_settings import FactorialSettings, read_factorial
from gazeapp.engine.models.captioner.training.lock import alone_in
from gazeapp.engine.models.captioner.training.loop import captioner_id, demo_config, usual_name
from gazeapp.engine.models.captioner.training.settings import TrainSettings

TINY = TrainSettings(steps=2, batch=2, warmup=1, n_scenes=4, n_validation=2, n_test=2)
IDS = ["cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer"]
EXACT = {"cnn-lstm": 0.8, "cnn-transformer": 0.5, "vit-lstm": 0.6, "vit-transformer": 0.4}


class Watching:
    """Progress that keeps what it is told, and is cancelled after some reports."""

    def __init__(self, cancel_after: int = 10**9) -> None:
        self.told: list[tuple[int, int, str]] = []
        self._cancel_after = cancel_after

    @property
    def cancelled(self) -> bool:
        return len(self.told) >= self._cancel_after

    def report(self, done: int, total: int, message: str) -> None:
        self.told.append((done, total, message))


def described(settings: TrainSettings) -> CaptionerConfig:
    name = captioner_id(settings.encoder, settings.decoder)
    return CaptionerConfig(
        *(name, name, settings.encoder, settings.decoder),
        vocabulary=("<pad>", "<end>", "<general>", "cup"),
        content_words=("cup",),
        tasks=("general",),
        default_method="m",
        training={**settings.to_json(), "encoder_weights": settings.encoder_weights},
        figures={
            "exact": {"general": EXACT[name] + 0.01 * settings.seed},
            "n_test": 2,
            "attention": {
                "m": {"objects": {"ratio": 2.0, "n": 3}},
                "other": {"objects": {"ratio": 9.0, "n": 3}},
            },
        },
    )


@pytest.fixture
def trained(monkeypatch):
    """Put something in the place of training that writes a description at once; return what it was asked for."""
    asked: list[TrainSettings] = []

    def train(settings, progress):
        asked.append(settings)
        progress.report(settings.steps, settings.steps, "loss 1")
        if progress.cancelled:
            raise GazeError("Training was cancelled.")
        folder = Path(settings.out)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "captioner.json").write_text(json.dumps(described(settings).to_json()))

    monkeypatch.setattr(room, "train", train)
    return asked


def test_only_encoder_decoder_and_folder_differ(tmp_path):
    shared = replace(TINY, seed=7, rate=0.5)
    four = members_of(FactorialSettings(shared, seeds=(3,), out=str(tmp_path)))
    assert [Path(one.out).name for one in four] == IDS
    assert {replace(one, encoder="", decoder="", out="") for one in four} == {
        replace(shared, encoder="", decoder="", out="", seed=3, name="")
    }


def test_a_name_stands_before_those_of_the_four_and_a_seed_behind(tmp_path):
    settings = FactorialSettings(replace(TINY, name="Lab"), out=str(tmp_path))
    plain = ["CNN-LSTM", "CNN-Transformer", "ViT-LSTM", "ViT-Transformer"]
    assert [one.name for one in members_of(settings)] == [f"Lab {name}" for name in plain]
    two = members_of(replace(settings, seeds=(1, 5)))
    assert [one.name for one in two] == [f"Lab {name} seed {seed}" for seed in (1, 5) for name in plain]


def test_captioners_that_nobody_named_are_told_from_those_that_ship(tmp_path):
    def usual(*, encoder="cnn", **changes):
        config = demo_config(replace(TINY, encoder=encoder, decoder="lstm", **changes))
        return config.name, config.id

    assert usual(out="") == ("CNN-LSTM", "cnn-lstm")
    assert usual(out=str(tmp_path / "mine")) == ("CNN-LSTM mine", "cnn-lstm-mine")
    assert usual(out=str(tmp_path / "four" / "cnn-lstm")) == ("CNN-LSTM four", "cnn-lstm-four")
    seeded = str(tmp_path / "four" / "seed-5" / "cnn-lstm")
    assert usual(out=seeded, seed=5) == ("CNN-LSTM four seed 5", "cnn-lstm-four-seed-5")
    assert usual(out=str(tmp_path / "four"), name="Lab CNN") == ("Lab CNN", "lab-cnn")
    resnet = replace(TINY, encoder="resnet101", decoder="lstm", out=str(tmp_path / "x"))
    assert usual_name(resnet) == "resnet101-LSTM"
    assert usual_name(replace(resnet, out=str(tmp_path / "seed-2" / "a"), seed=2)) == "resnet101-LSTM"
    again = str(tmp_path / "seed-2" / "resnet101-lstm")
    assert usual_name(replace(resnet, out=again, seed=2)) == "resnet101-LSTM seed 2"


def test_photographs_have_the_usual_encoders(tmp_path):
    four = members_of(FactorialSettings(replace(TINY, data="captions.json"), out=str(tmp_path)))
    assert list(dict.fromkeys(one.encoder for one in four)) == ["resnet101", "vit_base_patch16_224"]


def test_each_encoder_has_its_weights_and_each_captioner_its_like_to_go_on_from(tmp_path):
    settings = FactorialSettings(
        replace(TINY, start_from="/before"),
        encoder_weights=("a.safetensors", "b.safetensors"),
        seeds=(1, 2),
        out=str(tmp_path),
    )
    eight = members_of(settings)
    assert {(one.encoder, one.encoder_weights) for one in eight} == {
        ("cnn", "a.safetensors"),
        ("vit", "b.safetensors"),
    }
    assert all(
        Path(one.start_from).relative_to("/before") == Path(one.out).relative_to(tmp_path) for one in eight
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoders": ("cnn", "cnn")}, "two different encoders"),
        ({"encoders": ("cnn",)}, "two different encoders"),
        ({"seeds": (1, 1)}, "named once"),
        ({"seeds": ()}, "at least one"),
        ({"out": ""}, "nowhere"),
        ({"encoder_weights": ("a.pth", "a.pth")}, "one file"),
        ({"shared": replace(TINY, encoder_weights="a.pth")}, "one file"),
    ],
)
def test_what_is_no_design_is_a_sentence(tmp_path, changes, words):
    with pytest.raises(GazeError, match=words):
        members_of(replace(FactorialSettings(TINY, out=str(tmp_path)), **changes))


def test_four_are_trained_one_after_another_and_written_about(tmp_path, trained):
    progress = Watching()
    summary = factorial(FactorialSettings(TINY, out=str(tmp_path)), progress)
    assert summary.passed
    assert [Path(one.out).name for one in trained] == IDS
    assert progress.told == [(2 * (i + 1), 8, f"{name} · loss 1") for i, name in enumerate(IDS)]
    told = json.loads((tmp_path / "factorial.json").read_text())
    (seed,) = told["seeds"]
    assert told["passed"]
    assert [one["id"] for one in seed["captioners"]] == IDS
    assert seed["captioners"][0]["figures"] == {
        "exact, general": pytest.approx(0.81),
        "attention to objects": 2.0,
    }
    assert str(tmp_path) not in (tmp_path / "factorial.json").read_text()
    page = (tmp_path / "FACTORIAL.md").read_text()
    assert "nothing else differs" in page
    assert "another seed gives other differences" in page
    assert str(tmp_path) not in page


def test_one_that_fails_does_not_stop_the_others(tmp_path, trained, monkeypatch):
    well = room.train

    def train(settings, progress):
        if (settings.encoder, settings.decoder) == ("cnn", "transformer"):
            raise RuntimeError("CUDA out of memory")
        if settings.encoder == "vit" and settings.decoder == "lstm":
            raise GazeError("There is no such network.", todo="Name another.")
        return well(settings, progress)

    monkeypatch.setattr(room, "train", train)
    summary = factorial(FactorialSettings(TINY, out=str(tmp_path)), Watching())
    assert not summary.passed
    assert [(one.label, one.what) for one in summary.failures] == [
        ("cnn-transformer", "RuntimeError: CUDA out of memory"),
        ("vit-lstm", "There is no such network."),
    ]
    assert [folder.name for folder in summary.folders[1]] == ["cnn-lstm", "vit-transformer"]
    assert "There is no cnn with transformer and no vit with lstm." in summary.checks[1].problems
    assert "cnn-transformer: RuntimeError: CUDA out of memory" in (tmp_path / "FACTORIAL.md").read_text()


def test_a_training_that_somebody_stopped_stops_the_rest(tmp_path, trained, monkeypatch):
    well = room.train

    def train(settings, progress):
        well(settings, progress)
        if settings.decoder == "transformer":
            notes = Path(settings.out) / "training"
            notes.mkdir()
            (notes / "status.json").write_text('{"state": "stopped"}')
            raise GazeError("Training was cancelled after step 1 of 2; its state is kept.")

    monkeypatch.setattr(room, "train", train)
    summary = factorial(FactorialSettings(TINY, out=str(tmp_path)), Watching())
    assert summary.cancelled
    assert not summary.failures
    assert len(trained) == 2


def test_what_is_planned_is_written_before_the_first_training(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        room, "train", lambda *_: seen.append(json.loads((tmp_path / "factorial.json").read_text()))
    )
    factorial(FactorialSettings(TINY, out=str(tmp_path)), Watching())
    assert [one["folder"] for one in seen[0]["trainings"]] == IDS
    assert not seen[0]["passed"]


def test_several_cards_are_another_processes_work(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(room, "train_on_several", lambda settings, _: asked.append(settings.gpus) or 1)
    summary = factorial(FactorialSettings(replace(TINY, gpus=2), out=str(tmp_path)), Watching())
    assert asked == [2] * 4
    assert [one.what for one in summary.failures] == [
        "The processes of the training ended before it did."
    ] * 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoders": ("cnn", "no_such_network")}, "no_such_network"),
        ({"shared": replace(TINY, batch=3, accumulate=2)}, "3 pictures"),
        ({"shared": replace(TINY, start_from="/nowhere")}, "captioner.s folder is not there"),
        (
            {"encoders": ("resnet10t", "vit"), "encoder_weights": ("/nowhere.safetensors", "none")},
            r"nowhere\.safetensors",
        ),
        (
            {"encoders": ("resnet18.a1_in1k", "resnet18.tv_in1k")},
            "by bicubic and resnet18.tv_in1k by bilinear",
        ),
    ],
)
def test_what_could_not_begin_is_found_before_anything_is_trained(tmp_path, trained, changes, words):
    settings = replace(FactorialSettings(TINY, out=str(tmp_path)), **changes)
    with pytest.raises(GazeError, match=words):
        factorial(settings, Watching())
    assert not trained
    assert not list(tmp_path.iterdir())


def test_a_stop_is_no_failure_and_the_rest_does_not_begin(tmp_path, trained):
    summary = factorial(FactorialSettings(TINY, out=str(tmp_path)), Watching(cancel_after=2))
    assert summary.cancelled
    assert not summary.failures
    assert not summary.passed
    assert len(trained) == 2
    assert [folder.name for folder in summary.folders[1]] == ["cnn-lstm"]


def test_several_seeds_have_folders_and_a_spread(tmp_path, trained):
    summary = factorial(FactorialSettings(TINY, seeds=(1, 2), out=str(tmp_path)), Watching())
    assert summary.passed
    assert sorted(path.name for path in (tmp_path / "seed-2").iterdir()) == IDS
    page = (tmp_path / "FACTORIAL.md").read_text()
    assert "+0.250 ± 0.000 |" in page  # LSTM minus Transformer: (0.3 + 0.2) / 2 with both seeds
    assert "Mean over 2 seeds" in page
    assert "another seed gives other" not in page


def members(exact):
    four = [described(replace(TINY, encoder=name.split("-")[0], decoder=name.split("-")[1])) for name in IDS]
    return [
        Member(Path(name), replace(config, figures={"exact": value}), {}, name)
        for name, config, value in zip(IDS, four, exact, strict=True)
    ]


def test_effects_are_plain_differences():
    found = effects(members([7.0, 4.0, 2.0, 1.0]))
    assert found == {
        "exact": {
            "encoder": pytest.approx((7 + 4) / 2 - (2 + 1) / 2),
            "decoder": pytest.approx((7 + 2) / 2 - (4 + 1) / 2),
            "interaction": pytest.approx((7 - 4) - (2 - 1)),
        }
    }
    assert effects(members([7.0, 4.0, 2.0, 1.0])[:3]) == {}


def test_figures_are_those_of_the_default_map_method():
    config = described(replace(TINY, encoder="cnn", decoder="lstm"))
    assert flat_figures(config) == {"exact, general": pytest.approx(0.81), "attention to objects": 2.0}
    assert flat_figures(
        replace(config, figures={"cider": 0.9, "n_test": 5, "by_task": {"a": {"bleu4": 1}}})
    ) == {
        "cider": 0.9,
        "by task, a, bleu4": 1.0,
    }


def test_figures_have_sensible_digits_and_few_pictures_are_a_warning():
    four = members([0.5, 0.25, 5.1e-10, 12.3456])
    page = factorial_page({1: four}, {})
    row = next(line for line in page.splitlines() if line.startswith("| exact"))
    assert [cell.strip() for cell in row.split("|")[2:-1]] == ["0.500", "0.250", "0.000", "12.35"]
    assert "Only" not in page
    few = [
        replace(one, config=replace(one.config, figures={**one.config.figures, "n_test": 49})) for one in four
    ]
    assert "**Only 49 held-out pictures**" in factorial_page({1: few}, {})


def test_names_do_not_break_the_page():
    (one, *_) = members([1.0, 1.0, 1.0, 1.0])
    odd = replace(one, config=replace(one.config, name="a|b\n# x"))
    page = factorial_page({1: [odd]}, {})
    assert "a\\|b \\# x" in page
    assert "\n# x" not in page


def test_a_second_factorial_in_a_folder_touches_nothing(tmp_path, trained):
    settings = FactorialSettings(TINY, out=str(tmp_path))
    factorial(settings, Watching())
    page = tmp_path / "FACTORIAL.md"
    page.write_text("as the first one wrote it")
    with alone_in(tmp_path), pytest.raises(GazeError, match="A training runs in this folder"):
        factorial(settings, Watching())
    assert page.read_text() == "as the first one wrote it"
    assert len(trained) == 4


def test_a_stop_in_the_folder_of_the_four_stops_them(tmp_path, trained):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "stop").touch()
    summary = factorial(FactorialSettings(TINY, out=str(tmp_path)), Watching())
    assert summary.cancelled
    assert not trained
    assert not (tmp_path / "training" / "stop").exists(), "it is not meant for the next time"


def test_the_settings_are_kept_to_go_on_with_in_a_folder_that_was_moved(tmp_path, trained):
    settings = FactorialSettings(
        replace(TINY, rate=0.5), ("cnn", "vit"), ("none", "none"), (3, 4), str(tmp_path / "one")
    )
    factorial(settings, Watching())
    (tmp_path / "one").rename(tmp_path / "other")
    there = str(tmp_path / "other")
    assert read_factorial(tmp_path / "other") == replace(
        settings, out=there, shared=replace(settings.shared, out=there)
    )
    assert read_factorial(tmp_path) is None


@pytest.mark.parametrize(
    "kept",
    ["[]", "{", '{"shared": {}, "encoders": [1, 2], "encoder_weights": [], "seeds": [1]}',
     '{"shared": {"run": "this"}, "encoders": [], "encoder_weights": [], "seeds": [1]}',
     '{"shared": {}, "encoders": [], "encoder_weights": [], "seeds": ["--data"]}'],
)  # fmt: skip
def test_kept_settings_that_are_none_are_refused(tmp_path, kept):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "factorial.json").write_text(kept)
    with pytest.raises(GazeError, match="settings"):
        read_factorial(tmp_path)


def test_weights_that_are_missing_are_told_of_both_encoders_at_once(tmp_path, trained, monkeypatch):
    def fetch(_encoder, name, _weights):
        raise GazeError(f"The weights of {name} are not on this machine.", todo="Check the network.")

    monkeypatch.setattr(room, "load_encoder_weights", fetch)
    settings = FactorialSettings(
        replace(TINY, data="captions.csv", encoder_weights="timm", input_size=64),
        encoders=("resnet10t", "resnet14t"),
        out=str(tmp_path / "out"),
    )
    with pytest.raises(GazeError) as caught:
        factorial(settings, Watching())
    assert all(f"weights of {name} are not" in caught.value.what for name in ("resnet10t", "resnet14t"))
    assert "--encoder-weights FILE twice, for resnet10t and resnet14t in this order" in caught.value.todo
    assert trained == []
