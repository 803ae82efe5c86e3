"""Gather what a report says of lesions, all but its pictures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gazeapp.engine.lesions.masks.built_in import plain_name
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.domain import DEMO_WORLD, is_outside_training
from gazeapp.engine.models.lesioning import offers
from gazeapp.engine.project import LesionRow, ModelRow, Project
from gazeapp.engine.reports.neglect.data import MaskData, NeglectData, ScopeData
from gazeapp.engine.reports.neglect.figures import neglect_figures
from gazeapp.engine.reports.neglect.found import neglect_tables
from gazeapp.engine.reports.neglect.readings import neglect_readings
from gazeapp.engine.reports.neglect.shown import Shown, impairments, shown_lesions
from gazeapp.engine.reports.neglect.words import CONTROL_MEANINGS, CONTROL_NAMES, SCOPE_NAMES, quoted
from gazeapp.engine.reports.numbers import count, listed, percent
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.reports.results.words import measured
from gazeapp.engine.scoring.analyses.neglect_outcomes import EQUAL_MASS, MATCHED, NO_LESION

_UNCHANGED = ("words_changed", "map_change", "log_probability_drop")
"""Outcomes that are exactly 0 where nothing is taken away."""


def neglect_data(project: Project, results: Results) -> NeglectData | None:
    """Return what the project has to say of lesions; None where nothing was taken away from any model.

    Parameters
    ----------
    project
        The project.
    results
        Its results under the preset of the report.
    """
    rows = project.lesions.all()
    if not rows:
        return None
    shown = shown_lesions(results)
    models = [model for model in project.runs.models() if any(row.model == model.id for row in rows)]
    return NeglectData(
        done=tuple(_done(project, rows, models)),
        masks=tuple(_masks(project, rows)),
        scopes=tuple(_scopes(rows, models)),
        controls=_controls(rows),
        readings=tuple(text for one in shown for text in neglect_readings(one)),
        figures=tuple(figure for one in shown for figure in neglect_figures(one)),
        tables=tuple(table for one in shown for table in neglect_tables(one)),
        check=_check(rows, models),
        cautions=tuple(_cautions(project, rows, models, shown)),
        outcomes=_outcomes(results),
    )


def _done(project: Project, rows: Sequence[LesionRow], models: Sequence[ModelRow]) -> Iterator[str]:
    lesions = [row for row in rows if not row.key.control]
    strengths = sorted({row.key.strength for row in lesions})
    yield (
        f"From {listed([model.name for model in models])}, {_extents(project, lesions)}, at "
        f"{'strength' if len(strengths) == 1 else 'strengths'} {listed([f'{one:g}' for one in strengths])} (0: "
        f"nothing, 1: all): {count(len(lesions), 'lesion')} and {count(len(rows) - len(lesions), 'control')}."
    )
    if not _is_crossed(lesions):
        yield "Not every mask was taken away from every model by every scope at every strength."
    yield (
        "The neglect is simulated: within a model, the attention to a part of the image, or that part itself, is taken "
        "away. This is no model of a patient’s brain, and says what a network loses without that part, not what a "
        "person would."
    )
    if project.simulated:
        yield (
            "The observers are simulated, too: what maps under lesions lose in agreement is about drawn fixations, not "
            "about people."
        )


def _extents(project: Project, lesions: Sequence[LesionRow]) -> str:
    """Return which masks were taken away on how many images under which tasks, those that are alike together."""
    images: dict[str, dict[str, set[int]]] = {}
    for row in lesions:
        images.setdefault(row.key.mask, {}).setdefault(row.task, set()).add(row.image_id)
    alike: dict[str, list[str]] = {}
    for mask, of_tasks in images.items():
        tasks = [task for task in project.tasks.all() if task in of_tasks]
        alike.setdefault(_extent(tasks, of_tasks), []).append(quoted(mask))
    parts = [f"{listed(masks)} of {extent}" for extent, masks in alike.items()]
    return f"{listed(parts) if len(parts) < 3 else '; '.join(parts)} {_was(list(images))} taken away"


def _extent(tasks: Sequence[str], images: Mapping[str, set[int]]) -> str:
    """Return on how many images something was done under which tasks; tasks with other images stand apart."""
    if len({frozenset(images[task]) for task in tasks}) == 1:
        under = f"the {'task' if len(tasks) == 1 else 'tasks'} {listed(list(tasks))}"
        return f"{count(len(images[tasks[0]]), 'image')} under {under}"
    return listed([f"{count(len(images[task]), 'image')} under the task {task}" for task in tasks])


def _is_crossed(lesions: Sequence[LesionRow]) -> bool:
    """Return whether models, scopes and strengths are the same for every mask and every one of another."""
    done = {(row.key.mask, row.model, row.key.scope, row.key.strength) for row in lesions}
    return len(done) == math.prod(len(set(values)) for values in zip(*done, strict=True))


def _was(items: Sequence[str]) -> str:
    return "was" if len(items) == 1 else "were each"


def _masks(project: Project, rows: Sequence[LesionRow]) -> Iterator[MaskData]:
    gone = _gone(project, rows)
    library = {mask.name for mask in project.masks.library()}
    by_mask: dict[str, dict[int, float]] = {}
    for row in rows:
        if not row.key.control:
            by_mask.setdefault(row.key.mask, {})[row.image_id] = row.area
    for name, areas in by_mask.items():
        values = np.array(list(areas.values()))
        area = percent(100.0 * float(values.mean()))
        if values.max() - values.min() > 0.005:
            area += f" ({percent(100.0 * float(values.min()))} to {percent(100.0 * float(values.max()))})"
        origin = "no longer in the mask library" if name in gone else _what(name, name in library)
        yield MaskData(name, origin, area, len(areas), is_gone=name in gone)


def _gone(project: Project, rows: Sequence[LesionRow]) -> list[str]:
    """Return the masks of lesions that were removed from the library since, or have another name there."""
    known = {mask.name for mask in project.masks.library()}
    names = dict.fromkeys(row.key.mask for row in rows if not row.key.control)
    return [name for name in names if name not in known and not _what(name)]


def _what(name: str, in_library: bool = False) -> str:
    """Return what a mask of this name is; empty for one that only a library could have."""
    if in_library:
        return "of the mask library"
    if plain_name(name) is not None:
        return "from its name"
    kind, _, rest = name.partition(" ")
    known = {
        "people": "where people looked most",
        "model": "where the model attended most",
        "object": "the boxes of the object",
    }
    return known.get(kind.casefold(), "") if rest else ""


def _scopes(rows: Sequence[LesionRow], models: Sequence[ModelRow]) -> Iterator[ScopeData]:
    """Yield what each scope does to each model; models to which it does the same stand together."""
    found: dict[tuple[str, str, str], list[str]] = {}
    used = {(row.model, row.key.scope) for row in rows}
    for model in models:
        for offer in offers(_info(model)):
            if (model.id, offer.scope) in used:
                found.setdefault((offer.scope, offer.reaches, offer.misses), []).append(model.name)
    for (scope, reaches, misses), names in found.items():
        yield ScopeData(scope, SCOPE_NAMES[scope], tuple(names), reaches, misses)


def _info(model: ModelRow) -> ModelInfo:
    return ModelInfo(
        model.id, model.name, model.kind, encoder=model.encoder, decoder=model.decoder, facts=model.facts
    )


def _controls(rows: Sequence[LesionRow]) -> tuple[tuple[str, str, int], ...]:
    counts = Counter(row.key.control for row in rows)
    return tuple(
        (name, CONTROL_MEANINGS[control], counts[control])
        for control, name in CONTROL_NAMES.items()
        if counts[control]
    )


def _check(rows: Sequence[LesionRow], models: Sequence[ModelRow]) -> str:
    """Say whether models give the intact run again when nothing is taken away."""
    own = [row for row in rows if row.key.control == NO_LESION]
    if not own:
        return "Whether models give the same run again when nothing is taken away was not tested."
    changed = Counter(row.model for row in own if any(row.outcomes.get(name, 0.0) for name in _UNCHANGED))
    if not changed:
        return (
            f"With nothing taken away, all {count(len(own), 'run')} gave caption, log-probabilities and map of the "
            "intact run again, exactly."
        )
    said = [f"{model.name} on {changed[model.id]}" for model in models if changed[model.id]]
    return (
        f"With nothing taken away, {sum(changed.values())} of {count(len(own), 'run')} were not the intact run again "
        f"({listed(said)}): small effects of these models are not to be trusted."
    )


def _cautions(
    project: Project, rows: Sequence[LesionRow], models: Sequence[ModelRow], shown: Sequence[Shown]
) -> Iterator[str]:
    if not shown:
        yield (
            "There are no findings about these lesions: run `gazeapp lesion` to its end, or take something away at a "
            "strength above 0."
        )
    cut = [one for one in shown if one.every != one.masks]
    if cut:
        yield (
            f"Figures and sentences have {len(cut[0].masks)} of {len(cut[0].every)} masks; findings.csv of the export "
            "has them all."
        )
    if len(shown) > 1:
        yield (
            f"There are several scopes, {listed([one.scope for one in shown])}: each is told for itself, and p is not "
            "corrected over them."
        )
    gone = _gone(project, rows)
    if gone:
        is_, it = ("is", "it") if len(gone) == 1 else ("are", "them")
        yield (
            f"{listed([quoted(mask) for mask in gone])} {is_} no longer in the mask library: removed since, or "
            f"renamed. What was measured with {it} stands here under that name; pictures of {it} there are none. "
            "`gazeapp remove-lesions` takes such lesions out."
        )
    if not any(row.key.control in MATCHED for row in rows):
        yield (
            "The lesions are held against no matched controls: that something changes says that taking so much away "
            "does harm, not that this place matters."
        )
    missing = _without_equal_mass(rows)
    if missing:
        yield (
            f"{count(missing, 'control')} of equal attention do not exist, because what lies outside the mask held "
            "less attention than the mask. There the lesion is held against random masks alone, which took away less "
            "attention."
        )
    if any(model.domain == DEMO_WORLD for model in models):
        photographs = [
            image for image in project.images.all() if is_outside_training(DEMO_WORLD, image.origin)
        ]
        names = listed([model.name for model in models if model.domain == DEMO_WORLD])
        yield (
            f"{names} were trained on drawn scenes only; what {'they say' if len(models) > 1 else 'it says'} of other "
            "pictures, with or without a lesion, is no evidence."
            if photographs
            else f"{names} were trained on scenes drawn by a program, such as these: the numbers show what the "
            "analysis can, not how models of photographs behave."
        )


def _without_equal_mass(rows: Sequence[LesionRow]) -> int:
    """Return how many controls of equal attention were asked for and do not exist."""
    draws = {row.key.draw for row in rows if row.key.control == EQUAL_MASS}
    there = {
        (row.run_id, row.key.mask, row.key.scope, row.key.strength, row.key.draw)
        for row in rows
        if row.key.control == EQUAL_MASS
    }
    asked = {
        (row.run_id, row.key.mask, row.key.scope, row.key.strength, draw)
        for row in rows
        if not row.key.control
        for draw in draws
    }
    return len(asked - there)


def _outcomes(results: Results) -> tuple[tuple[str, str, str], ...]:
    facts = [measured(outcome, results.preset) for outcome in impairments(results)]
    return tuple((one.name, one.unit, one.meaning) for one in facts)
