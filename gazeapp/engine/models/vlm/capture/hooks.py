"""The way in for attention modules with a softmax of their own, which return their weights beside their output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.capture.capture import Capture, Tap, active_capture, listening


@contextmanager
def hooked(taps: list[Tap], mask_argument: str, capture: Capture) -> Iterator[None]:
    """Let a capture listen to modules that are called with hidden states and return output and weights.

    The modules compute what they always compute. Keys are taken away through the additive mask that the module adds
    to its scores, so that its own softmax normalises what is left.

    Parameters
    ----------
    taps
        The modules; ``forward(hidden_states, ...)`` returns the output and the weights, shape (1, heads, n_rows,
        n_keys). It has the argument ``encoder_hidden_states`` where the tap is cross-attention, ``past_key_values``
        where it is not.
    mask_argument
        Name of the argument of ``forward`` that is added to the scores, broadcast to (1, heads, n_rows, n_keys);
        it may be None.
    capture
        Who listens. Calls from other threads pass by.
    """
    with ExitStack() as hooks:
        for tap in taps:
            hooks.callback(
                tap.module.register_forward_pre_hook(_masking(tap, mask_argument), with_kwargs=True).remove
            )
            hooks.callback(tap.module.register_forward_hook(_taking(tap)).remove)
        hooks.enter_context(listening(capture))
        yield


def _masking(tap: Tap, mask_argument: str) -> Callable[..., Any]:
    """Return a hook that takes keys away before a module runs."""
    signature = inspect.signature(tap.module.forward)

    def mask_keys(module: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        capture = active_capture()
        layer = capture.layer_of(module) if capture is not None else None
        if capture is None or layer is None or capture.mask is None:
            return None
        call = signature.bind(*args, **kwargs).arguments
        rows = call["hidden_states"]
        n_rows, n_keys = rows.shape[1], _n_keys(tap, call)
        first_row = capture.first_row(layer, n_keys, n_rows)
        # Only the rows' number, dtype and device are read from the query.
        given = call.get(mask_argument)
        call[mask_argument] = capture.masked(given, rows[:, None], n_keys, first_row, causal=not tap.cross)
        further = call.pop("kwargs", {})
        return (), {**call, **further}

    return mask_keys


def _taking(tap: Tap) -> Callable[..., None]:
    """Return a hook that takes the last row of weights after a module ran."""

    def take_row(module: nn.Module, _args: Any, out: Any) -> None:
        capture = active_capture()
        layer = capture.layer_of(module) if capture is not None else None
        if capture is None or layer is None:
            return
        weights = out[1] if isinstance(out, tuple) and len(out) > 1 else None
        if not isinstance(weights, Tensor) or weights.ndim != 4 or weights.shape[0] != 1:
            raise GazeError(
                f"Layer {tap.layer} of the model did not return its attention weights.",
                todo="Report it with the model's name and the version of transformers.",
            )
        capture.note_call(layer, weights.shape[2])
        capture.take_weights(layer, weights[0, :, -1])

    return take_row


def _n_keys(tap: Tap, call: dict[str, Any]) -> int:
    """Return how many keys the rows of a call meet."""
    if tap.cross:
        return int(call["encoder_hidden_states"].shape[1])
    past = call.get("past_key_values")
    seen = past.get_seq_length(tap.module.layer_idx) if past is not None else 0
    return int(call["hidden_states"].shape[1]) + int(seen)
