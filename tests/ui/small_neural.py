"""Findings about brain responses with known numbers, in a small project."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gazeapp.engine.neural.records import (
    DIFFERENCE,
    ENCODING,
    FSAVERAGE5,
    N_VERTICES,
    PARTITION,
    REGION_TABLE,
    RSA,
    NeuralFinding,
    Responses,
)
from gazeapp.engine.project import EncodingRow, EncodingUnit, Project
from tests.ui.small_study import MODELS, Study, build

RESPONSES, ATLAS = "simulated, 2 regions", "desikan"
SOURCES = (
    ("human", "people"),
    *(("model", model) for model, _ in MODELS),
    ("control", "luminance"),
    ("control", "contrast"),
    ("control", "centre"),
    ("control", "other_image"),
)
STRENGTH = {
    "people": 0.20,
    "cnn-lstm": 0.24,
    "cnn-transformer": 0.36,
    "vit-lstm": 0.18,
    "vit-transformer": 0.28,
    "luminance": 0.10,
    "contrast": 0.16,
    "centre": 0.05,
    "other_image": -0.03,
}
"""Correlation of each source in the first region; it falls over the regions to none in the last."""
CEILING = 0.6
HALF_WIDTH = 0.08
GROUPS = ("early visual", "ventral")


def planted(source: str, place: int, n: int) -> float:
    """The correlation that was planted for a source in the region at a place of n."""
    return STRENGTH[source] * (1 - place / max(n - 1, 1))


def finding(task, kind, source, region, measure, estimate, *, half=HALF_WIDTH, ceiling=CEILING, **more):
    """A finding that is clear where the interval leaves out 0."""
    p = 0.001 if abs(estimate) > half else 0.4
    return NeuralFinding(
        more.pop("analysis", ENCODING),
        task,
        kind,
        source,
        region,
        measure,
        estimate,
        estimate - half,
        estimate + half,
        p=p,
        p_fdr=min(1.0, 2 * p),
        p_max=min(1.0, 60 * p),
        ceiling=ceiling,
        n_images=more.pop("n_images", 12),
        n_vertices=more.pop("n_vertices", 200),
        **more,
    )


def findings(regions, task="general", sources=SOURCES, groups=GROUPS, subject=""):
    """Every analysis of every region: what the panel can show."""
    found = []
    names = [(name, False) for name in regions] + [(name, True) for name in groups]
    n = len(regions)
    for kind, source in sources:
        for place, (name, group) in enumerate(names):
            r = planted(source, place if not group else 0, n)
            about = {"group": group, "subject": subject}
            found.append(finding(task, kind, source, name, "r", r, **about))
            found.append(
                finding(task, kind, source, name, "r2", r * abs(r), half=0.05, ceiling=CEILING**2, **about)
            )
            found.append(
                finding(
                    task,
                    kind,
                    source,
                    name,
                    "rho",
                    r / 2,
                    analysis=RSA,
                    half=0.04,
                    ceiling=float("nan"),
                    **about,
                )
            )
    models = [source for kind, source in sources if kind == "model"]
    for k, model in enumerate(models):
        for against in (*models[k + 1 :], "people"):
            for place, (name, group) in enumerate(names):
                at = place if not group else 0
                gap = planted(model, at, n) - planted(against, at, n)
                about = {"group": group, "subject": subject, "against": against}
                found.append(
                    finding(task, "model", model, name, "r", gap, analysis=DIFFERENCE, half=0.05, **about)
                )
        for against in (*models[k + 1 :], "people", "contrast"):
            for place, (name, group) in enumerate(names):
                at = place if not group else 0
                own, other = planted(model, at, n) ** 2, planted(against, at, n) ** 2
                joint = max(own, other) + 0.3 * min(own, other)
                parts = {
                    "unique": joint - other,
                    "unique_against": joint - own,
                    "shared": own + other - joint,
                    "joint": joint,
                }
                about = {"group": group, "subject": subject, "against": against, "analysis": PARTITION}
                found += [
                    finding(task, "model", model, name, part, value, half=0.01, **about)
                    for part, value in parts.items()
                ]
    return found


def build_neural(folder: Path, images: int) -> Study:
    """Build a small study of two people and two tasks, with responses and what was found of them."""
    made = build(folder, images=images, subjects=2, tasks=("general", "social"))
    with Project.open(made.path) as project:
        put_neural(project)
    return made


def put_neural(
    project: Project, *, tasks=("general",), regions=None, table=False, predicted=True
) -> list[str]:
    """Store responses and what was found of them; the response to image k is k, and people predict its half."""
    from gazeapp.engine.workflows.regions import atlas_for

    names = [image.name for image in project.images.all()]
    ids = tuple(image.id for image in project.images.all())
    atlas = atlas_for(project, ATLAS)
    regions = list(regions or dict.fromkeys(region.name for region in atlas.regions))
    n_targets = len(regions) if table else N_VERTICES
    values = np.repeat(np.arange(len(names), dtype=np.float32)[:, None], n_targets, axis=1)
    settings = project.settings.put("test", {"neural": 1})
    responses = project.responses.put(
        RESPONSES,
        Responses(
            values=values[None],
            images=tuple(names),
            subjects=("",),
            n_repeats=np.ones((1, len(names)), dtype=np.int64),
            space=REGION_TABLE if table else FSAVERAGE5,
            simulated=True,
            targets=tuple(regions) if table else (),
            ceiling_origin="correlation of two halves of the repeats",
            source="a generative model with planted strengths",
        ),
        settings,
    )
    if not predicted:
        return regions
    key = "table" if table else ATLAS
    groups = () if table else GROUPS
    for task in tasks:
        found = findings(regions, task, groups=groups)
        units: dict[EncodingUnit, list[NeuralFinding]] = {}
        for one in found:
            unit = EncodingUnit("", task, one.analysis, one.kind, one.source, one.against)
            units.setdefault(unit, []).append(one)
        for unit, own in units.items():
            project.encodings.replace_findings(responses, key, unit, own, settings, "inputs")
        for kind, source in SOURCES:
            put_encoding(project, responses, key, task, kind, source, regions, groups, ids, settings, table)
    return regions


def put_encoding(project, responses, key, task, kind, source, regions, groups, ids, settings, table):
    """Store the predictions of one source: half the response in the order of the images; for models upside down."""
    columns = (*regions, *(f"group:{name}" for name in groups))
    observed = np.repeat(np.arange(len(ids), dtype=np.float32)[:, None], len(columns), axis=1)
    vertices = None
    if not table and kind != "control":
        vertices = np.full(N_VERTICES, STRENGTH[source], dtype=np.float32)
    project.encodings.put(
        responses,
        EncodingRow(
            id=0,
            subject="",
            task=task,
            kind=kind,
            source=source,
            atlas=key,
            inputs_hash="inputs",
            regions=columns,
            images=ids,
            predictions=(-observed / 2 if kind == "model" else observed / 2).astype(np.float32),
            observed=observed,
            fold=np.arange(len(ids)) % 3,
            facts={},
            seconds=1.0,
            settings_id=settings,
        ),
        vertices,
    )
