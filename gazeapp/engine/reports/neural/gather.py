"""Gather what a report says of brain responses, all but the pictures of the cortex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gazeapp.engine.neural.controls import CONTROLS
from gazeapp.engine.neural.records import DIFFERENCE, ENCODING, FSAVERAGE5, PARTITION, RSA, Atlas
from gazeapp.engine.project import Project
from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.reports.neural.chosen import PICKED, Told, is_picked
from gazeapp.engine.reports.neural.data import NeuralData, NeuralPart, NeuralTask
from gazeapp.engine.reports.neural.figures import neural_figures
from gazeapp.engine.reports.neural.heat_figure import heat_drawn
from gazeapp.engine.reports.neural.parts import part_table
from gazeapp.engine.reports.neural.readings import neural_readings
from gazeapp.engine.reports.neural.subjects import subject_table
from gazeapp.engine.reports.numbers import count, listed
from gazeapp.engine.reports.results.data import ResultTable
from gazeapp.engine.reports.results.neural_heat import heat
from gazeapp.engine.reports.results.neural_measures import NeuralAsked
from gazeapp.engine.reports.results.neural_notes import LEAST_IMAGES
from gazeapp.engine.reports.results.neural_read import NeuralRead
from gazeapp.engine.reports.results.neural_tables import difference_table, region_table
from gazeapp.engine.reports.results.words import known
from gazeapp.engine.types import Json

_OF_SUBJECTS = (
    "Of the mean over subjects, from how alike subjects respond: analysis of variance with subjects as repeats, after "
    "each subject’s own mean is taken away (docs/responses.md)."
)
_NAMED = 3
"""Regions that a note names at most."""


def neural_data(
    project: Project, reads: Sequence[NeuralRead], atlases: Mapping[str, Atlas]
) -> NeuralData | None:
    """Return what the project has to say of brain responses; None where it has none.

    Parameters
    ----------
    project
        The project.
    reads
        What was read of each set of responses.
    atlases
        The atlases that were used, by the name under which results are stored; those that are gone are missing.
    """
    parts = [(row, read) for read in reads if (row := read.row) is not None]
    if not parts:
        return None
    found = [one for _, read in parts if read.results for one in read.results.findings]
    analyses = {one.analysis for one in found}
    settings = [values for _, read in parts for values in _settings(project, read)]
    used = {one.source for one in found} | {one.against for one in found}
    return NeuralData(
        parts=tuple(_part(row, read, atlases, len(_settings(project, read))) for row, read in parts),
        settings=settings[-1] if settings else {},
        analyses=tuple(one for one in (ENCODING, DIFFERENCE, PARTITION, RSA) if one in analyses),
        controls=tuple(
            (one.title, one.about) for id_, one in CONTROLS.items() if id_ in used and id_ != "people"
        ),
        atlases=tuple(
            (one.name, one.source, one.limits)
            for key in dict.fromkeys(read.results.atlas for _, read in parts if read.results)
            if (one := atlases.get(key)) is not None
        ),
        ceilings=tuple(dict.fromkeys(text for row, read in parts for text in _ceilings(row, read))),
    )


def _settings(project: Project, read: NeuralRead) -> list[Json]:
    """Return the different settings of the findings that are shown, oldest first."""
    if read.results is None:
        return []
    made = project.encodings.made_of(read.name, read.results.atlas).values()
    found = [project.settings.get(id_).values for id_ in sorted({id_ for _, _, id_ in made})]
    return [values for values in found if "n_folds" in values]


def _part(row: ResponsesRow, read: NeuralRead, atlases: Mapping[str, Atlas], n_settings: int) -> NeuralPart:
    results = read.results
    told = [Told(results, task) for task in results.tasks] if results else []
    return NeuralPart(
        row.name,
        row.simulated,
        tuple(_facts(row, read, atlases, told)),
        (*_cautions(row, read, atlases, told), *_mixed(n_settings)),
        tuple(_task(one) for one in told),
    )


def _mixed(n_settings: int) -> Iterator[str]:
    if n_settings > 1:
        yield (
            f"The numbers were made with {n_settings} different settings, which are listed at the end; the methods "
            "text has the newest. Run `gazeapp neural` once more with one of them before numbers are compared."
        )


def _task(told: Told) -> NeuralTask:
    return NeuralTask(
        told.task,
        neural_readings(told),
        heat_drawn(heat(told.results, NeuralAsked(told.task)), told.results.simulated),
        tuple(neural_figures(told)),
        tuple(_tables(told)),
    )


def _tables(told: Told) -> Iterator[ResultTable]:
    for place in told.places:
        for make in (region_table, difference_table):
            table = make(told.results, told.asked(place))
            if table is not None:
                yield replace(table, note="")
    for place in told.groups or told.best_regions:
        parts = part_table(told, place)
        if parts is not None:
            yield parts
    by_subject = subject_table(told)
    if by_subject is not None:
        yield by_subject


def _facts(
    row: ResponsesRow, read: NeuralRead, atlases: Mapping[str, Atlas], told: Sequence[Told]
) -> Iterator[tuple[str, str]]:
    yield "Responses", f"{row.name}, {'simulated' if row.simulated else 'measured'}"
    if row.source:
        yield "Made by" if row.simulated else "Source", row.source
    subjects = [one for one in row.subjects if one]
    yield (
        "Subjects",
        listed(subjects) if 0 < len(subjects) <= 12 else str(len(subjects) or "of no single person"),
    )
    if row.space == FSAVERAGE5:
        yield "Space", f"fsaverage5, {row.n_targets:,} vertices"
    else:
        yield "Space", f"a table of {count(row.n_targets, 'region')}"
    yield "Images with a response", f"{row.n_images:,}"
    if read.results is None:
        return
    atlas = atlases.get(read.results.atlas)
    if row.space == FSAVERAGE5:
        n, groups = len(read.results.regions()), len(read.results.regions(groups=True))
        named = f"{read.results.atlas}, {count(n, 'region')}"
        yield "Atlas", f"{named} and {count(groups, 'group')}" if groups else named
    if atlas is not None and atlas.limits and not is_picked(read.results.atlas):
        yield "Limits of the atlas", atlas.limits
    for one in told:
        images = max((found.n_images for found in read.results.findings if found.task == one.task), default=0)
        names = listed([source.name for source in one.sources])
        yield f"Predicted, task {one.task}", f"{count(images, 'image')}, from {names}"
    ceilings = tuple(_ceilings(row, read))
    yield "Noise ceiling", " ".join(ceilings) if ceilings else "not known"


def _ceilings(row: ResponsesRow, read: NeuralRead) -> Iterator[str]:
    """Yield how the ceilings that findings have were estimated."""
    if read.results is None or not any(known(one.ceiling) for one in read.results.findings):
        return
    whose = read.results.subjects
    if len(row.subjects) > 1 and "" in whose:
        yield _OF_SUBJECTS
    if row.ceiling_origin and (len(row.subjects) == 1 or any(whose)):
        yield f"{row.ceiling_origin[:1].upper()}{row.ceiling_origin[1:].rstrip('.')}."


def _cautions(
    row: ResponsesRow, read: NeuralRead, atlases: Mapping[str, Atlas], told: Sequence[Told]
) -> Iterator[str]:
    if row.simulated:
        yield (
            "These responses are simulated: a model made them, no brain was measured. A high score says that maps go "
            "with what that model computes from the same images, and nothing about people’s brains."
        )
    results = read.results
    if results is None:
        yield "Nothing was predicted of these responses yet: run `gazeapp neural`."
        return
    if results.older:
        yield (
            f"Maps or fixations of the {'task' if len(results.older) == 1 else 'tasks'} "
            f"{listed(sorted(results.older))} were changed since responses were predicted from them; run `gazeapp "
            "neural` again."
        )
    others = [atlas for atlas in read.atlases if atlas != results.atlas]
    if others:
        yield (
            f"Responses were predicted with {listed([f'“{one}”' for one in others])} as well; shown here is "
            f"“{results.atlas}”, which was used last. encoding.csv of the export has all, and p is not corrected over "
            "atlases."
        )
    if is_picked(results.atlas):
        own = atlases.get(results.atlas)
        yield own.limits if own is not None and own.limits else PICKED
    elif results.atlas not in atlases and row.space == FSAVERAGE5:
        yield f"The atlas “{results.atlas}” is no longer in the project; its groups are those of the findings."
    fewest = min((one.n_images for one in results.findings), default=0)
    if fewest < LEAST_IMAGES:
        yield (
            f"The numbers rest on {count(fewest, 'image')}. Encoding models need many: with fewer than some "
            f"{LEAST_IMAGES} hardly anything but strong effects can be found, and what is not found may be there."
        )
    if not any(known(one.ceiling) for one in results.findings):
        yield (
            "No noise ceiling is known, so that r cannot be said as a share of what is possible; regions cannot be "
            "compared with each other, only sources within a region."
        )
    if len(told) > 1:
        yield "Tasks share images and responses, and p is not corrected over them."
    notes: dict[str, dict[str, None]] = {}
    for one in results.findings:
        if one.note:
            # What is noted of RSA is of single regions, all else of all of them.
            notes.setdefault(one.note, {}).update({one.region: None} if one.analysis == RSA else {})
    if notes:
        yield " ".join(_noted(note, tuple(regions)) for note, regions in list(notes.items())[:3])


def _noted(note: str, regions: Sequence[str]) -> str:
    """Return a note with the first of the regions that it is of."""
    if not regions:
        return note
    more = len(regions) - _NAMED
    named = ", ".join(regions[:_NAMED]) + (f" and {count(more, 'more region')}" if more > 0 else "")
    return f"{named}: {note}"
