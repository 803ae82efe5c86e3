"""Rows of the exported tables, read from a project in a stable order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import PurePath

from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.records import IMAGE, Frame
from gazeapp.engine.project import Project, RecordingRow, RunRow, TrialRow
from gazeapp.engine.project import listing as stored
from gazeapp.engine.project.gaze_rules import default_geometry, detection_of, geometry_of, outdated_detection
from gazeapp.engine.reports.asked import how_chosen
from gazeapp.engine.reports.dictionary import (
    CEILINGS,
    DICTIONARY,
    FIXATIONS,
    IMAGES,
    PROBLEMS,
    QUALITY,
    QUALITY_RECORDINGS,
    RECORDINGS,
    SCORES,
    SUMMARY,
    TRIALS,
    dictionary_rows,
)
from gazeapp.engine.reports.dictionary_models import ATTENTION, MODELS, RUNS, WORDS
from gazeapp.engine.reports.human_ceilings import ceiling_rows
from gazeapp.engine.reports.neglect import tidy as neglect
from gazeapp.engine.reports.neglect.dictionary import LESION_WORDS, LESIONS, OBJECTS
from gazeapp.engine.reports.neural.dictionary import ENCODING, ENCODING_MODELS, REGIONS, RESPONSES
from gazeapp.engine.reports.neural.tidy import NeuralTables
from gazeapp.engine.reports.plain import spaced, whole, without_folder
from gazeapp.engine.reports.quality import Quality, read_quality, recording_rows, trial_rows
from gazeapp.engine.reports.recordings import geometry_sources
from gazeapp.engine.reports.results import tidy as results
from gazeapp.engine.reports.results.dictionary import (
    DIFFERENCES,
    FACTORIAL,
    FINDINGS,
    MEASURES,
    SCORES_BY_SUBJECT,
)
from gazeapp.engine.reports.scores import scored_with
from gazeapp.engine.reports.tables import Table, Value
from gazeapp.engine.reports.vlm_facts import is_vlm
from gazeapp.engine.scoring.presets import PRESETS
from gazeapp.engine.types import Json

Row = tuple[Value, ...]


def tables(
    project: Project, lesions: neglect.LesionTables | None = None, neural: NeuralTables | None = None
) -> list[tuple[Table, Iterator[Row]]]:
    """Return every table but those of maps and masks, with its rows, which are read when they are asked for.

    Parameters
    ----------
    project
        The project.
    lesions
        Its lesion runs, where they are known already.
    neural
        Its brain responses, with the atlases that were used.
    """
    lesions = lesions or neglect.LesionTables(project)
    neural = neural or NeuralTables(project)
    quality = cache(lambda: read_quality(project))
    return [
        (IMAGES, images(project)),
        (RECORDINGS, recordings(project)),
        (TRIALS, trials(project)),
        (FIXATIONS, fixations(project)),
        (QUALITY, _quality(trial_rows, quality)),
        (QUALITY_RECORDINGS, _quality(recording_rows, quality)),
        (MODELS, models(project)),
        (RUNS, runs(project, lesions)),
        (WORDS, words(project)),
        (ATTENTION, attention(project)),
        (SCORES, scores(project, lesions)),
        (SCORES_BY_SUBJECT, results.scores_by_subject(project)),
        (CEILINGS, ceilings(project)),
        (SUMMARY, summary(project)),
        (DIFFERENCES, results.differences(project)),
        (FACTORIAL, results.factorial(project)),
        (FINDINGS, results.findings(project)),
        (MEASURES, results.measures(project)),
        (LESIONS, lesions.lesions()),
        (LESION_WORDS, lesions.words()),
        (OBJECTS, neglect.objects(project)),
        (RESPONSES, neural.responses()),
        (REGIONS, neural.regions()),
        (ENCODING, neural.encoding()),
        (ENCODING_MODELS, neural.models()),
        (PROBLEMS, problems(project)),
        (DICTIONARY, dictionary_rows()),
    ]


def images(project: Project) -> Iterator[Row]:
    """Yield images by name."""
    for image in project.images.all():
        yield image.name, image.width, image.height, image.origin, image.path, image.sha256


def recordings(project: Project) -> Iterator[Row]:
    """Yield recordings in the order of their import."""
    by_recording: dict[int, list[TrialRow]] = {}
    for trial in project.gaze.trials():
        by_recording.setdefault(trial.recording_id, []).append(trial)
    default = default_geometry(project)
    for recording in project.gaze.recordings():
        own = by_recording.get(recording.id, [])
        yield (
            recording.id,
            PurePath(recording.file).name,
            recording.format,
            recording.confidence,
            recording.task,
            recording.simulated,
            len(own),
            sum(trial.n_fixations for trial in own),
            sum(trial.n_kept for trial in own if trial.image_id is not None),
            recording.sha256,
            recording.settings_id,
            Frame(**recording.frame).in_words(),
            _eye(own),
            *_geometry(recording, default),
            detection_of(recording),
            outdated_detection(recording, default),
        )


def _eye(trials: Iterable[TrialRow]) -> str:
    eyes = {trial.eye for trial in trials if trial.n_fixations}
    return "several" if len(eyes) > 1 else next(iter(eyes), "")


def _geometry(recording: RecordingRow, default: Geometry) -> Row:
    geometry = geometry_of(recording, default)
    return (
        *(geometry.screen or (None, None)),
        "" if recording.frame.get("of") == IMAGE else geometry.placement or "recorded",
        geometry.distance_cm,
        geometry.screen_width_cm,
        geometry.screen_px_per_degree,
        geometry_sources(recording, default),
    )


def trials(project: Project) -> Iterator[Row]:
    """Yield trials by recording, in the order in which they were read."""
    names = _names(project)
    for trial in sorted(project.gaze.trials(), key=lambda trial: (trial.recording_id, trial.id)):
        known = trial.image_id is not None
        yield (
            *(trial.id, trial.recording_id, trial.subject),
            trial.image_name if trial.image_id is None else names[trial.image_id],
            *(trial.task, trial.label, known, *(trial.shown or (None,) * 4), *trial.shift, trial.eye),
            *(trial.n_fixations, trial.n_kept if known else 0),
        )


def fixations(project: Project) -> Iterator[Row]:
    """Yield every fixation by recording, trial and position; averages of both eyes where they are in use."""
    simulated = {recording.id: recording.simulated for recording in project.gaze.recordings()}
    for row in stored.fixations(project):
        yield (
            *(row.image, row.task, row.subject, row.recording_id, row.trial_id, row.index),
            *(row.x, row.y, row.x_recorded, row.y_recorded, row.start_ms, row.duration_ms, row.eye),
            *(not row.why, row.why, simulated[row.recording_id]),
            *(row.unusable, row.shift_x, row.shift_y),
        )


def _quality(rows: Callable[[Quality], Iterator[Row]], read: Callable[[], Quality]) -> Iterator[Row]:
    yield from rows(read())


def models(project: Project) -> Iterator[Row]:
    """Yield models in their stable order."""
    for row in project.runs.models():
        loaded = row.facts.get("loaded", {}) if is_vlm(row.facts) else {}
        yield (
            *(row.id, row.name, row.kind, row.encoder, row.decoder),
            *(without_folder(row.checkpoint), row.revision, row.domain),
            *(
                (
                    str(row.facts.get("family", "")),
                    loaded.get("parameters_loaded") or row.facts.get("parameters"),
                    spaced(row.facts.get("layers", ())),
                    row.facts.get("heads"),
                )
                if is_vlm(row.facts)
                else ("", None, "", None)
            ),
        )


def runs(project: Project, lesions: neglect.LesionTables | None = None) -> Iterator[Row]:
    """Yield runs by image name, in the models' order; behind them those under lesions."""
    names = _names(project)
    kinds = {model.id: model.kind for model in project.runs.models()}
    for run in sorted(stored.every_run(project), key=lambda run: names[run.image_id]):
        yield (
            *(names[run.image_id], run.model, run.task, run.lesion, run.caption, run.method, run.model_task),
            *(run.log_probability, run.seconds, run.id, run.settings_id),
            *_asked(project, run, kinds),
            None,
        )
    yield from (lesions or neglect.LesionTables(project)).runs(
        lambda run_id: _asked(project, project.runs.get(run_id), kinds)
    )


def _asked(project: Project, run: RunRow, kinds: Mapping[str, str]) -> Row:
    """Return what was asked of a model, observed while it answered, and how it chose its words.

    Captioners read no prompt, and nothing is observed of them. ``kinds`` are those of the models by their ids.
    """
    facts = project.runs.facts(run.id)
    chosen = how_chosen(project.settings.get(run.settings_id).values, kinds.get(run.model, ""))
    if "token_words" not in facts:
        return (str(facts.get("prompt", "")), *(None,) * 2, *("",) * 2, *(None,) * 4, chosen)
    mass = project.runs.image_mass(run.id)
    ended = facts.get("ended") if isinstance(facts.get("ended"), bool) else None
    return (
        *(str(facts.get("prompt", "")), len(facts["tokens"]), ended),
        *(str(facts.get("dtype", "")), str(facts.get("device", ""))),
        *(facts.get("image_scale"), whole(facts.get("n_image_tokens"))),
        float(mass.mean(dtype="float64")) if mass.size else None,
        whole(facts.get("n_prompt_tokens")),
        chosen,
    )


def attention(project: Project) -> Iterator[Row]:
    """Yield the share of attention on the image by layer and head, for the runs in runs.csv that know it."""
    for run in sorted(stored.every_run(project), key=lambda run: run.id):
        mass = project.attention.image_mass(run.id)
        if mass is None:
            continue
        means = mass.mean(axis=0, dtype="float64")
        for layer, heads in zip(project.attention.layers(run.id), means, strict=True):
            for head, share in enumerate(heads):
                yield run.id, layer, head, float(share)


def words(project: Project) -> Iterator[Row]:
    """Yield the words of the runs in runs.csv, by run and position."""
    shown = {run.id for run in stored.every_run(project)}
    for run_id, own in groupby(stored.words(project), key=lambda word: word.run_id):
        if run_id not in shown:
            continue
        tokens = project.runs.facts(run_id).get("token_words", [])
        for word in own:
            yield (
                *(run_id, word.position, word.text, word.is_content, word.log_probability, word.image_mass),
                spaced(tokens[word.position]) if word.position < len(tokens) else "",
            )


def scores(project: Project, lesions: neglect.LesionTables | None = None) -> Iterator[Row]:
    """Yield scores by preset, task, image and source, one image and task at a time; then those under lesions."""
    names, scored = _names(project), _scored(project)
    lesions = lesions or neglect.LesionTables(project)
    for preset in sorted(PRESETS):
        by_image = groupby(
            project.scores.each(preset, scored_with(project, preset)),
            key=lambda row: (row.task, row.image_id),
        )
        for (task, image_id), rows in by_image:
            ordered = sorted(
                rows, key=lambda row: (row.source_kind, row.source, row.method, row.lesion, row.metric)
            )
            for row in ordered:
                yield (
                    *(names[image_id], row.source, task, row.method, row.lesion, row.metric, preset),
                    *(row.value, row.source_kind, row.settings_id),
                    *scored(row.settings_id, row.metric),
                )
        yield from lesions.scores(preset)


def ceilings(project: Project) -> Iterator[Row]:
    """Yield ceilings and their parts by preset, task, metric and estimator."""
    for row in ceiling_rows(project):
        yield (
            *(row.task, row.metric, row.preset, row.estimator, row.value, row.low, row.high),
            *(row.n_images, row.n_subjects, row.settings_id, row.interval),
        )


def summary(project: Project) -> Iterator[Row]:
    """Yield the summary by preset, task, source and metric."""
    scored = _scored(project)
    rows = sorted(
        project.scores.summary(),
        key=lambda r: (r.preset, r.task, r.source_kind, r.source, r.method, r.lesion, r.metric),
    )
    for r in rows:
        yield (
            *(
                r.source,
                r.task,
                r.metric,
                r.preset,
                r.mean,
                r.ceiling,
                r.chance,
                r.percent,
                r.ci_low,
                r.ci_high,
            ),
            *(
                r.source_kind,
                r.method,
                r.lesion,
                r.estimator,
                r.n_images,
                r.n_subjects,
                r.settings_id,
                r.interval,
            ),
            *scored(r.settings_id, r.metric),
        )


def _scored(project: Project) -> Callable[[int, str], Row]:
    """Return a function from settings and metric to the map transform, and whether the metric is the primary one."""

    @cache
    def values(settings_id: int) -> Json:
        return project.settings.get(settings_id).values

    def scored(settings_id: int, metric: str) -> Row:
        known = values(settings_id)
        return str(known.get("transform", "none")), known.get("primary") == metric

    return scored


def problems(project: Project) -> Iterator[Row]:
    """Yield problems, oldest first; files are named without the user's folders."""
    for row in project.problems.all():
        yield row.verb, without_folder(row.where), row.what, row.todo, row.created


def _names(project: Project) -> dict[int, str]:
    return {image.id: image.name for image in project.images.all()}
