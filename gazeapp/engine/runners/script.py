"""Runner scripts: what one says about itself, read without running any of it."""

from __future__ import annotations

import hashlib
import itertools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gazeapp.engine.consent import RUNNER, ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.resources import resource_path
from gazeapp.engine.types import Json

DESCRIBE = "describe"
"""Action: describe an image and say where the model attended."""
RUN = "run"
"""Action: take values, give back values and files."""

HELPER_NAME = "gazeapp_runner.py"
"""The script's side of the protocol; gazeapp lays it beside each script that it runs."""

_LARGEST = 1_000_000
"""Bytes of the largest script that is read."""
_OPENS, _CLOSES = "# /// script", "# ///"
"""First and last line of the block of inline metadata (PEP 723)."""
_TEXTS = ("name", "description", "licence", "download")


@dataclass(frozen=True, slots=True)
class RunnerScript:
    """A runner script and what it says about itself.

    Parameters
    ----------
    id
        Name of the file without its ending.
    path
        The file that was read.
    text
        The whole script; exactly this is run, whatever becomes of the file.
    sha256
        SHA-256 of ``text`` as bytes, hexadecimal.
    name, description, licence
        What it is called, what it does, under which terms.
    download
        Roughly how much is downloaded before it can work, in the script's own words, such as ``25 MB``.
    dependencies
        What is installed for it, as it says it (PEP 508).
    requires_python
        Versions of Python that it runs on, such as ``>=3.11``; empty for any.
    sources
        Settings of the installer that it brings, such as other places to install from.
    actions
        What it can be asked for: `DESCRIBE`, `RUN` or both.
    methods
        Map methods that it offers; empty for scripts that do not describe.
    checkpoint, revision
        The weights that it reads, as a hub's name and revision; empty for none.
    """

    id: str
    path: Path
    text: str = field(repr=False)
    sha256: str
    name: str
    description: str
    licence: str
    download: str
    dependencies: tuple[str, ...]
    requires_python: str
    sources: tuple[str, ...]
    actions: tuple[str, ...]
    methods: tuple[str, ...]
    checkpoint: str = ""
    revision: str = ""

    @property
    def installs(self) -> str:
        """What is installed, as a phrase: ``numpy>=2 and pillow>=11, for Python >=3.11``."""
        *first, last = self.dependencies or ("no library",)
        libraries = f"{', '.join(first)} and {last}" if first else last
        return f"{libraries}, for Python {self.requires_python or 'of any version'}"

    def question(self, store: ConsentStore) -> str:
        """Return what the user is asked before it is installed and run for the first time."""
        changed = "This script has changed since you agreed to it.\n" if store.known(RUNNER, self.id) else ""
        revision = f", revision {self.revision}" if self.revision else ""
        weights = f"Its weights: {self.checkpoint}{revision}.\n" if self.checkpoint else ""
        sources = (
            f"Settings of the installer that it brings: {'; '.join(self.sources)}.\n" if self.sources else ""
        )
        return (
            f"{changed}Install and run “{self.name}” ({self.path.name})?\n"
            f"{self.description}\n"
            f"Installs {self.installs}, in an environment of its own beside gazeapp's; where no such Python "
            f"is there, Python too. Download: {self.download}.\n"
            f"{weights}{sources}"
            f"Licence: {self.licence}.\n"
            "It runs with your rights: it can read and write your files and use the network, as any program you "
            "start. Agree only to a script whose origin you trust.\n"
            f"SHA-256 of the script: {self.sha256}"
        )

    def agreed(self, store: ConsentStore) -> bool:
        """Return whether the user agreed to exactly this script and what it installs."""
        return store.given(RUNNER, self.id, self.sha256)

    def agree(self, store: ConsentStore) -> None:
        """Record that the user said yes to `question`.

        Raises
        ------
        GazeError
            If that cannot be written.
        """
        store.give(RUNNER, self.id, self.sha256)


class ConsentNeededError(GazeError):
    """A script may not run yet, because the user has not agreed to it.

    Parameters
    ----------
    script
        The script to ask about.
    """

    def __init__(self, script: RunnerScript) -> None:
        self.script = script
        super().__init__(
            f"“{script.name}” installs and runs code that you have not agreed to, or that has changed since.",
            where=str(script.path),
            todo=f"Read what it installs and runs, and agree to it: `gazeapp runner agree {_name_of(script)}`.",
        )


def read_script(path: Path) -> RunnerScript:
    """Read what a script says about itself; nothing of it is run.

    Raises
    ------
    GazeError
        If the file cannot be read, or does not say what a runner has to say.
    """
    raw = _read(path)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(path, "It is no text in UTF-8.") from error
    metadata = _metadata(path, text)
    tool = metadata.get("tool", {})
    about = tool.get("gazeapp") if isinstance(tool, dict) else None
    if not isinstance(about, dict):
        raise _refused(path, "Its inline metadata have no table [tool.gazeapp].")
    actions = _texts(path, about.get("actions", []), "actions")
    unknown = [action for action in actions if action not in (DESCRIBE, RUN)]
    if unknown or not actions:
        raise _refused(path, f"Its 'actions' have to name '{DESCRIBE}', '{RUN}' or both.")
    methods = _texts(path, about.get("methods", []), "methods")
    if DESCRIBE in actions and not methods:
        raise _refused(path, "It describes images, but names no map method in 'methods'.")
    name, description, licence, download = (_text(path, about.get(key), key) for key in _TEXTS)
    return RunnerScript(
        id=path.stem,
        path=path,
        text=text,
        sha256=hashlib.sha256(raw).hexdigest(),
        name=name,
        description=description,
        licence=licence,
        download=download,
        dependencies=_texts(path, metadata.get("dependencies", []), "dependencies"),
        requires_python=_text(path, metadata.get("requires-python", ""), "requires-python", empty=True),
        sources=tuple(_flat(path, tool.get("uv", {}))),
        actions=actions,
        methods=methods,
        checkpoint=_text(path, about.get("checkpoint", ""), "checkpoint", empty=True),
        revision=_text(path, about.get("revision", ""), "revision", empty=True),
    )


def find_scripts(folder: Path | None = None) -> tuple[list[RunnerScript], list[GazeError]]:
    """Return the scripts that can be run here, by id, and what is wrong with files that are none.

    Parameters
    ----------
    folder
        The user's own scripts; `scripts_folder` when None. One there takes the place of one of the same name that
        ships.
    """
    found: dict[str, RunnerScript] = {}
    problems = []
    for own in (resource_path("runners"), scripts_folder() if folder is None else folder):
        for path in sorted(own.glob("*.py")):
            if path.name == HELPER_NAME:
                continue
            try:
                found[path.stem] = read_script(path)
            except GazeError as error:
                problems.append(error)
    return [found[name] for name in sorted(found)], problems


def find_script(name: str, folder: Path | None = None) -> RunnerScript:
    """Return the script in a file, else the one of an id that ships or lies in the user's own folder.

    Parameters
    ----------
    name
        A path, or an id.
    folder
        As for `find_scripts`.

    Raises
    ------
    GazeError
        When there is neither, or the file is no runner script.
    """
    if name.endswith(".py"):
        return read_script(Path(name))
    found, problems = find_scripts(folder)
    for script in found:
        if script.id == name:
            return script
    for problem in problems:
        if Path(problem.where).stem == name:
            raise problem
    raise GazeError(
        f"There is no runner script '{name}'.",
        todo=f"Give a file, or one of: {', '.join(script.id for script in found)}.",
    )


def scripts_folder() -> Path:
    """Return the folder of the user's own scripts."""
    from platformdirs import user_config_path

    return user_config_path("gazeapp", appauthor=False) / "runners"


def _name_of(script: RunnerScript) -> str:
    """Return what a script is found by: its id where it ships or lies in the user's own folder, else its file."""
    listed = script.path.parent in (resource_path("runners"), scripts_folder())
    return script.id if listed else str(script.path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise GazeError(
            f"The script cannot be read: {error.strerror or error}.",
            where=str(path),
            todo="Check that it is there, is a file and may be read.",
        ) from error
    if len(raw) > _LARGEST:
        raise _refused(path, f"It is larger than {_LARGEST // 1000} kB.")
    return raw


def _metadata(path: Path, text: str) -> Json:
    blocks = _blocks(text.replace("\r\n", "\n").split("\n"))
    if len(blocks) != 1:
        said = "no block" if not blocks else "more than one block"
        raise _refused(path, f"It has {said} of inline metadata (# /// script ... # ///).")
    try:
        return tomllib.loads(blocks[0])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refused(path, f"Its inline metadata are no TOML ({error}).") from error


def _blocks(lines: list[str]) -> list[str]:
    """Return the content of each block of script metadata: comment lines up to the last closing one."""
    found: list[str] = []
    at = 0
    while at < len(lines):
        if lines[at] == _OPENS:
            inside = list(
                itertools.takewhile(lambda line: line == "#" or line.startswith("# "), lines[at + 1 :])
            )
            closing = [i for i, line in enumerate(inside) if line == _CLOSES]
            if closing:
                found.append("\n".join(line[2:] for line in inside[: closing[-1]]))
                at += closing[-1] + 1
        at += 1
    return found


def _text(path: Path, value: Any, key: str, *, empty: bool = False) -> str:
    """Return a text that can be shown as it is: one line, no hidden characters."""
    if not isinstance(value, str) or not (value.strip() or empty):
        raise _refused(path, f"Its inline metadata do not say '{key}' as a text.")
    if not value.isprintable():
        raise _refused(path, f"Its '{key}' has characters that cannot be shown on one line.")
    return value.strip()


def _texts(path: Path, value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _refused(path, f"Its '{key}' is no list.")
    return tuple(_text(path, item, key) for item in value)


def _flat(path: Path, value: Any, name: str = "") -> list[str]:
    """Return every setting below a table as ``name = value``."""
    if isinstance(value, dict):
        found = [_flat(path, item, f"{name}.{key}".strip(".")) for key, item in value.items()]
        return [line for lines in found for line in lines]
    if isinstance(value, list):
        return [line for item in value for line in _flat(path, item, name)]
    return [_text(path, f"{name} = {value}", "tool.uv")]


def _refused(path: Path, why: str) -> GazeError:
    return GazeError(
        f"This is no runner script. {why}",
        where=str(path),
        todo="The guide to runners (docs/runners.md) has an example to start from.",
    )
