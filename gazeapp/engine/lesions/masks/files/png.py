"""Masks as grey PNG pictures: black is kept, white is taken away, greys are graded."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from gazeapp.engine.errors import GazeError
from gazeapp.engine.pictures import MAX_MEGAPIXELS
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import ImageArray, MaskArray

_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError, struct.error, zlib.error)
"""What Pillow raises on damaged files."""

_FAINT = 20
"""Largest values up to this look like labels, or like 0 and 1, rather than like a mask."""


def read_png(path: Path) -> tuple[MaskArray, tuple[str, ...]]:
    """Read a mask from a PNG file.

    Grey of 1 or 8 bits is taken as it is; so are coloured pictures and palettes in which every pixel is grey. Where a
    picture is see-through in places and has one colour elsewhere, its opacity is the mask.

    Returns
    -------
    values
        Shape (height, width), uint8.
    notes
        What the user should know, as sentences.

    Raises
    ------
    GazeError
        When it is no PNG file, is damaged or too large, or holds no mask.
    """
    where = str(path)
    try:
        with path.open("rb") as stream:
            picture = open_png(stream, where)
    except OSError as error:
        raise GazeError(
            f"The file cannot be read ({error.strerror or error}).", where=where, todo="Check the path."
        ) from error
    values, notes = _grey(picture, where)
    if 0 < values.max() <= _FAINT:
        notes = (
            *notes,
            f"Its largest value is {values.max()} of 255, so that next to nothing is taken away. If 0 and 1 or "
            "labels were meant, save it with 255 where the image is to be taken away.",
        )
    return values, notes


def write_png(path: Path, values: MaskArray) -> None:
    """Write a mask as a grey PNG file of 8 bits, all of it or nothing; reading it gives the same values.

    Raises
    ------
    GazeError
        When it cannot be written.
    """
    with replacing(path) as partial:
        partial.write_bytes(png_bytes(values))


def png_bytes(values: MaskArray) -> bytes:
    """Return a mask as the content of a grey PNG file of 8 bits."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(stream, "PNG")
    return stream.getvalue()


def open_png(stream: IO[bytes], where: str) -> Image.Image:
    """Return a PNG picture, decoded.

    Raises
    ------
    GazeError
        When it is none, is damaged, or has more than 120 megapixels (said before anything is unpacked).
    """
    try:
        picture = Image.open(stream, formats=["PNG"])
        if picture.width * picture.height > MAX_MEGAPIXELS * 10**6:
            raise GazeError(
                f"The picture is {picture.width} x {picture.height} px; up to {MAX_MEGAPIXELS} megapixels are read.",
                where=where,
                todo="A mask has the size of its image.",
            )
        picture.load()
    except UnidentifiedImageError as error:
        raise GazeError("This is no PNG picture.", where=where, todo="Save the mask as PNG.") from error
    except _DAMAGE as error:
        raise GazeError(
            "The PNG picture is damaged or cut off.", where=where, todo="Copy or export it again."
        ) from error
    return picture


def _grey(picture: Image.Image, where: str) -> tuple[MaskArray, tuple[str, ...]]:
    if picture.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA"):
        raise GazeError(
            "The picture has more than 8 bits a pixel, and a mask has 256 steps.",
            where=where,
            todo="Save it as grey PNG of 8 bits.",
        )
    if picture.mode in ("1", "L") and not picture.has_transparency_data:
        return np.array(picture.convert("L")), ()
    pixels = np.array(picture.convert("RGBA"))
    colours, opacity = pixels[:, :, :3], pixels[:, :, 3]
    if opacity.min() == 255:
        return _one_channel(colours, where), ()
    seen = colours[opacity > 0]
    if seen.size and (seen != seen[0]).any():
        raise GazeError(
            "The picture is see-through in places and has several colours elsewhere, so that it cannot be told which "
            "of the two is the mask.",
            where=where,
            todo="Save it without transparency: black what is kept, white what is taken away.",
        )
    return np.ascontiguousarray(opacity), ("Its opacity was read as the mask: what is see-through is kept.",)


def _one_channel(colours: ImageArray, where: str) -> MaskArray:
    first = colours[:, :, 0]
    if (colours != first[:, :, None]).any():
        raise GazeError(
            "The picture is coloured, so that it is no mask.",
            where=where,
            todo="Save it in greys: black what is kept, white what is taken away.",
        )
    return np.ascontiguousarray(first)
