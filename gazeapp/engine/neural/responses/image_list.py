"""Lists of images that stand beside responses: the image of each row, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.table_columns import SYNONYMS
from gazeapp.engine.gaze.tables import delimiter_of, plain, rows_of, split_line

IMAGE_WORDS = frozenset({*SYNONYMS["image"], "images", "image_ids", "id", "ids", "scene", "name", "file"})
SUBJECT_WORDS = frozenset(SYNONYMS["subject"])
LIST_SUFFIXES = (".csv", ".tsv", ".txt")
LIST_STEM = "images"
_MOST_NAMES = 5_000_000


@dataclass(frozen=True)
class ImageList:
    """The image of each row.

    Parameters
    ----------
    path
        The file.
    images
        A name for each row.
    subjects
        A subject for each row; empty where the list has no such column.
    """

    path: Path
    images: tuple[str, ...]
    subjects: tuple[str, ...] = ()

    def fitted(self, n_rows: int, where: str) -> ImageList:
        """Return the list of ``n_rows`` names.

        A first line that is one too many is a header under a name that is not known.

        Raises
        ------
        GazeError
            If the numbers differ.
        """
        if len(self.images) == n_rows + 1 and not self.subjects:
            return ImageList(self.path, self.images[1:])
        if len(self.images) != n_rows:
            raise GazeError(
                f"The list of images names {len(self.images):,} and the responses have {n_rows:,} rows.",
                where=where,
                todo=f"Give the list that belongs to them; {self.path.name} was read.",
            )
        return self


def read_list(path: Path) -> ImageList:
    """Read a list: one name a line, or a table with a column of images and, if need be, one of subjects.

    Raises
    ------
    GazeError
        If it cannot be read, is no text, or holds no name.
    """
    source = Source(path)
    if not source.is_text:
        raise source.problem("The list of images is no text.", "Write one name of an image in each line.")
    lines = [line for line in source.head_lines if line.strip()]
    if not lines:
        raise source.problem("The list of images is empty.", "Write one name of an image in each line.")
    delimiter = "\t" if path.suffix.lower() == ".txt" else delimiter_of(lines[0])
    header = [plain(cell) for cell in split_line(lines[0], delimiter)]
    image = next((k for k, name in enumerate(header) if name in IMAGE_WORDS), None)
    subject = next((k for k, name in enumerate(header) if name in SUBJECT_WORDS), None)
    skipped = source.head_lines.index(lines[0]) + 1 if image is not None else 0
    images: list[str] = []
    subjects: list[str] = []
    for rows in rows_of(source, delimiter, skipped):
        images += rows.column(image or 0)
        if image is not None and subject is not None:
            subjects += rows.column(subject)
        if len(images) > _MOST_NAMES:
            raise source.problem("The list is longer than any list of images.", "Give the list of images.")
    if not images:
        raise source.problem("The list of images is empty.", "Write one name of an image in each line.")
    return ImageList(path, tuple(images), tuple(subjects))


def find_list(folder: Path, stems: Sequence[str], said: str, what: str) -> ImageList:
    """Read the list that the user named, else the one beside the responses.

    Parameters
    ----------
    folder
        Where the responses lie.
    stems
        Names without suffix that the list may have, besides ``images``.
    said
        The file that the user named; empty for none.
    what
        The responses' file, for the error.

    Raises
    ------
    GazeError
        If there is none, or it cannot be read.
    """
    if said:
        return read_list(Path(said))
    found = list_beside(folder, stems)
    if found is None:
        raise GazeError(
            "The file does not say which images its responses are of.",
            where=what,
            todo=f"Give a list of them in the order of the rows (--images-list), or put it beside the file as "
            f"{stems[0]}.csv: one name a line.",
        )
    return read_list(found)


def list_beside(folder: Path, stems: Sequence[str], shared: bool = True) -> Path | None:
    """Return the list of images beside responses, or None.

    Parameters
    ----------
    folder, stems
        Where the responses lie, and the names that the list may have, besides ``images`` where it is shared.
    """
    names = [f"{stem}{suffix}" for stem in stems for suffix in LIST_SUFFIXES]
    if shared:
        names += [f"{LIST_STEM}{suffix}" for suffix in LIST_SUFFIXES]
    return next((folder / name for name in names if (folder / name).is_file()), None)
