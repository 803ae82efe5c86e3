"""Transformer checkpoints from elsewhere against their computation, written out in double precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.importing.findings import Findings
from gazeapp.engine.models.captioner.importing.importer import Imported, ImportSettings, import_captioner
from gazeapp.engine.models.captioner.importing.royalskye import transformer_parts
from gazeapp.engine.models.captioner.importing.weights import Foreign, read_foreign
from gazeapp.engine.models.captioner.lesion import Taken
from tests.engine.models.captioner.importing import checkpoints as made
from tests.engine.models.captioner.importing.test_sgrvinod import Weights, grid_of, numbers, softmax

HEADS, PLACES = 2, 52


def normed(values: np.ndarray) -> np.ndarray:
    """Normalisation over the features, without scale and shift."""
    middle = values - values.mean(axis=-1, keepdims=True)
    return middle / np.sqrt((middle**2).mean(axis=-1, keepdims=True) + 1e-5)


def attended(
    w: Weights,
    name: str,
    asking: np.ndarray,
    asked: np.ndarray,
    unseen: np.ndarray,
    left: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """One attention with its sum and normalisation: new features, and weights (heads, asking, asked)."""

    def part(letter: str, source: np.ndarray) -> np.ndarray:
        mapped = source @ w[f"{name}.W_{letter}.weight"].T + w[f"{name}.W_{letter}.bias"]
        return mapped.reshape(len(source), HEADS, -1).transpose(1, 0, 2)

    query, key, value = part("Q", asking), part("K", asked), part("V", asked)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[2])
    weights = softmax(np.where(unseen, -1e9, scores)) * left
    weights /= weights.sum(axis=-1, keepdims=True)
    read = (weights @ value).transpose(1, 0, 2).reshape(len(asking), -1)
    return normed(read @ w[f"{name}.W_O.weight"].T + w[f"{name}.W_O.bias"] + asking), weights


def fed(w: Weights, name: str, values: np.ndarray) -> np.ndarray:
    inner = np.maximum(values @ w[f"{name}.conv1.weight"][:, :, 0].T + w[f"{name}.conv1.bias"], 0)
    return normed(inner @ w[f"{name}.conv2.weight"][:, :, 0].T + w[f"{name}.conv2.bias"] + values)


def mixed(w: Weights, cells: np.ndarray, layers: int) -> np.ndarray:
    cells = cells + w["encoder.pos_emb.weight"]
    for layer in range(layers):
        name = f"encoder.layers.{layer}"
        cells, _ = attended(w, f"{name}.enc_self_attn", cells, cells, np.zeros((196, 196), bool))
        cells = fed(w, f"{name}.pos_ffn", cells)
    return cells


def over_all_places(
    w: Weights, cells: np.ndarray, said: list[int], layers: int, left: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """The script's way: all 52 places at once, those to come filled with ``<start>``; logits and attention."""
    tokens = np.array([made.START, *said] + [made.START] * PLACES)[:PLACES]
    values = w["decoder.tgt_emb.weight"][tokens] + w["decoder.pos_emb.weight"]
    unseen = np.triu(np.ones((PLACES, PLACES), bool), 1) | (tokens == 0)[None]
    maps = []
    for layer in range(layers):
        name = f"decoder.layers.{layer}"
        values, _ = attended(w, f"{name}.dec_self_attn", values, values, unseen)
        nothing = np.zeros((PLACES, len(cells)), bool)
        values, weights = attended(w, f"{name}.dec_enc_attn", values, cells, nothing, left)
        values = fed(w, f"{name}.pos_ffn", values)
        maps.append(weights)
    return values @ w["decoder.projection.weight"].T, np.array(maps)


def spoken(
    w: Weights, cells: np.ndarray, layers: int, longest: int, left: np.ndarray | float = 1.0
) -> tuple[list[int], list[float], np.ndarray]:
    """Greedy words, their log-probabilities, and attention (layers, heads, words, cells)."""
    words: list[int] = []
    scores: list[float] = []
    maps = []
    for place in range(longest):
        logits, attention = over_all_places(w, cells, words, layers, left)
        probable = np.log(softmax(logits[place]))
        sayable = probable.copy()
        sayable[[0, made.START]] = -np.inf  # what begins a caption or fills it up is no word
        word = int(sayable.argmax())
        if word == made.END:
            break
        words.append(word)
        scores.append(float(probable[word]))
        maps.append(attention[:, :, place])
    return words, scores, np.stack(maps, axis=2)


class Case:
    """A checkpoint that was imported, and what it was made from."""

    def __init__(self, folder: Path) -> None:
        self.network, self.decoder = made.resnet(), made.transformer(heads=HEADS)
        self.content = {
            "epoch": 7,
            "metrics": {"CIDEr": np.float64(0.98), "Bleu_4": 0.3},
            "encoder": made.encoder(self.network),
            "decoder": self.decoder,
            "final_args": {"n_heads": HEADS, "decoder_mode": "transformer", "attention_method": "ByPixel"},
        }
        self.path = made.save(folder / "BEST_checkpoint.pth.tar", self.content)
        self.words = made.word_map(folder / "WORDMAP.json")
        self.folder = folder / "out"
        self.imported: Imported = import_captioner(ImportSettings(self.path, self.words, self.folder))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("royalskye"))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (256, 256, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def loaded(case: Case) -> CaptionerModel:
    return CaptionerModel.load(case.folder)


@pytest.fixture(scope="module")
def cells(case: Case, picture: np.ndarray) -> np.ndarray:
    return mixed(numbers(case.decoder), grid_of(case.network, picture), layers=2)


def test_caption_and_maps_of_every_layer_and_head(
    case: Case, loaded: CaptionerModel, picture: np.ndarray, cells: np.ndarray
) -> None:
    words, scores, maps = spoken(numbers(case.decoder), cells, layers=3, longest=51)
    assert len(set(words)) > 2
    for method, wanted in {
        "": maps[2].mean(axis=0),
        "cross-L0-mean": maps[0].mean(axis=0),
        "cross-L1-H1": maps[1, 1],
        "cross-mean": maps.mean(axis=(0, 1)),
    }.items():
        caption = loaded.describe(picture, "any", method)
        assert caption.facts["tokens"] == words
        np.testing.assert_allclose(caption.maps, made.laid_out(wanted), atol=1e-5)
        np.testing.assert_allclose([word.log_probability for word in caption.words], scores, atol=1e-4)
    assert np.abs(maps[2, 0] - maps[2, 1]).max() > 1e-3
    assert np.abs(np.diff(maps[2].mean(axis=0), axis=0)).max(axis=1)[:5].min() > 1e-4


def test_mixed_cells_and_logits(
    case: Case, loaded: CaptionerModel, picture: np.ndarray, cells: np.ndarray
) -> None:
    network = loaded.network
    with torch.inference_mode():
        features = network.encoder(network.normalise(picture[None]))
        tokens = torch.tensor([[made.START, 4, 0, 7, 9], [made.START, 1, 2, 3, 4]])
        told = network.decoder(features, tokens, 2)
    np.testing.assert_allclose(features[0], cells, atol=2e-4)
    for row, said in enumerate(([4, 0, 7, 9], [1, 2, 3, 4])):  # one of them with a <pad> within
        logits, maps = over_all_places(numbers(case.decoder), cells, said, 3, 1.0)
        np.testing.assert_allclose(told.logits[row], logits[:5], atol=1e-4)
        np.testing.assert_allclose(told.attention[row], maps[:, :, :5], atol=1e-5)


def test_lesions_take_cells_in_every_layer_and_head(
    case: Case, loaded: CaptionerModel, cells: np.ndarray
) -> None:
    share = np.zeros((14, 14), np.float32)
    share[:, :7], share[3, 8] = 1.0, 0.4
    left = 1 - share.ravel().astype(float)
    words, _, maps = spoken(numbers(case.decoder), cells, layers=3, longest=6, left=left)
    features = torch.from_numpy(cells).float()[None]
    taken = Taken(torch.from_numpy(share.ravel())[None])
    said = loaded.network.say(features, torch.tensor([made.START]), taken, forced=[words])
    np.testing.assert_allclose(said.attention[0], maps, atol=1e-5)
    assert said.attention[0][..., share.ravel() == 1].max() == 0


def test_description_and_findings(case: Case) -> None:
    config = case.imported.config
    assert (config.form, config.decoder, config.resample) == ("royalskye", "transformer", "bicubic")
    assert (config.layers, config.heads, config.head_width, config.mixing_layers) == (3, 2, 5, 2)
    assert (config.width, config.embed, config.feed, config.max_words) == (512, 12, (20, 24), 51)
    heads = next(line for line in config.training["inferred"] if "heads" in line.lower())
    assert "n_heads" in heads
    assert "settings of its training script" in heads
    assert config.training["imported_from"]["notes"]["final_args"]["decoder_mode"] == "transformer"


@pytest.fixture(scope="module")
def plain(case: Case) -> Foreign:
    return read_foreign(case.path)


def parts(foreign: Foreign, heads: int = 0, **notes: Any) -> tuple[dict[str, Any], Findings]:
    findings = Findings()
    bare = Foreign(foreign.encoder, foreign.decoder, {}, notes)
    return transformer_parts(bare, heads, "file.pth", findings)[0], findings


def test_heads_are_asked_for_where_nothing_tells_them(plain: Foreign) -> None:
    with pytest.raises(GazeError, match="does not say how many attention heads") as asked:
        parts(plain)
    assert "--heads" in asked.value.todo
    values, findings = parts(plain, heads=5)
    assert (values["heads"], values["head_width"]) == (5, 2)
    assert any("--heads" in line for line in findings.assumed)
    values, findings = parts(plain, final_args={"n_heads": 2})
    assert values["heads"] == 2
    assert any("training script" in line for line in findings.inferred)


def test_heads_that_cannot_be_are_refused(plain: Foreign) -> None:
    with pytest.raises(GazeError, match="does not fit 10 features: 3 by --heads"):
        parts(plain, heads=3)
    with pytest.raises(GazeError, match=r"does not fit.*2 by the settings.*5 by --heads"):
        parts(plain, heads=5, final_args={"n_heads": 2})


def test_attention_to_channels_has_no_map(tmp_path: Path) -> None:
    network = made.resnet()
    channels = {"cnn1": torch.nn.Conv2d(512, 64, 1, bias=False), "bn1": torch.nn.BatchNorm2d(64)}
    words = made.word_map(tmp_path / "WORDMAP.json")
    for encoder in (made.encoder(network), made.encoder(network, **channels)):
        content = {"encoder": encoder, "decoder": made.transformer(by_channel=True)}
        path = made.save(tmp_path / "channels.pth.tar", content)
        with pytest.raises(GazeError, match="no map over the image"):
            import_captioner(ImportSettings(path, words, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
