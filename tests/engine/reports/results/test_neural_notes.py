"""Notes about numbers of brain responses: regions picked by hand, few images, none where all is well."""

from dataclasses import replace

import pytest

from gazeapp.engine.reports.neural.chosen import PICKED
from gazeapp.engine.reports.results.neural import NeuralResults
from gazeapp.engine.reports.results.neural_measures import NeuralAsked
from gazeapp.engine.reports.results.neural_notes import LEAST_IMAGES, notes
from tests.ui.small_neural import findings

NAN = float("nan")


def results(n_images, *, intervals=True, **more):
    found = [replace(one, n_images=n_images) for one in findings(["fusiform", "lingual"])]
    if not intervals:
        found = [replace(one, low=NAN, high=NAN) for one in found]
    return NeuralResults("mine", findings=tuple(found), **more)


def test_nothing_is_noted_of_enough_images_and_an_atlas_that_was_brought():
    assert notes(results(LEAST_IMAGES, atlas="desikan", limits="Gyri."), NeuralAsked("general")) == []


def test_few_images_are_said_to_be_few_and_why_there_are_no_intervals():
    (uncertain,) = notes(results(LEAST_IMAGES - 1), NeuralAsked("general"))
    assert uncertain.startswith("r of 29\u00a0images is uncertain")
    why, few = notes(results(20, intervals=False), NeuralAsked("general"))
    assert "no intervals and no p of differences" in why
    assert "at least 6 images in every fold" in why
    assert few.startswith("r of so few images is uncertain")


@pytest.mark.parametrize(
    ("limits", "said"), [("Picked where it is red.", "Picked where it is red."), ("", PICKED)]
)
@pytest.mark.parametrize("atlas", ["own", "own, left and right"])
def test_regions_picked_by_hand_have_their_caution(atlas, limits, said):
    assert notes(results(100, atlas=atlas, limits=limits), NeuralAsked("general")) == [said]
