"""The dialog that predicts responses from maps: what it counts, what it refuses, and what it hands over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QDialog

from gazeapp.engine.neural.records import FSAVERAGE5, N_VERTICES, REGION_TABLE, Responses
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.encode import CONTROLS, EncodeSettings
from gazeapp.engine.workflows.encode_count import count_encoding
from gazeapp.ui.dialogs.encode import EncodeDialog
from gazeapp.ui.dialogs.form import Fold
from gazeapp.ui.neural_actions import encode_work
from tests.copied import copy_study
from tests.ui.small_study import build

N = 15
SURFACE, TABLE = "surface", "table"


class Progress:
    cancelled = False

    def report(self, done, total, message=""):
        pass


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    made = build(
        tmp_path_factory.mktemp("predicted") / "study",
        images=N,
        models=2,
        subjects=2,
        scored=False,
        tasks=("general", "social"),
    )
    with Project.open(made.path) as project:
        names = tuple(image.name for image in project.images.all())
        rng = np.random.default_rng(0)
        settings = project.settings.put("import responses", {})
        for name, subjects, space, n, targets, simulated in (
            (SURFACE, ("",), FSAVERAGE5, N_VERTICES, (), True),
            (TABLE, ("anna", "ben"), REGION_TABLE, 3, ("V1", "V2", "V3"), False),
        ):
            values = rng.normal(size=(len(subjects), N, n)).astype(np.float32)
            ones = np.ones((len(subjects), N), np.int64)
            project.responses.put(
                name, Responses(values, names, subjects, ones, space, simulated, targets), settings
            )
    return made


@pytest.fixture
def study(tmp_path, built):
    return replace(built, path=copy_study(built.path, tmp_path / "study"))


@pytest.fixture
def dialog(qtbot, view, lookups):
    made = EncodeDialog(None, view, lookups)
    qtbot.addWidget(made)
    made.responses.setCurrentIndex(made.responses.findData(SURFACE))
    qtbot.waitUntil(lambda: made.atlas.count() > 0)
    return made


def reason(dialog):
    assert dialog.accept_button.isEnabled() == (not dialog.accept_button.toolTip())
    return " ".join(dialog.accept_button.toolTip().split())


def settings(dialog):
    return EncodeSettings(**dialog.choice())


def settle(qtbot, dialog, words):
    qtbot.waitUntil(lambda: words in dialog.count.text())


def test_the_usual_settings_are_filled_in_and_counted(qtbot, dialog):
    usual = EncodeSettings(SURFACE, tasks=("general", "social"), models=("cnn-lstm", "cnn-transformer"))
    assert settings(dialog) == usual
    # Two models, people and four controls; the default atlas has 34 regions of both sides and four groups.
    settle(
        qtbot,
        dialog,
        "34 regions and 4 groups of them. general: 15 images, 7 sources; social: 15 images, 7 sources.",
    )
    assert "told once it runs" in dialog.count.text()
    assert reason(dialog) == ""
    assert not dialog.badge.isHidden()
    assert "there is no V1" in dialog.about.text()
    dialog.hemispheres._clicked(1)
    settle(qtbot, dialog, "68 regions and 4 groups")


def test_atlases_that_were_not_looked_for_any_more_are_no_error(qtbot, view, lookups, held):
    dialog = EncodeDialog(None, view, lookups)
    qtbot.addWidget(dialog)
    dialog.responses.setCurrentIndex(dialog.responses.findData(SURFACE))
    lookups.cancel_all()
    assert reason(dialog) == "Looking for atlases…"


def test_every_choice_goes_into_the_settings(dialog):
    dialog.hemispheres._clicked(1)
    dialog.tasks["social"].setChecked(False)
    dialog.models["cnn-lstm"].setChecked(False)
    dialog.controls["luminance"].setChecked(False)
    dialog.vertices.setChecked(False)
    advanced = dialog.advanced
    advanced.partitions.setChecked(False)
    advanced.rsa.setChecked(False)
    for name, value in (
        ("grid", 8),
        ("sigma", 0.1),
        ("n_folds", 3),
        ("n_inner", 2),
        ("n_permutations", 200),
        ("n_bootstrap", 300),
        ("seed", 7),
    ):
        advanced.fields[name].setValue(value)
    assert settings(dialog) == EncodeSettings(
        responses=SURFACE,
        hemispheres="separate",
        tasks=("general",),
        models=("cnn-transformer",),
        controls=tuple(name for name in CONTROLS if name != "luminance"),
        vertices=False,
        partitions=False,
        rsa=False,
        grid=8,
        sigma=0.1,
        n_folds=3,
        n_inner=2,
        n_permutations=200,
        n_bootstrap=300,
        seed=7,
    )
    for name, line in advanced._lines.items():
        line.button.click()
        assert not line.button.isEnabled(), name
        assert getattr(settings(dialog), name) == getattr(EncodeSettings(), name)


def test_a_table_of_regions_needs_no_atlas_and_has_no_vertices(qtbot, dialog):
    dialog.responses.setCurrentIndex(dialog.responses.findData(TABLE))
    settle(qtbot, dialog, "3 regions. general")
    assert dialog.badge.isHidden()
    for part in (dialog.atlas, dialog.hemispheres, dialog.vertices, dialog.advanced.rsa):
        assert not part.isEnabled()
        assert "table's regions" in " ".join(part.toolTip().split())
    assert not settings(dialog).vertices
    assert not settings(dialog).rsa
    assert dialog.subjects.isEnabled()
    dialog.subjects.setChecked(True)
    settle(qtbot, dialog, "The mean over subjects and 2 of them by themselves.")
    dialog.responses.setCurrentIndex(dialog.responses.findData(SURFACE))
    assert not dialog.subjects.isEnabled()
    assert not settings(dialog).subjects
    assert settings(dialog).vertices
    assert "20,484" in " ".join(dialog.vertices.toolTip().split())


def test_what_cannot_be_predicted_says_why(qtbot, dialog):
    for box in dialog.tasks.values():
        box.setChecked(False)
    assert reason(dialog) == "Choose at least one task."
    dialog.tasks["general"].setChecked(True)
    for box in dialog.models.values():
        box.setChecked(False)
    assert reason(dialog) == "Choose the maps of at least one model."
    dialog.models["cnn-lstm"].setChecked(True)
    dialog.advanced.fields["n_folds"].setValue(6)
    qtbot.waitUntil(lambda: "too few for 6 folds" in reason(dialog))
    dialog.advanced.fields["n_folds"].setValue(5)
    qtbot.waitUntil(lambda: reason(dialog) == "")


def test_controls_made_of_fixations_are_not_offered_without(qtbot, view, lookups):
    made = EncodeDialog(None, replace(view, fixations={}), lookups)
    qtbot.addWidget(made)
    for control, box in made.controls.items():
        assert box.isEnabled() == box.isChecked() == (control in ("luminance", "contrast"))
    assert "has none" in " ".join(made.controls["centre"].toolTip().split())


def test_the_folded_part_can_be_reached_with_the_keyboard(qtbot, dialog):
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.findChild(Fold).open()
    for field in (*dialog.advanced.fields.values(), dialog.responses, dialog.atlas):
        assert field.focusPolicy() & 1  # Qt.FocusPolicy.TabFocus
        assert field.accessibleName()


QUICK = {
    "responses": TABLE,
    "tasks": ("general",),
    "n_folds": 3,
    "n_inner": 2,
    "n_permutations": 20,
    "n_bootstrap": 20,
}


def test_what_is_counted_is_what_the_verb_does_and_takes(study):
    with Project.open(study.path) as project:
        before = count_encoding(project, EncodeSettings(**QUICK))
        summary = encode_work(QUICK)(project, Progress())
        after = count_encoding(project, EncodeSettings(**QUICK))
    assert before.seconds is None
    assert summary.done
    assert (before.n_regions, before.n_groups) == (summary.details["n_regions"], 0)
    assert before.images == summary.details["n_images"]
    assert before.sources == {"general": 7}
    assert after.seconds > 0


def test_the_window_predicts_what_was_chosen_and_shows_the_panel(qtbot, open_window, monkeypatch):
    def accept(dialog):
        dialog.responses.setCurrentIndex(dialog.responses.findData(TABLE))
        dialog.tasks["social"].setChecked(False)
        for name in ("n_folds", "n_inner", "n_permutations", "n_bootstrap"):
            dialog.advanced.fields[name].setValue(QUICK[name])
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(EncodeDialog, "exec", accept)
    open_window.actions_["neural.run"].trigger()
    (job,) = [job for job in open_window.session.runner.jobs if job.title == "Predicting table from maps"]
    assert job.can_go_on
    qtbot.waitUntil(lambda: not open_window.session.runner.busy)
    qtbot.waitUntil(open_window.bench.neural.isVisible)
    with Project.open(open_window.session.path) as project:
        assert {one.region for one in project.encodings.findings(TABLE)} == {"V1", "V2", "V3"}


def test_responses_are_removed_once_ticked(qtbot, open_window, monkeypatch):
    from gazeapp.ui.dialogs.remove import RemoveDialog

    seen = []

    def accept(dialog):
        from PySide6.QtCore import Qt

        seen.extend(dialog._list.item(row).text() for row in range(dialog._list.count()))
        dialog._list.item(0).setCheckState(Qt.CheckState.Checked)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(RemoveDialog, "exec", accept)
    open_window.actions_["neural.remove_responses"].trigger()
    qtbot.waitUntil(lambda: len(open_window.session.study.responses) == 1)
    assert open_window.session.study.responses[0].name == TABLE
    assert seen == ["surface   ·   15 images, simulated", "table   ·   15 images, measured"]
