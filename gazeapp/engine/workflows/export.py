"""Write the tables, figures, maps and pictures of a study into a folder."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePath
from typing import TypeVar

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.project import ProblemRow, Project
from gazeapp.engine.project.settings import versions
from gazeapp.engine.reports.archive import (
    MapEntry,
    draw_overlays,
    entries,
    write_attention,
    write_maps,
    write_picture,
)
from gazeapp.engine.reports.dataset import fingerprint
from gazeapp.engine.reports.dictionary_models import MAPS
from gazeapp.engine.reports.dictionary_text import dictionary_text
from gazeapp.engine.reports.files import free_name, replacing
from gazeapp.engine.reports.neglect.archive import write_lesion_maps
from gazeapp.engine.reports.neglect.dictionary import MASKS
from gazeapp.engine.reports.neglect.figures import neglect_figures
from gazeapp.engine.reports.neglect.shown import shown_lesions
from gazeapp.engine.reports.neglect.tidy import LesionTables
from gazeapp.engine.reports.results.data import Figure
from gazeapp.engine.reports.results.draw import write_figure
from gazeapp.engine.reports.results.read import read_results
from gazeapp.engine.reports.results.study import study_figures
from gazeapp.engine.reports.tables import write_table
from gazeapp.engine.reports.tidy import tables
from gazeapp.engine.scoring.presets import TUEBINGEN
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Summary
from gazeapp.engine.workflows.export_masks import MASK_FOLDER, mask_files, write_masks
from gazeapp.engine.workflows.export_neural import NeuralExport
from gazeapp.engine.workflows.score_state import tell_outdated

VERB = "export"
ARCHIVE = "maps.npz"
ATTENTION_ARCHIVE = "attention.npz"
LESION_ARCHIVE = "lesion_maps.npz"
PROVENANCE = "provenance.json"
DICTIONARY_PAGE = "data_dictionary.md"
FIGURES = "figures"
_Row = TypeVar("_Row")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
"""What tasks may be called but files should not."""


@dataclass(frozen=True)
class ExportSettings:
    """Where to write, and whether with pictures.

    Parameters
    ----------
    folder
        Made if missing; files of an earlier export are replaced, others are left alone.
    overlays
        Whether each image is written with each of its maps on it.
    figures
        Whether the figures of the results are written.
    """

    folder: str
    overlays: bool = True
    figures: bool = True


class _Count:
    """Tells the progress of an export, and stops it when the user wants."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.done = 0
        self._progress = progress
        self._total = total

    def next(self, message: str) -> None:
        """Say what comes now.

        Raises
        ------
        StoppedError
            If the user cancelled.
        """
        if self._progress.cancelled:
            raise StoppedError
        self._progress.report(self.done, self._total, message)

    def finish(self) -> None:
        """Count one unit."""
        self.done += 1


def export(project: Project, settings: ExportSettings, progress: Progress) -> Summary:
    """Write tidy tables, figures, maps, overlays, a data dictionary and the provenance into a folder.

    One unit is a table, the figures of one preset or one set of responses, a map, the encoding models of one source,
    the attention of one run, a mask of one image, or the pictures of one image under one task. Every file is replaced
    in one step, so that a stop leaves each either old or new. An image whose file is missing has no pictures and
    becomes a problem; the rest goes on.

    Returns
    -------
    Summary
        ``details`` has ``folder`` and ``rows``: table -> number of rows.

    Raises
    ------
    GazeError
        If the folder cannot be written or the disk is full.
    """
    started = time.perf_counter()
    folder = Path(settings.folder)
    older = tell_outdated(project)
    maps = entries(project, overlays=settings.overlays)
    groups = _groups(maps) if settings.overlays else []
    listened = [entry for entry in maps if entry.layers]
    lesions = LesionTables(project)
    lesioned = lesions.maps
    masks = mask_files(project)
    neural = NeuralExport(project, figures=settings.figures)
    content = tables(project, lesions, neural.tables)
    presets = sorted({row.preset for row in project.scores.summary()}) if settings.figures else []
    shown = shown_lesions(read_results(project, TUEBINGEN.id, images=False)) if settings.figures else ()
    n_maps = len(maps) + len(listened) + len(lesioned) + len(masks) + neural.total
    count = _Count(progress, len(content) + len(presets) + bool(shown) + n_maps + len(groups) + 2)
    rows: dict[str, int] = {}
    drawings: list[str] = []
    failed: list[GazeError] = []
    stopped = False
    try:
        for table, values in content:
            count.next(table.name)
            rows[table.name] = write_table(folder / table.name, table, values)
            count.finish()
        for preset in presets:
            count.next(f"figures, {preset}")
            drawings += _write_figures(study_figures(read_results(project, preset)), preset, folder)
            count.finish()
        if shown:
            count.next("figures, lesions")
            figures = (figure for one in shown for figure in neglect_figures(one))
            drawings += _write_figures(figures, "lesions", folder)
            count.finish()
        for names in _counted(neural.draw(folder), count, "figures, brain responses"):
            drawings += names
        for _ in _counted(neural.write(folder), count, "what encoding models predict"):
            pass
        rows[MAPS.name] = write_table(
            folder / MAPS.name, MAPS, _counted(write_maps(project, maps, folder / ARCHIVE), count, ARCHIVE)
        )
        if listened:
            count.next(ATTENTION_ARCHIVE)
            for _ in write_attention(project, listened, folder / ATTENTION_ARCHIVE):
                count.finish()
                count.next(ATTENTION_ARCHIVE)
        if lesioned:
            for _ in _counted(
                write_lesion_maps(project, lesioned, folder / LESION_ARCHIVE), count, LESION_ARCHIVE
            ):
                pass
        rows[MASKS.name] = write_table(
            folder / MASKS.name, MASKS, _counted(write_masks(project, masks, folder), count, MASK_FOLDER)
        )
        for group in groups:
            count.next(f"pictures of {group[0].image.name}")
            try:
                drawn = draw_overlays(project, group)
            except GazeError as error:
                failed.append(error)
                continue
            for name, pixels in drawn:
                write_picture(folder / name, pixels)
            count.finish()
        count.next(DICTIONARY_PAGE)
        _write_text(folder / DICTIONARY_PAGE, dictionary_text())
        count.finish()
        count.next(PROVENANCE)
        others = [
            ARCHIVE,
            *([ATTENTION_ARCHIVE] if listened else []),
            *([LESION_ARCHIVE] if lesioned else []),
            *(mask.file for mask in masks),
            *neural.files,
            *drawings,
        ]
        _write_text(
            folder / PROVENANCE,
            json.dumps(_provenance(project, folder, rows, others), indent=2, ensure_ascii=False) + "\n",
        )
        count.finish()
    except StoppedError:
        stopped = True
    distinct = list({str(error): error for error in failed}.values())
    problems = (*older, *(_store(project, error) for error in distinct))
    seconds = time.perf_counter() - started
    details: Json = {"folder": str(folder), "rows": rows}
    return Summary(VERB, count.done, 0, len(failed), stopped, seconds, problems, details)


def _write_figures(figures: Iterable[Figure], group: str, folder: Path) -> list[str]:
    """Write the figures of a preset, or of lesions, and return their names, relative to the folder."""
    names: list[str] = []
    taken: set[str] = set()
    for figure in figures:
        names.append(f"{FIGURES}/{group}/{free_name(_UNSAFE.sub('-', figure.id), taken)}.svg")
        write_figure(figure, folder / names[-1])
    return names


def _groups(maps: list[MapEntry]) -> list[list[MapEntry]]:
    """Return the maps of each image and task together."""
    ordered = sorted(maps, key=lambda entry: (entry.image.name, entry.task))
    return [list(group) for _, group in groupby(ordered, key=lambda entry: (entry.image.id, entry.task))]


def _counted(rows: Iterator[_Row], count: _Count, name: str) -> Iterator[_Row]:
    count.next(name)
    for row in rows:
        yield row
        count.finish()
        count.next(name)


def _provenance(project: Project, folder: Path, rows: dict[str, int], others: list[str]) -> Json:
    images, recordings = project.images.all(), project.gaze.recordings()
    return {
        "project": project.name,
        "simulated": project.simulated,
        "versions": versions(),
        "fingerprint": fingerprint(images, recordings),
        "files": {
            name: {"sha256": sha256_of(folder / name), **({"rows": rows[name]} if name in rows else {})}
            for name in (*rows, *others)
        },
        "settings": [
            {
                "settings_id": row.id,
                "verb": row.verb,
                "values": _without_folders(row.values),
                "versions": row.versions,
                "hash": row.hash,
                "created": row.created,
            }
            for row in project.settings.all()
        ],
    }


def _without_folders(values: Json) -> Json:
    """Return settings with files named without their folders: where they were is the user's own."""
    if "files" in values:
        values = {**values, "files": [PurePath(str(file)).name for file in values["files"]]}
    return {**values, "file": PurePath(str(values["file"])).name} if "file" in values else values


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def _store(project: Project, error: GazeError) -> ProblemRow:
    if project.read_only:
        return ProblemRow(0, VERB, error.where, error.what, error.todo, "")
    return project.problems.add(VERB, error.where, error.what, error.todo)
