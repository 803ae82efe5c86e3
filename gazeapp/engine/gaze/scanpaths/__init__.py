"""Scanpath measures: MultiMatch, ScanMatch, string edit, dynamic time warping, sequence score."""

from __future__ import annotations

from gazeapp.engine.gaze.scanpaths.measures import MEASURES, Measure, ScanpathSettings
from gazeapp.engine.gaze.scanpaths.people import Comparison, ScanpathScores, compare, scanpath_scores
from gazeapp.engine.gaze.scanpaths.scanpath import Scanpath, other_images

__all__ = [
    "MEASURES",
    "Comparison",
    "Measure",
    "Scanpath",
    "ScanpathScores",
    "ScanpathSettings",
    "compare",
    "other_images",
    "scanpath_scores",
]
