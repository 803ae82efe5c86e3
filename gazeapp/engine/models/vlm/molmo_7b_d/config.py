"""What a Molmo 7B-D checkpoint says about itself, and the rules that its ``config.json`` leaves out.

Source: the public configuration of Molmo 7B-D-0924 and its authors' code (allenai/molmo at commit
793fa387), whose constants are the defaults below.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import Json

MODEL_TYPE = "molmo"

# Settings of the same authors' other models (7B-O, 1B) that change the arithmetic. Those models would load
# in part and speak nonsense, so anything else than these values is refused by name.
_ARITHMETIC: Json = {
    "layer_norm_type": "rms",
    "qkv_bias": True,
    "clip_qkv": None,
    "attention_layer_norm": False,
    "norm_after": False,
    "weight_tying": False,
    "tie_word_embeddings": False,
    "use_position_ids": True,
}

# What the preprocessing here does, in the words of the checkpoint's preprocessor_config.json.
_PREPROCESSING: Json = {
    "max_crops": 12,
    "overlap_margins": [4, 4],
    "base_image_input_size": [336, 336],
    "image_token_length_w": 12,
    "image_token_length_h": 12,
    "image_patch_size": 14,
    "image_padding_mask": True,
    "do_normalize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


@dataclass(frozen=True, slots=True)
class VisionSizes:
    """Sizes of the vision encoder; the defaults are those of Molmo 7B-D.

    Parameters
    ----------
    width, heads, head_width, blocks, mlp_width
        Of the transformer.
    positions
        Learned positions: the class token and 24 x 24 patches.
    norm_eps
        Of its layer norms.
    taken_blocks
        Blocks whose outputs are joined into the features, counted from the end, in this order.
    """

    width: int = 1024
    heads: int = 16
    head_width: int = 64
    blocks: int = 23
    mlp_width: int = 4096
    positions: int = 577
    norm_eps: float = 1e-5
    taken_blocks: tuple[int, ...] = (-2, -9)

    def __post_init__(self) -> None:
        # A list when it was read from JSON.
        object.__setattr__(self, "taken_blocks", tuple(self.taken_blocks))


@dataclass(frozen=True, slots=True)
class MolmoSizes:
    """Sizes of the whole model.

    Parameters
    ----------
    vocabulary
        Rows of the word table and of the output; words that can be said.
    extra_words
        Rows of the second word table, which holds the tokens of the image; these cannot be said.
    width, blocks, heads, key_value_heads
        Of the language model.
    mlp_width
        Width of the gated layer, half of what ``config.json`` calls ``intermediate_size``.
    longest
        Tokens that a prompt and its answer may have together.
    rope_theta, norm_eps
        Of the language model.
    vision
        Sizes of the vision encoder.
    """

    vocabulary: int
    width: int
    mlp_width: int
    blocks: int
    heads: int
    key_value_heads: int
    longest: int
    rope_theta: float
    norm_eps: float
    extra_words: int = 128
    vision: VisionSizes = field(default_factory=VisionSizes)


def read_sizes(folder: Path) -> MolmoSizes:
    """Read ``config.json`` of a checkpoint folder, and check that its model is computed as Molmo 7B-D is.

    Raises
    ------
    GazeError
        If the file is missing or unreadable, or describes another model; the setting is named.
    """
    config = _read_json(folder / "config.json")
    where = str(folder / "config.json")
    if config.get("model_type") != MODEL_TYPE:
        raise GazeError(f"This is a model of type '{config.get('model_type')}', not Molmo 7B-D.", where=where)
    _refuse_other(config, _ARITHMETIC, "computed", where)
    try:
        return _sizes(config)
    except KeyError as error:
        raise GazeError(f"The configuration does not say '{error.args[0]}'.", where=where) from error
    except (TypeError, ValueError) as error:
        raise GazeError(f"A size in the configuration is not a number: {error}.", where=where) from error


def check_preprocessing(folder: Path) -> None:
    """Check that a checkpoint's own preprocessing settings, if it has any, are the ones used here.

    Raises
    ------
    GazeError
        If one of them differs; it is named.
    """
    path = folder / "preprocessor_config.json"
    if path.is_file():
        _refuse_other(_read_json(path), _PREPROCESSING, "shown images", str(path))


def _sizes(config: Json) -> MolmoSizes:
    return MolmoSizes(
        # The larger of the two; the table may have rows for words that do not exist.
        vocabulary=int(config.get("embedding_size") or config["vocab_size"]),
        width=int(config["hidden_size"]),
        mlp_width=int(config["intermediate_size"]) // 2,
        blocks=int(config["num_hidden_layers"]),
        heads=int(config["num_attention_heads"]),
        key_value_heads=int(config.get("num_key_value_heads") or config["num_attention_heads"]),
        longest=int(config["max_position_embeddings"]),
        rope_theta=float(config["rope_theta"]),
        norm_eps=float(config["layer_norm_eps"]),
        extra_words=int(config.get("additional_vocab_size", 128)),
        vision=_vision_sizes(config.get("vision", {}), config.get("vit_layers")),
    )


def _vision_sizes(vision: Json, taken_blocks: list[int] | None) -> VisionSizes:
    """Read the sizes of the encoder; the public checkpoint says none, as they are fixed in its code."""
    public = VisionSizes()
    return VisionSizes(
        width=int(vision.get("image_emb_dim", public.width)),
        heads=int(vision.get("image_num_heads", public.heads)),
        head_width=int(vision.get("image_head_dim", public.head_width)),
        blocks=int(vision.get("image_num_layers", public.blocks)),
        mlp_width=int(vision.get("image_mlp_dim", public.mlp_width)),
        positions=int(vision.get("image_num_pos", public.positions)),
        norm_eps=float(vision.get("image_norm_eps", public.norm_eps)),
        taken_blocks=tuple(taken_blocks or public.taken_blocks),
    )


def _refuse_other(said: Json, expected: Json, verb: str, where: str) -> None:
    other = [name for name, value in expected.items() if said.get(name, value) != value]
    if other:
        words = ", ".join(f"{name} = {said[name]} (not {expected[name]})" for name in other)
        raise GazeError(
            f"This model is {verb} in another way than Molmo 7B-D: {words}.",
            where=where,
            todo="Use the checkpoint Molmo-7B-D-0924.",
        )


def _read_json(path: Path) -> Json:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GazeError(
            "There is no such file.", where=str(path), todo="Download the model again."
        ) from error
    except (OSError, ValueError) as error:
        raise GazeError(f"This file cannot be read: {error}", where=str(path)) from error
    if not isinstance(content, dict):
        raise GazeError("This file does not hold a configuration.", where=str(path))
    return content
