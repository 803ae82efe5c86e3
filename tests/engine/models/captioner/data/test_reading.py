"""Every form of captions gives the same pictures and captions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gazeapp.engine.models.captioner.data.caption_set import CaptionSet
from gazeapp.engine.models.captioner.data.reading import read_captions
from tests.small_captions import SmallSet, small_set


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallSet:
    return small_set(tmp_path_factory.mktemp("small"))


def _told(captions: CaptionSet, task: str = "general") -> dict[str, tuple[str, ...]]:
    return {picture.name: picture.told(task) for picture in captions.pictures}


def _splits(captions: CaptionSet) -> dict[str, str]:
    return {picture.name: picture.split for picture in captions.pictures}


def _write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("form", ["karpathy", "flickr8k", "flickr30k", "table"])
def test_every_form_says_the_same(small: SmallSet, form: str) -> None:
    captions = read_captions(getattr(small, form), str(small.images))
    assert _told(captions) == {name: tasks["general"] for name, tasks in small.texts.items()}
    assert {picture.name: picture.path.resolve() for picture in captions.pictures} == {
        name: small.images.resolve() / name for name in small.texts
    }
    assert captions.notes == ()
    expected = dict.fromkeys(small.splits, "") if form == "flickr30k" else small.splits
    assert _splits(captions) == expected


def test_a_folder_of_coco_files_is_one_set_split_by_their_names(small: SmallSet) -> None:
    captions = read_captions(small.coco_train.parent)
    held = {name: split for name, split in small.splits.items() if split != "test"}
    assert _splits(captions) == held
    assert _told(captions) == {name: small.texts[name]["general"] for name in held}
    assert captions.form == "COCO Captions"
    assert _splits(read_captions(small.coco_val)) == {k: v for k, v in held.items() if v == "validation"}


def test_a_table_has_the_captions_of_every_task(small: SmallSet) -> None:
    captions = read_captions(small.table)
    assert captions.tasks == ("general", "social")
    assert _told(captions, "social") == {name: tasks["social"] for name, tasks in small.texts.items()}


def test_a_table_beside_coco_adds_captions_of_another_task(small: SmallSet, tmp_path: Path) -> None:
    shutil.copy(small.coco_train, tmp_path)
    _write(tmp_path / "social.csv", "image,caption,task\n000.png,She looks at him,social\n")
    # A file of objects, such as COCO brings too, has no captions and is passed over.
    _write(tmp_path / "instances_train2014.json", json.dumps({"images": [], "annotations": [{"bbox": []}]}))
    captions = read_captions(tmp_path, str(small.images))
    assert captions.form == "COCO Captions and table"
    first = captions.pictures[0]
    assert (first.name, first.split) == ("000.png", "train")
    assert first.told("social") == ("She looks at him",)
    assert first.told("general") == small.texts["000.png"]["general"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("captions.txt", "image,caption\n000.png,A dog , and a cat .\n001.png,Two men\n"),
        ("captions.csv", '\ufeffImage,Caption\r\n000.png,"A dog , and a cat ."\r\n\r\n001.png,Two men\r\n'),
        ("results.csv", "image_name| comment_number| comment\n000.png| 0| A dog , and a cat .\n001.png| 0| Two men\n"),
        ("a.tsv", "caption\tfile_name\nA dog , and a cat .\t000.png\nTwo men\t001.png\n"),
        ("b.csv", '"text","image","caption","id"\nx,000.png,"A dog , and a cat .",1\nx,001.png,Two men,2\n'),
        ("semicolons", "image;caption\n000.png;A dog , and a cat .\n001.png;Two men\n"),
        ("any.token", "000.png#0\tA dog , and a cat .\r\n001.png#0\tTwo men\r\n"),
    ],
)  # fmt: skip
def test_text_files_are_known_by_what_they_say(small: SmallSet, tmp_path: Path, name: str, text: str) -> None:
    captions = read_captions(_write(tmp_path / name, text), str(small.images))
    assert _told(captions) == {"000.png": ("A dog , and a cat .",), "001.png": ("Two men",)}


def test_quotation_marks_between_bars_are_part_of_a_caption(small: SmallSet, tmp_path: Path) -> None:
    text = 'image_name| comment_number| comment\n000.png| 0| " Hi " says a man\n001.png| 4 a dog\n002.png| 0| "x\n'
    captions = read_captions(_write(tmp_path / "results.csv", text), str(small.images))
    assert _told(captions) == {"000.png": ('" Hi " says a man',), "002.png": ('"x',)}
    # The row that lacks a bar has no caption, as one in the published file.
    assert captions.notes == ("1 caption has no words and was left out.",)


def test_quoted_captions_may_have_commas_and_quotes(small: SmallSet, tmp_path: Path) -> None:
    text = 'image,caption,split\n000.png,"A ""big"" dog, running",val\n'
    captions = read_captions(_write(tmp_path / "a.csv", text), str(small.images))
    assert captions.pictures[0].told("general") == ('A "big" dog, running',)
    assert captions.pictures[0].split == "validation"


def test_karpathys_words_stand_in_for_a_sentence_that_is_not_kept(small: SmallSet, tmp_path: Path) -> None:
    image = {"filename": "000.png", "split": "val", "sentences": [{"tokens": ["a", "dog"]}]}
    captions = read_captions(_write(tmp_path / "k.json", json.dumps({"images": [image]})), str(small.images))
    assert captions.pictures[0].told("general") == ("a dog",)


def test_pictures_are_found_in_the_folders_of_the_usual_sets(small: SmallSet, tmp_path: Path) -> None:
    for folder in ("train2014", "val2014"):
        (tmp_path / "coco" / folder).mkdir(parents=True)
    shutil.copy(small.images / "000.png", tmp_path / "coco" / "train2014" / "a.png")
    shutil.copy(small.images / "001.png", tmp_path / "coco" / "val2014" / "b.png")
    (tmp_path / "coco" / "annotations").mkdir()
    images = [
        {"filepath": "train2014", "filename": "a.png", "split": "train", "sentences": [{"raw": "A dog"}]},
        {"filepath": "val2014", "filename": "b.png", "split": "restval", "sentences": [{"raw": "A cat"}]},
    ]
    path = _write(tmp_path / "coco" / "annotations" / "dataset_coco.json", json.dumps({"images": images}))
    (tmp_path / "coco" / "images").mkdir()
    for captions in (read_captions(path, str(tmp_path / "coco")),):
        assert [picture.name for picture in captions.pictures] == ["train2014/a.png", "val2014/b.png"]
        assert [picture.split for picture in captions.pictures] == ["train", "train"]
    coco = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [{"image_id": 2, "caption": "A cat"}, {"image_id": 1, "caption": "A dog"}],
    }
    beside = read_captions(_write(path.parent / "captions.json", json.dumps(coco)))
    assert [picture.path.parent.name for picture in beside.pictures] == ["val2014", "train2014"]
    assert [picture.split for picture in beside.pictures] == ["", ""]


def test_missing_pictures_and_empty_captions_are_counted(small: SmallSet, tmp_path: Path) -> None:
    rows = [f"gone{i}.png,A dog\n" for i in range(5)] + ["000.png,A cat\n", "000.png, ... \n", "001.png,\n"]
    captions = read_captions(_write(tmp_path / "a.csv", "image,caption\n" + "".join(rows)), str(small.images))
    assert _told(captions) == {"000.png": ("A cat",)}
    assert captions.notes == (
        "5 pictures with captions are not there: gone0.png, gone1.png, gone2.png and others.",
        "2 captions have no words and were left out.",
    )


def test_a_picture_that_is_listed_twice_is_one(small: SmallSet, tmp_path: Path) -> None:
    coco = {
        "images": [{"id": 1, "file_name": "000.png"}, {"id": "two", "file_name": "./000.png"}],
        "annotations": [{"image_id": "two", "caption": "B"}, {"image_id": 1, "caption": "A"}],
    }
    captions = read_captions(_write(tmp_path / "c.json", json.dumps(coco)), str(small.images))
    assert _told(captions) == {"000.png": ("B", "A")}


def test_lists_without_suffixes_split_and_the_stems_of_flickr8k_are_passed_over(
    small: SmallSet, tmp_path: Path
) -> None:
    _write(tmp_path / "results.token", "000.png#0\tA dog\n001.png#0\tA cat\n002.png#0\tA cow\n")
    _write(tmp_path / "results.lemma.token", "000.png#0\ta dog be\n")
    _write(tmp_path / "train.txt", "000\n")
    _write(tmp_path / "test.txt", "001\n")
    captions = read_captions(tmp_path, str(small.images))
    assert _splits(captions) == {"000.png": "train", "001.png": "test", "002.png": ""}
    assert _told(captions)["000.png"] == ("A dog",)


def test_an_accent_written_in_two_ways_is_the_same_name(small: SmallSet, tmp_path: Path) -> None:
    shutil.copy(small.images / "000.png", tmp_path / "stra\u00dfe u\u0308.png")
    captions = read_captions(_write(tmp_path / "a.csv", "image,caption\nstra\u00dfe \u00fc.png,A dog\n"))
    assert [picture.name for picture in captions.pictures] == ["stra\u00dfe \u00fc.png"]
    assert captions.pictures[0].path.is_file()
