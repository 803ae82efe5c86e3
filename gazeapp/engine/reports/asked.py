"""What models that write tokens were asked, how they chose them, and how much of their attention the image had."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from gazeapp.engine.models.given import is_given
from gazeapp.engine.project import Project, RunRow
from gazeapp.engine.project.prompts import prompt_versions
from gazeapp.engine.reports.content import AskedRow, ModelData
from gazeapp.engine.reports.model_facts import method_name
from gazeapp.engine.reports.numbers import count, listed, number
from gazeapp.engine.reports.plain import whole
from gazeapp.engine.scoring.sources import GIVEN_CAPTIONS
from gazeapp.engine.types import Json

CAPTIONER = "captioner"
"""Kind of the models that need no prompt and write words of a small vocabulary."""


@dataclass
class _Group:
    """Runs of one model under one task that were asked and decoded alike."""

    model: ModelData
    run: RunRow
    prompt: str
    decoding: Json
    facts: list[Json] = field(default_factory=list)
    masses: list[float] = field(default_factory=list)


def asked_rows(project: Project, models: tuple[ModelData, ...]) -> tuple[AskedRow, ...]:
    """Return one row for each model, task, prompt, way of decoding and map method; none for models that read no prompt.

    Runs on the images as they are count, without lesion.
    """
    groups: dict[tuple[str, ...], _Group] = {}
    settings = cache(lambda settings_id: project.settings.get(settings_id).values)
    for model in models:
        for run in project.runs.all(model=model.id):
            facts = project.runs.facts(run.id)
            if "token_words" not in facts:
                continue
            decoding = settings(run.settings_id).get("decoding", {})
            prompt = str(facts.get("prompt", ""))
            key = (model.id, run.task, prompt, json.dumps(decoding, sort_keys=True), run.method)
            group = groups.setdefault(key, _Group(model, run, prompt, decoding))
            group.facts.append(facts)
            mass = project.runs.image_mass(run.id)
            if mass.size:
                group.masses.append(float(mass.mean(dtype="float64")))
    return tuple(_row(project, group) for group in groups.values())


def left_behind(project: Project, names: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each model that described some images of a task only under earlier settings.

    ``names`` are the models' names by their ids.
    """
    for model, task, method, n in project.runs.left_behind():
        yield f"{task}: {left_behind_sentence(names.get(model, model), method, n)[0]}"


def left_behind_sentence(model: str, method: str, n: int) -> tuple[str, str]:
    """Return what is said of images that a model described under earlier settings only, and what to do."""
    return (
        f"{count(n, 'image')} of {model} ({method}): there are maps under earlier settings only, such as another "
        "prompt. They are left out, because a mean over both would mix conditions.",
        "Run the model again under its newest settings: what is missing is made.",
    )


def shrunk_images(rows: tuple[AskedRow, ...]) -> Iterator[str]:
    """Yield a sentence for each model that described images smaller than they are, because memory was short."""
    for row in rows:
        if row.n_smaller:
            yield (
                f"{row.model} described {row.n_smaller:,} of {count(row.n_images, 'image')} of the task {row.task} "
                "smaller than they are, because memory was short: their maps are coarser than the others."
            )


def _row(project: Project, group: _Group) -> AskedRow:
    facts, masses = group.facts, group.masses
    tokens = [len(one["tokens"]) for one in facts]
    return AskedRow(
        model=group.model.name,
        colour=group.model.colour,
        task=group.run.task,
        prompt=group.prompt,
        version=_version(project, group.run.task, group.prompt),
        decoding=GIVEN_CAPTIONS if is_given(group.run.method) else decoding_in_words(group.decoding),
        method=method_name(group.run.method),
        n_images=len(facts),
        tokens=_range(tokens),
        n_cut=sum(one.get("ended") is False for one in facts),
        image_tokens=_range([n for one in facts if (n := whole(one.get("n_image_tokens"))) is not None]),
        n_smaller=sum(float(one.get("image_scale", 1.0)) < 1.0 for one in facts),
        computed=listed(sorted({_computed(one) for one in facts} - {""})),
        mass=sum(masses) / len(masses) if masses else None,
        mass_low=min(masses, default=None),
        mass_high=max(masses, default=None),
    )


def _version(project: Project, task: str, text: str) -> str:
    """Return which of a task's texts a prompt is, in words; empty where it is none of them or no prompt was read."""
    found = next((p for p in prompt_versions(project, task) if p.text == text), None)
    if found is None:
        return ""
    return f"version {found.version}"


def how_chosen(values: Json, kind: str) -> str:
    """Return how the words of a run were chosen; empty where nothing is known.

    Parameters
    ----------
    values
        Settings of the run.
    kind
        Kind of the model, such as ``captioner``.
    """
    decoding = values.get("decoding", {})
    if "given" in values:
        return GIVEN_CAPTIONS
    if kind != CAPTIONER:
        return decoding_in_words(decoding)
    if decoding.get("beams", 1) == 1:
        return "greedy"
    return f"{decoding['beams']} beams" + (", length-normalised" if decoding.get("length_normalised") else "")


def decoding_in_words(decoding: Mapping[str, object]) -> str:
    """Return how words were chosen, from the settings of a run; empty where nothing is known."""
    if not decoding:
        return ""
    at_most = f"at most {count(int(str(decoding.get('max_tokens', 0))), 'token')}"
    temperature = float(str(decoding.get("temperature", 0.0)))
    if temperature == 0:
        return f"the most probable token each time, {at_most}"
    share = float(str(decoding.get("top_p", 1.0)))
    of = f" of the most probable {100 * share:g} %" if share < 1 else ""
    return f"drawn{of} at temperature {temperature:g}, seed {decoding.get('seed', 0)}, {at_most}"


def _computed(facts: Json) -> str:
    return " on ".join(str(facts[name]) for name in ("dtype", "device") if facts.get(name))


def _range(values: list[int]) -> str:
    """Return whole numbers as their mean, with least and most where they differ."""
    if not values:
        return "–"
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{number(sum(values) / len(values), 1)} ({low:,} to {high:,})"
