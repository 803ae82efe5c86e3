"""Parameters and operations against numbers worked out by hand from the layers' sizes."""

from __future__ import annotations

import math
import runpy
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from gazeapp.engine.models.captioner import architecture
from gazeapp.engine.models.captioner.architecture import (
    amount,
    grid_table,
    measure,
    operations_table,
    page_tables,
    parameters_table,
    receptive_field,
)
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.network import Captioner

WORDS = ("<pad>", "<end>", "<general>", "a", "red", "cup")
V, W, S, A = len(WORDS), 8, 12, 5
"""Vocabulary, width, LSTM state and attention width."""
SIDE, CELLS, LONGEST = 2, 4, 7
PATCH, STEM = 16, 48


def tiny(decoder: str, encoder: str = "vit", layers: int = 1) -> CaptionerConfig:
    return CaptionerConfig(
        *("tiny", "Tiny", encoder, decoder),
        vocabulary=WORDS,
        content_words=("red", "cup"),
        tasks=("general",),
        input_size=SIDE * PATCH,
        grid=(SIDE, SIDE),
        width=W,
        state=S,
        attention=A,
        layers=layers,
        heads=4,
        max_words=LONGEST,
    )


def linear(n_in: int, n_out: int, bias: bool = True) -> int:
    return n_in * n_out + (n_out if bias else 0)


@pytest.fixture(scope="module")
def lstm():
    return measure(tiny("lstm"))


@pytest.fixture(scope="module")
def transformer():
    return measure(tiny("transformer", layers=2))


def test_lstm_parameters(lstm):
    gates = 4 * S
    assert lstm.parameters["words in"] == V * W
    assert lstm.parameters["attention"] == (
        linear(W, A) + linear(S, A, bias=False) + linear(A, 1, bias=False) + linear(S, 1)
    )
    assert lstm.parameters["recurrence or layers"] == (
        gates * (2 * W + S) + 2 * gates + linear(W, 2 * S)  # the cell with both biases; the first state
    )
    assert lstm.parameters["words out"] == linear(S + 2 * W, W) + linear(W, V)


def test_lstm_operations(lstm):
    assert lstm.begin == 2 * (CELLS * W * A + W * 2 * S)
    cell = 4 * S * (2 * W + S)
    attention = S * A + CELLS * A + S + CELLS * W  # query, energies, gate, what is read
    out = (S + 2 * W) * W + W * V
    assert lstm.word == 2 * (cell + attention + out)


def test_transformer_parameters(transformer):
    norm = 2 * W
    assert transformer.parameters["words in"] == V * W + (LONGEST + 1) * W
    assert transformer.parameters["attention"] == 2 * (norm + 2 * linear(W, W) + linear(W, 2 * W))
    assert transformer.parameters["recurrence or layers"] == 2 * (
        2 * norm + linear(W, 3 * W) + linear(W, W) + linear(W, 2 * W) + linear(2 * W, W)
    )
    assert transformer.parameters["words out"] == norm + linear(W, V)


def test_transformer_operations(transformer):
    assert transformer.begin == 2 * 2 * CELLS * W * 2 * W
    in_layer = (
        W * 3 * W + W * W + 2 * W * W + 2 * W * 2 * W
    )  # words in and out, cross in and out, feed-forward
    attended = 2 * LONGEST * W + 2 * CELLS * W  # scores and sums, over the words so far and over the cells
    assert transformer.word == 2 * (2 * (in_layer + attended) + W * V)


def test_encoder_of_patches(lstm):
    depth, wide = 4, 2 * W
    block = 2 * 2 * W + linear(W, 3 * W) + linear(W, W) + linear(W, wide) + linear(wide, W)
    fine = PATCH // 4
    patches = 3 * 16 * STEM + STEM + 2 * STEM + STEM * fine * fine * W + W
    assert lstm.parameters["encoder"] == patches + CELLS * W + depth * block + 2 * W
    assert lstm.parameters["to the grid"] == linear(W, W) + 2 * W
    stem = (CELLS * fine * fine) * 3 * 16 * STEM + CELLS * STEM * fine * fine * W
    layer = CELLS * (3 * W * W + W * W + 2 * W * wide) + 2 * CELLS * CELLS * W
    assert lstm.encoding == 2 * (stem + depth * layer + CELLS * W * W)


def elsewhere(form: str, decoder: str) -> CaptionerConfig:
    """Describe a captioner with the layers of a checkpoint from elsewhere, on a ResNet of 512 features."""
    return replace(
        tiny(decoder, "resnet10t"),
        form=form,
        width=512,
        embed=8,
        input_size=64,
        mixing_layers=0,
        head_width=0,
    )


def test_lstm_from_elsewhere():
    measured = measure(elsewhere("sgrvinod", "lstm"))
    wide, each = 512, 8
    assert measured.parameters["to the grid"] == 0
    assert measured.parameters["words in"] == V * each
    assert measured.parameters["attention"] == (
        linear(wide, A) + linear(S, A) + linear(A, 1) + linear(S, wide)  # the gate has every feature
    )
    assert measured.parameters["recurrence or layers"] == (
        4 * S * (each + wide + S) + 2 * 4 * S + 2 * linear(wide, S)
    )
    assert measured.parameters["words out"] == linear(S, V)
    cell = 4 * S * (each + wide + S)
    assert measured.word == 2 * (S * A + CELLS * A + S * wide + CELLS * wide + cell + S * V)


def test_transformer_from_elsewhere_mixes_its_cells():
    config = replace(elsewhere("royalskye", "transformer"), mixing_layers=1, head_width=3, feed=(6, 9))
    measured = measure(config)
    wide, each, inner = 512, 8, 4 * 3
    of_cells = 3 * linear(wide, inner) + linear(inner, wide) + linear(wide, 6) + linear(6, wide)
    assert measured.parameters["to the grid"] == CELLS * wide + of_cells
    assert measured.parameters["words in"] == V * each + (LONGEST + 1) * each
    assert measured.parameters["attention"] == (
        linear(each, inner) + 2 * linear(wide, inner) + linear(inner, each)
    )
    assert measured.parameters["recurrence or layers"] == (
        3 * linear(each, inner) + linear(inner, each) + linear(each, 9) + linear(9, each)
    )
    assert measured.parameters["words out"] == each * V
    assert measured.field == math.inf
    assert measured.begin == 2 * 2 * CELLS * wide * inner


@pytest.mark.parametrize("encoder", ["cnn", "vit"])
@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_parts_are_the_whole_and_the_encoder_does_not_know_its_decoder(encoder, decoder, lstm):
    config = tiny(decoder, encoder)
    measured = measure(config)
    assert measured.total == sum(p.numel() for p in Captioner(config).parameters())
    assert measured.caption(3) == measured.encoding + measured.begin + 3 * measured.word
    if encoder == "vit":
        assert measured.encoding == lstm.encoding


def test_counting_leaves_torch_as_it_was(lstm):
    assert lstm.total > 0
    assert torch.zeros(1).device.type == "cpu"
    assert torch.is_inference_mode_enabled() is False


@pytest.fixture(scope="module")
def page():
    """Return the tables of the page on architectures, and what was measured for them by encoder and decoder."""
    measured = {}

    def keep(config):
        measured[config.encoder, config.decoder] = measure(config)
        return measured[config.encoder, config.decoder]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(architecture, "measure", keep)
        return page_tables(), measured


def test_full_size_networks_have_the_sizes_that_their_makers_give(page):
    resnet, vit = rows = [page[1]["resnet101", "lstm"], page[1]["vit_base_patch16_224", "transformer"]]
    # Without their classifiers of 1,000 classes: 44,549,160 - 2,049,000 and 86,567,656 - 769,000.
    assert resnet.parameters["encoder"] == 42_500_160
    assert vit.parameters["encoder"] == 85_798_656
    table = parameters_table(rows)
    assert table.count("\n") == 3
    assert f"| {amount(vit.total)} |" in table.splitlines()[-1]
    assert "| 224 | 14 x 14 | 16 x 16 | 512 | the whole picture |" in grid_table(rows)
    assert f"| {amount(vit.encoding)} |" in operations_table(rows)


@pytest.mark.parametrize(
    ("count", "text"),
    [(7, "7"), (853_632, "854 k"), (999_700, "1.00 M"), (16_010_000_000, "16.0 G"), (9_996_000, "10.0 M")],
)
def test_amounts_have_three_digits(count, text):
    assert amount(count) == text


def test_receptive_field_is_where_the_picture_moves_a_cell():
    config = replace(tiny("lstm", "cnn"), input_size=448, grid=(28, 28))
    network = Captioner(config).encoder.net.eval().double()
    for weights in network.parameters():
        weights.data.abs_().add_(0.01)
    picture = torch.rand(1, 3, 448, 448, dtype=torch.double, requires_grad=True)
    network.forward_features(picture)[0, :, 14, 14].sum().backward()
    touched = torch.nonzero(picture.grad[0].abs().sum(dim=0)).amax(dim=0)
    first = torch.nonzero(picture.grad[0].abs().sum(dim=0)).amin(dim=0)
    assert (touched - first + 1).tolist() == [receptive_field(network)] * 2


def test_every_token_of_a_vision_transformer_sees_the_whole_picture(lstm):
    assert lstm.field == math.inf
    assert grid_table([lstm]).endswith("| 32 | 2 x 2 | 16 x 16 | 8 | the whole picture |")
    assert grid_table([replace(lstm, field=20)]).endswith("| 20 x 20 px around it |")
    assert grid_table([replace(lstm, field=0)]).endswith("| not known |")


DOCS = Path(__file__).parents[4] / "docs"


def test_the_page_has_the_tables_of_today(page):
    assert page[0] in (DOCS / "architectures.md").read_text("utf-8")


def test_the_page_shows_the_diagrams_of_the_script():
    script = runpy.run_path(str(DOCS / "pictures" / "draw_architectures.py"))
    page = (DOCS / "architectures.md").read_text("utf-8")
    for encoder in ("cnn", "vit"):
        for decoder in ("lstm", "transformer"):
            name = f"pictures/architecture-{encoder}-{decoder}.svg"
            assert f"]({name})" in page
            drawn = (DOCS / name).read_text("utf-8")
            assert drawn == script["diagram"](encoder, decoder)
            assert "prefers-color-scheme: dark" in drawn
            ElementTree.fromstring(drawn)
