"""The project file: schema, migrations, reading and writing."""

from gazeapp.engine.project.project import SUFFIX, Project
from gazeapp.engine.project.rows import (
    CeilingRow,
    FindingRow,
    FixationTable,
    ImageRow,
    MeasureRow,
    ModelRow,
    PeoplePartsRow,
    ProblemRow,
    RecordingRow,
    RunRow,
    ScoreRow,
    SettingsRow,
    StoredMap,
    StoredMaps,
    SubjectScoresRow,
    SummaryRow,
    TrialRow,
)

__all__ = [
    "SUFFIX",
    "CeilingRow",
    "FindingRow",
    "FixationTable",
    "ImageRow",
    "MeasureRow",
    "ModelRow",
    "PeoplePartsRow",
    "ProblemRow",
    "Project",
    "RecordingRow",
    "RunRow",
    "ScoreRow",
    "SettingsRow",
    "StoredMap",
    "StoredMaps",
    "SubjectScoresRow",
    "SummaryRow",
    "TrialRow",
]
