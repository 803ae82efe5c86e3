"""Results made up by hand, of every analysis: numbers that a test can look for."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.project import FindingRow, ModelRow, SummaryRow
from gazeapp.engine.reports.results.data import ImageValues, Results
from gazeapp.engine.reports.results.read import sources
from gazeapp.engine.scoring.findings import Finding

TASKS = ("general", "social")
MODELS = (
    ("cnn-lstm", "CNN-LSTM", "cnn", "lstm"),
    ("cnn-transformer", "CNN-Transformer", "cnn", "transformer"),
    ("vit-lstm", "ViT-LSTM", "vit", "lstm"),
    ("vit-transformer", "ViT-Transformer", "vit", "transformer"),
)
N_IMAGES = 30
N_SUBJECTS = 12
SETTINGS_ID = 5


def model_rows():
    """Return the rows of the models."""
    return [
        ModelRow(id_, name, "captioner", encoder, decoder, "", "", "", {})
        for id_, name, encoder, decoder in MODELS
    ]


def summary_rows():
    """Return scores by NSS (with a ceiling), AUC (with a lower bound) and SIM (with a reference)."""
    rows = []
    for t, task in enumerate(TASKS):
        for k, (kind, source) in enumerate(_all()):
            for metric, top, estimator, chance in (
                ("nss", 2.0, "loso_extrapolated", 0.0),
                ("auc", 0.9, "loso_mixture", 0.5),
                ("sim", 0.8, "half_vs_half", None),
            ):
                share = (0.0, 0.45, 0.4, 0.5, 0.62, 0.55, 0.8)[k] - 0.05 * t
                percent = None if chance is None else 100 * share
                mean = 0.3 + share / 2 if chance is None else chance + share * (top - chance)
                method = "raw" if kind == "model" else ""
                ends = (None, None) if percent is None else (percent - 6.0, percent + 7.0)
                rows.append(
                    SummaryRow(
                        *(kind, source, task, method, "", metric, "tuebingen", N_IMAGES, N_SUBJECTS),
                        *(mean, top, estimator, chance, percent, *ends, SETTINGS_ID),
                        "" if percent is None else "images and people",
                    )
                )
    return rows


def findings():
    """Return findings of every analysis."""
    found = []
    for t, task in enumerate(TASKS):
        found += _differences(task, t)
        found += _factorial(task, t)
        found += _concentration(task)
        found += _laterality(task)
        found += _scanpaths(task)
        found += [
            _one("observers", task, metric, str(n), 1.4 * n / (n + 1.5), spread=0.1)
            for metric in ("nss", "auc")
            for n in (1, 2, 4, 8, 11)
        ]
    ids = [id_ for id_, *_ in MODELS]
    for k, term in enumerate([*ids, f"{ids[0]} - {ids[1]}", f"{ids[0]} - {ids[2]}"]):
        size = 0.1 * k - 0.1
        found.append(_one("model_task", "", "nss", term, size, against="general - social", p=0.03))
        found.append(
            _one("model_task", "", "nss", term, size * 50, unit="%", spread=2.5, against="general - social")
        )
    return found + _between_tasks()


def results(*, simulated=False, with_images=True):
    """Return results of every analysis."""
    summary = tuple(summary_rows())
    known = {(row.source_kind, row.source, row.method) for row in summary}
    return Results(
        preset="tuebingen",
        simulated=simulated,
        tasks=TASKS,
        primary="nss",
        sources=sources(known, model_rows()),
        summary=summary,
        findings=tuple(FindingRow(one, "tuebingen", SETTINGS_ID) for one in findings()),
        scores=_scores(summary) if with_images else ImageValues(),
        measures=_measures() if with_images else ImageValues(),
        settings={SETTINGS_ID: "score settings 0123456789"},
    )


def _all():
    models = [("model", id_) for id_, *_ in MODELS]
    return [("baseline", "uniform"), *models, ("baseline", "centre_bias"), ("human", "loso")]


def _one(analysis, task, metric, term, estimate, *, spread=0.05, **rest):
    return Finding(
        analysis=analysis,
        task=task,
        metric=metric,
        term=term,
        estimate=estimate,
        low=estimate - spread,
        high=estimate + spread,
        n_images=N_IMAGES,
        n_subjects=N_SUBJECTS,
        **rest,
    )


def _differences(task, t):
    found = []
    for i, (first, *_) in enumerate(MODELS):
        for j, (second, *_) in list(enumerate(MODELS))[i + 1 :]:
            size = 0.2 * (i - j) + 0.1 * t
            about = {"against": second, "kind": "model"}
            found.append(
                _one("difference", task, "nss", first, size, p=0.004, p_holm=0.024, effect=size * 2, **about)
            )
            found.append(
                _one("difference", task, "nss", first, size * 50, spread=2.5, unit="%", p=0.004, **about)
            )
    return found


def _factorial(task, t):
    found = [_one("factorial", task, "nss", "design", float("nan"), note="2 of 32 images are left out.")]
    for unit, scale in (("", 1.0), ("%", 50.0)):
        for k, (_, _, encoder, decoder) in enumerate(MODELS):
            mean = (0.8, 0.9, 0.7, 1.3)[k] + 0.1 * t
            found.append(
                _one(
                    *("factorial", task, "nss", "cell", mean * scale),
                    against=f"{encoder} : {decoder}",
                    unit=unit,
                    spread=0.08 * scale,
                )
            )
        for term, against, size in (
            ("encoder", "vit - cnn", 0.15),
            ("decoder", "transformer - lstm", 0.35),
            ("encoder:decoder", "vit - cnn : transformer - lstm", 0.5),
        ):
            test = {} if unit else {"p": 0.01, "p_holm": 0.03, "effect": size}
            found.append(
                _one(
                    *("factorial", task, "nss", term, size * scale),
                    against=against,
                    unit=unit,
                    spread=0.1 * scale,
                    **test,
                )
            )
    return found


def _concentration(task):
    found = []
    for m, metric in enumerate(("entropy", "effective_area", "gini", "top_10")):
        found.append(_one("concentration", task, metric, "people", 0.5 + 0.05 * m, kind="human"))
        for k, (model, *_) in enumerate(MODELS):
            about = {"kind": "model"}
            raw = 0.9 - 0.05 * k - 0.02 * m
            found.append(_one("concentration", task, metric, model, raw, **about))
            found.append(_one("concentration", task, f"{metric}_matched", model, raw - 0.2, **about))
            found.append(
                _one(
                    *("concentration", task, f"{metric}_matched", model, raw - 0.7 - 0.05 * m),
                    against="people",
                    p=0.0002,
                    p_holm=0.0008,
                    **about,
                )
            )
    return found


def _laterality(task):
    found = []
    for metric in ("laterality", "mean_x"):
        found.append(_one("laterality", task, metric, "people", -0.08, kind="human", p=0.01, p_holm=0.05))
        for k, (model, *_) in enumerate(MODELS):
            found.append(
                _one("laterality", task, metric, model, 0.05 * k - 0.05, kind="model", p=0.4, p_holm=0.9)
            )
            found.append(
                _one(
                    *("laterality", task, metric, model, 0.05 * k + 0.03),
                    kind="model",
                    against="people",
                    p=0.4,
                    p_holm=0.9,
                )
            )
    return found


def _scanpaths(task):
    found = []
    for metric, same, other, unit in (
        ("scanmatch", 0.42, 0.31, ""),
        ("string_edit", 0.28, 0.2, ""),
        ("dtw", 11.0, 16.0, "% of the diagonal"),
    ):
        about = {"unit": unit, "spread": 0.02 * same}
        found.append(_one("scanpath", task, metric, "people", same, kind="human", **about))
        found.append(_one("scanpath", task, metric, "other_images", other, kind="baseline", **about))
        found.append(
            _one(
                *("scanpath", task, metric, "people", same - other),
                against="other_images",
                kind="human",
                p=0.0001,
                p_holm=0.0003,
                effect=1.4,
                **about,
            )
        )
    return found


def _between_tasks():
    first, second = TASKS
    found = []
    for k, (source, kind) in enumerate([("people", "human"), *((one[0], "model") for one in MODELS)]):
        about = {"against": second, "kind": kind}
        found.append(_one("differentiation", first, "task_d", source, 0.5 - 0.06 * k, **about))
        if kind == "human":
            found.append(_one("differentiation", first, "task_d_corrected", source, 0.22, **about))
        else:
            found.append(
                _one("differentiation", first, "d_with_people", source, 0.1 * k, p=0.02, p_holm=0.04, **about)
            )
        for of_map in TASKS:
            for of_fixations in TASKS:
                score = 1.5 - 0.1 * k + (0.3 if of_map == of_fixations else 0.0)
                found.append(
                    _one("cross_task", of_fixations, "nss", source, score, against=of_map, kind=kind)
                )
        found.append(_one("cross_task", first, "specificity", source, 0.3, p=0.001, p_holm=0.005, **about))
    return found


def _scores(summary):
    rng = np.random.default_rng(3)
    columns = {
        (row.task, row.metric, row.source_kind, row.source, row.method): row.mean
        + 0.2 * rng.standard_normal(N_IMAGES)
        for row in summary
        if row.source_kind != "human"
    }
    return ImageValues(_ids(), _names(), columns)


def _measures():
    rng = np.random.default_rng(4)
    people = rng.uniform(0.1, 0.9, N_IMAGES)
    first, second = TASKS
    columns = {(first, "task_d", second, "human", "people", ""): people}
    for k, (model, *_) in enumerate(MODELS):
        noise = rng.uniform(0, 0.5, N_IMAGES)
        columns[first, "task_d", second, "model", model, "raw"] = (0.2 + 0.1 * k) * people + noise
    return ImageValues(_ids(), _names(), columns)


def _ids():
    return tuple(range(101, 101 + N_IMAGES))


def _names():
    return tuple(f"scene-{k:03d}.png" for k in range(N_IMAGES))
