"""One generation's attention of the words over the image tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.capture.masking import KeyMask
from gazeapp.engine.types import BoolArray, FloatArray, HalfArray, IntArray


@dataclass(frozen=True)
class Tap:
    """An attention module whose rows are wanted.

    Parameters
    ----------
    module
        The module that computes attention over the image tokens.
    layer
        Its number in the model, from 0.
    cross
        Whether its keys are the image alone (cross-attention), not the sequence.
    """

    module: nn.Module
    layer: int
    cross: bool = False


@dataclass(frozen=True, eq=False)
class Rows:
    """Attention of each generated token.

    Parameters
    ----------
    mean
        Mean over the wanted layers and heads of the attention to each image token, shape (n_tokens, n_columns),
        float32: shares of the whole row, not normalised over the image.
    image_mass
        Share of the row on the tokens that show a part of the image, shape (n_tokens, n_layers, n_heads), float32.
    kept
        What was asked to be kept, shape (n_tokens, n_layers, n_heads or 1, n_columns), float16; None for nothing.
    """

    mean: FloatArray
    image_mass: FloatArray
    kept: HalfArray | None


@dataclass
class _Layer:
    """What one layer has given so far: rows, or queries whose rows are computed at the end."""

    cross: bool
    queries: list[Tensor] = field(default_factory=list)
    keys: Tensor | None = None
    scaling: float = 1.0
    rows: list[Tensor] = field(default_factory=list)
    calls: int = 0


class Capture:
    """Takes attention rows while a model generates one caption.

    Rows of full layers are not computed at every step: queries are kept (one row each), and when the caption ends all
    rows of a layer come from one product with the keys of its cache. That is the same number for a hundredth of the
    calls. Layers that forget keys (sliding windows) give their rows at once.

    Parameters
    ----------
    taps
        The modules to listen to, in the order of their layers.
    columns
        Key positions of the image tokens, shape (n_columns,).
    mask
        Keys that are taken away; None for none.
    picked_layers, picked_heads
        Positions among ``taps``, and heads, whose mean is wanted; empty means all.
    keep
        ``""``, ``layers`` (mean over heads) or ``heads``: what is kept of each layer.
    on_image
        Which columns count as attention on the image, shape (n_columns,); all when None. Those of padding do not.
    """

    def __init__(
        self,
        taps: Sequence[Tap],
        columns: IntArray,
        mask: KeyMask | None = None,
        picked_layers: tuple[int, ...] = (),
        picked_heads: tuple[int, ...] = (),
        keep: str = "",
        on_image: BoolArray | None = None,
    ) -> None:
        self.mask = mask
        self._columns = columns
        self._picked_layers = picked_layers or tuple(range(len(taps)))
        self._picked_heads = picked_heads
        self._keep = keep
        self._on_image = on_image
        self._position = {id(tap.module): i for i, tap in enumerate(taps)}
        self._layers = [_Layer(tap.cross) for tap in taps]
        self._numbers = [tap.layer for tap in taps]
        self._last_places: tuple[tuple[int, int, torch.device], tuple[Tensor, Tensor]] | None = None
        self._last_mask: tuple[tuple[object, ...], Tensor | None, Tensor] | None = None
        self._seen = 0  # query rows of the first call: the prompt

    def layer_of(self, module: nn.Module) -> int | None:
        """Return the position of a module among the taps; None for modules that nobody listens to."""
        return self._position.get(id(module))

    def is_cross(self, layer: int) -> bool:
        """Return whether a layer attends to the image alone."""
        return self._layers[layer].cross

    def first_row(self, layer: int, n_keys: int, n_rows: int) -> int:
        """Return the position of the first of ``n_rows`` query rows that a layer is called with.

        The first call brings the whole prompt, each later one a token; a cache that forgets has fewer keys than that.
        Rows are positions in the text where keys are the image alone.
        """
        state = self._layers[layer]
        if state.calls == 0:
            return 0 if state.cross else n_keys - n_rows
        return self._seen + state.calls - 1

    def note_call(self, layer: int, n_rows: int) -> None:
        """Count a call of a layer with ``n_rows`` query rows.

        Raises
        ------
        GazeError
            If a later call brings several rows: nobody could say which of them wrote a word.
        """
        state = self._layers[layer]
        if state.calls == 0:
            self._seen = n_rows
        elif n_rows > 1:
            raise GazeError(
                "The model reads its prompt in several parts, or all of it for each word, so that its attention cannot "
                "be captured.",
                todo="Let it generate with its cache, and read the prompt at once.",
            )
        state.calls += 1

    def masked(
        self,
        given: Tensor | None,
        query: Tensor,
        n_keys: int,
        first_row: int,
        causal: bool,
        first_key: int = 0,
    ) -> Tensor | None:
        """Return the attention mask of a call without the keys that are taken away, see `KeyMask.apply`.

        It is ``given`` itself where nothing is taken away from the call's rows.
        """
        n_rows = query.shape[2]
        if self.mask is None or first_row + n_rows <= self.mask.first_row:
            return given
        # The layers of a step ask for the same in turn, of one mask that the model made for all of them.
        asked = (n_keys, n_rows, first_row, first_key, causal, query.dtype, query.device)
        last = self._last_mask
        if last is None or last[0] != asked or last[1] is not given:
            made = self.mask.apply(given, query, n_keys, first_row, causal, first_key)
            last = self._last_mask = (asked, given, made)
        return last[2]

    def take_query(self, layer: int, query: Tensor, keys: Tensor, scaling: float) -> None:
        """Take the last query row of a call.

        Parameters
        ----------
        layer
            Position among the taps.
        query
            Shape (1, heads, n_rows, head size), as it enters the softmax.
        keys
            All keys so far, shape (1, key heads, n_keys, head size).
        scaling
            What scores are multiplied by.
        """
        state = self._layers[layer]
        # A copy of the one row: a view would keep the whole prompt's queries alive.
        state.queries.append(query[0, :, -1].clone() if query.shape[2] > 1 else query[0, :, 0])
        state.keys, state.scaling = keys, scaling

    def take_row_now(
        self, layer: int, query: Tensor, keys: Tensor, scaling: float, mask: Tensor | None, first_key: int
    ) -> None:
        """Compute the last query row at once, because its keys will not be there later.

        ``first_key`` is the position of the first key; ``mask`` the attention mask of the call, already without the
        keys that are taken away.
        """
        scores = _scores(query[0, :, -1:], keys, scaling)[:, 0]
        if mask is not None:
            last = mask[0, :, -1, : keys.shape[2]]
            scores = (
                scores.masked_fill(~last, -torch.inf) if last.dtype == torch.bool else scores + last.float()
            )
        weights = scores.softmax(dim=-1)
        self.take_weights(layer, weights, first_key)

    def take_weights(self, layer: int, weights: Tensor, first_key: int = 0) -> None:
        """Take a row of finished attention weights, shape (heads, n_keys), whose first key has a position."""
        self._finish_queries(layer)
        index, there = self._places(first_key, weights.shape[-1], weights.device)
        self._layers[layer].rows.append(weights[:, index].float() * there)

    def _places(self, first_key: int, n_keys: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return where each image token is among the keys, and 1 where it is there, else 0; both (n_columns,)."""
        # Layers ask for the same in turn, and each answer is a copy to the device.
        asked = (first_key, n_keys, device)
        if self._last_places is None or self._last_places[0] != asked:
            place = self._columns - first_key
            there = ((place >= 0) & (place < n_keys)).astype(np.float32)
            index = torch.as_tensor(np.clip(place, 0, n_keys - 1), device=device)
            self._last_places = (asked, (index, torch.as_tensor(there, device=device)))
        return self._last_places[1]

    @torch.no_grad()
    def rows(self, n_tokens: int) -> Rows:
        """Return the attention of the first ``n_tokens`` generated tokens.

        Raises
        ------
        GazeError
            If a layer was never called, or gave another number of rows than tokens were generated: the model went
            another way than the one that is listened to, and there is no map to show.
        """
        mean, mass, kept = None, [], []
        for i, state in enumerate(self._layers):
            weights = self._finish(i, n_tokens)
            heads = list(self._picked_heads) or list(range(weights.shape[1]))
            mass.append(self._counted(weights).sum(dim=-1).cpu())
            if self._keep:
                kept.append(
                    (weights if self._keep == "heads" else weights.mean(1, keepdim=True)).half().cpu()
                )
            if i in self._picked_layers:
                part = weights[:, heads].mean(dim=1).cpu()
                mean = part if mean is None else mean + part
            state.rows = []
        if mean is None:
            raise GazeError("The map method picks no layer of this model.")
        image_mass: FloatArray = torch.stack(mass, 1).numpy()
        detail: HalfArray | None = torch.stack(kept, 1).numpy() if kept else None
        return Rows((mean / len(self._picked_layers)).numpy(), image_mass, detail)

    def _counted(self, weights: Tensor) -> Tensor:
        """Return the weights of the columns that lie on the image."""
        if self._on_image is None or self._on_image.all():
            return weights
        return weights[..., torch.as_tensor(self._on_image, device=weights.device)]

    def _finish(self, layer: int, n_tokens: int) -> Tensor:
        """Return the rows of one layer over the image tokens, shape (n_tokens, heads, n_columns), float32."""
        self._finish_queries(layer)
        rows = self._layers[layer].rows
        if len(rows) < max(n_tokens, 1):
            raise GazeError(
                f"Layer {self._numbers[layer]} of the model gave {len(rows)} rows of attention for {n_tokens} tokens, "
                "so no map can be made.",
                todo="Report it with the model's name and the version of transformers.",
            )
        return torch.stack(rows[:n_tokens])

    def _finish_queries(self, layer: int) -> None:
        """Compute the rows of the queries that were taken so far."""
        state = self._layers[layer]
        if not state.queries:
            return
        assert state.keys is not None
        scores = _scores(torch.stack(state.queries, 1), state.keys, state.scaling)
        n_keys = scores.shape[-1]
        position = torch.arange(len(state.queries), device=scores.device) + self._seen - 1 + len(state.rows)
        if not state.cross:
            later = torch.arange(n_keys, device=scores.device)[None] > position[:, None]
            scores = scores.masked_fill(later[None], -torch.inf)
        if self.mask is not None:
            hit = position >= self.mask.first_row
            scores = scores + self.mask.bias(n_keys, 0, scores) * hit[None, :, None]
        columns = torch.as_tensor(self._columns, device=scores.device)
        state.rows.extend(scores.softmax(dim=-1)[..., columns].transpose(0, 1))
        state.queries, state.keys = [], None


_active: ContextVar[Capture | None] = ContextVar("gazeapp_capture", default=None)


def active_capture() -> Capture | None:
    """Return the capture that listens now; None while nobody does."""
    return _active.get()


@contextmanager
def listening(capture: Capture) -> Iterator[None]:
    """Let a capture listen to whatever the models of this thread compute."""
    token = _active.set(capture)
    try:
        yield
    finally:
        _active.reset(token)


def _scores(queries: Tensor, keys: Tensor, scaling: float) -> Tensor:
    """Return attention scores of queries (heads, n_rows, size) with keys (1, key heads, n_keys, size), float32.

    Heads that share keys are grouped instead of repeating the keys.
    """
    heads, n_rows, size = queries.shape
    groups = keys.shape[1]
    grouped = queries.float().reshape(groups, heads // groups * n_rows, size) * scaling
    scores = grouped @ keys[0].float().transpose(1, 2)
    return scores.reshape(heads, n_rows, keys.shape[2])
