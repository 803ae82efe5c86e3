"""Finding models without torch, loading them, and refusing what cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.io import save_captioner
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.loop import demo_config
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.models.environment import best_device, ensure_torchvision
from gazeapp.engine.models.registry import available_models, load_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own")
    torch.manual_seed(0)
    config = demo_config(TrainSettings(encoder="resnet10t", decoder="lstm"))
    save_captioner(root / "mine", Captioner(config), config)
    return root


def test_own_models_are_found_by_their_folder_or_its_parent(folder: Path) -> None:
    for place in (folder, folder / "mine"):
        info = {info.id: info for info in available_models([place])}["resnet10t-lstm"]
        assert info.kind == "captioner"
        assert info.tasks == ("general", "social")
        assert info.methods == ("alpha",)
        assert len(info.revision) == 64
    assert load_model("resnet10t-lstm", "auto", [folder]).info == info


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
    [({"format": 99}, "newer"), ({"decoder": "gru"}, "not complete"), ({"vocabulary": []}, "not complete")],
)
def test_descriptions_that_cannot_be_used_are_refused(
    change: dict[str, object], message: str, folder: Path, tmp_path: Path
) -> None:
    data = json.loads((folder / "mine" / "captioner.json").read_text("utf-8"))
    (tmp_path / "captioner.json").write_text(json.dumps({**data, **change}), "utf-8")
    with pytest.raises(GazeError, match=message):
        available_models([tmp_path])
    (tmp_path / "captioner.json").write_text("{", "utf-8")
    with pytest.raises(GazeError, match="could not be read"):
        available_models([tmp_path])


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
