"""The list of models tells what is here, what could be, and why something cannot be used; without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families import is_supported
from gazeapp.engine.models.vlm.loading.catalogue import KNOWN_MODELS, known_model
from gazeapp.engine.models.vlm.loading.folders import ModelFolders
from gazeapp.engine.models.vlm.loading.listing import ModelRow, known_models
from gazeapp.engine.models.vlm.loading.machine import Machine
from gazeapp.engine.models.vlm.loading.native import is_native
from tests.engine.models.vlm.loading.conftest import N_BYTES
from tests.engine.models.vlm.loading.test_sources import put_into_cache

MakeModel = Callable[..., Path]
MACHINE = Machine(16 * 10**9, 12 * 10**9)


@pytest.fixture
def folders(tmp_path: Path, cache: Path) -> ModelFolders:
    return ModelFolders(tmp_path / "settings" / "model-folders.json")


def by_id(folders: ModelFolders) -> dict[str, ModelRow]:
    rows = known_models(folders, MACHINE)
    assert len({row.id for row in rows}) == len(rows)
    return {row.id: row for row in rows}


def test_well_known_models_are_listed_though_none_is_here(folders: ModelFolders) -> None:
    rows = by_id(folders)
    assert list(rows) == [known.short for known in KNOWN_MODELS]
    assert not any(row.here for row in rows.values())
    assert "18.8 GB" in rows["qwen3.5-9b"].needs[0]
    assert not rows["qwen3.5-9b"].can_run
    assert "main memory" in rows["qwen3.5-9b"].fits
    assert rows["qwen3-vl-2b"].can_run
    assert "float32 in main memory (12.0 GB free)" in rows["qwen3-vl-2b"].fits


def test_the_catalogue_holds_together() -> None:
    shorts = [known.short for known in KNOWN_MODELS]
    assert len(set(shorts)) == len(shorts)
    for known in KNOWN_MODELS:
        assert known.hub_id.count("/") == 1
        assert is_native(known.model_type), known.model_type
        assert known_model(known.hub_id.upper()) is known
        assert "/" not in known.short
        if known.attention_layers is not None:
            assert known.layers is not None
            assert known.attention_layers < known.layers


def test_a_cached_model_is_shown_as_it_is(make_model: MakeModel, cache: Path, folders: ModelFolders) -> None:
    put_into_cache(cache, make_model(), "a" * 40, "Qwen/Qwen3-VL-2B-Instruct")
    put_into_cache(cache, make_model("other"), "b" * 40, "lab/other")
    rows = by_id(folders)
    assert list(rows) == [*(known.short for known in KNOWN_MODELS), "lab/other"]
    here = rows["qwen3-vl-2b"]
    assert (here.place, here.revision, here.size, here.needs) == ("cache", "a" * 40, N_BYTES, ())
    assert rows["lab/other"].revision == "b" * 40


def test_the_newest_revision_is_shown(make_model: MakeModel, cache: Path, folders: ModelFolders) -> None:
    import os

    for commit, when in (("a" * 40, 2_000_000_000), ("b" * 40, 1_000_000_000)):
        snapshot = put_into_cache(cache, make_model(commit[:3]), commit, "lab/other")
        for path in snapshot.iterdir():
            os.utime(path, (when, when))
    assert by_id(folders)["lab/other"].revision == "a" * 40


def test_models_of_other_kinds_in_the_cache_are_left_out(
    make_model: MakeModel, cache: Path, folders: ModelFolders
) -> None:
    text = make_model("text", model_type="llama", architectures=["LlamaForCausalLM"])
    put_into_cache(cache, text, "a" * 40, "lab/text")
    assert "lab/text" not in by_id(folders)


def test_a_type_without_a_layout_says_so(make_model: MakeModel, cache: Path, folders: ModelFolders) -> None:
    assert not is_supported("glm4v")
    folder = make_model(model_type="glm4v", architectures=["Glm4vForConditionalGeneration"])
    put_into_cache(cache, folder, "a" * 40, "lab/glm")
    row = by_id(folders)["lab/glm"]
    assert not row.can_run
    assert "'glm4v'" in row.fits


def test_pickled_weights_of_a_well_known_model_say_what_to_do(
    make_model: MakeModel, cache: Path, folders: ModelFolders
) -> None:
    folder = make_model()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    put_into_cache(cache, folder, "a" * 40, "Qwen/Qwen3-VL-2B-Instruct")
    row = by_id(folders)["qwen3-vl-2b"]
    assert not row.here
    assert "pickle" in row.needs[0]
    assert "convert" in row.needs[0]


def test_code_that_would_run_is_named(make_model: MakeModel, folders: ModelFolders) -> None:
    folder = make_model(model_type="type_of_nobody", auto_map={"AutoModel": "modeling_x.X"})
    (folder / "modeling_x.py").write_text("")
    folders.add(folder)
    assert "modeling_x.py" in by_id(folders)[str(folder)].needs[0]


def test_folders_are_added_once_shown_and_removed(make_model: MakeModel, folders: ModelFolders) -> None:
    first, second = make_model("first"), make_model("second")
    assert folders.add(first).folder == first
    folders.add(second)
    folders.add(first)
    assert ModelFolders(folders.path).all() == (first, second)
    assert list(by_id(folders))[-2:] == [str(first), str(second)]
    assert by_id(folders)[str(first)].name == "first"
    folders.remove(first)
    assert folders.all() == (second,)
    assert first.is_dir()
    assert [path.name for path in folders.path.parent.iterdir()] == ["model-folders.json"]


def test_a_folder_without_a_model_is_not_added(tmp_path: Path, folders: ModelFolders) -> None:
    with pytest.raises(GazeError, match=r"config\.json is missing"):
        folders.add(tmp_path)
    assert not folders.path.exists()


def test_a_folder_that_has_gone_is_listed_with_the_reason(
    make_model: MakeModel, folders: ModelFolders
) -> None:
    folder = make_model()
    folders.add(folder)
    (folder / "model.safetensors").unlink()
    row = by_id(folders)[str(folder)]
    assert not row.can_run
    assert "weights are missing" in row.fits


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "gazeapp model folders"}', "[" * 100_000])
def test_a_damaged_list_is_an_empty_one(folders: ModelFolders, text: str) -> None:
    folders.path.parent.mkdir()
    folders.path.write_text(text)
    assert folders.all() == ()


def test_a_list_that_cannot_be_written_is_a_sentence(make_model: MakeModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GazeError, match="cannot be written"):
        ModelFolders(tmp_path / "file" / "list.json").add(make_model())


def test_listing_imports_no_torch(make_model: MakeModel, cache: Path, folders: ModelFolders) -> None:
    folders.add(make_model())
    put_into_cache(cache, make_model("cached"), "a" * 40, "lab/cached")
    code = (
        "import sys, json; from pathlib import Path\n"
        "from gazeapp.engine.models.vlm.loading.listing import known_models\n"
        "from gazeapp.engine.models.vlm.loading.folders import ModelFolders\n"
        f"rows = known_models(ModelFolders(Path({str(folders.path)!r})))\n"
        "heavy = [name for name in ('torch', 'transformers', 'timm') if name in sys.modules]\n"
        "print(json.dumps([len(rows), rows[-2].id, heavy]))"
    )
    environment = {
        "HF_HUB_CACHE": str(cache),
        "PYTHONPATH": str(Path(__file__).parents[5]),
        "PATH": "/usr/bin:/bin",
    }
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(answer.stdout) == [len(KNOWN_MODELS) + 2, "lab/cached", []]
