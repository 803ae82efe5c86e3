"""What headers say agrees with safetensors' own reader; damage is found; fingerprints tell models apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.weights import fingerprint, read_weights, weight_files
from tests.engine.models.vlm.loading.conftest import N_BYTES, N_PARAMETERS

MakeModel = Callable[..., Path]


def print_of(folder: Path) -> str:
    return fingerprint(folder, weight_files(folder))


@pytest.mark.parametrize("shards", [1, 3])
def test_headers_are_read_as_the_format_s_own_library_reads_them(make_model: MakeModel, shards: int) -> None:
    files = weight_files(make_model(shards=shards))
    weights = read_weights(files)
    truth = {}
    for file in files:
        with safe_open(file, framework="np") as opened:
            truth.update({name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()})  # noqa: SIM118
    assert len(files) == shards
    assert weights.tensors == truth
    assert (weights.parameters, weights.bytes, weights.dtype) == (N_PARAMETERS, N_BYTES, "float16")


def test_other_safetensors_beside_the_listed_ones_are_not_read(make_model: MakeModel) -> None:
    folder = make_model(shards=2)
    save_file({"other": np.zeros(3)}, folder / "consolidated.safetensors")
    assert "consolidated.safetensors" not in [path.name for path in weight_files(folder)]


def test_a_missing_shard_is_named(make_model: MakeModel) -> None:
    folder = make_model(shards=3)
    (folder / "model.safetensors-00002-of-00003.safetensors").unlink()
    with pytest.raises(
        GazeError, match=r"1 of 3 weight files are missing: model\.safetensors-00002-of-00003"
    ):
        weight_files(folder)


def test_an_index_cannot_lead_out_of_its_folder(make_model: MakeModel) -> None:
    folder = make_model(shards=2)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    with pytest.raises(GazeError, match="other folders"):
        weight_files(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"weight_map": 3}', '{"weight_map": {"a": 3}}', "[" * 100_000])
def test_a_damaged_index_is_a_sentence(make_model: MakeModel, text: str) -> None:
    folder = make_model(shards=2)
    (folder / "model.safetensors.index.json").write_text(text)
    with pytest.raises(GazeError, match="damaged"):
        weight_files(folder)


def cut(content: bytes) -> bytes:
    return content[:-5]


def longer(content: bytes) -> bytes:
    return content + b"\0"


def in_the_header(content: bytes) -> bytes:
    return content[:20]


def huge_header(content: bytes) -> bytes:
    return (1 << 60).to_bytes(8, "little") + content[8:]


def no_json(content: bytes) -> bytes:
    return content[:8] + b"x" + content[9:]


def wrong_shape(content: bytes) -> bytes:
    return content.replace(b'"shape":[8]', b'"shape":[9]')


@pytest.mark.parametrize("damage", [cut, longer, in_the_header, huge_header, no_json, wrong_shape])
def test_damaged_weight_files_are_found_without_reading_them(
    make_model: MakeModel, damage: Callable[[bytes], bytes]
) -> None:
    file = make_model() / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(damage(content))
    assert file.read_bytes() != content
    with pytest.raises(GazeError, match=r"damaged|no whole safetensors|its header describes"):
        read_weights([file])


def test_the_fingerprint_stays_when_nothing_changes_and_moves(make_model: MakeModel, tmp_path: Path) -> None:
    folder = make_model()
    before = print_of(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    (moved / "README.md").write_text("notes")
    assert print_of(moved) == before
    assert before.startswith("fingerprint-")
    assert len(before) == len("fingerprint-") + 64


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "preprocessor_config.json"])
def test_the_fingerprint_covers_every_byte_of_the_small_files(make_model: MakeModel, name: str) -> None:
    folder = make_model()
    before = print_of(folder)
    (folder / name).write_text((folder / name).read_text() + " ")
    assert print_of(folder) != before


def test_the_fingerprint_covers_code(make_model: MakeModel) -> None:
    folder = make_model()
    before = print_of(folder)
    (folder / "modeling.py").write_text("print('hello')")
    assert print_of(folder) != before


def test_one_weight_of_a_small_model_changes_the_fingerprint(make_model: MakeModel) -> None:
    folder = make_model()
    before = print_of(folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][3] += 1e-3
    save_file(tensors, folder / "model.safetensors")
    assert print_of(folder) != before


def test_large_weights_are_sampled_from_the_first_byte_to_the_last(tmp_path: Path) -> None:
    tensor = np.zeros(3_000_000, np.float32)
    (tmp_path / "config.json").write_text("{}")
    file = tmp_path / "model.safetensors"
    save_file({"w": tensor}, file)
    before = print_of(tmp_path)
    content = bytearray(file.read_bytes())
    for at in (len(content) - 1, len(content) // 63 * 20):
        changed = bytearray(content)
        changed[at] ^= 1
        file.write_bytes(changed)
        assert print_of(tmp_path) != before
    between = len(content) // 126
    content[between] ^= 1
    file.write_bytes(content)
    assert print_of(tmp_path) == before, (
        "the documentation says that changes between the blocks are not noticed"
    )
