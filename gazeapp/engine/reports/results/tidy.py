"""Rows of the exported tables of results, read from a project in a stable order, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator

from gazeapp.engine.project import FindingRow, Project, SubjectScoresRow
from gazeapp.engine.reports.tables import Value
from gazeapp.engine.scoring.findings import DIFFERENCE, FACTORIAL
from gazeapp.engine.scoring.presets import PRESETS

Row = tuple[Value, ...]
_CEILING = "ceiling"
"""In place of a source's kind: what people score on what the others predict."""


def scores_by_subject(project: Project) -> Iterator[Row]:
    """Yield each person's scores by preset, task, image, source and person."""
    names = {image.id: image.name for image in project.images.all()}
    made_of = {model.id: (model.encoder, model.decoder) for model in project.runs.models()}
    for preset in sorted(PRESETS):
        for row in project.scores.subject_scores(preset):
            yield from _by_subject(row, names[row.image_id], preset, made_of)


def _by_subject(
    row: SubjectScoresRow, image: str, preset: str, made_of: dict[str, tuple[str, str]]
) -> Iterator[Row]:
    for (kind, source, method, lesion, metric), values in zip(row.columns, row.values, strict=True):
        of_people = kind == _CEILING
        encoder, decoder = ("", "") if of_people else made_of.get(source, ("", ""))
        for subject, n_fixations, value in zip(row.subjects, row.n_fixations, values, strict=True):
            yield (
                *(image, subject, row.task, source, encoder, decoder, metric, float(value), n_fixations),
                *(preset, "human" if of_people else kind, method, lesion, row.settings_id),
            )


def differences(project: Project) -> Iterator[Row]:
    """Yield the differences between sources."""
    for row in project.findings.findings(DIFFERENCE):
        one = row.finding
        yield (one.task, one.metric, row.preset, one.term, one.against, *_numbers(row))


def factorial(project: Project) -> Iterator[Row]:
    """Yield the effects of the encoder x decoder design and the means of its cells."""
    for row in project.findings.findings(FACTORIAL):
        one = row.finding
        yield (one.task, one.metric, row.preset, one.term, one.against, *_numbers(row))


def findings(project: Project) -> Iterator[Row]:
    """Yield what every analysis shows."""
    for row in project.findings.findings():
        one = row.finding
        numbers = _numbers(row)
        yield (
            *(one.analysis, one.task, one.metric, row.preset, one.term, one.against),
            *(*numbers[:-2], one.kind, *numbers[-2:], one.lesion),
        )


def measures(project: Project) -> Iterator[Row]:
    """Yield the measures of every image by task, image, source and name."""
    names = {image.id: image.name for image in project.images.all()}
    for row in project.findings.measures():
        yield (
            *(names[row.image_id], row.task, row.source, row.measure, row.against, row.value),
            *(row.source_kind, row.method, row.lesion, row.settings_id),
        )


def _numbers(row: FindingRow) -> Row:
    one = row.finding
    return (
        *(one.estimate, one.low, one.high, one.unit, one.effect, one.p, one.p_holm),
        *(one.n_images, one.n_subjects, one.note, row.settings_id),
    )
