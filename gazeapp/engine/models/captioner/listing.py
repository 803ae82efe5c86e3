"""Facts about captioners on disk, read without torch."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.methods import offered_methods
from gazeapp.engine.resources import resource_path

CARD_NAME = "MODEL_CARD.md"


def captioner_info(folder: Path, config: CaptionerConfig) -> ModelInfo:
    """Return the facts about the captioner that ``folder`` holds."""
    # A family, so that effects of encoder and decoder can be told over networks of several names.
    named = {"network": config.encoder} if config.encoder_family not in ("", config.encoder) else {}
    attends = (
        {"layers": list(range(config.layers)), "heads": config.heads}
        if config.decoder == "transformer"
        else {}
    )
    return ModelInfo(
        id=config.id,
        name=config.name,
        kind="captioner",
        checkpoint=folder.name if folder.parent == resource_path("models") else str(folder),
        revision=config.revision,
        encoder=config.encoder_family or config.encoder,
        decoder=config.decoder,
        tasks=config.tasks,
        methods=offered_methods(config),
        domain=config.domain,
        facts={
            "grid": list(config.grid),
            **named,
            **attends,
            "training": config.training,
            "figures": config.figures,
        },
    )


def folder_of(info: ModelInfo) -> Path:
    """Return the folder of a captioner from the facts about it; one that ships is known by its folder's name alone."""
    place = Path(info.checkpoint)
    return place if place.is_absolute() else resource_path("models") / place


def ships(info: ModelInfo) -> bool:
    """Return whether a captioner is one of those that come with gazeapp."""
    return not Path(info.checkpoint).is_absolute()
