"""The dialog of *Score* offers what was chosen before, and says what would be lost."""

from dataclasses import replace

import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.presets import PRESETS
from gazeapp.engine.workflows.score import ScoreSettings
from gazeapp.ui.dialogs.score import ScoreDialog
from gazeapp.ui.study import read_study
from tests.ui.small_study import build


@pytest.fixture
def study(tmp_path):
    with Project.open(build(tmp_path / "study").path) as project:
        return read_study(project)


@pytest.fixture
def unscored(study):
    return replace(study, summary=())


def dialog(qtbot, study, preset="tuebingen"):
    made = ScoreDialog(None, study, preset)
    qtbot.addWidget(made)
    made.show()
    return made


def scored(study, **values):
    """Return the study as if it had been scored with these settings."""
    row = study.summary[0]
    made = replace(study.settings[row.settings_id], values=values)
    return replace(study, settings={**study.settings, row.settings_id: made})


def test_the_usual_metrics_of_the_conventions_are_chosen_first(qtbot, unscored):
    shown = dialog(qtbot, unscored)
    for preset in PRESETS.values():
        shown.preset.setCurrentIndex(shown.preset.findData(preset.id))
        choice = shown.choice()
        assert choice["preset"] == preset.id
        assert set(choice["metrics"]) == set(preset.metrics)
        assert choice["primary"] == preset.metrics[0]
        assert choice["transform"] == "none"
        assert preset.source in shown._source.text()
        assert ScoreSettings(**choice).metrics == choice["metrics"]


def test_what_was_scored_before_is_chosen_again(qtbot, study):
    before = scored(study, metrics=["cc", "emd", "nss"], transform="density", primary="cc")
    shown = dialog(qtbot, before)
    assert shown.choice() == {
        "preset": "tuebingen",
        "metrics": tuple(m for m in METRICS if m in ("cc", "emd", "nss")),
        "transform": "density",
        "primary": "cc",
    }
    assert shown._note.isHidden()


def test_metrics_that_would_no_longer_be_shown_are_named(qtbot, study):
    shown = dialog(qtbot, scored(study, metrics=["nss", "cc", "kl"]))
    shown.metrics["cc"].setChecked(False)
    assert shown._note.text() == "CC was scored before and will not be shown."
    shown.metrics["kl"].setChecked(False)
    assert shown._note.text().startswith("CC and KL were")
    shown.transform.setCurrentIndex(shown.transform.findData("density"))
    assert "Numbers of other maps" in shown._note.text()
    shown.preset.setCurrentIndex(shown.preset.findData("mit"))
    assert shown._note.isHidden()  # nothing was scored by these conventions


def test_the_primary_metric_is_one_of_those_chosen(qtbot, unscored):
    shown = dialog(qtbot, unscored)
    shown.primary.setCurrentIndex(shown.primary.findData("cc"))
    shown.metrics["sim"].setChecked(False)
    assert shown.choice()["primary"] == "cc"
    shown.metrics["cc"].setChecked(False)
    assert shown.choice()["primary"] == "nss"
    assert shown.primary.findData("cc") < 0


def test_without_a_metric_there_is_nothing_to_score(qtbot, unscored):
    shown = dialog(qtbot, unscored)
    for box in shown.metrics.values():
        box.setChecked(False)
    assert not shown.accept_button.isEnabled()
    assert "Choose at least one metric" in shown._reason.text()
    assert shown.choice()["primary"] == ""


def test_slow_metrics_say_so(qtbot, unscored):
    shown = dialog(qtbot, unscored)
    assert "slow" in shown.metrics["emd"].text()
    assert "ten times" in shown.metrics["emd"].toolTip().replace("\n", " ")
