"""Small checkpoints, an empty cache of the hub, and a hub that answers on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import save_file

from tests.engine.models.vlm.loading.local_hub import LocalHub

TENSORS = {
    "model.language_model.layers.0.self_attn.k_proj.weight": np.zeros((4, 8), np.float16),
    "model.language_model.layers.1.self_attn.k_proj.weight": np.zeros((4, 8), np.float16),
    "model.visual.blocks.0.attn.k_proj.weight": np.zeros((16, 8), np.float16),
    "model.norm.weight": np.ones(8, np.float32),
}
N_PARAMETERS = 2 * 32 + 128 + 8
N_BYTES = 2 * (2 * 32 + 128) + 4 * 8


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an empty cache that the hub's library uses for the test."""
    folder = tmp_path / "hub-cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return folder


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """Return a hub on this machine, which the hub's library is set to."""
    with LocalHub() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield hub


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a checkpoint of a few numbers into a folder."""

    def make(name: str = "model", shards: int = 1, **config: object) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        values = {"model_type": "qwen3_vl", "architectures": ["Qwen3VLForConditionalGeneration"], **config}
        (folder / "config.json").write_text(json.dumps(values))
        (folder / "preprocessor_config.json").write_text("{}")
        (folder / "tokenizer.json").write_text('{"words": "of the model"}')
        if shards == 1:
            save_file(TENSORS, folder / "model.safetensors")
            return folder
        weight_map = {}
        for k in range(shards):
            file = f"model.safetensors-{k + 1:05d}-of-{shards:05d}.safetensors"
            part = dict(list(TENSORS.items())[k::shards])
            save_file(part, folder / file)
            weight_map.update(dict.fromkeys(part, file))
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
        return folder

    return make
