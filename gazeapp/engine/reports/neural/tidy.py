"""Rows of the exported tables about brain responses, read from a project in a stable order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gazeapp.engine.neural.records import REGION_TABLE, Atlas
from gazeapp.engine.project import EncodingRow, EncodingUnit, Project
from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.reports.files import free_name
from gazeapp.engine.reports.tables import Value

Row = tuple[Value, ...]
FOLDER = "cortex"
_TABLE = "table"
"""The atlas under which findings about regions of a table are stored."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class VertexPlace:
    """Where the correlation at each vertex is written: an array, and a file for each hemisphere."""

    key: str
    left_file: str
    right_file: str


class NeuralTables:
    """The brain responses of a project, with what was found of them.

    Parameters
    ----------
    project
        The project.
    atlases
        The atlases that were used, by the name under which results are stored.
    """

    def __init__(self, project: Project, atlases: Mapping[str, Atlas] | None = None) -> None:
        self._project = project
        self._atlases = dict(atlases or {})

    @cached_property
    def sets(self) -> list[ResponsesRow]:
        """The sets of responses."""
        return self._project.responses.all()

    def responses(self) -> Iterator[Row]:
        """Yield the sets of responses in the order in which they came."""
        for row in self.sets:
            subjects = "; ".join(name for name in row.subjects if name)
            yield (
                *(row.name, row.simulated, row.space, row.n_targets, subjects, row.n_images),
                *(row.source, row.ceiling_origin, row.created, row.settings_id),
            )

    def regions(self) -> Iterator[Row]:
        """Yield the regions of the atlases that were used, of the project's own, and of tables."""
        atlases = {atlas.name: atlas for atlas in self._atlases.values()}
        atlases |= {row.name: self._project.atlases.get(row.name) for row in self._project.atlases.all()}
        for atlas in atlases.values():
            for region in atlas.regions:
                groups = "; ".join(group for group, members in atlas.groups.items() if region.name in members)
                yield atlas.name, region.name, region.hemisphere, len(region.vertices), groups, ""
        for row in self.sets:
            if row.space == REGION_TABLE:
                for name in row.targets:
                    yield _TABLE, name, "", None, "", row.name

    def encoding(self) -> Iterator[Row]:
        """Yield every finding, in the order in which it was made."""
        for row in self.sets:
            for atlas in reversed(self._project.encodings.atlases(row.name)):
                settings = self._project.encodings.made_of(row.name, atlas)
                for one in self._project.encodings.findings(row.name, atlas=atlas):
                    unit = EncodingUnit(
                        one.subject, one.task, one.analysis, one.kind, one.source, one.against
                    )
                    yield (
                        *(row.name, atlas, row.simulated, one.subject, one.task, one.analysis),
                        *(one.kind, one.source, one.against, one.region, one.group, one.measure),
                        *(one.estimate, one.low, one.high, one.p, one.p_fdr, one.p_max, one.ceiling),
                        *(one.n_images, one.n_vertices, one.note, settings[unit][2]),
                    )

    def each(self) -> Iterator[tuple[ResponsesRow, EncodingRow]]:
        """Yield the encoding models, those of one task and subject at a time, as thousands may not fit into memory."""
        subjects = {row.name: ("", *(name for name in row.subjects if name)) for row in self.sets}
        for row in self.sets:
            for atlas in reversed(self._project.encodings.atlases(row.name)):
                for task in self._project.tasks.all():
                    for subject in subjects[row.name]:
                        for one in self._project.encodings.rows(row.name, atlas, task, subject):
                            yield row, one

    @cached_property
    def vertices(self) -> dict[tuple[str, str, str, str, str], VertexPlace]:
        """(Responses, subject, task, kind, source) -> where its correlations at vertices are written."""
        found: dict[tuple[str, str, str, str, str], VertexPlace] = {}
        taken: set[str] = set()
        for row, one in self.each():
            about = (row.name, one.subject, one.task, one.kind, one.source)
            if about not in found and self._project.encodings.vertex_map(*about) is not None:
                parts = (row.name, one.subject, one.task, one.source)
                name = free_name(_UNSAFE.sub("-", "_".join(part for part in parts if part)), taken)
                files = (f"{FOLDER}/{side}.{name}.func.gii" for side in ("lh", "rh"))
                found[about] = VertexPlace(f"vertices_{len(found) + 1}", *files)
        return found

    def models(self) -> Iterator[Row]:
        """Yield the encoding models."""
        for row, one in self.each():
            place = self.vertices.get((row.name, one.subject, one.task, one.kind, one.source))
            files = ("", "", "") if place is None else (place.key, place.left_file, place.right_file)
            yield (
                *(row.name, one.atlas, row.simulated, one.subject, one.task, one.kind, one.source),
                *(len(one.images), len(one.regions), len(np.unique(one.fold)), _number(one.facts)),
                *(key_of(one), *files, one.seconds, one.settings_id),
            )


def key_of(row: EncodingRow) -> str:
    """Return what the names of the arrays of encoding models begin with."""
    return f"encoding_{row.id}"


def _number(facts: Mapping[str, Any]) -> float | None:
    value = facts.get("median_penalty")
    return float(value) if isinstance(value, int | float) else None
