from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.capture.capture import Capture, Rows, Tap, listening
from gazeapp.engine.models.vlm.capture.interface import attention_forward
from gazeapp.engine.models.vlm.capture.masking import KeyMask

ensure_torchvision()

PROMPT, TOKENS, SIZE = 9, 5, 8
N = PROMPT + TOKENS - 1  # the last token is not read any more
IMAGE = np.array([2, 3, 4, 6])
GRADED = np.array([1.0, 0.5, 0.0, 0.25], np.float32)
CAUSAL = torch.ones(N, N, dtype=torch.bool).tril()


class Layer(nn.Module):
    """What the attention interface is called with: a module and projected rows."""

    def __init__(self, heads: int = 4, groups: int = 4, window: int | None = None, seed: int = 0) -> None:
        super().__init__()
        self.num_key_value_groups = heads // groups
        self.is_causal = True
        if window is not None:
            self.sliding_window = window
        generator = torch.Generator().manual_seed(seed)
        self.query = torch.randn(1, heads, N, SIZE, generator=generator)
        self.key = torch.randn(1, groups, N, SIZE, generator=generator)
        self.value = torch.randn(1, groups, N, SIZE, generator=generator)
        self.window = window

    def generate(self, mask: Tensor | None = None) -> Tensor:
        """Return the outputs of all rows: the prompt's at once, then row by row as with a cache.

        ``mask``, shape (N, N), is handed over where given; otherwise rows see what a causal model leaves to the
        kernel.
        """
        return torch.cat([out for _, _, out in self._calls(mask)], dim=1)

    def _calls(self, mask: Tensor | None) -> Iterator[tuple[int, int, Tensor]]:
        for start, end in ((0, PROMPT), *((t, t + 1) for t in range(PROMPT, N))):
            # As a sliding cache does: the keys of the window in front of the rows, and the rows' own.
            first = max(0, start - (self.window - 1)) if self.window is not None and start else 0
            shown = None if mask is None else mask[None, None, start:end, first:end]
            out, _ = attention_forward(
                self,
                self.query[:, :, start:end],
                self.key[:, :, first:end],
                self.value[:, :, first:end],
                shown,
            )
            yield start, end, out

    def expected(self, allowed: Tensor = CAUSAL, key_mask: KeyMask | None = None, bias: Any = 0.0) -> Tensor:
        """Return softmax(q k / sqrt(size)) in closed form, shape (heads, N, N), float64."""
        keys = self.key[0].double().repeat_interleave(self.num_key_value_groups, dim=0)
        weights = (self.query[0].double() @ keys.transpose(1, 2) / SIZE**0.5 + bias).exp() * allowed
        if key_mask is not None:
            left = torch.ones(N, N, dtype=torch.float64)
            left[key_mask.first_row :, torch.as_tensor(key_mask.columns)] -= torch.as_tensor(
                key_mask.share
            ).double()
            weights = weights * left
        return weights / weights.sum(dim=-1, keepdim=True)

    def outputs(self, weights: Tensor) -> Tensor:
        values = self.value[0].double().repeat_interleave(self.num_key_value_groups, dim=0)
        return (weights @ values).transpose(0, 1)


def _window(width: int) -> Tensor:
    distance = torch.arange(N)[:, None] - torch.arange(N)[None]
    return (distance >= 0) & (distance < width)


def _listen(
    layer: Layer, shown: Tensor | None = None, key_mask: KeyMask | None = None
) -> tuple[Rows, Tensor, int]:
    capture = Capture([Tap(layer, 0)], IMAGE, key_mask, keep="heads")
    with listening(capture):
        out = layer.generate(shown)[0]
    taken_at_once = len(capture._layers[0].rows)
    assert taken_at_once in (0, TOKENS)
    return capture.rows(TOKENS), out, taken_at_once


def _check(rows: Rows, weights: Tensor) -> None:
    """Compare the rows of one layer with the closed form."""
    expected = weights[:, PROMPT - 1 :, torch.as_tensor(IMAGE)].transpose(0, 1).numpy()
    assert expected.max() > 2 * expected.mean()
    assert rows.kept is not None
    assert rows.kept.shape == (TOKENS, 1, *expected.shape[1:])
    assert np.abs(rows.kept[:, 0] - expected).max() < 5e-4  # stored as half numbers
    assert np.abs(rows.mean - expected.mean(axis=1)).max() < 1e-6
    assert np.abs(rows.image_mass[:, 0] - expected.sum(axis=2)).max() < 1e-6


@pytest.mark.parametrize("groups", [4, 2, 1])
def test_heads_that_share_keys(groups: int) -> None:
    layer = Layer(groups=groups)
    plain = layer.generate()[0]
    rows, out, at_once = _listen(layer)
    assert at_once == 0
    assert torch.equal(out, plain)
    assert (out - layer.outputs(layer.expected())).abs().max() < 1e-5
    _check(rows, layer.expected())


@pytest.mark.parametrize("window", [3, 6, 12])
@pytest.mark.parametrize("key_mask", [None, KeyMask(IMAGE, GRADED), KeyMask(IMAGE, GRADED, PROMPT - 1)])
def test_keys_that_a_sliding_window_has_forgotten_have_no_weight(
    window: int, key_mask: KeyMask | None
) -> None:
    layer = Layer(groups=2, window=window)
    rows, out, at_once = _listen(layer, _window(window), key_mask)
    assert at_once == TOKENS
    expected = layer.expected(_window(window), key_mask)
    assert (out - layer.outputs(expected)).abs().max() < 1e-5
    _check(rows, expected)
    assert rows.kept is not None
    forgotten = [column <= N - 1 - window for column in IMAGE]
    assert (rows.kept[-1][..., forgotten] == 0.0).all()


def test_rows_at_once_equal_rows_at_the_end() -> None:
    later, _, at_once = _listen(Layer(groups=2))
    assert at_once == 0
    now, _, at_once = _listen(Layer(groups=2, window=N))
    assert at_once == TOKENS
    assert later.kept is not None
    assert now.kept is not None
    assert np.abs(later.mean - now.mean).max() < 1e-7
    assert np.array_equal(later.kept, now.kept)


@pytest.mark.parametrize("first_row", [0, 5, PROMPT - 1, PROMPT + 1])
@pytest.mark.parametrize(
    "share", [GRADED, 0.5 * np.ones(4, np.float32), np.array([1.0, 1.0, 1.0, 0.0], np.float32)]
)
@pytest.mark.parametrize("groups", [4, 2])
@pytest.mark.parametrize("kind", ["none", "bool", "added"])
def test_keys_lose_their_share(first_row: int, share: np.ndarray, groups: int, kind: str) -> None:
    """Whatever mask the model hands over: none, true where allowed, or added to the scores."""
    layer, key_mask = Layer(groups=groups), KeyMask(IMAGE, share, first_row)
    shown = {"none": None, "bool": CAUSAL, "added": torch.zeros(N, N).masked_fill(~CAUSAL, -torch.inf)}[kind]
    rows, out, _ = _listen(layer, shown, key_mask)
    expected = layer.expected(key_mask=key_mask)
    assert (out - layer.outputs(expected)).abs().max() < 1e-5
    _check(rows, expected)
    assert rows.kept is not None
    taken = share >= 1.0
    hit = np.arange(PROMPT - 1, N) >= first_row
    assert (rows.kept[hit][..., taken] == 0.0).all()
    assert (rows.kept[~hit][..., taken] > 0.0).all()


def test_a_share_of_nothing_changes_no_bit() -> None:
    layer = Layer(groups=2)
    plain, out, _ = _listen(layer)
    rows, same, _ = _listen(layer, key_mask=KeyMask(IMAGE, np.zeros(4, np.float32)))
    assert np.array_equal(rows.mean, plain.mean)
    assert (same - out).abs().max() < 1e-6  # other kernels, with and without a mask


def test_what_a_models_own_mask_hides_has_no_weight() -> None:
    hidden = CAUSAL.clone()
    hidden[:, [0, 3]] = False
    hidden[0, 0] = True
    layer = Layer(groups=2)
    rows, _, at_once = _listen(layer, hidden)
    assert at_once == TOKENS
    _check(rows, layer.expected(hidden))


def test_what_a_models_own_mask_adds_counts() -> None:
    bias = torch.randn(N, N, generator=torch.Generator().manual_seed(1))
    layer = Layer(groups=2)
    rows, _, at_once = _listen(layer, bias.masked_fill(~CAUSAL, -torch.inf), KeyMask(IMAGE, GRADED))
    assert at_once == TOKENS
    _check(rows, layer.expected(key_mask=KeyMask(IMAGE, GRADED), bias=bias.double()))


def test_a_mask_that_begins_to_hide_keys_in_the_middle_of_a_caption() -> None:
    """As with attention in chunks: rows at the end and rows at once come back in order."""
    hidden = CAUSAL.clone()
    hidden[PROMPT + 1 : PROMPT + 3, :4] = False
    layer = Layer(groups=2)
    capture = Capture([Tap(layer, 0)], IMAGE, keep="heads")
    with listening(capture):
        layer.generate(hidden)
    _check(capture.rows(TOKENS), layer.expected(hidden))


def test_images_that_see_later_tokens_leave_the_words_rows_as_they_are() -> None:
    both_ways = CAUSAL.clone()
    both_ways[2:7, 2:7] = True
    layer = Layer(groups=2)
    rows, out, _ = _listen(layer, both_ways, KeyMask(IMAGE, GRADED))
    expected = layer.expected(both_ways, KeyMask(IMAGE, GRADED))
    assert (out - layer.outputs(expected)).abs().max() < 1e-5
    _check(rows, expected)


@pytest.mark.parametrize("first_row", [0, 2, 4])
def test_cross_attention_counts_rows_in_the_text(first_row: int) -> None:
    """All keys are there from the start; rows are 3 of a prompt and one for each later word."""
    layer, prompt = Layer(), 3
    layer.is_causal = False
    key_mask = KeyMask(IMAGE, GRADED, first_row)
    capture = Capture([Tap(layer, 0, cross=True)], IMAGE, key_mask, keep="heads")
    outputs = []
    with listening(capture):
        for start, end in ((0, prompt), *((t, t + 1) for t in range(prompt, prompt + TOKENS - 1))):
            out, _ = attention_forward(layer, layer.query[:, :, start:end], layer.key, layer.value, None)
            outputs.append(out[0])
    expected = layer.expected(torch.ones(N, N), key_mask)
    n = prompt + TOKENS - 1
    assert (torch.cat(outputs) - layer.outputs(expected)[:n]).abs().max() < 1e-5
    rows = capture.rows(TOKENS)
    wanted = expected[:, prompt - 1 : n, torch.as_tensor(IMAGE)].transpose(0, 1).numpy()
    assert np.abs(rows.mean - wanted.mean(axis=1)).max() < 1e-6


def test_layers_and_heads_that_are_picked_make_the_mean() -> None:
    layers = [Layer(groups=2, seed=seed) for seed in range(3)]
    taps = [Tap(layer, 4 * i + 3) for i, layer in enumerate(layers)]
    full = np.stack(
        [one.expected()[:, PROMPT - 1 :, torch.as_tensor(IMAGE)].transpose(0, 1).numpy() for one in layers],
        axis=1,
    )
    for picked_layers, picked_heads in (((), ()), ((1,), ()), ((0, 2), (3, 1)), ((2,), (0,))):
        for keep in ("", "layers", "heads"):
            capture = Capture(taps, IMAGE, None, picked_layers, picked_heads, keep)
            with listening(capture):
                for layer in layers:
                    layer.generate()
            rows = capture.rows(TOKENS)
            chosen = full[:, picked_layers or (0, 1, 2)][:, :, picked_heads or (0, 1, 2, 3)]
            assert np.abs(rows.mean - chosen.mean(axis=(1, 2))).max() < 1e-6
            # The mass is told of every layer and head, whichever make the map.
            assert np.abs(rows.image_mass - full.sum(axis=3)).max() < 1e-6
            if keep == "":
                assert rows.kept is None
                continue
            assert rows.kept is not None
            kept = full if keep == "heads" else full.mean(axis=2, keepdims=True)
            assert np.abs(rows.kept - kept).max() < 5e-4


def test_a_caption_that_ended_before_its_last_row_uses_the_first_rows() -> None:
    layer = Layer()
    capture = Capture([Tap(layer, 0)], IMAGE)
    with listening(capture):
        layer.generate()
    expected = layer.expected()[:, PROMPT - 1 : PROMPT + 1, torch.as_tensor(IMAGE)].mean(dim=0)
    assert np.abs(capture.rows(2).mean - expected.numpy()).max() < 1e-6


def test_nothing_captured_is_an_error() -> None:
    heard, deaf = Layer(), Layer()
    for taps in ([Tap(deaf, 0)], [Tap(heard, 0), Tap(deaf, 7)]):
        capture = Capture(taps, IMAGE)
        with listening(capture):
            heard.generate()
        with pytest.raises(GazeError, match=f"Layer {taps[-1].layer} of the model gave 0 rows"):
            capture.rows(TOKENS)
    # Not even for a caption of no words.
    with pytest.raises(GazeError, match="gave 0 rows"):
        Capture([Tap(deaf, 0)], IMAGE).rows(0)


def test_fewer_rows_than_tokens_are_an_error() -> None:
    layer = Layer()
    capture = Capture([Tap(layer, 0)], IMAGE)
    with listening(capture):
        layer.generate()
    with pytest.raises(GazeError, match=f"gave {TOKENS} rows of attention for {TOKENS + 1} tokens"):
        capture.rows(TOKENS + 1)


def test_a_prompt_that_is_read_in_parts_is_refused() -> None:
    layer = Layer()
    capture = Capture([Tap(layer, 0)], IMAGE)
    with listening(capture):
        attention_forward(layer, layer.query[:, :, :4], layer.key[:, :, :4], layer.value[:, :, :4], None)
        with pytest.raises(GazeError, match="in several parts"):
            attention_forward(layer, layer.query[:, :, 4:], layer.key, layer.value, None)


@pytest.mark.parametrize("what", [{"s_aux": torch.zeros(4)}, {"position_bias": torch.zeros(1, 4, N, N)}])
def test_scores_that_are_changed_in_unknown_ways_are_refused(what: dict[str, Tensor]) -> None:
    layer = Layer()
    with listening(Capture([Tap(layer, 0)], IMAGE)), pytest.raises(GazeError, match="cannot be captured"):
        attention_forward(layer, layer.query, layer.key, layer.value, None, **what)


def test_several_texts_at_once_are_refused() -> None:
    layer = Layer()
    two = [tensor.repeat(2, 1, 1, 1) for tensor in (layer.query, layer.key, layer.value)]
    with listening(Capture([Tap(layer, 0)], IMAGE)), pytest.raises(GazeError, match="batches"):
        attention_forward(layer, *two, None)


def test_modules_that_nobody_taps_and_times_when_nobody_listens_are_left_alone() -> None:
    layer, other = Layer(), Layer(seed=1)
    plain = other.generate()
    capture = Capture([Tap(layer, 0)], IMAGE, KeyMask(IMAGE, np.ones(4, np.float32)))
    with listening(capture):
        assert torch.equal(other.generate(), plain)
    unmasked = layer.generate()
    with listening(capture):
        assert not torch.equal(layer.generate(), unmasked)
    assert torch.equal(layer.generate(), unmasked)


def test_another_threads_capture_does_not_interfere() -> None:
    """Two captions of one network, written by two threads in turns, each with its own lesion."""
    layer = Layer(groups=2)
    masks = (KeyMask(IMAGE, GRADED), KeyMask(IMAGE, np.array([0.0, 1.0, 1.0, 0.0], np.float32)))
    turns = threading.Barrier(2, timeout=30)
    found: dict[int, Rows] = {}

    def write(who: int) -> None:
        capture = Capture([Tap(layer, 0)], IMAGE, masks[who], keep="heads")
        with listening(capture):
            for _ in layer._calls(None):
                turns.wait()
        found[who] = capture.rows(TOKENS)

    threads = [threading.Thread(target=write, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for who in (0, 1):
        _check(found[who], layer.expected(key_mask=masks[who]))


def test_a_thread_that_listens_to_nothing_is_not_heard() -> None:
    layer = Layer()
    plain = layer.generate()
    capture = Capture([Tap(layer, 0)], IMAGE, KeyMask(IMAGE, np.ones(4, np.float32)))
    found: list[Tensor] = []
    with listening(capture):
        thread = threading.Thread(target=lambda: found.append(layer.generate()))
        thread.start()
        thread.join()
    assert torch.equal(found[0], plain)
    with pytest.raises(GazeError, match="gave 0 rows"):
        capture.rows(TOKENS)


@pytest.mark.parametrize("first_row", [0, PROMPT - 1])
def test_layers_in_turn_share_a_lesions_mask_where_theirs_is_the_same(
    first_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three layers without a mask of their own, the third behind one with a sliding window."""
    made: list[int] = []
    apply = KeyMask.apply

    def counted(self: KeyMask, *args: Any, **kwargs: Any) -> Tensor:
        made.append(1)
        return apply(self, *args, **kwargs)

    monkeypatch.setattr(KeyMask, "apply", counted)
    layers = [Layer(seed=0), Layer(seed=1), Layer(seed=2, window=6), Layer(seed=3)]
    key_mask = KeyMask(IMAGE, GRADED, first_row)
    capture = Capture([Tap(layer, i) for i, layer in enumerate(layers)], IMAGE, key_mask, keep="heads")
    allowed = [CAUSAL if layer.window is None else _window(layer.window) for layer in layers]
    with listening(capture):
        calls = [layer._calls(_window(6) if layer.window else None) for layer in layers]
        steps = [[out[0] for _, _, out in step] for step in zip(*calls, strict=True)]
    assert len(made) == 3 * len(steps)
    rows = capture.rows(TOKENS)
    assert rows.kept is not None
    for i, layer in enumerate(layers):
        weights = layer.expected(allowed[i], key_mask)
        out = torch.cat([step[i] for step in steps])
        assert (out - layer.outputs(weights)).abs().max() < 1e-5
        expected = weights[:, PROMPT - 1 :, torch.as_tensor(IMAGE)].transpose(0, 1).numpy()
        assert np.abs(rows.kept[:, i] - expected).max() < 5e-4  # stored as half numbers


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_masks_in_half_numbers_leave_numbers_everywhere(dtype: torch.dtype) -> None:
    """Even where a row sees nothing but keys that are taken away."""
    query = torch.zeros(1, 1, 3, SIZE, dtype=dtype)
    key_mask = KeyMask(np.array([0, 1, 2]), np.array([1.0, 1.0, 0.5], np.float32))
    for given in (
        None,
        torch.ones(1, 1, 3, 3, dtype=torch.bool).tril(),
        torch.zeros(1, 1, 3, 3, dtype=dtype),
    ):
        mask = key_mask.apply(given, query, 3, 0, causal=True)
        assert mask.dtype == dtype
        weights = mask.softmax(dim=-1)
        assert torch.isfinite(weights).all()
        assert weights[0, 0, 2].tolist() == [0.0, 0.0, 1.0]


def test_a_mask_says_nothing_of_keys_that_are_gone() -> None:
    key_mask = KeyMask(np.array([0, 2, 5]), np.array([1.0, 0.5, 0.75], np.float32))
    like = torch.zeros(1)
    whole = key_mask.bias(7, 0, like)
    assert whole[[1, 3, 4, 6]].tolist() == [0.0] * 4
    assert whole[[2, 5]].exp().tolist() == pytest.approx([0.5, 0.25])
    assert torch.equal(key_mask.bias(4, 3, like), whole[3:])
