"""Read what encoding models of brain responses found, with what else is needed to show it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.controls import CONTROLS
from gazeapp.engine.neural.records import N_VERTICES, Atlas, NeuralFinding
from gazeapp.engine.neural.simulation.simulate import PLANTED_CEILINGS, planted_in
from gazeapp.engine.project import Project
from gazeapp.engine.reports.results.data import SourceFacts
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
)
from gazeapp.engine.reports.results.neural_measures import (
    NeuralAsked,
    shown,
)
from gazeapp.engine.reports.results.neural_read import CortexValues, ImageResponses, NeuralRead
from gazeapp.engine.reports.results.read import sources
from gazeapp.engine.reports.scores import primary_metric
from gazeapp.engine.types import DoubleArray
from gazeapp.engine.workflows.encode_atlas import SEPARATE_SUFFIX, TABLE
from gazeapp.engine.workflows.encode_inputs import CONTROL
from gazeapp.engine.workflows.encode_state import outdated_encodings
from gazeapp.engine.workflows.encode_units import GROUP_MARK
from gazeapp.engine.workflows.regions import atlas_for

if TYPE_CHECKING:
    from gazeapp.engine.project.rows import ResponsesRow


def read_neural(project: Project, preset: str, name: str = "", atlas: str = "") -> NeuralRead:
    """Return what encoding models found of responses with the regions of an atlas.

    Parameters
    ----------
    project
        The project.
    preset
        Metric conventions of the agreement with fixations that stands beside.
    name
        Which responses; those that came last where there are none of that name.
    atlas
        Which atlas; the one used last where it was not used.
    """
    rows = tuple(project.responses.all())
    if not rows:
        return NeuralRead()
    row = next((one for one in rows if one.name == name), _last_used(project, rows))
    atlases = tuple(project.encodings.atlases(row.name))
    if not atlases:
        return NeuralRead(rows, row.name)
    chosen = atlas if atlas in atlases else atlases[0]
    findings = tuple(project.encodings.findings(row.name, atlas=chosen))
    summary = tuple(one for one in project.scores.summary(preset) if not one.lesion)
    about = _atlas(project, chosen)
    outdated = outdated_encodings(project)
    results = NeuralResults(
        responses=row.name,
        simulated=row.simulated,
        atlas=chosen,
        source=row.source,
        ceiling_origin=row.ceiling_origin,
        limits=about.limits if about is not None else "",
        sources=neural_sources(project, findings),
        findings=findings,
        groups=about.groups if about is not None else {},
        summary=summary,
        primary=primary_metric(project, summary),
        preset=preset,
        planted=planted_in(str(row.facts.get("said_by_file", {}).get(PLANTED_CEILINGS, ""))),
        older=frozenset(task for of, by, task in outdated if (of, by) == (row.name, chosen)),
    )
    return NeuralRead(rows, row.name, atlases, results if findings else None)


def _atlas(project: Project, key: str) -> Atlas | None:
    """Return the atlas under whose key results are stored; None for a table's regions, or where it is gone."""
    if key == TABLE:
        return None
    try:
        return atlas_for(project, key.removesuffix(SEPARATE_SUFFIX))
    except GazeError:
        return None


def _last_used(project: Project, rows: Sequence[ResponsesRow]) -> ResponsesRow:
    """Return the newest responses of which something was found, else the newest."""
    return next((one for one in reversed(rows) if project.encodings.atlases(one.name)), rows[-1])


def neural_sources(project: Project, findings: Collection[NeuralFinding]) -> tuple[SourceFacts, ...]:
    """Return what predicts, as it is called and coloured everywhere: people, models, controls."""
    known = {(one.kind, one.source, "") for one in findings}
    ids = {source for _, source, _ in known}
    known |= {(CONTROL, one.against, "") for one in findings if one.against and one.against not in ids}
    return tuple(_named(one) for one in sources(known, project.runs.models()))


def _named(source: SourceFacts) -> SourceFacts:
    control = CONTROLS.get(source.id)
    if source.kind != CONTROL or control is None:
        return source
    name = control.title[:1].upper() + control.title[1:]
    return SourceFacts(source.kind, source.id, source.method, name, source.colour)


def read_image_responses(
    project: Project,
    responses: str,
    atlas: str,
    task: str,
    subject: str,
    region: str,
    source: tuple[str, str] | None = None,
    *,
    group: bool = False,
) -> ImageResponses | None:
    """Return the responses of a region to each image; what a source predicts of images held out where one is given.

    Parameters
    ----------
    project
        The project.
    responses, atlas, task, subject
        What was predicted; ``subject`` is empty for the mean over subjects.
    region
        Region, or group where ``group`` is true.
    source
        Kind and id of what predicts; None for the responses themselves.

    Returns
    -------
    ImageResponses | None
        None where nothing is stored of it.
    """
    column = f"{GROUP_MARK}{region}" if group else region
    names = {image.id: image.name for image in project.images.all()}
    for row in project.encodings.rows(responses, atlas, task, subject):
        if column not in row.regions or source not in (None, (row.kind, row.source)):
            continue
        values, k = row.observed if source is None else row.predictions, row.regions.index(column)
        return ImageResponses(
            row.images,
            tuple(names.get(image, "") for image in row.images),
            values[:, k].astype(np.float64) + row.means[k],
        )
    return None


def read_vertex_values(
    project: Project, results: NeuralResults, asked: NeuralAsked, sources: Sequence[tuple[str, str]]
) -> CortexValues:
    """Return how well each vertex is predicted (correlation) from the maps of some sources."""
    atlas = _atlas(project, results.atlas)
    regions = atlas.regions if atlas is not None else ()
    values = []
    for kind, source in sources:
        found = project.encodings.vertex_map(results.responses, asked.subject, asked.task, kind, source)
        if found is None:
            name = results.facts(source, kind).name
            return CortexValues(
                regions,
                (),
                f"How well single vertices are predicted was not stored for {name}. Look at regions, or predict "
                "responses from maps again with every vertex.",
            )
        values.append(found)
    return CortexValues(regions, tuple(values))


def read_region_values(
    project: Project, results: NeuralResults, asked: NeuralAsked, sources: Sequence[tuple[str, str]]
) -> CortexValues:
    """Return the measure that is asked for, of some sources, painted on the regions of the atlas."""
    atlas = _atlas(project, results.atlas)
    if atlas is None:
        return CortexValues(
            lacks="These responses are of the regions of a table, which have no place on the cortex. Import "
            "responses of the vertices of fsaverage5 to see a cortex."
        )
    values = []
    for kind, source in sources:
        found = results.of(asked, asked.measure, results.facts(source, kind), asked.against)
        by_region = {region: shown(one, asked.measure).value for region, one in found.items()}
        values.append(painted(atlas, by_region, groups=asked.groups).astype(np.float32))
    # What has the number has the name: regions of one group must not be read as having its number each.
    shown_as = tuple(map(atlas.group, results.regions(groups=True))) if asked.groups else atlas.regions
    return CortexValues(shown_as, tuple(values))


def painted(atlas: Atlas, values: Mapping[str, float], *, groups: bool = False) -> DoubleArray:
    """Return the value of each region at its vertices, NaN elsewhere, shape (20484,).

    Parameters
    ----------
    atlas
        The regions, of one or of both hemispheres.
    values
        Value by the id of a region, or by its name for both hemispheres; by the name of a group where ``groups`` is
        true. Where groups overlap, the last one covers the others.
    """
    made = np.full(N_VERTICES, np.nan)
    if groups:
        for group, value in values.items():
            if group in atlas.groups:
                made[atlas.group(group).vertices] = value
        return made
    for region in atlas.regions:
        value_of = values.get(region.id, values.get(region.name))
        if value_of is not None:
            made[region.vertices] = value_of
    return made
