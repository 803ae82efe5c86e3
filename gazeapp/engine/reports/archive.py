"""The exported maps: one archive, an index of it, and pictures."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gazeapp.engine.project import ImageRow, Project, RunRow
from gazeapp.engine.project import listing as stored
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.reports import pictures
from gazeapp.engine.reports.files import free_name, replacing
from gazeapp.engine.reports.plain import spaced
from gazeapp.engine.reports.tables import Value
from gazeapp.engine.types import FloatArray, ImageArray, Rect

OVERLAY_FOLDER = "overlays"
OVERLAY_SIDE = 384
"""Longer side of an overlay picture, px."""

_PNG_LEVEL = 3
"""Three times as fast as the default, and hardly larger."""
# A fixed date makes the same project give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class MapEntry:
    """One map of the project and what it is called in an export; ``run`` is None for a human map."""

    key: str
    image: ImageRow
    task: str
    run: RunRow | None
    settings_id: int
    overlay: str
    layers: tuple[int, ...] = ()
    """Layers that the run knows attention of."""
    kept: str = ""
    """Which maps it has beside its words': ``layers`` or ``heads``; empty for none."""


def entries(project: Project, *, overlays: bool) -> list[MapEntry]:
    """Return every map: people's first, then the runs', by image name, task and model order."""
    by_id = {image.id: image for image in project.images.all()}
    found = []
    taken: set[str] = set()
    for row in stored.human_maps(project):
        name = _overlay(by_id[row.image_id], row.task, "people", taken) if overlays else ""
        key = f"human_{row.image_id}_{row.task_id}"
        found.append(MapEntry(key, by_id[row.image_id], row.task, None, row.settings_id, name))
    runs = sorted(stored.every_run(project), key=lambda run: by_id[run.image_id].name)
    for run in runs:
        source = "_".join(part for part in (run.model, run.method, run.lesion) if part)
        name = _overlay(by_id[run.image_id], run.task, source, taken) if overlays else ""
        layers = project.attention.layers(run.id)
        kept = project.attention.kept(run.id) if layers else ""
        found.append(
            MapEntry(
                *(f"run_{run.id}", by_id[run.image_id], run.task, run, run.settings_id, name, layers, kept)
            )
        )
    return found


def write_maps(project: Project, found: list[MapEntry], path: Path) -> Iterator[tuple[Value, ...]]:
    """Write the archive while its index rows are taken; it is complete when they are all taken.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    with replacing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in found:
            mean, words, rect = _grids(project, entry)
            mean_key = f"{entry.key}_mean" if entry.run else entry.key
            _add(archive, mean_key, mean)
            words_key = f"{entry.key}_words" if len(words) else ""
            if words_key:
                _add(archive, words_key, words)
            yield _index_row(entry, mean_key, words_key, mean, len(words), rect)


def write_attention(project: Project, found: list[MapEntry], path: Path) -> Iterator[MapEntry]:
    """Write the archive of attention by layer and head, yielding each run when it is written.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    with replacing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in found:
            run = entry.run
            mass = None if run is None else project.attention.image_mass(run.id)
            if run is None or mass is None:
                continue
            _add(archive, f"{entry.key}_mass", mass)
            if entry.kept:
                _add_layer_maps(archive, f"{entry.key}_layer_maps", project, run.id, len(mass))
            yield entry


def _add_layer_maps(archive: zipfile.ZipFile, key: str, project: Project, run_id: int, n_words: int) -> None:
    """Add the maps of a run's words one by one: all together may not fit into memory."""
    first = project.attention.maps_of_word(run_id, 0)
    assert first is not None
    with archive.open(member(key), "w", force_zip64=True) as stream:
        shape = (n_words, *first.shape)
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for word in range(n_words):
            maps = project.attention.maps_of_word(run_id, word)
            assert maps is not None
            stream.write(np.ascontiguousarray(maps, dtype="<f4").tobytes())


def draw_overlays(project: Project, group: list[MapEntry]) -> list[tuple[str, ImageArray]]:
    """Return the pictures of one image under one task and their names, all on one colour scale.

    A map of the mirrored image is drawn on the mirrored image.

    Raises
    ------
    GazeError
        If the image's file is missing or damaged.
    """
    image = group[0].image
    picture = pictures.thumbnail(project.images.file(image), OVERLAY_SIDE)
    height, width = picture.shape[:2]
    maps = []
    for entry in group:
        grid, _, rect = _grids(project, entry)
        maps.append(pictures.times_uniform(grid, rect, image.rect, height, width))
    high = pictures.shared_scale(maps)
    return [
        (entry.overlay, pictures.overlay(_as_shown(picture, entry), values, high))
        for entry, values in zip(group, maps, strict=True)
    ]


def write_picture(path: Path, pixels: ImageArray) -> None:
    """Write a picture as PNG in one step.

    Raises
    ------
    GazeError
        If it cannot be written.
    """
    with replacing(path) as partial:
        Image.fromarray(pixels).save(partial, "PNG", compress_level=_PNG_LEVEL)


def _grids(project: Project, entry: MapEntry) -> tuple[FloatArray, FloatArray, Rect]:
    if entry.run is not None:
        maps = project.maps.of_run(entry.run.id)
        return maps.mean, maps.words, maps.rect
    human = project.maps.human(entry.image.id, entry.task)
    assert human is not None
    return human.values, human.values[None][:0], human.rect


def _add(archive: zipfile.ZipFile, key: str, values: FloatArray) -> None:
    with archive.open(member(key), "w") as stream:
        np.lib.format.write_array(stream, np.ascontiguousarray(values), allow_pickle=False)


def member(key: str) -> zipfile.ZipInfo:
    """Return the entry of an array in an archive; with a fixed date the same arrays give the same bytes."""
    info = zipfile.ZipInfo(f"{key}.npy", _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _as_shown(picture: ImageArray, entry: MapEntry) -> ImageArray:
    mirrored = entry.run is not None and entry.run.lesion == MIRRORED
    return np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture


def _index_row(
    entry: MapEntry, key: str, words_key: str, mean: FloatArray, n_words: int, rect: Rect
) -> tuple[Value, ...]:
    run = entry.run
    return (
        *(key, words_key, "run" if run else "human", entry.image.name, entry.task),
        *((run.model, run.method, run.lesion, run.id) if run else ("", "", "", None)),
        *(mean.shape[0], mean.shape[1], n_words, rect.x, rect.y, rect.width, rect.height),
        *(entry.overlay, entry.settings_id),
        f"{entry.key}_mass" if entry.layers else "",
        f"{entry.key}_layer_maps" if entry.kept else "",
        spaced(entry.layers),
    )


def _overlay(image: ImageRow, task: str, source: str, taken: set[str]) -> str:
    """Return a file name that every file system takes and that is not in ``taken`` yet, and add it there.

    The image's number keeps equal stems apart, a number behind the name tasks and models that differ only in signs
    that file names should not have, such as ``organisation/name`` and ``organisation-name``.
    """
    parts = [f"{image.id:04d}", Path(image.name).stem, task, source]
    name = "__".join(re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-.")[:60] or "x" for part in parts)
    return f"{OVERLAY_FOLDER}/{free_name(name, taken)}.png"
