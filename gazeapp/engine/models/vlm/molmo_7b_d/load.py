"""Opening a Molmo 7B-D checkpoint: its tensors are checked by name and shape before any of them is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.loading.weights import read_weights, weight_files
from gazeapp.engine.models.vlm.molmo_7b_d.config import MolmoSizes, check_preprocessing, read_sizes
from gazeapp.engine.models.vlm.molmo_7b_d.preprocess import MolmoProcessor

Shapes = dict[str, tuple[int, ...]]

_NAMED = 3
"""Tensors of each kind of trouble that a message names; the others are counted."""


def load_network(folder: str | Path, **settings: Any) -> Any:
    """Open the network of a checkpoint folder.

    Weights go one by one from the file to where they belong, in the wanted type, so that never more than one of
    them is held twice.

    Parameters
    ----------
    folder
        With ``config.json``, the tokenizer's files, and weights in safetensors, in one file or several.
    settings
        As for any model of transformers: ``dtype``, ``device_map``, ``quantization_config``,
        ``attn_implementation``, ``output_loading_info``...

    Returns
    -------
    MolmoForCausalLM
        In evaluation mode; with ``output_loading_info``, and what transformers says about the loading.

    Raises
    ------
    GazeError
        If the folder holds another model, or one whose tensors are not those of Molmo 7B-D; they are named.
    """
    path = Path(folder)
    sizes = read_sizes(path)
    check_tensors(path, sizes)
    # The tokenizer knows the token that ends an answer; the network's configuration does not.
    end = load_processor(path).tokenizer.eos_token_id
    from gazeapp.engine.models.vlm.molmo_7b_d.network import MolmoConfig, MolmoForCausalLM

    given = {**settings, "config": MolmoConfig.of(sizes), "use_safetensors": True, "local_files_only": True}
    given.pop("trust_remote_code", None)
    loaded = MolmoForCausalLM.from_pretrained(path, **given)
    network = loaded[0] if isinstance(loaded, tuple) else loaded
    network.generation_config.eos_token_id = network.generation_config.pad_token_id = end
    return loaded


def load_processor(folder: str | Path) -> MolmoProcessor:
    """Open the preprocessing of a checkpoint folder, with its tokenizer.

    Raises
    ------
    GazeError
        If the tokenizer is not there or not Molmo's, or the folder asks for another preprocessing.
    """
    path = Path(folder)
    check_preprocessing(path)
    ensure_torchvision()
    from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

    # Older checkpoints come with a list of words and merges only.
    kind: Any = PreTrainedTokenizerFast if (path / "tokenizer.json").is_file() else Qwen2Tokenizer
    try:
        tokenizer = kind.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise GazeError(
            "The model's tokenizer cannot be opened.", where=str(path), todo="Download the model again."
        ) from error
    return MolmoProcessor(tokenizer)


def check_tensors(folder: Path, sizes: MolmoSizes) -> None:
    """Compare names and shapes of a checkpoint's tensors with what the network needs; no weights are read.

    Raises
    ------
    GazeError
        If tensors are missing, unknown or of another shape; or if there are no safetensors.
    """
    found, needed = stored_shapes(folder), needed_shapes(sizes)
    wrong = [
        f"{name} is {_times(found[name])}, not {_times(shape)}"
        for name, shape in needed.items()
        if name in found and found[name] != shape
    ]
    trouble = [
        f"{title}: {_some(names)}."
        for title, names in (
            ("Missing", [name for name in needed if name not in found]),
            ("Unknown", [name for name in found if name not in needed]),
            ("Of another shape", wrong),
        )
        if names
    ]
    if trouble:
        raise GazeError(
            f"The tensors are not those of Molmo 7B-D. {' '.join(trouble)}",
            where=str(folder),
            todo="Use the checkpoint Molmo-7B-D-0924 in safetensors.",
        )


def needed_shapes(sizes: MolmoSizes) -> Shapes:
    """Return name and shape of every tensor that a network of these sizes has; takes no memory for weights."""
    ensure_torchvision()
    import torch

    from gazeapp.engine.models.vlm.molmo_7b_d.network import MolmoConfig, MolmoForCausalLM

    with torch.device("meta"):
        network = MolmoForCausalLM(MolmoConfig.of(sizes))
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def stored_shapes(folder: Path) -> Shapes:
    """Return name and shape of every tensor in a folder's safetensors, from their headers.

    Raises
    ------
    GazeError
        If there are none, or a part is missing or damaged.
    """
    files = weight_files(folder)
    if not files:
        raise GazeError(
            "There are no weights in safetensors here. Weights in Python's pickle format are not opened, because "
            "they can run code.",
            where=str(folder),
            todo="Get the model in safetensors.",
        )
    return read_weights(files).tensors


def _some(names: list[str]) -> str:
    """Name the first few, and count the others."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape) or "a single number"
