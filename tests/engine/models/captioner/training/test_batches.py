"""What a step reads is drawn by its number alone: these draws must never change, or trainings are not repeated."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gazeapp.engine.models.captioner.training.batches import (
    Order,
    StepReader,
    augment,
    draw_variation,
    join_tokens,
    step_chance,
)
from gazeapp.engine.types import ImageArray, IntArray
from tests.engine.models.captioner.training.tiny import Pictures, tiny


def test_the_order_of_pictures_is_pinned() -> None:
    order = Order(10, seed=1)
    assert [order.at(step, 4).tolist() for step in (0, 1, 2, 7)] == [
        [0, 5, 6, 8],
        [1, 3, 4, 9],
        [0, 1, 2, 7],
        [1, 5, 8, 9],
    ]
    # A step's pictures do not depend on the steps that were asked for before it.
    assert Order(10, seed=1).at(7, 4).tolist() == order.at(7, 4).tolist()


def test_every_picture_is_shown_once_a_round() -> None:
    order = Order(10, seed=3)
    shown = np.concatenate([order.at(step, 5) for step in range(8)]).reshape(4, 10)
    assert np.array_equal(np.sort(shown, axis=1), np.tile(np.arange(10), (4, 1)))


def test_the_chance_of_a_step_is_pinned() -> None:
    rng = step_chance(1, 5)
    assert int(rng.integers(2**62)) == 2796944341429525064
    shift, factor = draw_variation(2, rng)
    # The order of the draws: contrast-free shift of all colours, of single colours, then contrast.
    again = step_chance(1, 5)
    again.integers(2**62)
    both = again.normal(0, 0.06, (2, 1, 1, 1)) + again.normal(0, 0.03, (2, 3, 1, 1))
    np.testing.assert_allclose(shift.numpy(), both, rtol=1e-6)
    np.testing.assert_allclose(factor.numpy(), 1 + again.normal(0, 0.06, (2, 1, 1, 1)), rtol=1e-6)


def test_augmenting_shifts_and_stretches_each_picture() -> None:
    pictures = torch.randn(3, 3, 4, 4)
    shift, factor = draw_variation(3, np.random.default_rng(4))
    torch.testing.assert_close(augment(pictures, np.random.default_rng(4)), shift + pictures * factor)


class Drawn(Pictures):
    """Says in its tokens which lot each picture drew."""

    def batch(self, chosen: IntArray, rng: np.random.Generator) -> tuple[ImageArray, IntArray]:
        pictures, tokens = super().batch(chosen, rng)
        return pictures, np.full_like(tokens, rng.integers(2**40))


@pytest.mark.parametrize("workers", [0, 3])
def test_what_is_read_depends_on_neither_threads_nor_shares_nor_the_first_step(workers: int) -> None:
    settings, source = tiny(workers=workers), Drawn()
    whole = list(StepReader(source, tiny(), slice(None)).from_step(0))
    assert len(whole) == settings.steps
    later = list(StepReader(source, settings, slice(None)).from_step(2))
    halves = [list(StepReader(source, settings, half).from_step(2)) for half in (slice(0, 2), slice(2, 4))]
    for step, (pictures, tokens) in enumerate(later):
        np.testing.assert_array_equal(pictures, whole[step + 2][0])
        np.testing.assert_array_equal(tokens, whole[step + 2][1])
        np.testing.assert_array_equal(np.concatenate([half[step][0] for half in halves]), pictures)
        np.testing.assert_array_equal(np.concatenate([half[step][1] for half in halves]), tokens)
    lots = {int(lot) for _, tokens in whole for lot in tokens[:, 0, 0]}
    assert len(lots) == settings.steps * settings.batch


def test_captions_of_unequal_length_are_filled_up() -> None:
    joined = join_tokens([np.ones((1, 2, 3), np.int64), np.full((1, 2, 5), 2)])
    assert joined[:, 0].tolist() == [[1, 1, 1, 0, 0], [2, 2, 2, 2, 2]]
