"""Which captioners can be run here, and loading one. Listing them reads descriptions only, not torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Model, ModelInfo
from gazeapp.engine.models.captioner.listing import folder_of
from gazeapp.engine.models.captioner.own import Listing, captioners_in, listed, own_folders
from gazeapp.engine.resources import resource_path

_SHIPPED_ORDER = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


def list_captioners(extra_dirs: Sequence[Path] | None = None) -> Listing:
    """List the captioners: those that ship, then those of the user's folders.

    Parameters
    ----------
    extra_dirs
        Folders of captioners, or folders that hold such folders, in place of the user's list.
    """
    shipped = listed(captioners_in(resource_path("models")))
    rank = {name: i for i, name in enumerate(_SHIPPED_ORDER)}
    first = sorted(shipped.models, key=lambda info: rank.get(info.id, len(rank)))
    places = own_folders() if extra_dirs is None else extra_dirs
    own = listed((folder.resolve() for place in places for folder in captioners_in(place)), first)
    return Listing((*first, *own.models), (*shipped.problems, *own.problems), own.notes)


def available_models(extra_dirs: Sequence[Path] | None = None) -> list[ModelInfo]:
    """Return the captioners that can be run; see `list_captioners`, which also tells what is wrong with others."""
    return list(list_captioners(extra_dirs).models)


def load_model(model_id: str, device: str = "cpu", extra_dirs: Sequence[Path] | None = None) -> Model:
    """Load a captioner by its id.

    Parameters
    ----------
    model_id
        One of the ids that `available_models` lists.
    device
        ``cpu``, ``cuda``, ``mps``, or ``auto`` for the fastest that is there.
    extra_dirs
        As for `list_captioners`.

    Raises
    ------
    GazeError
        When there is no such model, or its files cannot be used.
    """
    models = {info.id: info for info in available_models(extra_dirs)}
    if model_id not in models:
        raise GazeError(
            f"There is no model called '{model_id}'.",
            todo=f"Those that can be run are: {', '.join(models)}.",
        )
    return load_found(models[model_id], device)


def load_found(info: ModelInfo, device: str = "cpu") -> Model:
    """Load a captioner whose facts are known.

    Raises
    ------
    GazeError
        When its files cannot be used.
    """
    from gazeapp.engine.models.captioner.captioner import CaptionerModel
    from gazeapp.engine.models.captioner.io import load_captioner
    from gazeapp.engine.models.environment import best_device

    return CaptionerModel(load_captioner(folder_of(info), best_device(device)), info)
