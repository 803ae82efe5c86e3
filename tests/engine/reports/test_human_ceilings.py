import numpy as np
import pytest
from scipy.stats import t

from gazeapp.engine.project import CEILING, CeilingRow, PeoplePartsRow, Project, ScoreRow, SummaryRow
from gazeapp.engine.reports.human_ceilings import ceiling_rows


def test_every_ceiling_of_the_summary_is_there_with_the_same_value(study):
    with Project.open(study(n_images=6, tasks=("free",), models=())) as project:
        found = {(row.task, row.metric, row.estimator): row for row in ceiling_rows(project)}
        checked = 0
        for row in project.scores.summary():
            if row.ceiling is None or row.n_images < 6:
                continue
            estimate = found[row.task, row.metric, row.estimator]
            assert estimate.value == pytest.approx(row.ceiling, rel=1e-12)
            assert estimate.low <= estimate.value <= estimate.high
            assert (estimate.n_images, estimate.n_subjects) == (6, 5)
            checked += 1
        assert checked > 10
        # What people score on each other is stored without each of them; halves and some of the others are not.
        about = {estimator: row.interval for (_, _, estimator), row in found.items()}
        assert about["loso_mixture"] == about["loso_extrapolated"] == "images and people"
        assert about["sqrt_spearman_brown"] == "images and people"
        assert about["half_vs_half"] == about["observers_2"] == "images"


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution(study):
    n = 60
    values = np.random.default_rng(3).normal(1.7, 0.4, n)
    with Project.open(
        study(n_images=n, n_subjects=1, tasks=("free",), models=(), simulated=False, scored=False)
    ) as project:
        settings_id = project.settings.put("score", {"n_bootstrap": 10_000, "seed": 1})
        digest = project.settings.get(settings_id).hash
        with project.transaction():
            for image, value in zip(project.images.all(), values, strict=True):
                project.db.execute(
                    "INSERT INTO ceilings VALUES (?, 1, 'auc', 'tuebingen', 'loso', ?, 9, ?, ?, 'x')",
                    (image.id, float(value), settings_id, digest),
                )
            project.db.execute(
                "INSERT INTO summary VALUES ('baseline', 'uniform', 1, '', '', 'auc', 'tuebingen', ?, 9, 0.5, 1.7, "
                "'loso', 0.5, 0, 0, 0, ?, ?, '')",
                (n, settings_id, digest),
            )
        (row,) = ceiling_rows(project)
    error = values.std() / np.sqrt(n)
    assert row.value == pytest.approx(values.mean(), rel=1e-12)
    assert row.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert row.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)
    assert (row.n_images, row.n_subjects) == (n, 9)


def test_people_who_keep_their_habits_make_a_ceiling_unsure(study):
    rng = np.random.default_rng(0)
    n_images, n_people = 24, 9
    people, habits = tuple(f"p{k}" for k in range(n_people)), rng.normal(0, 0.5, n_people)
    table = 2.0 + habits + rng.normal(0, 0.05, (n_images, 1))
    with Project.open(
        study(n_images=n_images, n_subjects=1, tasks=("free",), models=(), simulated=False, scored=False)
    ) as project:
        settings_id = project.settings.put("score", {"n_bootstrap": 2000, "seed": 1})
        for image, own in zip(project.images.all(), table, strict=True):
            score = ScoreRow(image.id, "baseline", "uniform", "free", "", "", "nss", "mit", 0.0, settings_id)
            part = CeilingRow(image.id, "free", "nss", "mit", "loso", own.mean(), n_people, settings_id)
            rest = ((own.sum() - own) / (n_people - 1))[None].astype(np.float32)
            left = PeoplePartsRow(
                image.id, "free", people, ((CEILING, "loso", "", "", "nss"),), rest, settings_id
            )
            project.scores.put_unit([score], [part], "inputs", left)
        project.scores.put_summary(
            "mit",
            ["free"],
            [
                SummaryRow(
                    "baseline",
                    "uniform",
                    "free",
                    "",
                    "",
                    "nss",
                    "mit",
                    24,
                    9,
                    *[None] * 2,
                    "",
                    *[None] * 4,
                    1,
                )
            ],
            settings_id,
        )
        (row,) = ceiling_rows(project)
    # Images hardly differ: the interval is that of the mean of nine people.
    error = habits.std(ddof=1) / np.sqrt(n_people)
    assert row.high - row.low == pytest.approx(2 * t.ppf(0.975, n_people - 1) * error, rel=0.1)
    assert row.value == pytest.approx(table.mean(), abs=1e-9)
