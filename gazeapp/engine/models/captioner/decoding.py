"""Choosing a caption from what a decoder finds probable: word by word, by beam search, or words that are given.

All three go through the decoder's own steps, so that a caption has the same numbers however it was come by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gazeapp.engine.models.captioner.decoders import Told
from gazeapp.engine.models.captioner.lesion import Taken
from gazeapp.engine.types import FloatArray


@dataclass(frozen=True, slots=True)
class Said:
    """What decoding gave for a batch of sequences.

    Parameters
    ----------
    tokens
        For each sequence its token numbers, without the task's token and ``<end>``.
    log_probabilities
        Natural logarithm of the probability of each of those tokens.
    attention
        For each sequence, shape (layers, heads, words, cells).
    gates
        For each sequence how much the gate let through for each word, shape (words,), 0 to 1; None for decoders
        without a gate.
    """

    tokens: list[list[int]]
    log_probabilities: list[list[float]]
    attention: list[FloatArray]
    gates: list[FloatArray] | None = None


def greedy(
    decoder: Any,
    features: Tensor,
    first: Tensor,
    taken: Taken | None,
    end: int,
    longest: int,
    never: Sequence[int] = (),
) -> Said:
    """Take the most probable word at each step, of equals the one with the lowest number.

    Parameters
    ----------
    decoder
        A decoder, see `decoders`.
    features
        Grid features, shape (sequences, cells, width).
    first
        First tokens, shape (sequences,).
    taken
        What the decoder is to do without.
    end
        Number of ``<end>``.
    longest
        Most words of a caption.
    never
        Numbers of tokens that are no words and are never chosen; the others keep their log-probabilities.
    """
    # Any: a decoder's state is its own affair.
    state: Any = decoder.begin(features, taken)
    word = first
    done = torch.zeros(len(first), dtype=torch.bool, device=first.device)
    steps: list[_Step] = []
    for _ in range(longest):
        told = decoder.step(state, word)
        score, word = _choices(told, never).max(dim=-1)
        steps.append(_Step(word, score, told.attention, told.gate))
        done |= word == end
        if bool(done.all()):
            break
    return _unpack(steps, end)


def along(
    decoder: Any, features: Tensor, first: Tensor, taken: Taken | None, given: Sequence[Sequence[int]]
) -> Said:
    """Let a decoder say given words, so many for each sequence; a caption's own words give its own numbers.

    Parameters
    ----------
    decoder, features, first, taken
        As for `greedy`.
    given
        Tokens of each sequence; they may differ in length, and be none.
    """
    lengths = [len(tokens) for tokens in given]
    longest = max([1, *lengths])
    # What follows the end of a shorter sequence is never read, nor is a step where no sequence has a word.
    filled = torch.tensor(
        [[*tokens, *[0] * (longest - len(tokens))] for tokens in given], device=first.device
    )
    state: Any = decoder.begin(features, taken)
    word = first
    steps: list[_Step] = []
    for place in range(longest):
        told = decoder.step(state, word)
        word = filled[:, place]
        score = told.logits.log_softmax(dim=-1).gather(1, word[:, None])[:, 0]
        steps.append(_Step(word, score, told.attention, told.gate))
    return _cut(steps, lengths)


def beam_search(
    decoder: Any,
    features: Tensor,
    first: Tensor,
    taken: Taken | None,
    end: int,
    longest: int,
    beams: int,
    length_normalised: bool = False,
    never: Sequence[int] = (),
) -> Said:
    """Follow the most probable beginnings of a caption side by side, and take the caption that comes out best.

    A caption's score is the sum of the log-probabilities of its tokens, ``<end>`` among them where it was said; a
    finished caption keeps its place among the beginnings until so many better ones are found. Of equal scores the
    earlier beginning counts, then the token with the lower number. Each beginning carries its own state, attention
    and gate.

    Parameters
    ----------
    decoder, features, first, taken, end, longest, never
        As for `greedy`.
    beams
        Beginnings that are followed for each sequence.
    length_normalised
        Whether scores are divided by the number of tokens, without which shorter captions are at an advantage.
    """
    n, device = len(first), first.device
    state: Any = decoder.begin(features, taken).chosen(
        torch.arange(n, device=device).repeat_interleave(beams)
    )
    search = _Search(n, beams, end, length_normalised, device)
    word = first.repeat_interleave(beams)
    steps: list[_Step] = []
    for place in range(longest):
        told: Told = decoder.step(state, word)
        parents, word, score = search.extend(_choices(told, never))
        # A row of a step is one of the beginnings after it; its attention came before the choice.
        steps.append(
            _Step(
                word,
                score,
                told.attention[parents],
                None if told.gate is None else told.gate[parents],
                parents,
            )
        )
        if search.is_settled or place == longest - 1:
            break
        state = state.chosen(parents)
    return _unpack(_best(steps, n, beams), end)


def _choices(told: Told, never: Sequence[int]) -> Tensor:
    """Return the log-probabilities of what may be said next; those of the others are given to nobody."""
    of_words = told.logits.log_softmax(dim=-1)
    of_words[:, list(never)] = -torch.inf
    return of_words


@dataclass(frozen=True, slots=True)
class _Step:
    """What a step gave for every row: token, its log-probability, attention and gate, and the row it follows from."""

    word: Tensor
    score: Tensor
    attention: Tensor
    gate: Tensor | None
    parents: Tensor | None = None

    def of(self, rows: Tensor) -> _Step:
        """Return the step for some of its rows."""
        gate = None if self.gate is None else self.gate[rows]
        return _Step(self.word[rows], self.score[rows], self.attention[rows], gate)


class _Search:
    """The scores of the beginnings, best first within each sequence; a finished one goes on with ``<end>`` for free."""

    def __init__(self, n: int, beams: int, end: int, length_normalised: bool, device: torch.device) -> None:
        self._n, self._beams, self._end, self._normalised = n, beams, end, length_normalised
        # All beginnings are the same before the first word, so that one of them counts.
        self._sums = torch.full((n, beams), -torch.inf, device=device)
        self._sums[:, 0] = 0.0
        self._done = torch.zeros(n, beams, dtype=torch.bool, device=device)
        self._lengths = torch.zeros(n, beams, device=device)
        self._rows = torch.arange(n, device=device)[:, None]

    @property
    def is_settled(self) -> bool:
        """Whether no step can bring a better caption: sums only fall, means over tokens may rise again."""
        settled = self._done.all(dim=1)
        return bool((settled if self._normalised else settled | self._done[:, 0]).all())

    def extend(self, of_words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Choose the best beginnings that are one token longer.

        Parameters
        ----------
        of_words
            Log-probabilities of the next token, shape (sequences * beams, vocabulary).

        Returns
        -------
        parents
            Row that each new beginning goes on from, shape (sequences * beams,).
        words
            The token that it goes on with.
        scores
            Log-probability of that token; 0 where the caption was finished already.
        """
        n, beams, size = self._n, self._beams, of_words.shape[1]
        free = torch.full_like(of_words, -torch.inf)
        free[:, self._end] = 0.0
        of_words = torch.where(self._done.view(-1, 1), free, of_words)
        sums = self._sums[:, :, None] + of_words.view(n, beams, size)
        lengths = self._lengths + (~self._done)
        ranked = sums / lengths[:, :, None] if self._normalised else sums
        places = best_places(ranked.flatten(1), beams)
        parents, words = places // size, places % size
        self._sums = sums.flatten(1).gather(1, places)
        self._lengths = lengths.gather(1, parents)
        self._done = self._done.gather(1, parents) | (words == self._end)
        rows = (parents + beams * self._rows).flatten()
        words = words.flatten()
        return rows, words, of_words[rows, words]


def best_places(scores: Tensor, count: int) -> Tensor:
    """Return the places of each row's ``count`` highest scores, best first, of equals the lower place first.

    Parameters
    ----------
    scores
        Shape (rows, places), with at least ``count`` places.

    Returns
    -------
    torch.Tensor
        Shape (rows, count).
    """
    values, places = scores.topk(count, dim=1)
    if bool(((scores >= values[:, -1:]).sum(dim=1) > count).any()):
        # Which of several equals are among the highest is not told by topk, and sorting all takes longer.
        return scores.sort(dim=1, descending=True, stable=True).indices[:, :count]
    places = places.sort(dim=1).values
    order = scores.gather(1, places).sort(dim=1, descending=True, stable=True).indices
    return places.gather(1, order)


def _best(steps: list[_Step], n: int, beams: int) -> list[_Step]:
    """Return the steps of each sequence's best caption, followed back from its last."""
    rows = beams * torch.arange(n, device=steps[-1].word.device)
    found = []
    for step in reversed(steps):
        found.append(step.of(rows))
        assert step.parents is not None
        rows = step.parents[rows]
    return found[::-1]


def _unpack(steps: list[_Step], end: int) -> Said:
    rows: list[list[int]] = torch.stack([step.word for step in steps], dim=1).tolist()
    return _cut(steps, [row.index(end) if end in row else len(row) for row in rows])


def _cut(steps: list[_Step], lengths: list[int]) -> Said:
    """Return what was said, each sequence as long as it is."""
    rows: list[list[int]] = torch.stack([step.word for step in steps], dim=1).tolist()
    scores: list[list[float]] = torch.stack([step.score for step in steps], dim=1).tolist()
    maps = torch.stack([step.attention for step in steps], dim=3).float().cpu().numpy()
    gates = [step.gate for step in steps if step.gate is not None]
    let_through = torch.stack(gates, dim=1).float().cpu().numpy() if gates else None
    return Said(
        tokens=[row[:k] for row, k in zip(rows, lengths, strict=True)],
        log_probabilities=[row[:k] for row, k in zip(scores, lengths, strict=True)],
        attention=[each[:, :, :k] for each, k in zip(maps, lengths, strict=True)],
        gates=None
        if let_through is None
        else [each[:k] for each, k in zip(let_through, lengths, strict=True)],
    )
