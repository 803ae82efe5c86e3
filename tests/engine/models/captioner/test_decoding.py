"""Decoding by the most probable word, by beam search, and along given words, against plain ways to do the same."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.decoders import LstmDecoder, Told, TransformerDecoder
from gazeapp.engine.models.captioner.decoding import Said, along, beam_search, best_places, greedy
from gazeapp.engine.models.captioner.forms.attend_lstm import AttendLstmDecoder
from gazeapp.engine.models.captioner.forms.post_norm import PostNormDecoder
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.lesion import Taken
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.resources import resource_path
from tests.engine.models.captioner.training.tiny import tiny, tiny_config

END, FIRST = 1, 2
GRID, WIDTH = (2, 3), 16
CELLS = GRID[0] * GRID[1]
KINDS = ("lstm", "transformer", "sgrvinod", "royalskye")
DECODERS = {
    "lstm": LstmDecoder,
    "transformer": TransformerDecoder,
    "sgrvinod": AttendLstmDecoder,
    "royalskye": PostNormDecoder,
}


def config(kind: str, n_words: int, longest: int) -> CaptionerConfig:
    words = tuple(f"w{i}" for i in range(n_words - 1))
    return CaptionerConfig(
        *(kind, kind, "cnn", "lstm" if kind in ("lstm", "sgrvinod") else "transformer"),
        vocabulary=("<pad>", "<end>", "<start>", *words),
        content_words=words,
        tasks=(),
        form=kind if kind in ("sgrvinod", "royalskye") else "gazeapp",
        grid=GRID,
        width=WIDTH,
        embed=WIDTH,
        state=12,
        attention=8,
        heads=2,
        head_width=5,
        feed=(10, 10),
        max_words=longest,
    )


def decoder(kind: str, n_words: int = 6, longest: int = 6, seed: int = 0) -> Any:
    """Return a decoder with random weights, whose probabilities differ enough for captions to compete."""
    torch.manual_seed(seed)
    made = DECODERS[kind](config(kind, n_words, longest)).eval().double()
    with torch.no_grad():
        for name, weights in made.named_parameters():
            # Words count for more than in a fresh network, so that one word changes which comes next.
            weights.normal_(0.0, 1.5 if "emb" in name else 0.6)
    return made


def pictures(n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    features = torch.randn(
        n, CELLS, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return features, torch.full((n,), FIRST)


def same(one: Said, other: Said, atol: float = 1e-5) -> None:
    assert one.tokens == other.tokens
    for a, b in zip(one.log_probabilities, other.log_probabilities, strict=True):
        np.testing.assert_allclose(a, b, atol=atol)
    for x, y in zip(one.attention, other.attention, strict=True):
        np.testing.assert_allclose(x, y, atol=atol)
    assert (one.gates is None) == (other.gates is None)
    for x, y in zip(one.gates or (), other.gates or (), strict=True):
        np.testing.assert_allclose(x, y, atol=atol)


def chances(made: Any, features: Tensor, words: Sequence[int]) -> list[float]:
    """Return the log-probability of each word of one sequence by one pass over all of them, as in training."""
    told: Told = made(features, torch.tensor([[FIRST, *words[:-1]]]))
    of_words = told.logits[0].log_softmax(dim=-1)
    return [float(of_words[i, word]) for i, word in enumerate(words)]


def every_caption(n_tokens: int, longest: int) -> list[tuple[int, ...]]:
    """Return all that can be said: up to ``longest`` tokens, ``<end>`` the last one or none of them."""
    others = [token for token in range(n_tokens) if token != END]
    finished = [(*words, END) for n in range(longest) for words in itertools.product(others, repeat=n)]
    return finished + list(itertools.product(others, repeat=longest))


@pytest.fixture(autouse=True)
def no_gradients() -> Any:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_one_beam_says_what_the_most_probable_words_are(kind: str) -> None:
    for seed in range(5):
        made = decoder(kind, seed=seed)
        features, first = pictures(4)
        free = greedy(made, features, first, None, END, 6)
        searched = beam_search(made, features, first, None, END, 6, beams=1)
        same(free, searched, atol=0.0)
        same(free, beam_search(made, features, first, None, END, 6, 1, length_normalised=True), atol=0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normalised", [False, True])
def test_with_enough_beams_the_best_of_all_captions_is_found(kind: str, normalised: bool) -> None:
    longest, n_words = 3, 2
    beat_greedy = 0
    for seed in range(4 if normalised else 14):
        made = decoder(kind, n_words, longest, seed)
        n_tokens = len(config(kind, n_words, longest).vocabulary)
        features, first = pictures(1, seed)
        scored = {}
        for words in every_caption(n_tokens, longest):
            own = chances(made, features, words)
            scored[words] = sum(own) / (len(own) if normalised else 1)
        best = max(scored, key=lambda words: scored[words])
        said = beam_search(made, features, first, None, END, longest, n_tokens**longest, normalised)
        expected = tuple(word for word in best if word != END)
        assert tuple(said.tokens[0]) == expected
        np.testing.assert_allclose(
            said.log_probabilities[0], chances(made, features, best)[: len(expected)], atol=1e-4
        )
        beat_greedy += greedy(made, features, first, None, END, longest).tokens[0] != list(expected)
    assert beat_greedy > 0 or normalised


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beams", [1, 3])
def test_a_batch_says_what_each_would_say_alone(kind: str, beams: int) -> None:
    """Captions differ in length, so that short ones wait for long ones."""
    lengths = set()
    for seed in range(4):
        made = decoder(kind, seed=seed)
        features, first = pictures(5)
        together = say(made, features, first, beams)
        for i in range(5):
            alone = say(made, features[i : i + 1], first[:1], beams)
            same(alone, one_of(together, i))
        lengths |= {len(tokens) for tokens in together.tokens}
    assert len(lengths) > 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beams", [2, 4])
def test_every_beginning_carries_its_own_numbers(kind: str, beams: int) -> None:
    """What beam search found has the log-probabilities, attention and gates of being made to say just that."""
    for seed in range(4):
        made = decoder(kind, seed=seed)
        features, first = pictures(3)
        found = beam_search(made, features, first, None, END, 6, beams)
        for i, tokens in enumerate(found.tokens):
            if tokens:
                made_to = along(made, features[i : i + 1], first[:1], None, [tokens])
                same(made_to, one_of(found, i))


@pytest.mark.parametrize("kind", KINDS)
def test_given_words_of_different_lengths_are_said_side_by_side(kind: str) -> None:
    made = decoder(kind)
    features, first = pictures(3)
    given = [(3, 4), (5,), (4, 4, 3, 5)]
    together = along(made, features, first, None, given)
    assert together.tokens == [list(words) for words in given]
    for i, words in enumerate(given):
        np.testing.assert_allclose(
            together.log_probabilities[i], chances(made, features[i : i + 1], words), atol=1e-4
        )
        assert together.attention[i].shape[2] == len(words)


@pytest.mark.parametrize("kind", KINDS)
def test_no_words_at_all_are_captions_without_words(kind: str) -> None:
    made = decoder(kind)
    features, first = pictures(2)
    said = along(made, features, first, None, [(), ()])
    assert (said.tokens, said.log_probabilities) == ([[], []], [[], []])
    layers, heads = along(made, features, first, None, [(3,), ()]).attention[0].shape[:2]
    assert [maps.shape for maps in said.attention] == [(layers, heads, 0, CELLS)] * 2
    assert (said.gates is None) == (made(features, first[:, None]).gate is None)
    assert all(gates.shape == (0,) for gates in said.gates or ())


@pytest.mark.parametrize("kind", KINDS)
def test_beams_do_without_what_a_lesion_takes(kind: str) -> None:
    made = decoder(kind)
    features, first = pictures(2)
    share = torch.tensor([[1.0, 0.0, 0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.3, 0.0, 0.0, 1.0]])
    said = beam_search(made, features, first, Taken(share), END, 6, 3)
    intact = beam_search(made, features, first, None, END, 6, 3)
    assert max(float(maps[..., 0].max(initial=0)) for maps in intact.attention) > 0.0
    for i, cell in enumerate((0, 5)):
        assert float(said.attention[i][..., cell].max(initial=0)) == 0.0
        alone = beam_search(made, features[i : i + 1], first[i : i + 1], Taken(share[i : i + 1]), END, 6, 3)
        assert alone.tokens[0] == said.tokens[i]
        np.testing.assert_allclose(alone.attention[0], said.attention[i], atol=1e-5)


class Scripted:
    """A decoder without weights: what may come next is a table by the words so far."""

    def __init__(self, table: dict[tuple[int, ...], dict[int, float]], n_tokens: int) -> None:
        self._table, self._n = table, n_tokens

    def begin(self, features: Tensor, taken: Taken | None = None) -> Words:
        return Words([()] * len(features))

    def step(self, state: Words, tokens: Tensor) -> Told:
        state.said = [(*said, int(token)) for said, token in zip(state.said, tokens, strict=True)]
        logits = torch.full((len(tokens), self._n), -1e4)
        for row, said in enumerate(state.said):
            for token, chance in self._table.get(said[1:], {END: 1.0}).items():
                logits[row, token] = float(np.log(chance))
        # The map is the number of words so far, so that it is seen to whom it belongs.
        return Told(logits, torch.full((len(tokens), 1, 1, 1), float(len(state.said[0]))))


class Words:
    def __init__(self, said: list[tuple[int, ...]]) -> None:
        self.said = said

    def chosen(self, rows: Tensor) -> Words:
        return Words([self.said[row] for row in rows.tolist()])


def test_a_finished_short_caption_keeps_its_place() -> None:
    """<end> comes at once with 0.4; every longer caption has 0.6 x 0.5 x ..., less than that."""
    table = {(): {END: 0.4, 3: 0.6}, (3,): {4: 0.5, 5: 0.5}, (3, 4): {END: 0.9, 5: 0.1}}
    made = Scripted(table, 6)
    features, first = pictures(1)
    assert greedy(made, features, first, None, END, 8).tokens == [[3, 4]]
    assert beam_search(made, features, first, None, END, 8, 2).tokens == [[]]


def test_dividing_by_the_length_favours_longer_captions() -> None:
    table = {(): {END: 0.4, 3: 0.6}, (3,): {4: 0.55, 5: 0.45}, (3, 4): {END: 0.99, 5: 0.01}}
    made = Scripted(table, 6)
    features, first = pictures(1)
    # log 0.4 = -0.92; log(0.6 * 0.55 * 0.99) = -1.12, divided by its three tokens -0.37
    assert beam_search(made, features, first, None, END, 8, 3).tokens == [[]]
    assert beam_search(made, features, first, None, END, 8, 3, length_normalised=True).tokens == [[3, 4]]


def test_of_equals_the_lower_number_comes_first() -> None:
    made = Scripted({(): {5: 0.25, 3: 0.25, 4: 0.25, 2: 0.25}}, 6)
    features, first = pictures(1)
    for beams in (1, 2, 3, 4, 5, 6, 40):
        assert beam_search(made, features, first, None, END, 8, beams).tokens == [[2]]


def test_a_caption_without_an_end_is_as_long_as_may_be() -> None:
    endless = {(): {3: 1.0}, **{(3,) * n: {3: 1.0} for n in range(1, 9)}}
    features, first = pictures(1)
    said = beam_search(Scripted(endless, 6), features, first, None, END, 5, 2)
    assert said.tokens == [[3] * 5]
    assert said.attention[0][0, 0, :, 0].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_best_places_are_those_of_a_stable_sort(count: int) -> None:
    rng = np.random.default_rng(count)
    for scores in (rng.random((20, 30)), rng.integers(0, 4, (20, 30)).astype(float)):
        expected = np.argsort(-scores, axis=1, kind="stable")[:, :count]
        np.testing.assert_array_equal(best_places(torch.tensor(scores), count).numpy(), expected)


def say(made: Any, features: Tensor, first: Tensor, beams: int) -> Said:
    if beams == 1:
        return greedy(made, features, first, None, END, 6)
    return beam_search(made, features, first, None, END, 6, beams)


def one_of(said: Said, i: int) -> Said:
    gates = None if said.gates is None else said.gates[i : i + 1]
    return Said(said.tokens[i : i + 1], said.log_probabilities[i : i + 1], said.attention[i : i + 1], gates)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_tokens_that_are_no_words_are_never_said_and_the_rest_keep_their_numbers(decoder, beams):
    config = tiny_config(tiny(decoder=decoder))
    torch.manual_seed(4)
    model = Captioner(config).eval()
    out = model.decoder.out if decoder == "transformer" else model.decoder.out[-1]
    with torch.no_grad():
        out.bias[[0, 3, 4]] += 6.0  # <pad> and both tasks
        out.bias[config.end] -= 4.0
    features = torch.randn(3, 16, config.width)
    first = torch.full((3,), config.first("social"))
    said = model.say(features, first, beams=beams)
    words = {config.vocabulary[token] for tokens in said.tokens for token in tokens}
    assert words
    assert not {"<pad>", "<general>", "<social>"} & words
    given = model.say(features, first, forced=said.tokens)
    for own, told in zip(said.log_probabilities, given.log_probabilities, strict=True):
        np.testing.assert_allclose(own, told, rtol=1e-6)
    assert (
        max(max(scores, default=-9.0) for scores in said.log_probabilities) < -1.0
    )  # the others keep their share


@pytest.mark.parametrize("name", ["cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer"])
def test_the_captioners_that_ship_have_the_numbers_that_they_have_with_every_token_to_choose_from(name):
    model = load_captioner(resource_path("models", name))
    scenes = np.stack([render(scene, model.config.input_size) for scene in demo_scenes(2, seed=3)])
    with torch.inference_mode():
        features = model.encoder(model.normalise(scenes))
    first = torch.full((2,), model.config.first("general"))
    for beams in (1, 3):
        said = model.say(features, first, beams=beams)
        sizes = (model.config.end, model.config.max_words)
        with torch.inference_mode():
            free = (
                greedy(model.decoder, features, first, None, *sizes)
                if beams == 1
                else beam_search(model.decoder, features, first, None, *sizes, beams)
            )
        assert (said.tokens, said.log_probabilities) == (free.tokens, free.log_probabilities)
