"""The weights of a checkpoint's encoder and decoder, whatever it was saved as."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.allowed import Kept, Stored
from gazeapp.engine.models.captioner.importing.torch_file import TorchFile, read_torch_file
from gazeapp.engine.types import Json

SAFETENSORS = ".safetensors"
_DEEPEST = 40
_MOST_TENSORS = 50_000
_MOST_ENTRIES = 1_000_000
_LONGEST_NAME = 1000
_LONGEST_NOTE = 1000
_MOST_NOTES = 200
_LARGEST_NOTE = 2**63
_MOST_TIMES = 8
"""How many times as many bytes as a file has its tensors may be; some lie in it once for several names."""
_WRAPPED = "module."
"""What torch puts before every name when a network was spread over several graphics cards."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a checkpoint holds of a captioner.

    Parameters
    ----------
    encoder, decoder
        Tensors by their names in the checkpoint; the encoder's are empty where it holds none.
    attributes
        Numbers and texts that the modules of encoder and decoder had beside their weights, by name.
    notes
        Numbers that the training script wrote beside the networks.
    """

    encoder: dict[str, Tensor]
    decoder: dict[str, Tensor]
    attributes: Json = field(default_factory=dict)
    notes: Json = field(default_factory=dict)


def read_foreign(path: Path) -> Foreign:
    """Read a checkpoint that ``torch.save`` wrote, or the same weights as safetensors.

    Raises
    ------
    GazeError
        When it cannot be read, or there is no decoder in it.
    """
    if path.suffix == SAFETENSORS:
        return _from_flat(read_safetensors(path), path)
    file = read_torch_file(path)
    content = file.content
    if not isinstance(content, dict):
        raise _no_captioner(path)
    decoder = _part(content, "decoder")
    if decoder is None:
        flat = next(
            (content[key] for key in ("state_dict", "model_state_dict", "model") if key in content), content
        )
        return _from_flat(_tensors(flat, file, path), path)
    encoder = _part(content, "encoder")
    return Foreign(
        {} if encoder is None else _unwrapped(_tensors(encoder, file, path)),
        _unwrapped(_tensors(decoder, file, path)),
        {
            _unwrap(f"{part}.{name}", f"{part}."): value
            for part, whole in (("encoder", encoder), ("decoder", decoder))
            for name, value in _attributes(whole, path)
        },
        dict(_notes(content)),
    )


def read_plain(path: Path) -> dict[str, Tensor]:
    """Read the weights of one network: a state dictionary or a whole module, or safetensors.

    Raises
    ------
    GazeError
        When it cannot be read.
    """
    if path.suffix == SAFETENSORS:
        return read_safetensors(path)
    file = read_torch_file(path)
    content = file.content
    if isinstance(content, dict) and "state_dict" in content:
        content = content["state_dict"]
    return _unwrapped(_tensors(content, file, path))


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises
    ------
    GazeError
        When it cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise GazeError(
            "The weights cannot be read.", where=str(path), todo="Check the path, or get the file again."
        ) from error
    return tensors


def _part(content: dict[Any, Any], name: str) -> Any:
    """Return the encoder or decoder of a checkpoint, by the names that scripts give them."""
    for key in (name, f"{name}_state_dict", f"{name}_state"):
        if content.get(key) is not None:
            return content[key]
    return None


def _from_flat(tensors: dict[str, Tensor], path: Path) -> Foreign:
    """Divide one state dictionary into encoder and decoder by the beginnings of its names."""
    tensors = _unwrapped(tensors)
    parts = {
        part: {
            name.removeprefix(f"{part}."): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{part}.")
        }
        for part in ("encoder", "decoder")
    }
    if not parts["decoder"]:
        raise _no_captioner(path)
    return Foreign(parts["encoder"], parts["decoder"])


def _no_captioner(path: Path) -> GazeError:
    return GazeError(
        "There is no decoder of a captioner in this file.",
        where=str(path),
        todo="Choose a checkpoint that holds 'encoder' and 'decoder', as the training scripts of sgrvinod and "
        "RoyalSkye write them.",
    )


def _tensors(whole: Any, file: TorchFile, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a module or of a state dictionary by name."""
    found: dict[str, Tensor] = {}
    read, most = 0, _MOST_TIMES * path.stat().st_size
    for name, stored in _stored(whole, path):
        read += stored.storage.count * stored.storage.item
        if len(found) >= _MOST_TENSORS or read > most:
            raise _too_much(path)
        found[name] = file.tensor(stored)
    if not found:
        raise _no_captioner(path)
    return found


def _stored(whole: Any, path: Path) -> Iterator[tuple[str, Stored]]:
    if isinstance(whole, dict):
        yield from ((name, value) for name, value in _named(whole) if isinstance(value, Stored))
    for prefix, module in _modules(whole, path):
        unsaved = module.attributes.get("_non_persistent_buffers_set")
        names = {name for name in unsaved if isinstance(name, str)} if isinstance(unsaved, list) else set()
        for kind in ("_parameters", "_buffers"):
            for name, value in _named(module.attributes.get(kind)):
                if isinstance(value, Stored) and name not in names:
                    yield f"{prefix}{name}", value


def _attributes(whole: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Return the numbers and texts that modules have beside their weights."""
    for prefix, module in _modules(whole, path):
        for name, value in module.attributes.items():
            if isinstance(value, int | float | str) and not name.startswith("_"):
                yield f"{prefix}{name}", value


def _modules(whole: Any, path: Path) -> Iterator[tuple[str, Kept]]:
    """Return a module and all that are in it, each with what stands before the names of its parts.

    A module may be in several others, which makes it several modules as torch counts them; so a file can have few
    of them and mean millions.
    """
    waiting = [("", whole, 0)]
    entries = 0
    while waiting:
        prefix, module, depth = waiting.pop()
        if not isinstance(module, Kept):
            continue
        children = _named(module.attributes.get("_modules"))
        parts = [module.attributes.get(kind) for kind in ("_parameters", "_buffers", "_modules")]
        parts.append(module.attributes.get("_non_persistent_buffers_set"))
        entries += 1 + len(module.attributes)
        entries += sum(len(part) for part in parts if isinstance(part, dict | list))
        if depth > _DEEPEST or entries > _MOST_ENTRIES or len(prefix) > _LONGEST_NAME:
            raise _too_much(path)
        yield prefix, module
        waiting += [(f"{prefix}{name}.", child, depth + 1) for name, child in reversed(children)]


def _named(entries: Any) -> list[tuple[str, Any]]:
    """Return those entries of a dictionary that have a name that a layer can have."""
    if not isinstance(entries, dict):
        return []
    return [(name, v) for name, v in entries.items() if isinstance(name, str) and len(name) <= _LONGEST_NAME]


def _too_much(path: Path) -> GazeError:
    return GazeError(
        "The checkpoint says that it holds more layers or numbers than any captioner has, so it is not opened.",
        where=str(path),
        todo="Get the file again, from a place that you trust.",
    )


def _notes(content: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Return the numbers beside the networks: the epoch, scores, and the script's own settings."""
    for key, value in _named(content)[:_MOST_NOTES]:
        if _is_note(value):
            yield plain(key), plain(value)
        elif isinstance(value, dict) and key in ("final_args", "metrics"):
            inner = _named(value)[:_MOST_NOTES]
            yield key, {plain(name): plain(note) for name, note in inner if _is_note(note)}


def _is_note(value: Any) -> bool:
    """Return whether a value is a number or text that can be written down."""
    if isinstance(value, float):
        return math.isfinite(value)
    return (isinstance(value, int) and abs(value) < _LARGEST_NOTE) or isinstance(value, str)


def plain(value: Any) -> Any:
    """Return a text without what is no character, and not too long; numbers as they are."""
    return value[:_LONGEST_NOTE].encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {_unwrap(name, ""): tensor for name, tensor in tensors.items()}


def _unwrap(name: str, after: str) -> str:
    return after + name.removeprefix(after).removeprefix(_WRAPPED)


def check_fit(tensors: dict[str, Tensor], wanted: dict[str, Tensor]) -> list[str]:
    """Return what is wrong with tensors that have the names of a network's, one sentence part for each."""
    wrong = []
    for name, tensor in tensors.items():
        if name not in wanted:
            continue
        there, here = wanted[name], tensor
        if here.shape != there.shape:
            wrong.append(f"{name} has the shape {tuple(here.shape)} instead of {tuple(there.shape)}")
        elif here.is_floating_point() != there.is_floating_point() or here.is_complex():
            kinds = [str(tensor.dtype).removeprefix("torch.") for tensor in (here, there)]
            wrong.append(f"{name} holds numbers of the kind {kinds[0]} instead of {kinds[1]}")
    return wrong


def check_numbers(tensors: dict[str, Tensor], where: str) -> None:
    """Refuse weights of which some are no number.

    Raises
    ------
    GazeError
        When there are some; it names the tensors.
    """
    broken = [
        name
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all()
    ]
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        raise GazeError(
            f"Some weights are no finite numbers: {', '.join(broken[:3])}{more}.",
            where=where,
            todo="The training broke down; use a checkpoint of before.",
        )
