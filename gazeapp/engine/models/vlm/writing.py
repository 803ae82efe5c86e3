"""Letting a network write a caption: which token comes next, how probable it was, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.models.base import Decoding
from gazeapp.engine.types import Json

_KEPT = (
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "decoder_start_token_id",
    "forced_bos_token_id",
    "bad_words_ids",
    "suppress_tokens",
    "begin_suppress_tokens",
)
"""What of a checkpoint's own decoding settings holds: how texts begin and end, and tokens that must not be written."""


@dataclass(frozen=True, eq=False)
class Generated:
    """What a network wrote: token ids without those that end it, their log-probabilities, and whether it ended.

    What it was made to write ended with the last token that it was given.
    """

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    ended: bool


def plain_decoding(network: Any) -> Json:
    """Take the decoding settings that a checkpoint brings from its network, save those about tokens.

    Captions are made as a run's settings say: penalties, searches and temperatures that a checkpoint asks for would
    hold beside them, unseen.

    Returns
    -------
    dict
        The settings that were taken away, JSON-able.
    """
    asked = network.generation_config
    kept = {name: getattr(asked, name) for name in _KEPT if getattr(asked, name, None) is not None}
    dropped = {
        name: value
        for name, value in asked.to_diff_dict().items()
        if name not in _KEPT
        and not name.startswith("_")
        and name not in ("transformers_version", "use_cache")
    }
    network.generation_config = type(asked)(**kept)
    return {
        name: value if isinstance(value, int | float | str | bool) else str(value)
        for name, value in dropped.items()
    }


def write(
    network: Any,
    inputs: dict[str, Any],
    ends: frozenset[int],
    decoding: Decoding,
    should_stop: Callable[[], bool],
    forced: tuple[int, ...] = (),
) -> Generated:
    """Let a network write until it ends or the caption is as long as it may be, or make it write given tokens.

    Parameters
    ----------
    network
        A network of transformers without decoding settings of its own, see `plain_decoding`.
    inputs
        Arguments of its ``generate``, on its device.
    ends
        Tokens that end a caption; other special tokens in it are no words, but do not end it.
    decoding
        How tokens are chosen.
    should_stop
        Asked after each token.
    forced
        Tokens that it is made to write instead of choosing; their log-probabilities are those that it gave them, of
        the logits as they leave the network. Empty lets it choose.

    Raises
    ------
    GazeError
        When the network's numbers are not finite, so that no token can be chosen, or when ``forced`` holds what
        ends a caption or is no token of the network's.
    StoppedError
        When ``should_stop`` answered True.
    """
    from transformers import LogitsProcessorList, StoppingCriteriaList

    if ends.intersection(forced):
        raise GazeError(
            "The words that the model is to say hold a token that ends a caption, behind which there are none.",
            todo="Leave that token out.",
        )
    own = network.generation_config
    draws = decoding.temperature > 0 and not forced
    drawn = {"temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
    config = type(own)(
        **{name: value for name in _KEPT if (value := getattr(own, name, None)) is not None},
        max_new_tokens=len(forced) or decoding.max_tokens,
        do_sample=draws,
        output_logits=True,
        return_dict_in_generate=True,
        **(drawn if draws else {}),
    )
    if draws:
        torch.manual_seed(decoding.seed)
    out = network.generate(
        **inputs,
        generation_config=config,
        stopping_criteria=StoppingCriteriaList([_StopWhenAsked(should_stop)]),
        logits_processor=LogitsProcessorList([_SayOnly(forced)] if forced else []),
    )
    tokens = out.sequences[0, -len(out.logits) :]
    chosen = torch.stack(
        [step[0, token] - step[0].logsumexp(dim=0) for step, token in zip(out.logits, tokens, strict=True)]
    )
    if not bool(torch.isfinite(chosen).all()):
        raise _not_finite()
    told = [(int(token), float(p)) for token, p in zip(tokens, chosen, strict=True)]
    end = next((i for i, (token, _) in enumerate(told) if token in ends), len(told))
    ended = end < len(told) or bool(forced)
    return Generated(tuple(t for t, _ in told[:end]), tuple(p for _, p in told[:end]), ended)


class _SayOnly:
    """Asked by transformers before each token is chosen; leaves one token to choose.

    The logits that probabilities are taken from are those before it, and stay as they are.
    """

    def __init__(self, tokens: tuple[int, ...]) -> None:
        self._tokens = tokens
        self._said = 0

    def __call__(self, _input_ids: Tensor, scores: Tensor) -> Tensor:
        token = self._tokens[self._said]
        if not 0 <= token < scores.shape[-1]:
            raise GazeError(
                f"The model has no token {token}, so it cannot be made to say it.",
                todo="Give it words that this model said itself.",
            )
        self._said += 1
        only = torch.full_like(scores, -torch.inf)
        only[:, token] = 0.0
        return only


class _StopWhenAsked:
    """Asked by transformers after each token; gives the caption up when the user wants to stop."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop

    def __call__(self, input_ids: Tensor, _scores: Any, **_kwargs: Any) -> Tensor:
        if self._should_stop():
            raise StoppedError
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def _not_finite() -> GazeError:
    return GazeError(
        "The model's probabilities are not numbers, so it cannot choose a word.",
        todo="Check its weights, or run it in float32 or bfloat16.",
    )


def token_ids(value: Any) -> frozenset[int]:
    """Return the token ids that a configuration names: none, one or several."""
    if value is None:
        return frozenset()
    return frozenset({int(value)} if isinstance(value, int) else {int(one) for one in value})
