"""The command lines that bring brain responses in and predict them again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from gazeapp.engine.neural.controls import CONTROLS
from gazeapp.engine.neural.features import GRID
from gazeapp.engine.neural.records import DIFFERENCE, PARTITION, REGION_TABLE, RSA
from gazeapp.engine.neural.regions.built_in import BUILT_IN
from gazeapp.engine.project import EncodingUnit, Project
from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.scoring.sources import HUMAN, MODEL, TRUTH
from gazeapp.engine.types import Json

_SEPARATE = ", left and right"


def neural_settings(project: Project) -> set[int]:
    """Return the ids of the settings behind responses and what was found of them."""
    ids = {row.settings_id for row in project.responses.all()}
    for row in project.responses.all():
        for atlas in project.encodings.atlases(row.name):
            ids |= {id_ for _, _, id_ in project.encodings.made_of(row.name, atlas).values()}
    return ids


def neural_commands(project: Project, name: str) -> Iterator[str]:
    """Yield the commands about brain responses; files are named without their folders."""
    sets = project.responses.all()
    for row in sets:
        yield _responses_command(project, name, row)
    used = {atlas.removesuffix(_SEPARATE) for row in sets for atlas in project.encodings.atlases(row.name)}
    for own in project.atlases.all():
        if own.name not in used:
            continue
        if own.name in BUILT_IN:
            for group, members in own.groups.items():
                yield _line("group-regions", name, own.name, group, *members)
        else:
            yield _line("import-regions", name, f"{own.name}.regions.json")
    for row in sets:
        for atlas in reversed(project.encodings.atlases(row.name)):
            yield from _neural_commands(project, name, row, atlas)


def _responses_command(project: Project, name: str, row: ResponsesRow) -> str:
    values = project.settings.get(row.settings_id).values
    if "clip_seconds" in values:
        return _line("predict-responses", name, *_clip_options(values), "--name", row.name)
    window = values.get("window")
    ends = [] if not window else [_window(window[:2])]
    return _line(
        "import-responses",
        name,
        values.get("file", row.name),
        "--simulated" if row.simulated else "--measured",
        *("--name", row.name),
        *_given("--images-list", values.get("images_list")),
        *(("--rows" if window and window[2] == "rows" else "--window", *ends) if ends else ()),
        *_given("--tr", values.get("tr_s")),
        *_given("--subject", values.get("subject")),
        *_given("--hemisphere", values.get("hemisphere")),
        *(["--repeats"] if values.get("middle") == "repeats" else []),
    )


def _clip_options(values: Json) -> Iterator[str]:
    yield from _given("--runner", values.get("runner"))
    yield from _given("--clip-seconds", values.get("clip_seconds"))
    yield from _given("--fps", values.get("fps"))
    first, last = (*(values.get("window") or ()), None, None)[:2]
    yield from _given("--from", first)
    yield from _given("--to", last)
    if values.get("whole_picture"):
        yield "--whole-picture"


def _neural_commands(project: Project, name: str, row: ResponsesRow, atlas: str) -> Iterator[str]:
    """Yield one command for all units of one atlas with the same settings."""
    by_settings: dict[int, list[EncodingUnit]] = {}
    for unit, (_, _, id_) in project.encodings.made_of(row.name, atlas).items():
        by_settings.setdefault(id_, []).append(unit)
    models = [model.id for model in project.runs.models() if model.kind != TRUTH]
    for id_ in sorted(by_settings):
        units, values = by_settings[id_], project.settings.get(id_).values
        yield _line(
            "neural",
            name,
            *("--responses", row.name),
            *(() if row.space == REGION_TABLE else _atlas_options(atlas)),
            *_repeated("--task", _some([unit.task for unit in units], project.tasks.all())),
            *_repeated("--model", _some([unit.source for unit in units if unit.kind == MODEL], models)),
            *_control_options(units),
            *(["--each-subject"] if any(unit.subject for unit in units) else []),
            *_left_out(project, row, units),
            *_unless("--grid", values.get("grid"), GRID),
            *_unless("--folds", values.get("n_folds"), 5),
            *_unless("--inner-folds", values.get("n_inner"), 5),
            *_unless("--permutations", values.get("n_permutations"), 1000),
            *_unless("--resamples", values.get("n_bootstrap"), 1000),
            *_unless("--seed", values.get("seed"), 0),
        )


def _atlas_options(atlas: str) -> Iterator[str]:
    yield from ("--atlas", atlas.removesuffix(_SEPARATE))
    if atlas.endswith(_SEPARATE):
        yield from ("--hemispheres", "separate")


def _control_options(units: Sequence[EncodingUnit]) -> Iterator[str]:
    offered = [control for control in CONTROLS if control != "people"]
    used = {unit.source for unit in units if unit.kind not in (MODEL, HUMAN, TRUTH)}
    if not used:
        yield from ("--control", "off")
    elif used != set(offered):
        yield from _repeated("--control", [control for control in offered if control in used])


def _left_out(project: Project, row: ResponsesRow, units: Sequence[EncodingUnit]) -> Iterator[str]:
    """Yield the options that leave analyses out; what one model alone cannot have was not left out."""
    analyses = {unit.analysis for unit in units}
    if row.space != REGION_TABLE:
        own = {(unit.subject, unit.task, unit.kind, unit.source) for unit in units if unit.kind != "control"}
        stored = any(project.encodings.vertex_map(row.name, *one) is not None for one in own)
        if own and not stored:
            yield "--no-vertices"
        if RSA not in analyses:
            yield "--no-rsa"
    if PARTITION not in analyses and DIFFERENCE in analyses:
        yield "--no-partitions"


def _some(used: Iterable[str], every: Sequence[str]) -> list[str]:
    """Return what was used in its order; nothing where that is all there is."""
    kept = set(used)
    return [] if kept >= set(every) else [one for one in every if one in kept]


def _window(ends: Sequence[float | None]) -> str:
    return ":".join("" if end is None else f"{end:g}" for end in ends)


def _line(*words: object) -> str:
    return shlex.join(["gazeapp", *(str(word) for word in words)])


def _given(option: str, value: object) -> list[str]:
    return [] if value in (None, "") else [option, f"{value:g}" if isinstance(value, float) else str(value)]


def _unless(option: str, value: object, default: object) -> list[str]:
    return [] if value == default else _given(option, value)


def _repeated(option: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)
