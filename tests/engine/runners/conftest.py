"""Runners in tests: a cache of their own, no network unless a test says so, and a user who has agreed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.runners.process import RunnerProcess
from gazeapp.engine.runners.script import read_script
from tests.engine.runners import scripts

Started = Callable[..., RunnerProcess]


@pytest.fixture(scope="session")
def runner_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runner-cache")


@pytest.fixture(autouse=True)
def own_environment(runner_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(runner_cache / "uv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(runner_cache))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    monkeypatch.setenv("UV_OFFLINE", "1")
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(exchange))


@pytest.fixture
def consents(tmp_path: Path) -> ConsentStore:
    return ConsentStore(tmp_path / "consents.json")


@pytest.fixture
def agreed(tmp_path: Path, consents: ConsentStore) -> Iterator[Started]:
    """Make a process of a script's text that the user has agreed to."""
    made: list[RunnerProcess] = []

    def make(text: str = scripts.SERVED, **times: float) -> RunnerProcess:
        script = read_script(scripts.write(tmp_path, text))
        script.agree(consents)
        made.append(RunnerProcess(script, consents, **times))
        return made[-1]

    yield make
    for process in made:
        process.close()
