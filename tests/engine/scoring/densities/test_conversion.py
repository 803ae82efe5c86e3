"""Maps become densities: likelihood and its derivatives, what is recovered, and what is never learnt."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.densities import conversion as module
from gazeapp.engine.scoring.densities.conversion import (
    Conversion,
    ConversionTrainer,
    Form,
    TrainingTarget,
    first_images,
    on_cells,
)
from gazeapp.engine.scoring.densities.fit import Cells, Problem, fit, folds
from gazeapp.engine.scoring.densities.information import bits_at
from gazeapp.engine.types import Rect
from tests.engine.scoring.world import known_image

WHOLE = Rect(0.0, 0.0, 1.0, 1.0)
SIZE = 48


class World:
    """Images of blobs with a central and a uniform share; the centre bias is the mean over many of them."""

    def __init__(self, n_images: int, n_fixations: int = 150, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.densities = [self._density(rng) for _ in range(n_images)]
        everywhere = np.mean([self._density(np.random.default_rng([9, k])) for k in range(60)], axis=0)
        self.centre = np.log2(gaussian_filter(everywhere, 3.0) * SIZE**2).astype(np.float32)
        self.u, self.v = [], []
        for density in self.densities:
            cell = rng.choice(density.size, n_fixations, p=density.ravel())
            self.u.append((cell % SIZE + rng.random(n_fixations)) / SIZE)
            self.v.append((cell // SIZE + rng.random(n_fixations)) / SIZE)

    @staticmethod
    def _density(rng):
        blobs = known_image(rng, size=SIZE, n_subjects=1, n_fixations=4, sd=(2.0, 6.0)).density
        along = np.exp(-0.5 * ((np.arange(SIZE) + 0.5 - SIZE / 2) / (0.2 * SIZE)) ** 2)
        central = np.outer(along, along)
        density = 0.9 * blobs / blobs.sum() + 0.07 * central / central.sum() + 0.03 / SIZE**2
        return density / density.sum()

    def target(self, image):
        return TrainingTarget.of(self.u[image], self.v[image], self.centre)

    def fitted(self, maps, seed=0):
        trainer = ConversionTrainer(seed)
        for image, values in enumerate(maps):
            trainer.add(image, values, WHOLE, self.target(image))
        return trainer.fit()

    def expected(self, maps, fitted=None):
        """Return the expected log-likelihood of each image's converted map, bits, from its density."""
        fitted = fitted or self.fitted(maps)
        converted = [fitted.of(k).log2_density(one, self.centre) for k, one in enumerate(maps)]
        return np.array([(p * log2).sum() for p, log2 in zip(self.densities, converted, strict=True)])

    def expected_truth(self):
        return np.array([(p * np.log2(p * p.size)).sum() for p in self.densities])

    def expected_centre(self):
        return np.array([(p * self.centre).sum() for p in self.densities])


@pytest.fixture(scope="module")
def world():
    return World(24)


def noise(n, seed, sigma=3.0):
    rng = np.random.default_rng([5, seed])
    return [gaussian_filter(rng.normal(size=(SIZE, SIZE)), sigma).astype(np.float32) for _ in range(n)]


def small_problem():
    """Three images of unequal size, five levels of values, and few fixations."""
    rng = np.random.default_rng(3)
    sizes = [12, 20, 15]
    starts = np.array([0, 12, 32])
    values = rng.integers(0, 5, 47).astype(np.float32)
    centre = rng.normal(size=47).astype(np.float32)
    image = np.array([0, 0, 0, 1, 1, 2])
    within = np.array([0, 3, 3, 19, 2, 7])
    cells = Cells(values, centre, starts, starts[image] + within, image)
    return cells, sizes, Problem(cells)


def literal_likelihood(cells, sizes, nodes, parameters):
    """Return each image's log-likelihood by the formula, nats a fixation relative to uniform."""
    phi = np.interp(cells.values, nodes, np.concatenate([[0.0], np.cumsum(parameters[:-1])]))
    exponent = phi + parameters[-1] * cells.centre.astype(np.float64)
    found = []
    for k, (start, size) in enumerate(zip(cells.starts, sizes, strict=True)):
        density = np.exp(exponent[start : start + size])
        density /= density.sum()
        at = cells.fixated[cells.fixated_image == k] - start
        found.append(np.log(density[at] * size).mean())
    return np.array(found)


class TestLikelihood:
    def test_is_that_of_the_formula(self):
        cells, sizes, problem = small_problem()
        assert problem.nodes.tolist() == [0, 1, 2, 3, 4]
        for parameters in ([0.5, 0.0, 1.5, 0.2, 0.7], [0.0, 0.0, 0.0, 0.0, 1.0], [3.0, 2.0, 4.0, 5.0, -1.0]):
            found = problem.statistics(np.array(parameters)).likelihood
            expected = literal_likelihood(cells, sizes, problem.nodes, np.array(parameters))
            assert found == pytest.approx(expected, abs=2e-6)

    def test_derivatives_are_those_of_the_formula(self):
        cells, sizes, problem = small_problem()
        at, step = np.array([0.5, 0.3, 1.5, 0.2, 0.7]), 1e-4

        def literal(parameters):
            return literal_likelihood(cells, sizes, problem.nodes, parameters)

        found, each = problem.statistics(at), np.eye(5) * step
        for k in range(5):
            gradient = (literal(at + each[k]) - literal(at - each[k])) / (2 * step)
            assert found.gradient[:, k] == pytest.approx(gradient, abs=1e-5)
            for m in range(5):
                mixed = (
                    literal(at + each[k] + each[m])
                    - literal(at + each[k] - each[m])
                    - literal(at - each[k] + each[m])
                    + literal(at - each[k] - each[m])
                ) / (4 * step**2)
                assert found.curvature[:, k, m] == pytest.approx(-mixed, abs=1e-4)

    def test_the_fit_is_its_maximum_within_the_bounds(self):
        cells, sizes, problem = small_problem()
        prior, precision = problem.start(), problem.precision()

        def cost(parameters, train):
            likelihood = literal_likelihood(cells, sizes, problem.nodes, parameters)[train].sum()
            return -likelihood + 0.5 * (parameters - prior) @ precision @ (parameters - prior)

        bounds = [(0.0, None)] * 4 + [(-1.0, None)]
        for train in ([True, True, True], [True, False, True]):
            mask = np.array(train)
            found, _ = fit(problem, mask, problem.start())
            best = minimize(cost, prior, args=(mask,), bounds=bounds, method="L-BFGS-B")
            assert cost(found, mask) == pytest.approx(best.fun, abs=1e-5)
            assert found == pytest.approx(best.x, abs=0.02)
            assert (found[:-1] >= 0).all()


class TestConversion:
    def test_is_the_formula_at_each_cell(self):
        one = Conversion((0.0, 1.0, 4.0), (0.0, 0.5, 2.0), 0.6, Form(), 10)
        values = np.array([[0.0, 0.5, 1.0], [2.5, 4.0, 9.0]])
        centre = np.array([[0.0, 1.0, -1.0], [2.0, 0.5, 0.0]], dtype=np.float32)
        phi = np.array([[0.0, 0.25, 0.5], [1.25, 2.0, 2.0]])
        density = np.exp(phi) * 2.0 ** (0.6 * centre)
        density = 0.999 * density / density.mean() + 0.001
        assert one.log2_density(values, centre) == pytest.approx(np.log2(density), abs=1e-6)

    def test_blur_averages_and_relative_divides_by_the_mean(self):
        values = np.random.default_rng(0).random((30, 40)).astype(np.float32)
        blurred = Form(blur=0.05).of(values)
        middle = gaussian_filter(values.astype(np.float64), 2.0, truncate=8.0)
        assert blurred[14:17, 18:22] == pytest.approx(middle[14:17, 18:22], abs=1e-4)
        flat = np.full((30, 40), 0.3, dtype=np.float32)
        assert (Form(blur=0.05).of(flat) == flat).all()
        assert Form(relative=True).of(values - 0.5) == pytest.approx(
            (values - 0.5) / np.abs(values - 0.5).mean(), rel=1e-5
        )
        assert (Form(relative=True).of(np.zeros((3, 3), np.float32)) == 0).all()

    def test_a_map_with_nan_is_an_error(self):
        one = Conversion((0.0, 1.0), (0.0, 1.0), 1.0, Form(), 2)
        with pytest.raises(GazeError, match="not numbers"):
            one.log2_density(np.array([[np.nan, 1.0]]), np.zeros((1, 2), np.float32))
        target = TrainingTarget.of([0.5], [0.5], np.zeros((4, 4), np.float32))
        with pytest.raises(GazeError, match="not numbers"):
            ConversionTrainer().add(1, np.array([[np.inf, 1.0]]), WHOLE, target)


class TestOnCells:
    def test_outside_the_rectangle_is_the_lowest_value_inside(self):
        found = on_cells(np.array([[2.0, 6.0]]), Rect(0.5, 0.0, 0.5, 0.5), (4, 8))
        assert found[:2, 4:] == pytest.approx(np.array([[2.0, 3.0, 5.0, 6.0]] * 2))
        assert (found[2:] == 2.0).all()
        assert (found[:, :4] == 2.0).all()

    def test_negative_maps_stay_lowest_outside(self):
        found = on_cells(np.array([[-5.0, -1.0]]), Rect(0.0, 0.0, 1.0, 0.5), (2, 4))
        assert (found[1] == -5.0).all()

    def test_fine_maps_are_averaged_over_the_pixels_of_each_cell(self):
        fine = np.random.default_rng(0).random((53, 71)).astype(np.float32)
        rows = (2 * np.arange(53) + 1) * 12 // (2 * 53)
        columns = (2 * np.arange(71) + 1) * 16 // (2 * 71)
        expected = [[fine[np.ix_(rows == i, columns == j)].mean() for j in range(16)] for i in range(12)]
        assert on_cells(fine, WHOLE, (12, 16)) == pytest.approx(np.array(expected), rel=1e-5)
        fine[3, 3] = np.inf
        with pytest.raises(GazeError, match="not numbers"):
            on_cells(fine, WHOLE, (12, 16))

    def test_a_rectangle_between_cells_covers_nothing(self):
        assert (on_cells(np.ones((2, 2)), Rect(0.01, 0.01, 0.02, 0.02), (4, 4)) == 0).all()


class TestWhatIsRecovered:
    @pytest.mark.parametrize(
        "change",
        [
            lambda p: p,
            lambda p: p**2,
            lambda p: np.sqrt(p),
            lambda p: np.exp(p / p.max()),
            lambda p: np.log(p),
            lambda p: 1e-9 * p,
        ],
        ids=["density", "square", "root", "exponential", "logarithm", "tiny"],
    )
    def test_monotone_transforms_of_the_density_are_undone(self, world, change):
        lost = world.expected_truth() - world.expected([change(p) for p in world.densities])
        assert 0.0 < lost.mean() < 0.02
        assert lost.max() < 0.1

    def test_a_scale_of_its_own_for_each_image_is_undone(self, world):
        rng = np.random.default_rng(1)
        maps = [np.maximum(p - 1e-4, 0.0) for p in world.densities]
        scaled = [one * rng.lognormal(sigma=1.0) for one in maps]
        assert world.fitted(scaled).of_all.form.relative
        assert world.expected(scaled).mean() > world.expected(maps).mean() - 0.02

    def test_noise_becomes_the_centre_bias(self, world):
        gain = world.expected(noise(24, 0)) - world.expected_centre()
        assert -0.03 < gain.mean() < 0.005
        assert gain.min() > -0.15

    def test_noise_on_few_images_gains_nothing(self):
        gains = []
        for seed in range(5):
            few = World(4, 80, seed)
            gains.append((few.expected(noise(4, seed)) - few.expected_centre()).mean())
        assert min(gains) > -0.25
        assert np.mean(gains) < 0.0

    def test_maps_upside_down_gain_nothing(self, world):
        gain = world.expected([-p for p in world.densities]) - world.expected_centre()
        assert -0.02 < gain.mean() < 0.005

    def test_a_blur_is_found_where_maps_are_noisy(self, world):
        rng = np.random.default_rng(2)
        maps = [rng.poisson(400 * p) for p in world.densities]
        fitted = world.fitted(maps)
        assert fitted.of_all.form.blur >= 0.03
        assert world.expected(maps, fitted).mean() > world.expected_centre().mean() + 0.5

    def test_constant_maps_are_the_centre_bias(self, world):
        fitted = world.fitted([np.ones((5, 5))] * 24)
        assert fitted.of_all.heights == (0.0,)
        assert fitted.of_all.form == Form()
        assert fitted.of_all.exponent == pytest.approx(1.0, abs=0.3)
        gain = world.expected([np.ones((SIZE, SIZE))] * 24, fitted) - world.expected_centre()
        assert abs(gain.mean()) < 0.01

    def test_one_constant_map_among_others_is_a_power_of_the_centre_bias(self, world):
        fitted = world.fitted(world.densities)
        found = fitted.of(0).log2_density(np.ones((SIZE, SIZE)), world.centre)
        power = 2.0 ** (fitted.of(0).exponent * world.centre.astype(np.float64))
        assert found == pytest.approx(np.log2(0.999 * power / power.mean() + 0.001), abs=1e-5)

    def test_zeros_keep_a_probability(self, world):
        maps = [np.where(p > np.quantile(p, 0.8), p, 0.0) for p in world.densities]
        fitted = world.fitted(maps)
        for image in range(10):
            log2_density = fitted.of(image).log2_density(maps[image], world.centre)
            bits = bits_at(log2_density, world.u[image], world.v[image])
            assert bits.min() > -10.0
            assert np.exp2(log2_density.astype(np.float64)).mean() == pytest.approx(1.0, abs=1e-5)
        assert world.expected(maps, fitted).mean() > world.expected_truth().mean() - 0.2


class TestNothingIsLearntFromTheImageItself:
    def test_its_fixations_change_its_own_conversion_by_nothing_to_speak_of(self):
        few, other = World(10, 100, 4), World(10, 100, 4)
        before = few.fitted(few.densities)
        rng = np.random.default_rng(6)
        other.u[3], other.v[3] = rng.random((2, 100))
        after = other.fitted(few.densities)

        def change(key, image):
            old, new = (
                fitted.of(key).log2_density(few.densities[image], few.centre) for fitted in (before, after)
            )
            return np.abs(old - new).max()

        companions = [key for key in range(10) if before.of(key) is before.of(3)]
        assert 3 in companions
        assert len(companions) == 2
        assert change(3, 3) < 0.01
        assert min(change(key, 3) for key in range(10) if key not in companions) > 0.05

    def test_each_image_is_held_out_once(self):
        for n in (2, 3, 7, 41):
            chosen = folds(n, 5)
            assert len(chosen) == min(n, 5)
            assert sorted(np.concatenate(chosen)) == list(range(n))

    def test_conversions_tell_how_many_images_they_saw(self, world):
        fitted = world.fitted(world.densities)
        assert fitted.of_all.n_images == 24
        assert {fitted.of(image).n_images for image in range(24)} == {19, 20}
        assert fitted.of(999) is fitted.of_all


class TestTrainer:
    def test_one_image_cannot_be_converted(self):
        few = World(2, 30)
        assert few.fitted(few.densities[:1]) is None
        assert few.fitted(few.densities) is not None

    def test_images_without_fixations_teach_nothing(self):
        few = World(2, 30)
        few.u[1], few.v[1] = np.zeros(0), np.zeros(0)
        assert few.fitted(few.densities) is None

    def test_the_order_of_images_does_not_matter_and_the_seed_does(self):
        few = World(8, 60)
        trainers = [ConversionTrainer(seed) for seed in (0, 0, 1)]
        for trainer, order in zip(trainers, (range(8), reversed(range(8)), range(8)), strict=True):
            for image in order:
                trainer.add(image, few.densities[image], WHOLE, few.target(image))
        one, same, other = (trainer.fit() for trainer in trainers)
        assert one == same
        assert one.of_all.exponent == pytest.approx(other.of_all.exponent, abs=1e-3)
        assert [one.of(k) for k in range(8)] != [other.of(k) for k in range(8)]

    def test_images_of_unequal_shapes_and_partial_maps(self):
        rng, few = np.random.default_rng(0), World(6, 60)
        trainer = ConversionTrainer()
        for image, shape in enumerate([(256, 192), (192, 256), (256, 100), (64, 48), (256, 256), (30, 256)]):
            target = TrainingTarget.of(few.u[image], few.v[image], np.zeros(shape, np.float32))
            assert max(target.centre.shape) == module.FIT_LONG_SIDE
            trainer.add(image, rng.random((7, 9)), Rect(0.25, 0.0, 0.75, 1.0), target)
        found = trainer.fit().of(0).log2_density(rng.random((256, 192)), np.zeros((256, 192), np.float32))
        assert np.isfinite(found).all()

    def test_many_images_are_drawn_by_the_seed(self):
        drawn = first_images(range(2000), 7)
        assert len(drawn) == len(set(drawn)) == 400
        assert drawn == first_images(reversed(range(2000)), 7) != first_images(range(2000), 8)
        assert abs(np.mean(drawn) - 1000) < 100
        assert sorted(first_images(range(30), 7)) == list(range(30))


@pytest.mark.simulation
@pytest.mark.parametrize("n_people", [2, 6, 15])
def test_the_true_density_reaches_its_own_information(n_people):
    """60 images: cross-validated information gain of the truth against its closed form."""
    missing = []
    for seed in range(20):
        study = World(60, 10 * n_people, seed)
        fitted = study.fitted(study.densities)
        gain = study.expected(study.densities, fitted) - study.expected_centre()
        truth = study.expected_truth() - study.expected_centre()
        missing.append(1.0 - gain.mean() / truth.mean())
    assert 0.0 < np.mean(missing) < 0.01


@pytest.mark.simulation
@pytest.mark.parametrize("n_images", [2, 3, 5, 10, 30])
def test_noise_never_gains(n_images):
    gains = []
    for seed in range(40):
        study = World(n_images, 100, seed)
        gains.append((study.expected(noise(n_images, seed)) - study.expected_centre()).mean())
    assert -0.2 < np.mean(gains) < 0.0
