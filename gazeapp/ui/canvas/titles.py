"""The wording over and under the panes."""

from __future__ import annotations

import numpy as np

from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.gaze import chosen_fixations
from gazeapp.ui.canvas.title import Title
from gazeapp.ui.colours import REFERENCE, source_colour
from gazeapp.ui.scene import Catalogue, ImageEntry, ModelView, SceneView, ScoreKey

_METRICS = {"sauc": "shuffled AUC"}


def metric_name(metric: str) -> str:
    """Return the name of a metric as it is shown, such as ``NSS``."""
    return _METRICS.get(metric, metric.upper())


def number(value: float) -> str:
    """Return a value with two decimals and a minus sign of its own."""
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def people_title(scene: SceneView, entry: ImageEntry | None, key: ScoreKey) -> Title:
    """Return the title over people's pane; its number is how well people predict each other."""
    count = len(scene.people.subjects)
    ceiling = entry.ceilings.get(key) if entry else None
    metric = metric_name(key[2])
    right = () if ceiling is None else (f"{metric} {number(ceiling)}", number(ceiling))
    tip = "Where people looked: the smoothed density of their fixations."
    if ceiling is not None:
        tip += f" How well people predict each other on this image: {metric} {number(ceiling)}."
    if scene.simulated:
        tip += " The recordings are simulated."
    return Title(
        name="people",
        colour=source_colour(0).name(),
        notes=(f"{count} observer{'s' if count > 1 else ''}",) if count else (),
        right=right,
        badge="simulated" if scene.simulated else "",
        tip=tip,
    )


def model_title(
    model: ModelView,
    catalogue: Catalogue,
    entry: ImageEntry | None,
    key: ScoreKey,
    word: int,
    difference: bool,
) -> Title:
    """Return the title over a model's pane: its share of the ceiling, its score here, and the word shown."""
    metric = metric_name(key[2])
    share = catalogue.share(key, model.id)
    score = (entry.scores.get(key) or {}).get(model.id) if entry else None
    notes: tuple[str, ...] = ()
    tips = [model.name]
    if share is not None:
        notes = (f"{share.percent:.0f} % of ceiling", f"{share.percent:.0f} %")
        known = share.low is not None and share.high is not None
        interval = f" ({share.low:.0f} to {share.high:.0f})" if known else ""
        tips.append(f"{share.percent:.0f} %{interval} of the human ceiling over the study, {metric}")
    if difference:
        notes = ("minus people", "− people")
    if word != MEAN_MAP:
        said = model.words[word].text
        notes = (f"word: {said}", said)
        if difference:
            notes = (f"word: {said}, minus people", *notes)
    if score is not None:
        tips.append(f"{metric} {number(score)} on this image")
    if model.outside_training:
        tips.append("photographs are outside what this model was trained on")
    return Title(
        name=model.name,
        colour=(REFERENCE if model.truth else source_colour(model.index + 1)).name(),
        notes=notes,
        right=() if score is None else (f"{metric} {number(score)}", number(score)),
        badge="outside training" if model.outside_training else "",
        tip="; ".join(tips) + ".",
    )


def gaze_line(scene: SceneView, subject: str) -> str:
    """Return the sentence under people's pane: whose fixations, how many, how long."""
    fixations = scene.people.fixations
    if fixations is None:
        return ""
    chosen = chosen_fixations(fixations, subject)
    durations = fixations.duration_ms[chosen]
    known = durations[np.isfinite(durations)]
    observers = len(scene.people.subjects)
    everyone = f"{observers} observer{'s' if observers != 1 else ''}"
    who = subject if subject in scene.people.subjects else everyone
    parts = [who, f"{len(chosen)} fixation{'s' if len(chosen) != 1 else ''}"]
    if len(known):
        parts.append(f"mean\N{NO-BREAK SPACE}{known.mean():.0f}\N{NO-BREAK SPACE}ms")
    return ", ".join(parts)
