"""What is recorded of a vision-language model, in the words of a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.methods import parse_method
from gazeapp.engine.reports.numbers import listed
from gazeapp.engine.types import Json

_SOURCES = {
    "blip": "Li et al. 2022, BLIP",
    "gemma3": "Gemma Team 2025, Gemma 3",
    "git": "Wang et al. 2022, GIT",
    "idefics3": "Laurençon et al. 2024, Idefics3",
    "llava": "Liu et al. 2024, LLaVA 1.5",
    "llava_onevision": "Li et al. 2024, LLaVA-OneVision",
    "molmo": "Deitke et al. 2024, Molmo and PixMo",
    "paligemma": "Beyer et al. 2024, PaliGemma",
    "qwen2_vl": "Wang et al. 2024, Qwen2-VL",
    "qwen2_5_vl": "Bai et al. 2025, Qwen2.5-VL",
    "smolvlm": "Marafioti et al. 2025, SmolVLM",
}
"""Where the architecture of a type of model is described, as far as this is known for certain."""


def is_vlm(facts: Json) -> bool:
    """Return whether facts are those of a vision-language model."""
    return "model_type" in facts


def source_of(facts: Json) -> str:
    """Return who described the architecture of a model; empty where that is not known."""
    return _SOURCES.get(str(facts.get("model_type", "")), "")


def vlm_rows(facts: Json, *, lesioned: bool) -> Iterator[tuple[str, str]]:
    """Yield what is recorded of a vision-language model as (name, text).

    Parameters
    ----------
    facts
        As a run stored them with the model.
    lesioned
        Whether attention was taken away from it: what masking keys does not reach is said only then.
    """
    loaded = facts.get("loaded")
    known: Mapping[str, Any] = loaded if isinstance(loaded, Mapping) else {}
    if facts.get("family"):
        yield "Family", str(facts["family"])
    yield "Type", " · ".join(str(part) for part in (facts["model_type"], known.get("network")) if part)
    if source_of(facts):
        yield "Described in", source_of(facts)
    parameters = known.get("parameters_loaded") or facts.get("parameters")
    if parameters:
        yield "Parameters", f"{int(parameters):,}"
    if facts.get("layers"):
        yield "Layers with attention to the image", layers_in_words(facts["layers"])
        yield "Heads in each", str(facts.get("heads", "–"))
    yield from _loading(known)
    if lesioned and facts.get("reach"):
        yield "What masking attention does not reach", str(facts["reach"])


def layers_in_words(layers: Sequence[int]) -> str:
    """Return layers by the model's own numbers, such as ``28: 0 to 27`` or ``8: 3, 7, …``."""
    own = sorted(int(layer) for layer in layers)
    if len(own) > 2 and own == list(range(own[0], own[-1] + 1)):
        return f"{len(own)}: {own[0]} to {own[-1]} (counted from 0)"
    return f"{len(own)}: {listed([str(layer) for layer in own])} (counted from 0)"


def _loading(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    stored, computed = str(known.get("stored_dtype", "")), str(known.get("dtype", ""))
    if computed:
        packed = ", packed into 4 bits" if known.get("four_bit") else ""
        yield "Kind of number", f"{computed}{packed}" + (f" (stored as {stored})" if stored else "")
    if known.get("devices"):
        yield "Device", listed([str(device) for device in known["devices"]])
    if known.get("image_processor"):
        yield "Image processor", str(known["image_processor"])
    if known.get("code_digest"):
        yield "Code that came with it, SHA-256", str(known["code_digest"])
    if known.get("unused_weights"):
        names = [str(name) for name in known.get("unused_weight_names", [])][:3]
        yield "Weights in the file that nothing used", f"{known['unused_weights']}: {', '.join(names)}…"
    versions = known.get("versions")
    if isinstance(versions, Mapping):
        yield "Libraries", ", ".join(f"{name} {version}" for name, version in versions.items())


def vlm_method_name(method: str) -> str:
    """Return a map method of vision-language models in words; empty for other methods."""
    try:
        chosen = parse_method(method)
    except GazeError:
        return ""
    heads = (
        f"head{'s' if len(chosen.heads) > 1 else ''} {listed([str(head) for head in chosen.heads])}"
        if chosen.heads
        else "all heads"
    )
    if chosen.first is None:
        of = "of all layers that carry attention to the image"
    elif chosen.first == chosen.last:
        of = f"of layer {chosen.first} (from 0)"
    else:
        of = f"of layers {chosen.first} to {chosen.last} (from 0)"
    view = f", view {chosen.view} alone" if chosen.view else ""
    return f"attention, mean over {heads} {of}{view}"
