"""From samples to fixations: I-VT and I-DT, and I2MC and REMoDNaV where they are installed."""

from __future__ import annotations

from gazeapp.engine.gaze.detection.compare import Agreement, compare_fixations
from gazeapp.engine.gaze.detection.contents import detect, detect_contents
from gazeapp.engine.gaze.detection.settings import METHODS, DetectionSettings

__all__ = ["METHODS", "Agreement", "DetectionSettings", "compare_fixations", "detect", "detect_contents"]
