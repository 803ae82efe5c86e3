"""Several images and tasks described at once, by models that can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, Model
from gazeapp.engine.types import ImageArray


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """An image as a model sees it, so that the pixels of a large one need not be kept until it is described.

    Parameters
    ----------
    picture
        RGB, shape (rows, columns, 3), uint8, of the model's size.
    width, height
        Size of the image itself, px.
    """

    picture: ImageArray
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One description that a model is asked for; see `Model.describe`.

    Parameters
    ----------
    image
        RGB, shape (height, width, 3), uint8, or what the model's ``fit`` made of it.
    task, method, options
        As `Model.describe` has them.
    """

    image: ImageArray | Fitted
    task: str
    method: str = ""
    options: DescribeOptions = PLAIN


Answer: TypeAlias = Caption | GazeError | MemoryError
"""A caption, or why there is none."""


@runtime_checkable
class BatchModel(Model, Protocol):
    """A model that takes less time for many descriptions at once than for one after the other."""

    @property
    def batch(self) -> int:
        """Images that are best described at once, on the model's device."""

    def fit(self, image: ImageArray) -> Fitted:
        """Bring an image, RGB, shape (height, width, 3), uint8, to the model's size; any thread may ask for it."""

    def describe_many(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer every request, in their order; one that cannot be met spoils none of the others."""
