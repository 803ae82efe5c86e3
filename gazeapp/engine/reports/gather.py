"""Gather a report from a project, all but its pictures."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gazeapp.engine.project import Project, ScoreRow
from gazeapp.engine.reports import provenance
from gazeapp.engine.reports.asked import asked_rows, left_behind, shrunk_images
from gazeapp.engine.reports.commands import commands, image_folder
from gazeapp.engine.reports.content import Problem, Report
from gazeapp.engine.reports.dataset import data_set, model_data
from gazeapp.engine.reports.neglect.gather import neglect_data
from gazeapp.engine.reports.plain import without_folder
from gazeapp.engine.reports.quality import read_quality
from gazeapp.engine.reports.quality_report import quality_data
from gazeapp.engine.reports.results.read import read_measures, read_results
from gazeapp.engine.reports.results.study import study_sections
from gazeapp.engine.reports.results.tasks import IMAGE_MEASURES
from gazeapp.engine.reports.scores import current_summary, scored_with, task_scores, with_pairs
from gazeapp.engine.reports.sentences import key_results, notes
from gazeapp.engine.scoring.findings import DIFFERENCE
from gazeapp.engine.scoring.sources import MODEL, TRUTH

_WRITERS = ("report", "export")
"""Verbs whose problems are about the files they wrote, not about the numbers."""


def gather(project: Project, preset: str, output: str) -> Report:
    """Return what the project has to say, without galleries and brain responses.

    Parameters
    ----------
    project
        The project.
    preset
        Metric conventions whose scores are shown.
    output
        File that the report will be written to; named in its last command line.
    """
    data = data_set(project)
    models = model_data(project)
    asked = asked_rows(project, models)
    summary = current_summary(project, preset)
    used = provenance.used_settings(project, preset)
    methods = provenance.methods(project, preset, used)
    # Of the numbers of images, only those that a figure of the report has: a large study has millions.
    results = replace(
        read_results(project, preset, images=False), measures=read_measures(project, IMAGE_MEASURES)
    )
    primary = results.primary
    scores = tuple(
        with_pairs(task, results.of(DIFFERENCE), primary)
        for task in task_scores(summary, project.tasks.all(), models)
    )
    return Report(
        project=project.name,
        created=_today(),
        simulated=project.simulated,
        key_results=key_results(scores, primary),
        notes=(
            *notes(data, models, scores),
            *left_behind(project, {model.id: model.name for model in project.runs.models()}),
            *shrunk_images(asked),
        ),
        data=data,
        quality=quality_data(read_quality(project)),
        models=models,
        asked=asked,
        scores=scores,
        sections=study_sections(results),
        neglect=neglect_data(project, results),
        neural=None,
        galleries=(),
        problems=tuple(
            Problem(row.verb, without_folder(row.where), row.what, row.todo)
            for row in project.problems.all()
            if row.verb not in _WRITERS
        ),
        methods=methods,
        settings=provenance.settings_data(used),
        versions=provenance.all_versions(used),
        commands=commands(project, preset, used, output),
        image_folder=image_folder(project),
    )


def current_scores(project: Project, preset: str, metric: str) -> list[ScoreRow]:
    """Return the scores of every image by one metric, of models and truths: what galleries are chosen by.

    All scores of a large study would not be held at once.
    """
    return [
        row
        for row in project.scores.each(preset, scored_with(project, preset))
        if row.metric == metric and row.source_kind in (MODEL, TRUTH) and not row.lesion
    ]


def _today() -> str:
    return datetime.now().astimezone().isoformat(" ", "minutes")[:16]
