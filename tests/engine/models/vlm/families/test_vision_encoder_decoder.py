from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.families.vision_encoder_decoder import FAMILY, ImageAndText, encoder_grid
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import keep_patches_apart, settle, sharpen, tokenizer

ENCODER = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}


def _gpt2(words: Any, layers: int = 2) -> Any:
    from transformers import GPT2Config

    return GPT2Config(
        vocab_size=len(words),
        n_embd=48,
        n_layer=layers,
        n_head=4,
        add_cross_attention=True,
        is_decoder=True,
        bos_token_id=1,
        eos_token_id=2,
    )


def _bert(words: Any) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        add_cross_attention=True,
        is_decoder=True,
    )


def _model(encoder: Any, decoder: Any, processor: ImageAndText) -> VisionLanguageModel:
    from transformers import VisionEncoderDecoderConfig, VisionEncoderDecoderModel

    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id = 1
    config.pad_token_id = 0
    network = VisionEncoderDecoderModel(config=config)
    network.generation_config.decoder_start_token_id = 1
    settle(network)
    keep_patches_apart(network.encoder)
    model = checks.wrap(network, processor, FAMILY)
    sharpen([getattr(tap.module, "q_attn", None) or tap.module.query for tap in model.taps], 24.0)
    return model


def _vit_gpt2() -> VisionLanguageModel:
    from transformers import ViTConfig, ViTImageProcessor

    words = tokenizer()
    encoder = ViTConfig(image_size=64, patch_size=8, **ENCODER)
    return _model(
        encoder, _gpt2(words), ImageAndText(ViTImageProcessor(size={"height": 64, "width": 64}), words)
    )


def states_changed(model: VisionLanguageModel, image: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Return how much the state of each patch changes from one picture to the other, as the decoder reads it."""
    found = []
    for picture in (image, painted):
        prepared = checks.prepare(model, picture)
        seen: list[torch.Tensor] = []

        def look(_module: Any, _args: Any, kwargs: Any, seen: Any = seen) -> None:
            seen.append(kwargs["encoder_hidden_states"][0])

        handle = model.family.text_decoder(model.network).register_forward_pre_hook(look, with_kwargs=True)
        try:
            with torch.no_grad():
                model.generate(prepared, checks.OPTIONS)
        finally:
            handle.remove()
        found.append(seen[0][torch.as_tensor(prepared.layout.columns)].numpy())
    return np.linalg.norm(found[1] - found[0], axis=1).astype(np.float32)


def test_vit_gpt2() -> None:
    model = _vit_gpt2()
    assert [tap.layer for tap in model.taps] == [0, 1]
    checks.check_all(model, ((128, 128), (200, 96)), loud=states_changed)
    checks.check_rows_equal_eager(model, checks.noise(96, 128), tolerance=1e-5)
    layout = checks.prepare(model, checks.noise(96, 128)).layout
    assert layout.columns.tolist() == list(range(1, 65))  # column 0 is CLS, which is no place
    first = model.describe(checks.noise(96, 128), "general", "attention-L0-H1", checks.OPTIONS)
    every = model.describe(checks.noise(96, 128), "general", "", checks.OPTIONS)
    assert np.abs(first.maps - every.maps).max() > 1e-4


def test_a_distillation_token_and_a_crop() -> None:
    from transformers import DeiTConfig, DeiTImageProcessor

    words = tokenizer()
    encoder = DeiTConfig(image_size=64, patch_size=8, **ENCODER)
    size, crop = {"height": 72, "width": 72}, {"height": 64, "width": 64}
    pictures = DeiTImageProcessor(size=size, crop_size=crop, do_center_crop=True)
    model = _model(encoder, _gpt2(words), ImageAndText(pictures, words))
    layout = checks.prepare(model, checks.noise(144, 72)).layout
    assert layout.columns.tolist() == list(range(2, 66))
    # 72 px of the resized picture are 144 px across and 72 px down; 4 of them are cut off on each side.
    assert layout.views[0].column_edges.tolist() == pytest.approx(np.linspace(8, 136, 9))
    assert layout.views[0].row_edges.tolist() == pytest.approx(np.linspace(4, 68, 9))
    checks.check_rows_equal_eager(model, checks.noise(144, 72))
    checks.check_painting(model, 144, 72, states_changed)


def test_swin_joins_tokens_and_pads_and_bert_decodes() -> None:
    from transformers import SwinConfig, ViTImageProcessor

    words = tokenizer()
    encoder = SwinConfig(
        image_size=72, patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[1, 2], window_size=3
    )
    pictures = ViTImageProcessor(size={"height": 72, "width": 76})
    model = _model(encoder, _bert(words), ImageAndText(pictures, words))
    prepared = checks.prepare(model, checks.noise(152, 144))
    (view,) = prepared.layout.views
    # 76 / 8 = 9.5 tokens across: the tenth is half padding.
    assert view.columns.shape == (9, 10)
    assert view.column_edges.tolist() == pytest.approx(np.linspace(0, 160, 11))
    assert len(model.taps) == 2
    checks.check_rows_equal_eager(model, checks.noise(152, 144))
    checks.check_painting(model, 152, 144, states_changed)


def test_every_encoder_state_is_a_patch_or_a_leading_token() -> None:
    import transformers

    swin = {"embed_dim": 16, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4, "patch_size": 4}
    for name in ("ViT", "DeiT", "Beit", "Dinov2", "Swin", "Swinv2"):
        size = swin if name.startswith("Swin") else {"patch_size": 8, **ENCODER}
        config = getattr(transformers, f"{name}Config")(image_size=32, **size)
        pixels = torch.zeros(1, 3, 32, 32)
        with torch.no_grad():
            states = getattr(transformers, f"{name}Model")(config).eval()(pixels).last_hidden_state
        layout = encoder_grid(config).layout(transformers.ViTImageProcessor(), pixels, 32, 32)
        assert layout.columns.size == 16
        assert layout.columns.tolist() == list(range(states.shape[1] - 16, states.shape[1])), name


def test_a_roberta_decodes() -> None:
    from transformers import RobertaConfig, ViTConfig, ViTImageProcessor

    words = tokenizer()
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    decoder = RobertaConfig(
        vocab_size=len(words), add_cross_attention=True, is_decoder=True, pad_token_id=0, **size
    )
    pictures = ViTImageProcessor(size={"height": 32, "width": 32})
    model = _model(ViTConfig(image_size=32, patch_size=8, **ENCODER), decoder, ImageAndText(pictures, words))
    assert len(model.taps) == 2
    checks.check_rows_equal_eager(model, checks.noise(64, 32))


def test_half_precision() -> None:
    model = _vit_gpt2()
    model.network.bfloat16()
    checks.check_masked_keys(model, checks.noise(96, 64))


def test_an_unknown_encoder_is_refused() -> None:
    from transformers import PvtConfig

    with pytest.raises(GazeError, match="'pvt'"):
        encoder_grid(PvtConfig())


def test_vit_gpt2_at_its_real_size() -> None:
    from transformers import VisionEncoderDecoderConfig, ViTConfig, ViTImageProcessor

    words = tokenizer()
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(), _gpt2(words))
    image = Image.fromarray(checks.noise(640, 480))
    prepared = FAMILY.prepare(ImageAndText(ViTImageProcessor(), words), config, image, "what is it?")
    (view,) = prepared.layout.views
    assert tuple(prepared.inputs["pixel_values"].shape) == (1, 3, 224, 224)
    assert view.columns.tolist() == (1 + np.arange(196).reshape(14, 14)).tolist()
    assert view.column_edges.tolist() == pytest.approx((np.arange(15) * 640 / 14).tolist())
    assert view.row_edges.tolist() == pytest.approx((np.arange(15) * 480 / 14).tolist())
    assert prepared.prompt == ""


def test_the_family_loads_what_such_checkpoints_hold(tmp_path: Any) -> None:
    model = _vit_gpt2()
    model.network.save_pretrained(tmp_path)
    model.processor.image_processor.save_pretrained(tmp_path)
    model.processor.tokenizer.save_pretrained(tmp_path)
    family = family_of("vision-encoder-decoder")
    network = family.load_network(str(tmp_path), use_safetensors=True, local_files_only=True)
    processor = family.load_processor(str(tmp_path), local_files_only=True)
    network.generation_config.eos_token_id = None
    again = checks.wrap(network.eval(), processor, family)
    image = checks.noise(96, 64)
    expected = model.describe(image, "general", options=checks.OPTIONS)
    caption = again.describe(image, "general", options=checks.OPTIONS)
    assert caption.facts["tokens"] == expected.facts["tokens"]
    assert np.allclose(caption.maps, expected.maps, atol=1e-6)


def test_given_words_have_the_numbers_of_one_pass_over_them() -> None:
    # The decoder reads no prompt: all of its rows are those of words, so that other masking scopes are the same.
    forced_checks.check_forced(_vit_gpt2(), checks.noise(200, 96), taken=forced_checks.TAKEN[:3])
