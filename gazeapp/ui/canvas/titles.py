"""The wording over and under the panes."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.reports.numbers import number, percent
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.gaze import chosen_fixations
from gazeapp.ui.canvas.title import Title
from gazeapp.ui.colours import source_colour
from gazeapp.ui.scene import Catalogue, ImageEntry, ModelView, SceneView, ScoreKey
from gazeapp.ui.study import PEOPLE

_MARKS = {"lesioned": "L", "intact": "I", "outside training": "!"}
"""What stands for a badge where there is no room for it."""
_METRICS = {"sauc": "shuffled AUC", "spearman": "Spearman's correlation"}


def metric_name(metric: str) -> str:
    """Return the name of a metric as it is shown, such as ``NSS``."""
    return _METRICS.get(metric, METRICS[metric].name if metric in METRICS else metric)


def people_title(scene: SceneView, entry: ImageEntry | None, key: ScoreKey, doing: str = "") -> Title:
    """Return the title over people's pane; its number is how well people predict each other.

    ``doing`` says what is done in the pane, such as moving a scanpath.
    """
    ceiling = entry.ceilings.get(key) if entry else None
    metric = metric_name(key[2])
    tip = "Where people looked: the smoothed density of their fixations."
    if ceiling is not None:
        tip += f" How well people predict each other on this image: {metric} {number(ceiling)}."
    if scene.simulated:
        tip += " The recordings are simulated."
    return Title(
        name="people",
        colour=source_colour(PEOPLE, ()).name(),
        here=_here(ceiling, metric),
        badge="simulated" if scene.simulated else "",
        tip=tip,
        doing=doing,
    )


def model_title(
    model: ModelView,
    catalogue: Catalogue,
    entry: ImageEntry | None,
    key: ScoreKey,
    word: int,
    difference: bool,
    change: bool = False,
    why_intact: str = "",
) -> Title:
    """Return the title over a model's pane: its share of the ceiling, its score here, and the word shown.

    The numbers are those of the mean map, so they give way to the word whose map is shown, and to what was taken away
    from a model under a lesion (``change``: whose map is shown minus the intact one). Where others are under a lesion
    and this model cannot be, ``why_intact`` says so. What is no model but the truth has no share of a ceiling that
    models are held against.
    """
    metric = metric_name(key[2])
    share = catalogue.share(key, model.id)
    score = (entry.scores.get(key) or {}).get(model.id) if entry else None
    tips = [model.name]
    if share is not None:
        known = share.low is not None and share.high is not None
        interval = f"95 % interval over images and people {number(share.low, 0)} to {number(share.high, 0)} %"
        reached = f"{percent(share.percent)} of the human ceiling over the study, {metric}, task {key[0]}"
        tips.append(f"{reached} ({interval})" if known else reached)
    # What a lesion changed is known of the mean map alone.
    saying = word != MEAN_MAP and not (change and model.lesion is not None)
    shown = [f"word: {model.words[word].text}"] if saying else []
    if difference:
        shown.append("minus people")
    if model.lesion is not None:
        # The numbers are those of the intact map.
        shown.append("lesioned − intact" if change else model.lesion.facts)
        tips.append(f"under a lesion: {model.lesion.facts}")
        score = None
    if why_intact:
        tips.append(f"intact, not under the lesion: {why_intact.rstrip('.')}")
    if score is not None:
        tips.append(f"the mean map has {metric} {number(score)} on this image")
    if model.outside_training:
        tips.append("photographs are outside what this model was trained on")
    badges = ["lesioned"] if model.lesion is not None else []
    badges += ["intact"] if why_intact else []
    badges += ["outside training"] if model.outside_training else []
    return Title(
        name=model.name,
        colour=model.colour,
        shown=", ".join(shown),
        share="" if share is None or model.truth or shown else f"{percent(share.percent)} of ceiling",
        here=("", "") if saying else _here(score, metric),
        badge=", ".join(badges),
        mark="".join(_MARKS[badge] for badge in badges) or "!",
        tip="; ".join(tips) + ".",
    )


def _here(value: float | None, metric: str) -> tuple[str, str]:
    """Return a long and a short wording of a number of this image alone."""
    if value is None:
        return ("", "")
    return (f"this image: {metric} {number(value)}", f"image {number(value)}")


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
    moved = [t for t in scene.people.trials if subject in ("", t.subject) and any(t.shift)]
    if len(moved) == 1 and subject:
        parts.append(f"moved by {offset_words(moved[0].shift)}")
    elif moved:
        parts.append(f"{len(moved)} scanpath{'s' if len(moved) != 1 else ''} moved")
    return ", ".join(parts)


def offset_words(shift: tuple[float, float]) -> str:
    """Return an offset as it is shown, in whole px: ``+12, −3 px``."""
    across, down = (f"{round(value):+d}".replace("-", "\N{MINUS SIGN}").replace("+0", "0") for value in shift)
    return f"{across}, {down}\N{NO-BREAK SPACE}px"
