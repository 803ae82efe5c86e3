"""Bring in boxes of objects: what is where on the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.object_files import FoundBox, read_objects
from gazeapp.engine.project import ImageRow, ObjectBox, Project
from gazeapp.engine.types import Rect
from gazeapp.engine.workflows.annotations import Placing, check_placing, find_files, find_images
from gazeapp.engine.workflows.base import Progress, Summary, Tally

VERB = "import objects"
SUFFIXES = frozenset({".json", ".csv", ".tsv"})
_OUTSIDE = "lies outside of its image"


@dataclass(frozen=True)
class ImportObjectsSettings:
    """Which boxes to bring in.

    Parameters
    ----------
    files
        Files that `read_objects` reads, and folders of such files.
    origin
        Where the boxes come from, in words; empty: each file's name. Boxes of an image replace those that it had
        from the same place.
    placing
        What happens with boxes that were made on an image of another size, where the file says its size.
    """

    files: tuple[str, ...]
    origin: str = ""
    placing: Placing = "refuse"


def import_objects(project: Project, settings: ImportObjectsSettings, progress: Progress) -> Summary:
    """Store the boxes of each image, in place of those that it had from the same file or origin.

    One unit is an image with boxes from one origin; what is in the project already is skipped. Boxes are cut at the
    image's border. Files that cannot be read, boxes that are none and images that are not in the project are one
    problem each, and the rest goes on.

    Returns
    -------
    Summary
        ``details`` has ``boxes`` (stored now or before), ``labels`` (in the project), ``unusable_boxes`` and
        ``images_not_in_project``.

    Raises
    ------
    GazeError
        If a path does not exist, or what could be read speaks of no image of the project.
    """
    check_placing(settings.placing)
    files = find_files(settings.files, SUFFIXES)
    reader = _Import(project, settings, progress, len(files))
    for path, _ in files:
        if reader.tally.should_stop():
            break
        progress.report(0, len(files), f"reading {path.name}")
        reader.read(path)
    reader.store()
    return reader.summary()


class _Import:
    """Gathers the boxes of all files by image, then stores them image by image."""

    def __init__(
        self, project: Project, settings: ImportObjectsSettings, progress: Progress, n_files: int
    ) -> None:
        self.tally = Tally(project, VERB, progress, n_files)
        self._project = project
        self._settings = settings
        self._images = project.images.all()
        self._where = settings.files[0]
        project.problems.clear(VERB, self._where)
        self._found: list[tuple[str, FoundBox]] = []
        self._n_missing = 0
        self._n_boxes = 0
        self._n_unusable = 0

    def read(self, path: Path) -> None:
        """Take in the boxes of one file."""
        self._project.problems.clear(VERB, str(path))
        try:
            found = read_objects(path)
        except GazeError as error:
            self.tally.fail(str(path), error.what, error.todo)
            return
        except MemoryError:
            self.tally.fail(
                str(path), "There was not enough memory to read the file.", "Part it into several files."
            )
            return
        for why, places in found.unusable.items():
            self._n_unusable += len(places)
            self.tally.problem(
                str(path),
                f"{_boxes(len(places))} left out, because each {why}: {_few(places)}.",
                "Mend the file, and import it again.",
            )
        origin = self._settings.origin.strip() or path.name
        self._found.extend((origin, box) for box in found.boxes)

    def store(self) -> None:
        """Store what was read.

        Raises
        ------
        GazeError
            When nothing was that is of an image of the project.
        """
        images = find_images(self._images, (box.image for _, box in self._found))
        cautions = list(images.cautions("boxes"))
        self._n_missing = len(images.missing) + len(images.unclear)
        if not images.found and not self.tally.failed and not self.tally.cancelled:
            nothing = cautions[0] if cautions else GazeError("There are no boxes in the files.")
            raise GazeError(nothing.what, where=", ".join(self._settings.files), todo=nothing.todo)
        for caution in cautions:
            self.tally.problem(self._where, caution.what, caution.todo)
        units: dict[tuple[str, str], list[FoundBox]] = {}
        for origin, box in self._found:
            if box.image in images.found:
                units.setdefault((images.found[box.image].name, origin), []).append(box)
        by_name = {image.name: image for image in self._images}
        self.tally.total = self.tally.failed + len(units)
        for (name, origin), found in units.items():
            if self.tally.should_stop():
                return
            self._store(by_name[name], origin, found)

    def _store(self, image: ImageRow, origin: str, found: Sequence[FoundBox]) -> None:
        try:
            boxes = [self._placed(image, box) for box in found]
        except GazeError as error:
            self.tally.fail(image.name, error.what, error.todo)
            return
        kept = [box for box in boxes if box is not None]
        self._n_boxes += len(kept)
        before = [one for one in self._project.objects.of_image(image.id) if one.origin == origin]
        if before and [(one.label, one.rect) for one in before] == [(one.label, one.rect) for one in kept]:
            self.tally.skip(image.name)
        else:
            with self.tally.unit(image.name):
                self._project.objects.put(image.id, kept, origin)
        if len(kept) < len(boxes):
            n_outside = len(boxes) - len(kept)
            self._n_unusable += n_outside
            self.tally.problem(
                image.name,
                f"{_boxes(n_outside)} left out, because each {_OUTSIDE}.",
                "Check that the boxes are counted in px of this image, from its top left corner.",
            )

    def _placed(self, image: ImageRow, box: FoundBox) -> ObjectBox | None:
        """Return a box on its image; None where nothing of it is on the image.

        Raises
        ------
        GazeError
            When it was made on an image of another size, and is not to be placed by fraction or by pixel.
        """
        rect = box.rect
        if box.size is not None and box.size != (image.width, image.height):
            if self._settings.placing == "refuse":
                raise GazeError(
                    f"The boxes were made on {box.size[0]} x {box.size[1]} px, the image has {image.width} x "
                    f"{image.height} px.",
                    where=image.name,
                    todo="Import them with --placing fraction if it is the same picture in another size, with "
                    "--placing pixel if it was cut off at the right or bottom.",
                )
            if self._settings.placing == "fraction":
                rect = rect.scaled(image.width / box.size[0], image.height / box.size[1])
        inside = _cut(rect, image)
        return ObjectBox(box.label, inside) if inside is not None else None

    def summary(self) -> Summary:
        """Return what was done."""
        return self.tally.summary(
            boxes=self._n_boxes,
            labels=self._project.objects.labels(),
            unusable_boxes=self._n_unusable,
            images_not_in_project=self._n_missing,
        )


def _cut(rect: Rect, image: ImageRow) -> Rect | None:
    left, top = max(0.0, rect.x), max(0.0, rect.y)
    right, bottom = min(float(image.width), rect.right), min(float(image.height), rect.bottom)
    if not (left < right and top < bottom):
        return None
    # Boxes inside stay as they are read: x + width - x may differ from width in the last digit.
    if (left, top) == (rect.x, rect.y) and (right, bottom) == (rect.right, rect.bottom):
        return rect
    return Rect(left, top, right - left, bottom - top)


def _boxes(n: int) -> str:
    return "1 box is" if n == 1 else f"{n} boxes are"


def _few(places: Sequence[str]) -> str:
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
