import numpy as np
import pytest

from gazeapp.engine.project import Project
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
