"""The loss against a direct computation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gazeapp.engine.models.captioner.decoders import Told
from gazeapp.engine.models.captioner.training.loss import (
    counts,
    doubly_stochastic_loss,
    part_loss,
    trimmed,
    word_loss,
)

CAPTIONS = torch.tensor([[3, 5, 6, 1, 0], [4, 7, 1, 0, 0], [0, 0, 0, 0, 0], [3, 5, 5, 7, 1]])
LENGTHS = (3, 2, 0, 4)
"""Words to say of each, <end> included; the third picture has no caption."""


def told(seed: int = 0) -> Told:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(4, 4, 9, generator=generator)
    attention = torch.randn(4, 1, 1, 4, 6, generator=generator).softmax(dim=-1)
    return Told(logits, attention)


def words_directly(given: Told) -> float:
    chances = given.logits.double().softmax(dim=-1).numpy()
    scores = [
        -np.log(chances[i, t, int(CAPTIONS[i, t + 1])])
        for i, length in enumerate(LENGTHS)
        for t in range(length)
    ]
    return float(np.mean(scores))


def evenness_directly(given: Told) -> float:
    alpha = given.attention[:, 0, 0].double().numpy()
    terms = []
    for i, length in enumerate(LENGTHS):
        if length:
            terms += [(1 - sum(alpha[i, t, cell] for t in range(length))) ** 2 for cell in range(6)]
    return float(np.mean(terms))


def test_words_count_alike_and_padding_not_at_all() -> None:
    assert word_loss(told(), CAPTIONS[:, 1:]).item() == pytest.approx(words_directly(told()), rel=1e-6)


def test_the_doubly_stochastic_term_is_that_of_xu_et_al() -> None:
    assert doubly_stochastic_loss(told(), CAPTIONS[:, 1:]).item() == pytest.approx(
        evenness_directly(told()), rel=1e-5
    )
    # Attention that gives every cell one, over as many words as cells, costs nothing.
    even = Told(torch.zeros(1, 6, 9), torch.full((1, 1, 1, 6, 6), 1 / 6))
    assert doubly_stochastic_loss(even, torch.ones(1, 6, dtype=torch.long)).item() == pytest.approx(
        0, abs=1e-12
    )


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_parts_of_a_step_add_up_to_its_loss(weight: float) -> None:
    whole = told()
    n_words, n_captions = counts(CAPTIONS)
    assert (n_words, n_captions) == (9, 3)
    total = 0.0
    for part in (slice(0, 1), slice(1, 3), slice(3, 4)):
        of_words, of_captions = counts(CAPTIONS[part])
        own = Told(whole.logits[part], whole.attention[part])
        total += part_loss(own, CAPTIONS[part], of_words / n_words, of_captions / n_captions, weight).item()
    assert total == pytest.approx(words_directly(whole) + weight * evenness_directly(whole), rel=1e-5)


def test_a_part_without_captions_costs_nothing_and_has_a_gradient_of_zero() -> None:
    logits = torch.randn(1, 4, 9, requires_grad=True)
    loss = part_loss(Told(logits, told().attention[:1]), CAPTIONS[2:3], 0.0, 0.0, 1.0)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_captions_lose_the_columns_that_nobody_needs() -> None:
    padded = torch.zeros(2, 2, 8, dtype=torch.long)
    padded[:, :, :5] = CAPTIONS.view(2, 2, 5)
    assert trimmed(padded).tolist() == CAPTIONS.tolist()
