"""Whose map it is that is scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gazeapp.engine.models.given import is_given, plain_method
from gazeapp.engine.types import FloatArray, Rect

MODEL, BASELINE, HUMAN, TRUTH = "model", "baseline", "human", "truth"
GIVEN_CAPTIONS = "given captions"
"""What the name of a source says of maps along captions that the model did not choose."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Whose map it is: ``kind`` is ``model``, ``baseline``, ``human`` or ``truth``."""

    kind: str
    id: str
    method: str = ""
    lesion: str = ""


def model_names(models: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what findings call each (model, map method): the model, with the method where it has several.

    Maps along given captions are named with their method, and leave the names of the others as they are without them.
    """
    pairs = list(models)
    ids = [model for model, method in pairs if not is_given(method)]
    return {
        (model, method): f"{model} ({method})" if is_given(method) or ids.count(model) > 1 else model
        for model, method in pairs
    }


def shown_name(name: str, method: str, methods: Iterable[str] = ()) -> str:
    """Return what readers see a source called: its name, and whatever tells its maps from others of it.

    Parameters
    ----------
    name
        Name of the model or other source.
    method
        Map method; empty for sources without one.
    methods
        All map methods of the source. The method is named where several are of free maps, or several of maps along
        given captions; that captions were given is always named.
    """
    given = is_given(method)
    several = len({one for one in methods if is_given(one) == given} | {method}) > 1
    parts = [name, plain_method(method) if several else "", GIVEN_CAPTIONS if given else ""]
    return " · ".join(part for part in parts if part)


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
