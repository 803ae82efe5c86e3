"""Models and effects under several tasks: against differences by hand, and studies with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.analyses.by_task import factorial_by_task, model_by_task
from gazeapp.engine.scoring.findings import FACTORIAL, MODEL_TASK, Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flip
from gazeapp.engine.scoring.statistics.scored import HeldAgainst, Scored
from gazeapp.engine.scoring.statistics.two_way import LeftOutRows, share_of_ceiling
from tests.engine.scoring.people_world import layers, means_and_left_out

MODELS = ("a", "b", "c")
EFFECTS = {"a": 0.4, "b": 0.1, "c": 0.1}
"""Score under the first task minus score under the second."""


def first(means):
    return means[..., 0]


def two_tasks(seed: int, n: int = 20, m: int = 8, effects: dict[str, float] = EFFECTS) -> dict[str, Scored]:
    """Return two tasks of the same images and people, with a ceiling each."""
    rng = np.random.default_rng([seed, n, m])
    level = layers(rng, n, m, (1, 0.3, 0.3), mean=3)
    columns: dict[str, list[np.ndarray]] = {"describe": [], "social": []}
    for effect in effects.values():
        size = layers(rng, n, m, (0.3, 0.15, 0.2), mean=effect)
        for task, sign in (("describe", 0.5), ("social", -0.5)):
            columns[task].append(level + sign * size + rng.normal(0, 0.2, (n, m)))
    found = {}
    for task, mean in (("describe", 5.0), ("social", 4.0)):
        ceiling = layers(rng, n, m, (0.5, 0.2, 0.2), mean=mean)
        table, left_out = means_and_left_out(np.stack([*columns[task], ceiling], axis=2))
        held = HeldAgainst(table[:, len(effects) :], first, 0.5)
        found[task] = Scored(dict(zip(effects, table.T[:-1], strict=True)), held, left_out)
    return found


def by_term(found: list[Finding], unit: str = "") -> dict[str, Finding]:
    return {one.term: one for one in found if one.unit == unit}


def test_each_model_and_each_pair_is_compared_within_images():
    tasks = two_tasks(0)
    found = by_term(model_by_task(tasks, "nss"))
    change = {model: tasks["describe"].scores[model] - tasks["social"].scores[model] for model in MODELS}
    columns = {
        **change,
        "a - b": change["a"] - change["b"],
        "a - c": change["a"] - change["c"],
        "b - c": change["b"] - change["c"],
    }
    assert list(found) == list(columns)
    for term, column in columns.items():
        one = found[term]
        assert one.estimate == pytest.approx(column.mean())
        assert one.p == sign_flip(column)
        assert one.effect == pytest.approx(effect_size(column).value)
        assert (one.analysis, one.metric, one.task, one.against) == (
            MODEL_TASK,
            "nss",
            "",
            "describe - social",
        )
        assert (one.n_images, one.n_subjects) == (20, 8)
    # Models are one family of tests, pairs of them another.
    for terms in (list(columns)[:3], list(columns)[3:]):
        assert [found[term].p_holm for term in terms] == holm([found[term].p for term in terms])


def test_people_of_both_tasks_leave_both_at_once():
    tasks = two_tasks(1)
    found = by_term(model_by_task(tasks, n_resamples=4000))["a"]
    values = [tasks[task].left_out.table[:, 0].reshape(20, 8) for task in tasks]
    # Without a person: (sum - own) / 7, so that own minus mean is -7 times the change.
    paired = (
        -7 * (values[0] - values[1])
        + 8 * (tasks["describe"].scores["a"] - tasks["social"].scores["a"])[:, None]
    )
    over_images, over_people = paired.mean(axis=1), paired.mean(axis=0)
    rest = paired - over_images[:, None] - over_people + paired.mean()
    parts = [over_images.var(ddof=1) / 20, over_people.var(ddof=1) / 8, (rest**2).sum() / (19 * 7 * 160)]
    variance = parts[0] + parts[1] - parts[2]
    df = variance**2 / (parts[0] ** 2 / 19 + parts[1] ** 2 / 7 + parts[2] ** 2 / (19 * 7))
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, df) * variance**0.5, rel=0.04)


def test_people_of_one_task_alone_are_counted_as_different_people():
    tasks = two_tasks(2)
    social = tasks["social"]
    others = LeftOutRows(social.left_out.image, social.left_out.subject + 8, social.left_out.table)
    apart = {**tasks, "social": Scored(social.scores, social.held, others)}
    same, different = (by_term(model_by_task(one, n_resamples=2000))["a"] for one in (tasks, apart))
    assert (same.n_subjects, different.n_subjects) == (8, 16)
    # What a person adds to both tasks is in neither's difference only where the person is in both.
    assert different.high - different.low > 1.1 * (same.high - same.low)
    assert different.p == same.p


def test_percent_is_of_each_tasks_own_ceiling():
    tasks = two_tasks(3)
    found = by_term(model_by_task(tasks, unit="bits", n_resamples=300), "%")
    percent = {
        (task, model): share_of_ceiling(scored.scores[model], scored.held.parts, first, 0.5, 100).percent
        for task, scored in tasks.items()
        for model in MODELS
    }
    change = {model: percent["describe", model] - percent["social", model] for model in MODELS}
    assert found["a"].estimate == pytest.approx(change["a"])
    assert found["a - b"].estimate == pytest.approx(change["a"] - change["b"])
    assert found["a"].low < found["a"].estimate < found["a"].high
    assert np.isnan(found["a"].p)
    without = {**tasks, "social": Scored(tasks["social"].scores)}
    assert by_term(model_by_task(without, n_resamples=100), "%") == {}


def test_only_images_and_models_of_both_tasks_are_compared():
    tasks = two_tasks(4)
    describe, social = tasks["describe"], tasks["social"]
    fewer = dict(social.scores)
    fewer["a"] = np.where(np.arange(20) < 7, np.nan, fewer["a"])
    fewer["c"] = np.full(20, np.nan)
    found = by_term(
        model_by_task({"describe": Scored(describe.scores), "social": Scored(fewer)}, n_resamples=100)
    )
    assert list(found) == ["a", "b", "a - b"]
    assert [one.n_images for one in found.values()] == [13, 20, 13]
    assert {one.n_subjects for one in found.values()} == {0}
    nothing = {"describe": np.full(20, np.nan), "social": np.arange(20.0)}
    apart = {
        "describe": Scored({"a": np.where(np.arange(20) < 9, 1.0, np.nan)}),
        "social": Scored({"a": np.where(np.arange(20) < 9, np.nan, 1.0)}),
    }
    (none,) = model_by_task(apart)
    assert (none.n_images, none.note) == (0, "No image has all of the scores.")
    assert np.isnan(none.estimate)
    assert (
        model_by_task(
            {"describe": Scored({"a": nothing["describe"]}), "social": Scored({"a": nothing["social"]})}
        )
        == []
    )


def test_three_tasks_are_compared_in_pairs_and_corrected_together():
    tasks = two_tasks(5)
    tasks["free"] = Scored(
        {model: column + 0.1 * k for k, (model, column) in enumerate(tasks["social"].scores.items())}
    )
    found = model_by_task(tasks, n_resamples=200)
    models = [one for one in found if " - " not in one.term and one.unit == ""]
    assert [one.against for one in models] == ["describe - social"] * 3 + ["describe - free"] * 3 + [
        "social - free"
    ] * 3
    assert [one.p_holm for one in models] == holm([one.p for one in models])


def test_the_task_changes_effects_by_the_difference_of_the_tasks():
    names = {
        "cl": ("cnn", "lstm"),
        "ct": ("cnn", "transformer"),
        "vl": ("vit", "lstm"),
        "vt": ("vit", "transformer"),
    }
    tasks = two_tasks(6, effects=dict(zip(names, (0.0, 0.1, 0.5, 0.9), strict=True)))
    found = by_term(factorial_by_task(tasks, names, "nss", n_resamples=300))
    change = {
        model: (tasks["describe"].scores[model] - tasks["social"].scores[model]).mean() for model in names
    }
    assert {term: one.against for term, one in found.items()} == {
        "encoder:task": "vit - cnn : describe - social",
        "decoder:task": "transformer - lstm : describe - social",
        "encoder:decoder:task": "vit - cnn : transformer - lstm : describe - social",
    }
    assert found["encoder:task"].estimate == pytest.approx(
        (change["vl"] + change["vt"] - change["cl"] - change["ct"]) / 2
    )
    assert found["encoder:decoder:task"].estimate == pytest.approx(
        change["vt"] - change["vl"] - change["ct"] + change["cl"]
    )
    assert {one.analysis for one in found.values()} == {FACTORIAL}
    assert [one.p_holm for one in found.values()] == holm([one.p for one in found.values()])
    assert factorial_by_task(tasks, {}) == []


def held_and_low(
    n_studies: int, n: int, m: int, n_resamples: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return how often intervals hold the planted differences, and how often p is below 5 %."""
    truth = {**EFFECTS, "a - b": 0.3, "a - c": 0.3, "b - c": 0.0}
    held, low = dict.fromkeys(truth, 0.0), dict.fromkeys(truth, 0.0)
    for seed in range(n_studies):
        for one in by_term(model_by_task(two_tasks(seed, n, m), n_resamples=n_resamples, seed=seed)).values():
            held[one.term] += (one.low <= truth[one.term] <= one.high) / n_studies
            low[one.term] += (one.p < 0.05) / n_studies
    return held, low


def test_planted_differences_are_recovered_within_their_intervals():
    held, low = held_and_low(25, 24, 8, 300)
    assert np.mean(list(held.values())) > 0.9
    assert low["a"] > 0.8
    assert low["b - c"] < 0.4


@pytest.mark.simulation
@pytest.mark.parametrize(("n", "m"), [(24, 8), (60, 12)])
def test_planted_differences_are_recovered_at_the_nominal_rate(n, m):
    held, _ = held_and_low(300, n, m, 800)
    for term, rate in held.items():
        assert 0.915 <= rate <= 0.985, term


@pytest.mark.simulation
def test_where_the_task_makes_no_difference_5_percent_of_the_tests_are_below_5_percent():
    low = {"a": 0, "b": 0, "a - b": 0}
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        level = rng.normal(3, 1, 24)
        tasks = {
            task: Scored({model: level + 0.3 * rng.standard_t(4, 24) for model in "ab"})
            for task in ("describe", "social")
        }
        for one in model_by_task(tasks, n_resamples=500, seed=seed):
            low[one.term] += one.p < 0.05
    for term, count in low.items():
        assert stats.binomtest(count, 1000, 0.05).pvalue > 0.001, term
