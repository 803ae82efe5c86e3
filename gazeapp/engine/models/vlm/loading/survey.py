"""What a download would bring, and from where, asked of the hub before anything is downloaded."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.hub import blob_path, hub_errors, odd_answer, open_file, partial_path
from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.engine.models.vlm.loading.sources import hub_name
from gazeapp.engine.models.vlm.loading.weights import INDEX_NAME, SINGLE_NAME

_ENDINGS = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".py")
_SAFE_NAME = re.compile(r"[\w][\w.+ -]*")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SPARE = 500_000_000
"""Bytes of the disk that a download leaves free."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of the hub.

    Parameters
    ----------
    name
        Its name; all are in the top folder.
    size
        Bytes.
    digest
        SHA-256 of its bytes (64 hexadecimal digits), or its git blob id (40) for files kept in git itself.
    """

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Download:
    """What would be downloaded.

    Parameters
    ----------
    hub_id, revision
        The model, and its commit.
    asked
        The branch or tag that led to the commit; empty when the commit itself was asked for.
    endpoint
        Address of the hub.
    files
        All files that the model needs.
    here
        Bytes of them that are on this machine already, from a download that was stopped.
    cache
        The hub's cache on this machine.
    gated
        Whether the publisher asks for agreement to conditions.
    """

    hub_id: str
    revision: str
    asked: str
    endpoint: str
    files: tuple[RemoteFile, ...]
    here: int
    cache: Path
    gated: bool

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def bytes_left(self) -> int:
        """Bytes that still have to come."""
        return self.bytes - self.here

    @property
    def sentence(self) -> str:
        """What would happen, to be shown before the user says yes."""
        if not self.bytes_left:
            return f"{self.hub_id} is here already ({readable(self.bytes)} in {self.cache})."
        text = f"{self.hub_id} needs {readable(self.bytes_left)} from {self.endpoint}"
        if self.here:
            text += f" ({readable(self.here)} of {readable(self.bytes)} are here already)"
        text += f", to be kept in {self.cache}."
        return text + (" Its publisher asks for agreement to conditions first." if self.gated else "")


def survey(name: str) -> Download:
    """Ask the hub what a model consists of; nothing is stored.

    Parameters
    ----------
    name
        As for `resolve`: a short id or a hub name, with or without a revision.

    Raises
    ------
    GazeError
        When the hub cannot be reached, does not know the model, does not give it to this user, or has no
        safetensors of it.
    """
    from huggingface_hub import HfApi, constants

    hub_id, asked = hub_name(name)
    with hub_errors(hub_id, asked):
        info = HfApi(endpoint=constants.ENDPOINT).model_info(
            hub_id, revision=asked or None, files_metadata=True, timeout=20
        )
        commit = info.sha or ""
        if not _COMMIT.fullmatch(commit):
            raise odd_answer(hub_id)
        listed = {file.name: file for file in _listed(hub_id, info.siblings or [])}
        weights = _weight_names(hub_id, commit, listed)
    files = tuple(file for name, file in sorted(listed.items()) if name in weights or name.endswith(_ENDINGS))
    cache = Path(constants.HF_HUB_CACHE)
    here = sum(_bytes_here(cache, hub_id, file) for file in files)
    return Download(
        hub_id=hub_id,
        revision=commit,
        asked="" if asked == commit else asked or constants.DEFAULT_REVISION,
        endpoint=constants.ENDPOINT,
        files=files,
        here=here,
        cache=cache,
        gated=bool(info.gated),
    )


def check_disk(download: Download) -> None:
    """Check that the disk has room for what is left to come.

    Raises
    ------
    GazeError
        When it has not.
    """
    place = next(path for path in (download.cache, *download.cache.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < download.bytes_left + _SPARE:
        raise GazeError(
            f"The disk has {readable(free)} free; the download needs {readable(download.bytes_left + _SPARE)}.",
            where=str(download.cache),
            todo="Make room, or set HF_HOME to a folder on another disk and start again.",
        )


def _listed(hub_id: str, siblings: Sequence[Any]) -> Iterator[RemoteFile]:
    """Yield the files of the top folder; those in other folders, or with odd names, are not needed."""
    for sibling in siblings:
        if _SAFE_NAME.fullmatch(sibling.rfilename):
            digest = sibling.lfs.sha256 if sibling.lfs is not None else sibling.blob_id
            if not (isinstance(sibling.size, int) and isinstance(digest, str) and _DIGEST.fullmatch(digest)):
                raise odd_answer(hub_id)
            yield RemoteFile(sibling.rfilename, sibling.size, digest)


def _weight_names(hub_id: str, commit: str, listed: dict[str, RemoteFile]) -> set[str]:
    """Return the names of the weight files that transformers would read, and no other copies of the weights."""
    if SINGLE_NAME in listed:
        return {SINGLE_NAME}
    if INDEX_NAME in listed:
        names = set(_read_index(hub_id, commit).values())
        missing = names - set(listed)
        if missing:
            raise GazeError(
                f"The hub's copy is incomplete: {len(missing)} of {len(names)} weight files are missing.",
                where=hub_id,
                todo="Try another revision.",
            )
        return names
    pickled = any(name.endswith((".bin", ".pt", ".pth")) for name in listed)
    raise GazeError(
        "The hub has no safetensors of it"
        + (", only weights in Python's pickle format, which can run code when opened." if pickled else "."),
        where=hub_id,
        todo="Look under its pull requests for a revision with safetensors and ask for organisation/name@refs/pr/N"
        + (
            f"; or get it with 'hf download {hub_id}', which says in what folder it is, and convert it: "
            "`gazeapp convert FOLDER NEW_FOLDER`."
            if pickled
            else ", or use another model."
        ),
    )


def _read_index(hub_id: str, commit: str) -> dict[str, str]:
    """Read the list of the weight files at the hub."""
    with open_file(hub_id, commit, INDEX_NAME) as answer:
        content = answer.read()
    try:
        names: dict[str, str] = json.loads(content)["weight_map"]
        if all(isinstance(name, str) and name.endswith(".safetensors") for name in names.values()):
            return names
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise GazeError(
        "The hub's list of its weight files is damaged.", where=hub_id, todo="Try another revision."
    )


def _bytes_here(cache: Path, hub_id: str, file: RemoteFile) -> int:
    blob = blob_path(cache, hub_id, file.digest)
    for path in (blob, partial_path(blob)):
        if path.is_file():
            return min(path.stat().st_size, file.size)
    return 0
