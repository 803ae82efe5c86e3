"""Column mappings of tables: named, saved and shared."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import IMAGE, SCREEN, Frame
from gazeapp.engine.gaze.table_columns import ROLES, UNITS
from gazeapp.engine.types import Json
from gazeapp.engine.user_file import write_values

FIXATIONS, SAMPLES = "fixations", "samples"
NO_HEADER = -1
"""As ``header_line``: the first line is a row, and columns are called 1, 2, 3 ..."""

NEEDED = {FIXATIONS: ("x", "y"), SAMPLES: ("time", "x", "y")}
"""What a table needs, by what its rows are."""

_FILE_FORMAT = "gazeapp table profile"
_VERSION = 1
_WHOLE = {
    "format": f'"{_FILE_FORMAT}"',
    "version": str(_VERSION),
    "name": '"what to call it"',
    "columns": '{"x": "its column", "y": "its column"}',
}
"""What no file may lack, and what to write there."""

_SUFFIX = ".json"
_LARGEST = 1_000_000
_HUGE = 1e300


@dataclass(frozen=True)
class TableProfile:
    """How to read a table of fixations or samples that no other format fits.

    Parameters
    ----------
    name
        What to call it.
    columns
        Header name in the file by what it is: ``image``, ``subject``, ``x``, ``y``, ``task``, ``trial``,
        ``index``, ``start``, ``end``, ``duration``, ``eye``, ``valid``, ``time`` (of a sample).
    kind
        ``fixations`` or ``samples``: what a row is.
    delimiter
        Character between cells; empty to tell by the content.
    decimal
        ``.`` or ``,``; empty to tell by the content.
    header_line
        Number of the line that holds the header, from 1; 0 to find it; -1 when there is none, and columns
        are called 1, 2, 3 and so on.
    time_unit
        ``s``, ``ms``, ``us`` or ``ns``: unit of the times whose header names none; empty for ms.
    frame
        Coordinate frame of x and y.
    invalid_below, invalid_above
        Rows whose ``valid`` cell is below or above this, or no number, are not valid. Both None: rows
        with a word such as false, no or 0 are not valid.
    note
        Anything that its users should know.

    Raises
    ------
    GazeError
        When a value is none of those above.
    """

    name: str
    columns: dict[str, str] = field(default_factory=dict)
    kind: str = FIXATIONS
    delimiter: str = ""
    decimal: str = ""
    header_line: int = 0
    time_unit: str = ""
    frame: Frame = field(default_factory=lambda: Frame(of=IMAGE))
    invalid_below: float | None = None
    invalid_above: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for problem, todo in _problems(self):
            raise GazeError(problem, where=f"column mapping '{self.name}'", todo=todo)

    def as_json(self) -> Json:
        """Return it as the content of a profile file."""
        return {"format": _FILE_FORMAT, "version": _VERSION, **asdict(self)}

    @classmethod
    def of(cls, values: Any, where: str = "") -> Self:
        """Return the profile of what :meth:`as_json` gave.

        Parameters
        ----------
        values
            Parsed JSON.
        where
            Where it comes from, for errors.

        Raises
        ------
        GazeError
            When it is no profile, is of a newer version, or has unknown names or wrong values.
        """
        if not isinstance(values, dict) or values.get("format", _FILE_FORMAT) != _FILE_FORMAT:
            raise _wrong("This is no column mapping that gazeapp wrote.", where)
        if not set(values) & {"format", "columns"}:
            raise _wrong("This is no column mapping: it has neither 'format' nor 'columns'.", where)
        if lacking := [name for name in _WHOLE if name not in values]:
            raise GazeError(
                f"The column mapping lacks {', '.join(repr(name) for name in lacking)}.",
                where=where,
                todo=f"Add {', '.join(f'{json.dumps(name)}: {_WHOLE[name]}' for name in lacking)} to the file.",
            )
        if values["version"] != _VERSION:
            raise GazeError(
                f"The column mapping is of another version ({values['version']!r:.20}) than this gazeapp reads "
                f"({_VERSION}).",
                where=where,
                todo="Update gazeapp, or make the mapping again in the import window.",
            )
        own = {entry.name: str(entry.type) for entry in fields(cls)}
        given = {name: value for name, value in values.items() if name not in ("format", "version")}
        if unknown := sorted(set(given) - set(own)):
            raise _unknown(unknown[0], where)
        for name, value in given.items():
            if not _KINDS[own[name]](value):
                raise GazeError(
                    f"The column mapping's '{name}' has a value of the wrong kind.",
                    where=where,
                    todo=f"Give {_MEANT[own[name]]}.",
                )
        if "frame" in given:
            given["frame"] = Frame(**given["frame"])
        try:
            return cls(**given)
        except GazeError as error:
            raise GazeError(error.what, where=where or error.where, todo=error.todo) from None


def _unknown(name: str, where: str) -> GazeError:
    what = f"The column mapping has '{name}', which gazeapp does not know."
    if name in ROLES:
        return GazeError(what, where=where, todo=f"Put '{name}' and its column into 'columns'.")
    return GazeError(what, where=where, todo="Take it out, or correct its name.")


def _wrong(what: str, where: str) -> GazeError:
    return GazeError(what, where=where, todo="Make it again in the import window and save it.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE


def _is_frame(value: Any) -> bool:
    kinds = {entry.name: str if entry.type == "str" else bool for entry in fields(Frame)}
    return isinstance(value, dict) and all(isinstance(value[n], kinds.get(n, ())) for n in value)


_KINDS = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float | None": lambda value: value is None or _is_number(value),
    "dict[str, str]": lambda value: (
        isinstance(value, dict) and all(isinstance(cell, str) for cell in value.values())
    ),
    "Frame": _is_frame,
}


_MEANT = {
    "str": "text in quotation marks",
    "int": "a whole number",
    "float | None": "a number, or null",
    "dict[str, str]": 'names of columns by what they are, such as {"x": "Gaze X", "y": "Gaze Y"}',
    "Frame": 'of, unit, y_up and centred, such as {"of": "screen", "unit": "px", "y_up": false, "centred": false}',
}
"""What a value has to be, by the type of its field."""


def _problems(profile: TableProfile) -> list[tuple[str, str]]:
    """Return what is wrong with a profile's values, and what to do about each."""
    one_of: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("kind of rows", profile.kind, (FIXATIONS, SAMPLES)),
        ("decimal mark", profile.decimal, ("", ".", ",")),
        ("unit of time", profile.time_unit, ("", *UNITS)),
        ("thing that positions lie on", profile.frame.of, (IMAGE, SCREEN)),
        ("unit of positions", profile.frame.unit, ("px", "share")),
    )
    found = [
        (f"'{value}' is no {what}.", f"Take one of: {', '.join(word for word in known if word)}.")
        for what, value, known in one_of
        if value not in known
    ]
    for role in profile.columns:
        if role not in ROLES:
            found.append((f"'{role}' is nothing that a column can be.", f"Take one of: {', '.join(ROLES)}."))
    if profile.header_line < NO_HEADER:
        found.append((f"There is no line {profile.header_line}.", "Count lines from 1, or say 0 to find it."))
    if len(profile.delimiter) > 1 or profile.delimiter in ('"', "\n", "\r", "\0"):
        found.append((f"{profile.delimiter!r} cannot stand between cells.", "Take one character."))
    return found


def profiles_folder() -> Path:
    """Return the folder of the user's own profiles."""
    from platformdirs import user_config_path

    return user_config_path("gazeapp", appauthor=False) / "profiles"


def save_profile(profile: TableProfile, folder: Path) -> Path:
    """Write a profile into a folder, in the place of one of the same name, and return its file.

    Raises
    ------
    GazeError
        When it has no name or cannot be written; an older file stays as it was.
    """
    if not profile.name.strip():
        raise GazeError("The column mapping has no name.", todo="Give it one.")
    path = _path_of(profile.name, folder)
    write_values(path, profile.as_json(), "The column mapping cannot be written")
    return path


def _path_of(name: str, folder: Path) -> Path:
    """Return the file of a profile: the one that has the name, else one that is not there yet."""
    stem = re.sub(r"[^\w.-]+", "-", name.strip()).strip("-.")[:80] or "profile"
    number = 1
    while True:
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}{_SUFFIX}"
        if not path.exists() or _name_in(path) == name:
            return path
        number += 1


def _name_in(path: Path) -> str | None:
    try:
        return load_profile(path).name
    except GazeError:
        return None


def load_profile(path: Path) -> TableProfile:
    """Read a profile.

    Raises
    ------
    GazeError
        When the file cannot be read or is no profile.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8-sig")
        values = json.loads(text)
    except OSError as error:
        raise GazeError(
            f"The column mapping cannot be read: {error.strerror or error}.",
            where=str(path),
            todo="Check that the file is there.",
        ) from error
    except json.JSONDecodeError as error:
        raise _wrong("The column mapping is damaged.", f"{path}, line {error.lineno}") from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # no UTF-8, a number of thousands of digits, nested a thousandfold
        raise _wrong("This is no column mapping that gazeapp wrote.", str(path)) from error
    return TableProfile.of(values, str(path))


def list_profiles(folder: Path) -> tuple[list[TableProfile], list[GazeError]]:
    """Return the profiles in a folder by name, and what is wrong with files that are none."""
    found, problems = [], []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            found.append(load_profile(path))
        except GazeError as error:
            problems.append(error)
    return sorted(found, key=lambda profile: profile.name.casefold()), problems


def find_profile(name: str, folder: Path | None = None) -> TableProfile:
    """Return the profile in a file, else the saved one of a name.

    Parameters
    ----------
    name
        A file's path, or the name of a saved profile, whatever its case.
    folder
        Where profiles are saved; the user's own folder when None.

    Raises
    ------
    GazeError
        When there is neither, or the file is no profile.
    """
    if os.path.isfile(name):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        return load_profile(Path(name))
    found, _ = list_profiles(profiles_folder() if folder is None else folder)
    for profile in sorted(found, key=lambda profile: profile.name != name):
        if profile.name.casefold() == name.casefold():
            return profile
    known = ", ".join(f"'{profile.name}'" for profile in found) or "none"
    raise GazeError(
        f"There is no column mapping '{name}'.", todo=f"Give a file, or the name of a saved one: {known}."
    )
