"""A tiny Molmo 7B-D with random weights, and what the authors' code made of it; see tests/data/molmo_7b_d."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.models.environment import ensure_torchvision

ensure_torchvision()

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

from gazeapp.engine.models.vlm.molmo_7b_d.load import load_network  # noqa: E402
from gazeapp.engine.models.vlm.molmo_7b_d.preprocess import MolmoProcessor  # noqa: E402


@dataclass(frozen=True)
class Case:
    """One image with the tables of the oracle that belong to it."""

    name: str
    image: np.ndarray
    given: dict[str, np.ndarray]
    output: dict[str, np.ndarray]
    lesion: dict[str, np.ndarray]


def byte_tokenizer() -> Any:
    """Return a tokenizer whose text tokens are the UTF-8 bytes, with the oracle's special tokens."""
    # The alphabet writes each byte as one visible character: those that are visible stand for themselves.
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    vocabulary = {chr(byte): byte for byte in visible}
    vocabulary |= {chr(256 + i): byte for i, byte in enumerate(hidden)}
    vocabulary |= {f"<filler {i}>": i for i in range(257, 512)}
    special = ["<im_start>", "<im_end>", "<im_patch>", "<im_col>", "<|image|>"]
    vocabulary |= {"<|endoftext|>": 256} | {name: 512 + i for i, name in enumerate(special)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(name, special=True) for name in ["<|endoftext|>", *special]])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>")


@pytest.fixture(scope="session")
def data() -> Path:
    return Path(__file__).parents[4] / "data" / "molmo_7b_d"


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return byte_tokenizer()


@pytest.fixture(scope="session")
def processor(tokenizer: Any) -> MolmoProcessor:
    return MolmoProcessor(tokenizer)


@pytest.fixture(scope="session")
def checkpoint(data: Path, tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the public one: configuration, tokenizer, preprocessing, weights."""
    folder = tmp_path_factory.mktemp("molmo")
    tokenizer.save_pretrained(folder)
    for source in ("tiny/config.json", "tiny/model.safetensors", "public/preprocessor_config.json"):
        shutil.copy(data / source, folder)
    return folder


@pytest.fixture(scope="session")
def loaded(checkpoint: Path) -> Any:
    return load_network(checkpoint)


@pytest.fixture
def network(loaded: Any) -> Any:
    """Return the tiny network; tests may change how it computes attention, and hang hooks on it."""
    loaded.set_attn_implementation("sdpa")
    return loaded


@pytest.fixture(scope="session", params=["square", "wide", "grid"])
def case(request: pytest.FixtureRequest, data: Path) -> Case:
    name = request.param
    tables = [dict(np.load(data / f"{kind}_{name}.npz")) for kind in ("input", "output", "lesion")]
    return Case(name, np.array(Image.open(data / f"image_{name}.png").convert("RGB")), *tables)
