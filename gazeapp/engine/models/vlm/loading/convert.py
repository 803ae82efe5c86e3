"""Pickled weights to safetensors, once, without running the code that a pickle may hold."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.weights import SINGLE_NAME, weight_files

_PICKLE = "pytorch_model.bin"
_PICKLE_INDEX = "pytorch_model.bin.index.json"
_COPIED = (".json", ".txt", ".model", ".jinja", ".tiktoken")


def convert(folder: Path, new_folder: Path) -> Path:
    """Write a copy of a model with its pickled weights as safetensors.

    The pickle is read by torch's restricted reader, which builds tensors and refuses everything else; names
    and numbers stay as they are.

    Parameters
    ----------
    folder
        A folder with ``config.json`` and ``pytorch_model.bin``, whole or in parts with its index.
    new_folder
        Where the copy goes; must not hold files.

    Returns
    -------
    pathlib.Path
        The weight file.

    Raises
    ------
    GazeError
        When there are no pickled weights, they hold more than tensors, or the copy cannot be written.
    """
    if not folder.is_dir():
        raise GazeError("There is no such folder.", where=str(folder), todo="Check the path of the model.")
    if weight_files(folder):
        raise GazeError("Its weights are safetensors already.", where=str(folder), todo="Use it as it is.")
    if new_folder.exists() and (not new_folder.is_dir() or any(new_folder.iterdir())):
        raise GazeError(
            "The new folder has to be empty, or not there yet.",
            where=str(new_folder),
            todo="Name another one.",
        )
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    # Each a copy of its own: the format holds no two names for the same memory.
    tensors = {name: tensor.contiguous().clone() for name, tensor in _read(folder).items()}
    try:
        new_folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.is_file() and path.name.endswith(_COPIED) and path.name != _PICKLE_INDEX:
                shutil.copyfile(path, new_folder / path.name)
        save_file(tensors, new_folder / SINGLE_NAME, metadata={"format": "pt"})
    except (OSError, SafetensorError) as error:
        raise GazeError(
            f"The copy cannot be written: {getattr(error, 'strerror', None) or error}.",
            where=str(new_folder),
            todo="Check that the folder may be written and the disk is not full.",
        ) from error
    return new_folder / SINGLE_NAME


def _read(folder: Path) -> dict[str, Any]:
    """Read the pickled tensors of a folder."""
    import torch

    tensors: dict[str, Any] = {}
    for path in _pickles(folder):
        try:
            part = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
            raise GazeError(
                "The file is damaged or holds more than numbers, so it is not opened.",
                where=str(path),
                todo="Get the file again; if it stays so, ask its publisher for safetensors.",
            ) from error
        if not isinstance(part, dict) or not all(isinstance(value, torch.Tensor) for value in part.values()):
            raise GazeError(
                "The file does not hold the weights of a model for transformers.",
                where=str(path),
                todo="Use the version of the model that is made for transformers.",
            )
        tensors.update(part)
    return tensors


def _pickles(folder: Path) -> list[Path]:
    if (folder / _PICKLE).is_file():
        return [folder / _PICKLE]
    index = folder / _PICKLE_INDEX
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GazeError(
            f"There are no weights to convert: {_PICKLE} is missing.",
            where=str(folder),
            todo="Choose the folder that holds config.json and pytorch_model.bin.",
        ) from error
    parts = [folder / Path(str(name)).name for name in names]
    missing = [path.name for path in parts if not path.is_file()]
    if missing:
        raise GazeError(
            f"{len(missing)} of {len(parts)} weight files are missing, such as {missing[0]}.",
            where=str(folder),
            todo="Finish the download.",
        )
    return parts
