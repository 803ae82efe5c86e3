"""What the commands share: running a verb on a project, telling what it did, exit codes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gazeapp.engine.errors import NothingSaidError
from gazeapp.terminal import TerminalProgress

FILE = click.Path(path_type=Path)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def option_group(*options: Callable[[Any], Any]) -> Callable[[_Function], _Function]:
    """Return a decorator that gives a command several options, in this order."""

    def add(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def parse_sigma(text: str) -> tuple[float, str]:
    """Return value and unit of a size such as ``24px`` or ``1deg``."""
    clean = text.strip().lower()
    for unit in ("px", "deg"):
        if clean.endswith(unit):
            try:
                value = float(clean[: -len(unit)])
            except ValueError:
                break
            if value > 0:
                return value, unit
    raise click.BadParameter(f"'{text}' is no size; write for example 24px or 1deg.")


def call(project: Path, verb: Callable[..., Any], settings: Any, quiet: bool) -> Any:
    """Run a verb on a project and return its summary."""
    from gazeapp.engine.project import Project

    with Project.open(project) as opened, TerminalProgress(quiet=quiet).watching() as progress:
        return verb(opened, settings, progress)


def run(project: Path, verb: Callable[..., Any], settings: Any, as_json: bool) -> None:
    """Run a verb on a project, tell what it did, and exit."""
    summary = call(project, verb, settings, as_json)
    report_and_exit(summary, as_json, f"{summary.verb}: {counts(summary)}")


def counts(summary: Any) -> str:
    """Return how many units were done, there already and failed, in words."""
    parts = [f"{summary.done} done"]
    if summary.skipped:
        parts.append(f"{summary.skipped} there already")
    if summary.failed:
        parts.append(f"{summary.failed} failed")
    if summary.cancelled:
        parts.append("stopped before the end")
    return f"{', '.join(parts)} in {summary.seconds:.1f} s"


def report_and_exit(summary: Any, as_json: bool, text: str) -> None:
    """Print a summary, and exit with its code."""
    click.echo(json.dumps(summary.as_json(), indent=2) if as_json else f"{text}.")
    sys.exit(finish(summary))


def finish(summary: Any) -> int:
    """List what went wrong on stderr and return the exit code."""
    # One damaged image fails under every model; it is told once.
    silent = [p for p in summary.problems if p.what == NothingSaidError.WHAT]
    told = [p for p in summary.problems if p.what != NothingSaidError.WHAT]
    for line in dict.fromkeys(sentence(p.what, p.where, p.todo) for p in told):
        click.echo(line, err=True)
    # A model that says nothing does so of many images; their names are in the project.
    for (model, todo), count in Counter((p.where.split(" · ")[0], p.todo) for p in silent).items():
        runs = how_many(count, "run")
        click.echo(sentence(f"The model said nothing in {runs}, so there is no map.", model, todo), err=True)
    return 1 if summary.failed or summary.cancelled else 0


def sentence(what: str, where: str, todo: str) -> str:
    """Return a problem as one line: where, what, what to do."""
    place = f"{where}: " if where else ""
    return " ".join(part for part in (f"{place}{what}", todo) if part)


def how_many(n: int, one: str, many: str = "") -> str:
    """Return a number with its noun, as ``1 region`` or ``34 regions``."""
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"
