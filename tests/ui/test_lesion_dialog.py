"""The dialog that asks for an experiment: what it counts, what it refuses, and the settings that it hands over."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QDialog

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.lesioning import offers
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.lesion import LesionSettings
from gazeapp.engine.workflows.lesion_cuts import CONTROLS
from gazeapp.ui.dialogs.lesion import THIS, LesionDialog
from gazeapp.ui.dialogs.model_offers import HERE, Found, Offer
from gazeapp.ui.lesion_jobs import experiment_work, is_experiment
from gazeapp.ui.study import read_study
from gazeapp.ui.worker import JobRunner
from tests.copied import copy_study
from tests.ui.small_study import build

CAPTIONERS = [
    ModelInfo(
        f"{encoder}-{decoder}",
        f"{encoder.upper()}-{decoder.upper()}",
        "captioner",
        encoder=encoder,
        decoder=decoder,
        methods=("attention",),
        domain="demo-world",
    )
    for encoder in ("cnn", "vit")
    for decoder in ("lstm", "transformer")
]
VLM = Offer("some-vlm", "some-vlm", "Some VLM", HERE, "vlm", "fits")
VLM_INFO = ModelInfo("some-vlm", "Some VLM", "vlm", facts={"model_type": "qwen2_vl"}, methods=("attention",))
N = 4


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    made = build(
        tmp_path_factory.mktemp("asked") / "study",
        images=N,
        subjects=2,
        scored=False,
        tasks=("general", "social"),
    )
    with Project.open(made.path) as project:
        project.masks.put("drawn", made.images[0], np.full((96, 160), 255, np.uint8))
    return made


@pytest.fixture
def study(tmp_path, built):
    return replace(built, path=copy_study(built.path, tmp_path / "study"))


@pytest.fixture
def dialog(qtbot, study, monkeypatch):
    """The dialog, filled in."""
    from gazeapp.engine.models import registry
    from gazeapp.engine.workflows import extract_plan
    from gazeapp.ui.dialogs import model_finding

    infos = {one.id: one for one in (*CAPTIONERS, VLM_INFO)}
    for module in (registry, extract_plan):
        monkeypatch.setattr(module, "available_models", lambda: CAPTIONERS)
    monkeypatch.setattr(extract_plan, "find_model", lambda name, *_captioners: infos[name])
    monkeypatch.setattr(model_finding, "find_offers", lambda _added, _ran: Found((VLM,)))
    lookups = JobRunner(name="lookups")
    with Project.open(study.path) as project:
        view = read_study(project)
    made = LesionDialog(None, view, lookups, study.images[1])
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: "drawn" in made.masks.boxes)
    yield made
    lookups.stop()


def only(boxes, *names):
    for name, box in boxes.items():
        box.setChecked(name in names)


def settle(qtbot, dialog, words):
    qtbot.waitUntil(lambda: words in dialog.count.text())


def settings(dialog):
    return [LesionSettings(**choice) for choice in dialog.choices()]


def test_what_lesions_are_held_against_is_in_sight_without_scrolling(dialog, qtbot):
    dialog.resize(1120, 742)  # as a window of 1280 by 800 px has it
    dialog.show()
    qtbot.waitExposed(dialog)
    for box in dialog.controls.values():
        place = box.mapTo(dialog, box.rect().bottomRight())
        assert dialog.rect().contains(place)
        assert box.visibleRegion().boundingRect() == box.rect()


def test_what_is_usual_is_chosen_and_counted(dialog, qtbot):
    (one,) = settings(dialog)
    assert one.models == tuple(info.id for info in CAPTIONERS)
    assert (one.masks, one.scopes, one.strengths) == (("left", "right"), ("keys",), (1.0,))
    assert one.controls == ("random", "equal_mass", "mirrored", "none")
    assert one.tasks == ("general", "social")
    assert one.images == ()
    # Two masks with three controls each, and once nothing at all.
    total = N * 2 * 4 * (2 * 4 + 1)
    settle(qtbot, dialog, f"= {total:,}: up to {total:,} new, 0 there already; ")
    assert dialog.accept_button.isEnabled()


def test_runs_of_the_study_are_taken_as_they_were_made(dialog, qtbot, study, monkeypatch):
    from gazeapp.engine.models import registry

    assert settings(dialog)[0].method == ""
    with Project.open(study.path) as project:
        made = project.settings.put("extract", {"method": "attention", "words": "all"})
        project.db.execute("UPDATE runs SET settings_id = ?", (made,))
        view = read_study(project)
    two = [replace(info, methods=("rollout", "attention")) for info in CAPTIONERS]
    for infos, method in ((two, "attention"), (CAPTIONERS, "")):  # of its own where that is the method
        monkeypatch.setattr(registry, "available_models", lambda infos=infos: infos)
        again = LesionDialog(None, view, dialog._lookups, study.images[1])
        qtbot.addWidget(again)
        qtbot.waitUntil(lambda again=again: "drawn" in again.masks.boxes)
        (one,) = settings(again)
        assert (one.words, one.method) == ("all", method)


def test_every_choice_goes_into_the_settings(dialog):
    only(dialog.list.boxes, "vit-lstm")
    only(dialog.masks.boxes, "drawn", "left graded")
    dialog.masks.others.setText("left 30%, people 15%")
    only(dialog.tasks, "social")
    only(dialog.scopes.boxes, "zero", "blur")
    only(dialog.controls, "flipped")
    dialog.strengths.line.setText("1, 0.25 0.5")
    dialog.images._clicked(dialog.images.values.index(THIS))
    dialog.draws.setValue(3)
    dialog.seed.setValue(7)
    (one,) = settings(dialog)
    assert one == LesionSettings(
        models=("vit-lstm",),
        tasks=("social",),
        masks=("left graded", "drawn", "left 30%", "people 15%"),
        images=("scene-002.png",),
        scopes=("zero", "blur"),
        strengths=(0.25, 0.5, 1.0),
        controls=("flipped",),
        n_random=3,
        seed=7,
    )


def test_five_steps_are_a_click(dialog):
    dialog.strengths.presets._clicked(1)
    assert settings(dialog)[0].strengths == (0.2, 0.4, 0.6, 0.8, 1.0)
    dialog.strengths.presets._clicked(2)
    assert settings(dialog)[0].strengths == (0.8, 0.9, 0.95, 0.99, 1.0)
    dialog.strengths.line.setText("1")
    assert dialog.strengths.presets.current == "full only"


def test_places_that_no_chosen_model_offers_cannot_be_chosen_and_say_why(dialog):
    only(dialog.list.boxes, "cnn-transformer")
    box = dialog.scopes.boxes["keys_and_start"]
    assert not box.isEnabled()
    assert "only LSTM decoders of captioners start from a state" in box.toolTip().replace("\n", " ")
    only(dialog.list.boxes, "cnn-transformer", "cnn-lstm")
    assert box.isEnabled()
    box.setChecked(True)
    words = dialog.scopes.words["keys_and_start"].text()
    assert "Not in CNN-TRANSFORMER: only LSTM decoders" in words


def test_what_a_place_reaches_and_misses_is_told_for_the_chosen_models(dialog):
    only(dialog.list.boxes, "cnn-lstm")
    own = next(offer for offer in offers(CAPTIONERS[0]) if offer.scope == "keys")
    assert dialog.scopes.words["keys"].text() == f"{own.reaches} {own.misses}"
    assert dialog.scopes.words["zero"].isHidden()
    only(dialog.list.boxes, "cnn-lstm", "cnn-transformer")
    text = dialog.scopes.words["keys"].text()
    assert "CNN-LSTM: No word attends there: the attention weights" in text
    # What both have in common is told once, without names.
    assert text.count("The encoder has mixed neighbouring cells") == 1
    assert "CNN-TRANSFORMER: The encoder" not in text


def test_models_with_different_places_are_jobs_of_their_own(dialog):
    only(dialog.list.boxes, "cnn-lstm", "some-vlm")
    only(dialog.scopes.boxes, "keys", "keys_and_start", "text")
    found = {one.models: one.scopes for one in settings(dialog)}
    assert found == {("cnn-lstm",): ("keys", "keys_and_start"), ("some-vlm",): ("keys", "text")}
    assert "(1 model × 18 lesions with controls + 1 model × 18 lesions with controls)" in dialog.count.text()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda d: only(d.list.boxes), "Choose at least one model."),
        (lambda d: only(d.masks.boxes), "Choose at least one mask."),
        (lambda d: only(d.tasks), "Choose at least one task."),
        (lambda d: only(d.scopes.boxes), "Choose where in the models"),
        (lambda d: d.strengths.line.setText("1.5"), "Strengths are numbers from 0 to 1"),
        (lambda d: d.strengths.line.setText("half"), "Strengths are numbers from 0 to 1"),
        (lambda d: d.strengths.line.setText("0"), "takes nothing away"),
        (
            lambda d: (only(d.list.boxes, "cnn-lstm"), only(d.scopes.boxes, "text")),
            "Choose where in the models",
        ),
    ],
)
def test_what_cannot_be_run_says_why(dialog, spoil, reason):
    spoil(dialog)
    assert reason in dialog._reason.text()
    assert not dialog.accept_button.isEnabled()


def test_a_mask_that_means_nothing_is_told_before_it_is_run(dialog, qtbot):
    dialog.masks.others.setText("lfet")
    qtbot.waitUntil(lambda: not dialog.accept_button.isEnabled())
    assert "There is no mask 'lfet'" in dialog._reason.text()
    dialog.masks.others.setText("")
    qtbot.waitUntil(dialog.accept_button.isEnabled)


def test_every_control_is_offered_with_its_sentence(dialog):
    assert set(dialog.controls) == set(CONTROLS)


def test_lesions_that_are_there_are_not_counted_as_new(dialog, qtbot, study):
    from gazeapp.engine.models.base import Caption, Word
    from gazeapp.engine.project import LesionKey, MadeOf
    from gazeapp.engine.workflows.extract_plan import what_to_run
    from gazeapp.engine.workflows.lesion import VERB, lesion_values

    only(dialog.list.boxes, "cnn-lstm")
    only(dialog.tasks, "general")
    only(dialog.controls)
    (asked,) = settings(dialog)
    with Project.open(study.path) as project:
        plan = what_to_run(project, asked.intact)[3][0]
        id_ = project.settings.put(VERB, lesion_values(plan))
        row = project.images.get(study.images[0])
        run = project.runs.all(image_id=row.id, model="cnn-lstm", task="general")[0]
        mean = np.full((4, 4), 1 / 16, np.float32)
        said = Caption(
            (Word("a", -1.0, True),), mean[None], np.ones(1, np.float32), row.rect, "general", "attention"
        )
        for mask in ("left", "top"):  # top is not asked for
            project.lesions.put(
                run.id, LesionKey(mask, "", 0, "keys", 1.0), MadeOf("m"), 0.5, said, mean, {}, 3.0, id_
            )
    # Each takes as long as those that are there took: 7 of 3 s.
    settle(
        qtbot, dialog, "= 8: up to 7 new, 1 there already; about 21 s, and the analyses of the study after it"
    )


def test_the_window_queues_what_the_dialog_says(open_window, qtbot, monkeypatch):
    asked, done = [], []

    def accept(dialog):
        only(dialog.list.boxes, "cnn-lstm")
        only(dialog.masks.boxes, "top")
        asked.append((dialog._image.id, settings(dialog)))
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(LesionDialog, "exec", accept)
    monkeypatch.setattr(
        "gazeapp.engine.workflows.lesion.lesion",
        lambda project, given, _progress: done.append((project.path, given)),
    )
    monkeypatch.setattr("gazeapp.ui.worker._leave_a_core_for_the_window", lambda: None)
    open_window.actions_["study.lesion"].trigger()
    runner = open_window.session.runner
    (job,) = [job for job in runner.jobs if is_experiment(job)]
    assert job.title == "Neglect experiment, CNN-LSTM"
    assert job.can_go_on
    assert job.can_pause
    assert open_window.bench.neglect.experiment.isVisible()
    qtbot.waitUntil(lambda: not runner.busy)
    ((image, (given,)),) = asked
    assert image == open_window.selection.image_id
    assert (given.models, given.masks) == (("cnn-lstm",), ("top",))
    assert done == [(open_window.session.path, given)]


def test_nothing_is_queued_when_the_dialog_is_left(open_window, monkeypatch):
    monkeypatch.setattr(LesionDialog, "exec", lambda _dialog: QDialog.DialogCode.Rejected)
    open_window.actions_["study.lesion"].trigger()
    assert not [job for job in open_window.session.runner.jobs if is_experiment(job)]


def test_the_work_is_the_verb_with_these_settings(study, monkeypatch):
    called = []
    monkeypatch.setattr("gazeapp.engine.workflows.lesion.lesion", lambda *args: called.append(args))
    experiment_work({"masks": ("top",)})("project", SILENT)
    assert called == [("project", LesionSettings(masks=("top",)), SILENT)]
