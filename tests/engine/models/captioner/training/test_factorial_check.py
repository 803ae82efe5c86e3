"""A design passes only when nothing but encoder and decoder differs; whatever else does is named."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.training.factorial_check import (
    CONFIG_FIELDS,
    OF_DECODER,
    OF_ENCODER,
    SETTING_FIELDS,
    as_json,
    check_factorial,
    shipped_four,
)
from gazeapp.engine.models.captioner.training.factorial_page import check_text
from gazeapp.engine.models.captioner.training.settings import PLACES_ONLY, TrainSettings

BEGINNING = ("fingerprint", "encoder_weights", "encoder_start", "start_from")
FOUR = [(encoder, decoder) for encoder in ("resnet50", "vit_small") for decoder in ("lstm", "transformer")]
OTHER = {
    "vocabulary": ["<pad>", "<end>", "<general>", "<social>", "a", "cat", "mug"],
    "content_words": ["mug"],
    "tasks": ["social"],
    "form": "sgrvinod",
    "resample": "bicubic",
    "grid": [7, 14],
    "width": 64,
    "heads": 8,
    "encoder_family": "",
    "feed": [1, 1],
    "mean": [1.0, 2.0, 3.0],
    "std": [1.0, 2.0, 3.0],
    "cell_offset": [0.5, 0.5],
    "cell_stride": [16.0, 16.0],
    "encoder_weights": "none",
    "start_from": "/somewhere/else",
}


def changed(name, value):
    """Return another value than ``value`` that a description or a training may have."""
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}x"


def description(encoder, decoder):
    settings = TrainSettings(encoder=encoder, decoder=decoder, data="captions.json", encoder_weights="timm")
    origin = {"source": f"timm/{encoder}", "sha256": f"{encoder}-weights"}
    config = CaptionerConfig(
        *(f"{encoder}-{decoder}", f"{encoder} {decoder}", encoder, decoder),
        vocabulary=("<pad>", "<end>", "<general>", "<social>", "a", "cat", "cup"),
        content_words=("cat", "cup"),
        tasks=("general", "social"),
        encoder_family="vit" if encoder == "vit_small" else "cnn",
        mean=(1.0, 1.0, 1.0) if encoder == "vit_small" else (2.0, 2.0, 2.0),
        training={
            **settings.to_json(),
            "fingerprint": "f00d",
            "origin": origin,
            "seconds": 10 if decoder == "lstm" else 20,
        },
    )
    return config.to_json(), asdict(settings)


@pytest.fixture
def four(tmp_path):
    """Write four descriptions that pass; return their folders and what rewrites one of them."""
    for encoder, decoder in FOUR:
        write(tmp_path / f"{encoder}-{decoder}", *description(encoder, decoder))
    return [tmp_path / f"{encoder}-{decoder}" for encoder, decoder in FOUR]


def write(folder, config, settings=None):
    (folder / "training").mkdir(parents=True, exist_ok=True)
    (folder / "captioner.json").write_text(json.dumps(config))
    if settings is not None:
        (folder / "training" / "settings.json").write_text(json.dumps(settings))


def edit(folder, change):
    """Change a description and the settings beside it."""
    config = json.loads((folder / "captioner.json").read_text())
    path = folder / "training" / "settings.json"
    settings = json.loads(path.read_text())
    change(config, settings)
    write(folder, config, settings)


def test_four_that_share_everything_pass(four):
    check = check_factorial(four)
    assert check.passed
    check.require()
    of_decoders = {"state", "attention", "layers", "heads"}
    assert set(check.differs) == of_decoders | {
        *("encoder", "decoder", "encoder_family", "encoder_start", "mean", "seconds")
    }
    assert check.same["grid"] == "8, 8"
    assert check.same["seed"] == "1"
    assert check.same["encoder_weights"] == "timm"
    assert check.differs["mean"]["resnet50-lstm"] == "2, 2, 2"
    assert check.differs["state"] == {"resnet50-lstm": "192", "vit_small-lstm": "192"}


def test_settings_that_photographs_have_no_use_for_are_left_out(four):
    assert not {"n_scenes", "embed", "domain"} & set(check_factorial(four).same)
    assert check_factorial(shipped_four()).same["n_scenes"]
    assert check_factorial(shipped_four()).notes == ()


def test_an_objective_that_only_lstms_have_is_told_in_a_sentence(four):
    for folder in four:
        edit(folder, lambda config, _: config["training"].update(doubly_stochastic=1.0))
    check = check_factorial(four)
    assert check.passed
    (note,) = check.notes
    assert (
        "the LSTMs also learn to spread attention over a caption (doubly stochastic term, weight 1)" in note
    )
    assert "--set doubly_stochastic=0" in note
    assert "- The training objectives differ: the LSTMs" in check_text(check)
    assert as_json(check)["notes"] == [note]


@pytest.mark.parametrize("name", CONFIG_FIELDS)
@pytest.mark.parametrize("which", [0, 3])
def test_an_entry_that_differs_in_one_is_named(four, name, which):
    folder = four[which]
    decoder = FOUR[which][1]

    def change(config, _settings):
        config[name] = changed(name, config[name])

    if name == "form":  # foreign forms have sizes that gazeapp's own need not have
        for one in four:
            edit(one, lambda config, _: config.update(embed=16, head_width=8, feed=[16, 16]))
    edit(folder, change)
    check = check_factorial(four)
    if any(name in names for other, names in OF_DECODER.items() if other != decoder):
        assert check.passed  # the other kind of decoder has it, this one does not use it
        return
    named(check, name, folder.name)


def named(check, name, label):
    """See that one problem says what differs and which captioner is alone with it."""
    assert not check.passed
    (problem,) = check.problems
    assert problem.startswith(f"{name.replace('_', ' ').capitalize()}: ")
    assert label in problem
    assert name not in check.same
    with pytest.raises(GazeError, match=label):
        check.require()


@pytest.mark.parametrize("name", [*SETTING_FIELDS, "fingerprint"])
def test_a_setting_of_the_training_that_differs_in_one_is_named(four, name):
    which = 2 if name in OF_DECODER["lstm"] else 1

    def change(config, _settings):
        config["training"][name] = changed(name, config["training"][name])

    edit(four[which], change)
    named(check_factorial(four), name, four[which].name)


@pytest.mark.parametrize("name", ["encoder_weights", "start_from"])
def test_what_a_training_began_with_is_compared(four, name):
    edit(four[1], lambda _config, settings: settings.update({name: OTHER[name]}))
    check = check_factorial(four)
    assert not check.passed
    problems = {problem.split(":")[0]: problem for problem in check.problems}
    assert set(problems) == {name.replace("_", " ").capitalize(), "Encoder start"}
    assert all(four[1].name in problem for problem in problems.values())


def test_both_captioners_of_an_encoder_start_from_the_same_weights(four):
    edit(four[1], lambda config, _: config["training"]["origin"].update(sha256="of another release"))
    named(check_factorial(four), "encoder_start", four[1].name)
    edit(four[1], lambda config, _: config["training"].pop("origin"))
    assert check_factorial(four).unchecked == ("resnet50-transformer does not say: encoder start.",)


def test_four_that_went_on_from_four_tell_which(four):
    for folder in four:

        def change(config, settings, name=folder.name):
            settings.update(start_from=f"/before/{name}")
            config["training"]["origin"] = {"source": name, "sha256": "0" * 64}

        edit(folder, change)
    check = check_factorial(four)
    assert check.passed
    assert check.same["start_from"] == "a captioner"
    assert check.differs["gone_on_from"]["vit_small-lstm"] == "vit_small-lstm (SHA-256 000000000000)"


def test_weight_files_of_the_two_encoders_may_have_other_names(four):
    for folder in four:
        weights = f"/weights/{folder.name.split('-')[0]}.safetensors"
        edit(folder, lambda _config, settings, weights=weights: settings.update(encoder_weights=weights))
    check = check_factorial(four)
    assert check.passed
    assert check.same["encoder_weights"] == "a file"


def test_every_field_is_either_compared_or_known_to_be_its_own():
    own = {"id", "name", "encoder", "decoder", "default_method", "revision", "training", "figures"}
    assert {entry.name for entry in fields(CaptionerConfig)} == own | set(CONFIG_FIELDS) | {"dropout"}
    settings = {entry.name for entry in fields(TrainSettings)}
    shared = {entry.name for entry in fields(CaptionerConfig)}
    assert settings - {"encoder", "decoder", "name"} - PLACES_ONLY <= set(SETTING_FIELDS) | shared


@pytest.mark.parametrize("name", sorted(OF_ENCODER & set(CONFIG_FIELDS)))
def test_what_belongs_to_an_encoder_differs_between_encoders_only(four, name):
    for folder in four[2:]:
        edit(folder, lambda config, _: config.update({name: changed(name, config[name])}))
    assert check_factorial(four).passed


def test_what_no_description_says_is_not_passed(four):
    for folder in four:
        edit(folder, lambda config, _: config["training"].pop("seed"))
    check = check_factorial(four)
    assert not check.problems
    assert check.unchecked == ("No description says: seed.",)
    assert not check.passed
    with pytest.raises(GazeError, match="cannot be told: No description says: seed"):
        check.require()


def test_what_one_description_does_not_say_is_told_with_its_name(four):
    edit(four[1], lambda config, _: config["training"].pop("batch"))
    check = check_factorial(four)
    assert check.unchecked == ("resnet50-transformer does not say: batch.",)
    assert not check.passed


def test_captioners_from_elsewhere_leave_their_training_open(four):
    def change(config, _settings):
        config["training"] = {"imported_from": "BEST_checkpoint.pth.tar"}

    for folder in four:
        edit(folder, change)
        (folder / "training" / "settings.json").unlink()
    check = check_factorial(four)
    assert not check.problems
    (text,) = check.unchecked
    assert text.startswith("No description says: ")
    assert set(text.removeprefix("No description says: ").rstrip(".").split(", ")) == {
        name.replace("_", " ") for name in (*SETTING_FIELDS, *BEGINNING)
    }


def test_a_design_is_complete(four):
    missing = check_factorial(four[:3])
    assert "There is no vit_small with transformer." in missing.problems
    assert check_factorial([]).problems == ("There are no captioners.",)
    twice = check_factorial([*four, four[0]])
    assert "There is more than one resnet50 with lstm." in twice.problems
    edit(four[3], lambda config, _: config.update(encoder="swin", encoder_family="vit"))
    three = check_factorial(four)
    assert three.problems[0] == "There are 3 encoders (resnet50, vit_small, swin), not 2."


def test_two_of_one_id_are_told_apart_by_their_folders(four):
    edit(four[1], lambda config, _: config.update(id="resnet50-lstm"))
    edit(four[1], lambda config, _: config["training"].update(seed=2))
    (problem,) = check_factorial(four).problems
    assert str(four[1]) in problem


def test_a_training_that_was_stopped_is_no_captioner_of_the_design(four):
    (four[2] / "training" / "status.json").write_text('{"state": "stopped"}')
    (problem,) = check_factorial(four).problems
    assert problem == "The training of vit_small-lstm is stopped, not finished."
    (four[2] / "training" / "status.json").write_text('{"state": "finished"}')
    assert check_factorial(four).passed


def test_a_folder_without_a_captioner_is_a_sentence(tmp_path):
    with pytest.raises(GazeError, match=r"captioner\.json"):
        check_factorial([tmp_path])
