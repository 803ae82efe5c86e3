"""From a checkpoint to the facts about its model, and to the model itself."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.vlm.families import is_supported, reads_prompt
from gazeapp.engine.models.vlm.families.reach import keys_miss
from gazeapp.engine.models.vlm.loading.architecture import encoder_and_decoder
from gazeapp.engine.models.vlm.loading.catalogue import KNOWN_MODELS
from gazeapp.engine.models.vlm.loading.checkpoint import FOLDER, Checkpoint, read_config
from gazeapp.engine.models.vlm.loading.plan import LoadPlan, Wishes
from gazeapp.engine.models.vlm.loading.sources import resolve
from gazeapp.engine.models.vlm.methods import DEFAULT_METHOD

if TYPE_CHECKING:
    from gazeapp.engine.models.vlm.model import VisionLanguageModel

VLM = "vlm"
"""The kind of model that reads an image and a prompt."""


def vlm_info(name: str) -> ModelInfo:
    """Return the facts about a model that is on this machine, without loading it; torch is not imported.

    Parameters
    ----------
    name
        A short id, a hub name (with ``@revision`` if need be), or a folder.

    Raises
    ------
    GazeError
        When there is no such model, it has to be downloaded first, or gazeapp does not know its type.
    """
    checkpoint = resolve(name)
    if not checkpoint.here:
        raise GazeError(
            f"{checkpoint.id} is not on this machine.",
            todo=f"Download it first: `gazeapp download {name}` says how large it is before it begins.",
        )
    if not is_supported(checkpoint.model_type):
        raise GazeError(
            f"gazeapp does not know how models of the type '{checkpoint.model_type}' lay out an image.",
            where=checkpoint.id,
            todo="`gazeapp models` lists the types that it knows.",
        )
    return info_of(checkpoint)


def info_of(checkpoint: Checkpoint) -> ModelInfo:
    """Return the facts about a checkpoint that is on this machine."""
    known = next((known for known in KNOWN_MODELS if known.hub_id == checkpoint.id), None)
    own = checkpoint.place == FOLDER
    config = read_config(checkpoint.folder) if checkpoint.folder else {}
    encoder, decoder = encoder_and_decoder(config)
    return ModelInfo(
        id=Path(checkpoint.id).name if own else known.short if known else checkpoint.id,
        name=known.name if known else Path(checkpoint.id).name,
        kind=VLM,
        checkpoint=checkpoint.id,
        revision=checkpoint.revision,
        encoder=encoder,
        decoder=decoder,
        methods=(DEFAULT_METHOD,),
        facts={
            "model_type": checkpoint.model_type,
            "parameters": checkpoint.parameters,
            "place": checkpoint.place,
            "reads_prompt": reads_prompt(checkpoint.model_type),
        },
    )


def plan_for(info: ModelInfo, wishes: Wishes) -> tuple[Checkpoint, LoadPlan]:
    """Return the files of a model at its pinned revision, and how it would be loaded on this machine.

    Raises
    ------
    GazeError
        When its files are gone or changed, or it does not fit.
    """
    from gazeapp.engine.models.vlm.loading.machine import this_machine
    from gazeapp.engine.models.vlm.loading.plan import plan

    own = info.facts.get("place") == FOLDER
    checkpoint = resolve(info.checkpoint if own else f"{info.checkpoint}@{info.revision}")
    if checkpoint.revision != info.revision:
        raise GazeError(
            "The files of the model changed since it was chosen.",
            where=info.checkpoint,
            todo="Choose it again.",
        )
    return checkpoint, plan(checkpoint, wishes, this_machine())


def open_vlm(info: ModelInfo, wishes: Wishes, consents: ConsentStore | None = None) -> VisionLanguageModel:
    """Load a model.

    Parameters
    ----------
    info
        From `vlm_info`.
    wishes
        Device and kind of number.
    consents
        What the user agreed to; the user's own store when None.

    Raises
    ------
    GazeError
        When it cannot be loaded; the sentence says why.
    """
    from gazeapp.engine.models.vlm.loading.load import load
    from gazeapp.engine.models.vlm.model import VisionLanguageModel

    checkpoint, plan = plan_for(info, wishes)
    loaded = load(checkpoint, plan, consents or ConsentStore())
    # What transformers advises developers while a model runs is nothing for users.
    logging: Any = importlib.import_module("transformers.utils.logging")
    logging.set_verbosity_error()
    own = {"family": loaded.family.name, "reach": keys_miss(checkpoint.model_type), "loaded": loaded.facts}
    facts = {**info.facts, **own}
    model = VisionLanguageModel(loaded.network, loaded.processor, loaded.family, replace(info, facts=facts))
    facts["layers"] = [tap.layer for tap in model.taps]
    facts["heads"] = model.n_heads
    return model
