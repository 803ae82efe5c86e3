"""One's own captioners: what is wrong with a folder is told by key and by tensor."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig, read_config
from gazeapp.engine.models.captioner.importing.native import check_folder
from gazeapp.engine.models.captioner.io import save_captioner
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.schema import SCHEMA, violations
from gazeapp.engine.resources import resource_path

CONFIG = CaptionerConfig(
    "mine", "Mine", "vit", "transformer", ("<pad>", "<start>", "<end>", "dog"), ("dog",), (),
    input_size=32, grid=(2, 2), width=16, layers=1, heads=2, max_words=4,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_captioner(tmp_path / "mine", Captioner(CONFIG), CONFIG)
    return tmp_path / "mine"


def described(folder: Path, **changes: Any) -> None:
    path = folder / "captioner.json"
    data = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not ...}), "utf-8")


def stored(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    weights = load_file(folder / "weights.safetensors")
    change(weights)
    save_file(weights, folder / "weights.safetensors")
    described(folder, revision="")


def test_a_good_folder_passes_and_is_given_its_revision(folder: Path) -> None:
    before = read_config(folder).revision
    config, findings = check_folder(folder)
    assert config == read_config(folder)
    assert any("sums to one" in line for line in findings.inferred)
    assert any("domain" in line for line in findings.unchecked)
    described(folder, revision="")
    assert check_folder(folder)[0].revision == read_config(folder).revision == before


def test_weights_of_others_are_told(folder: Path) -> None:
    described(folder, revision="0" * 64)
    with pytest.raises(GazeError, match=r"not those that captioner\.json speaks of"):
        check_folder(folder)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hieght": 3}, "'hieght' is not known"),
        ({"vocabulary": ...}, "'vocabulary' is missing"),
        ({"heads": "2"}, "'heads' is to be of the type integer"),
        ({"heads": True}, "'heads' is to be of the type integer"),
        ({"layers": 0}, "'layers' is 0, which is out of range"),
        ({"dropout": 1.5}, "'dropout' is 1.5"),
        ({"decoder": "gru"}, "'decoder' is to be one of 'lstm', 'transformer'"),
        ({"grid": [2]}, "'grid' is to have 2 entries of the type integer"),
        ({"grid": [2, 2.5]}, "'grid' is to have 2 entries of the type integer"),
        ({"vocabulary": ["<pad>", 3]}, "'vocabulary' is to have entries of the type string"),
        ({"mean": 128.0}, "'mean' is to be of the type array"),
        ({"format": 99}, "'format' is 99"),
        ({"std": [0, 1, 1]}, "no std is 0"),
        ({"vocabulary": ["<pad>", "<start>", "dog", "cat"]}, "has <end>"),
    ],
)
def test_keys_are_told(folder: Path, changes: dict[str, Any], told: str) -> None:
    described(folder, **changes)
    with pytest.raises(GazeError, match=told):
        check_folder(folder)


def test_tensors_are_told(folder: Path) -> None:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights["decoder.out.weight"] = torch.zeros(5, 16)
        weights["decoder.more"] = weights.pop("decoder.norm.bias")

    stored(folder, change)
    with pytest.raises(GazeError, match="do not fit") as error:
        check_folder(folder)
    assert "decoder.norm.bias is missing, (16,)" in error.value.what
    assert "decoder.more belongs to no layer" in error.value.what
    assert "decoder.out.weight has the shape (5, 16) instead of (4, 16)" in error.value.what


def test_weights_that_are_no_numbers_are_told(folder: Path) -> None:
    stored(folder, lambda weights: weights["decoder.out.bias"].fill_(torch.inf))
    with pytest.raises(GazeError, match=r"no finite numbers: decoder\.out\.bias"):
        check_folder(folder)


def test_missing_files_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="could not be read"):
        check_folder(tmp_path)
    (folder / "weights.safetensors").write_bytes(b"no safetensors")
    with pytest.raises(GazeError, match="cannot be read"):
        check_folder(folder)


def test_the_schema_has_every_field_and_passes_what_is_written() -> None:
    assert {each.name for each in fields(CaptionerConfig)} | {"format"} == set(SCHEMA["properties"])
    assert violations(json.loads(json.dumps(CONFIG.to_json()))) == []
    assert violations(json.loads(json.dumps(replace(CONFIG, form="royalskye", feed=(3, 4)).to_json()))) == []
    for name in ("cnn-lstm", "vit-transformer"):
        shipped = resource_path("models") / name / "captioner.json"
        assert violations(json.loads(shipped.read_text("utf-8"))) == []


def test_the_schema_in_the_documentation_is_this_one() -> None:
    written = Path("docs/captioner.schema.json")
    assert json.loads(written.read_text("utf-8")) == SCHEMA
