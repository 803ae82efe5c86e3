"""A small set of captioned pictures of the demo world, written in the forms that caption data come in."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.scenes import TASKS, captions, make_scene

_SIZE = (48, 40)
"""Width and height of the pictures, px: not square, so that bringing them to size is not nothing."""


@dataclass(frozen=True, slots=True)
class SmallSet:
    """The files of a small set; every form says the same of the same pictures, but see each field.

    Parameters
    ----------
    images
        Folder of the pictures, ``000.png`` and so on.
    coco_train, coco_val
        COCO Captions files, alone in a folder; the second has the validation pictures. Those for tests are in none.
    karpathy
        Karpathy JSON with the splits train, restval, val and test.
    flickr8k
        ``Flickr8k.token.txt``, with ``Flickr_8k.trainImages.txt`` and so on beside it.
    flickr30k
        ``results_20130124.token``, in a folder of its own; it has no splits.
    table
        ``captions.csv`` with image, caption, task and split; the only one with the social captions.
    texts
        By picture and task, its two captions.
    splits
        By picture, ``train``, ``validation`` or ``test``.
    """

    images: Path
    coco_train: Path
    coco_val: Path
    karpathy: Path
    flickr8k: Path
    flickr30k: Path
    table: Path
    texts: dict[str, dict[str, tuple[str, str]]]
    splits: dict[str, str]


def small_set(folder: Path, n: int = 16, seed: int = 1) -> SmallSet:
    """Write ``n`` pictures with two captions under each task, in every form.

    The second caption of a task is the first with "there is" before it and a full stop. Of every eight pictures the
    sixth and seventh are for validation, the eighth for tests.
    """
    images = folder / "images"
    images.mkdir(parents=True)
    (folder / "annotations").mkdir()
    texts: dict[str, dict[str, tuple[str, str]]] = {}
    splits: dict[str, str] = {}
    for i in range(n):
        name = f"{i:03d}.png"
        scene = make_scene(seed * 10_000 + i)
        Image.fromarray(render(scene, 64)).resize(_SIZE).save(images / name)
        told = captions(scene)
        texts[name] = {task: (told[task].text, f"There is {told[task].text}.") for task in TASKS}
        splits[name] = {5: "validation", 6: "validation", 7: "test"}.get(i % 8, "train")
    general = {name: tasks["general"] for name, tasks in texts.items()}
    return SmallSet(
        images,
        *(
            _coco(
                folder / "annotations" / f"captions_{shown}2014.json",
                {name: told for name, told in general.items() if splits[name] == split},
            )
            for shown, split in (("train", "train"), ("val", "validation"))
        ),
        _karpathy(folder / "dataset_small.json", general, splits),
        _flickr8k(folder / "flickr8k", general, splits),
        _token_file(folder / "flickr30k" / "results_20130124.token", general),
        _table(folder / "captions.csv", texts, splits),
        texts,
        splits,
    )


def _coco(path: Path, texts: dict[str, tuple[str, str]]) -> Path:
    numbers = {name: int(name[:3]) + 100 for name in texts}
    data = {
        "info": {"description": "small"},
        "licenses": [{"id": 1, "name": "none"}],
        "images": [{"id": numbers[name], "file_name": name, "width": 48, "height": 40} for name in texts],
        "annotations": [
            {"id": numbers[name] * 10 + k, "image_id": numbers[name], "caption": text}
            for name, told in texts.items()
            for k, text in enumerate(told)
        ],
    }
    path.write_text(json.dumps(data), "utf-8")
    return path


def _karpathy(path: Path, texts: dict[str, tuple[str, str]], splits: dict[str, str]) -> Path:
    named = {"train": "train", "validation": "val", "test": "test"}
    entries = [
        {
            "filename": name,
            "imgid": i,
            "split": "restval" if i % 8 == 1 else named[splits[name]],
            "sentids": [2 * i, 2 * i + 1],
            "sentences": [
                {"raw": text, "tokens": text.lower().rstrip(".").split(), "imgid": i, "sentid": 2 * i + k}
                for k, text in enumerate(told)
            ],
        }
        for i, (name, told) in enumerate(texts.items())
    ]
    path.write_text(json.dumps({"images": entries, "dataset": "small"}), "utf-8")
    return path


def _token_file(path: Path, texts: dict[str, tuple[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}#{k}\t{text}\n" for name, told in texts.items() for k, text in enumerate(told)]
    path.write_text("".join(lines), "utf-8")
    return path


def _flickr8k(folder: Path, texts: dict[str, tuple[str, str]], splits: dict[str, str]) -> Path:
    path = _token_file(folder / "Flickr8k.token.txt", texts)
    for split, shown in (("train", "train"), ("validation", "dev"), ("test", "test")):
        names = [name for name in texts if splits[name] == split]
        (folder / f"Flickr_8k.{shown}Images.txt").write_text("\n".join(names) + "\n", "utf-8")
    return path


def _table(path: Path, texts: dict[str, dict[str, tuple[str, str]]], splits: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "caption", "task", "split"])
        for name, tasks in texts.items():
            for task, told in tasks.items():
                writer.writerows([name, text, task, splits[name]] for text in told)
    return path
