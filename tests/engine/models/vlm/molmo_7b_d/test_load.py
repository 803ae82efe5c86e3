from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.molmo_7b_d.config import read_sizes
from gazeapp.engine.models.vlm.molmo_7b_d.load import (
    check_tensors,
    load_network,
    load_processor,
    needed_shapes,
    stored_shapes,
)


@pytest.fixture
def altered(checkpoint: Path, tmp_path: Path) -> Callable[[Callable[[dict[str, torch.Tensor]], Any]], Path]:
    """Return a function that makes a checkpoint whose weights were changed by another function."""

    def make(change: Callable[[dict[str, torch.Tensor]], Any]) -> Path:
        for path in checkpoint.iterdir():
            if path.suffix == ".json":
                shutil.copy(path, tmp_path)
        weights = load_file(checkpoint / "model.safetensors")
        change(weights)
        save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
        return tmp_path

    return make


def test_needs_exactly_the_585_tensors_of_the_public_checkpoint(data: Path) -> None:
    public = json.loads((data / "public/tensors.json").read_text())
    assert len(public) == 585
    assert needed_shapes(read_sizes(data / "public")) == {
        name: tuple(shape) for name, shape in public.items()
    }


def test_reads_names_and_shapes_from_one_file_and_from_several(checkpoint: Path, tmp_path: Path) -> None:
    weights = load_file(checkpoint / "model.safetensors")
    expected = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    assert stored_shapes(checkpoint) == expected
    split_into_two(weights, tmp_path)
    assert stored_shapes(tmp_path) == expected


def test_several_files_make_the_same_network(checkpoint: Path, tmp_path: Path, network: Any) -> None:
    for path in checkpoint.glob("*.json"):
        shutil.copy(path, tmp_path)
    split_into_two(load_file(checkpoint / "model.safetensors"), tmp_path)
    again = load_network(tmp_path, dtype=torch.float32).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in network.state_dict().items())


def test_loaded_weights_are_the_stored_ones_and_the_end_of_an_answer_is_known(
    checkpoint: Path, network: Any
) -> None:
    stored = load_file(checkpoint / "model.safetensors")
    held = network.state_dict()
    assert set(held) == set(stored)
    assert all(torch.equal(tensor, held[name]) for name, tensor in stored.items())
    assert network.generation_config.eos_token_id == 256
    assert not network.training


def test_says_what_transformers_says_about_the_loading(checkpoint: Path) -> None:
    network, info = load_network(checkpoint, dtype=torch.bfloat16, output_loading_info=True)
    assert network.dtype == torch.bfloat16
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]


def test_a_missing_tensor_is_named(altered: Any) -> None:
    folder = altered(lambda weights: weights.pop("model.vision_backbone.pad_embed"))
    with pytest.raises(GazeError, match=r"Missing: model\.vision_backbone\.pad_embed\."):
        load_network(folder)


def test_an_unknown_tensor_is_named(altered: Any) -> None:
    folder = altered(
        lambda weights: weights.update({"model.transformer.blocks.0.q_norm.weight": torch.ones(3)})
    )
    with pytest.raises(GazeError, match=r"Unknown: model\.transformer\.blocks\.0\.q_norm\.weight\."):
        load_network(folder)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(altered: Any) -> None:
    name = "model.transformer.wte.new_embedding"
    folder = altered(lambda weights: weights.update({name: torch.zeros(64, 48)}))
    with pytest.raises(GazeError, match=r"wte\.new_embedding is 64 x 48, not 128 x 48\."):
        load_network(folder)


def test_many_are_named_in_part_and_counted(altered: Any) -> None:
    def take_out(weights: dict[str, torch.Tensor]) -> None:
        for name in [name for name in weights if ".blocks.2." in name]:
            del weights[name]

    with pytest.raises(GazeError, match="blocks") as error:
        load_network(altered(take_out))
    assert error.value.what.count("blocks.2") == 3
    assert "and 4 more" in error.value.what


def test_the_tiny_checkpoint_is_not_the_public_model(data: Path, checkpoint: Path) -> None:
    with pytest.raises(GazeError, match=r"Missing: .* Of another shape: ") as error:
        check_tensors(checkpoint, read_sizes(data / "public"))
    assert "152064 x 3584" in error.value.what


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.pth"])
def test_weights_as_python_objects_are_refused(checkpoint: Path, tmp_path: Path, name: str) -> None:
    for path in checkpoint.glob("*.json"):
        shutil.copy(path, tmp_path)
    (tmp_path / name).write_bytes(b"not even read")
    with pytest.raises(GazeError, match=r"no weights in safetensors.*can run code"):
        load_network(tmp_path)


def test_a_lost_part_and_a_cut_off_file_are_said(checkpoint: Path, tmp_path: Path) -> None:
    for path in checkpoint.glob("*.json"):
        shutil.copy(path, tmp_path)
    split_into_two(load_file(checkpoint / "model.safetensors"), tmp_path)
    part = tmp_path / "model-2.safetensors"
    whole = part.read_bytes()
    part.write_bytes(whole[:-4])
    with pytest.raises(GazeError, match=r"model-2\.safetensors.* bytes"):
        load_network(tmp_path)
    part.unlink()
    with pytest.raises(GazeError, match=r"missing: model-2\.safetensors"):
        load_network(tmp_path)


def test_the_processor_comes_with_the_checkpoint(checkpoint: Path, processor: Any) -> None:
    opened = load_processor(checkpoint)
    text = " User: naïve → 3.14 Assistant:"
    assert opened.tokenizer.encode(text, add_special_tokens=False) == list(text.encode())
    assert opened.start_id == processor.start_id == 256


def test_a_folder_without_tokenizer_is_said(checkpoint: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        shutil.copy(checkpoint / name, tmp_path)
    with pytest.raises(GazeError, match="tokenizer"):
        load_network(tmp_path)


def split_into_two(weights: dict[str, torch.Tensor], folder: Path) -> None:
    names = sorted(weights)
    half = len(names) // 2
    parts = {"model-1.safetensors": names[:half], "model-2.safetensors": names[half:]}
    for part, held in parts.items():
        save_file({name: weights[name] for name in held}, folder / part, metadata={"format": "pt"})
    places = {name: part for part, held in parts.items() for name in held}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
