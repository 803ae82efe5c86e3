"""Loading a model as planned, and refusing one whose weights are not the ones that its network needs."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazeapp.engine.consent import REMOTE_CODE, ConsentStore
from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.loading.checkpoint import Checkpoint, code_files, digest_of, read_config
from gazeapp.engine.models.vlm.loading.plan import LoadPlan
from gazeapp.engine.types import Json

if TYPE_CHECKING:
    from gazeapp.engine.models.vlm.families.base import Family

_LIBRARIES = ("torch", "transformers", "torchvision", "accelerate", "safetensors", "tokenizers")


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model that is ready.

    Parameters
    ----------
    network
        The network, in evaluation mode.
    processor
        What turns images and text into its input.
    family
        How it lays out images.
    facts
        What a run stores about how it was loaded, JSON-able.
    """

    network: Any
    processor: Any
    family: Family
    facts: Json


def load(
    checkpoint: Checkpoint, plan: LoadPlan, consents: ConsentStore, family: Family | None = None
) -> Loaded:
    """Load a model that is on this machine.

    Parameters
    ----------
    checkpoint
        What to load.
    plan
        How.
    consents
        What the user agreed to; code that comes with a model runs only when it is in there, unchanged.
    family
        How it lays out images; by its type when None.

    Raises
    ------
    GazeError
        When it is not here, gazeapp does not know its type, consent is missing, weights are missing or of the wrong
        shape, it does not fit, or transformers cannot build it.
    """
    if checkpoint.folder is None:
        raise GazeError("It is not on this machine.", where=checkpoint.id, todo="Download it first.")
    family = family or family_of(checkpoint.model_type)
    trust = _code_may_run(checkpoint, checkpoint.folder, consents)
    ensure_torchvision()
    with loading_errors(checkpoint), _quiet():
        source = str(checkpoint.folder)
        common = {"trust_remote_code": trust, "local_files_only": True}
        processor = family.load_processor(source, **common)
        answer = family.load_network(source, **common, **_how(plan))
    network, info = answer if isinstance(answer, tuple) else (answer, {})
    _check_weights(checkpoint, info)
    _check_devices(checkpoint, network)
    network.eval()
    return Loaded(network, processor, family, _facts(checkpoint, plan, network, processor, info))


def needs_consent(checkpoint: Checkpoint, consents: ConsentStore) -> bool:
    """Whether the user has to be asked before the code that comes with a model may run."""
    return bool(checkpoint.code_digest) and not consents.given(
        REMOTE_CODE, consent_subject(checkpoint), checkpoint.code_digest
    )


def consent_subject(checkpoint: Checkpoint) -> str:
    """Return what consent to a model's code is recorded for: its name and its revision."""
    return f"{checkpoint.id}@{checkpoint.revision}"


@contextmanager
def loading_errors(checkpoint: Checkpoint) -> Iterator[None]:
    """Turn what transformers, accelerate and torch raise into sentences."""
    import torch

    try:
        yield
    except (GazeError, StoppedError):
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise GazeError(
            "There was not enough memory to load it.",
            where=checkpoint.id,
            todo="Close other programs, ask for bfloat16 or 4 bits, or choose a smaller model.",
        ) from error
    except ImportError as error:
        raise GazeError(
            f"It needs a library that is not installed: {_first_line(error)}",
            where=checkpoint.id,
            todo="Install it into the environment of gazeapp and start again.",
        ) from error
    except Exception as error:
        # A model's files and code can make the libraries raise anything.
        raise GazeError(
            f"transformers {importlib.metadata.version('transformers')} cannot load it: {_first_line(error)}",
            where=checkpoint.id,
            todo="Check that its files are complete and made for this version of transformers.",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from writing to the terminal: what matters of its reports is raised or kept in the facts."""
    logging: Any = importlib.import_module("transformers.utils.logging")
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _code_may_run(checkpoint: Checkpoint, folder: Path, consents: ConsentStore) -> bool:
    """Whether the code that comes with a model may run; False when it needs none.

    Raises
    ------
    GazeError
        When it needs some and the user has not agreed to it as it is now.
    """
    now = digest_of(code_files(folder, read_config(folder)))
    if now != checkpoint.code_digest:
        raise GazeError(
            "The code that comes with it has changed since it was looked at.",
            where=checkpoint.id,
            todo="Choose the model again.",
        )
    if needs_consent(checkpoint, consents):
        raise GazeError(
            f"It brings code that would run on this machine ({', '.join(checkpoint.code_files)}), and you have "
            "not agreed to that.",
            where=consent_subject(checkpoint),
            todo="Read the code, or trust its publisher, and agree; or choose a model that transformers knows.",
        )
    return bool(now)


def _how(plan: LoadPlan) -> dict[str, Any]:
    """Return the arguments of ``from_pretrained`` that carry out a plan."""
    import torch

    how: dict[str, Any] = {
        "dtype": getattr(torch, plan.dtype),
        "use_safetensors": True,
        "output_loading_info": True,
        # Tensors of the wrong shape come back by name, and are refused by name.
        "ignore_mismatched_sizes": True,
        "device_map": {"": plan.device},
    }
    if plan.shared_out:
        how["device_map"] = "auto"
        how["max_memory"] = {_accelerate_name(device): room for device, room in plan.devices.items()}
    if plan.four_bit:
        from transformers import BitsAndBytesConfig

        how["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, plan.dtype)
        )
    return how


def _accelerate_name(device: str) -> str | int:
    kind, _, index = device.partition(":")
    return int(index) if kind == "cuda" else kind


def _check_weights(checkpoint: Checkpoint, info: Mapping[str, Any]) -> None:
    """Refuse a network of which parts would hold random numbers, by the names of those parts."""
    missing = sorted(info.get("missing_keys") or ())
    if missing:
        raise GazeError(
            f"{len(missing)} of its weights are missing and would be random: {_some(missing)}.",
            where=checkpoint.id,
            todo="Its files are incomplete, or belong to another model than config.json says.",
        )
    wrong = sorted(
        f"{name} {tuple(found)} instead of {tuple(wanted)}"
        for name, found, wanted in info.get("mismatched_keys") or ()
    )
    if wrong:
        raise GazeError(
            f"{len(wrong)} of its weights have the wrong shape: {_some(wrong)}.",
            where=checkpoint.id,
            todo="Its weights belong to another model than config.json says.",
        )
    errors = list(info.get("error_msgs") or ())
    if errors:
        raise GazeError(
            f"Its weights cannot be read: {_first_line(errors[0])}",
            where=checkpoint.id,
            todo="Get them again.",
        )


def _check_devices(checkpoint: Checkpoint, network: Any) -> None:
    if "disk" in {str(device) for device in (getattr(network, "hf_device_map", None) or {}).values()}:
        raise GazeError(
            "It does not fit into the memory of this machine.",
            where=checkpoint.id,
            todo="Close other programs, or choose a smaller model.",
        )


def _facts(
    checkpoint: Checkpoint, plan: LoadPlan, network: Any, processor: Any, info: Mapping[str, Any]
) -> Json:
    devices = Counter(str(parameter.device) for parameter in network.parameters())
    image_processor = getattr(processor, "image_processor", processor)
    unexpected = sorted(info.get("unexpected_keys") or ())
    return {
        **checkpoint.to_json(),
        **plan.to_json(),
        "network": type(network).__name__,
        "image_processor": type(image_processor).__name__,
        "parameters_by_device": dict(sorted(devices.items())),
        "parameters_loaded": sum(parameter.numel() for parameter in network.parameters()),
        "memory_bytes": sum(p.numel() * p.element_size() for p in network.parameters()),
        "unused_weights": len(unexpected),
        "unused_weight_names": unexpected[:20],
        "versions": {name: version for name in _LIBRARIES if (version := _version(name))},
    }


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _first_line(error: object) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
