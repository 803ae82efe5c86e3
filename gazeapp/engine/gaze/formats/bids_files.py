"""Files of a BIDS data set: what their names say, the metadata that they inherit, and their tables.

A file is named ``sub-01_task-view_recording-eye1_physio.tsv.gz``: entities, a suffix and an ending. A
JSON file or table applies to a data file when it has the same suffix, stands in its folder or above it,
and has no entity that the data file lacks; what stands closer and says more counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import LONGEST_LINE
from gazeapp.engine.types import Json

PHYSIO, PHYSIO_EVENTS, EVENTS = "physio", "physioevents", "events"

_ENDINGS = (".tsv.gz", ".tsv", ".json")
_HIGHEST = 6
_LONGEST_JSON = 1 << 22


@dataclass(frozen=True)
class Named:
    """What the name of a file says.

    Parameters
    ----------
    path
        The file.
    entities
        Values by entity, such as ``{"sub": "01", "task": "view"}``.
    suffix
        The last word of the name, such as ``physio``.
    ending
        Such as ``.tsv.gz``.
    """

    path: Path
    entities: Mapping[str, str]
    suffix: str
    ending: str

    def without(self, entity: str) -> dict[str, str]:
        """Return the entities without one."""
        return {name: value for name, value in self.entities.items() if name != entity}


def named(path: Path) -> Named | None:
    """Return what a name says; None when it is not built as BIDS has it."""
    ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), "")
    if not ending:
        return None
    *pairs, suffix = path.name.removesuffix(ending).split("_")
    if not all("-" in pair for pair in pairs):
        return None
    return Named(path, dict(pair.split("-", 1) for pair in pairs), suffix, ending)


def is_physio(path: Path) -> bool:
    """Return whether a name is that of a table of continuous recordings."""
    name = named(path)
    return name is not None and name.suffix == PHYSIO and name.ending != ".json"


def metadata(data: Named, suffix: str, entities: Mapping[str, str]) -> Json:
    """Return the metadata that apply to a data file, those closer to it over those above.

    Parameters
    ----------
    data
        The data file.
    suffix
        Suffix of the JSON files.
    entities
        Entities that these may have.
    """
    merged: Json = {}
    for found in reversed(_applying(data, suffix, entities, (".json",))):
        merged |= read_json(found.path)
    return merged


def table_for(data: Named, suffix: str, entities: Mapping[str, str]) -> Path | None:
    """Return the closest table of that suffix which applies to a data file; None when there is none."""
    found = _applying(data, suffix, entities, (".tsv", ".tsv.gz"))
    return found[0].path if found else None


def _applying(data: Named, suffix: str, entities: Mapping[str, str], endings: Iterable[str]) -> list[Named]:
    """Return the files that apply, the closest first and in one folder those with more entities first."""
    found = []
    for folder in _upwards(data.path.resolve().parent):
        here = [named(path) for path in folder.glob(f"*{suffix}.*")]
        fitting = [
            file
            for file in here
            if file is not None
            and file.suffix == suffix
            and file.ending in endings
            and file.entities.items() <= entities.items()
        ]
        found += sorted(fitting, key=lambda file: (-len(file.entities), file.path.name))
    return found


def _upwards(folder: Path) -> list[Path]:
    """Return the folder and those above it up to the root of the data set."""
    chain = [folder, *folder.parents][:_HIGHEST]
    roots = [place for place, path in enumerate(chain) if (path / "dataset_description.json").is_file()]
    if roots:
        return chain[: roots[0] + 1]
    # Without a description the root is above the folder of the subject.
    subjects = [place for place, path in enumerate(chain) if path.name.startswith("sub-")]
    return chain[: subjects[-1] + 2] if subjects else chain[:1]


def read_json(path: Path) -> Json:
    """Return the object in a JSON file.

    Raises
    ------
    GazeError
        When it holds no JSON object, with the line.
    """
    source = Source(path)
    with source.open_text() as stream:
        text = stream.read(_LONGEST_JSON).removeprefix("\ufeff")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise source.problem("The metadata are no JSON.", "Mend or remove this file.", line) from error
    if not isinstance(values, dict):
        raise source.problem("The metadata are no JSON object.", "Mend or remove this file.", 1)
    return values


def rows(path: Path) -> list[list[str]]:
    """Return the cells of a small table by row; BIDS tables have tabs and no quotation marks.

    Lines longer than a table can have are passed over.
    """
    with Source(path).open_text() as stream:
        lines = (line.rstrip("\r\n") for line in stream if len(line) <= LONGEST_LINE)
        return [[cell.strip() for cell in line.split("\t")] for line in lines if line.strip()]


def number(value: Any) -> float:
    """Return a finite number of a cell or a metadata value; NaN for ``n/a`` and anything else."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return result if math.isfinite(result) else math.nan


def word(value: Any) -> str:
    """Return a text in lower case without outer space; empty for ``n/a`` and anything else."""
    text = value.strip().casefold() if isinstance(value, str) else ""
    return "" if text in ("n/a", "na", "nan") else text
