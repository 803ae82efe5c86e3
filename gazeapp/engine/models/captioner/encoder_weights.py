"""The weights that an encoder starts from: timm's published ones, a file, or none. No pickle is run."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.encoder_facts import SMALL
from gazeapp.engine.models.captioner.encoders import Encoder
from gazeapp.engine.models.captioner.importing.weights import read_plain
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.loading.sizes import readable

NONE, TIMM = "none", "timm"
_FILE = "model.safetensors"
_NAMED = 5
"""How many names of tensors are listed in a sentence."""


@dataclass(frozen=True, slots=True)
class EncoderStart:
    """What an encoder started from, for the model card.

    Parameters
    ----------
    source
        The hub's name of the published weights, or the name of the file.
    sha256
        Of the file.
    licence
        As timm states it; empty for a file.
    left_out
        Tensors of the file that the encoder has no place for, the classifier's not counted.
    """

    source: str
    sha256: str
    licence: str = ""
    left_out: tuple[str, ...] = ()


def load_encoder_weights(encoder: Encoder, name: str, weights: str) -> EncoderStart | None:
    """Give an encoder's network the weights to start from.

    Parameters
    ----------
    encoder
        The encoder; projection and norm keep their own.
    name
        Name of the network.
    weights
        ``timm`` for the published weights of that name, which are downloaded where they are not on this machine;
        ``none`` to leave the network as it is; else a safetensors file, or one of torch that holds nothing but tensors,
        with timm's names or torchvision's.

    Returns
    -------
    EncoderStart or None
        What it started from; None for ``none``.

    Raises
    ------
    GazeError
        When there are no such weights, they cannot be read or fetched, something is missing in them, or shapes differ.
    """
    if weights == NONE:
        return None
    if name in SMALL:
        raise GazeError(
            f"There are no published weights of the small encoder '{name}'.",
            todo="Start it from none, or use an encoder of timm.",
        )
    published = weights == TIMM
    path = _published(name, encoder) if published else Path(weights).expanduser()
    tensors = _fitted(encoder.net, name, _timm_names(read_plain(path)))
    left_out = _load(encoder.net, tensors, path)
    known = encoder.net.pretrained_cfg
    return EncoderStart(
        str(known.get("hf_hub_id")) if published else path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        str(known.get("license") or "") if published else "",
        left_out,
    )


def _published(name: str, encoder: Encoder) -> Path:
    """Return the file of timm's published weights, from the hub's cache or the hub."""
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    from gazeapp.engine.models.vlm.loading.hub import hub_errors

    known = encoder.net.pretrained_cfg
    hub_id, file = known.get("hf_hub_id"), known.get("hf_hub_filename") or _FILE
    by_hand = "Or give a safetensors file with them as the encoder's weights (--encoder-weights FILE)."
    if not hub_id or not str(file).endswith(".safetensors"):
        raise GazeError(
            f"timm publishes no weights of {name} that can be read without running code.",
            todo=by_hand[3:].capitalize(),
        )
    cached = try_to_load_from_cache(hub_id, file)
    if isinstance(cached, str):
        return Path(cached)
    size = readable(4 * sum(weights.numel() for weights in encoder.net.parameters()))
    what = f"The published weights of {name} ({file} of {hub_id}, about {size}) are not on this machine"
    try:
        with hub_errors(hub_id):
            return Path(hf_hub_download(hub_id, file))
    except LocalEntryNotFoundError as error:
        raise GazeError(
            f"{what}, and the hub cannot be reached.", where=hub_id, todo=f"Check the network. {by_hand}"
        ) from error
    except EntryNotFoundError as error:
        raise GazeError(f"{hub_id} has no {file}.", where=hub_id, todo=by_hand[3:].capitalize()) from error
    except GazeError as error:
        raise GazeError(f"{what}. {error.what}", where=hub_id, todo=f"{error.todo} {by_hand}") from error
    except OSError as error:
        raise GazeError(
            f"{what} and cannot be stored: {error.strerror or error}.",
            where=str(constants.HF_HUB_CACHE),
            todo="Check that the disk is not full and the folder may be written.",
        ) from error


def _timm_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights by timm's names; torchvision's ResNets have the same, its vision Transformers others."""
    if "conv_proj.weight" not in tensors:
        return tensors
    return {_timm_name(name): tensor for name, tensor in tensors.items()}


_OF_VIT = (
    (r"^class_token$", "cls_token"),
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.ln\.", "norm."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.self_attention\.in_proj_", ".attn.qkv."),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.(0|linear_1)\.", ".mlp.fc1."),
    (r"\.mlp\.(3|linear_2)\.", ".mlp.fc2."),
    (r"^heads\.(head\.)?", "head."),
)
"""torchvision's names of the parts of a vision Transformer, and timm's."""


def _timm_name(name: str) -> str:
    for theirs, ours in _OF_VIT:
        name = re.sub(theirs, ours, name)
    return name


def _fitted(network: Any, name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Let timm bring weights to a network: older names, and place codes for another picture size."""
    ensure_torchvision()
    import timm

    module = sys.modules[timm.models.model_entrypoint(name).__module__]
    fit = getattr(module, "checkpoint_filter_fn", None)
    if fit is None:
        return tensors
    try:
        fitted: dict[str, Tensor] = fit(tensors, network)
    except (KeyError, RuntimeError, ValueError, IndexError, AttributeError):
        return tensors  # what does not fit is told by name
    return fitted


def _load(network: Any, tensors: dict[str, Tensor], path: Path) -> tuple[str, ...]:
    """Load weights and return the names of those that have no place, the classifier's left out."""
    own: dict[str, Tensor] = network.state_dict()
    todo = "Use the weights of this network, or another encoder."
    missing = [name for name in own if name not in tensors and not name.endswith("num_batches_tracked")]
    if missing:
        raise GazeError(f"The weights lack {_some(missing)} of the encoder.", where=str(path), todo=todo)
    for name in own.keys() & tensors.keys():
        if own[name].shape != tensors[name].shape:
            raise GazeError(
                f"The weights '{name}' have the shape {tuple(tensors[name].shape)}; the encoder's have "
                f"{tuple(own[name].shape)}.",
                where=str(path),
                todo=todo,
            )
        if not bool(tensors[name].isfinite().all()):
            raise GazeError(f"The weights '{name}' hold NaN or infinity.", where=str(path), todo=todo)
    network.load_state_dict({**own, **{name: tensors[name] for name in own.keys() & tensors.keys()}})
    heads = network.pretrained_cfg.get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else tuple(heads)
    return tuple(
        name
        for name in tensors
        if name not in own and not name.startswith(tuple(f"{head}." for head in heads))
    )


def _some(names: Collection[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = [f"'{name}'" for name in list(names)[:_NAMED]]
    return ", ".join(shown) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
