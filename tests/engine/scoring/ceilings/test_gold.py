"""The ceiling of metrics on fixations: brute force, bounds, and the true density at 100 %."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring import metrics
from gazeapp.engine.scoring.ceilings.gold import (
    ALL_MIXTURE,
    GOLD_METRICS,
    LOSO_EXTRAPOLATED,
    LOSO_MIXTURE,
    ImageFixations,
    TaskGold,
)
from gazeapp.engine.scoring.ceilings.people import People, halves
from gazeapp.engine.scoring.cells import cell_index
from tests.engine.scoring.gold_world import (
    SIZE,
    KnownLooks,
    World,
    blob,
    known_looks,
    looks_at_cells,
    shuffled,
)

NOBODY = (np.zeros(0), np.zeros(0))
CHANCE = {"nss": 0.0, "auc": 0.5, "sauc": 0.5, "ig": 0.0, "ll": 0.0}


def study(seed: int, n_images: int, world: World) -> tuple[list[KnownLooks], TaskGold]:
    rng = np.random.default_rng(seed)
    images = [known_looks(rng, world) for _ in range(n_images)]
    return images, TaskGold.build({k: image.looks for k, image in enumerate(images)})


def means(images: list[KnownLooks], gold: TaskGold) -> dict[tuple[str, str], float]:
    """Return the means over images of the ceilings, and of the true density under ``true``."""
    columns: dict[tuple[str, str], list[float]] = {}
    for key, image in enumerate(images):
        negatives = shuffled(images, key)
        scorer = gold.scorer(key, negatives)
        everywhere = np.arange(len(image.looks.u))
        truth = scorer.density(image.density.astype(np.float32), everywhere)
        rows = gold.ceilings(key, negatives).values
        rows |= {(metric, "true"): values.mean() for metric, values in truth.items()}
        for name, value in rows.items():
            columns.setdefault(name, []).append(value - CHANCE[name[0]])
    return {name: float(np.mean(values)) for name, values in columns.items()}


def small_study(n_images: int = 4, n_subjects: int = 4, n: int = 5) -> dict[int, ImageFixations]:
    rng = np.random.default_rng(8)
    names = np.repeat([f"p{k}" for k in range(n_subjects)], n)
    return {
        key: ImageFixations(
            *np.clip(rng.normal(rng.uniform(0.1, 0.9, (2, 1)), 0.1, (2, len(names))), 0, 0.999), names, 80, 60
        )
        for key in range(n_images)
    }


def density_by_hand(looks: ImageFixations, sources: np.ndarray, mixture, centre: np.ndarray) -> np.ndarray:
    """The mixture on 192 x 256 cells, one kernel after another."""
    x, y = looks.u, looks.v * 0.75
    rows, columns = (np.arange(192) + 0.5) / 256, (np.arange(256) + 0.5) / 256

    def kernel(at, centre, width, extent):
        mass = norm.cdf(extent, centre, width) - norm.cdf(0, centre, width)
        return norm.pdf(at, centre, width) / mass * extent

    def product(j, px, py, width):
        return np.outer(kernel(py, y[j], width, 0.75), kernel(px, x[j], width, 1.0))

    h = mixture.bandwidth
    pilots = np.array([sum(product(k, x[j], y[j], h)[0, 0] for k in sources) for j in sources])
    widths = h * (pilots / np.exp(np.log(pilots).mean())) ** -mixture.alpha
    kernels = sum(product(j, columns, rows, w) for j, w in zip(sources, widths, strict=True)) / len(sources)
    return mixture.kernels * kernels + mixture.centre * centre + mixture.uniform


def test_one_person_after_another_is_scored_on_the_map_of_the_others():
    images = small_study()
    gold = TaskGold.build(images)
    looks, negatives = images[1], (images[0].u, images[0].v)
    mixture, centre = gold.mixture(1), 2.0 ** gold.centre(1, 80, 60)
    found = gold.ceilings(1, negatives)
    shuffled_cells = metrics.Pixels(cell_index(*negatives, (192, 256)))
    for k, name in enumerate(found.subjects):
        own = looks.subject == name
        density = density_by_hand(looks, np.flatnonzero(~own), mixture, centre)
        cells = metrics.Pixels(cell_index(looks.u[own], looks.v[own], (192, 256)))
        at = density.ravel()[cells.index]
        expected = {
            "nss": metrics.nss(density, cells),
            "auc": metrics.auc(density, cells),
            "sauc": metrics.sauc(density, cells, shuffled_cells),
            "ll": np.log2(at / density.mean()).mean(),
            "ig": np.log2(at / density.mean() / centre.ravel()[cells.index]).mean(),
        }
        for metric, value in expected.items():
            assert found.by_subject[metric, LOSO_MIXTURE][k] == pytest.approx(value, abs=2e-3), metric


@pytest.mark.parametrize(("metric", "rate"), [("ll", 2 / 3), ("nss", 2 / 3), ("auc", 0.7)])
def test_the_extrapolation_is_that_of_two_halves(metric, rate):
    gold = TaskGold.build(small_study(n_subjects=6), seed=4)
    scorer, mixture = gold.scorer(2, NOBODY), gold.mixture(2)
    whole = scorer.held_out(mixture, ~np.eye(6, dtype=bool))[metric]
    three, two = halves(6, np.random.default_rng([4, 2]))
    lost = whole - 0.5 * (
        scorer.held_out(mixture.from_fewer(5 / 3), three)[metric]
        + scorer.held_out(mixture.from_fewer(5 / 2), two)[metric]
    )
    gain = 0.5 * ((5 / 3) ** rate + (5 / 2) ** rate) - 1
    found = gold.ceilings(2, NOBODY, [metric])
    assert found.values[metric, LOSO_EXTRAPOLATED] == pytest.approx((whole + lost / gain).mean(), abs=1e-9)


def test_a_loss_of_the_stated_power_is_extrapolated_exactly(monkeypatch):
    gold = TaskGold.build(small_study(n_subjects=8))

    def score(scorer, _mixture, predicts):
        n_predicting = predicts.sum(axis=1)[scorer.people.owner]
        return {"nss": 3.0 - 1.7 * n_predicting ** (-2 / 3), "auc": 0.9 - 0.4 * n_predicting**-0.7}

    monkeypatch.setattr("gazeapp.engine.scoring.ceilings.gold.Scorer.held_out", score)
    found = gold.ceilings(0, NOBODY, ("nss", "auc")).values
    assert found["nss", LOSO_EXTRAPOLATED] == pytest.approx(3.0)
    assert found["auc", LOSO_EXTRAPOLATED] == pytest.approx(0.9)


def test_images_weigh_people_by_their_fixations_and_can_do_without_each():
    rng = np.random.default_rng(1)
    names = np.array(["a"] * 2 + ["b"] * 5 + ["c"])
    images = {k: ImageFixations(*rng.random((2, 8)), names, 1, 1) for k in range(3)}
    found = TaskGold.build(images).ceilings(0, (images[1].u, images[1].v))
    assert found.subjects == ("a", "b", "c")
    assert found.n_fixations.tolist() == [2, 5, 1]
    left = found.without()
    for key, value in found.values.items():
        a, b, c = found.by_subject[key]
        assert value == pytest.approx((2 * a + 5 * b + c) / 8)
        np.testing.assert_allclose(left[key], [(5 * b + c) / 6, (2 * a + c) / 3, (2 * a + 5 * b) / 7])


def test_one_gaussian_is_extrapolated_to_its_closed_forms():
    sd, rng, images = 0.07, np.random.default_rng(0), []
    for x, y in rng.uniform(0.35, 0.65, (8, 2)):
        density = blob(x, y, sd)
        cells = rng.choice(SIZE**2, 80, p=density.ravel() / density.sum())
        names = np.repeat([f"p{k}" for k in range(8)], 10)
        images.append(KnownLooks(density, looks_at_cells(rng, cells, names)))
    gold = TaskGold.build({k: image.looks for k, image in enumerate(images)})
    found = means(images, gold)
    peak = 1 / (2 * np.pi * sd**2)
    expected = {"nss": np.sqrt(peak / 2 - 1), "ll": np.log2(peak / np.e)}
    for metric, value in expected.items():
        # What the fixations at hand happen to score on the truth is shared by truth and ceiling.
        luck = found[metric, "true"] / value
        assert luck == pytest.approx(1, abs=0.03)
        assert found[metric, LOSO_EXTRAPOLATED] / luck == pytest.approx(value, rel=0.025)
        assert found[metric, LOSO_MIXTURE] / luck < 0.965 * value


def test_the_true_density_is_near_100_percent_of_the_ceiling_and_between_the_bounds():
    found = means(*study(0, 12, World(n_subjects=8)))
    for metric, most in {"nss": 1.5, "auc": 1.0, "sauc": 2.0, "ig": 2.0, "ll": 2.0}.items():
        low, truth, high = (found[metric, name] for name in (LOSO_MIXTURE, "true", ALL_MIXTURE))
        assert low < truth < high
        assert low < found[metric, LOSO_EXTRAPOLATED] < high
        assert 100 * found[metric, LOSO_EXTRAPOLATED] / truth == pytest.approx(100, abs=most), metric
        assert abs(found[metric, LOSO_EXTRAPOLATED] - truth) < truth - low


def test_people_who_look_anywhere_have_no_ceiling_above_chance():
    rng = np.random.default_rng(6)
    names = np.repeat([f"p{k}" for k in range(6)], 8)
    images = [
        KnownLooks(np.ones((SIZE, SIZE)), ImageFixations(*rng.random((2, 48)), names, SIZE, SIZE))
        for _ in range(10)
    ]
    gold = TaskGold.build({k: image.looks for k, image in enumerate(images)})
    found = means(images, gold)
    for metric, most in {"nss": 0.15, "auc": 0.04, "sauc": 0.04, "ig": 0.1, "ll": 0.1}.items():
        for estimator in (LOSO_MIXTURE, LOSO_EXTRAPOLATED):
            assert abs(found[metric, estimator]) < most, (metric, estimator)


@pytest.mark.parametrize("n_subjects", [2, 3])
def test_few_people(n_subjects):
    found = TaskGold.build(small_study(n_subjects=n_subjects)).ceilings(0, (np.full(3, 0.2), np.full(3, 0.4)))
    assert (("nss", LOSO_EXTRAPOLATED) in found.values) == (n_subjects == 3)
    assert all(np.isfinite(value) for value in found.values.values())
    assert found.values["ll", LOSO_MIXTURE] < found.values["ll", ALL_MIXTURE]
    assert len(found.by_subject["nss", LOSO_MIXTURE]) == n_subjects


def test_one_person_has_no_ceiling():
    images = small_study() | {9: small_study(1, 1)[0]}
    gold = TaskGold.build(images)
    found = gold.ceilings(9, NOBODY)
    assert (found.values, found.by_subject, found.subjects) == ({}, {}, ("p0",))
    assert gold.mixture(9).n_images == 4  # The others say how one would predict them.
    assert TaskGold.build({9: images[9]}).mixture(9) is None


def test_a_study_of_one_image_uses_its_own_table_and_no_centre_bias():
    gold = TaskGold.build(small_study(1))
    assert gold.mixture(0).own_table
    assert (gold.centre(0, 80, 60) == 0).all()
    found = gold.ceilings(0, NOBODY)
    assert found.values["ig", LOSO_MIXTURE] == found.values["ll", LOSO_MIXTURE]
    assert np.isnan(found.values["sauc", LOSO_MIXTURE])


def test_an_image_nobody_looked_at_is_refused_in_words():
    nothing = ImageFixations(np.zeros(0), np.zeros(0), np.zeros(0, dtype=str), 80, 60)
    gold = TaskGold.build(small_study() | {7: nothing})
    with pytest.raises(GazeError, match="no fixations"):
        gold.ceilings(7, NOBODY)
    assert gold.centre(7, 80, 60).shape == (192, 256)


def test_everybody_at_one_place_and_people_of_one_fixation():
    names = np.array([f"p{k}" for k in range(5)])
    images = {k: ImageFixations(np.full(5, 0.5), np.full(5, 0.25), names, 80, 60) for k in range(3)}
    found = TaskGold.build(images).ceilings(0, (np.full(4, 0.1), np.full(4, 0.9)))
    for metric in GOLD_METRICS:
        assert np.isfinite(found.values[metric, LOSO_EXTRAPOLATED])
        np.testing.assert_allclose(found.by_subject[metric, LOSO_MIXTURE], found.values[metric, LOSO_MIXTURE])
    assert found.values["auc", LOSO_MIXTURE] > 0.999
    assert found.values["ig", LOSO_MIXTURE] < found.values["ll", LOSO_MIXTURE]


def test_the_same_seed_gives_the_same_and_only_what_is_asked_for():
    images = small_study(n_subjects=7)
    first, again = (TaskGold.build(images, seed=3).ceilings(1, NOBODY, ("nss", "cc")) for _ in range(2))
    assert first.values == again.values
    assert {metric for metric, _ in first.values} == {"nss"}
    other = TaskGold.build(images, seed=4).ceilings(1, NOBODY, ("nss",))
    assert other.values["nss", LOSO_MIXTURE] == first.values["nss", LOSO_MIXTURE]
    assert other.values["nss", LOSO_EXTRAPOLATED] != first.values["nss", LOSO_EXTRAPOLATED]


def test_the_pass_over_images_reports_and_can_be_ended():
    done = []
    TaskGold.build(small_study(3, 2, 2), on_image=done.append)
    assert done == [1, 2, 3]

    def stop(number: int) -> None:
        raise GazeError(f"stopped at {number}")

    with pytest.raises(GazeError, match="stopped at 1"):
        TaskGold.build(small_study(3, 2, 2), on_image=stop)


def test_people_are_counted_by_their_names():
    looks = ImageFixations(
        np.array([0.1, 0.9, 0.5]), np.array([0.1, 0.9, 0.5]), np.array(["b", "a", "b"]), 9, 9
    )
    people = People(looks)
    assert people.subjects == ("a", "b")
    assert people.owner.tolist() == [1, 0, 1]
    assert people.n_fixations.tolist() == [1, 2]


WORLDS = {
    "like the study of 512 px": World(),
    "narrow": World(15, (8, 12), (3, 6), (0.02, 0.04), 30, 0.2, 0.05),
    "mixed": World(15, (6, 10), (2, 5), (0.015, 0.09), 15, 0.1, 0.03),
    "broad": World(12, (8, 12), (2, 4), (0.1, 0.2), 15, 0, 0.05),
    "six people": World(6, (10, 14), (2, 5), (0.03, 0.07), 15, 0.1, 0.03),
    "few fixations": World(15, (4, 7), (3, 8), (0.02, 0.06), 30, 0.3, 0.05),
}


@pytest.mark.simulation
@pytest.mark.parametrize("name", WORLDS)
def test_the_true_density_is_at_100_percent_in_many_worlds(name):
    found = [means(*study(seed, 40, WORLDS[name])) for seed in range(4)]
    for metric, most in {"nss": 1.5, "auc": 1.5, "sauc": 4.0, "ig": 2.5, "ll": 2.0}.items():
        shares = [100 * one[metric, LOSO_EXTRAPOLATED] / one[metric, "true"] for one in found]
        assert np.mean(shares) == pytest.approx(100, abs=most), metric
        plain = [100 * one[metric, LOSO_MIXTURE] / one[metric, "true"] for one in found]
        assert np.mean(plain) < 99
