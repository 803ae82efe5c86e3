"""Finding models without torch, loading them, and refusing what cannot be used."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.io import save_captioner
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.own import captioner_at, captioners_in, register
from gazeapp.engine.models.captioner.training.loop import demo_config
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.models.environment import best_device, ensure_torchvision
from gazeapp.engine.models.named import find_model
from gazeapp.engine.models.registry import available_models, list_captioners, load_found, load_model
from gazeapp.engine.models.vlm.loading import folders as model_folders
from gazeapp.engine.models.vlm.loading.folders import ModelFolders
from gazeapp.engine.models.vlm.loading.listing import known_models


def make(folder: Path, encoder: str = "resnet10t", seed: int = 0) -> Path:
    """Write a tiny captioner with random weights."""
    torch.manual_seed(seed)
    shape = {"input_size": 32, "grid": (2, 2), "width": 16, "state": 16, "attention": 8}
    config = demo_config(TrainSettings(encoder=encoder, decoder="lstm", **shape))
    save_captioner(folder, Captioner(config), config)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own")
    make(root / "mine")
    return root


@pytest.fixture(autouse=True)
def list_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "model-folders.json"
    monkeypatch.setattr(model_folders, "_default_file", lambda: path)
    return path


def test_own_models_are_found_by_their_folder_or_its_parent(folder: Path) -> None:
    for place in (folder, folder / "mine"):
        info = {info.id: info for info in available_models([place])}["resnet10t-lstm"]
        assert info.kind == "captioner"
        assert (info.encoder, info.decoder, info.facts["network"]) == ("cnn", "lstm", "resnet10t")
        assert info.tasks == ("general", "social")
        assert info.methods[0] == "alpha"
        assert len(info.revision) == 64
        assert info.checkpoint == str(folder / "mine")
    assert load_model("resnet10t-lstm", "auto", [folder]).info == info


def test_captioners_on_the_list_are_offered_like_those_that_ship(folder: Path) -> None:
    shipped = available_models()
    assert [info.id for info in register(folder)] == ["resnet10t-lstm"]
    assert [info.id for info in available_models()] == [*(info.id for info in shipped), "resnet10t-lstm"]
    assert load_model("resnet10t-lstm").info.checkpoint == str(folder / "mine")
    assert str(folder) not in [row.id for row in known_models()]  # it is no vision-language model
    register(folder)
    assert ModelFolders().all() == (folder,)
    ModelFolders().remove(folder)
    assert available_models() == shipped


def test_a_captioner_goes_by_the_path_of_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = available_models()
    info = find_model(str(folder / "mine"), listed)
    assert (info.id, info.checkpoint) == ("resnet10t-lstm", str(folder / "mine"))
    monkeypatch.chdir(folder)
    assert find_model("mine", listed) == info
    assert load_found(info).info is info
    with pytest.raises(GazeError, match="holds 1 captioners") as refused:
        find_model(str(folder), listed)
    assert str(folder / "mine") in refused.value.todo
    (folder / "young" / "training").mkdir(parents=True)
    (folder / "young" / "training" / "status.json").write_text("{}")
    with pytest.raises(GazeError, match="not trained to the end"):
        captioner_at(str(folder / "young"), listed)


def test_two_captioners_with_one_id_are_told_apart_and_copies_are_not(tmp_path: Path) -> None:
    one, other = make(tmp_path / "a", "vit", 1), make(tmp_path / "b", "vit", 2)
    shutil.copytree(one, tmp_path / "c")
    found = list_captioners([tmp_path])
    ids = [info.id for info in found.models if info.checkpoint.startswith(str(tmp_path))]
    revisions = [json.loads((place / "captioner.json").read_text())["revision"] for place in (one, other)]
    assert ids == [f"vit-lstm-{revision[:8]}" for revision in revisions]  # the one that ships keeps the id
    assert "vit-lstm" in [info.id for info in found.models]
    assert len(found.notes) == 2
    by_path = find_model(str(other), found.models)
    assert by_path == next(info for info in found.models if info.id == ids[1])
    assert find_model(str(tmp_path / "c"), found.models).checkpoint == str(one)
    # The same one by its path alone, and from the list, is filed under one id.
    assert find_model(str(other), available_models()).id == ids[1]


def test_a_broken_folder_is_a_problem_and_not_the_end_of_the_list(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "mine", tmp_path / "good")
    make(tmp_path / "broken", seed=3)
    (tmp_path / "broken" / "captioner.json").write_text("{", "utf-8")
    (tmp_path / "bare").mkdir()
    data = json.loads((folder / "mine" / "captioner.json").read_text("utf-8"))
    (tmp_path / "bare" / "captioner.json").write_text(json.dumps({**data, "revision": ""}), "utf-8")
    found = list_captioners([tmp_path])
    assert found.models[-1].checkpoint == str(tmp_path / "good")
    assert [Path(problem.where).parent.name for problem in found.problems] == [tmp_path.name, "broken"]
    with pytest.raises(GazeError, match="could not be read"):
        register(tmp_path / "broken")
    with pytest.raises(GazeError, match="no captioner in this folder"):
        register(tmp_path / "settings")


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from gazeapp.engine.models.registry import available_models; available_models();"
        "print([m for m in ('torch', 'timm', 'torchvision', 'transformers') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_unknown_models_are_refused() -> None:
    with pytest.raises(GazeError, match="no model called 'nobody'"):
        load_model("nobody")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "newer"),
        ({"decoder": "gru"}, "not as it should be"),
        ({"vocabulary": []}, "not complete"),
    ],
)
def test_descriptions_that_cannot_be_used_are_refused(
    change: dict[str, object], message: str, folder: Path, tmp_path: Path
) -> None:
    data = json.loads((folder / "mine" / "captioner.json").read_text("utf-8"))
    (tmp_path / "captioner.json").write_text(json.dumps({**data, **change}), "utf-8")
    with pytest.raises(GazeError, match=message):
        find_model(str(tmp_path), ())
    assert captioners_in(tmp_path) == [tmp_path]


def test_descriptions_survive_json() -> None:
    config = demo_config(TrainSettings())
    assert CaptionerConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_torchvision_can_be_imported_and_devices_resolve() -> None:
    ensure_torchvision()
    ensure_torchvision()
    import timm

    assert timm.is_model("resnet18")
    assert best_device("cpu") == "cpu"
    assert best_device("auto") in ("cuda", "mps", "cpu")
    with pytest.raises(GazeError, match="has no device 'abacus'"):
        best_device("abacus")
