"""What a preview says, as rows of a name and a text."""

from __future__ import annotations

from collections.abc import Sequence

from gazeapp.engine.gaze.cautions import counted
from gazeapp.engine.gaze.geometry import Geometry, effective
from gazeapp.engine.gaze.records import IMAGE, Facts
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui.widgets import capital

_NAMES_SHOWN = 6


def facts_in_rows(preview: Preview) -> list[tuple[str, str]]:
    """Return what is in a file, as far as it is known."""
    recording = preview.plan.recording if preview.plan is not None else preview.read
    if recording is None:
        return []
    recorded = recording.facts
    geometry = preview.plan.geometry if preview.plan is not None else _geometry(preview, recorded)
    rows = [
        ("Subjects", _names(recording.subjects)),
        ("Trials", f"{len(recording.trials):,}"),
        ("Fixations", _fixations(preview)),
        ("Images", _images(preview)),
        ("Eyes", _eyes(preview, recorded)),
        ("Samples", _samples(recorded)),
        ("Positions", recorded.frame.in_words()),
    ]
    if recorded.frame.of != IMAGE:
        rows.append(("Screen", _screen(geometry, recorded)))
        if preview.plan is not None and preview.plan.off_screen:
            rows.append(("Off the screen", f"{counted(preview.plan.off_screen, 'fixation')}, kept"))
    rows.append(("Distance", _distance(geometry)))
    return [(name, text) for name, text in rows if text]


def _geometry(preview: Preview, recorded: Facts) -> Geometry:
    return effective(preview.settings.geometry, recorded, preview.default)


def left_out_in_rows(preview: Preview) -> list[tuple[str, str]]:
    """Return what is not used, by reason."""
    if preview.plan is None:
        return []
    return [(capital(reason), f"{n:,}") for reason, n in preview.plan.dropped.items() if n]


def _fixations(preview: Preview) -> str:
    if preview.plan is None:
        return ""
    waiting = preview.facts["without_image"]
    used = preview.facts["fixations"] - waiting
    if not waiting:
        return f"{used:,} used"
    if not used:
        return f"{waiting:,}, waiting for an image that the project does not hold"
    return f"{used:,} used; {waiting:,} more wait for an image that the project does not hold"


def _images(preview: Preview) -> str:
    if preview.plan is None:
        return ""
    matches = [match for match in preview.plan.matches if match.name]
    if not matches:
        return "the file names none"
    found = sum(bool(match.image) for match in matches)
    if found == len(matches):
        return f"all {found:,} are in the project" if found > 1 else f"{matches[0].image} is in the project"
    return f"{found:,} of {len(matches):,} names are in the project"


def _eyes(preview: Preview, recorded: Facts) -> str:
    facts = preview.facts
    per_eye = {eye: n for eye, n in facts.get("fixations_per_eye", {}).items() if eye != "unknown"}
    if not per_eye:
        return "the mean of both" if recorded.eyes == ("average",) else " and ".join(recorded.eyes)
    read = ", ".join(f"{eye} {n:,}" for eye, n in per_eye.items())
    used = {"several": "which is used differs by trial", "average": "the mean of both is used"}
    return f"{read}; {used.get(facts['eye_used'], facts['eye_used'] + ' is used')}"


def _samples(recorded: Facts) -> str:
    rate = f"{recorded.rate_hz:g} Hz" if recorded.rate_hz else ""
    if not recorded.n_samples:
        return f"recorded at {rate}" if rate else ""
    return f"{recorded.n_samples:,}" + (f" at {rate}" if rate else "")


def _screen(geometry: Geometry, recorded: Facts) -> str:
    if geometry.screen is None:
        return "not known"
    width, height = geometry.screen
    said = "as the file says" if geometry.screen == recorded.screen else "as given here or by the project"
    return f"{width:g} × {height:g} px, {said}"


def _distance(geometry: Geometry) -> str:
    parts = [
        f"{geometry.distance_cm:g} cm to the screen" if geometry.distance_cm else "",
        f"screen {geometry.screen_width_cm:g} cm wide" if geometry.screen_width_cm else "",
        f"{geometry.screen_px_per_degree:.1f} px per degree" if geometry.screen_px_per_degree else "",
    ]
    return ", ".join(part for part in parts if part)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    if len(names) == 1:
        return shown
    return f"{len(names):,}: {shown}{', …' if len(names) > _NAMES_SHOWN else ''}"
