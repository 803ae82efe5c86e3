"""What is known about a model before it is loaded: where it is, which revision, how large, what it needs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.native import is_native
from gazeapp.engine.models.vlm.loading.weights import fingerprint, read_weights, weight_files
from gazeapp.engine.types import Json

FOLDER = "folder"
CACHE = "cache"
HUB = "hub"

_CONFIG = "config.json"
_LARGEST_CONFIG = 20_000_000
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_OTHERS = {".gguf": "GGUF", ".h5": "TensorFlow", ".msgpack": "Flax", ".onnx": "ONNX"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's files, described without loading them.

    Parameters
    ----------
    id
        What it is asked for by: a hub name, or the path of a folder.
    place
        ``folder`` (the user's own), ``cache`` (the hub's cache on this machine) or ``hub`` (not here).
    revision
        What exactly it is: the hub's commit, or the fingerprint of a folder's files. Empty when it is
        not here and no commit was asked for.
    folder
        Where its files are; None when it is not here.
    model_type, architecture
        As its configuration states; empty when that is not here.
    dtype
        Kind of number that its weights are stored in, such as ``bfloat16``.
    parameters
        Number of stored values; 0 when it is not here.
    weight_bytes, disk_bytes
        Bytes of its tensors, and of all its files.
    key_rows
        Rows of all key projections of the language model: how many numbers each token adds to the key cache;
        0 when the names of its tensors do not tell.
    quantised
        Method by which its weights are packed into fewer bits; empty when they are not.
    code_files
        Names of the Python files that come with it and would run; empty when gazeapp or transformers
        bring the code themselves.
    code_digest
        SHA-256 of those files: what consent is given to.
    """

    id: str
    place: str
    revision: str = ""
    folder: Path | None = None
    model_type: str = ""
    architecture: str = ""
    dtype: str = ""
    parameters: int = 0
    weight_bytes: int = 0
    disk_bytes: int = 0
    key_rows: int = 0
    quantised: str = ""
    code_files: tuple[str, ...] = ()
    code_digest: str = field(default="", repr=False)

    @property
    def here(self) -> bool:
        """Whether its files are on this machine."""
        return self.folder is not None

    def to_json(self) -> Json:
        """Return what a run stores about it. A folder's own path stays out."""
        return {
            "checkpoint": self.id if self.place != FOLDER else Path(self.id).name,
            "place": self.place,
            "revision": self.revision,
            "model_type": self.model_type,
            "architecture": self.architecture,
            "stored_dtype": self.dtype,
            "parameters": self.parameters,
            "quantised": self.quantised,
            "code_digest": self.code_digest,
        }


def read_checkpoint(folder: Path, name: str, place: str, revision: str = "") -> Checkpoint:
    """Describe the checkpoint in a folder.

    Parameters
    ----------
    folder
        Where its files are.
    name
        What it is asked for by.
    place
        `FOLDER` or `CACHE`.
    revision
        The hub's commit; empty for a folder of the user's, which gets its fingerprint.

    Raises
    ------
    GazeError
        When there is no model there, its files are damaged or incomplete, or its weights are not safetensors.
    """
    config = read_config(folder)
    files = weight_files(folder)
    if not files:
        _refuse_other_weights(folder)
    weights = read_weights(files)
    code = code_files(folder, config)
    quantisation = config.get("quantization_config")
    return Checkpoint(
        id=name,
        place=place,
        revision=revision or fingerprint(folder, files),
        folder=folder,
        model_type=str(config.get("model_type", "")),
        architecture=next(iter(architectures(config)), ""),
        dtype=weights.dtype,
        parameters=weights.parameters,
        weight_bytes=weights.bytes,
        disk_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        key_rows=_key_rows(weights.tensors),
        quantised=str(quantisation.get("quant_method", "yes")) if isinstance(quantisation, dict) else "",
        code_files=tuple(path.name for path in code),
        code_digest=digest_of(code),
    )


def architectures(config: Json) -> list[str]:
    """Return the classes that a configuration names; none where it names them in no list."""
    named = config.get("architectures")
    return [str(name) for name in named] if isinstance(named, list) else []


def read_config(folder: Path) -> Json:
    """Read the model's ``config.json``.

    Raises
    ------
    GazeError
        When there is none, it is damaged, or the folder holds an adapter to another model.
    """
    path = folder / _CONFIG
    try:
        with path.open("rb") as file:
            config = json.loads(file.read(_LARGEST_CONFIG))
    except FileNotFoundError as error:
        if (folder / "adapter_config.json").is_file():
            raise GazeError(
                "This is an adapter to another model (LoRA), not a model.",
                where=str(folder),
                todo="Merge it into its model with peft's merge_and_unload, save that, and use the result.",
            ) from error
        raise GazeError(
            "There is no model here: config.json is missing.",
            where=str(folder),
            todo="Choose the folder that holds config.json and the weights.",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise GazeError(
            "The model's config.json cannot be read.", where=str(path), todo="Get the file again."
        ) from error
    if not isinstance(config, dict):
        raise GazeError("The model's config.json is damaged.", where=str(path), todo="Get the file again.")
    return config


def _refuse_other_weights(folder: Path) -> None:
    """Say why the weights in a folder cannot be used, or that there are none."""
    endings = {path.suffix.lower() for path in folder.iterdir() if path.is_file()}
    if endings & set(_PICKLES):
        raise GazeError(
            "Its weights are in Python's pickle format, which can run code when it is opened; gazeapp reads "
            "safetensors only.",
            where=str(folder),
            todo=f'Convert them once, which runs none of that code: `gazeapp convert "{folder}" NEW_FOLDER`. '
            "Or ask for a revision that has safetensors.",
        )
    for ending, name in _OTHERS.items():
        if ending in endings:
            raise GazeError(
                f"Its weights are in the {name} format; gazeapp reads safetensors only.",
                where=str(folder),
                todo="Get the version of the model for transformers with safetensors.",
            )
    raise GazeError(
        "Its weights are missing: there is no safetensors file.",
        where=str(folder),
        todo="Finish the download.",
    )


def code_files(folder: Path, config: Json) -> list[Path]:
    """Return the Python files that loading would run: none for models that are implemented here.

    Raises
    ------
    GazeError
        When the code would come from another repository, which no revision here pins.
    """
    auto_map = config.get("auto_map")
    if not isinstance(auto_map, dict) or is_native(str(config.get("model_type", ""))):
        return []
    targets = [str(target) for value in auto_map.values() for target in _as_list(value) if target]
    elsewhere = sorted({target.partition("--")[0] for target in targets if "--" in target})
    if elsewhere:
        raise GazeError(
            f"Its code would come from another place ({', '.join(elsewhere)}), where it can change at any time.",
            where=str(folder),
            todo="Use a copy of the model that brings its code itself.",
        )
    return sorted(path for path in folder.rglob("*.py") if path.is_file())


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def digest_of(files: list[Path]) -> str:
    """Return the SHA-256 of files with their names, hexadecimal; empty when there are none."""
    if not files:
        return ""
    total = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        total.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _key_rows(tensors: dict[str, tuple[int, ...]]) -> int:
    """Add up the rows of the language model's key projections, by the names that transformers gives them."""
    return sum(
        shape[0]
        for name, shape in tensors.items()
        if name.endswith("k_proj.weight")
        and len(shape) == 2
        and "vision" not in name
        and "visual" not in name
    )
