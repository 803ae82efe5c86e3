"""Whose map it is that is scored."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.types import FloatArray, Rect

MODEL, BASELINE, HUMAN, TRUTH = "model", "baseline", "human", "truth"


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Whose map it is: ``kind`` is ``model``, ``baseline``, ``human`` or ``truth``."""

    kind: str
    id: str
    method: str = ""
    lesion: str = ""


@dataclass(frozen=True)
class SourceMap:
    """A map to score.

    Parameters
    ----------
    source
        Whose it is.
    values
        Shape (rows, columns).
    rect
        Part of the image that it covers, image px.
    shared
        What tells the map from others on the same image where several tasks have the same one, so that it
        is made ready once; empty where it is this task's own.
    """

    source: Source
    values: FloatArray
    rect: Rect
    shared: str = ""
