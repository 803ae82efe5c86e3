"""What is said of scores that a new run of scoring takes out of sight."""

from __future__ import annotations

from gazeapp.engine.reports.brief import ShownScores, no_longer_shown, results_in_lines

BEFORE = ShownScores(("free", "search"), ("nss", "cc"), {"sigma": 24.0, "seed": 0, "metrics": ["nss", "cc"]})


def test_nothing_is_said_of_a_first_or_an_equal_run():
    assert no_longer_shown(ShownScores(), BEFORE) == []
    assert no_longer_shown(BEFORE, ShownScores(("free",), ("nss", "cc"), BEFORE.settings)) == []
    more = ShownScores(BEFORE.tasks, ("nss", "cc", "kl"), {**BEFORE.settings, "metrics": ["nss", "cc", "kl"]})
    assert no_longer_shown(BEFORE, more) == []


def test_settings_and_tasks_that_differ_are_named():
    now = ShownScores(("free",), ("nss",), {"sigma": 30.0, "seed": 0, "metrics": ["nss"]})
    assert no_longer_shown(BEFORE, now) == [
        "CC of the earlier settings stays in the file but is no longer shown or exported.",
        "Scores of the earlier settings (blur 24.0, now 30.0) stay in the file but are no longer shown or exported.",
        "'search' was scored with the earlier settings only, which are no longer shown or exported: score all tasks "
        "with the same settings.",
    ]


def test_a_setting_that_older_projects_do_not_name_is_none():
    before = ShownScores(("free",), ("nss",), {"formulas": 2})
    now = ShownScores(("free",), ("nss",), {"formulas": 3, "transform": "none"})
    assert no_longer_shown(before, now) == [
        "Scores of the earlier settings (version of the formulas 2, now 3) stay in the file but are no longer shown "
        "or exported."
    ]


def test_another_primary_metric_is_said_without_calling_the_scores_others():
    first = ShownScores(("free",), ("nss", "cc"), {"primary": "nss", "n_bootstrap": 10})
    then = ShownScores(("free",), ("nss", "cc"), {"primary": "cc", "n_bootstrap": 20})
    assert no_longer_shown(first, then) == ["The primary metric is CC now; it was NSS."]


def test_numbers_stand_below_each_other_and_unknown_ones_are_a_dash():
    def source(name: str, mean: float | None, percent: float | None, n_images: int = 60) -> dict:
        ends = (None, None) if percent is None else (percent - 10, percent + 12)
        return {"name": name, "mean": mean, "percent": percent, "n_images": n_images} | dict(
            zip(("ci_low", "ci_high"), ends, strict=True)
        )

    task = {"task": "free", "metric": "auc", "name": "AUC", "lower_bound": True, "n_images": 60}
    task["sources"] = [
        source("Deep", 0.8712, 94.4),
        source("A longer name", 0.4, -3.2, 1),
        source("None", None, None),
    ]
    assert results_in_lines([task]) == [
        "free: AUC over 60 images; percent of the lower bound of the human ceiling, 95 % interval",
        "  Deep           0.871  94 %  [84, 106]",
        "  A longer name  0.400  -3 %   [-13, 9]  (1 image)",
        "  None               -     -",
    ]
