"""From the name that a user gives to the model's files: a short id, a hub name, or a folder."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.catalogue import KNOWN_MODELS, known_model
from gazeapp.engine.models.vlm.loading.checkpoint import CACHE, FOLDER, HUB, Checkpoint, read_checkpoint

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class UnknownModelError(GazeError):
    """A name that is neither a short id, nor of the hub's form, nor a folder's path."""


def resolve(name: str) -> Checkpoint:
    """Find the model that a user means; nothing is downloaded.

    Parameters
    ----------
    name
        A short id (``qwen3.5-9b``), a hub name (``organisation/name``), either with a revision
        (``organisation/name@revision``: a branch, a tag or a commit), or the path of a folder.

    Returns
    -------
    Checkpoint
        With its folder and pinned revision when it is on this machine; with ``place`` ``hub`` when it has to be
        downloaded first, also when a download was begun and not finished.

    Raises
    ------
    GazeError
        When the name means nothing, or what is there cannot be used.
    """
    folder = Path(name).expanduser()
    if _looks_like_a_path(name) or (folder / "config.json").is_file():
        if not folder.is_dir():
            raise GazeError("There is no such folder.", where=name, todo="Check the path of the model.")
        return read_checkpoint(folder.resolve(), str(folder.resolve()), FOLDER)
    hub_id, revision = hub_name(name)
    snapshot = cached_snapshot(hub_id, revision)
    if snapshot is None:
        return Checkpoint(hub_id, HUB, revision if _COMMIT.fullmatch(revision) else "")
    if not any(snapshot.glob("*.safetensors")) and not any(snapshot.glob("*.bin")):
        return Checkpoint(hub_id, HUB, snapshot.name)
    if _unfinished(snapshot):
        return Checkpoint(hub_id, HUB, snapshot.name)
    return read_checkpoint(snapshot, hub_id, CACHE, snapshot.name)


def hub_name(name: str) -> tuple[str, str]:
    """Return the hub name and the revision (empty: the newest) that a user's name means.

    Raises
    ------
    UnknownModelError
        When it is no short id and has not the form of a hub name.
    """
    base, _, revision = name.strip().partition("@")
    known = known_model(base)
    if known is not None:
        return known.hub_id, revision
    if _HUB_NAME.fullmatch(base):
        return base, revision
    near = difflib.get_close_matches(
        base.casefold(), [known.short for known in KNOWN_MODELS], n=3, cutoff=0.5
    )
    raise UnknownModelError(
        f"There is no model called '{name}'.",
        todo=(f"Did you mean {' or '.join(near)}? " if near else "")
        + "Give a short id, a name of the hub such as organisation/name, or the path of a folder.",
    )


def cached_snapshot(hub_id: str, revision: str = "") -> Path | None:
    """Return the folder of a revision in the hub's cache, whole or not; None when there is none.

    Without a revision, the newest one that the hub's library fetched by name, else the one used last.
    """
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, "config.json", revision=revision or None)
    if isinstance(found, str):
        return Path(found).parent
    if revision:
        return None
    ours = [(used, folder) for cached, folder, used in cached_snapshots() if cached == hub_id]
    return max(ours)[1] if ours else None


def cached_snapshots() -> Iterator[tuple[str, Path, float]]:
    """Yield (hub name, folder, time of last change) of every revision of every model in the hub's cache."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except (CacheNotFound, OSError):
        return
    for repository in cache.repos:
        if repository.repo_type == "model":
            for revision in repository.revisions:
                yield repository.repo_id, revision.snapshot_path, revision.last_modified


def _looks_like_a_path(name: str) -> bool:
    return name.startswith((".", "/", "~", "\\")) or name[1:3] in (":\\", ":/") or Path(name).is_absolute()


def _unfinished(snapshot: Path) -> bool:
    """Whether weight files that the snapshot lists are not there yet."""
    from gazeapp.engine.models.vlm.loading.weights import weight_files

    try:
        return not weight_files(snapshot) and any(snapshot.glob("*.safetensors"))
    except GazeError:
        return True
