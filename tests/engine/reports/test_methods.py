"""The formulas that the report prints give the numbers that gazeapp computes."""

import re
from html import unescape

import numpy as np
import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import FixationRow, NewTrial
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.render import render
from gazeapp.engine.scoring.facts import (
    BOTH_VARIANCE,
    CEILINGS,
    INTERVAL,
    METRICS,
    PEOPLE_VARIANCE,
    PERCENT,
    metric_facts,
)
from gazeapp.engine.scoring.presets import PRESETS
from gazeapp.engine.scoring.statistics.two_way import LeftOutRows, share_of_ceiling, variance_over_people
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.score import ScoreSettings, score

SIGNS = {"·": "*", "−": "-", "²": "**2", "√": "sqrt"}


def computed(formula, **values):
    """Return the right side of a printed formula."""
    text = formula.split(" = ", 1)[1] if " = " in formula else formula
    for printed, name in SIGNS.items():
        text = text.replace(printed, name)
    return eval(text, {"__builtins__": {}, "sqrt": np.sqrt}, values)


def printed_text(project, preset="tuebingen"):
    html = render(gather(project, preset, "r.html"))
    text = re.sub(r"<[^>]+>", "", html[html.index('id="methods"') :])
    return re.sub(r"[ \n\xa0]+", " ", text)


def parts(project, task):
    """Return the exported parts of the ceilings: (metric, estimator) -> one value for each image."""
    found = {}
    for row in project.scores.ceilings("tuebingen"):
        if row.task == task:
            found.setdefault((row.metric, row.estimator), []).append(row.value)
    return {key: np.array(values) for key, values in found.items()}


@pytest.fixture
def project(study):
    with Project.open(study(n_images=6, models=())) as opened:
        yield opened


def test_every_formula_is_printed_as_it_is_in_the_facts(project):
    text = printed_text(project)
    used = {row.estimator for row in project.scores.summary() if row.estimator}
    assert {"loso_extrapolated", "sqrt_spearman_brown", "half_vs_half"} <= used
    formulas = [formula for estimator in used for formula in CEILINGS[estimator].formulas]
    for formula in (*formulas, PERCENT, INTERVAL, PEOPLE_VARIANCE, BOTH_VARIANCE):
        assert formula in text


def test_the_ceiling_of_fixations_is_the_mean_of_the_exported_parts(project):
    for metric in ("nss", "auc", "sauc", "ig"):
        expected = parts(project, "general")[metric, "loso_extrapolated"].mean()
        rows = [row for row in project.scores.summary() if (row.task, row.metric) == ("general", metric)]
        held = {row.estimator: row.ceiling for row in rows}
        assert held == {"loso_extrapolated": pytest.approx(expected, rel=1e-6)}


def test_the_printed_formula_of_the_cc_ceiling_gives_the_ceiling_from_the_exported_parts(project):
    final, reliability = CEILINGS["sqrt_spearman_brown"].formulas
    r = parts(project, "general")["cc", "split_half_r"].mean()
    expected = computed(final, R=computed(reliability, a=5 / 2, r=r))
    row = next(r for r in project.scores.summary() if (r.task, r.metric) == ("general", "cc") and r.ceiling)
    assert row.ceiling == pytest.approx(expected, rel=1e-6)


def test_the_printed_formula_of_the_percentage_gives_the_percentages(project):
    rows = [row for row in project.scores.summary() if row.percent is not None]
    assert len(rows) > 20
    for row in rows:
        expected = computed(PERCENT, mean=row.mean, ceiling=row.ceiling, chance=row.chance)
        assert row.percent == pytest.approx(expected, abs=1e-6)


def test_the_printed_formulas_of_the_interval_give_its_length():
    rng = np.random.default_rng(2)
    n, m = 40, 20
    scores, ceilings = rng.normal(1.5, 0.3, n), rng.normal(2.0, 0.2, n)
    image, subject = (index.ravel() for index in np.indices((n, m)))
    habits, both = rng.normal(0, 0.02, m), rng.normal(0, 0.02, n * m)
    left = np.column_stack([scores[image] + habits[subject] + both, ceilings[image]])

    def share(left_out):
        return share_of_ceiling(scores, ceilings[:, None], lambda c: c[..., 0], 0.0, 4000, 3, left_out)

    def percent(shift):
        """Return the percentage when the sum of scores changes by so much."""
        return 100 * (scores.sum() + shift) / ceilings.sum()

    change = (left[:, 0] - scores[image]).reshape(n, m)
    without = percent(change.sum(axis=0))
    squares = ((without - without.mean()) ** 2).sum()
    printed = {"S": m, "N": n * m, "squares": squares}
    people = computed(PEOPLE_VARIANCE.replace("Σ (number without s − mean of these)²", "squares"), **printed)
    assert people == pytest.approx(variance_over_people(without))
    e = percent(change) - percent(0.0)
    e = e - e.mean(axis=1, keepdims=True)
    e = e - e.mean(axis=0, keepdims=True)
    cells = computed(BOTH_VARIANCE.replace("Σ e²", "squares"), **(printed | {"squares": (e**2).sum()}))
    alone, together = share(None), share(LeftOutRows(image, subject, left))
    drawn = np.random.default_rng(4).integers(0, n, (4000, n))
    images = (100 * scores[drawn].mean(axis=1) / ceilings[drawn].mean(axis=1)).var() * n / (n - 1)
    names = {"V(images)": "images", "V(people)": "people", "V(both)": "cells"}
    total = INTERVAL
    for shown, name in names.items():
        total = total.replace(shown, name)
    variance = computed(total, images=images, people=people, cells=cells)
    factor = (together.high - together.low) / (alone.high - alone.low)
    # Resamples are drawn, and Student's t differs a little.
    assert factor == pytest.approx(np.sqrt(variance / images), rel=0.05)
    assert factor > 1.1


def test_two_people_get_a_lower_bound_and_no_formula_that_was_not_used(study):
    with Project.open(study(n_images=2, n_subjects=2, tasks=("general",), models=())) as opened:
        text = printed_text(opened)
    assert ": the lower bound of the ceiling of NSS, AUC, sAUC and IG." in text
    assert "There are no intervals: they need 6 images." in text
    assert CEILINGS["loso_extrapolated"].formulas[0] not in text
    assert "corrected for the few people" not in text


def test_the_old_preset_has_its_own_formulas_and_no_ceiling_of_auc(study):
    with Project.open(study(n_images=2, scored=False, tasks=("general",), models=())) as opened:
        score(opened, ScoreSettings(preset="mit", sigma=6.0, n_splits=4, n_bootstrap=20, threads=1), SILENT)
        text = printed_text(opened, "mit")
    assert "AUC = area below hits against false alarms" in text
    assert "AUC = P(" not in text
    assert "No percentage: the AUC-Judd of one person and of many people are not comparable." in text
    assert "Human ceilings" in text


@pytest.mark.parametrize("preset", PRESETS)
def test_every_metric_is_explained_where_it_was_computed(study, preset):
    metrics = tuple(metric for metric in METRICS if metric not in PRESETS[preset].impossible)
    with Project.open(study(n_images=2, scored=False, tasks=("general",), models=())) as opened:
        settings = ScoreSettings(
            preset=preset, metrics=metrics, sigma=6.0, n_splits=4, n_bootstrap=20, threads=1
        )
        score(opened, settings, SILENT)
        data = gather(opened, preset, "r.html")
        text = unescape(printed_text(opened, preset))
    for metric in metrics:
        assert metric_facts(metric, preset).formula in text
        assert metric_facts(metric, preset).meaning in text
    assert "too few people" not in text
    assert "those of ranks over at most 20." in text
    assert "EMD is exact between 16 cells along the longer side of the image" in text
    assert METRICS["auc_judd"].ceiling in text
    assert "reference of SIM, KL and EMD." in text
    assert "ceiling of CC and Spearman." in text
    assert [column.id for column in data.scores[0].metrics] == list(metrics)
    command = next(line for line in data.commands if " score " in line)
    assert all(f"--metric {metric}" in command for metric in metrics)


def test_without_a_ceiling_the_first_metric_leads(study):
    with Project.open(study(n_images=2, scored=False, tasks=("general",), models=())) as opened:
        settings = ScoreSettings(
            metrics=("emd", "auc_judd"), sigma=6.0, n_splits=4, n_bootstrap=20, threads=1
        )
        score(opened, settings, SILENT)
        text = printed_text(opened)
    assert "Agreement was measured by AUC-Judd and EMD with" in text
    assert "The primary metric is AUC-Judd." in text
    assert "Percent of ceiling" not in text


def test_only_the_metrics_that_were_computed_are_told(study):
    with Project.open(study(n_images=2, scored=False, tasks=("general",), models=())) as opened:
        settings = ScoreSettings(preset="harmonization", sigma=6.0, n_splits=4, n_bootstrap=20, threads=1)
        score(opened, settings, SILENT)
        text, data = printed_text(opened, "harmonization"), gather(opened, "harmonization", "r.html")
    assert "Agreement was measured by Spearman with the conventions of the preset Harmonization" in text
    assert "NSS" not in text.split("Human ceilings")[0]
    assert "The primary metric is Spearman." in text
    assert "gazeapp score study.gaze --preset harmonization --sigma 6px" in data.commands


def test_what_did_not_happen_is_not_told(project):
    text = printed_text(project)
    assert (
        "5 simulated observers viewed 6 images under the task general; 5 simulated observers viewed" in text
    )
    assert "more subject" not in text
    assert "recorded on a screen" not in text
    assert "whose longer side" not in text


def test_reduced_images_and_people_who_saw_nothing_are_told(study):
    with Project.open(study(tasks=("free",), simulated=False, scored=False, models=())) as opened:
        shown = (0.0, 0.0, 9.0, 9.0)
        (trial,) = opened.gaze.add_trials(
            1, [NewTrial("away", "free", None, "", "", shown, n_fixations=1, n_kept=1)]
        )
        opened.gaze.add_fixations([FixationRow(trial, 1, 1, 5.0, 5.0, None, None, "", "", "")])
        settings = ScoreSettings(sigma=6.0, n_splits=4, n_bootstrap=20, threads=1, max_side_px=100)
        score(opened, settings, SILENT)
        text = printed_text(opened)
    assert (
        "5 subjects viewed 4 images under the task free. 1 more subject has no fixation on an image" in text
    )
    assert "4 images whose longer side is above 100 px were scored at that size." in text
    assert "recorded on a screen" not in text
