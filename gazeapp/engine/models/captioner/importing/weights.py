"""The weights of a checkpoint's encoder and decoder, whatever it was saved as."""

from __future__ import annotations

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
            for name, value in _attributes(whole)
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
    except (OSError, SafetensorError) as error:
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
    for name, stored in _stored(whole):
        found[name] = file.tensor(stored)
        if len(found) > _MOST_TENSORS:
            raise GazeError("The checkpoint holds more tensors than any captioner has.", where=str(path))
    if not found:
        raise _no_captioner(path)
    return found


def _stored(whole: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Stored]]:
    if depth > _DEEPEST:
        return
    if isinstance(whole, dict):
        yield from ((f"{prefix}{name}", value) for name, value in whole.items() if isinstance(value, Stored))
    if not isinstance(whole, Kept):
        return
    unsaved = whole.attributes.get("_non_persistent_buffers_set") or ()
    for kind in ("_parameters", "_buffers"):
        for name, value in _entries(whole, kind):
            if isinstance(value, Stored) and name not in unsaved:
                yield f"{prefix}{name}", value
    for name, child in _entries(whole, "_modules"):
        yield from _stored(child, f"{prefix}{name}.", depth + 1)


def _attributes(whole: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Return the numbers and texts that modules have beside their weights."""
    if not isinstance(whole, Kept) or depth > _DEEPEST:
        return
    for name, value in whole.attributes.items():
        if isinstance(value, int | float | str) and not name.startswith("_"):
            yield f"{prefix}{name}", value
    for name, child in _entries(whole, "_modules"):
        yield from _attributes(child, f"{prefix}{name}.", depth + 1)


def _entries(whole: Kept, kind: str) -> list[tuple[str, Any]]:
    entries = whole.attributes.get(kind)
    return [(str(name), value) for name, value in entries.items()] if isinstance(entries, dict) else []


def _notes(content: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Return the numbers beside the networks: the epoch, scores, and the script's own settings."""
    for key, value in content.items():
        if isinstance(value, int | float | str):
            yield str(key), value
        elif isinstance(value, dict) and key in ("final_args", "metrics"):
            yield str(key), {str(k): v for k, v in value.items() if isinstance(v, int | float | str)}


def _unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {_unwrap(name, ""): tensor for name, tensor in tensors.items()}


def _unwrap(name: str, after: str) -> str:
    return after + name.removeprefix(after).removeprefix(_WRAPPED)


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
        if tensor.is_floating_point() and not torch.isfinite(tensor).all()
    ]
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        raise GazeError(
            f"Some weights are no finite numbers: {', '.join(broken[:3])}{more}.",
            where=where,
            todo="The training broke down; use a checkpoint of before.",
        )
