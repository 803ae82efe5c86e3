from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.capture.capture import Capture, Tap
from gazeapp.engine.models.vlm.capture.masking import KeyMask
from gazeapp.engine.models.vlm.capture.wrapping import AttentionMethod, wrapped

METHOD = AttentionMethod(
    "_scaled_dot_product_attention", query="q", keys="k", mask="attn_mask", causal="is_causal"
)
SIZE, HEADS, KEY_HEADS, PROMPT, TOKENS = 8, 4, 2, 7, 4
IMAGE = np.array([1, 2, 3, 4])


class Block(nn.Module):
    """A layer in the manner of code that comes with a checkpoint: its forward tells nothing of its attention."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = nn.Linear(16, HEADS * SIZE)
        self.keys = nn.Linear(16, KEY_HEADS * SIZE)
        self.values = nn.Linear(16, KEY_HEADS * SIZE)
        self.out = nn.Linear(HEADS * SIZE, 16)

    def _scaled_dot_product_attention(
        self, q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        k = k.repeat_interleave(HEADS // KEY_HEADS, dim=1)
        v = v.repeat_interleave(HEADS // KEY_HEADS, dim=1)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask, is_causal=is_causal)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None, bias: Tensor | None
    ) -> tuple[Tensor, Any]:
        q = self.queries(x).unflatten(-1, (HEADS, SIZE)).transpose(1, 2)
        k = self.keys(x).unflatten(-1, (KEY_HEADS, SIZE)).transpose(1, 2)
        v = self.values(x).unflatten(-1, (KEY_HEADS, SIZE)).transpose(1, 2)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        if bias is not None:
            bias = bias[:, :, k.shape[2] - x.shape[1] : k.shape[2], : k.shape[2]]
        out = self._scaled_dot_product_attention(q, k, v, bias, is_causal=bias is None and past is None)
        return x + self.out(out.transpose(1, 2).flatten(2)), (k, v)


class Network(nn.Module):
    """Two such layers that write on: each output row is the next input row."""

    def __init__(self, with_bias: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.prompt = torch.randn(1, PROMPT, 16) * 3
        n = PROMPT + TOKENS
        bias = torch.randn(1, 1, n, n).masked_fill(~torch.ones(n, n, dtype=torch.bool).tril(), -torch.inf)
        self.bias = bias if with_bias else None

    def write(self) -> list[Tensor]:
        """Return the input of each layer at the end, rows of prompt and tokens."""
        pasts: list[Any] = [None, None]
        x, read = self.prompt, [self.prompt[:, :0], self.prompt[:, :0]]
        for _ in range(TOKENS):
            for i, block in enumerate(self.blocks):
                read[i] = torch.cat([read[i], x], dim=1)
                x, pasts[i] = block(x, pasts[i], self.bias)
            x = x[:, -1:]
        return read


def _taps(network: Network) -> list[Tap]:
    return [Tap(block, i) for i, block in enumerate(network.blocks)]


def _closed_form(network: Network, read: list[Tensor], mask: KeyMask | None = None) -> np.ndarray:
    """Return softmax(q k / sqrt(size) + bias) of the rows that write a token, from the layers' inputs."""
    rows = []
    for block, x in zip(network.blocks, read, strict=True):
        n = x.shape[1]
        q = block.queries(x).unflatten(-1, (HEADS, SIZE))[0].double()
        k = block.keys(x).unflatten(-1, (KEY_HEADS, SIZE))[0].double()
        scores = torch.stack([q[:, h] @ k[:, h * KEY_HEADS // HEADS].T for h in range(HEADS)]) / SIZE**0.5
        if network.bias is not None:
            scores = scores + network.bias[0, :, :n, :n]
        weights = scores.exp().tril()
        if mask is not None:
            left = torch.ones(n, n, dtype=torch.float64)
            left[mask.first_row :, torch.as_tensor(mask.columns)] -= torch.as_tensor(mask.share).double()
            weights = weights * left
        weights = weights / weights.sum(dim=-1, keepdim=True)
        rows.append(weights[:, PROMPT - 1 :, torch.as_tensor(IMAGE)])
    return torch.stack(rows).permute(2, 0, 1, 3).numpy()


@pytest.mark.parametrize("with_bias", [False, True])
@torch.no_grad()
def test_rows_are_those_of_the_closed_form_and_nothing_else_changes(with_bias: bool) -> None:
    network = Network(with_bias)
    plain = network.write()
    capture = Capture(_taps(network), IMAGE, keep="heads")
    with wrapped(_taps(network), METHOD, capture):
        read = network.write()
    assert all(torch.equal(a, b) for a, b in zip(plain, read, strict=True))
    rows = capture.rows(TOKENS)
    expected = _closed_form(network, read)
    assert expected.max() > 2 * expected.mean()
    assert np.abs(rows.mean - expected.mean(axis=(1, 2))).max() < 1e-6
    assert np.abs(rows.image_mass - expected.sum(axis=3)).max() < 1e-6
    assert rows.kept is not None
    assert np.abs(rows.kept - expected).max() < 5e-4


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("first_row", [0, 5, PROMPT - 1])
@torch.no_grad()
def test_masked_keys_lose_their_share(with_bias: bool, first_row: int) -> None:
    network = Network(with_bias)
    plain = network.write()
    mask = KeyMask(IMAGE, np.array([1.0, 0.5, 0.0, 0.25], np.float32), first_row)
    capture = Capture(_taps(network), IMAGE, mask, keep="heads")
    with wrapped(_taps(network), METHOD, capture):
        read = network.write()
    # What the layers read follows from what they attended to; rows in front of the first one are as ever.
    assert torch.equal(plain[1][:, :first_row], read[1][:, :first_row])
    assert not torch.equal(plain[1][:, first_row:], read[1][:, first_row:])
    rows = capture.rows(TOKENS)
    assert np.abs(rows.mean - _closed_form(network, read, mask).mean(axis=(1, 2))).max() < 1e-6
    assert rows.kept is not None
    assert rows.kept[..., 0].max() == 0.0


@torch.no_grad()
def test_methods_are_put_back_even_after_an_error() -> None:
    network = Network(with_bias=False)
    first, second = network.blocks
    own = second._scaled_dot_product_attention
    second._scaled_dot_product_attention = own  # one that was replaced before stays replaced
    broken = pytest.raises(GazeError, match="broken")
    with broken, wrapped(_taps(network), METHOD, Capture(_taps(network), IMAGE)):
        _break(METHOD.name in vars(first))
    assert "_scaled_dot_product_attention" not in vars(first)
    assert second._scaled_dot_product_attention is own
    network.write()


def _break(wrapped_now: bool) -> None:
    raise GazeError("broken" if wrapped_now else "nobody listened")


@torch.no_grad()
def test_nothing_heard_is_an_error() -> None:
    network = Network(with_bias=False)
    capture = Capture(_taps(network), IMAGE)
    with wrapped(_taps(network), METHOD, capture):
        pass
    with pytest.raises(GazeError, match="gave 0 rows"):
        capture.rows(TOKENS)


def test_code_of_another_revision_is_refused_by_name() -> None:
    network = Network(with_bias=False)
    for method, what in (
        (AttentionMethod("attend", "q", "k", "attn_mask", "is_causal"), "'attend'"),
        (AttentionMethod(METHOD.name, "q", "key", "attn_mask", "causal"), "no argument causal, key"),
    ):
        with (
            pytest.raises(GazeError, match=what),
            wrapped(_taps(network), method, Capture(_taps(network), IMAGE)),
        ):
            pass
        assert all(METHOD.name not in vars(block) for block in network.blocks)


@torch.no_grad()
def test_another_threads_calls_pass_by() -> None:
    network = Network(with_bias=False)
    plain = network.write()
    mask = KeyMask(IMAGE, np.ones(4, np.float32))
    capture = Capture(_taps(network), IMAGE, mask)
    found: list[list[Tensor]] = []
    with wrapped(_taps(network), METHOD, capture):
        thread = threading.Thread(target=lambda: found.append(network.write()))
        thread.start()
        thread.join()
    assert torch.equal(found[0][1], plain[1])
    with pytest.raises(GazeError, match="gave 0 rows"):
        capture.rows(TOKENS)
