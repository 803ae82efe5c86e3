"""Putting masks into the library, image by image, without losing one that was there."""

from __future__ import annotations

from collections.abc import Callable

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.placing import check_size, to_size
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.masks import mask_sha256
from gazeapp.engine.types import MaskArray
from gazeapp.engine.workflows.annotations import Placing
from gazeapp.engine.workflows.base import Tally


class MaskWriter:
    """Stores masks as units of a verb; each is stored whole or not at all.

    Parameters
    ----------
    replace
        Whether another mask that an image has under the same name may go.
    """

    def __init__(self, project: Project, tally: Tally, replace: bool) -> None:
        self._project = project
        self._tally = tally
        self._replace = replace

    def put(self, name: str, image: ImageRow, make: Callable[[ImageRow], MaskArray], origin: str) -> None:
        """Store the mask that ``make`` gives for an image; one that is there already is skipped.

        An image that has another mask of that name is a problem, unless that may be replaced.
        """
        unit = f"{image.name} · {name}"
        try:
            values = make(image)
        except GazeError as error:
            self._tally.fail(error.where or image.name, error.what, error.todo, unit=unit)
            return
        except MemoryError:
            self._tally.fail(
                image.name, "There was not enough memory for its mask.", "Close other programs.", unit
            )
            return
        before = self._project.masks.get(name, image.id)
        if before is not None and before.sha256 == mask_sha256(values):
            self._tally.skip(unit)
            return
        with self._tally.unit(unit):
            if before is not None and not self._replace:
                raise GazeError(
                    f"The image has another mask '{name}' already.",
                    where=image.name,
                    todo="Give the new one another name, or let it replace the old one (--replace).",
                )
            self._project.masks.put(name, image.id, values, origin)


def placed(values: MaskArray, image: ImageRow, placing: Placing) -> MaskArray:
    """Return a mask at the size of an image.

    Raises
    ------
    GazeError
        When sizes differ and that is refused, or nothing of the mask lies on the image.
    """
    if placing == "refuse":
        check_size(values, image.height, image.width, image.name)
        return values
    there = to_size(values, image.height, image.width, placing)
    if values.any() and not there.any():
        raise GazeError(
            f"Nothing is left of the mask, which is {values.shape[1]} x {values.shape[0]} px, when it is placed by "
            f"{placing} on the image of {image.width} x {image.height} px.",
            where=image.name,
            todo="Place it in the other way, or draw it on this image.",
        )
    return there
