"""What a factorial design is asked to be, and the settings that trainings in a folder go on with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.records import NOTES, SETTINGS
from gazeapp.engine.models.captioner.training.settings import (
    DEMO_WORLD,
    TrainSettings,
    photograph_settings,
    settings_from,
)
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import Json

FACTORIAL = "factorial.json"


@dataclass(frozen=True, slots=True)
class FactorialSettings:
    """What the four trainings share, and what they do not.

    Parameters
    ----------
    shared
        Settings of every training; their encoder, decoder and seed are not used, and their name is put before the
        names of the four.
    encoders
        The two encoders; empty for ``cnn`` and ``vit`` on the demo world, ResNet-101 and ViT-B/16 on photographs.
    encoder_weights
        What each of the two encoders starts from; empty for what ``shared`` says for both.
    seeds
        Seeds to train the four with, one after another.
    out
        Folder for all of them; with several seeds each has a folder ``seed-N`` in it. ``start_from`` of ``shared`` is
        such a folder, too: each captioner goes on from its like there.
    """

    shared: TrainSettings
    encoders: tuple[str, ...] = ()
    encoder_weights: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (1,)
    out: str = ""


def keep_factorial(settings: FactorialSettings) -> None:
    """Write the settings into the design's folder, to go on with the same.

    Raises
    ------
    GazeError
        When it cannot be written.
    """
    with replacing(Path(settings.out) / NOTES / FACTORIAL) as partial:
        partial.write_text(json.dumps(asdict(settings), indent=1) + "\n", "utf-8")


def read_factorial(out: Path) -> FactorialSettings | None:
    """Return the settings of the design in a folder, to go on in that folder; None where there is none.

    Raises
    ------
    GazeError
        When they cannot be read, or name what is no setting or no value of one.
    """
    path = out / NOTES / FACTORIAL
    if not path.is_file():
        return None
    found = _read_object(path)
    shared, lists = (
        found.get("shared"),
        [found.get(name) for name in ("encoders", "encoder_weights", "seeds")],
    )
    if not isinstance(shared, dict) or not all(isinstance(each, list) for each in lists):
        raise GazeError("These are no settings of a factorial design.", where=str(path))
    encoders, weights, seeds = (tuple(each or ()) for each in lists)
    if not all(isinstance(each, str) for each in (*encoders, *weights)) or not all(
        type(each) is int for each in seeds
    ):
        raise GazeError("These are no settings of a factorial design.", where=str(path))
    settings = _known_settings(shared, out, path)
    return FactorialSettings(settings, encoders, weights, seeds, str(out))


def read_training(folder: Path) -> TrainSettings:
    """Return the settings of the training in a folder, to go on in that folder, wherever it was before.

    Raises
    ------
    GazeError
        When they cannot be read, or name what is no setting or no value of one.
    """
    path = folder / NOTES / SETTINGS
    return _known_settings(_read_object(path), folder, path)


def _known_settings(values: Json, out: Path, where: Path) -> TrainSettings:
    base = TrainSettings() if values.get("data", DEMO_WORLD) == DEMO_WORLD else photograph_settings()
    return settings_from({**values, "out": str(out)}, base, str(where))


def _read_object(path: Path) -> Json:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise GazeError(f"The settings cannot be read: {error}.", where=str(path)) from error
    if not isinstance(found, dict):
        raise GazeError("The settings are no JSON object.", where=str(path))
    return found
