"""The list of vision-language models: what is here, what could be, and what each needs. No torch is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.own import captioners_in
from gazeapp.engine.models.vlm.families import is_supported
from gazeapp.engine.models.vlm.loading.catalogue import KNOWN_MODELS, KnownModel
from gazeapp.engine.models.vlm.loading.checkpoint import (
    CACHE,
    FOLDER,
    HUB,
    Checkpoint,
    architectures,
    read_checkpoint,
    read_config,
)
from gazeapp.engine.models.vlm.loading.folders import ModelFolders
from gazeapp.engine.models.vlm.loading.machine import Machine, glance_at_machine
from gazeapp.engine.models.vlm.loading.plan import Wishes, plan
from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.engine.models.vlm.loading.sources import cached_snapshots


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One line of the list.

    Parameters
    ----------
    id
        What to ask for: a short id, a hub name or the path of a folder.
    name
        Name to show.
    place
        ``folder``, ``cache`` or ``hub`` (not here).
    model_type
        As its configuration states; empty when that cannot be read.
    revision
        What exactly is here; empty when it is not.
    size
        Bytes of its weights; approximate for what is not here.
    can_run
        Whether it can be used on this machine, once it is here.
    fits
        How it would be loaded, or why it cannot be used.
    needs
        What has to happen first, one sentence each: a download, consent.
    note
        What a user should know about it.
    """

    id: str
    name: str
    place: str
    model_type: str
    revision: str
    size: int
    can_run: bool
    fits: str
    needs: tuple[str, ...] = ()
    note: str = ""

    @property
    def here(self) -> bool:
        """Whether it is on this machine."""
        return self.place != HUB


def known_models(folders: ModelFolders | None = None, machine: Machine | None = None) -> list[ModelRow]:
    """List the models that are on this machine and the well-known ones that are not.

    Parameters
    ----------
    folders
        The user's own folders; those in their settings when None. Folders of captioners are listed elsewhere.
    machine
        What there is to run on; this machine when None.

    Returns
    -------
    list of ModelRow
        The well-known models first, in the catalogue's order, then others in the hub's cache, then the folders.
        Models of other kinds in the cache (text, speech) are left out.
    """
    machine = machine or glance_at_machine()
    cached = _in_cache()
    rows = []
    for known in KNOWN_MODELS:
        found = cached.pop(known.hub_id, None)
        rows.append(
            _row(found, machine, known)
            if isinstance(found, Checkpoint)
            else _row_of_known(known, machine, found)
        )
    rows.extend(_row(found, machine) for _, found in sorted(cached.items()) if isinstance(found, Checkpoint))
    rows.extend(
        _row_of_folder(folder, machine)
        for folder in (folders or ModelFolders()).all()
        if not captioners_in(folder)
    )
    return rows


def _in_cache() -> dict[str, Checkpoint | GazeError]:
    """Return the newest revision of each image model in the hub's cache, or what is wrong with it."""
    newest: dict[str, tuple[float, Path]] = {}
    for hub_id, snapshot, changed in cached_snapshots():
        if _reads_images(snapshot) and changed >= newest.get(hub_id, (0.0, snapshot))[0]:
            newest[hub_id] = (changed, snapshot)
    return {hub_id: _described(hub_id, snapshot) for hub_id, (_, snapshot) in newest.items()}


def _described(hub_id: str, snapshot: Path) -> Checkpoint | GazeError:
    try:
        return read_checkpoint(snapshot, hub_id, CACHE, snapshot.name)
    except GazeError as error:
        return error


def _reads_images(snapshot: Path) -> bool:
    """Whether a model describes images; told by its files, before its weights are looked at."""
    try:
        config = read_config(snapshot)
    except GazeError:
        return False
    writes = any("Generation" in name for name in architectures(config))
    processes = any(snapshot.glob("p*processor_config.json"))
    return is_supported(str(config.get("model_type", ""))) or (writes and processes)


def _row(checkpoint: Checkpoint, machine: Machine, known: KnownModel | None = None) -> ModelRow:
    """Describe a model that is here."""
    can_run, fits = _verdict(checkpoint, machine)
    needs = []
    if checkpoint.code_files:
        needs.append(
            f"It brings code that would run here ({', '.join(checkpoint.code_files)}): your consent."
        )
    folder_name = Path(checkpoint.id).name
    return ModelRow(
        id=known.short if known else checkpoint.id,
        name=known.name if known else folder_name,
        place=checkpoint.place,
        model_type=checkpoint.model_type,
        revision=checkpoint.revision,
        size=checkpoint.weight_bytes,
        can_run=can_run,
        fits=fits,
        needs=tuple(needs),
        note=known.note if known else "",
    )


def _row_of_known(known: KnownModel, machine: Machine, problem: GazeError | None) -> ModelRow:
    """Describe a well-known model that is not here, or not usable, from what the catalogue knows."""
    expected = Checkpoint(
        known.hub_id,
        HUB,
        model_type=known.model_type,
        parameters=round(known.parameters * 1e9),
        weight_bytes=known.download_bytes,
    )
    can_run, fits = _verdict(expected, machine)
    return ModelRow(
        id=known.short,
        name=known.name,
        place=HUB,
        model_type=known.model_type,
        revision="",
        size=known.download_bytes,
        can_run=can_run,
        fits=fits,
        needs=(f"{problem.what} {problem.todo}",)
        if problem
        else (f"A download of about {readable(known.download_bytes)}.",),
        note=known.note,
    )


def _row_of_folder(folder: Path, machine: Machine) -> ModelRow:
    """Describe a folder of the user's, also one that can no longer be read."""
    try:
        return _row(read_checkpoint(folder, str(folder), FOLDER), machine)
    except GazeError as error:
        return ModelRow(str(folder), folder.name, FOLDER, "", "", 0, False, error.what, (error.todo,))


def _verdict(checkpoint: Checkpoint, machine: Machine) -> tuple[bool, str]:
    """Return whether a model can be used here, and the sentence that says how or why not."""
    if not is_supported(checkpoint.model_type):
        return (
            False,
            f"gazeapp does not know how models of the type '{checkpoint.model_type}' lay out an image.",
        )
    try:
        return True, plan(checkpoint, Wishes(), machine).sentences[0]
    except GazeError as error:
        return False, error.what
