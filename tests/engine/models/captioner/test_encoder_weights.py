"""Encoders start from weights of files and of the hub's cache, never from what does not fit them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.encoder_weights import load_encoder_weights
from gazeapp.engine.models.captioner.encoders import Encoder, timm_network
from gazeapp.engine.models.environment import ensure_torchvision

SMALL_NET = "resnet10t"


def encoder_of(name: str, size: int = 64, seed: int = 0) -> Encoder:
    torch.manual_seed(seed)
    grid = (size // 16, size // 16)
    config = CaptionerConfig(
        "x", "X", name, "lstm", ("<pad>", "<end>", "<start>"), (), (), input_size=size, grid=grid, width=16
    )
    return Encoder(config).eval()


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Weights of a whole network, classifier included, as timm publishes them."""
    ensure_torchvision()
    import timm

    torch.manual_seed(5)
    return dict(timm.create_model(SMALL_NET).state_dict())


@pytest.fixture
def file(weights: dict[str, torch.Tensor], tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_file(weights, path)
    return path


def test_a_file_gives_the_network_its_weights_and_leaves_the_rest(
    file: Path, weights: dict[str, Any]
) -> None:
    encoder = encoder_of(SMALL_NET)
    own = encoder.project.weight.clone()
    start = load_encoder_weights(encoder, SMALL_NET, str(file))
    assert start is not None
    assert (start.source, start.left_out) == ("weights.safetensors", ())
    assert all(torch.equal(value, weights[name]) for name, value in encoder.net.state_dict().items())
    assert torch.equal(encoder.project.weight, own)
    assert load_encoder_weights(encoder, SMALL_NET, "none") is None


def test_what_is_missing_or_of_another_shape_is_named(weights: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({name: tensor for name, tensor in weights.items() if name != "layer2.0.conv1.weight"}, path)
    with pytest.raises(GazeError, match=r"lack 'layer2\.0\.conv1\.weight' of the encoder"):
        load_encoder_weights(encoder_of(SMALL_NET), SMALL_NET, str(path))
    save_file({**weights, "layer2.0.conv1.weight": torch.zeros(3, 3)}, path)
    with pytest.raises(GazeError, match=r"'layer2\.0\.conv1\.weight' have the shape \(3, 3\)"):
        load_encoder_weights(encoder_of(SMALL_NET), SMALL_NET, str(path))
    save_file({**weights, "bn1.weight": torch.full_like(weights["bn1.weight"], torch.nan)}, path)
    with pytest.raises(GazeError, match=r"'bn1\.weight' hold NaN"):
        load_encoder_weights(encoder_of(SMALL_NET), SMALL_NET, str(path))
    save_file({**weights, "extra": torch.zeros(2)}, path)
    start = load_encoder_weights(encoder_of(SMALL_NET), SMALL_NET, str(path))
    assert start is not None
    assert start.left_out == ("extra",)


def test_published_weights_come_from_the_hubs_cache(
    weights: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub
    from huggingface_hub import constants

    hub_id = timm_network(SMALL_NET, 64).pretrained_cfg["hf_hub_id"]
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    encoder = encoder_of(SMALL_NET)
    with pytest.raises(
        GazeError, match=r"published weights of resnet10t .*about 2\d MB\) are not on this machine"
    ) as told:
        load_encoder_weights(encoder, SMALL_NET, "timm")
    assert "safetensors file" in told.value.todo
    snapshot = tmp_path / f"models--{hub_id.replace('/', '--')}" / "snapshots" / ("0" * 40)
    (snapshot.parent.parent / "refs").mkdir(parents=True)
    (snapshot.parent.parent / "refs" / "main").write_text("0" * 40)
    snapshot.mkdir(parents=True)
    save_file(weights, snapshot / "model.safetensors")
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda *_: str(snapshot / "model.safetensors")
    )
    start = load_encoder_weights(encoder, SMALL_NET, "timm")
    assert start is not None
    assert (start.source, start.licence) == (hub_id, "apache-2.0")
    assert torch.equal(encoder.net.conv1[0].weight, weights["conv1.0.weight"])


def test_place_codes_are_brought_to_another_picture_size(tmp_path: Path) -> None:
    """A vision Transformer of 224 px, 14 x 14 patches, used at 64 px."""
    name = "vit_tiny_patch16_224"
    whole = timm_network(name, 224)
    save_file(whole.state_dict(), tmp_path / "vit.safetensors")
    encoder = encoder_of(name)
    load_encoder_weights(encoder, name, str(tmp_path / "vit.safetensors"))
    assert encoder.net.pos_embed.shape == (1, 1 + 16, 192)
    assert torch.equal(encoder.net.pos_embed[:, 0], whole.pos_embed[:, 0])
    assert torch.equal(encoder.net.blocks[0].mlp.fc1.weight, whole.blocks[0].mlp.fc1.weight)


def test_files_of_torchvision_are_converted(tmp_path: Path) -> None:
    """Its own network and timm's give the same features from the same file."""
    ensure_torchvision()
    from timm.models.vision_transformer import VisionTransformer as OfTimm
    from torchvision.models import VisionTransformer

    torch.manual_seed(2)
    theirs = VisionTransformer(
        image_size=32, patch_size=16, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=3
    ).eval()
    for weights in theirs.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    torch.save(theirs.state_dict(), tmp_path / "vit_b_16.pth")
    encoder = encoder_of("vit_tiny_patch16_224")
    encoder.net = OfTimm(
        img_size=32,
        patch_size=16,
        embed_dim=16,
        depth=2,
        num_heads=2,
        mlp_ratio=2,
        num_classes=0,
        global_pool="",
    ).eval()
    encoder.net.pretrained_cfg = {"classifier": "head"}
    start = load_encoder_weights(encoder, "vit_tiny_patch16_224", str(tmp_path / "vit_b_16.pth"))
    assert start is not None
    assert start.left_out == ()
    pictures = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        tokens = theirs._process_input(pictures)
        expected = theirs.encoder(torch.cat([theirs.class_token.expand(2, -1, -1), tokens], dim=1))
        assert encoder.net.forward_features(pictures) == pytest.approx(expected, abs=1e-5)


def test_pickles_are_not_run(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"conv1.weight": Payload()}, tmp_path / "evil.pth")
    with pytest.raises(GazeError):
        load_encoder_weights(encoder_of(SMALL_NET), SMALL_NET, str(tmp_path / "evil.pth"))
    assert not (tmp_path / "ran").exists()


def test_the_small_encoders_have_no_published_weights() -> None:
    with pytest.raises(GazeError, match="no published weights of the small encoder"):
        load_encoder_weights(encoder_of(SMALL_NET), "cnn", "timm")


def test_a_frozen_network_stays_as_it_is() -> None:
    encoder = encoder_of(SMALL_NET)
    encoder.freeze()
    encoder.train()
    before = {name: value.clone() for name, value in encoder.net.state_dict().items()}
    encoder(torch.rand(2, 3, 64, 64)).square().sum().backward()
    assert encoder.training
    assert encoder.project.weight.grad is not None
    assert all(weights.grad is None for weights in encoder.net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in encoder.net.state_dict().items())
