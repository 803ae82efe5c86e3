"""What the mask painter asks of the project, read on the loader's thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazeapp.engine.types import MaskArray

if TYPE_CHECKING:
    from pathlib import Path

    from gazeapp.engine.project import Project
    from gazeapp.engine.project.rows import LibraryMask
    from gazeapp.engine.workflows.annotations import Placing


@dataclass(frozen=True, slots=True)
class MaskQuestion:
    """The mask of an image as it is stored; ``serial`` tells the asker what it had drawn by then."""

    name: str
    image_id: int
    serial: int

    def read(self, project: Project) -> MaskAnswer:
        """Return the mask, and how large it has to be."""
        image = project.images.get(self.image_id)
        stored = project.masks.get(self.name, self.image_id)
        return MaskAnswer(image.height, image.width, None if stored is None else stored.values)


@dataclass(frozen=True, eq=False)
class MaskAnswer:
    """Size of an image, px, and its mask; None where it has none of that name."""

    height: int
    width: int
    values: MaskArray | None


@dataclass(frozen=True, slots=True)
class LibraryQuestion:
    """Which masks there are, which of them the image has, and which objects are known on it."""

    image_id: int | None

    def read(self, project: Project) -> Library:
        """Return the library as it stands."""
        image = self.image_id
        return Library(
            tuple(project.masks.library()),
            () if image is None else tuple(project.masks.of_image(image)),
            ()
            if image is None
            else tuple(dict.fromkeys(one.label for one in project.objects.of_image(image))),
        )


@dataclass(frozen=True)
class Library:
    """The masks of a project; ``here`` are the names of those that the image has, ``objects`` what is on it."""

    masks: tuple[LibraryMask, ...] = ()
    here: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the masks, oldest first."""
        return tuple(mask.name for mask in self.masks)

    def get(self, name: str) -> LibraryMask | None:
        """Return a mask of the library."""
        return next((mask for mask in self.masks if mask.name == name), None)


@dataclass(frozen=True, slots=True)
class SpecQuestion:
    """What ``left`` or ``people 20%`` is on an image, asked for the mask called ``name``."""

    text: str
    name: str
    image_id: int
    task: str

    def read(self, project: Project) -> MaskArray:
        """Return the mask, shape (height, width) of the image."""
        from gazeapp.engine.workflows.masks import mask_for

        return mask_for(project, self.text, project.images.get(self.image_id), self.task)


@dataclass(frozen=True, slots=True)
class FileQuestion:
    """A mask in a picture file, asked for the mask called ``name``; of another size it is placed by ``way``.

    Unless ``replace`` is true, another mask that the image has under the name stays.
    """

    path: Path
    name: str
    image_id: int
    way: Placing
    replace: bool

    @property
    def text(self) -> str:
        """What is done, for the Edit menu."""
        return f"import of {self.path.name}"

    def read(self, project: Project) -> MaskArray:
        """Return the mask, shape (height, width) of the image."""
        from gazeapp.engine.lesions.masks.files.png import read_png
        from gazeapp.engine.workflows.masks_writer import placed

        return placed(read_png(self.path)[0], project.images.get(self.image_id), self.way)
