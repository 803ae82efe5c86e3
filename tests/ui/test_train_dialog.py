"""The train dialog: what captions hold, which settings have an effect, why nothing can be trained yet."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from PySide6.QtCore import QLocale
from PySide6.QtGui import QGuiApplication

from gazeapp.cli_train import train_command
from gazeapp.engine.models.captioner.config import read_config
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.training.settings import (
    DEMO_WORLD,
    TrainSettings,
    checked,
    photograph_settings,
)
from gazeapp.engine.resources import resource_path
from gazeapp.ui.dialogs import train_finding
from gazeapp.ui.dialogs.train import TrainDialog, size_in_words, weights_in_words, why_not_here
from gazeapp.ui.dialogs.train_fields import RateField
from gazeapp.ui.dialogs.train_finding import ModelFacts
from gazeapp.ui.training_process import training_words


@pytest.fixture(scope="module")
def captions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captions")
    rows = ["image,caption,task,split"]
    for number in range(12):
        name = f"{number}.png"
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / name)
        split = "test" if number > 9 else "val" if number > 7 else "train"
        rows += [f"{name},a red ball,general,{split}", f"{name},two people play,social,{split}"]
    (folder / "captions.csv").write_text("\n".join([*rows, "gone.png,nothing,general,train"]))
    return folder / "captions.csv"


@pytest.fixture
def dialog(qtbot, lookups, monkeypatch):
    """A dialog whose captioners weigh nothing, so that nothing heavy is loaded."""
    facts = ModelFacts(2_000_000, 1_500_000, 16_000_000)
    monkeypatch.setattr(train_finding, "model_facts", lambda *_: facts)
    made = TrainDialog(None, lookups)
    qtbot.addWidget(made)
    made.budget.fields["batch"].setValue(4)
    return made


def ready(dialog, qtbot, captions, out):
    dialog.take([captions])
    dialog.advanced.fields["min_count"].setValue(1)
    dialog.out.set_path(out)
    qtbot.waitUntil(lambda: dialog.data.found is not None and bool(dialog._facts))


def test_captions_are_read_for_the_preview(dialog, qtbot, captions, tmp_path):
    assert dialog._reason.text() == "Choose the captions to learn from."
    ready(dialog, qtbot, captions, tmp_path / "new")
    found = dialog.data.found
    assert (found.n_pictures, found.n_captions, found.splits) == (12, 24, (8, 2, 2))
    assert found.n_words == 6  # a red ball, two people play
    assert dict(found.tasks) == {"general": 12, "social": 12}
    assert any("gone.png" in note for note in found.notes)
    assert "12 pictures with 24 captions" in dialog.data._says.text()
    assert dialog.accept_button.isEnabled()
    assert "2.0 million weights" in dialog._count.text()


def test_a_task_that_is_not_ticked_is_not_learnt(dialog, qtbot, captions, tmp_path):
    ready(dialog, qtbot, captions, tmp_path / "new")
    assert dialog.choice().values["tasks"] == ()
    dialog.data.tasks["social"].setChecked(False)
    qtbot.waitUntil(lambda: dialog.data.found is not None)
    assert dialog.choice().values["tasks"] == ("general",)
    assert dialog.data.found.n_words == 3
    dialog.data.tasks["general"].setChecked(False)
    assert dialog._reason.text() == "Tick a task."


def test_captions_that_cannot_be_read_say_why(dialog, qtbot, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    dialog.take([bad])
    qtbot.waitUntil(lambda: bool(dialog.data.problem))
    assert dialog._reason.text() == dialog.data.problem
    assert not dialog.accept_button.isEnabled()
    dialog.take([tmp_path / "nowhere.json"])
    assert dialog._reason.text() == "There is nothing at the path of the captions."


def test_what_is_usual_follows_the_data(dialog):
    usual = asdict(photograph_settings())
    values = dialog.choice().values
    assert {name: values[name] for name in ("steps", "grid", "rate", "encoder", "frozen")} == {
        name: usual[name] for name in ("steps", "grid", "rate", "encoder", "frozen")
    }
    dialog.budget.fields["steps"].setValue(77)
    dialog.data.kind.setCurrentIndex(1)
    values = dialog.choice().values
    changed = {name for name, value in asdict(TrainSettings()).items() if values[name] != value}
    assert changed == {"steps", "batch"}  # these alone are the user's
    dialog.budget.lines["steps"].button.click()
    assert dialog.choice().values["steps"] == TrainSettings().steps


def test_what_has_no_effect_is_disabled_with_the_reason(dialog):
    assert not dialog.budget.lines["encoder_rate"].isEnabled()
    assert dialog.budget.lines["encoder_rate"].toolTip() == "The encoder is frozen."
    dialog.model.frozen.setChecked(False)
    assert dialog.budget.lines["encoder_rate"].isEnabled()
    assert not dialog.advanced.lines["heads"].isEnabled()
    dialog.model.what.setCurrentIndex(1)
    assert dialog.advanced.lines["heads"].isEnabled()
    dialog.budget.fields["evaluate_every"].setValue(0)
    assert not dialog.budget.lines["patience"].isEnabled()
    assert dialog.choice().values["patience"] == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("accumulate", 3, "cannot be shared out evenly"),
        ("width", 510, "multiple of 4"),
        ("rate", 0.0, "above 0"),
    ],
)
def test_settings_that_do_not_go_together_say_why(dialog, qtbot, captions, tmp_path, name, value, says):
    ready(dialog, qtbot, captions, tmp_path / "new")
    fields = dialog.budget if name in dialog.budget.fields else dialog.advanced
    fields.fields[name].setValue(value)
    assert says in dialog._reason.text()


def test_a_frozen_encoder_from_chance_is_refused(dialog, qtbot, captions, tmp_path):
    ready(dialog, qtbot, captions, tmp_path / "new")
    dialog.model.weights.setCurrentIndex(2)
    assert "sees nothing" in dialog._reason.text()
    dialog.model.frozen.setChecked(False)
    assert "sees nothing" not in dialog._reason.text()


def test_nothing_is_downloaded_without_consent(dialog, qtbot, captions, tmp_path, monkeypatch):
    away = ModelFacts(2_000_000, 1_500_000, 16_000_000, away=True)
    monkeypatch.setattr(train_finding, "model_facts", lambda *_: away)
    ready(dialog, qtbot, captions, tmp_path / "new")
    assert "may be downloaded" in dialog._reason.text()
    assert "about 6 MB are not on this computer yet" in dialog._count.text()
    dialog.model.download.setChecked(True)
    assert dialog.accept_button.isEnabled()


def test_a_folder_with_a_training_is_not_written_into(tmp_path):
    (tmp_path / "old" / "training").mkdir(parents=True)
    assert why_not_here(tmp_path / "old") == ""  # a training that could not begin
    (tmp_path / "old" / "training" / "settings.json").write_text("{}")
    assert "Watch it" in why_not_here(tmp_path / "old")
    assert why_not_here(tmp_path / "new") == ""
    assert why_not_here(None) == "Choose a folder for the captioner."


def test_a_device_that_is_not_there_is_only_for_the_copied_command(
    dialog, qtbot, captions, tmp_path, monkeypatch
):
    none = ModelFacts(2_000_000, 1_500_000, 16_000_000, no_device="This machine has no device 'cuda'.")
    monkeypatch.setattr(train_finding, "model_facts", lambda *_: none)
    ready(dialog, qtbot, captions, tmp_path / "new")
    assert dialog._reason.text() == "This machine has no device 'cuda'."
    assert not dialog.accept_button.isEnabled()
    assert dialog.copy_button.isEnabled()


def test_no_warm_up_can_be_trained_with(dialog, qtbot, captions, tmp_path):
    ready(dialog, qtbot, captions, tmp_path / "new")
    dialog.advanced.fields["warmup"].setValue(0)
    assert dialog.advanced.fields["warmup"].text() == "none"
    qtbot.waitUntil(dialog.accept_button.isEnabled)
    checked(train_finding.settings_of(dialog.choice().values))


def test_rates_are_numbers_in_every_language(qtbot):
    QLocale.setDefault(QLocale("de_DE"))
    try:
        field = RateField()
        qtbot.addWidget(field)
        for value, text in ((4e-4, "0,0004"), (1e-5, "1e-05")):
            field.setValue(value)
            assert (field.text().lower(), field.value(), field.hasAcceptableInput()) == (text, value, True)
    finally:
        QLocale.setDefault(QLocale.c())


def test_a_captioner_that_is_gone_on_from_keeps_its_weights_and_words():
    """The demo's LSTM captioner is far smaller than what is usual for photographs."""
    folder = Path(resource_path("models", "cnn-lstm"))
    config = read_config(folder)
    settings = photograph_settings(
        encoder="cnn", decoder="lstm", data="captions.csv", start_from=str(folder), encoder_weights="none"
    )
    told = train_finding.model_facts(settings, 10_000)
    known = load_captioner(folder)
    assert (config.width, told.parameters) == (128, sum(weights.numel() for weights in known.parameters()))


def test_the_copied_command_gives_the_settings_that_the_dialog_has(
    dialog, qtbot, captions, tmp_path, monkeypatch
):
    ready(dialog, qtbot, captions, tmp_path / "a new one")
    dialog.advanced.fields["grid"].setValue(7)
    dialog.budget.fields["rate"].setText("2.5e-4")
    dialog.model.frozen.setChecked(False)
    dialog.data.tasks["social"].setChecked(False)
    wanted = dialog.choice()
    given = []
    monkeypatch.setattr(
        "gazeapp.engine.models.captioner.training.settings.checked", lambda s: given.append(s) or 1 / 0
    )
    CliRunner().invoke(train_command, training_words(wanted.command, wanted.values)[1:])
    assert asdict(given[0]) == dict(wanted.values)
    dialog._copy()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("gazeapp train --encoder resnet101 ")
    assert f"'{tmp_path / 'a new one'}'" in copied


def test_the_four_are_a_command_of_their_own(dialog, qtbot):
    dialog.data.kind.setCurrentIndex(1)
    dialog.model.what.setCurrentIndex(1)
    choice = dialog.choice()
    assert (choice.command, choice.encoders, choice.values["data"]) == (
        "factorial",
        ("cnn", "vit"),
        DEMO_WORLD,
    )
    words = training_words(choice.command, {**choice.values, "out": "four"}, choice.encoders)
    assert words[:5] == ["factorial", "--encoder", "cnn", "--encoder", "vit"]
    assert "--decoder" not in words
    assert [each["decoder"] for each in dialog._each()] == ["lstm", "transformer"] * 2


def test_weights_are_counted_as_the_network_has_them():
    from gazeapp.engine.models.captioner.network import Captioner
    from gazeapp.engine.models.captioner.training.loop import demo_config

    settings = TrainSettings()
    network = Captioner(demo_config(settings))
    facts = train_finding.model_facts(settings)
    assert facts.parameters == sum(weights.numel() for weights in network.parameters())
    assert facts.of_encoder == sum(weights.numel() for weights in network.encoder.net.parameters())
    assert facts.bytes == 16 * facts.parameters  # weight, gradient, and Adam's two moments, 4 bytes each


def test_sizes_in_words():
    assert size_in_words(2_400_000_000) == "2.4 GB"
    assert size_in_words(6_000_000) == "6 MB"
    facts = [ModelFacts(1_000_000, 1, 4_000_000), ModelFacts(3_000_000, 1, 9_000_000)]
    assert weights_in_words(facts).startswith("1.0 to 3.0 million weights each")


def test_going_on_from_a_captioner_takes_its_encoder_and_decoder(dialog, qtbot, captions, tmp_path):
    ready(dialog, qtbot, captions, tmp_path / "new")
    shipped = Path(resource_path("models", "vit-transformer"))
    dialog.model.start_from.set_path(shipped)
    values = dialog.choice().values
    assert (values["encoder"], values["decoder"]) == ("vit", "transformer")
    assert (values["start_from"], values["encoder_weights"]) == (str(shipped), "none")
    assert not dialog.model.encoder.isEnabled()
    assert dialog.model.wrong == ""
    (tmp_path / "elsewhere").mkdir()
    config = json.loads((shipped / "captioner.json").read_text())
    theirs = {"form": "sgrvinod", "embed": 128, "head_width": 32, "feed": [256, 256]}
    (tmp_path / "elsewhere" / "captioner.json").write_text(json.dumps({**config, **theirs}))
    dialog.model.start_from.set_path(tmp_path / "elsewhere")
    assert dialog.model.wrong == "Only captioners that gazeapp trained can be trained further."
    dialog.model.start_from.set_path(tmp_path / "nowhere")
    assert dialog.model.wrong == "The folder to go on from holds no captioner."
