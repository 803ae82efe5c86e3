"""Views that were drawn once, kept in the user's cache folder so that the next opening takes milliseconds."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.surface.mesh import load_mesh
from gazeapp.engine.neural.surface.raster import RASTER_FIELDS, Raster, rasterise
from gazeapp.engine.neural.surface.views import View, projected
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import DoubleArray

_log = logging.getLogger(__name__)
_VERSION = 1
"""Counts up whenever the same view would be drawn differently."""
_MOST_BYTES = 300 * 2**20
"""Size of the folder beyond which the views used longest ago are let go."""
RIM_PX = 2
"""Empty pixels around a view."""


def cache_folder() -> Path:
    """Return the folder in which drawn views are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("gazeapp", appauthor=False) / "cortex"


def view_raster(view: View, scale: float) -> Raster:
    """Return a view drawn at ``scale`` px per mm, from the cache where it is there and sound.

    Raises
    ------
    GazeError
        If the mesh cannot be read.
    """
    mesh = load_mesh(view.surface, view.hemisphere)
    name = f"{mesh.key}-{view.angle or view.surface}-{view.hemisphere}-{scale:.4f}-{_VERSION}.npz"
    path = cache_folder() / name
    raster = _stored(path, view, scale)
    if raster is None:
        height, width = view_shape(view, scale)
        raster = rasterise(picture_places(view, scale), mesh.faces, height, width)
        _store(raster, path)
    return raster


def view_shape(view: View, scale: float) -> tuple[int, int]:
    """Return height and width of a view drawn at ``scale`` px per mm."""
    used = load_mesh(view.surface, view.hemisphere).used
    width, height, _ = np.ceil(np.ptp(projected(view)[used], axis=0) * scale).astype(int) + 2 * RIM_PX
    return int(height), int(width)


def picture_places(view: View, scale: float) -> DoubleArray:
    """Return where the vertices lie in a view's picture: x and y, px, and nearness, mm, shape (n_vertices, 3)."""
    used = load_mesh(view.surface, view.hemisphere).used
    places = projected(view)
    left, top = places[used, 0].min(), places[used, 1].max()
    return np.stack(
        [(places[:, 0] - left) * scale + RIM_PX, (top - places[:, 1]) * scale + RIM_PX, places[:, 2]], axis=1
    )


def _stored(path: Path, view: View, scale: float) -> Raster | None:
    """Return the raster in a file; None where there is none or it is damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            raster = Raster(*(file[field] for field in RASTER_FIELDS))
        return raster if _is_sound(raster, view, scale) else None
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, the view can be drawn again
        _log.info("A drawn view of the cortex is damaged and is drawn again: %s (%s)", path, error)
        return None


def _is_sound(raster: Raster, view: View, scale: float) -> bool:
    n_faces = len(load_mesh(view.surface, view.hemisphere).faces)
    n = len(raster.pixels)
    return (
        tuple(raster.shape) == view_shape(view, scale)
        and 0 < n == len(raster.faces) == len(raster.coverage)
        and raster.weights.shape == (n, 2)
        and 0 <= int(raster.faces.min()) <= int(raster.faces.max()) < n_faces
        and 0 <= int(raster.pixels[0]) <= int(raster.pixels[-1]) < int(raster.shape.prod())
    )


def _store(raster: Raster, path: Path) -> None:
    """Write a raster; a folder that cannot be written costs time at the next opening, no more."""
    try:
        with replacing(path) as part, part.open("wb") as file:
            np.savez(file, **{field: getattr(raster, field) for field in RASTER_FIELDS})
        _make_room(path)
    except (GazeError, OSError) as error:
        _log.info("A drawn view of the cortex was not kept: %s", error)


def _make_room(newest: Path) -> None:
    """Remove the views that were read longest ago while the folder is too large."""
    files = sorted(newest.parent.glob("*.npz"), key=lambda path: path.stat().st_atime)
    size = sum(path.stat().st_size for path in files)
    for path in files:
        if size <= _MOST_BYTES or path == newest:
            continue
        size -= path.stat().st_size
        path.unlink(missing_ok=True)
