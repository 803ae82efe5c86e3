"""Reading captions of pictures in the forms that they are published in; the form is found from the content."""

from __future__ import annotations

import mmap
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.caption_set import CaptionSet
from gazeapp.engine.models.captioner.data.gathering import Gathering
from gazeapp.engine.models.captioner.data.json_forms import COCO, KARPATHY, read_json
from gazeapp.engine.models.captioner.data.rows import Row
from gazeapp.engine.models.captioner.data.text_forms import (
    TABLE,
    TOKENS,
    delimiter_of,
    is_token_line,
    read_table,
    read_tokens,
)

_HEAD = 65_536
_SUFFIXES = frozenset({".json", ".csv", ".tsv", ".txt", ".token"})
_FORMS = "COCO Captions, Karpathy's JSON, a Flickr token file, or a table with the columns image and caption"


def read_captions(path: Path | str, images: str = "") -> CaptionSet:
    """Read captioned pictures.

    Parameters
    ----------
    path
        A file in one of the forms (``docs/captions.md``), or a folder with files of one form and tables beside them;
        several files that name the same picture add up.
    images
        The folder that the names of pictures are relative to. Empty to look beside the captions and in the folders
        of the usual sets.

    Raises
    ------
    GazeError
        When nothing is there, the form is unknown or mixed, the file is damaged, a name leads out of the images
        folder, a picture is in two splits, or none of the pictures is there.
    """
    path = Path(path)
    gathering = Gathering(images)
    with _errors_told(path):
        forms = _forms_of(path)
        for file, form in forms.items():
            gathering.add(_rows(file, form), file)
    shown = sorted({form.split(":")[0] for form in forms.values()})
    return gathering.result(" and ".join(shown), path)


def read_rows(path: Path | str) -> tuple[Row, ...]:
    """Return the captions of a file or folder as they stand there, whether or not there are pictures beside it.

    Raises
    ------
    GazeError
        When nothing is there, the form is unknown or mixed, or the file is damaged.
    """
    path = Path(path)
    with _errors_told(path):
        return tuple(row for file, form in _forms_of(path).items() for row in _rows(file, form))


@contextmanager
def _errors_told(path: Path) -> Iterator[None]:
    """Turn what can go wrong in reading a file into sentences."""
    try:
        yield
    except UnicodeError as error:
        raise GazeError(
            "The captions are no UTF-8 text.", where=str(path), todo="Save them as UTF-8 and read them again."
        ) from error
    except OSError as error:
        raise GazeError(
            f"The captions cannot be read: {error.strerror or error}.",
            where=str(path),
            todo="Check the path, and that you may read it.",
        ) from error
    except MemoryError as error:
        raise GazeError(
            "The captions do not fit into the memory.", where=str(path), todo="Split the file in parts."
        ) from error


def _forms_of(path: Path) -> dict[Path, str]:
    if path.is_dir():
        return _forms_in(path)
    if path.exists() and not path.is_file():  # reading a pipe or a device might never come to an end
        raise GazeError(
            "This is neither a file nor a folder.", where=str(path), todo="Give a file or folder of captions."
        )
    return {path: _form_of(path, _head(path))}


def _rows(path: Path, form: str) -> Iterator[Row]:
    if form == TOKENS:
        return read_tokens(path)
    if form in (COCO, KARPATHY):
        return read_json(path)
    return read_table(path, form.removeprefix(f"{TABLE}:"))


def _head(path: Path) -> str:
    """Return the beginning of a text file."""
    with path.open("rb") as file:
        raw = file.read(_HEAD)
    if b"\0" in raw or raw[:2] in (b"\x1f\x8b", b"PK"):
        raise GazeError(
            "This is no UTF-8 text.",
            where=str(path),
            todo="Unpack it if it is packed, or save it as UTF-8.",
        )
    return raw.decode("utf-8-sig", "replace").lstrip()


def _form_of(path: Path, head: str) -> str:
    """Return the form of a file; a table's names what separates its columns, as in ``table:,``.

    Raises
    ------
    GazeError
        When it is in none.
    """
    line = head.splitlines()[0] if head else ""
    if line[:1] in ("{", "["):
        return KARPATHY if _says(path, b'"sentences"') else COCO
    if is_token_line(line):
        return TOKENS
    delimiter = delimiter_of(line)
    if not delimiter:
        raise GazeError(
            "The file is in no form of captions that is known." if head else "The file is empty.",
            where=str(path),
            todo=f"Give {_FORMS}.",
        )
    return f"{TABLE}:{delimiter}"


def _says(path: Path, words: bytes) -> bool:
    """Return whether a file has these bytes somewhere, without reading it into memory."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(words) >= 0


def _forms_in(folder: Path) -> dict[Path, str]:
    """Return the files of captions in a folder with their forms, in the order of their names."""
    forms: dict[Path, str] = {}
    for path in sorted(folder.iterdir()):
        form = caption_form(path)
        if form:
            forms[path] = form
    if not forms:
        raise GazeError("The folder holds no captions.", where=str(folder), todo=f"Put in {_FORMS}.")
    named = defaultdict(list)
    for path, form in forms.items():
        named[form.split(":")[0]].append(path.name)
    sets = {form: names for form, names in named.items() if form != TABLE}
    # Only COCO's files come in parts; two others are two sets, or the same one twice.
    if len(sets) > 1 or any(form != COCO and len(names) > 1 for form, names in sets.items()):
        listed = ", ".join(name for names in sets.values() for name in names)
        raise GazeError(
            f"The folder holds several sets of captions: {listed}.",
            where=str(folder),
            todo="Name the file to read.",
        )
    return forms


def caption_form(path: Path) -> str:
    """Return the form of a file's captions, empty where it has none, as those of COCO's objects."""
    # Flickr8k brings its captions once more with the words' stems.
    if path.suffix.lower() not in _SUFFIXES or not path.is_file() or ".lemma." in path.name:
        return ""
    try:
        form = _form_of(path, _head(path))
    except GazeError:
        return ""
    return "" if form == COCO and not _says(path, b'"caption"') else form
