"""How people's gaze was recorded and read: what a report and the tables say of each recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from gazeapp.engine.gaze.detection.contents import FOUND
from gazeapp.engine.gaze.geometry import PLACEMENTS, Geometry
from gazeapp.engine.gaze.records import IMAGE, Why
from gazeapp.engine.project import Project, RecordingRow, TrialRow
from gazeapp.engine.project.gaze_rules import default_geometry, detection_of, geometry_of, outdated_detection
from gazeapp.engine.project.listing import dropped
from gazeapp.engine.reports.content import RecordingData
from gazeapp.engine.reports.numbers import count, listed, number
from gazeapp.engine.reports.plain import plain

_GEOMETRY = {
    "screen": "screen",
    "placement": "place",
    "distance_cm": "distance",
    "screen_width_cm": "screen width",
    "px_per_deg": "px per degree",
}
_FACTS = {
    "frame": "Positions",
    "space": "Positions, px of the",
    "rate_hz": "Sampling rate, Hz",
    "samples": "Samples",
    "eyes": "Eyes recorded",
    "off_screen": "Fixations off the screen",
    "fixations_per_eye": "Fixations in the file by eye",
}
_EMPTY: tuple[object, ...] = (None, "", [], {}, 0, "unknown")


def recordings(project: Project, trials: Sequence[TrialRow]) -> Iterator[RecordingData]:
    """Yield what a report says of each recording, in the order of their import."""
    reasons, default = dropped(project), default_geometry(project)
    by_recording: dict[int, list[TrialRow]] = {}
    for trial in trials:
        by_recording.setdefault(trial.recording_id, []).append(trial)
    for recording in project.gaze.recordings():
        own = by_recording.get(recording.id, [])
        yield RecordingData(
            file=PurePath(recording.file).name,
            sha256=recording.sha256,
            format=recording.format,
            confidence=recording.confidence,
            simulated=recording.simulated,
            eye=eye_in_use(own),
            detection=detection_of(recording),
            outdated=outdated_detection(recording, default),
            facts=tuple(_facts(recording, own, default)),
            n_trials=len(own),
            n_read=sum(trial.n_fixations for trial in own),
            n_kept=sum(trial.n_kept for trial in own if trial.image_id is not None),
            dropped=tuple(reasons.get(recording.id, {}).items()),
        )


def eye_in_use(trials: Iterable[TrialRow]) -> str:
    """Return the eye whose fixations are used; several by the number of their trials."""
    eyes = Counter(trial.eye for trial in trials if trial.n_fixations)
    if len(eyes) < 2:
        return next(iter(eyes), "")
    return listed([f"{eye or 'unknown'} ({count(n, 'trial')})" for eye, n in eyes.most_common()])


def geometry_sources(recording: RecordingRow, default: Geometry) -> str:
    """Return who said what of a recording's geometry, such as ``screen: file; distance: user``."""
    layers = {
        "user": Geometry.of(recording.geometry),
        "file": geometry_of(replace(recording, geometry={}), Geometry()),
        "project": default,
    }
    held = geometry_of(recording, default).as_json()
    return "; ".join(
        f"{word}: {next(who for who, layer in layers.items() if name in layer.as_json())}"
        for name, word in _GEOMETRY.items()
        if name in held
    )


def _facts(
    recording: RecordingRow, trials: Sequence[TrialRow], default: Geometry
) -> Iterator[tuple[str, str]]:
    facts = recording.facts
    for key, name in _FACTS.items():
        # The first version kept where positions lay only, later ones the whole frame.
        if not (key == "space" and facts.get("frame")) and facts.get(key) not in _EMPTY:
            yield name, plain(facts[key])
    if eye := eye_in_use(trials):
        yield "Eye used", eye
    yield "Fixations", detection_of(recording) or "As the file has them."
    if outdated := outdated_detection(recording, default):
        yield "Geometry since", outdated
    if recording.frame.get("of") != IMAGE:
        yield from _geometry_facts(recording, trials, default)
    shifted = sum(trial.shift != (0.0, 0.0) for trial in trials)
    if shifted:
        yield "Moved by hand", f"{count(shifted, 'trial')}, each as a whole"
    known = {why.words for why in Why}
    lost = {why: n for why, n in (facts.get("dropped") or {}).items() if why not in known}
    if lost:
        yield "Rows that fit no trial", ", ".join(f"{number(n, 0)} {why}" for why, n in lost.items())
    notes = [note for note in facts.get("notes") or [] if not note.startswith(FOUND)]
    if notes:
        yield "Notes", " ".join(notes)


def _geometry_facts(
    recording: RecordingRow, trials: Sequence[TrialRow], default: Geometry
) -> Iterator[tuple[str, str]]:
    geometry = geometry_of(recording, default)
    if geometry.screen is not None:
        yield "Screen, px", plain(list(geometry.screen))
    yield "Place of the images", PLACEMENTS[geometry.placement or "recorded"]
    sizes = Counter(
        f"{trial.shown[2]:.4g} × {abs(trial.shown[3]):.4g}" for trial in trials if trial.shown is not None
    )
    if sizes and recording.frame.get("unit") == "px":
        more = f", and {len(sizes) - 3} more" if len(sizes) > 3 else ""
        yield "Shown at, screen px", ", ".join(size for size, _ in sizes.most_common(3)) + more
    if geometry.distance_cm is not None:
        yield "Viewing distance, cm", plain(geometry.distance_cm)
    if geometry.screen_width_cm is not None:
        yield "Width of the screen, cm", plain(geometry.screen_width_cm)
    if geometry.screen_px_per_degree is not None:
        yield "Screen px per degree", f"{geometry.screen_px_per_degree:.4g}"
    if sources := geometry_sources(recording, default):
        yield "Who says so", sources
