"""Which models can be run here, and loading one. Listing them reads descriptions only, not torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Model, ModelInfo
from gazeapp.engine.models.captioner.config import CONFIG_NAME, read_config
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.resources import resource_path

_SHIPPED_ORDER = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


def available_models(extra_dirs: Sequence[Path] = ()) -> list[ModelInfo]:
    """List the models that can be run: those that ship, then those in ``extra_dirs``.

    Parameters
    ----------
    extra_dirs
        Folders of captioners, or folders that hold such folders. A model there with the id of one
        that ships takes its place.

    Raises
    ------
    GazeError
        When a description in ``extra_dirs`` cannot be read.
    """
    return [captioner_info(folder, read_config(folder)) for folder in _folders(extra_dirs).values()]


def load_model(model_id: str, device: str = "cpu", extra_dirs: Sequence[Path] = ()) -> Model:
    """Load a model by its id.

    Parameters
    ----------
    model_id
        One of the ids that `available_models` lists.
    device
        ``cpu``, ``cuda``, ``mps``, or ``auto`` for the fastest that is there.
    extra_dirs
        As for `available_models`.

    Raises
    ------
    GazeError
        When there is no such model, or its files cannot be used.
    """
    folders = _folders(extra_dirs)
    if model_id not in folders:
        raise GazeError(
            f"There is no model called '{model_id}'.",
            todo=f"Those that can be run are: {', '.join(folders)}.",
        )
    from gazeapp.engine.models.captioner.captioner import CaptionerModel
    from gazeapp.engine.models.environment import best_device

    return CaptionerModel.load(folders[model_id], best_device(device))


def _folders(extra_dirs: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in (resource_path("models"), *extra_dirs):
        own = [root] if (root / CONFIG_NAME).is_file() else []
        for folder in own + sorted(path.parent for path in root.glob(f"*/{CONFIG_NAME}")):
            found[read_config(folder).id] = folder
    rank = {name: i for i, name in enumerate(_SHIPPED_ORDER)}
    return dict(sorted(found.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))
