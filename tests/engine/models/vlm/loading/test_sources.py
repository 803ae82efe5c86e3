"""Names lead to checkpoints: folders, revisions in the hub's cache, and models that are not here."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.sources import hub_name, resolve
from gazeapp.engine.models.vlm.loading.weights import fingerprint, weight_files
from tests.engine.models.vlm.loading.conftest import N_BYTES, N_PARAMETERS

MakeModel = Callable[..., Path]
OLD, NEW = "a" * 40, "b" * 40


def put_into_cache(
    cache: Path, folder: Path, commit: str, name: str = "lab/model", main: bool = True
) -> Path:
    """Lay a checkpoint down as the hub's library does."""
    repository = cache / ("models--" + name.replace("/", "--"))
    snapshot = repository / "snapshots" / commit
    (repository / "blobs").mkdir(parents=True, exist_ok=True)
    (repository / "refs").mkdir(exist_ok=True)
    snapshot.mkdir(parents=True)
    for path in folder.iterdir():
        blob = repository / "blobs" / f"{commit}-{path.name}"
        shutil.copyfile(path, blob)
        (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    if main:
        (repository / "refs" / "main").write_text(commit)
    return snapshot


@pytest.mark.parametrize("shards", [1, 2])
def test_a_folder_is_described_without_its_data(make_model: MakeModel, shards: int) -> None:
    folder = make_model(shards=shards)
    found = resolve(str(folder))
    assert (found.id, found.place, found.folder) == (str(folder), "folder", folder)
    assert (found.model_type, found.architecture) == ("qwen3_vl", "Qwen3VLForConditionalGeneration")
    assert (found.parameters, found.weight_bytes, found.dtype) == (N_PARAMETERS, N_BYTES, "float16")
    assert found.disk_bytes == sum(path.stat().st_size for path in folder.iterdir())
    assert found.revision == fingerprint(folder, weight_files(folder))
    assert found.key_rows == 8, "two layers of four rows; those of the vision encoder do not count"
    assert found.code_files == ()


def test_a_relative_path_is_a_folder(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_model("mine")
    monkeypatch.chdir(folder.parent)
    assert resolve("./mine").folder == folder
    assert resolve("mine").folder == folder


def test_what_a_run_stores_names_no_path_of_this_machine(make_model: MakeModel) -> None:
    folder = make_model()
    assert str(folder.parent) not in json.dumps(resolve(str(folder)).to_json())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("qwen3.5-9b", ("Qwen/Qwen3.5-9B", "")),
        ("Molmo-7B-D", ("allenai/Molmo-7B-D-0924", "")),
        ("qwen3.5-9b@v2", ("Qwen/Qwen3.5-9B", "v2")),
        ("lab/model", ("lab/model", "")),
        ("lab/model@refs/pr/3", ("lab/model", "refs/pr/3")),
    ],
)
def test_names_of_the_hub(name: str, meant: tuple[str, str]) -> None:
    assert hub_name(name) == meant


def test_an_unknown_short_id_gets_a_suggestion() -> None:
    with pytest.raises(GazeError, match=r"no model called 'qwen3.5-9' .*|Did you mean qwen3.5-9b"):
        hub_name("qwen3.5-9")
    with pytest.raises(GazeError, match="Give a short id"):
        hub_name("a b c")


@pytest.mark.usefixtures("cache")
def test_a_model_that_is_not_here() -> None:
    found = resolve("qwen3.5-9b")
    assert (found.id, found.place, found.here, found.revision) == ("Qwen/Qwen3.5-9B", "hub", False, "")
    assert resolve(f"lab/model@{OLD}").revision == OLD


def test_the_cached_revision_that_main_points_to(make_model: MakeModel, cache: Path) -> None:
    put_into_cache(cache, make_model("old"), OLD)
    snapshot = put_into_cache(cache, make_model("new"), NEW)
    found = resolve("lab/model")
    assert (found.place, found.revision, found.folder) == ("cache", NEW, snapshot)
    assert resolve(f"lab/model@{OLD}").revision == OLD
    assert resolve("lab/model@v9").place == "hub"


def test_a_cached_revision_without_a_name_is_found(make_model: MakeModel, cache: Path) -> None:
    put_into_cache(cache, make_model(), OLD, main=False)
    assert resolve("lab/model").revision == OLD


def test_a_download_that_was_not_finished_is_not_here_and_keeps_its_revision(
    make_model: MakeModel, cache: Path
) -> None:
    snapshot = put_into_cache(cache, make_model(shards=2), NEW)
    (snapshot / "model.safetensors-00001-of-00002.safetensors").unlink()
    found = resolve("lab/model")
    assert (found.place, found.revision) == ("hub", NEW)
    for path in snapshot.glob("*.safetensors"):
        path.unlink()
    assert (resolve("lab/model").place, resolve("lab/model").revision) == ("hub", NEW)


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="no such folder"):
        resolve(str(tmp_path / "nothing"))
    with pytest.raises(GazeError, match=r"config\.json is missing"):
        resolve(str(tmp_path))


def test_an_adapter_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(GazeError, match="adapter to another model"):
        resolve(str(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", "{", "\ufeff", "[" * 100_000])
def test_a_damaged_config_is_a_sentence(make_model: MakeModel, text: str) -> None:
    folder = make_model()
    (folder / "config.json").write_text(text)
    with pytest.raises(GazeError, match=r"config\.json"):
        resolve(str(folder))


@pytest.mark.parametrize(
    ("file", "sentence"),
    [("pytorch_model.bin", "can run code"), ("model.gguf", "GGUF"), ("notes.md", "weights are missing")],
)
def test_other_weights_are_refused(make_model: MakeModel, file: str, sentence: str) -> None:
    folder = make_model()
    (folder / "model.safetensors").rename(folder / file)
    with pytest.raises(GazeError, match=sentence) as refused:
        resolve(str(folder))
    assert ("gazeapp convert" in refused.value.todo) == (file == "pytorch_model.bin")


def test_pickles_beside_safetensors_do_no_harm(make_model: MakeModel) -> None:
    folder = make_model()
    (folder / "pytorch_model.bin").write_bytes(b"anything")
    assert resolve(str(folder)).here


AUTO_MAP = {"AutoConfig": "configuration_x.XConfig", "AutoTokenizer": ["tokenization_x.X", None]}


def test_code_that_comes_with_a_model_is_named_and_digested(make_model: MakeModel) -> None:
    folder = make_model(model_type="type_of_nobody", auto_map=AUTO_MAP)
    (folder / "modeling_x.py").write_text("a = 1")
    before = resolve(str(folder))
    assert before.code_files == ("modeling_x.py",)
    (folder / "modeling_x.py").write_text("a = 2")
    after = resolve(str(folder))
    assert len(before.code_digest) == 64
    assert after.code_digest not in ("", before.code_digest)


@pytest.mark.parametrize("model_type", ["molmo", "molmo2", "qwen3_vl", "vision-encoder-decoder"])
def test_models_that_are_implemented_here_need_no_code_of_their_own(
    make_model: MakeModel, model_type: str
) -> None:
    folder = make_model(model_type=model_type, auto_map=AUTO_MAP)
    (folder / "modeling_x.py").write_text("a = 1")
    assert resolve(str(folder)).code_files == ()
    assert resolve(str(folder)).code_digest == ""


def test_code_from_another_repository_is_refused(make_model: MakeModel) -> None:
    folder = make_model(model_type="type_of_nobody", auto_map={"AutoModel": "someone/else--modeling_x.X"})
    with pytest.raises(GazeError, match="someone/else"):
        resolve(str(folder))


def test_quantised_weights_are_said(make_model: MakeModel) -> None:
    folder = make_model(quantization_config={"quant_method": "awq", "bits": 4})
    save_file({"w": np.zeros(100, np.int32)}, folder / "model.safetensors")
    found = resolve(str(folder))
    assert (found.quantised, found.dtype) == ("awq", "i32")
