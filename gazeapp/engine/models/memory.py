"""Running short of memory: told in one way by all models, and work that is then done in smaller parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def is_memory_error(error: Exception) -> bool:
    """Return whether an error of torch's says that memory is short."""
    return isinstance(error, RuntimeError) and any(
        words in str(error) for words in ("can't allocate memory", "out of memory")
    )


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn torch's ways of saying that memory is short into ``MemoryError``, and give back what was taken."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        short: Exception = error
    except RuntimeError as error:
        if not is_memory_error(error):
            raise
        short = error
    else:
        return
    # The tracebacks hold the tensors of every frame that was under way.
    short.__traceback__ = None
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise MemoryError


def in_halves(
    items: Sequence[Item], work: Callable[[Sequence[Item]], list[Result]]
) -> list[Result | MemoryError]:
    """Do work on all items at once, or where memory does not suffice for that on each half of them.

    Parameters
    ----------
    items
        What is worked on.
    work
        Returns a result for each of the items that it is given.

    Returns
    -------
    list
        The result of each item, or a ``MemoryError`` where memory does not suffice even for one alone.
    """
    try:
        with memory_errors():
            return [*work(items)]
    except MemoryError:
        if len(items) == 1:
            return [MemoryError()]
    half = len(items) // 2
    return in_halves(items[:half], work) + in_halves(items[half:], work)
