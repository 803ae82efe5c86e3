"""The way in for code that is no part of transformers: its attention method is wrapped while a capture listens."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.capture.capture import Capture, Tap, active_capture, listening


@dataclass(frozen=True)
class AttentionMethod:
    """A method that computes attention as ``torch.nn.functional.scaled_dot_product_attention`` does.

    Parameters
    ----------
    name
        Its name; Molmo's remote code calls it ``_scaled_dot_product_attention``.
    query, keys
        Names of its arguments of shapes (1, heads, n_rows, head size) and (1, key heads, n_keys, head size), with
        positions in them and the cache's keys in front.
    mask
        Name of the argument that is true where attention is allowed, or added to the scores, or None.
    causal
        Name of the argument that says, where there is no mask, that no row sees later keys.
    """

    name: str
    query: str
    keys: str
    mask: str
    causal: str


@contextmanager
def wrapped(taps: list[Tap], method: AttentionMethod, capture: Capture) -> Iterator[None]:
    """Let a capture listen to a method of some modules, which is put back however this ends.

    Parameters
    ----------
    taps
        The modules that have the method.
    method
        The method and its arguments.
    capture
        Who listens. Calls from other threads pass by.

    Raises
    ------
    GazeError
        If a module has no such method, or the method no such arguments.
    """
    with ExitStack() as wrappings:
        for tap in taps:
            own = getattr(tap.module, method.name, None)
            if own is None:
                raise GazeError(
                    f"Layer {tap.layer} of the model has no method '{method.name}', so that its attention cannot be "
                    "listened to.",
                    todo="Its code is of another revision than gazeapp knows; load the revision that is known.",
                )
            before = vars(tap.module).get(method.name)
            setattr(tap.module, method.name, _listening(tap, method, own))
            wrappings.callback(_put_back, tap.module, method.name, before)
        wrappings.enter_context(listening(capture))
        yield


def _put_back(module: nn.Module, name: str, own: Any) -> None:
    """Take the wrapping off: the method is the class's again, or the module's own where it had one."""
    delattr(module, name)
    if own is not None:
        setattr(module, name, own)


def _listening(tap: Tap, method: AttentionMethod, own: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that computes what ``own`` does and gives the last row to whoever listens."""
    signature = inspect.signature(own)
    missing = {method.query, method.keys, method.mask, method.causal} - set(signature.parameters)
    if missing:
        raise GazeError(
            f"The method '{method.name}' of the model has no argument {', '.join(sorted(missing))}.",
            todo="Its code is of another revision than gazeapp knows; load the revision that is known.",
        )

    def attend(*args: Any, **kwargs: Any) -> Any:
        capture = active_capture()
        layer = capture.layer_of(tap.module) if capture is not None else None
        if capture is None or layer is None:
            return own(*args, **kwargs)
        call = signature.bind(*args, **kwargs)
        call.apply_defaults()
        query, keys = call.arguments[method.query], call.arguments[method.keys]
        if query.shape[0] != 1:
            raise GazeError("Attention of several texts at once cannot be captured.")
        n_rows, n_keys = query.shape[2], keys.shape[2]
        first_row = capture.first_row(layer, n_keys, n_rows)
        capture.note_call(layer, n_rows)
        first_key = 0 if tap.cross else first_row + n_rows - n_keys
        allowed = _allowed(call.arguments[method.mask], call.arguments[method.causal], query, n_keys)
        mask = capture.masked(allowed, query, n_keys, first_row, causal=False, first_key=first_key)
        if mask is not allowed:
            call.arguments[method.mask], call.arguments[method.causal] = mask, False
        out = own(*call.args, **call.kwargs)
        capture.take_row_now(layer, query, keys, query.shape[-1] ** -0.5, mask, first_key)
        return out

    return attend


def _allowed(mask: Tensor | None, causal: bool, query: Tensor, n_keys: int) -> Tensor:
    """Return the mask that torch's function applies, with four axes."""
    if mask is not None:
        return mask[(None,) * (4 - mask.ndim)]
    allowed = torch.ones(query.shape[2], n_keys, dtype=torch.bool, device=query.device)
    # Torch lines up the first row with the first key, however many keys a cache has in front.
    return (allowed.tril() if causal else allowed)[None, None]
