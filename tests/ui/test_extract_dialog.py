"""The dialog that runs models: what can be chosen, what is asked first, what a trial says, what is queued."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QToolButton

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models import registry
from gazeapp.engine.models.base import Decoding, ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.project.prompts import DEFAULT_PROMPTS, prompt_of, set_prompt
from gazeapp.engine.workflows.base import Summary
from gazeapp.engine.workflows.extract_plan import ExtractSettings
from gazeapp.ui.dialogs.add_model import AddModelDialog, added_models, take_off_list
from gazeapp.ui.dialogs.consent import CodeQuestion, DownloadQuestion
from gazeapp.ui.dialogs.extract import ExtractDialog
from gazeapp.ui.dialogs.extract_trial import estimate_lines
from gazeapp.ui.dialogs.model_offers import AWAY, Found, Offer
from gazeapp.ui.model_jobs import extract_work, in_a_few_words
from gazeapp.ui.study import read_study
from gazeapp.ui.worker import JobRunner
from tests.ui import model_world
from tests.ui.model_world import AWAY_MODEL, CODE, LARGE, ODD, SCRIPT, VLM, download_of, tried
from tests.ui.small_study import add_run, build


def view(path):
    with Project.open(path) as project:
        return read_study(project)


@pytest.fixture
def runners(monkeypatch):
    from gazeapp.ui import worker

    monkeypatch.setattr(worker, "_leave_a_core_for_the_window", lambda: None)  # it loads torch
    made = JobRunner(name="jobs"), JobRunner(name="lookups")
    yield made
    for runner in made:
        runner.stop()


@pytest.fixture
def dialog(qtbot, study, runners, monkeypatch):
    """The dialog, filled in."""
    model_world.install(monkeypatch)
    made = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: VLM.name in made.models and not runners[1].busy)
    return made


def only(dialog, *names):
    for name, box in dialog.models.items():
        box.setChecked(name in names)


def ticked(dialog):
    return [name for name, box in dialog.models.items() if box.isChecked()]


def settings(dialog):
    return [ExtractSettings(**choice) for choice in dialog.choices()]


def test_what_runs_keep_and_their_method_can_be_chosen_beforehand(dialog):
    only(dialog, VLM.name)
    before = settings(dialog)
    dialog.prefer("", "")
    assert settings(dialog) == before
    dialog.prefer("heads", "attention-L7-H2")
    (after,) = settings(dialog)
    assert (after.keep, after.method) == ("heads", "attention-L7-H2")


def test_the_dialog_is_up_before_models_were_looked_for(qtbot, study, runners, monkeypatch):
    model_world.install(monkeypatch)
    gate = threading.Event()
    from gazeapp.ui.dialogs import model_finding

    def slow(_added, _ran):
        assert gate.wait(60)
        return model_world.FOUND

    monkeypatch.setattr(model_finding, "find_offers", slow)
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    assert ticked(dialog) == ["cnn-lstm"]
    assert dialog.accept_button.isEnabled()
    dialog.models["other"].setChecked(True)
    gate.set()
    qtbot.waitUntil(lambda: VLM.name in dialog.models)
    assert ticked(dialog) == ["cnn-lstm", "other"]


def test_models_that_the_study_was_run_with_are_chosen_at_first(qtbot, study, runners, monkeypatch):
    model_world.install(monkeypatch)
    with Project.open(study.path) as project:
        project.runs.put_model(ModelInfo(VLM.id, VLM.title, "vlm"))
        add_run(project, study.images[0], VLM.id, "general", ["red"], project.settings.put("extract", {}))
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: VLM.name in dialog.models)
    assert ticked(dialog) == ["cnn-lstm", VLM.name]
    dialog.models[VLM.name].setChecked(False)
    dialog._find()
    qtbot.waitUntil(lambda: not runners[1].busy)
    assert ticked(dialog) == ["cnn-lstm"]


def test_captioners_are_chosen_at_first_while_no_model_described_anything(
    qtbot, tmp_path, runners, monkeypatch
):
    model_world.install(monkeypatch)
    empty = build(tmp_path / "empty", models=0)
    with Project.open(empty.path) as project:
        row = project.images.get(empty.images[0])
        project.runs.put_model(ModelInfo("saliency", "Saliency", "imported"))
        even = np.full((4, 4), 1 / 16, np.float32)
        project.runs.put_map(row.id, "saliency", "general", "imported", even, row.rect, 1)
    dialog = ExtractDialog(None, view(empty.path), *runners)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: VLM.name in dialog.models)
    assert ticked(dialog) == ["cnn-lstm", "other"]


def test_it_counts_the_maps_and_gives_settings(dialog):
    only(dialog, "cnn-lstm", "other")
    assert "3 images × 2 models × 2 tasks = 12 maps" in dialog.trial.count.text()
    assert dialog.note.isHidden()
    dialog.models["other"].setChecked(False)
    dialog.tasks["social"].setChecked(False)
    assert settings(dialog) == [ExtractSettings(models=("cnn-lstm",), tasks=("general",))]
    dialog.mirrored.setChecked(True)
    assert settings(dialog)[0].mirrored
    assert "3 images and their mirror images × 1 model × 1 task = 6 maps" in dialog.trial.count.text()
    dialog.models["cnn-lstm"].setChecked(False)
    assert "at least one model" in dialog.accept_button.toolTip()


def test_it_says_how_many_maps_are_there_already(qtbot, study, runners, monkeypatch):
    """Runs of these settings count, those of other words, texts and sides do not; the text may be an earlier one."""
    from gazeapp.engine.workflows import extract_plan

    model_world.install(monkeypatch)
    monkeypatch.setattr(extract_plan, "available_models", lambda: model_world.CAPTIONERS)
    vlm = ModelInfo(VLM.id, VLM.title, "vlm", checkpoint="lab/vlm", revision="abc", methods=("attention",))
    monkeypatch.setattr(
        extract_plan, "find_model", lambda name, known: {info.id: info for info in (*known, vlm)}[name]
    )
    with Project.open(study.path) as project:
        project.runs.put_model(vlm)
        chosen = ExtractSettings(("cnn-lstm", VLM.id), ("general", "social"), keep="heads")
        plans = {(p.info.id, p.task): p for p in extract_plan.what_to_run(project, chosen)[3]}
        for key, images in ((("cnn-lstm", "general"), 2), ((VLM.id, "general"), 1), ((VLM.id, "social"), 3)):
            made = project.settings.put("extract", plans[key].values)
            for image in study.images[:images]:
                add_run(project, image, *key, ["red"], made)
        begun = prompt_of(project, "general").text
        set_prompt(project, "general", "What is new?")
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    count = dialog.trial.count
    qtbot.waitUntil(lambda: VLM.name in dialog.models and all(row.is_read for row in dialog.tasks_list.rows))
    dialog.advanced.reset()  # what earlier runs kept does not matter: they have all that is asked for

    def says(words):
        qtbot.waitUntil(lambda: count.text().endswith(words))

    only(dialog, "cnn-lstm")
    says("3 images × 1 model × 2 tasks = 6 maps: 4 new, 2 there already")
    only(dialog, "cnn-lstm", VLM.name)
    says("= 12 maps: 7 new, 5 there already")
    dialog.tasks_list.rows[0].edit.setPlainText(begun)
    says("= 12 maps: 6 new, 6 there already")
    dialog.mirrored.setChecked(True)
    says("= 24 maps: 18 new, 6 there already")
    dialog.advanced.words.setCurrentIndex(1)
    says("= 24 maps: 24 new, 0 there already")
    with Project.open(study.path) as project:
        assert prompt_of(project, "general").text == "What is new?"


def test_what_cannot_be_counted_is_said_to_be_the_most_that_is_new(dialog, qtbot):
    only(dialog, "other")  # listed here, and unknown where models are found
    qtbot.waitUntil(lambda: dialog.trial.count.text().endswith("1 model × 2 tasks = 6 maps: up to 6 new"))


def test_photographs_bring_the_note(qtbot, tmp_path, runners, monkeypatch):
    model_world.install(monkeypatch)
    photos = build(tmp_path / "photos", origin="photograph")
    dialog = ExtractDialog(None, view(photos.path), *runners)
    qtbot.addWidget(dialog)
    assert not dialog.note.isHidden()
    assert "outside what CNN-LSTM was trained on" in dialog.note.text()
    assert dialog.accept_button.isEnabled()


def test_what_a_captioner_of_ones_own_was_trained_on_brings_no_note(qtbot, tmp_path, runners, monkeypatch):
    model_world.install(monkeypatch)
    theirs = [replace(info, domain="COCO Captions") for info in model_world.CAPTIONERS]
    monkeypatch.setattr(registry, "available_models", lambda: theirs)
    dialog = ExtractDialog(None, view(build(tmp_path / "photos", origin="photograph").path), *runners)
    qtbot.addWidget(dialog)
    assert dialog.note.isHidden()


def test_what_cannot_run_says_why_and_what_has_to_come_first_has_a_button(dialog):
    assert dialog.models[VLM.name].isEnabled()
    assert not dialog.models[VLM.name].isChecked()
    for offer, tip in ((LARGE, "900 GB"), (ODD, ""), (AWAY_MODEL, "")):
        assert not dialog.models[offer.name].isEnabled()
        assert tip in dialog.models[offer.name].toolTip()
    assert dialog.list.buttons[AWAY_MODEL.name].text() == "Download 32.0 GB…"
    assert set(dialog.list.buttons) == {AWAY_MODEL.name, ODD.name}


def test_advanced_settings_reach_the_engine(dialog):
    only(dialog, VLM.name)
    advanced = dialog.advanced
    advanced.attention.layers.setCurrentIndex(2)
    advanced.attention.first.setValue(8)
    advanced.attention.last.setValue(15)
    advanced.attention.heads.setText("3, 5")
    advanced.attention.view.setCurrentIndex(1)
    advanced.keep.setCurrentIndex(advanced.keep.findData("heads"))
    advanced.dtype.setCurrentIndex(advanced.dtype.findData("bfloat16"))
    advanced.tokens.setValue(40)
    assert not advanced.seed.isEnabled()
    advanced.temperature.setValue(0.7)
    advanced.top_p.setValue(0.9)
    advanced.seed.setValue(11)
    (made,) = settings(dialog)
    assert made.method == "attention-L8..15-H3+5@overview"
    assert (made.keep, made.dtype, made.four_bit) == ("heads", "bfloat16", False)
    assert made.decoding == Decoding(40, 0.7, 0.9, 11)
    assert not advanced.four_bit.isEnabled()
    assert "graphics card" in advanced.four_bit.toolTip()


def test_the_words_of_the_captions_map_are_named_as_the_engine_chooses_them(dialog):
    words = dialog.advanced.words
    assert (words.currentText(), words.currentData()) == ("All words but grammar words", "content")
    assert "docs/models.md lists them" in words.toolTip().replace("\n", " ")


@pytest.mark.parametrize(
    ("heads", "last", "reason"), [("a", 9, "numbers"), ("3 3", 9, "twice"), ("", 1, "before")]
)
def test_layers_and_heads_that_mean_nothing_are_told(dialog, heads, last, reason):
    only(dialog, VLM.name)
    dialog.advanced.attention.layers.setCurrentIndex(2)
    dialog.advanced.attention.first.setValue(5)
    dialog.advanced.attention.last.setValue(last)
    dialog.advanced.attention.heads.setText(heads)
    assert reason in dialog.accept_button.toolTip()


def test_layers_and_heads_that_a_model_lacks_are_told_before_it_runs(qtbot, study, runners, monkeypatch):
    model_world.install(monkeypatch)
    with Project.open(study.path) as project:
        project.runs.put_model(ModelInfo(LARGE.id, "Huge", "vlm", facts={"layers": [3, 7], "heads": 4}))
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: VLM.name in dialog.models)
    attention = dialog.advanced.attention
    attention.layers.setCurrentIndex(1)
    for name, layer, heads, reason in (
        (VLM.name, 31, "15", ""),  # the catalogue knows 32 layers of 16 heads
        (VLM.name, 32, "", "Its layers are 0 to 31."),
        (VLM.name, 31, "16", "Its heads are 0 to 15."),
        (LARGE.name, 7, "3", ""),  # its layers were seen when it ran
        (LARGE.name, 5, "", "3, 7"),
    ):
        dialog.models[LARGE.name].setEnabled(True)
        only(dialog, name)
        attention.first.setValue(layer)
        attention.heads.setText(heads)
        assert reason in dialog.accept_button.toolTip().replace("\n", " ")
        assert dialog.accept_button.isEnabled() == (not reason)


def test_the_settings_of_the_last_runs_are_chosen_again_and_can_be_taken_back(
    qtbot, study, runners, monkeypatch
):
    model_world.install(monkeypatch)
    before = {
        "method": "attention-L8..15-H3+5@detail",
        "words": "all",
        "decoding": {"max_tokens": 40, "temperature": 0.7, "top_p": 0.9, "seed": 11},
        "dtype": "bfloat16",
        "keep": "layers",
    }
    with Project.open(study.path) as project:
        social = project.tasks.all()[1]
        project.runs.put_model(ModelInfo(VLM.id, VLM.title, "vlm"))
        project.runs.put_model(ModelInfo("runner-bright", "Bright", "runner"))
        for model, values in (
            (VLM.id, {"decoding": {"max_tokens": 7}}),
            (VLM.id, before),
            ("runner-bright", {"decoding": {"max_tokens": 9}, "method": "brightness"}),
            ("cnn-lstm", {"words": "content"}),
        ):
            made = project.settings.put("extract", values)
            add_run(project, study.images[0], model, social, ["red"], made)
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: VLM.name in dialog.models)
    only(dialog, VLM.name)
    (again,) = settings(dialog)
    assert (again.method, again.words, again.keep, again.dtype) == (
        before["method"],
        "all",
        "layers",
        "bfloat16",
    )
    assert again.decoding == Decoding(40, 0.7, 0.9, 11)
    assert dialog.advanced.usual.isEnabled()
    dialog.advanced.usual.click()
    assert settings(dialog) == [ExtractSettings(models=(VLM.name,), tasks=("general", "social"))]
    assert not dialog.advanced.usual.isEnabled()


def test_models_of_different_map_methods_run_one_after_the_other(dialog):
    only(dialog, "other", VLM.name, SCRIPT.name)
    assert [s.models for s in settings(dialog)] == [("other", VLM.name, SCRIPT.name)]
    dialog.advanced.attention.layers.setCurrentIndex(1)
    assert [(s.models, s.method) for s in settings(dialog)] == [
        (("other", SCRIPT.name), ""),
        ((VLM.name,), "attention-L0"),
    ]
    method = dialog.advanced.method
    assert [method.itemData(i) for i in range(method.count())] == ["", "attention", "brightness", "rollout"]
    method.setCurrentIndex(method.findData("rollout"))
    assert "Bright has no map method 'rollout'" in dialog.accept_button.toolTip()


def captions(folder, *rows):
    path = folder / "captions.csv"
    path.write_text("\n".join(["image,caption", *rows]), "utf-8")
    return path


def test_given_captions_are_read_beside_the_window_and_reach_the_engine(
    qtbot, study, runners, monkeypatch, tmp_path
):
    model_world.install(monkeypatch)
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: VLM.name in dialog.models and not runners[1].busy)
    only(dialog, "other")
    names = [image.name for image in view(study.path).images.values()]
    dialog.given.file.set_path(captions(tmp_path, f"{names[0]},a man", f"{names[0]},a dog", "else.png,a cat"))
    assert not dialog.accept_button.isEnabled()
    qtbot.waitUntil(lambda: dialog.given.captions is not None)
    assert dialog.accept_button.isEnabled()
    (made,) = settings(dialog)
    assert made.given.of("general") == {names[0]: "a man", "else.png": "a cat"}
    n_tasks = len(view(study.path).tasks)
    assert "images with a given caption" in dialog.trial.count.text()
    assert f"= {n_tasks} map" in dialog.trial.count.text()
    dialog.given.file.set_path(captions(tmp_path, "no columns at all").with_name("missing.csv"))
    qtbot.waitUntil(lambda: "cannot be read" in dialog.accept_button.toolTip())
    dialog.given.file.line.clear()
    assert dialog.accept_button.isEnabled()
    assert settings(dialog)[0].given is None


def test_beams_are_for_captioners_alone(dialog):
    only(dialog, "other", VLM.name)
    assert [s.decoding for s in settings(dialog)] == [Decoding()] * 2 or len(settings(dialog)) == 1
    assert not dialog.advanced.normalised.isEnabled()
    dialog.advanced.beams.setValue(3)
    dialog.advanced.normalised.setChecked(True)
    found = {s.models: s.decoding for s in settings(dialog)}
    assert found == {("other",): Decoding(beams=3, length_normalised=True), (VLM.name,): Decoding()}
    dialog.advanced.reset()
    assert all(s.decoding == Decoding() for s in settings(dialog))


def test_any_layer_and_heads_of_a_captioner_can_be_written(qtbot, study, runners, monkeypatch):
    model_world.install(monkeypatch)
    info = ModelInfo(
        "cross", "Cross", "captioner", methods=("cross-L1-mean",), facts={"layers": [0, 1], "heads": 4}
    )
    from gazeapp.engine.models import registry

    monkeypatch.setattr(registry, "available_models", lambda: [info])
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    only(dialog, "cross")
    dialog.advanced.method.setEditText("cross-L0-H1+3")
    assert dialog.accept_button.isEnabled()
    assert settings(dialog)[0].method == "cross-L0-H1+3"
    dialog.advanced.offer_methods(["other"])
    assert settings(dialog)[0].method == "cross-L0-H1+3"
    dialog.advanced.method.setEditText("cross-L2-H1")
    assert "has no map method 'cross-L2-H1'" in dialog.accept_button.toolTip()
    dialog.advanced.reset()
    assert settings(dialog)[0].method == ""


def test_prompts_are_edited_in_place_with_all_their_versions(qtbot, study, runners, monkeypatch):
    model_world.install(monkeypatch)
    with Project.open(study.path) as project:
        set_prompt(project, "social", "Who does what?")
    dialog = ExtractDialog(None, view(study.path), *runners)
    qtbot.addWidget(dialog)
    assert dialog.texts == {}  # nothing is known yet, so nothing would be stored
    general, social = dialog.tasks_list.rows
    qtbot.waitUntil(lambda: social.edit.text == "Who does what?")
    assert general.edit.text == DEFAULT_PROMPTS["general"]
    assert not general.versions.isEnabled()
    assert len(social.versions.menu().actions()) == 2
    social.reset.click()
    assert social.edit.text == DEFAULT_PROMPTS["social"]
    assert "An earlier text" in social.note.text()
    social.edit.setPlainText("  What do they do?\n")
    assert "A new text" in social.note.text()
    assert dialog.texts == {"general": DEFAULT_PROMPTS["general"], "social": "What do they do?"}
    social.versions.menu().actions()[1].trigger()
    assert social.edit.text == "Who does what?"
    assert social.note.isHidden()
    social.edit.setPlainText(" ")
    assert "in words" in dialog.accept_button.toolTip()
    social.box.setChecked(False)
    assert dialog.accept_button.isEnabled()


def test_a_task_of_ones_own_needs_a_name_and_a_text(dialog):
    dialog.tasks_list.add_task()
    row = dialog.tasks_list.rows[-1]
    assert "Name the new task" in dialog.accept_button.toolTip()
    row._name.setText("Social")
    assert "same name" in dialog.accept_button.toolTip()
    row._name.setText("objects")
    assert "for the task objects" in dialog.accept_button.toolTip()
    row.edit.setPlainText("List the objects.")
    assert dialog.accept_button.isEnabled()
    assert settings(dialog)[0].tasks == ("general", "social", "objects")
    assert dialog.texts["objects"] == "List the objects."


def trial_says(monkeypatch, models, problems=(), error=None):
    from gazeapp.engine.workflows import trial

    def said(_project, _settings, progress):
        progress.report(0, 0, "loading Qwen3.5 9B")
        if error is not None:
            raise error
        return Summary("trial", len(models), 0, 0, False, 1.0, problems, {"models": models})

    monkeypatch.setattr(trial, "trial", said)


def test_a_trial_says_time_and_memory_until_the_settings_change(dialog, qtbot, monkeypatch):
    only(dialog, VLM.name)
    trial_says(monkeypatch, [tried(VLM.id, units=400)])
    dialog.trial.button.click()
    assert dialog.trial.button.text() == "Stop trying"
    qtbot.waitUntil(lambda: "About" in dialog.trial.estimate.text())
    assert dialog.trial.estimate.text() == (
        "About 3.1 s an image: 400 maps in 21 min; 17.2 GB of memory; 240 MB in the project file"
    )
    assert "a man holds a ball" in dialog.trial.estimate.toolTip()
    assert dialog.trial.button.text() == "Try on one image"
    dialog.advanced.tokens.setValue(30)
    assert dialog.trial.estimate.text() == ""


def test_a_trial_that_fails_says_why_and_can_be_tried_again(dialog, qtbot, monkeypatch):
    only(dialog, VLM.name)
    trial_says(monkeypatch, [], error=GazeError("It does not fit.", todo="Take a smaller one."))
    dialog.trial.button.click()
    qtbot.waitUntil(lambda: "does not fit" in dialog.trial.estimate.text())
    assert "Take a smaller one." in dialog.trial.estimate.text()
    assert dialog.trial.button.isEnabled()


def test_leaving_the_dialog_stops_its_trial(dialog, qtbot, runners, monkeypatch):
    from gazeapp.engine.workflows import trial

    begun = threading.Event()

    def endless(_project, _settings, progress):
        begun.set()
        while not progress.cancelled:
            threading.Event().wait(0.005)
        return Summary("trial", 0, 0, 0, True, 1.0, (), {"models": []})

    monkeypatch.setattr(trial, "trial", endless)
    only(dialog, VLM.name)
    dialog.trial.button.click()
    assert begun.wait(60)
    dialog.reject()
    qtbot.waitUntil(lambda: not runners[0].busy)
    assert runners[0].jobs[-1].status == "cancelled"


def test_the_one_model_with_something_left_is_named_among_several_that_were_chosen():
    (line,) = estimate_lines([tried("a")], {"a": "Model A"}, named=True)
    assert line.startswith("Model A: about 3.1 s an image")


@pytest.mark.parametrize(
    ("found", "on_card", "lines"),
    [
        ([], False, []),
        (
            [tried("a", 1, 0.02)],
            True,
            [
                "About 0.02 s an image: 1 map in 10 s; 17.2 GB on the graphics card; 600 kB in the project file"
            ],
        ),
        (
            [tried("a"), {**tried("b"), "peak_memory_mb": 0}],
            False,
            [
                "Model A: about 3.1 s an image: 4 maps in 22 s; 17.2 GB of memory; 2 MB in the project file",
                "b: about 3.1 s an image: 4 maps in 22 s; 2 MB in the project file",
                "All together: 45 s; 5 MB in the project file.",
            ],
        ),
    ],
)
def test_estimates_in_words(found, on_card, lines):
    assert estimate_lines(found, {"a": "Model A"}, on_card) == lines


def test_code_runs_only_after_a_yes_that_enter_does_not_give(qtbot, dialog, monkeypatch):
    asked = []

    def answer(question):
        asked.append(question)
        assert question.code.count() == 2
        assert question.code.widget(0).toPlainText() == "print('odd')"
        question.show()
        qtbot.keyClick(question, Qt.Key.Key_Return)
        return question.result()

    monkeypatch.setattr(CodeQuestion, "exec", answer)
    dialog.list.buttons[ODD.name].click()
    assert len(asked) == 1
    assert asked[0].result() == QDialog.DialogCode.Rejected
    assert not ConsentStore().given(CODE.kind, CODE.subject, CODE.digest)


def test_a_model_is_ticked_once_its_code_was_agreed_to(qtbot, dialog, monkeypatch):
    from gazeapp.ui.dialogs import model_finding

    def agree(question):
        question.yes.click()
        return question.result()

    monkeypatch.setattr(CodeQuestion, "exec", agree)
    free = Found((VLM, Offer("lab/odd", "lab/odd", "Odd", ODD.group, "vlm", "fits")))
    monkeypatch.setattr(model_finding, "find_offers", lambda _added, _ran: free)
    dialog.list.buttons[ODD.name].click()
    assert ConsentStore().given(CODE.kind, CODE.subject, CODE.digest)
    qtbot.waitUntil(lambda: dialog.models[ODD.name].isEnabled())
    assert dialog.models[ODD.name].isChecked()
    assert ODD.name not in dialog.list.buttons


def test_a_consent_that_cannot_be_stored_is_none(qtbot, monkeypatch):
    def broken(*_args):
        raise GazeError("Your consent cannot be remembered.")

    monkeypatch.setattr(ConsentStore, "give", broken)
    question = CodeQuestion(None, CODE)
    qtbot.addWidget(question)
    question.yes.click()
    assert question.result() == QDialog.DialogCode.Rejected
    assert "cannot be remembered" in question.note.text()


def answers(monkeypatch, result):
    from gazeapp.engine.models.vlm.loading import survey

    def asked(_name):
        if isinstance(result, GazeError):
            raise result
        return result

    monkeypatch.setattr(survey, "survey", asked)


def test_a_download_is_asked_about_once_and_its_model_ticked(qtbot, dialog, runners, monkeypatch, tmp_path):
    from gazeapp.engine.workflows import download
    from gazeapp.ui.dialogs import model_finding

    gate, seen = threading.Event(), []
    answers(monkeypatch, download_of(tmp_path))
    monkeypatch.setattr(DownloadQuestion, "exec", lambda question: seen.append(question) or 1)

    def fetch(_project, asked, progress):
        assert asked.name == AWAY_MODEL.name
        progress.report(1, 4, "MB")
        assert gate.wait(60)
        return Summary("download", 1, 0, 0, False, 1.0)

    monkeypatch.setattr(download, "download", fetch)
    dialog.list.buttons[AWAY_MODEL.name].click()
    button = dialog.list.buttons[AWAY_MODEL.name]
    qtbot.waitUntil(lambda: button.text() == "Downloading 25 %")
    assert not button.isEnabled()
    here = Offer(AWAY_MODEL.name, AWAY_MODEL.id, "Molmo 7B-D", VLM.group, "vlm", "fits")
    monkeypatch.setattr(model_finding, "find_offers", lambda _added, _ran: Found((VLM, here)))
    gate.set()
    qtbot.waitUntil(lambda: AWAY_MODEL.name in dialog.models and dialog.models[AWAY_MODEL.name].isChecked())
    assert len(seen) == 1
    assert (runners[0].jobs[-1].title, runners[0].jobs[-1].can_pause) == ("Downloading Molmo 7B-D", False)


def test_a_hub_that_does_not_answer_is_told(qtbot, dialog, runners, monkeypatch):
    answers(monkeypatch, GazeError("The hub cannot be reached.", todo="Check the network."))
    dialog.list.buttons[AWAY_MODEL.name].click()
    qtbot.waitUntil(lambda: "cannot be reached" in dialog.trouble.text())
    assert dialog.list.buttons[AWAY_MODEL.name].isEnabled()
    assert runners[0].jobs == []


def test_the_question_about_a_download_says_how_much_from_where_to_where(qtbot, tmp_path):
    from PySide6.QtWidgets import QLabel

    question = DownloadQuestion(None, "Far", download_of(tmp_path, 5_000_000, here=1_000_000))
    qtbot.addWidget(question)
    shown = [label.text() for label in question.findChildren(QLabel)]
    assert "5 MB in 1 file, of which 1 MB is here already" in shown
    assert "https://hub.example/lab/far" in shown
    assert str(tmp_path / "cache") in shown
    assert question.yes.text() == "Download 4 MB"
    assert question.yes.isDefault()
    full = DownloadQuestion(None, "Far", replace(download_of(tmp_path, 10**18), gated=True))
    assert "agreed to conditions" in full.note.text()
    qtbot.addWidget(full)
    assert not full.yes.isEnabled()
    assert "Make room" in full.note.text()


def test_a_runner_script_is_added_and_stays_in_the_list(qtbot, runners, tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        '# /// script\n# dependencies = ["numpy"]\n# [tool.gazeapp]\n# name = "Mine"\n# description = "Looks."\n'
        '# licence = "MIT"\n# download = "1 MB"\n# actions = ["describe"]\n# methods = ["light"]\n# ///\n'
    )
    dialog = AddModelDialog(None, runners[1])
    qtbot.addWidget(dialog)
    assert not dialog.accept_button.isEnabled()
    dialog.line.setText(str(tmp_path / "other.py"))
    dialog.accept()
    qtbot.waitUntil(lambda: "cannot be read" in dialog.accept_button.toolTip())
    dialog.line.setText(str(script))
    dialog.accept()
    qtbot.waitUntil(lambda: dialog.result() == QDialog.DialogCode.Accepted)
    assert dialog.offer.title == "Mine"
    assert dialog.offer.asks.code == (("mine.py", script.read_text()),)
    assert added_models() == [str(script)]
    take_off_list(dialog.offer)
    assert added_models() == []


def test_a_folder_is_taken_off_the_list_and_its_files_stay(qtbot, dialog, monkeypatch, tmp_path):
    from gazeapp.engine.models.vlm.loading.folders import ModelFolders
    from gazeapp.ui.dialogs import model_finding

    folder = tmp_path / "model"
    folder.mkdir()
    folders = ModelFolders()
    folders._write((folder, tmp_path / "other"))
    mine = Offer(str(folder), "model", "model", VLM.group, "vlm", "fits", added=True)

    def find(_added, _ran):
        return Found(tuple(offer for offer in (VLM, mine) if offer is VLM or folder in folders.all()))

    monkeypatch.setattr(model_finding, "find_offers", find)
    dialog._find()
    qtbot.waitUntil(lambda: mine.name in dialog.models)
    (button,) = [b for b in dialog.list.findChildren(QToolButton) if "off the list" in b.toolTip()]
    button.click()
    qtbot.waitUntil(lambda: mine.name not in dialog.models)
    assert folders.all() == (tmp_path / "other",)
    assert folder.is_dir()


def test_a_model_that_is_not_here_leads_to_the_question_about_its_size(qtbot, dialog, monkeypatch, tmp_path):
    far = Offer("lab/far", "", "lab/far", AWAY, "vlm", size=None)
    seen = []

    def choose(add):
        add.offer = far
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(AddModelDialog, "exec", choose)
    monkeypatch.setattr(DownloadQuestion, "exec", lambda question: seen.append(question.yes.text()) or 0)
    answers(monkeypatch, download_of(tmp_path))
    dialog._add_model()
    assert dialog.list.buttons[far.name].text() == "Asking the hub…"
    qtbot.waitUntil(lambda: seen == ["Download 2 MB"])


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C"], "A, B and C"),
        (list("ABCDE"), "A, B and 3 more"),
    ],
)
def test_names_in_a_title(names, words):
    assert in_a_few_words(names) == words


def test_the_window_queues_what_was_chosen_with_its_texts(open_window, qtbot, monkeypatch, study):
    from gazeapp.engine.workflows import extract
    from gazeapp.ui import worker

    model_world.install(monkeypatch)
    monkeypatch.setattr(worker, "_leave_a_core_for_the_window", lambda: None)
    ran = []

    def run(project, asked, _progress):
        ran.append((asked.models, asked.method, prompt_of(project, "general").text))
        return Summary("extract", 1, 0, int(len(ran) == 1), False, 1.0)

    def choose(dialog):
        qtbot.waitUntil(lambda: VLM.name in dialog.models and bool(dialog.tasks_list.rows[0].edit.text))
        only(dialog, "other", VLM.name)
        dialog.advanced.attention.layers.setCurrentIndex(1)
        dialog.tasks_list.rows[0].edit.setPlainText("Say what is there.")
        dialog.tasks_list.rows[1].box.setChecked(False)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(extract, "extract", run)
    monkeypatch.setattr(ExtractDialog, "exec", choose)
    window = open_window
    window.actions_["study.extract"].trigger()
    runner = window.session.runner
    assert [job.title for job in runner.jobs] == ["Running Other", "Running Qwen3.5 9B"]
    qtbot.waitUntil(lambda: not runner.busy)
    assert ran == [
        (("other",), "", "Say what is there."),
        ((VLM.name,), "attention-L0", "Say what is there."),
    ]
    with Project.open(study.path) as project:
        set_prompt(project, "general", "Something else.")
    window.actions_["work.again"].trigger()
    qtbot.waitUntil(lambda: not runner.busy)
    assert ran[2] == ran[0]  # it goes on with the text that it began with


def test_short_memory_is_a_problem_of_its_image_and_the_worker_lives_on(
    open_window, qtbot, monkeypatch, study
):
    from gazeapp.ui import worker
    from tests.engine.workflows import stand_in

    monkeypatch.setattr(worker, "_leave_a_core_for_the_window", lambda: None)
    stand_in.install(monkeypatch)
    describe, short = stand_in.StandIn.describe, [True]

    def describe_or_not(model, *args):
        if short.pop() if short else False:
            raise MemoryError
        return describe(model, *args)

    monkeypatch.setattr(stand_in.StandIn, "describe", describe_or_not)
    window, runner = open_window, open_window.session.runner
    work = extract_work({"models": ("bright",), "tasks": ("general",)}, {})
    job = runner.submit("Running Bright", work, study.path, can_go_on=True)
    qtbot.waitUntil(lambda: not runner.busy)
    (state,) = [state for state in runner.jobs if state.id == job]
    assert (state.status, state.result.done, state.result.failed) == ("done", 2, 1)
    qtbot.waitUntil(lambda: any("memory" in problem.what for problem in window.bench.jobs.problems))
    (problem,) = [problem for problem in window.bench.jobs.problems if "memory" in problem.what]
    assert "scene-001.png" in problem.where
    assert problem.todo
    runner.run_again(job)
    qtbot.waitUntil(lambda: not runner.busy)
    assert (runner.jobs[-1].result.done, runner.jobs[-1].result.skipped) == (1, 2)
    qtbot.waitUntil(lambda: not any("memory" in problem.what for problem in window.bench.jobs.problems))
