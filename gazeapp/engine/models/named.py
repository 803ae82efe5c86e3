"""Models by the names that users give them: captioners that ship, vision-language models, runner scripts."""

from __future__ import annotations

import difflib
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Model, ModelInfo
from gazeapp.engine.models.captioner.methods import check_captioner_method
from gazeapp.engine.models.captioner.own import captioner_at
from gazeapp.engine.models.given import is_given, plain_method
from gazeapp.engine.models.registry import load_found
from gazeapp.engine.models.runner_model import KIND as RUNNER
from gazeapp.engine.models.runner_model import RunnerModel, runner_info
from gazeapp.engine.models.vlm.loading.catalogue import KNOWN_MODELS
from gazeapp.engine.models.vlm.loading.plan import Wishes
from gazeapp.engine.models.vlm.loading.sources import UnknownModelError
from gazeapp.engine.models.vlm.methods import parse_method
from gazeapp.engine.models.vlm.opening import VLM, open_vlm, vlm_info
from gazeapp.engine.runners.script import (
    DESCRIBE,
    ConsentNeededError,
    find_script,
    find_scripts,
    read_script,
)


def find_model(name: str, captioners: Sequence[ModelInfo]) -> ModelInfo:
    """Return the facts about a model, without loading it.

    Parameters
    ----------
    name
        The id or folder of a captioner, a short id or hub name of a vision-language model, a folder with such a model,
        or the id or path of a runner script.
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
    captioner = captioner_at(name, captioners)
    if captioner is not None:
        return captioner
    try:
        return vlm_info(name)
    except UnknownModelError as error:
        scripts = [script.id for script in find_scripts()[0] if DESCRIBE in script.actions]
        if name in scripts:
            return runner_info(find_script(name))
        known = [*own, *(model.short for model in KNOWN_MODELS), *scripts]
        near = difflib.get_close_matches(name.casefold(), known, n=2) or _near_folder(name)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise GazeError(
            error.what,
            todo=f"{hint}Give a short id, a name of the hub such as organisation/name, or the path of a folder. "
            f"Captioners here: {', '.join(own)}. Runner scripts: {', '.join(scripts)}.",
        ) from error
    except GazeError as error:
        near = _near_folder(name)
        if not near:
            raise
        raise GazeError(
            error.what, where=error.where, todo=f"Did you mean the folder {near[0]}? {error.todo}"
        ) from error


def _near_folder(name: str) -> list[str]:
    """Return the folder with a model whose path is nearly that one, if there is one and the path itself is none."""
    path = Path(name).expanduser()
    if path.exists():
        return []
    here = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        if not (here / part).is_dir():
            try:
                beside = [folder.name for folder in here.iterdir() if folder.is_dir()]
            except OSError:
                return []
            part = next(iter(difflib.get_close_matches(part, beside, n=1)), part)
        here /= part
    return [str(here)] if (here / "config.json").is_file() else []


def check_method(info: ModelInfo, method: str) -> None:
    """Refuse a map method that a model does not offer.

    Layers and heads of a vision-language model are known once it is loaded; before, only the form is checked.

    Raises
    ------
    GazeError
        When it does not offer the method; the sentence says what it offers.
    """
    if is_given(method):
        raise GazeError(
            f"'{method}' are maps along given captions, which the model did not choose.",
            todo=f"Use the method {plain_method(method)} for captions of its own, or extract with given captions.",
        )
    if info.kind == "captioner":
        check_captioner_method(info, method)
        return
    if info.kind != VLM:
        if method not in info.methods:
            raise GazeError(
                f"{info.name} has no map method '{method}'.", todo=f"It offers: {', '.join(info.methods)}."
            )
        return
    selection = parse_method(method)
    if info.facts.get("layers"):
        selection.pick(tuple(info.facts["layers"]), int(info.facts["heads"]))


def check_consent(info: ModelInfo) -> None:
    """Refuse a runner script that the user has not agreed to.

    Raises
    ------
    ConsentNeededError
        When the user has not agreed to the script as it is.
    """
    if info.kind == RUNNER:
        script = read_script(Path(info.checkpoint))
        if not script.agreed(ConsentStore()):
            raise ConsentNeededError(script)


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
    return load_found(info, wishes.device)


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
