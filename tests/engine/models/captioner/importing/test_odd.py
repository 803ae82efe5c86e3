"""Checkpoints whose notes and layers cannot be are a sentence each, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import read_config
from gazeapp.engine.models.captioner.importing import importer
from gazeapp.engine.models.captioner.importing.importer import ImportSettings, import_captioner
from gazeapp.engine.models.captioner.importing.shapes import noted_share, noted_side
from gazeapp.engine.models.captioner.importing.words import read_words
from gazeapp.engine.models.captioner.io import save_captioner
from tests.engine.models.captioner.importing import checkpoints as made


@pytest.fixture(scope="module")
def network() -> Any:
    return made.resnet()


def importing(folder: Path, content: dict[str, Any]) -> ImportSettings:
    file = made.save(folder / "file.pth.tar", content)
    return ImportSettings(file, made.word_map(folder / "WORDMAP.json"), folder / "out")


@pytest.mark.parametrize(
    "side", ["abc", float("inf"), -3, 0, 10**9, 10**4000, True, 14.5], ids=lambda side: str(side)[:9]
)
def test_the_side_of_the_grid(side: Any, tmp_path: Path) -> None:
    encoder = made.module("models", "Encoder", {"resnet": nn.Linear(1, 1)}, enc_image_size=side)
    with pytest.raises(GazeError, match=r"notes encoder\.enc_image_size as .*whole number from 1 to 256"):
        import_captioner(importing(tmp_path, {"encoder": encoder, "decoder": made.lstm_decoder()}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", ["x", 7.0, -0.1, float("nan"), 10**4000], ids=lambda share: str(share)[:9])
@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_the_share_that_is_left_out(share: Any, decoder: str, tmp_path: Path) -> None:
    whole = made.lstm_decoder() if decoder == "lstm" else made.transformer()
    holder: Any = whole if decoder == "lstm" else whole.decoder
    holder.dropout = nn.Dropout(0.5)
    holder.dropout.p = share
    with pytest.raises(GazeError, match=r"dropout\.p as .*number from 0 to 1"):
        import_captioner(importing(tmp_path, {"encoder": nn.Linear(1, 1), "decoder": whole}))
    assert not (tmp_path / "out").exists()


def test_a_number_that_cannot_be_written_is_no_note(network: Any, tmp_path: Path) -> None:
    content = {
        "epoch": 10**5000,
        "bleu-4": 0.25,
        "encoder": made.encoder(network),
        "decoder": made.lstm_decoder(),
    }
    done = import_captioner(importing(tmp_path, content))
    assert done.config.training["imported_from"]["notes"] == {"bleu-4": 0.25}
    assert read_config(tmp_path / "out") == done.config


def test_words_that_are_wider_than_what_is_taken_in(tmp_path: Path) -> None:
    decoder: Any = made.lstm_decoder()
    decoder.decode_step.weight_ih = nn.Parameter(torch.zeros(64, 300))
    with pytest.raises(GazeError, match=r"decode_step\.weight_ih takes in 300 features, too few"):
        import_captioner(importing(tmp_path, {"encoder": nn.Linear(1, 1), "decoder": decoder}))


@pytest.mark.parametrize("kind", [torch.int32, torch.bool])
def test_whole_numbers_are_no_weights(kind: torch.dtype, network: Any, tmp_path: Path) -> None:
    decoder: Any = made.lstm_decoder()
    decoder.fc.weight = nn.Parameter(torch.ones(made.N, 16, dtype=kind), requires_grad=False)
    with pytest.raises(
        GazeError, match=r"decoder\.fc\.weight holds numbers of the kind .* instead of float32"
    ):
        import_captioner(importing(tmp_path, {"encoder": made.encoder(network), "decoder": decoder}))
    assert not (tmp_path / "out").exists()


def test_half_and_double_precision_are_weights(network: Any, tmp_path: Path) -> None:
    content = {"encoder": made.encoder(network).half(), "decoder": made.lstm_decoder().double()}
    import_captioner(importing(tmp_path, content))
    assert (tmp_path / "out" / "MODEL_CARD.md").is_file()
    network.float()


def test_a_card_that_cannot_be_written_leaves_the_folder_empty(
    network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"encoder": made.encoder(network), "decoder": made.lstm_decoder()}
    asked = importing(tmp_path, content)
    (tmp_path / "out").mkdir()

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(importer, "write_import_card", full)
        with pytest.raises(GazeError, match="cannot be written"):
            import_captioner(asked)
    assert list((tmp_path / "out").iterdir()) == []
    import_captioner(asked)


def test_weights_and_description_come_as_a_pair(tmp_path: Path) -> None:
    from dataclasses import replace

    from gazeapp.engine.models.captioner.network import Captioner
    from tests.engine.models.captioner.importing.test_native import CONFIG

    odd = replace(CONFIG, figures={"what json does not know": {1, 2}})
    with pytest.raises(TypeError):
        save_captioner(tmp_path / "out", Captioner(CONFIG), odd)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_words_with_half_a_character(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"<pad>": 0, "do\ud800g": 1, "<start>": 2, "<end>": 3}), "utf-8")
    with pytest.raises(GazeError, match=r"'do\\ud800g' has half a character"):
        read_words(path)


ANY = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, 2**63, 1 << 20])
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY)
def test_whatever_is_noted_is_a_sentence_or_fits(value: Any) -> None:
    try:
        side = noted_side({"a": value}, "a", 14, "file")
    except GazeError as error:
        side = 1
        assert len(str(error)) < 300  # noqa: PT017 - a value that fits is as good
    assert 1 <= side <= 256
    try:
        share = noted_share({"a": value}, "a", "file")
    except GazeError as error:
        share = 0.0
        assert len(str(error)) < 300  # noqa: PT017
    assert 0 <= share <= 1
