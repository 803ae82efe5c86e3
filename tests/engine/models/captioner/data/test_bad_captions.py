"""Every caption file that cannot be read is told in a sentence with what to do."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.reading import read_captions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (4, 3)).save(tmp_path / "images" / "a.png")
    return tmp_path


def _coco(images: object, annotations: object) -> str:
    return json.dumps({"images": images, "annotations": annotations})


_A = {"id": 1, "file_name": "a.png"}

BAD = {
    "empty": ("", "The file is empty"),
    "blank": (" \n \n", "The file is empty"),
    "prose": ("A dog.\nA cat.\n", "in no form of captions"),
    "no caption column": ("image,words\na.png,dog\n", "in no form of captions"),
    "header only": ("image,caption\n", "holds no captions"),
    "cut JSON": ('{"images": [\n {"id": 1,\n', "damaged in line 3"),
    "other JSON": ('{"images": 3}', "no captions in a known form"),
    "a list": ("[1, 2]", "no captions in a known form"),
    "deep JSON": ("[" * 100_000, "nested too deeply"),
    "long number": ('{"images": ' + "9" * 5000 + "}", "too many digits"),
    "no file name": (_coco([{"id": 1}], []), "Image 1 has no 'file_name'"),
    "an image that is no object": (_coco([1], []), "Image 1 has no 'file_name'"),
    "number for caption": (_coco([_A], [{"image_id": 1, "caption": 3}]), "Annotation 1 has no 'caption'"),
    "unknown image": (_coco([_A], [{"image_id": 2, "caption": "x"}]), "of image 2, which is not among"),
    "list as number": (_coco([_A], [{"image_id": [1], "caption": "x"}]), "Annotation 1 has no 'image_id'"),
    "no annotations": (_coco([_A], []), "holds no captions"),
    "only empty captions": (_coco([_A], [{"image_id": 1, "caption": "?"}]), "holds no captions"),
    "all missing": ("image,caption\nb.png,dog\nc.png,cat\n", "None of the 2 pictures is there, such as b.png"),
    "unknown split": ("image,caption,split\na.png,dog,holdout\n", "line 2: 'holdout' is no split"),
    "two splits": ("image,caption,split\na.png,dog,val\na.png,dog,test\n", "validation and test .line 3"),
    "bad task": ("image,caption,task\na.png,dog,<pad>\n", "line 2: A task cannot be called '<pad>'"),
    "task like a token": ("image,caption,task\na.png,dog,unk\n", "cannot be called 'unk'"),
    "folder above": ("image,caption\n../a.png,dog\n", "Line 2 names the picture '../a.png'"),
    "folder above, other slash": ("image,caption\nx\\..\\..\\a.png,dog\n", "no name inside a folder"),
    "absolute": ("image,caption\n/etc/passwd,dog\n", "no name inside a folder"),
    "drive": ("image,caption\nC:\\a.png,dog\n", "no name inside a folder"),
    "no name": ("image,caption\n,dog\n", "no name inside a folder"),
    "open quote": ('image,caption\na.png,"dog\n' + "a.png,cat\n" * 30, "opens in line 2 is not closed"),
    "open quote in the last row": ('image,caption\na.png,cat\na.png,"dog\n', "opens in line 3 is not closed"),
    "open quote that a later one closes": (
        'image,caption\na.png,"dog\na.png,cat\na.png,"cow"\n', "opens in line 2 is not closed"
    ),
    "line break in a caption": ('image,caption\na.png,"dog,\r\nrunning"\n', "opens in line 2 is not closed"),
    "open quote in the header": ('image,caption,"id\na.png,dog,1\n', "opens in line 1 is not closed"),
    "token line": ("a.png#0\tA dog\nwhat\n", "Line 2 is not of the form"),
    "karpathy split": (
        json.dumps({"images": [{"filename": "a.png", "split": "x", "sentences": []}]}),
        "image 1: 'x' is no split",
    ),
    "karpathy sentence": (
        json.dumps({"images": [{"filename": "a.png", "split": "val", "sentences": [3]}]}),
        "Image 1 has no 'raw'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_every_bad_file_is_a_sentence(folder: Path, case: str) -> None:
    text, sentence = BAD[case]
    path = folder / "captions.any"
    path.write_text(text, "utf-8")
    with pytest.raises(GazeError, match=sentence) as caught:
        read_captions(path)
    assert str(path) in caught.value.where
    assert caught.value.todo


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("image,caption\na.png,dog\n".encode("utf-16"), "no UTF-8 text"),
        (b"\x1f\x8b\x08\x00aaaa", "no UTF-8 text"),
        (b"PK\x03\x04", "no UTF-8 text"),
        (b"image,caption\na.png,caf\xe9\n", "no UTF-8 text"),
        (b'{"images": [], "annotations": ["\xe9"]}', "no UTF-8 text"),
        (b"a.png#0\tcaf\xe9\n", "no UTF-8 text"),
    ],
)
def test_files_that_are_no_text_are_a_sentence(folder: Path, raw: bytes, sentence: str) -> None:
    path = folder / "captions.csv"
    path.write_bytes(raw)
    with pytest.raises(GazeError, match=sentence):
        read_captions(path)


def test_a_path_that_is_not_there_and_a_folder_without_captions_are_sentences(folder: Path) -> None:
    with pytest.raises(GazeError, match="cannot be read"):
        read_captions(folder / "none.json")
    with pytest.raises(GazeError, match="The folder holds no captions"):
        read_captions(folder)
    (folder / "c.csv").write_text("image,caption\na.png,dog\n")
    with pytest.raises(GazeError, match="folder of the images is not there"):
        read_captions(folder / "c.csv", str(folder / "nowhere"))


def test_a_folder_with_two_sets_asks_for_one(folder: Path) -> None:
    karpathy = {"images": [{"filename": "a.png", "split": "val", "sentences": [{"raw": "dog"}]}]}
    (folder / "dataset_coco.json").write_text(json.dumps(karpathy))
    (folder / "captions_val2014.json").write_text(_coco([_A], [{"image_id": 1, "caption": "dog"}]))
    with pytest.raises(GazeError, match=r"several sets of captions: .*dataset_coco\.json"):
        read_captions(folder)
    (folder / "captions_val2014.json").unlink()
    assert len(read_captions(folder).pictures) == 1


def test_a_name_in_the_lists_of_two_splits_is_a_sentence(folder: Path) -> None:
    (folder / "r.token").write_text("a.png#0\tA dog\n")
    (folder / "train.txt").write_text("a.png\n")
    (folder / "test.txt").write_text("a.png\n")
    with pytest.raises(GazeError, match=r"a\.png is in the lists of two splits"):
        read_captions(folder / "r.token")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b'{"images": [', b"image,caption\n", b"a.png#0\t", b'{"sentences"']),
)
def test_no_bytes_give_anything_but_captions_or_a_sentence(folder: Path, raw: bytes, start: bytes) -> None:
    path = folder / "fuzz"
    path.write_bytes(start + raw)
    with suppress(GazeError):
        assert [picture.name for picture in read_captions(path).pictures] == ["a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_neither_file_nor_folder_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "captions.csv")
    for path in (folder / "captions.csv", Path(os.devnull)):
        with pytest.raises(GazeError, match="neither a file nor a folder"):
            read_captions(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_among_the_pictures_is_no_picture(folder: Path) -> None:
    os.mkfifo(folder / "images" / "b.png")
    (folder / "captions.csv").write_text("image,caption\na.png,dog\nb.png,cat\nb.png,?\n", "utf-8")
    found = read_captions(folder / "captions.csv", str(folder / "images"))
    assert [picture.name for picture in found.pictures] == ["a.png"]
    assert found.notes == ("1 picture with captions is not there: b.png.",)


def test_a_single_picture_and_caption_are_told_as_one(folder: Path) -> None:
    (folder / "captions.csv").write_text("image,caption\na.png,dog\na.png,?\n", "utf-8")
    assert read_captions(folder / "captions.csv", str(folder / "images")).notes == (
        "1 caption has no words and was left out.",
    )
    (folder / "captions.csv").write_text("image,caption\nb.png,dog\n", "utf-8")
    with pytest.raises(GazeError, match=r"The picture b\.png is not there"):
        read_captions(folder / "captions.csv", str(folder / "images"))
