"""Downloading a model into the hub's cache: with progress, stopped at once, gone on with later, every byte checked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.checkpoint import CACHE, Checkpoint, read_checkpoint
from gazeapp.engine.models.vlm.loading.hub import blob_path, hub_errors, repository_folder
from gazeapp.engine.models.vlm.loading.survey import Download, RemoteFile, check_disk
from gazeapp.engine.models.vlm.loading.transfer import Transfer

Report = Callable[[int, int, str], None]
"""Called with (bytes here, bytes in all, name of the file in hand), at most ten times a second."""


def fetch(
    download: Download,
    report: Report,
    should_stop: Callable[[], bool],
) -> Checkpoint:
    """Download what `survey` listed; files and parts of files that are here already stay.

    The files go where the hub's own library keeps them, so that other programs find them, too.

    Parameters
    ----------
    download
        What to download, once the user agreed to it.
    report
        Told how far it is.
    should_stop
        Asked ten times a second.

    Returns
    -------
    Checkpoint
        The model, on this machine.

    Raises
    ------
    GazeError
        When the disk is full, the hub cannot be reached, or a file arrives damaged.
    StoppedError
        When the user stopped it; what has come is kept and the next download goes on from there.
    """
    check_disk(download)
    done = 0
    # The small files first: what is wrong with the model shows before gigabytes have come.
    for file in sorted(download.files, key=lambda file: (file.name.endswith(".safetensors"), file.name)):
        _fetch_file(download, file, done, report, should_stop)
        done += file.size
        report(done, download.bytes, file.name)
    snapshot = _snapshot(download)
    _point_to_commit(download)
    return read_checkpoint(snapshot, download.hub_id, CACHE, download.revision)


def _fetch_file(
    download: Download, file: RemoteFile, before: int, report: Report, should_stop: Callable[[], bool]
) -> None:
    """Bring one file into the cache, unless it is there."""
    place = _snapshot(download) / file.name
    blob = blob_path(download.cache, download.hub_id, file.digest)
    if place.exists():
        return
    try:
        blob.parent.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not blob.exists():
            with hub_errors(download.hub_id, download.revision):
                Transfer(download.hub_id, download.revision, file, blob).run(
                    lambda here: report(before + here, download.bytes, file.name), should_stop
                )
        _link(blob, place)
    except OSError as error:
        raise GazeError(
            f"{file.name} cannot be stored: {error.strerror or error}.",
            where=str(blob.parent),
            todo="Check that the disk is not full and the folder may be written; what has come is kept.",
        ) from error


def _snapshot(download: Download) -> Path:
    return repository_folder(download.cache, download.hub_id) / "snapshots" / download.revision


def _link(blob: Path, place: Path) -> None:
    """Make the file of a snapshot point to its bytes; where links are not allowed, move them there."""
    if place.exists():
        return
    try:
        place.symlink_to(os.path.relpath(blob, place.parent))
    except OSError:
        try:
            blob.replace(place)
        except OSError:
            copyfile(blob, place)


def _point_to_commit(download: Download) -> None:
    """Note which commit the branch or tag meant, as the hub's library does, so that it is found by that name."""
    if not download.asked:
        return
    reference = repository_folder(download.cache, download.hub_id) / "refs" / download.asked
    reference.parent.mkdir(parents=True, exist_ok=True)
    partial = reference.with_name(f"{reference.name}.{os.getpid()}.part")
    partial.write_text(download.revision, "utf-8")
    partial.replace(reference)
