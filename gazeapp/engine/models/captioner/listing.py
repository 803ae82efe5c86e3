"""Facts about captioners on disk, read without torch."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.methods import offered_methods


def captioner_info(folder: Path, config: CaptionerConfig) -> ModelInfo:
    """Return the facts about the captioner that ``folder`` holds."""
    attends = (
        {"layers": list(range(config.layers)), "heads": config.heads}
        if config.decoder == "transformer"
        else {}
    )
    return ModelInfo(
        id=config.id,
        name=config.name,
        kind="captioner",
        checkpoint=folder.name,
        revision=config.revision,
        encoder=config.encoder,
        decoder=config.decoder,
        tasks=config.tasks,
        methods=offered_methods(config),
        domain=config.domain,
        facts={"grid": list(config.grid), **attends, "training": config.training, "figures": config.figures},
    )
