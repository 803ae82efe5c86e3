"""The loss: how probable the true words were, and for an LSTM how evenly it attended over a caption."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from gazeapp.engine.models.captioner.decoders import Told


def trimmed(tokens: Tensor) -> Tensor:
    """Return captions (pictures, tasks, length) one below the other, without columns that are ``<pad>`` alone."""
    flat = tokens.flatten(0, 1)
    return flat[:, : int((flat > 0).sum(dim=1).max())]


def counts(captions: Tensor) -> tuple[int, int]:
    """Return how many words (``<end>`` is one) and how many captions there are to learn from."""
    to_say = captions[:, 1:] > 0
    return int(to_say.sum()), int(to_say.any(dim=1).sum())


def word_loss(told: Told, to_say: Tensor) -> Tensor:
    """Return the mean cross-entropy of the words to be said, ``<end>`` included, in nats."""
    return functional.cross_entropy(told.logits.flatten(0, 1), to_say.flatten(), ignore_index=0)


def doubly_stochastic_loss(told: Told, to_say: Tensor) -> Tensor:
    """Return how far attention is from even over a caption: Xu et al. 2015, eq. 14, as a mean.

    For each cell, the attention that the words of a caption (``<end>`` included) gave it is summed; the loss is the
    mean of (1 - sum) squared over cells and captions.

    Parameters
    ----------
    told
        What an LSTM decoder said; attention of shape (captions, 1, 1, words, cells).
    to_say
        Tokens that were to be said, shape (captions, words); captions of ``<pad>`` alone do not count.
    """
    said = to_say > 0
    given = (told.attention[:, 0, 0].float() * said[:, :, None]).sum(dim=1)
    return ((1 - given) ** 2).mean(dim=1)[said.any(dim=1)].mean()


def part_loss(
    told: Told, captions: Tensor, of_words: float, of_captions: float, doubly_stochastic: float
) -> Tensor:
    """Return the share that a part of a step has in the step's loss.

    Parameters
    ----------
    told
        What the model said along the captions of the part.
    captions
        Captions of the part, shape (captions, length).
    of_words, of_captions
        The part's share of the words and of the captions of the step.
    doubly_stochastic
        Weight of `doubly_stochastic_loss`; 0 leaves it out.
    """
    to_say = captions[:, 1:]
    if not bool((to_say > 0).any()):
        return torch.zeros((), device=told.logits.device) * told.logits.sum()
    loss = word_loss(told, to_say) * of_words
    if doubly_stochastic:
        loss = loss + doubly_stochastic * of_captions * doubly_stochastic_loss(told, to_say)
    return loss
