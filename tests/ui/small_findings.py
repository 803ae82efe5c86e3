"""Findings of every analysis with planted numbers, so that what the window shows can be checked."""

from __future__ import annotations

from itertools import combinations

from gazeapp.engine.project import Project
from gazeapp.engine.scoring.findings import (
    CONCENTRATION,
    CROSS_TASK,
    DIFFERENCE,
    DIFFERENTIATION,
    FACTORIAL,
    LATERALITY,
    MODEL_TASK,
    NAN,
    OBSERVERS,
    SCANPATH,
    Finding,
)

DESIGN = {
    "cnn-lstm": ("cnn", "lstm"),
    "cnn-transformer": ("cnn", "transformer"),
    "vit-lstm": ("vit", "lstm"),
    "vit-transformer": ("vit", "transformer"),
}
N = {"n_images": 3, "n_subjects": 4}


def planted(tasks: tuple[str, ...], models: tuple[str, ...]) -> list[Finding]:
    """Return findings of every analysis; those between tasks only where there are two."""
    found: list[Finding] = []
    for task in tasks:
        found += _differences(task, models) + _factorial(task) + _concentration(task, models)
        found += _sides(task, models) + _observers(task) + _scanpaths(task)
    for first, second in combinations(tasks, 2):
        found += _between(first, second, models)
    return found


def put_findings(project: Project, preset: str = "tuebingen") -> list[Finding]:
    """Store them in a project and return them."""
    models = tuple(model.id for model in project.runs.models() if model.id in DESIGN)
    found = planted(tuple(project.tasks.all()), models)
    settings = project.settings.put("test findings", {"seed": 2})
    project.findings.put_findings({one.analysis for one in found}, preset, found, settings)
    return found


def _differences(task: str, models: tuple[str, ...]) -> list[Finding]:
    found = []
    for k, (first, second) in enumerate(combinations(models, 2)):
        value = 0.3 - 0.11 * k
        tested = {"p": 0.001 * (k + 1), "p_holm": 0.006 * (k + 1), "effect": 0.8 - 0.2 * k, "kind": "model"}
        found += [
            Finding(DIFFERENCE, task, metric, first, second, value, value - 0.1, value + 0.12, **tested, **N)
            for metric in ("nss", "cc")
        ]
    return found


def _factorial(task: str) -> list[Finding]:
    found = []
    for unit, scale in (("", 1.0), ("%", 60.0)):
        for k, (encoder, decoder) in enumerate(DESIGN.values()):
            value = scale * (0.6 + 0.2 * k)
            about = {"estimate": value, "low": 0.9 * value, "high": 1.1 * value, "unit": unit}
            found.append(Finding(FACTORIAL, task, "nss", "cell", f"{encoder} : {decoder}", **about, **N))
        for term, against, value in (
            ("encoder", "vit - cnn", 0.4),
            ("decoder", "transformer - lstm", 0.2),
            ("encoder:decoder", "vit - cnn : transformer - lstm", -0.05),
        ):
            about = {"estimate": scale * value, "low": scale * (value - 0.1), "high": scale * (value + 0.1)}
            tests = {"p": 0.01, "p_holm": 0.03, "effect": 0.5} if not unit else {}
            found.append(Finding(FACTORIAL, task, "nss", term, against, **about, unit=unit, **tests, **N))
    return found


def _sources(models: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("people", "human"), *((model, "model") for model in models)]


def _concentration(task: str, models: tuple[str, ...]) -> list[Finding]:
    found = []
    for place, metric in enumerate(("entropy", "effective_area", "gini", "top_10", "spread")):
        for k, (source, kind) in enumerate(_sources(models)):
            value = 0.5 + 0.05 * k + 0.02 * place
            ends = {"low": value - 0.03, "high": value + 0.04, "kind": kind, **N}
            found.append(Finding(CONCENTRATION, task, metric, source, "", value, **ends))
            if kind == "model":
                name = f"{metric}_matched"
                found.append(Finding(CONCENTRATION, task, name, source, "", value + 0.02, **ends))
                found.append(
                    Finding(
                        CONCENTRATION, task, name, source, "people", 0.1, 0.02, 0.18, p=0.01, kind=kind, **N
                    )
                )
    return found


def _sides(task: str, models: tuple[str, ...]) -> list[Finding]:
    return [
        Finding(LATERALITY, task, "laterality", source, "", v, v - 0.1, v + 0.1, p=0.2, kind=kind, **N)
        for k, (source, kind) in enumerate(_sources(models))
        if (v := -0.1 + 0.05 * k) is not None
    ]


def _observers(task: str) -> list[Finding]:
    return [
        Finding(OBSERVERS, task, metric, str(n), "", v, v - 0.1, v + 0.1, kind="human", **N)
        for metric, top in (("nss", 2.0), ("auc", 0.8))
        for n in (1, 2, 3)
        if (v := top * n / (n + 1))
    ]


def _scanpaths(task: str) -> list[Finding]:
    found = []
    for metric, value in (("scanmatch", 0.6), ("string_edit", 0.3)):
        for term, against, shift, kind in (
            ("people", "", 0.0, "human"),
            ("other_images", "", -0.2, "baseline"),
            ("people", "other_images", 0.2 - value, "human"),
        ):
            v = value + shift
            found.append(
                Finding(SCANPATH, task, metric, term, against, v, v - 0.05, v + 0.05, kind=kind, **N)
            )
    return found


def _between(first: str, second: str, models: tuple[str, ...]) -> list[Finding]:
    found = []
    for k, (source, kind) in enumerate(_sources(models)):
        v = 0.5 - 0.08 * k
        about = {"kind": kind, **N}
        found.append(Finding(DIFFERENTIATION, first, "task_d", source, second, v, v - 0.1, v + 0.1, **about))
        if kind == "human":
            v -= 0.1
            found.append(
                Finding(
                    DIFFERENTIATION,
                    first,
                    "task_d_corrected",
                    source,
                    second,
                    v,
                    v - 0.1,
                    v + 0.1,
                    p=0.01,
                    **about,
                )
            )
        for of_map in (first, second):
            for on in (first, second):
                v = 1.0 if of_map == on else 0.7
                found.append(Finding(CROSS_TASK, on, "nss", source, of_map, v, v - 0.1, v + 0.1, **about))
        found.append(
            Finding(CROSS_TASK, first, "specificity", source, second, 0.3, 0.1, 0.5, p=0.02, **about)
        )
        if kind == "model":
            found.append(
                Finding(MODEL_TASK, first, "nss", source, second, 0.2, -0.1, 0.4, p=0.2, effect=NAN, **about)
            )
    return found
