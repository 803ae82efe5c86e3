"""Captioners: learning, storing, decoding, and where on the image their attention is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gazeapp.engine.demo.scenes import TASKS
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.config import CaptionerConfig, read_config, task_token
from gazeapp.engine.models.captioner.data.demo_world import DemoWorld, encode, pad
from gazeapp.engine.models.captioner.decoders import Told
from gazeapp.engine.models.captioner.encoders import position_code
from gazeapp.engine.models.captioner.io import load_captioner, save_captioner, through_storage
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.models.captioner.training.loop import demo_config, fit
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.types import ImageArray, IntArray

FOUR = [(encoder, decoder) for encoder in ("cnn", "vit") for decoder in ("lstm", "transformer")]


class Watch:
    """Progress that can be told to cancel after some steps."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.seen: list[tuple[int, int]] = []
        self.stop_after = stop_after

    def report(self, done: int, total: int, message: str) -> None:
        self.seen.append((done, total))

    @property
    def cancelled(self) -> bool:
        return len(self.seen) >= self.stop_after


class OneBatch:
    """A source that only ever gives the same few scenes."""

    def __init__(self, count: int) -> None:
        self.pictures, self.tokens = DemoWorld("train", count, 128).batch(
            np.arange(count), np.random.default_rng(0)
        )

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, chosen: IntArray, rng: np.random.Generator) -> tuple[ImageArray, IntArray]:
        return self.pictures[chosen], self.tokens[chosen]


def small(encoder: str, decoder: str) -> CaptionerConfig:
    return demo_config(TrainSettings(encoder=encoder, decoder=decoder))


def fresh(encoder: str = "cnn", decoder: str = "lstm") -> CaptionerModel:
    torch.manual_seed(0)
    config = small(encoder, decoder)
    return CaptionerModel(Captioner(config).eval(), captioner_info(Path("here"), config))


def noise(height: int, width: int) -> ImageArray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("encoder", "decoder"), FOUR)
def test_learns_one_batch_by_heart(encoder: str, decoder: str) -> None:
    settings = TrainSettings(encoder=encoder, decoder=decoder, steps=24, batch=2, warmup=5, rate=3e-3)
    watch = Watch()
    done = fit(small(encoder, decoder), OneBatch(2), settings, watch)
    assert done.losses[-1] < 0.35 * done.losses[0]
    assert watch.seen[-1] == (24, 24)


def test_same_seed_same_losses_and_another_seed_others() -> None:
    settings = TrainSettings(encoder="vit", decoder="lstm", steps=4, batch=3, n_scenes=10)
    source = DemoWorld("train", 10, 128)
    first, again = (fit(small("vit", "lstm"), source, settings, Watch()).losses for _ in range(2))
    assert first == again
    assert fit(small("vit", "lstm"), source, replace(settings, seed=2), Watch()).losses != first


def test_training_can_be_cancelled() -> None:
    settings = TrainSettings(steps=50, batch=2, n_scenes=4)
    watch = Watch(stop_after=2)
    with pytest.raises(GazeError, match="cancelled"):
        fit(small("cnn", "lstm"), DemoWorld("train", 4, 128), settings, watch)
    assert len(watch.seen) == 2


@pytest.mark.parametrize(("encoder", "decoder"), FOUR)
def test_every_words_map_is_a_density_over_the_whole_image(encoder: str, decoder: str) -> None:
    model = fresh(encoder, decoder)
    caption = model.describe(noise(90, 160), "social")
    assert caption.maps.dtype == np.float32
    assert caption.maps.shape == (len(caption.words), 8, 8)
    assert caption.maps.min() >= 0
    np.testing.assert_allclose(caption.maps.sum(axis=(1, 2)), 1, atol=1e-5)
    np.testing.assert_array_equal(caption.image_mass, 1)
    assert (caption.rect.width, caption.rect.height) == (160, 90)
    assert caption.task == "social"
    assert caption.method == model.info.default_method
    assert all(word.log_probability <= 0 for word in caption.words)


@pytest.mark.parametrize(("encoder", "decoder"), FOUR)
def test_decoding_word_by_word_agrees_with_reading_the_whole_caption(encoder: str, decoder: str) -> None:
    """Attention and log-probability of a word are those of a pass over all the words before it."""
    network = fresh(encoder, decoder).network
    features = network.encoder(network.normalise(noise(128, 128)[None]))
    said = network.say(features, torch.tensor([network.config.vocabulary.index("<general>")]))
    words = said.tokens[0]
    tokens = torch.tensor([[network.config.vocabulary.index("<general>"), *words]])
    with torch.no_grad():
        logits, attention, _ = network.decoder(features, tokens)
    scores = logits[0].log_softmax(dim=-1)
    expected = [float(scores[i, word]) for i, word in enumerate(words)]
    np.testing.assert_allclose(said.log_probabilities[0], expected, atol=1e-4)
    np.testing.assert_allclose(said.attention[0], attention[0, :, :, : len(words)].numpy(), atol=1e-5)


@pytest.mark.parametrize(("encoder", "decoder"), FOUR)
def test_captions_of_one_picture_in_a_batch_do_not_touch_each_other(encoder: str, decoder: str) -> None:
    network = fresh(encoder, decoder).network
    pictures = network.normalise(np.stack([noise(128, 128), noise(128, 128)[::-1]]))
    words = [[encode("general", ("a", "room")), encode("social", ("a", "man"))]] * 2
    flat = torch.from_numpy(pad(words)).flatten(0, 1)
    with torch.no_grad():
        together, where, _ = network(pictures, flat, 2)
        for i in range(4):
            alone, there, _ = network(pictures[i // 2 : i // 2 + 1], flat[i : i + 1])
            np.testing.assert_allclose(alone[0], together[i], atol=1e-4)
            np.testing.assert_allclose(there[0], where[i], atol=1e-5)


@pytest.mark.parametrize(("encoder", "decoder"), FOUR)
def test_saved_and_loaded_says_and_attends_the_same(encoder: str, decoder: str, tmp_path: Path) -> None:
    network = fresh(encoder, decoder).network
    written = save_captioner(tmp_path, network, network.config)
    loaded = CaptionerModel.load(tmp_path)
    stored = CaptionerModel(through_storage(network), captioner_info(tmp_path, written))
    assert read_config(tmp_path) == written
    assert loaded.info == stored.info
    for task in TASKS:
        ours, theirs = (model.describe(noise(60, 60), task) for model in (stored, loaded))
        assert ours.words == theirs.words
        np.testing.assert_array_equal(ours.maps, theirs.maps)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    network = fresh().network
    save_captioner(tmp_path, network, network.config)
    weights = tmp_path / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(GazeError, match="not those"):
        load_captioner(tmp_path)
    weights.unlink()
    with pytest.raises(GazeError, match="could not be read"):
        load_captioner(tmp_path)


def test_weights_of_another_captioner_are_refused(tmp_path: Path) -> None:
    network = fresh("cnn", "lstm").network
    other = small("vit", "lstm")
    save_captioner(tmp_path, network, other)
    with pytest.raises(GazeError, match="do not fit"):
        load_captioner(tmp_path)


class Pinned(torch.nn.Module):
    """A decoder whose attention lies on one cell, whatever it is shown."""

    def __init__(self, vocabulary: int, cell: int, cells: int) -> None:
        super().__init__()
        self.vocabulary, self.cell, self.cells = vocabulary, cell, cells

    def begin(self, features: Tensor, taken: object) -> list[int]:
        return []

    def step(self, state: list[int], tokens: Tensor) -> Told:
        logits = torch.zeros(len(tokens), self.vocabulary)
        logits[:, -1 if len(state) < 2 else 1] = 9.0
        state.append(0)
        attention = torch.zeros(len(tokens), 1, 1, self.cells)
        attention[..., self.cell] = 1.0
        return Told(logits, attention)


@pytest.mark.parametrize(("row", "column"), [(0, 7), (7, 0), (2, 5)])
def test_attention_on_a_cell_is_drawn_at_its_place(row: int, column: int) -> None:
    """Cells are row-major from the top-left, on an image of any shape."""
    model = fresh()
    model.network.decoder = Pinned(len(model.network.config.vocabulary), row * 8 + column, 64)
    caption = model.describe(noise(40, 200), "general")
    assert len(caption.words) == 2
    for each in (*caption.maps, caption.mean_map()):
        assert np.unravel_index(int(each.argmax()), each.shape) == (row, column)
        assert each[row, column] == pytest.approx(1)


@pytest.mark.parametrize("encoder", ["cnn", "vit"])
@pytest.mark.parametrize(("row", "column"), [(1, 5), (6, 2)])
def test_features_lie_where_the_picture_does(encoder: str, row: int, column: int) -> None:
    """Marking the picture at a grid cell changes that cell, and its neighbours on all sides alike."""
    network = fresh(encoder).network
    plain = np.full((128, 128, 3), 128, np.uint8)
    marked = plain.copy()
    marked[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = 255
    # A Transformer mixes the patches, so there the question is about its patches.
    planes = network.encoder.net.patch_embed if encoder == "vit" else network.encoder.net.forward_features
    with torch.no_grad():
        before, after = (planes(network.normalise(picture[None])) for picture in (plain, marked))
    change = (after - before).abs()
    grid = (change.sum(dim=2) if encoder == "vit" else change.sum(dim=1)).reshape(8, 8).numpy()
    assert np.unravel_index(int(grid.argmax()), grid.shape) == (row, column)
    centre = (np.indices((8, 8)) * grid).sum(axis=(1, 2)) / grid.sum()
    np.testing.assert_allclose(centre, (row, column), atol=0.25)


def test_position_code_tells_every_cell_apart() -> None:
    code = position_code(8, 8, 128)
    distance = torch.cdist(code, code) + 99 * torch.eye(64)
    assert float(distance.min()) > 1
    grid = code.reshape(8, 8, 128)
    assert torch.equal(grid[3, :, :64], grid[3, :1, :64].expand(8, 64))
    assert torch.equal(grid[:, 3, 64:], grid[:1, 3, 64:].expand(8, 64))


def test_any_timm_network_is_brought_to_the_common_grid() -> None:
    for name in ("resnet10t", "vit_tiny_patch16_224", "convnext_atto"):
        network = Captioner(replace(small("cnn", "lstm"), encoder=name)).eval()
        with torch.no_grad():
            assert network.encoder(torch.zeros(1, 3, 128, 128)).shape == (1, 64, 128)
    with pytest.raises(GazeError, match="no network"):
        Captioner(replace(small("cnn", "lstm"), encoder="no-such-network"))


def test_an_unknown_task_is_given_the_first_one() -> None:
    model = fresh()
    assert model.describe(noise(30, 30), "free").task == "general"


def test_pictures_are_stretched_to_the_input() -> None:
    picture = np.zeros((64, 256, 3), np.uint8)
    picture[:, 128:] = 200
    fitted = fit_picture(picture, 128)
    assert fitted.shape == (128, 128, 3)
    assert fitted[:, :64].max() == 0
    assert fitted[:, 64:].min() == 200
    with pytest.raises(ValueError, match="uint8"):
        fit_picture(picture.astype(float), 128)


def test_vocabulary_is_complete() -> None:
    config = small("cnn", "lstm")
    _, tokens = DemoWorld("validation", 200, 8).batch(np.arange(200), np.random.default_rng(0))
    assert tokens.shape[2] <= config.max_words + 2
    assert tokens.max() < len(config.vocabulary)
    assert set(config.content_words) < set(config.vocabulary)
    assert not {"a", "the", "and", task_token("social")} & set(config.content_words)


def test_a_folder_that_was_moved_away_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="folder is not there any more") as told:
        read_config(tmp_path / "gone")
    assert told.value.where == str(tmp_path / "gone")
