"""Captioned pictures as batches of a training."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data import pictures as pictures_module
from gazeapp.engine.models.captioner.data.caption_set import CaptionSet, CaptionText, Picture
from gazeapp.engine.models.captioner.data.pictures import CaptionPictures
from gazeapp.engine.models.captioner.data.reading import read_captions
from gazeapp.engine.models.captioner.data.words import Vocabulary, make_vocabulary
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.pictures import PictureFacts, read_picture
from gazeapp.engine.types import ImageArray, IntArray
from tests.small_captions import small_set

TASKS = ("general", "social")


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> CaptionSet:
    return read_captions(small_set(tmp_path_factory.mktemp("small")).table)


@pytest.fixture(scope="module")
def vocabulary(captions: CaptionSet) -> Vocabulary:
    return make_vocabulary(captions.pictures, TASKS, 1)


def _all(source: CaptionPictures) -> tuple[ImageArray, IntArray]:
    return source.batch(np.arange(len(source)), np.random.default_rng(5))


def _spoilt(captions: CaptionSet, folder: Path, *numbers: int) -> list[Picture]:
    pictures = list(captions.pictures)
    for number in numbers:
        path = folder / f"{number}.png"
        path.write_bytes(pictures[number].path.read_bytes()[:200])
        told = pictures[number].captions
        pictures[number] = Picture(pictures[number].name, path, "", told)
    return pictures


@pytest.mark.parametrize("resample", ["box", "bilinear", "bicubic"])
def test_pictures_are_what_the_model_will_see(
    captions: CaptionSet, vocabulary: Vocabulary, resample: str
) -> None:
    source = CaptionPictures(captions.pictures, vocabulary, TASKS, 32, resample)
    pictures, _ = source.batch(np.array([3, 1]), np.random.default_rng(0))
    assert pictures.dtype == np.uint8
    for got, number in zip(pictures, (3, 1), strict=True):
        seen = fit_picture(read_picture(captions.pictures[number].path)[0], 32, resample)
        np.testing.assert_array_equal(got, seen)


def test_every_task_has_a_caption_of_the_picture(captions: CaptionSet, vocabulary: Vocabulary) -> None:
    tokens = _all(CaptionPictures(captions.pictures, vocabulary, TASKS, 8))[1]
    for row, picture in zip(tokens, captions.pictures, strict=True):
        for caption, task in zip(row, TASKS, strict=True):
            own = [vocabulary.encode(task, text, 32) for text in picture.told(task)]
            assert [int(t) for t in caption if t] in own
            assert not caption[list(caption).index(1) + 1 :].any()


def test_captions_are_drawn_evenly_and_by_the_seed(captions: CaptionSet, vocabulary: Vocabulary) -> None:
    source = CaptionPictures(captions.pictures, vocabulary, TASKS, 8)
    drawn = [source.batch(np.array([0]), np.random.default_rng(seed))[1] for seed in range(200)]
    assert 70 < sum(int(tokens[0, 0, 1]) == vocabulary.number["there"] for tokens in drawn) < 130
    again = source.batch(np.array([0]), np.random.default_rng(7))[1]
    np.testing.assert_array_equal(again, drawn[7])


def test_a_picture_without_a_caption_under_a_task_has_only_padding(
    captions: CaptionSet, vocabulary: Vocabulary
) -> None:
    first, second, *_ = captions.pictures
    alone = Picture(first.name, first.path, "", (CaptionText("general", "a dog"),))
    none = Picture("none", first.path, "", (CaptionText("other", "a dog"),))
    source = CaptionPictures([none, alone, second], vocabulary, TASKS, 8)
    assert [picture.name for picture in source.pictures] == [first.name, second.name]
    tokens = _all(source)[1]
    assert tokens[0, 0].any()
    assert not tokens[0, 1].any()
    assert tokens[1].any(axis=1).all()
    with pytest.raises(GazeError, match="No picture has a caption under the tasks social"):
        CaptionPictures([none, alone], vocabulary, ("social",), 8)


def test_long_captions_are_cut(captions: CaptionSet, vocabulary: Vocabulary) -> None:
    tokens = _all(CaptionPictures(captions.pictures, vocabulary, TASKS, 8, max_words=3))[1]
    assert tokens.shape == (16, 2, 5)
    assert (tokens[..., 4] == vocabulary.number["<end>"]).all()


def test_threads_may_read_at_once(captions: CaptionSet, vocabulary: Vocabulary, tmp_path: Path) -> None:
    source = CaptionPictures(_spoilt(captions, tmp_path, 2, 3), vocabulary, TASKS, 16)

    def read(number: int) -> tuple[ImageArray, IntArray]:
        return source.batch(np.array([number % 16]), np.random.default_rng(number))

    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(read, range(48)))
    for number, (pictures, tokens) in enumerate(threaded):
        np.testing.assert_array_equal(pictures, read(number)[0])
        np.testing.assert_array_equal(tokens, read(number)[1])
    assert sorted(source.problems) == [str(tmp_path / "2.png"), str(tmp_path / "3.png")]


def test_the_next_readable_picture_stands_in_for_a_damaged_one(
    captions: CaptionSet, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    source = CaptionPictures(_spoilt(captions, tmp_path, 14, 15), vocabulary, TASKS, 16)
    pictures, tokens = source.batch(np.array([15, 0, 14]), np.random.default_rng(2))
    for row in (0, 2):
        np.testing.assert_array_equal(pictures[row], pictures[1])
        own = [vocabulary.encode("general", text, 32) for text in captions.pictures[0].told("general")]
        assert [int(t) for t in tokens[row, 0] if t] in own
    assert list(source.problems) == [str(tmp_path / "15.png"), str(tmp_path / "14.png")]
    assert all("damaged" in what for what in source.problems.values())


@pytest.mark.parametrize(("room", "reads"), [(16 * 8 * 8 * 3, 16), (16 * 8 * 8 * 3 - 1, 32)])
def test_pictures_that_fit_into_memory_are_read_once(
    captions: CaptionSet, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, room: int, reads: int
) -> None:
    read: list[Path] = []

    def counted(path: Path) -> tuple[ImageArray, PictureFacts]:
        read.append(path)
        return read_picture(path)

    monkeypatch.setattr(pictures_module, "read_picture", counted)
    monkeypatch.setattr(pictures_module, "_ROOM", room)
    source = CaptionPictures(captions.pictures, vocabulary, TASKS, 8)
    first, second = _all(source)[0], _all(source)[0]
    np.testing.assert_array_equal(first, second)
    assert len(read) == reads


def test_no_readable_picture_is_a_sentence(
    captions: CaptionSet, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    source = CaptionPictures(_spoilt(captions, tmp_path, 0, 1)[:2], vocabulary, TASKS, 16)
    with pytest.raises(GazeError, match=r"0\.png: 2 pictures in a row cannot be read"):
        source.batch(np.array([0]), np.random.default_rng(2))


def test_pictures_are_turned_upright(vocabulary: Vocabulary, tmp_path: Path) -> None:
    left_red = np.zeros((8, 16, 3), np.uint8)
    left_red[:, :8, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise: left comes to the top
    Image.fromarray(left_red).save(tmp_path / "a.png", exif=exif)
    picture = Picture("a.png", tmp_path / "a.png", "", (CaptionText("general", "a dog"),))
    pictures, _ = _all(CaptionPictures([picture], vocabulary, ("general",), 4))
    assert (pictures[0, :2, :, 0] == 255).all()
    assert (pictures[0, 2:] == 0).all()
