"""The command lines that make a study again."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath, PurePosixPath

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.detection import DetectionSettings
from gazeapp.engine.gaze.scanpaths.measures import DEFAULT
from gazeapp.engine.models.base import Decoding
from gazeapp.engine.project import LesionKey, ModelRow, Project, SettingsRow
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry
from gazeapp.engine.project.prompts import DEFAULT_PROMPTS, OTHER_PROMPT
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.reports.neural.commands import neural_commands
from gazeapp.engine.reports.plain import without_folder
from gazeapp.engine.scoring.analyses.neglect_outcomes import NO_LESION
from gazeapp.engine.scoring.presets import PRESETS
from gazeapp.engine.types import Json


def commands(project: Project, preset: str, rows: Sequence[SettingsRow], output: str) -> tuple[str, ...]:
    """Return the command lines that make the study again, for a POSIX shell.

    Files are named without their folders: those are the user's own. ``rows`` are the settings that were used.
    """
    name = project.path.name
    tasks = project.tasks.all()
    models = {model.id: model for model in project.runs.models()}
    lines = [_line("new", name, "--images", image_folder(project), *_repeated("--task", tasks))]
    lines += _import_commands(project, name)
    lines += _unique(_maps_command(name, row, models) for row in rows if row.verb == "import maps")
    extracted = [row for row in rows if row.verb == "extract"]
    lines += _download_commands(extracted, models)
    lines += _extract_commands(name, extracted, models)
    lines += _unique(_score_command(name, row) for row in rows if row.verb == "score")
    lines += _unique(_scanpaths_command(name, row) for row in rows if row.verb == "compare scanpaths")
    lines += _lesion_commands(project, name, [row for row in rows if row.verb == "lesion"], models)
    lines += neural_commands(project, name)
    lines.append(
        _line("report", name, "-o", PurePath(output).name, *_unless("--preset", preset, "tuebingen"))
    )
    return tuple(lines)


def image_folder(project: Project) -> str:
    """Return the folder of the images as the commands name it: relative to the project, never above it."""
    parents = {PurePosixPath(image.path).parent.as_posix() for image in project.images.all()}
    common = PurePosixPath(posixpath.commonpath(parents) or ".") if parents else PurePosixPath("images")
    return common.name if common.is_absolute() or ".." in common.parts else common.as_posix()


def _import_commands(project: Project, name: str) -> Iterator[str]:
    """Yield one command for all recordings that were read alike; the folders of files are the user's own."""
    default = default_geometry(project).as_json()
    if default:
        yield _line("set-geometry", name, *_geometry_options(default))
    grouped: dict[tuple[str, ...], list[str]] = {}
    for recording in project.gaze.recordings():
        values = project.settings.get(recording.settings_id).values
        options = (
            *_unless("--format", values.get("format"), "auto"),
            *_unless("--task", recording.task, ""),
            *(_reading_options(values) if "rules" in values else _first_version_options(values)),
            *_geometry_options(recording.geometry),
            *(["--simulated"] if recording.simulated else []),
        )
        grouped.setdefault(options, []).append(PurePath(recording.file).name)
    for options, files in grouped.items():
        yield _line("import-gaze", name, *files, *options)
    chosen = _choice_options(choices_of(project))
    if chosen:
        yield _line("choose-fixations", name, *chosen)


def _reading_options(values: Json) -> Iterator[str]:
    """Yield the options of what was said about reading a file."""
    rules, match, detection = values["rules"], values["match"], values["detection"]
    yield from _unless("--trial-preset", rules.get("preset"), "auto")
    yield from _unless("--trial-pattern", rules.get("start"), "")
    yield from _unless("--trial-end", rules.get("end"), "")
    yield from _unless("--image-pattern", rules.get("image"), "")
    if values.get("profile"):
        yield from ("--profile", str(values["profile"].get("name")))
    yield from _repeated("--match", (f"{left}={right}" for left, right in match.get("names", {}).items()))
    if match.get("order"):
        yield from ("--order", "IMAGES.txt")
    if values.get("detect"):
        yield "--from-samples"
    given = DetectionSettings()
    yield from _unless("--method", detection.get("method"), given.method)
    yield from _unless("--velocity", detection.get("velocity_deg_s"), given.velocity_deg_s)
    yield from _unless("--dispersion", detection.get("dispersion_deg"), given.dispersion_deg)
    yield from _unless("--min-fixation", detection.get("min_duration_ms"), given.min_duration_ms)


def _first_version_options(values: Json) -> list[str]:
    return _unless("--trial-pattern", values.get("trial_pattern"), "")


def _geometry_options(geometry: Json) -> Iterator[str]:
    for name, value in geometry.items():
        numbers = value if isinstance(value, list | tuple) else [value]
        yield f"--{name.replace('_', '-')}"
        yield from (entry if isinstance(entry, str) else f"{entry:g}" for entry in numbers)


def _choice_options(choices: GazeChoices) -> list[str]:
    given = GazeChoices()
    options = [
        *_unless("--eye", choices.eye, given.eye),
        *_unless("--first", choices.first_fixation, given.first_fixation),
        *_unless("--min-duration", choices.min_duration_ms, None),
        *_unless("--max-duration", choices.max_duration_ms, None),
        *_unless("--outside", choices.outside, given.outside),
        *_unless("--weighting", choices.weighting, given.weighting),
    ]
    if (choices.sigma, choices.sigma_unit) != (given.sigma, given.sigma_unit):
        options += ["--sigma", f"{choices.sigma:g}{choices.sigma_unit}"]
    return options


def _maps_command(name: str, row: SettingsRow, models: dict[str, ModelRow]) -> str:
    values = row.values
    known = models.get(str(values.get("model")))
    model = known.name if known else str(values.get("model"))
    crossed = ["--encoder", known.encoder, "--decoder", known.decoder] if known and known.encoder else []
    mirrored = values.get("lesion") == MIRRORED
    return _line(
        "import-maps",
        name,
        "MAPS_OF_MIRRORED_IMAGES" if mirrored else "MAPS",
        *("--model", model, "--task", values.get("task")),
        *crossed,
        *(["--truth"] if values.get("kind") == "truth" else []),
        *(["--log-density"] if values.get("values") == "log_density" else []),
        *(["--mirrored"] if mirrored else []),
    )


def _download_commands(rows: list[SettingsRow], models: dict[str, ModelRow]) -> list[str]:
    """Return a command for each model of the hub, at the revision that was used."""
    used = dict.fromkeys(_model_name(row.values, models) for row in rows)
    return [_line("download", model) for model in used if "@" in model]


def _extract_commands(name: str, rows: list[SettingsRow], models: dict[str, ModelRow]) -> Iterator[str]:
    """Yield one command for all runs that were made alike, behind those that give the tasks their prompts."""
    grouped: dict[tuple[str, ...], list[SettingsRow]] = {}
    prompts: dict[tuple[tuple[str, ...], str], str] = {}
    for row in rows:
        options = tuple(_extract_options(row.values))
        task, prompt = str(row.values.get("task")), str(row.values.get("prompt", ""))
        if prompts.setdefault((options, task), prompt) != prompt:
            options = (*options, prompt)  # runs under another text of the task come in a command of their own
        grouped.setdefault(options, []).append(row)
    texts: dict[str, str] = {}
    for own in grouped.values():
        for row in own:
            task, prompt = str(row.values.get("task")), str(row.values.get("prompt", ""))
            if prompt and prompt != texts.get(task, DEFAULT_PROMPTS.get(task, OTHER_PROMPT)):
                texts[task] = prompt
                yield _line("prompt", name, task, "--text", prompt)
        yield _line(
            "extract",
            name,
            *_repeated("--model", dict.fromkeys(_model_name(row.values, models) for row in own)),
            *_repeated("--task", dict.fromkeys(str(row.values.get("task")) for row in own)),
            *_extract_options(own[0].values),
        )


def _extract_options(values: Json) -> Iterator[str]:
    """Yield the options of a run other than its model and its task."""
    decoding = values.get("decoding", {})
    given = Decoding()
    yield from _unless("--method", values.get("method"), "")
    yield from _unless("--words", values.get("words"), "content")
    yield from _unless("--keep", values.get("keep"), "")
    yield from _unless("--max-tokens", decoding.get("max_tokens"), given.max_tokens)
    yield from _unless("--temperature", decoding.get("temperature"), given.temperature)
    yield from _unless("--top-p", decoding.get("top_p"), given.top_p)
    yield from _unless("--seed", decoding.get("seed"), given.seed)
    yield from _unless("--dtype", values.get("dtype"), "auto")
    if values.get("four_bit"):
        yield "--four-bit"
    if values.get("lesion") == MIRRORED:
        yield "--mirrored"


def _model_name(values: Json, models: dict[str, ModelRow]) -> str:
    """Return what a command calls a model: on the hub with its revision; a folder or script without where it lies."""
    known = models.get(str(values.get("model")))
    if known is None or known.kind not in ("vlm", "runner"):
        return str(values.get("model"))
    name = without_folder(known.checkpoint)
    if name != known.checkpoint:
        return name
    return f"{name}@{values.get('revision')}" if values.get("revision") else name


def _score_command(name: str, row: SettingsRow) -> str:
    values = row.values
    conventions = PRESETS.get(str(values.get("preset")))
    metrics = values.get("metrics", [])
    own = conventions is None or tuple(metrics) != conventions.metrics
    first = conventions.metrics[0] if conventions is not None else ""
    given = first if first in metrics else next(iter(metrics), "")
    return _line(
        "score",
        name,
        *_unless("--preset", values.get("preset"), "tuebingen"),
        *_repeated("--metric", metrics if own else []),
        *_unless("--sigma", sigma_text(values).replace(" ", ""), ""),
        *_unless("--px-per-deg", values.get("px_per_deg"), None),
        *_unless("--primary", values.get("primary"), given),
        *_unless("--transform", values.get("transform"), "none"),
    )


def _scanpaths_command(name: str, row: SettingsRow) -> str:
    measures = tuple(row.values.get("measures", ()))
    return _line("scanpaths", name, *_repeated("--measure", measures if measures != DEFAULT else ()))


def _lesion_commands(
    project: Project, name: str, rows: list[SettingsRow], models: dict[str, ModelRow]
) -> Iterator[str]:
    """Yield one command for all lesions that were made alike, behind those that bring masks and objects in."""
    by_settings: dict[int, list[LesionKey]] = {}
    for one in project.lesions.all():
        by_settings.setdefault(one.settings_id, []).append(one.key)
    used = {key.mask for keys in by_settings.values() for key in keys}
    if used & {mask.name for mask in project.masks.library()}:
        yield _line("import-masks", name, "masks")
    if by_settings and project.objects.n_images():
        yield _line("import-objects", name, "objects.csv")
    grouped: dict[tuple[str, ...], list[SettingsRow]] = {}
    for row in rows:
        if row.id in by_settings:
            options = (*_cut_options(by_settings[row.id], row.values), *_extract_options(row.values))
            grouped.setdefault(options, []).append(row)
    for options, own in grouped.items():
        yield _line(
            "lesion",
            name,
            *_repeated("--model", dict.fromkeys(_model_name(row.values, models) for row in own)),
            *_repeated("--task", dict.fromkeys(str(row.values.get("task")) for row in own)),
            *options,
        )


def _shared(values: Json) -> Json:
    """Return the settings of a lesion that are given as those of an intact run are."""
    found: Json = {name: values[name] for name in ("method", "words", "dtype", "four_bit") if name in values}
    return {**found, "decoding": {"max_tokens": values.get("decoding", {}).get("max_tokens")}}


def _cut_options(keys: Sequence[LesionKey], values: Json) -> Iterator[str]:
    """Yield the options that say what was taken away, and what it was held against."""
    made = [key for key in keys if key.control != NO_LESION]
    yield from _repeated("--mask", sorted({key.mask for key in made}))
    yield from _repeated("--scope", sorted({key.scope for key in keys}))
    yield from _repeated(
        "--strength", (f"{strength:g}" for strength in sorted({key.strength for key in made}))
    )
    yield from _repeated("--control", sorted({key.control for key in keys} - {""}) or ["off"])
    yield from _unless("--draws", max((key.draw for key in keys), default=0) + 1, 1)
    yield from _unless("--seed", values.get("seed"), 0)


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


def sigma_text(values: Json) -> str:
    """Return the Gaussian's standard deviation of settings as text, such as ``24 px``; empty when not given."""
    value = values.get("sigma")
    return f"{float(value):g} {values.get('sigma_unit') or 'px'}" if value else ""
