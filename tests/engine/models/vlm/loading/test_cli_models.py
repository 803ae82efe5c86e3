"""The commands about models, on a hub of this machine."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from gazeapp.cli import main
from gazeapp.engine import consent
from gazeapp.engine.consent import REMOTE_CODE, ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading import transfer
from gazeapp.engine.models.vlm.loading.sources import resolve
from gazeapp.engine.project import Project
from tests.engine.models.vlm.loading.local_hub import LocalHub


@pytest.fixture(autouse=True)
def own_consents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "consents.json"
    monkeypatch.setattr(consent, "default_consent_file", lambda: file)
    monkeypatch.setattr(transfer, "_PAUSE", 0.01)
    return file


def run(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, list(words), input=answer)


def test_a_download_says_how_much_from_where_and_asks(
    make_model: Callable[..., Path], hub: LocalHub, cache: Path
) -> None:
    hub.add("lab/small", make_model())
    refused = run("download", "lab/small", answer="n\n")
    assert refused.exit_code == 1
    assert hub.address in refused.output
    assert "Nothing was downloaded" in refused.output
    assert not cache.exists() or not list(cache.rglob("*.safetensors"))
    done = run("download", "lab/small", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert len(list(cache.rglob("*.safetensors"))) == 1
    listed = json.loads(run("models", "--json").output)
    row = next(row for row in listed if row["id"] == "lab/small")
    assert row["here"]
    assert {"captioner", "vlm", "runner"} == {row["kind"] for row in listed}
    assert "lab/small" in run("models").output


def test_an_unknown_model_is_told_in_a_sentence(hub: LocalHub, cache: Path) -> None:
    told = run("download", "lab/nothing", "--yes")
    assert told.exit_code == 1
    assert "lab/nothing" in told.output
    assert "Traceback" not in told.output


def test_pickled_weights_are_converted_as_their_refusal_says(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    folder, new = make_model("pickled"), tmp_path / "new"
    told = run("convert", str(folder), str(new))
    assert told.exit_code == 1
    assert "safetensors already" in told.output
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(GazeError) as refused:
        resolve(str(folder))
    words = re.search("`gazeapp (.*)`", refused.value.todo)
    assert words is not None
    taken = run("convert", str(folder), str(folder / "pytorch_model.bin"))
    assert (taken.exit_code, "has to be empty" in taken.output) == (1, True)
    done = run(*shlex.split(words[1].replace("NEW_FOLDER", str(new))))
    assert done.exit_code == 0, done.output
    assert str(new / "model.safetensors") in done.output
    assert resolve(str(new)).here
    assert load_file(new / "model.safetensors").keys() == weights.keys()


def test_code_of_a_model_is_agreed_to_once(make_model: Callable[..., Path], own_consents: Path) -> None:
    folder = make_model(
        "odd",
        model_type="odd",
        auto_map={"AutoConfig": "code_of_odd.OddConfig", "AutoModel": "code_of_odd.Odd"},
    )
    (folder / "code_of_odd.py").write_text("raise SystemExit('must not run')\n")
    refused = run("allow-code", str(folder), answer="n\n")
    assert refused.exit_code == 1
    assert "code_of_odd.py" in refused.output
    assert not ConsentStore(own_consents).all()
    assert run("allow-code", str(folder), answer="y\n").exit_code == 0
    (given,) = ConsentStore(own_consents).all()
    assert given.kind == REMOTE_CODE
    assert "no code" in run("allow-code", str(make_model("plain"))).output


def test_prompts_are_shown_and_changed(tmp_path: Path) -> None:
    path = tmp_path / "study.gaze"
    with Project.create(path) as project:
        project.tasks.add("general")
        project.tasks.add("social")
    assert "general, version 0" in run("prompt", str(path)).output
    assert run("prompt", str(path), "social", "--text", "What do they do?").exit_code == 0
    rows = json.loads(run("prompt", str(path), "social", "--json").output)
    assert [(row["version"], row["current"]) for row in rows] == [(0, False), (1, True)]
    assert rows[1]["text"] == "What do they do?"
    assert run("prompt", str(path), "--text", "For whom?").exit_code == 2
    assert run("prompt", str(path), "nothing").exit_code == 1
    assert run("prompt", str(path), "social", "--text", " ").exit_code == 1
