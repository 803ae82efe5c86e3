"""Dependencies are installed into an environment of the script's own; needs a package registry."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gazeapp.engine.runners.launch import find_uv
from gazeapp.engine.runners.run import run
from tests.engine.runners import scripts
from tests.engine.runners.conftest import Started

NEEDS = scripts.HEAD.format(dependencies='"iniconfig==2.1.0"', actions='["run"]')
TELLS = (
    NEEDS
    + """
import importlib.metadata, importlib.util, sys
from gazeapp_runner import serve


def run(request, progress):
    names = sorted(found.name for found in importlib.metadata.distributions())
    return {"values": {"names": names, "prefix": sys.prefix, "torch": importlib.util.find_spec("torch") is not None}}


serve(run=run)
"""
)


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip where the registry cannot be reached, as uv itself sees it."""
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "10")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    plain = [find_uv(), "pip", "compile", "--quiet", "--no-header", "-"]
    asked = subprocess.run(
        plain, input=b"iniconfig==2.1.0", capture_output=True, check=False, timeout=60, env=os.environ
    )
    if asked.returncode:
        pytest.skip(f"no package registry can be reached: {asked.stderr.decode()[-200:]}")


def test_a_dependency_is_installed_for_the_script_alone(
    online: None, agreed: Started, tmp_path: Path
) -> None:
    told: list[tuple[int, int, str]] = []
    process = agreed(TELLS)
    values = run(process, {}, tmp_path, progress=lambda *step: told.append(step)).values
    assert values["names"] == ["iniconfig"]
    assert not values["torch"]
    assert Path(values["prefix"]) != Path(sys.prefix)
    assert any("Installed 1 package" in line for line in process.log)
    assert {step[:2] for step in told} == {(0, 0)}
