"""Well-known vision-language models that a user may want: what they are called and how large they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published model, described without having it.

    Parameters
    ----------
    short
        Id for the command line, such as ``qwen3.5-9b``.
    hub_id
        Its name on the hub, ``organisation/name``.
    name
        Name to show.
    model_type
        The type that its ``config.json`` states.
    parameters
        Number of parameters, billions. Rounded, except where the tensor list is known.
    stored_bytes
        Bytes for each parameter as published: 2 for half precision, 4 for single.
    layers, heads
        Layers of the language model and attention heads of each; None where this is not certain.
    attention_layers
        How many of the layers have an attention matrix; None means all of them.
    licence
        As stated by its publisher; empty where this was not confirmed.
    note
        What a user should know before downloading it.
    """

    short: str
    hub_id: str
    name: str
    model_type: str
    parameters: float
    stored_bytes: int = 2
    layers: int | None = None
    heads: int | None = None
    attention_layers: int | None = None
    licence: str = ""
    note: str = ""

    @property
    def download_bytes(self) -> int:
        """Approximate size of its weights as published, bytes."""
        return round(self.parameters * 1e9 * self.stored_bytes)


_GATED = "Its publisher asks for an account and for agreement to a licence before it can be downloaded."

KNOWN_MODELS: tuple[KnownModel, ...] = (
    KnownModel(
        "qwen3.5-9b",
        "Qwen/Qwen3.5-9B",
        "Qwen3.5 9B",
        "qwen3_5",
        9.4,
        layers=32,
        heads=16,
        attention_layers=8,
        licence="apache-2.0",
        note="8 of its 32 layers have attention; the others have no attention matrix.",
    ),
    KnownModel(
        "qwen3.5-0.8b",
        "Qwen/Qwen3.5-0.8B",
        "Qwen3.5 0.8B",
        "qwen3_5",
        0.8,
        layers=24,
        heads=8,
        attention_layers=6,
        note="6 of its 24 layers have attention; the others have no attention matrix.",
    ),
    KnownModel(
        "qwen3-vl-2b",
        "Qwen/Qwen3-VL-2B-Instruct",
        "Qwen3-VL 2B",
        "qwen3_vl",
        2.1,
        licence="apache-2.0",
    ),
    KnownModel("qwen3-vl-4b", "Qwen/Qwen3-VL-4B-Instruct", "Qwen3-VL 4B", "qwen3_vl", 4.4),
    KnownModel("qwen3-vl-8b", "Qwen/Qwen3-VL-8B-Instruct", "Qwen3-VL 8B", "qwen3_vl", 8.8),
    KnownModel("qwen2.5-vl-3b", "Qwen/Qwen2.5-VL-3B-Instruct", "Qwen2.5-VL 3B", "qwen2_5_vl", 3.8),
    KnownModel(
        "qwen2.5-vl-7b",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "Qwen2.5-VL 7B",
        "qwen2_5_vl",
        8.3,
        layers=28,
        heads=28,
    ),
    KnownModel(
        "molmo2-8b",
        "allenai/Molmo2-8B",
        "Molmo2 8B",
        "molmo2",
        8.7,
        layers=36,
        heads=32,
        licence="apache-2.0",
        note="Its files may be in single precision and then take twice as much; the hub tells before a download.",
    ),
    KnownModel(
        "molmo-7b-d",
        "allenai/Molmo-7B-D-0924",
        "Molmo 7B-D",
        "molmo",
        8.02102528,
        stored_bytes=4,
        layers=28,
        heads=28,
        licence="apache-2.0",
        note="Published in single precision. It runs on gazeapp's own implementation, not on its own code.",
    ),
    KnownModel(
        "llava-1.5-7b", "llava-hf/llava-1.5-7b-hf", "LLaVA 1.5 7B", "llava", 7.06, layers=32, heads=32
    ),
    KnownModel(
        "llava-onevision-7b",
        "llava-hf/llava-onevision-qwen2-7b-ov-hf",
        "LLaVA-OneVision 7B",
        "llava_onevision",
        8.0,
        licence="apache-2.0",
    ),
    KnownModel(
        "smolvlm2-2.2b",
        "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
        "SmolVLM2 2.2B",
        "smolvlm",
        2.2,
        licence="apache-2.0",
    ),
    KnownModel(
        "smolvlm-256m",
        "HuggingFaceTB/SmolVLM-256M-Instruct",
        "SmolVLM 256M",
        "idefics3",
        0.26,
        licence="apache-2.0",
        note="The smallest that follows a prompt; it runs on any laptop.",
    ),
    KnownModel(
        "paligemma2-3b",
        "google/paligemma2-3b-mix-224",
        "PaliGemma 2 3B",
        "paligemma",
        3.0,
        note=_GATED,
    ),
    KnownModel("gemma3-4b", "google/gemma-3-4b-it", "Gemma 3 4B", "gemma3", 4.3, note=_GATED),
    KnownModel(
        "vit-gpt2",
        "nlpconnect/vit-gpt2-image-captioning",
        "ViT-GPT2",
        "vision-encoder-decoder",
        0.24,
        stored_bytes=4,
        layers=12,
        heads=12,
        licence="apache-2.0",
        note="Its weights may be published in Python's pickle format only; those have to be converted once.",
    ),
    KnownModel(
        "blip-large",
        "Salesforce/blip-image-captioning-large",
        "BLIP captioning, large",
        "blip",
        0.47,
        stored_bytes=4,
        licence="bsd-3-clause",
    ),
    KnownModel(
        "git-base",
        "microsoft/git-base-coco",
        "GIT base, COCO",
        "git",
        0.18,
        stored_bytes=4,
        layers=6,
        heads=12,
        note="Its weights may be published in Python's pickle format only; those have to be converted once.",
    ),
)


def known_model(name: str) -> KnownModel | None:
    """Return the known model with this short id or hub id, in any letter case; None when there is none."""
    wanted = name.strip().casefold()
    return next(
        (known for known in KNOWN_MODELS if wanted in (known.short.casefold(), known.hub_id.casefold())), None
    )
