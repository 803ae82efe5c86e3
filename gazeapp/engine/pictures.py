"""Reading photographs: one place for formats, rotation, size limits and what can be wrong with a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import ImageArray

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif"})
MAX_MEGAPIXELS = 120

# Sizes are checked before decoding, with a sentence of our own, so Pillow's guard is not needed twice.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """Size of a picture as displayed, px."""

    width: int
    height: int


def read_picture(path: Path, max_side: int | None = None) -> tuple[ImageArray, PictureFacts]:
    """Decode a picture file completely.

    Parameters
    ----------
    path
        The file.
    max_side
        If given, the picture is reduced so that its longer side has at most this many px.

    Returns
    -------
    pixels : numpy.ndarray
        RGB, shape (height, width, 3), uint8, turned upright by its EXIF tag; transparent parts on white.
    facts : PictureFacts
        The full size, also when the pixels are reduced.

    Raises
    ------
    GazeError
        If the file is no picture, is damaged or cut off, or is larger than 120 megapixels.
    """
    try:
        with Image.open(path) as image:
            _check_size(path, image.size)
            swapped = image.getexif().get(0x0112, 1) >= 5
            width, height = image.size[::-1] if swapped else image.size
            if max_side is not None:
                image.draft("RGB", (max_side, max_side))
            upright = ImageOps.exif_transpose(image)
            if max_side is not None and max(upright.size) > max_side:
                upright.thumbnail((max_side, max_side), Image.Resampling.BOX, reducing_gap=2.0)
            pixels = np.asarray(_to_rgb(upright))
    except FileNotFoundError as error:
        raise GazeError(
            "The image file is not there.", where=str(path), todo="Put it back or remove it."
        ) from error
    except UnidentifiedImageError as error:
        raise GazeError(
            "This is no picture in a format that can be read, or it is damaged.",
            where=str(path),
            todo="Open it in a picture viewer and save it again as PNG or JPEG.",
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise GazeError(
            f"The picture is damaged or cut off ({error}).",
            where=str(path),
            todo="Copy it again from its source, or save it again as PNG or JPEG.",
        ) from error
    return pixels, PictureFacts(width, height)


def _check_size(path: Path, size: tuple[int, int]) -> None:
    megapixels = size[0] * size[1] / 1e6
    if megapixels > MAX_MEGAPIXELS:
        raise GazeError(
            f"The picture is {size[0]} x {size[1]} px ({megapixels:.0f} megapixels); "
            f"up to {MAX_MEGAPIXELS} megapixels are read.",
            where=str(path),
            todo="Save a smaller copy and add that; fixations must refer to the smaller copy too.",
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def shrunk(pixels: ImageArray, scale: float) -> ImageArray:
    """Return a picture, shape (height, width, 3), at a share of its width and height; 1 or more leaves it alone."""
    if scale >= 1.0:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
