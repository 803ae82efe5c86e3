"""Where the numbers came from: settings and versions, and what of them the methods text needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gazeapp.engine.project import Project, SettingsRow
from gazeapp.engine.project.gaze import CHOICES, GEOMETRY
from gazeapp.engine.project.listing import human_maps
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.project.settings import versions
from gazeapp.engine.reports.asked import CAPTIONER, how_chosen
from gazeapp.engine.reports.commands import sigma_text
from gazeapp.engine.reports.content import Methods, SettingsData
from gazeapp.engine.reports.model_facts import method_name
from gazeapp.engine.reports.neural.commands import neural_settings
from gazeapp.engine.reports.numbers import number
from gazeapp.engine.reports.plain import flat
from gazeapp.engine.reports.scores import current_summary, in_order, primary_metric
from gazeapp.engine.reports.vlm_facts import source_of
from gazeapp.engine.scoring.emd import CELLS
from gazeapp.engine.scoring.facts import CEILINGS
from gazeapp.engine.scoring.prepared import BORJI_DRAWS
from gazeapp.engine.scoring.presets import PRESETS, Preset
from gazeapp.engine.scoring.ranks import STEP
from gazeapp.engine.types import Json

_SHORT = 12


def used_settings(project: Project, preset: str) -> list[SettingsRow]:
    """Return the settings behind the recordings, maps and scores of a report, oldest first."""
    current = [project.settings.current(name) for name in (CHOICES, GEOMETRY)]
    ids = {row.id for row in current if row is not None}
    ids |= {recording.settings_id for recording in project.gaze.recordings()}
    ids |= {row.settings_id for row in human_maps(project)}
    ids |= {run.settings_id for lesion in ("", MIRRORED) for run in project.runs.all(lesion=lesion)}
    ids |= {row.settings_id for row in current_summary(project, preset)}
    ids |= {row.settings_id for row in project.findings.findings(preset=preset)}
    ids |= {row.settings_id for row in project.lesions.all()}
    ids |= neural_settings(project)
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
    captioners = {model.id for model in project.runs.models() if model.kind == CAPTIONER}
    return Methods(
        preset=preset,
        preset_name=facts.name if facts else preset,
        preset_source=facts.source if facts else "",
        conventions=tuple(_conventions(facts, {row.metric for row in summary})) if facts else (),
        primary=primary_metric(project, summary),
        metrics=tuple(in_order(row.metric for row in summary)),
        estimators=tuple(
            (estimator, tuple(in_order(row.metric for row in summary if row.estimator == estimator)))
            for estimator in CEILINGS
            if any(row.estimator == estimator for row in summary)
        ),
        sigma=_sigma(score, by_verb.get("human map", [])),
        words=words.pop() if len(words) == 1 else "",
        map_methods=tuple(
            sorted({method_name(str(values.get("method", ""))) for values in by_verb.get("extract", [])})
        ),
        decoding=tuple(
            dict.fromkeys(
                how_chosen(values, CAPTIONER)
                for values in by_verb.get("extract", [])
                if values.get("model") in captioners
            )
        ),
        architectures=tuple(
            (model.name, source_of(model.facts)) for model in project.runs.models() if source_of(model.facts)
        ),
        score_settings=score,
        n_reduced=_reduced(project, score),
    )


def _reduced(project: Project, score: Json) -> int:
    """Return how many images with fixations are larger than what is scored."""
    longest = score.get("max_side_px")
    looked_at = {image_id for (image_id, _), n in project.gaze.counts().items() if n}
    sides = [max(image.width, image.height) for image in project.images.all() if image.id in looked_at]
    return sum(side > longest for side in sides) if longest else 0


def _conventions(preset: Preset, metrics: set[str]) -> Iterator[str]:
    """Yield what a preset decides for the metrics where the literature disagrees, as parts of a sentence."""
    if metrics & {"nss", "auc", "auc_judd", "auc_borji", "sauc"}:
        yield (
            "a pixel that was fixated several times counts once"
            if preset.deduplicate
            else "every fixation counts, also several on one pixel"
        )
    if "nss" in metrics:
        yield f"the standard deviation in NSS is over {'N − 1' if preset.ddof else 'N'} pixels"
    if "auc" in metrics and preset.auc == "judd":
        yield "AUC has its thresholds at the fixated values and the pixels without fixations as negatives (Judd)"
    elif "auc" in metrics:
        yield "AUC compares fixated values with all pixels, ties counting half (Mann–Whitney)"
    if "auc_judd" in metrics:
        together = "each a threshold of its own" if preset.auc == "judd" else "one threshold together"
        yield f"AUC-Judd is without jitter, fixated pixels of equal value {together}"
    if "auc_borji" in metrics and preset.borji == "drawn":
        yield (
            f"AUC-Borji is the mean of {BORJI_DRAWS} random draws, with thresholds every {STEP} of the map "
            "stretched to 0 and 1"
        )
    elif "auc_borji" in metrics:
        yield "AUC-Borji is its expectation over draws, by exact ranks"
    if "sauc" in metrics and preset.sauc == "steps":
        yield f"sAUC has thresholds every {STEP} of the map stretched to 0 and 1"
    elif "sauc" in metrics:
        yield "sAUC is by exact ranks"
    if "sim" in metrics and preset.stretch:
        yield "for SIM both maps are stretched to 0 and 1 before they are divided by their sums"
    elif metrics & {"sim", "kl"}:
        yield "for SIM and KL maps are divided by their sums"
    if "emd" in metrics:
        yield f"EMD is exact between {CELLS} cells along the longer side of the image"


def _sigma(score: Json, maps: Iterable[Json]) -> str:
    """Return the Gaussian's standard deviation as text, such as ``24 px``, with its px where it is in degrees.

    An image's px per degree are those that its human map was made with, or one number that was given.
    """
    text = sigma_text(score)
    if score.get("sigma_unit") != "deg":
        return text
    given = score.get("px_per_deg")
    per_degree = [given] if given else [values["px_per_deg"] for values in maps if values.get("px_per_deg")]
    if not per_degree:
        return text
    low, high = (number(float(score["sigma"]) * value, 1) for value in (min(per_degree), max(per_degree)))
    return f"{text}, {low if low == high else f'{low} to {high}'} px of the image"


def _shown(values: Json) -> Iterator[tuple[str, str]]:
    for name, text in flat(values):
        if name in ("file", "files") or (name == "simulated" and not values["simulated"]):
            continue
        if not name.endswith("sha256"):
            yield name, text[:_SHORT] + "…" if name == "revision" and len(text) > _SHORT else text
