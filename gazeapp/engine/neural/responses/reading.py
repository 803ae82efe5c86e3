"""Reading responses in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gazeapp.engine.neural.records import Responses
from gazeapp.engine.neural.responses.gathering import Told, gather, never, silent
from gazeapp.engine.neural.responses.opening import open_responses
from gazeapp.engine.neural.responses.options import ResponseOptions


def read_responses(
    path: Path,
    options: ResponseOptions | None = None,
    told: Told = silent,
    should_stop: Callable[[], bool] = never,
) -> Responses:
    """Read responses of a file or folder with the names of images as they stand there.

    What is odd about them, or was left out, is in ``facts`` under ``cautions``.

    Parameters
    ----------
    path
        File or folder (:func:`~gazeapp.engine.neural.responses.opening.open_responses`).
    options
        What the file does not say itself.
    told, should_stop
        As for :func:`~gazeapp.engine.neural.responses.gathering.gather`.

    Raises
    ------
    GazeError
        If they cannot be read, or nobody says whether they are simulated.
    StoppedError
        If ``should_stop`` said so.
    """
    chosen = options or ResponseOptions()
    found = gather(open_responses(path, chosen), chosen, None, told, should_stop)
    said = [str(error) for error in (*found.cautions, *found.failures.values())]
    return replace(found.responses, facts=found.responses.facts | ({"cautions": said} if said else {}))
