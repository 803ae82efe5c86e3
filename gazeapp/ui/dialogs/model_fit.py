"""A vision-language model in half a line: its kind in plain words, its size as loaded, whether it fits."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families import is_supported
from gazeapp.engine.models.vlm.loading.catalogue import known_model
from gazeapp.engine.models.vlm.loading.checkpoint import HUB, Checkpoint
from gazeapp.engine.models.vlm.loading.listing import ModelRow
from gazeapp.engine.models.vlm.loading.machine import Machine
from gazeapp.engine.models.vlm.loading.plan import LoadPlan, Wishes, needed_bytes, plan
from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.engine.models.vlm.loading.sources import resolve

_KINDS = {
    "qwen3_5": "Qwen3.5",
    "qwen3_vl": "Qwen3-VL",
    "qwen2_5_vl": "Qwen2.5-VL",
    "llava": "LLaVA",
    "llava_onevision": "LLaVA-OneVision",
    "idefics3": "Idefics3",
    "smolvlm": "SmolVLM",
    "paligemma": "PaliGemma",
    "gemma3": "Gemma 3",
    "molmo": "Molmo",
    "molmo2": "Molmo2",
    "vision-encoder-decoder": "encoder and decoder",
    "blip": "BLIP",
    "git": "GIT",
}

_LARGE = 1e9
"""Parameters from which a caption takes minutes without a graphics card."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model can be loaded here: in half a line, in whole sentences, and as yes or no."""

    short: str
    whole: str
    fits: bool = False


def kind_in_words(model_type: str) -> str:
    """Return what people call models of a type; the type itself where that is not known."""
    return _KINDS.get(model_type, model_type.replace("_", " "))


def fit_of(checkpoint: Checkpoint, machine: Machine) -> Fit:
    """Return whether and how a model would be loaded if nothing else is asked for."""
    if not is_supported(checkpoint.model_type):
        return Fit("gazeapp does not know this kind of model", "")
    try:
        made = plan(checkpoint, Wishes(), machine)
    except GazeError as error:
        return Fit(_too_large(checkpoint, machine), error.what)
    slow = ", slow" if made.device == "cpu" and checkpoint.parameters > _LARGE else ""
    short = f"{readable(made.weight_bytes)} in {made.dtype}  ·  {_place(made)}{slow}"
    return Fit(short, " ".join(made.sentences), True)


def fit_of_row(row: ModelRow, machine: Machine) -> Fit:
    """Return the same of a model of the list; of one that is not here by what is expected of its files."""
    known = known_model(row.id)
    if row.place == HUB and known is not None:
        count = round(known.parameters * 1e9)
        expected = Checkpoint(row.id, HUB, model_type=row.model_type, parameters=count, weight_bytes=row.size)
        return fit_of(expected, machine)
    try:
        return fit_of(resolve(row.id), machine)
    except (GazeError, OSError):
        return Fit(row.fits, row.fits)  # it says what is wrong with the files


def _place(made: LoadPlan) -> str:
    if made.device == "cpu":
        return "fits in memory"
    if "cpu" in made.devices:
        return "fits partly on the graphics card, slow"
    return "fits on the graphics cards" if made.shared_out else "fits on the graphics card"


def _too_large(checkpoint: Checkpoint, machine: Machine) -> str:
    # Left to itself, a plan gives up when 16 bits a number do not fit, whatever the device.
    needed = sum(needed_bytes(checkpoint, "bfloat16"))
    own = [card.free for card in machine.cards if card.device.startswith("cuda")]
    free = machine.free_memory + sum(own)
    spare = ", a tenth of it for other programs" if needed <= free else ""
    return f"does not fit: needs {readable(needed)}, {readable(free)} free{spare}"
