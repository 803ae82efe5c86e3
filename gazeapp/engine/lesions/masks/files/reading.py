"""Reading masks from files of any of the formats; which one it is follows from what is in the file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.checks import read_json
from gazeapp.engine.lesions.masks.files.coco import read_coco
from gazeapp.engine.lesions.masks.files.coco_rle import decode
from gazeapp.engine.lesions.masks.files.found import FoundMask
from gazeapp.engine.lesions.masks.files.labelme import read_labelme
from gazeapp.engine.lesions.masks.files.png import read_png

SUFFIXES = frozenset({".png", ".json"})
"""How the names of mask files end, in small letters."""

_PNG = b"\x89PNG\r\n\x1a\n"
_KNOWN = (
    "Masks are read from grey PNG pictures, COCO annotations (run lengths or polygons) and labelme files."
)


def read_masks(path: Path) -> list[FoundMask]:
    """Return the masks in a file.

    Parameters
    ----------
    path
        A PNG picture: one mask, of which the file names neither image nor label. JSON: COCO annotations, a mask for
        each image and category; a single object of ``size`` and ``counts``; or a labelme file, a mask for each label.

    Raises
    ------
    GazeError
        When it cannot be read, or is none of these. What is wrong with one mask among several is said when its
        values are asked for.
    """
    where = str(path)
    start = _start(path)
    if start.startswith(_PNG):
        values, notes = read_png(path)
        return [FoundMask("", "", values.copy, notes)]
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
        raise GazeError("This is no mask file.", where=where, todo=_KNOWN)
    content = read_json(path)
    if "shapes" in content:
        return read_labelme(content, where)
    if "annotations" in content:
        return read_coco(content, where)
    if "counts" in content:
        return [FoundMask("", "", partial(decode, content, where))]
    raise GazeError("This JSON file holds no masks.", where=where, todo=_KNOWN)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(256)
    except OSError as error:
        raise GazeError(
            f"The file cannot be read ({error.strerror or error}).", where=str(path), todo="Check the path."
        ) from error
