"""Which types of model need no code of their own: transformers or gazeapp brings it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

OWN_TYPES = ("molmo",)
"""Types that gazeapp implements itself."""


def is_native(model_type: str) -> bool:
    """Whether the code for a type of model is installed here; found without importing transformers."""
    if model_type in OWN_TYPES:
        return True
    name = model_type.replace("-", "_")
    found = importlib.util.find_spec("transformers")
    if found is None or found.origin is None or not name.isidentifier():
        return False
    return (Path(found.origin).parent / "models" / name).is_dir()
