from __future__ import annotations

import json
from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.molmo_7b_d.config import MolmoSizes, check_preprocessing, read_sizes


def changed(folder: Path, source: Path, **settings: object) -> Path:
    """Write a configuration with some settings changed, or taken out where they are ``...``."""
    content = json.loads(source.read_text()) | settings
    path = folder / source.name
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not ...}))
    return folder


def test_public_configuration_has_the_published_sizes(data: Path) -> None:
    sizes = read_sizes(data / "public")
    # The second table and the encoder are fixed in the authors' code; the public file says nothing of them.
    assert sizes == MolmoSizes(
        vocabulary=152064, width=3584, mlp_width=18944, blocks=28, heads=28, key_value_heads=4, longest=4096,
        rope_theta=1e6, norm_eps=1e-6,
    )  # fmt: skip
    assert (sizes.extra_words, sizes.vision.blocks, sizes.vision.taken_blocks) == (128, 23, (-2, -9))


def test_tiny_configuration_says_its_own_encoder(data: Path) -> None:
    vision = read_sizes(data / "tiny").vision
    assert (vision.width, vision.heads, vision.head_width, vision.blocks, vision.mlp_width) == (
        32,
        4,
        8,
        10,
        64,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attention_layer_norm", True),
        ("norm_after", True),
        ("qkv_bias", False),
        ("clip_qkv", 8.0),
        ("layer_norm_type", "low_precision"),
        ("weight_tying", True),
    ],
)
def test_models_that_compute_otherwise_are_refused_by_the_setting(
    data: Path, tmp_path: Path, name: str, value: object
) -> None:
    with pytest.raises(GazeError, match=f"{name} = {value}"):
        read_sizes(changed(tmp_path, data / "tiny/config.json", **{name: value}))


def test_other_types_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="type 'molmo2', not Molmo 7B-D"):
        read_sizes(changed(tmp_path, data / "tiny/config.json", model_type="molmo2"))


@pytest.mark.parametrize("value", [..., "many"])
def test_missing_and_wordy_sizes_are_said(data: Path, tmp_path: Path, value: object) -> None:
    with pytest.raises(GazeError, match=r"hidden_size|not a number"):
        read_sizes(changed(tmp_path, data / "tiny/config.json", hidden_size=value))


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_unreadable_configurations_are_said(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(GazeError, match=r"config\.json"):
        read_sizes(tmp_path)


def test_another_preprocessing_is_refused_by_the_setting(data: Path, tmp_path: Path) -> None:
    check_preprocessing(tmp_path)  # none is none of another kind
    check_preprocessing(data / "public")
    with pytest.raises(GazeError, match=r"max_crops = 36 \(not 12\)"):
        check_preprocessing(changed(tmp_path, data / "public/preprocessor_config.json", max_crops=36))
