"""What commands tell at their end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gazeapp.cli_base import finish
from gazeapp.cli_extract import _note_silent
from gazeapp.engine.errors import NothingSaidError


def summary() -> Any:
    silent = [
        (f"{model} · general · {i}.png", NothingSaidError.WHAT) for model in ("A", "B") for i in range(40)
    ]
    problems = [
        SimpleNamespace(where=where, what=what, todo="") for where, what in [*silent[:41], ("x.png", "Bad.")]
    ]
    return SimpleNamespace(problems=problems, failed=42, cancelled=False)


def test_models_that_say_nothing_are_told_once_with_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert finish(summary()) == 1
    assert capsys.readouterr().err.splitlines() == [
        "x.png: Bad.",
        "A: The model said nothing in 40 runs, so there is no map.",
        "B: The model said nothing in 1 run, so there is no map.",
    ]


@pytest.mark.parametrize(
    ("beams", "normalised", "helps"), [(3, False, True), (3, True, False), (1, False, False)]
)
def test_beams_that_end_at_once_are_told_what_helps(
    beams: int, normalised: bool, helps: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    _note_silent(summary(), beams, normalised)
    assert ("--length-normalised" in capsys.readouterr().err) == helps
