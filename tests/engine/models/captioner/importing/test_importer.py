"""What a checkpoint may be saved as, and what is refused with a sentence that says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.findings import Findings
from gazeapp.engine.models.captioner.importing.importer import ImportSettings, import_captioner
from gazeapp.engine.models.captioner.importing.resnet import timm_weights
from gazeapp.engine.models.captioner.importing.weights import read_foreign, read_plain
from gazeapp.engine.models.captioner.importing.words import content_words, read_words
from tests.engine.models.captioner.importing import checkpoints as made


@pytest.fixture(scope="module")
def network() -> Any:
    return made.resnet()


@pytest.fixture(scope="module")
def decoder() -> nn.Module:
    return made.lstm_decoder()


def same(found: dict[str, torch.Tensor], wanted: nn.Module) -> bool:
    state = wanted.state_dict()
    return found.keys() == state.keys() and all(torch.equal(found[name], state[name]) for name in state)


def test_every_way_of_saving_gives_the_same_weights(decoder: nn.Module, tmp_path: Path) -> None:
    """Whole modules, state dictionaries, one dictionary of both, spread over graphics cards, safetensors."""
    encoder = nn.Sequential()
    encoder.add_module("resnet", nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    flat = {f"{part}.{name}": tensor for part, whole in (("encoder", encoder), ("decoder", decoder))
            for name, tensor in whole.state_dict().items()}  # fmt: skip
    save_file(flat, tmp_path / "both.safetensors")
    contents: list[dict[str, Any]] = [
        {"encoder": encoder, "decoder": decoder, "epoch": 3},
        {"encoder": nn.DataParallel(encoder), "decoder": nn.DataParallel(decoder)},
        {"encoder": encoder.state_dict(), "decoder": decoder.state_dict()},
        {"encoder_state_dict": encoder.state_dict(), "decoder_state_dict": decoder.state_dict()},
        {"state_dict": {f"module.{name}": tensor for name, tensor in flat.items()}},
        flat,
    ]
    paths = [made.save(tmp_path / f"{i}.pth.tar", content) for i, content in enumerate(contents)]
    for path in [*paths, tmp_path / "both.safetensors"]:
        foreign = read_foreign(path)
        assert same(foreign.encoder, encoder), path
        assert same(foreign.decoder, decoder), path
    assert read_foreign(paths[0]).attributes["decoder.dropout.p"] == 0.5
    assert read_foreign(paths[1]).attributes["decoder.dropout.p"] == 0.5
    assert read_foreign(paths[0]).notes == {"epoch": 3}


def test_resnets_are_known_by_their_blocks(network: Any) -> None:
    from torchvision import models

    for name, features in (("resnet34", 512), ("resnet50", 2048), ("resnet101", 2048), ("resnet152", 2048)):
        with torch.device("meta"):
            trunk = made.encoder(getattr(models, name)())
        assert timm_weights(trunk.state_dict(), "", Findings())[:2] == (name, features)
    state = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    name, _, weights = timm_weights(state, "", Findings())  # as torchvision names them, before torch 0.4.1
    assert name == "resnet18"
    import timm

    timm.create_model("resnet18", num_classes=0).load_state_dict(weights)
    with pytest.raises(GazeError, match="no ResNet"):
        timm_weights({"features.0.weight": torch.ones(1)}, "", Findings())


def test_a_decoder_alone_takes_its_encoder_from_elsewhere(
    network: Any, decoder: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made.save(tmp_path / "decoder.pth.tar", {"encoder": None, "decoder": decoder})
    words = made.word_map(tmp_path / "WORDMAP.json")
    with pytest.raises(GazeError, match="without its encoder") as told:
        import_captioner(ImportSettings(path, words, tmp_path / "out"))
    assert "--encoder-weights" in told.value.todo
    torch.save(network.state_dict(), tmp_path / "resnet18.pth")
    assert same(read_plain(tmp_path / "resnet18.pth"), network)
    done = import_captioner(ImportSettings(path, words, tmp_path / "out", tmp_path / "resnet18.pth"))
    assert any("resnet18.pth" in line for line in done.config.training["assumed"])
    with pytest.raises(GazeError, match="has to be empty"):
        import_captioner(ImportSettings(path, words, tmp_path / "out"))


def refused(path: Path, decoder: nn.Module, network: Any, what: str, words: Path | None = None) -> GazeError:
    content = {"encoder": made.encoder(network), "decoder": decoder}
    file = made.save(path / "file.pth.tar", content)
    settings = ImportSettings(file, words or made.word_map(path / "WORDMAP.json"), path / "out")
    with pytest.raises(GazeError, match=what) as error:
        import_captioner(settings)
    assert not (path / "out").exists()
    return error.value


def test_weights_that_are_no_numbers(network: Any, tmp_path: Path) -> None:
    broken = made.lstm_decoder()
    with torch.no_grad():
        broken.fc.weight[3, 4] = torch.nan  # type: ignore[index, operator]
    refused(tmp_path, broken, network, r"no finite numbers: decoder\.fc\.weight")


def test_another_vocabulary(network: Any, decoder: nn.Module, tmp_path: Path) -> None:
    words = tmp_path / "OTHER.json"
    words.write_text(json.dumps({"<pad>": 0, "a": 1, "<start>": 2, "<end>": 3}), "utf-8")
    refused(
        tmp_path,
        decoder,
        network,
        "word map does not belong to the checkpoint: it has 4 words, the decoder 22",
        words,
    )


def test_layers_that_are_missing_or_too_many(network: Any, tmp_path: Path) -> None:
    more, less = made.lstm_decoder(), made.lstm_decoder()
    more.add_module("second", nn.Linear(2, 2))
    refused(tmp_path, more, network, r"layers that this form does not: decoder\.second\.bias")
    del less.init_c
    refused(tmp_path, less, network, r"lacks decoder\.init_c\.bias")
    del less.fc
    refused(tmp_path, less, network, r"not complete: fc\.weight is missing")


def test_decoders_of_other_forms(network: Any, tmp_path: Path) -> None:
    other = made.module("models", "Decoder", {"rnn": nn.LSTM(4, 4)})
    assert "captioner_format" in refused(tmp_path, other, network, "neither sgrvinod's nor RoyalSkye's").todo
    torch.save({"model": {"a": torch.ones(1)}}, tmp_path / "no.pth")
    with pytest.raises(GazeError, match="no decoder of a captioner"):
        read_foreign(tmp_path / "no.pth")


def test_the_word_map_goes_there_and_back(tmp_path: Path) -> None:
    words = read_words(made.word_map(tmp_path / "WORDMAP.json"))
    numbers = json.loads((tmp_path / "WORDMAP.json").read_text("utf-8"))
    assert {word: number for number, word in enumerate(words)} == numbers
    assert content_words(("<pad>", "a", "dog", ",", "'s", "t-shirt", "<unk>", "2")) == ("dog", "t-shirt", "2")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "no list of words with their numbers"),
        ('{"a": "1"}', "no list of words with their numbers"),
        ('{"a": true}', "no list of words with their numbers"),
        ('{"<pad>": 0, "a": 1, "b": 1, "<start>": 2, "<end>": 3}', "without a gap"),
        ('{"<pad>": 0, "a": 2, "<start>": 3, "<end>": 4}', "without a gap"),
        ('{"<pad>": 0, "a": 1, "<end>": 2}', "lacks <start>"),
        ('{"<pad>": 1, "<start>": 0, "<end>": 2}', "<pad> is not number 0"),
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_other_files_are_no_word_maps(content: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text(content, "utf-8")
    with pytest.raises(GazeError, match=told):
        read_words(path)
