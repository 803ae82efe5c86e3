"""LSTM checkpoints from elsewhere against their equations, written out in double precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.cell_parts import centres
from gazeapp.engine.models.captioner.importing.importer import Imported, ImportSettings, import_captioner
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.lesion import Taken
from tests.engine.models.captioner.importing import checkpoints as made

LONGEST = 51
Weights = dict[str, np.ndarray]


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def numbers(network: torch.nn.Module) -> Weights:
    return {name: tensor.detach().double().numpy() for name, tensor in network.state_dict().items()}


def grid_of(network: Any, picture: np.ndarray) -> np.ndarray:
    """What torchvision's ResNet, pooled to 14 x 14, makes of a picture of 256 x 256 px: (cells, features)."""
    planes = torch.from_numpy(picture / 255).permute(2, 0, 1)[None]
    mean, std = (torch.tensor(v)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    trunk = torch.nn.Sequential(*list(network.children())[:-2])
    with torch.inference_mode():
        pooled = functional.adaptive_avg_pool2d(trunk(((planes - mean) / std).float()), (14, 14))
    return pooled[0].permute(1, 2, 0).reshape(made.CELLS, -1).double().numpy()


def spoken(
    w: Weights,
    cells: np.ndarray,
    left: np.ndarray | None = None,
    from_left: bool = False,
    cell: str = "decode_step",
) -> tuple[list[int], list[float], np.ndarray, list[float]]:
    """Show, Attend and Tell, equations 1 to 9 and 12 to 14: greedy words, log-probabilities, alphas, mean gates.

    ``left`` is the share that a lesion leaves of each cell.
    """
    left = np.ones(len(cells)) if left is None else left
    mean = (left @ cells) / left.sum() if from_left else cells.mean(axis=0)
    h, c = (mean @ w[f"init_{name}.weight"].T + w[f"init_{name}.bias"] for name in "hc")
    keys = cells @ w["attention.encoder_att.weight"].T + w["attention.encoder_att.bias"]
    word, words, scores, alphas, gates = made.START, [], [], [], []
    for _ in range(LONGEST):
        query = w["attention.decoder_att.weight"] @ h + w["attention.decoder_att.bias"]
        energy = (
            np.maximum(keys + query, 0) @ w["attention.full_att.weight"][0] + w["attention.full_att.bias"]
        )
        alpha = softmax(energy) * left
        alpha /= alpha.sum()
        gate = sigmoid(w["f_beta.weight"] @ h + w["f_beta.bias"])
        heard = np.concatenate([w["embedding.weight"][word], gate * (alpha @ cells)])
        parts = (
            w[f"{cell}.weight_ih"] @ heard
            + w[f"{cell}.bias_ih"]
            + w[f"{cell}.weight_hh"] @ h
            + w[f"{cell}.bias_hh"]
        )
        put_in, forget, new, out = np.split(parts, 4)
        c = sigmoid(forget) * c + sigmoid(put_in) * np.tanh(new)
        h = sigmoid(out) * np.tanh(c)
        probable = np.log(softmax(w["fc.weight"] @ h + w["fc.bias"]))
        sayable = probable.copy()
        sayable[[0, made.START]] = -np.inf  # what begins a caption or fills it up is no word
        word = int(sayable.argmax())
        if word == made.END:
            break
        words.append(word)
        scores.append(float(probable[word]))
        alphas.append(alpha)
        gates.append(float(gate.mean()))
    return words, scores, np.array(alphas), gates


class Case:
    """A checkpoint that was imported, and what it was made from."""

    def __init__(self, folder: Path, cell: str, today: bool) -> None:
        self.network = made.resnet()
        self.decoder = made.lstm_decoder(cell)
        content = {
            "epoch": 12,
            "bleu-4": 0.24,
            "encoder": made.encoder(self.network),
            "decoder": self.decoder,
        }
        optimiser = torch.optim.Adam(self.decoder.parameters())
        path = made.save(
            folder / "BEST_checkpoint.pth.tar", {**content, "decoder_optimizer": optimiser}, today
        )
        settings = ImportSettings(
            path, made.word_map(folder / "WORDMAP_coco.json"), folder / "CNN-LSTM COCO", domain="COCO"
        )
        self.imported: Imported = import_captioner(settings)
        self.folder = settings.output


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("sgrvinod"), "decode_step", today=False)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (256, 256, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def cells(case: Case, picture: np.ndarray) -> np.ndarray:
    return grid_of(case.network, picture)


@pytest.fixture(scope="module")
def loaded(case: Case) -> CaptionerModel:
    return CaptionerModel.load(case.folder)


def test_caption_and_maps_are_those_of_the_equations(
    case: Case, loaded: CaptionerModel, picture: np.ndarray, cells: np.ndarray
) -> None:
    words, scores, alphas, _ = spoken(numbers(case.decoder), cells)
    caption = loaded.describe(picture, "whatever")
    assert caption.facts["tokens"] == words
    assert len(set(words)) > 2  # a caption, not one word again and again
    np.testing.assert_allclose(caption.maps, made.laid_out(alphas), atol=1e-5)
    np.testing.assert_allclose([word.log_probability for word in caption.words], scores, atol=1e-4)
    # The maps differ, so that a map of the word before or after would be seen.
    assert np.abs(np.diff(alphas, axis=0)).max(axis=1)[:5].min() > 1e-4


def test_logits_and_gates_are_those_of_the_equations(
    case: Case, loaded: CaptionerModel, cells: np.ndarray
) -> None:
    words, scores, alphas, gates = spoken(numbers(case.decoder), cells)
    features = torch.from_numpy(cells).float()[None]
    tokens = torch.tensor([[made.START, *words[:9]], [made.START, *words[1:10]]])
    with torch.inference_mode():
        told = loaded.network.decoder(features, tokens, 2)
    of_words = told.logits[0].log_softmax(dim=-1)
    np.testing.assert_allclose(
        [of_words[i, word] for i, word in enumerate(words[:10])], scores[:10], atol=1e-4
    )
    np.testing.assert_allclose(told.attention[0, 0, 0], alphas[:10], atol=1e-5)
    assert told.gate is not None
    np.testing.assert_allclose(told.gate[0], gates[:10], atol=1e-5)


@pytest.mark.parametrize("start", [False, True])
def test_lesions_take_attention_before_it_is_normalised(
    case: Case, loaded: CaptionerModel, cells: np.ndarray, start: bool
) -> None:
    share = np.zeros((14, 14), np.float32)
    share[:, :7], share[3, 8] = 1.0, 0.4
    words, _, alphas, _ = spoken(
        numbers(case.decoder), cells, left=1 - share.ravel().astype(float), from_left=start
    )
    features = torch.from_numpy(cells).float()[None]
    said = loaded.network.say(
        features, torch.tensor([made.START]), Taken(torch.from_numpy(share.ravel())[None], start)
    )
    assert said.tokens[0] == words
    np.testing.assert_allclose(said.attention[0][0, 0], alphas, atol=1e-5)
    assert said.attention[0][0, 0][:, share.ravel() == 1].max() == 0


def test_a_lesion_of_the_image_reaches_the_maps(loaded: CaptionerModel, picture: np.ndarray) -> None:
    """Cells from the ninth on, whose part begins at 136.5 px, are taken whole; even cells from the eighth are free."""
    mask = np.zeros((256, 256), np.float32)
    mask[:, 136:] = 1
    from gazeapp.engine.models.base import DescribeOptions

    caption = loaded.describe(picture, "any", options=DescribeOptions(lesion=Lesion(mask, "keys")))
    assert caption.maps[:, :, 8:].max() == 0
    assert caption.maps[:, :, :8].min() > 0
    np.testing.assert_allclose(caption.maps.sum(axis=(1, 2)), 1, atol=1e-5)


def test_description_and_findings(case: Case) -> None:
    config = case.imported.config
    assert (config.form, config.encoder, config.encoder_family) == ("sgrvinod", "resnet18", "cnn")
    assert (config.id, config.name, config.domain) == ("cnn-lstm-coco", "CNN-LSTM COCO", "COCO")
    assert (config.width, config.state, config.attention, config.embed) == (512, 16, 10, 12)
    assert (config.input_size, config.grid, config.resample) == (256, (14, 14), "bilinear")
    np.testing.assert_allclose(config.mean, (123.675, 116.28, 103.53))
    assert config.vocabulary == ("<pad>", *made.WORDS, "<unk>", "<start>", "<end>")
    assert {"man", "red", "two", "sees"} <= set(config.content_words)
    assert not {"a", "the", "on", ",", "<unk>", "<end>"} & set(config.content_words)
    assert config.training["imported_from"]["notes"] == {"epoch": 12, "bleu-4": 0.24}
    assert any("resnet18" in line for line in config.training["inferred"])
    assert any("licence" in line for line in config.training["unchecked"])
    card = (case.folder / "MODEL_CARD.md").read_text("utf-8")
    assert all(line in card for line in config.training["assumed"])


def test_cells_lie_where_the_convolutions_are_centred(case: Case) -> None:
    """Five halvings by kernels that are centred on the first pixel of each pair: cell i at pixel 32 i, whose middle
    is at 32 i + 0.5, not at 32 i + 16."""
    config = case.imported.config
    assert (config.cell_offset, config.cell_stride) == ((-15.5, -15.5), (32.0, 32.0))
    for axis in (0, 1):
        np.testing.assert_allclose(centres(config, axis), made.CENTRES, atol=1e-6)


def test_weights_are_stored_as_they_were(case: Case) -> None:
    stored = load_captioner(case.folder).state_dict()
    for name, tensor in case.decoder.state_dict().items():
        assert torch.equal(stored[f"decoder.{name}"], tensor), name
    assert torch.equal(stored["encoder.net.layer4.1.bn2.running_var"], case.network.layer4[1].bn2.running_var)


def test_the_lstm_of_the_other_script_is_the_same_network(
    tmp_path: Path, picture: np.ndarray, cells: np.ndarray
) -> None:
    other = Case(tmp_path, "lstm", today=True)
    words, _, alphas, _ = spoken(numbers(other.decoder), cells, cell="lstm")
    caption = CaptionerModel.load(other.folder).describe(picture, "")
    assert other.imported.config.form == "royalskye"
    assert other.imported.config.resample == "bicubic"
    assert caption.facts["tokens"] == words
    np.testing.assert_allclose(caption.maps, made.laid_out(alphas), atol=1e-5)
