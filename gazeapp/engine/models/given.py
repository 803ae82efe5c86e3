"""Maps along captions that were given to a model, apart from those along captions of its own choosing.

A run along given words is filed under a map method of its own name, such as ``alpha@given``, so that scores, neglect,
neural predictions and exports never take it for what the model said freely. Models know the method without the mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

GIVEN_MARK = "@given"
"""How the name of a map method along given captions ends."""


class _Filed(Protocol):
    @property
    def method(self) -> str: ...


_Run = TypeVar("_Run", bound=_Filed)


def given_method(method: str) -> str:
    """Return what a map method is called along given captions."""
    return method + GIVEN_MARK


def is_given(method: str) -> bool:
    """Return whether a run's map method is one along given captions."""
    return method.endswith(GIVEN_MARK)


def plain_method(method: str) -> str:
    """Return the map method as the model knows it."""
    return method.removesuffix(GIVEN_MARK)


def free(runs: Iterable[_Run]) -> list[_Run]:
    """Return the runs along captions that models chose themselves."""
    return [run for run in runs if not is_given(run.method)]


def free_last(runs: Iterable[_Run]) -> list[_Run]:
    """Return runs in their order, but those along given captions first.

    Where the last run of a model counts, that is one along its own words if it has any.
    """
    return sorted(runs, key=lambda run: not is_given(run.method))
