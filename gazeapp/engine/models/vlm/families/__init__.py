"""Families of vision-language models: one small file each, found by the ``model_type`` of a checkpoint's config.

A new family is a file with a subclass of `Family` and its line below.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families.reach import CAPTIONERS

if TYPE_CHECKING:
    from gazeapp.engine.models.vlm.families.base import Family

MODULES = {
    "qwen3_5": "qwen",
    "qwen3_vl": "qwen",
    "qwen2_5_vl": "qwen",
    "llava": "llava",
    "llava_onevision": "llava_onevision",
    "idefics3": "idefics3",
    "smolvlm": "idefics3",
    "paligemma": "paligemma",
    "gemma3": "gemma3",
    "molmo": "molmo_7b_d",
    "molmo2": "molmo2",
    "vision-encoder-decoder": "vision_encoder_decoder",
    "blip": "blip",
    "git": "git",
}
"""The file of each model type; read without torch."""


def reads_prompt(model_type: str) -> bool:
    """Return whether models of this type do what a prompt asks, not captioners that describe whatever the task is."""
    return model_type not in CAPTIONERS


def is_supported(model_type: str) -> bool:
    """Return whether attention of models of this type can be captured and placed on the image."""
    return model_type in MODULES


def family_of(model_type: str) -> Family:
    """Return the family that a model type belongs to.

    Raises
    ------
    GazeError
        If gazeapp does not know how that type lays the image out.
    """
    if model_type not in MODULES:
        raise GazeError(
            f"gazeapp does not know how models of the type '{model_type}' lay out an image.",
            todo=f"The types it knows are: {', '.join(MODULES)}.",
        )
    module = importlib.import_module(f"{__name__}.{MODULES[model_type]}")
    family: Family = module.FAMILY
    return family
