"""The project file: schema, migrations, reading and writing."""

from gazeapp.engine.project.project import SUFFIX, Project
from gazeapp.engine.project.rows import (
    CeilingRow,
    FixationTable,
    ImageRow,
    ModelRow,
    PeoplePartsRow,
    ProblemRow,
    RecordingRow,
    RunRow,
    ScoreRow,
    SettingsRow,
    StoredMap,
    StoredMaps,
    SummaryRow,
    TrialRow,
)

__all__ = [
    "SUFFIX",
    "CeilingRow",
    "FixationTable",
    "ImageRow",
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
    "SummaryRow",
    "TrialRow",
]
