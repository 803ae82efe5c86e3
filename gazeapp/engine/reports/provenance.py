"""Where the numbers came from: settings, versions and the commands that make them again."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePath, PurePosixPath

from gazeapp.engine.project import Project, SettingsRow
from gazeapp.engine.project.listing import human_maps
from gazeapp.engine.project.settings import versions
from gazeapp.engine.reports.content import Methods, SettingsData
from gazeapp.engine.reports.dataset import flat
from gazeapp.engine.reports.scores import current_summary, in_order, primary_metric
from gazeapp.engine.scoring.facts import CEILINGS
from gazeapp.engine.scoring.metrics import STEP
from gazeapp.engine.scoring.presets import PRESETS, Preset
from gazeapp.engine.types import Json

_SHORT = 12


def used_settings(project: Project, preset: str) -> list[SettingsRow]:
    """Return the settings behind the recordings, maps and scores of a report, oldest first."""
    ids = {recording.settings_id for recording in project.gaze.recordings()}
    ids |= {row.settings_id for row in human_maps(project)}
    ids |= {run.settings_id for run in project.runs.all()}
    ids |= {row.settings_id for row in current_summary(project, preset)}
    return [row for row in project.settings.all() if row.id in ids]


def settings_data(rows: Iterable[SettingsRow]) -> tuple[SettingsData, ...]:
    """Return settings for reading; rows of a verb that differ only in files are shown once each kind.

    Runs of one model store a row for each task and imported maps one for each file: those that show
    the same values but for hashes are counted together.
    """
    grouped: dict[tuple[str, tuple[tuple[str, str], ...]], list[SettingsRow]] = {}
    for row in rows:
        grouped.setdefault((row.verb, tuple(_shown(row.values))), []).append(row)
    return tuple(
        SettingsData(verb, values, own[0].hash if len(own) == 1 else "", own[-1].created, len(own))
        for (verb, values), own in grouped.items()
    )


def all_versions(rows: Iterable[SettingsRow]) -> tuple[tuple[str, str], ...]:
    """Return each library with the versions that made the numbers, the present one included."""
    found: dict[str, list[str]] = {}
    for source in [*(row.versions for row in rows), versions()]:
        for name, version in source.items():
            known = found.setdefault(name, [])
            if version not in known:
                known.append(version)
    return tuple((name, ", then ".join(known)) for name, known in found.items())


def methods(project: Project, preset: str, rows: Iterable[SettingsRow]) -> Methods:
    """Return what the methods text needs."""
    summary = current_summary(project, preset)
    by_verb: dict[str, list[Json]] = {}
    for row in rows:
        by_verb.setdefault(row.verb, []).append(row.values)
    score = by_verb.get("score", [{}])[-1]
    words = {values.get("words", "") for values in by_verb.get("extract", [])}
    facts = PRESETS.get(preset)
    return Methods(
        preset=preset,
        preset_name=facts.name if facts else preset,
        preset_source=facts.source if facts else "",
        conventions=tuple(_conventions(facts)) if facts else (),
        primary=primary_metric(summary),
        metrics=tuple(in_order(row.metric for row in summary)),
        estimators=tuple(
            (estimator, tuple(in_order(row.metric for row in summary if row.estimator == estimator)))
            for estimator in CEILINGS
            if any(row.estimator == estimator for row in summary)
        ),
        sigma=_sigma(score) or _sigma(by_verb.get("import gaze", [{}])[-1]),
        words=words.pop() if len(words) == 1 else "",
        map_methods=tuple(sorted({str(values.get("method", "")) for values in by_verb.get("extract", [])})),
        score_settings=score,
        n_reduced=_reduced(project, score),
    )


def _reduced(project: Project, score: Json) -> int:
    """Return how many images with fixations are larger than what is scored."""
    longest = score.get("max_side_px")
    looked_at = {image_id for (image_id, _), n in project.gaze.counts().items() if n}
    sides = [max(image.width, image.height) for image in project.images.all() if image.id in looked_at]
    return sum(side > longest for side in sides) if longest else 0


def _conventions(preset: Preset) -> Iterator[str]:
    """Yield what a preset decides where the literature disagrees, as parts of a sentence."""
    yield (
        "a pixel that was fixated several times counts once"
        if preset.deduplicate
        else "every fixation counts, also several on one pixel"
    )
    yield f"the standard deviation in NSS is over {'N − 1' if preset.ddof else 'N'} pixels"
    if preset.auc == "judd":
        yield "AUC has its thresholds at the fixated values and the pixels without fixations as negatives (Judd)"
    else:
        yield "AUC compares fixated values with all pixels, ties counting half (Mann–Whitney)"
    if preset.sauc == "steps":
        yield f"sAUC has thresholds every {STEP} of the map stretched to 0 and 1"
    else:
        yield "sAUC is by exact ranks"
    if preset.stretch:
        yield "for SIM both maps are stretched to 0 and 1 before they are divided by their sums"
    else:
        yield "for SIM and KL maps are divided by their sums"


def commands(project: Project, preset: str, output: str) -> tuple[str, ...]:
    """Return the command lines that make the study again, for a POSIX shell.

    Files are named without their folders: those are the user's own.
    """
    name = project.path.name
    rows = used_settings(project, preset)
    tasks = project.tasks.all()
    models = {model.id: model.name for model in project.runs.models()}
    lines = [_line("new", name, "--images", image_folder(project), *_repeated("--task", tasks))]
    lines += _unique(_import_command(name, row) for row in rows if row.verb == "import gaze")
    lines += _unique(_maps_command(name, row, models) for row in rows if row.verb == "import maps")
    lines += _extract_commands(name, [row for row in rows if row.verb == "extract"])
    lines += _unique(_score_command(name, row) for row in rows if row.verb == "score")
    lines.append(
        _line("report", name, "-o", PurePath(output).name, *_unless("--preset", preset, "tuebingen"))
    )
    return tuple(lines)


def image_folder(project: Project) -> str:
    """Return the folder of the images as the commands name it: relative to the project, never above it."""
    parents = {PurePosixPath(image.path).parent.as_posix() for image in project.images.all()}
    common = PurePosixPath(posixpath.commonpath(parents) or ".") if parents else PurePosixPath("images")
    return common.name if common.is_absolute() or ".." in common.parts else common.as_posix()


def _import_command(name: str, row: SettingsRow) -> str:
    values = row.values
    files = [PurePath(str(file)).name for file in values.get("files", ())] or ["RECORDINGS"]
    return _line(
        "import-gaze",
        name,
        *files,
        *_unless("--format", values.get("format"), "auto"),
        *_unless("--task", values.get("task"), ""),
        *_unless("--eye", values.get("eye"), "auto"),
        *_unless("--trial-pattern", values.get("trial_pattern"), ""),
        *_unless("--sigma", _sigma(values).replace(" ", ""), ""),
        *_unless("--px-per-deg", values.get("px_per_deg"), None),
        *(["--simulated"] if values.get("simulated") else []),
    )


def _maps_command(name: str, row: SettingsRow, models: dict[str, str]) -> str:
    values = row.values
    model = str(values.get("model"))
    truth = ["--truth"] if values.get("kind") == "truth" else []
    return _line(
        "import-maps", name, "MAPS", "--model", models.get(model, model), "--task", values.get("task"), *truth
    )


def _extract_commands(name: str, rows: list[SettingsRow]) -> list[str]:
    """Return one command for each (method, words), with its models and tasks."""
    grouped: dict[tuple[str, str], list[SettingsRow]] = {}
    for row in rows:
        key = str(row.values.get("method", "")), str(row.values.get("words", ""))
        grouped.setdefault(key, []).append(row)
    return [
        _line(
            "extract",
            name,
            *_repeated("--model", dict.fromkeys(str(row.values.get("model")) for row in own)),
            *_repeated("--task", dict.fromkeys(str(row.values.get("task")) for row in own)),
            *_unless("--method", method, ""),
            *_unless("--words", words, "content"),
        )
        for (method, words), own in grouped.items()
    ]


def _score_command(name: str, row: SettingsRow) -> str:
    values = row.values
    return _line(
        "score",
        name,
        *_unless("--preset", values.get("preset"), "tuebingen"),
        *_unless("--sigma", _sigma(values).replace(" ", ""), ""),
        *_unless("--px-per-deg", values.get("px_per_deg"), None),
    )


def _line(*words: object) -> str:
    return shlex.join(["gazeapp", *(str(word) for word in words)])


def _unless(option: str, value: object, default: object) -> list[str]:
    return [] if value in (default, None, "") else [option, str(value)]


def _repeated(option: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield option
        yield value


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _sigma(values: Json) -> str:
    """Return the Gaussian's standard deviation as text, such as ``24 px``; empty when not given."""
    value = values.get("sigma")
    return f"{float(value):g} {values.get('sigma_unit') or 'px'}" if value else ""


def _shown(values: Json) -> Iterator[tuple[str, str]]:
    for name, text in flat(values):
        if name == "files":
            continue
        if not name.endswith("sha256"):
            yield name, text[:_SHORT] + "…" if name == "revision" and len(text) > _SHORT else text
