"""Bring a model onto this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.models.vlm.loading.download import fetch
from gazeapp.engine.models.vlm.loading.survey import survey
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import Progress, Summary


@dataclass(frozen=True)
class DownloadSettings:
    """What to download.

    Parameters
    ----------
    name
        A short id or a hub name, with or without ``@revision``.
    """

    name: str


def download(_project: Project | None, settings: DownloadSettings, progress: Progress) -> Summary:
    """Download a model into the hub's cache; what is here already is not fetched again.

    The user has agreed to it before: `survey` says how much comes from where.

    Raises
    ------
    GazeError
        If the hub cannot be reached or does not give the model, or the disk has no room.
    """
    started = time.perf_counter()
    what = survey(settings.name)
    stopped = False
    try:
        # Megabytes are counted, because a progress bar of billions says nothing to its reader.
        checkpoint = fetch(
            what,
            lambda done, total, name: progress.report(
                done // 1_000_000, max(total // 1_000_000, 1), f"MB · {name}"
            ),
            lambda: progress.cancelled,
        )
        revision = checkpoint.revision
    except StoppedError:
        stopped, revision = True, what.revision
    return Summary(
        "download",
        done=0 if stopped else 1,
        skipped=0,
        failed=0,
        cancelled=stopped,
        seconds=time.perf_counter() - started,
        details={"model": what.hub_id, "revision": revision, "bytes": what.bytes},
    )
