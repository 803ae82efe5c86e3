"""Models by the names that users give them: captioners that ship, vision-language models, runner scripts."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Model, ModelInfo
from gazeapp.engine.models.registry import load_model
from gazeapp.engine.models.runner_model import KIND as RUNNER
from gazeapp.engine.models.runner_model import RunnerModel, runner_info
from gazeapp.engine.models.vlm.loading.plan import Wishes
from gazeapp.engine.models.vlm.loading.sources import UnknownModelError
from gazeapp.engine.models.vlm.opening import VLM, open_vlm, vlm_info
from gazeapp.engine.runners.script import find_scripts, read_script


def find_model(name: str, captioners: Sequence[ModelInfo]) -> ModelInfo:
    """Return the facts about a model, without loading it.

    Parameters
    ----------
    name
        The id of a captioner, a short id or hub name of a vision-language model, a folder with such a model, or the
        id or path of a runner script.
    captioners
        Captioners that can be run here.

    Raises
    ------
    GazeError
        When nothing goes by that name, or what does cannot be run here.
    """
    own = {info.id: info for info in captioners}
    if name in own:
        return own[name]
    if name.endswith(".py"):
        return runner_info(read_script(Path(name)))
    try:
        return vlm_info(name)
    except UnknownModelError as error:
        scripts = {script.id: script for script in find_scripts()[0]}
        if name in scripts:
            return runner_info(scripts[name])
        others = f"Captioners here: {', '.join(own)}. Runner scripts: {', '.join(scripts)}."
        raise GazeError(error.what, todo=f"{error.todo} {others}") from error


def open_model(info: ModelInfo, wishes: Wishes) -> Model:
    """Load a model that `find_model` found.

    Raises
    ------
    GazeError
        When it cannot be loaded, or needs the user's consent first.
    """
    if info.kind == VLM:
        return open_vlm(info, wishes)
    if info.kind == RUNNER:
        return RunnerModel(read_script(Path(info.checkpoint)), ConsentStore())
    return load_model(info.id, wishes.device)


def close_model(model: Model) -> None:
    """Give back what a model holds: its program, and the memory of graphics cards."""
    if isinstance(model, RunnerModel):
        model.close()
    release_memory()


def release_memory() -> None:
    """Give memory that nothing refers to back to the graphics cards."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
