"""Boxes of objects land on their images, from COCO, labelme and tables; what is none is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from gazeapp.engine.demo.scenes import captions
from gazeapp.engine.demo.world import OBJECTS, demo_scenes, write_objects
from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.mentions import mentioned
from gazeapp.engine.lesions.object_files import read_objects
from gazeapp.engine.project import Project
from gazeapp.engine.types import Rect
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.demo import DemoSettings, build_demo
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.objects import ImportObjectsSettings, import_objects


@pytest.fixture
def project(tmp_path: Path):
    for name in ("a.png", "in/b.png", "out/b.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(path)
    with Project.create(tmp_path / "study.gaze") as created:
        add_images(created, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
        yield created


def write(path: Path, values: object) -> Path:
    path.write_text(values if isinstance(values, str) else json.dumps(values), "utf-8")
    return path


def bring(project: Project, *files: Path, **more: str):
    return import_objects(project, ImportObjectsSettings(tuple(map(str, files)), **more), SILENT)  # type: ignore[arg-type]


def boxes_of(project: Project, name: str) -> list[tuple[str, Rect, str]]:
    image = project.images.by_name(name)
    assert image is not None
    return [(one.label, one.rect, one.origin) for one in project.objects.of_image(image.id)]


def coco(width: int = 40, height: int = 30) -> dict[str, object]:
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "width": width, "height": height},
            {"id": "x", "file_name": "elsewhere/out/b.png", "width": width, "height": height},
            {"id": 9, "file_name": "nowhere.png", "width": width, "height": height},
        ],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "fire hydrant"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": [1, 2.5, 10, 5]},
            {"image_id": 7, "category_id": 2, "bbox": [30, 20, 20, 20]},
            {"image_id": "x", "category_id": 2, "bbox": [0, 0, 40, 30]},
            {"image_id": 9, "category_id": 2, "bbox": [0, 0, 4, 3]},
        ],
    }


def test_coco_boxes_are_cut_at_the_border_and_found_by_their_folders(project: Project, tmp_path: Path):
    summary = bring(project, write(tmp_path / "coco.json", coco()))
    assert (summary.done, summary.failed) == (2, 0)
    assert boxes_of(project, "a.png") == [
        ("dog", Rect(1, 2.5, 10, 5), "coco.json"),
        ("fire hydrant", Rect(30, 20, 10, 10), "coco.json"),
    ]
    assert boxes_of(project, "out/b.png") == [("fire hydrant", Rect(0, 0, 40, 30), "coco.json")]
    assert boxes_of(project, "in/b.png") == []
    assert summary.details == {
        "boxes": 3,
        "labels": ["dog", "fire hydrant"],
        "unusable_boxes": 0,
        "images_not_in_project": 1,
    }
    assert [problem.what for problem in summary.problems] == [
        "The boxes of 1 image are left out, because no image of the project is named like that: 'nowhere.png'."
    ]
    again = bring(project, tmp_path / "coco.json")
    assert (again.done, again.skipped) == (0, 2)


def test_boxes_replace_those_of_the_same_file_only(project: Project, tmp_path: Path):
    bring(project, write(tmp_path / "t.csv", "image,label,x,y,width,height\na,dog,1,2,3,4\n"))
    bring(project, write(tmp_path / "u.csv", "label;image;y;x;height;width;note\ncat;A.PNG;2;1;4;3;shy\n"))
    summary = bring(project, write(tmp_path / "t.csv", "image,label,x,y,width,height\na,hen,1,2,3,4\n"))
    assert summary.done == 1
    assert {row[0] for row in boxes_of(project, "a.png")} == {"hen", "cat"}
    assert {row[1] for row in boxes_of(project, "a.png")} == {Rect(1, 2, 3, 4)}


def test_labelme_shapes_become_their_bounding_boxes(project: Project, tmp_path: Path):
    folder = tmp_path / "labelme"
    folder.mkdir()
    shapes = [
        {"label": "dog", "shape_type": "polygon", "points": [[3, 4], [9, 5], [6, 20]]},
        {"label": "ball", "shape_type": "circle", "points": [[10, 10], [13, 14]]},
        {"label": "hat", "shape_type": "mask", "points": [[2, 3], [4, 8]], "mask": "x"},
        {"label": "eye", "shape_type": "point", "points": [[2, 3]]},
    ]
    write(
        folder / "one.json",
        {"imagePath": "..\\set\\a.png", "imageWidth": 40, "imageHeight": 30, "shapes": shapes},
    )
    write(folder / "broken.json", '{"shapes": [')
    summary = bring(project, folder)
    assert (summary.done, summary.failed, summary.details["unusable_boxes"]) == (1, 1, 1)
    assert [row[:2] for row in boxes_of(project, "a.png")] == [
        ("dog", Rect(3, 4, 6, 16)),
        ("ball", Rect(5, 5, 10, 10)),
        ("hat", Rect(2, 3, 3, 6)),
    ]
    told = sorted(problem.what for problem in summary.problems)
    assert told[0] == "1 box is left out, because each has a box without a width or height above 0: shape 4."
    assert told[1].startswith("No boxes can be read from this file: it is damaged JSON")


@pytest.mark.parametrize(
    ("placing", "rect"), [("fraction", Rect(0.5, 1.25, 5, 2.5)), ("pixel", Rect(1, 2.5, 10, 5))]
)
def test_boxes_of_another_size_are_refused_or_placed(
    project: Project, tmp_path: Path, placing: str, rect: Rect
):
    file = write(tmp_path / "coco.json", coco(80, 60))
    refused = bring(project, file)
    assert (refused.done, refused.failed) == (0, 2)
    assert "80 x 60 px, the image has 40 x 30 px" in refused.problems[-1].what
    assert boxes_of(project, "a.png") == []
    placed = bring(project, file, placing=placing)
    assert placed.done == 2
    assert boxes_of(project, "a.png")[0][1] == rect
    assert not any("80 x 60" in problem.what for problem in project.problems.all())


def test_lines_that_are_no_boxes_are_told_and_the_rest_is_kept(project: Project, tmp_path: Path):
    lines = [
        "image,label,x,y,width,height",
        "a,dog,1,2,3,4",
        "a,dog,1,2,nan,4",
        "a,dog,1,2,3",
        "",
        "a,dog,1,2,-3,4",
    ]
    lines += [",dog,1,2,3,4", "a,,1,2,3,4", "a,dog,x,2,3,4", "a,cat,40,0,5,5", "b,dog,0,0,1,1"]
    summary = bring(project, write(tmp_path / "t.csv", "\ufeff" + "\r\n".join(lines)))
    assert [row[:2] for row in boxes_of(project, "a.png")] == [("dog", Rect(1, 2, 3, 4))]
    assert {problem.what for problem in summary.problems} == {
        "2 boxes are left out, because each has no box of four numbers: line 3, line 9.",
        "1 box is left out, because each has too few columns: line 4.",
        "1 box is left out, because each has a box without a width or height above 0: line 6.",
        "1 box is left out, because each names no image: line 7.",
        "1 box is left out, because each has no label: line 8.",
        "1 box is left out, because each lies outside of its image.",
        # Two images are called b.
        "The boxes of 1 image are left out, because it is not clear which image of the project is meant: 'b'.",
    }
    assert summary.details["unusable_boxes"] == 7


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not name image, label, x"),
        ("image,label,x,y\na,b,1,2\n", "does not name width, height"),
        ("[1, 2]", "neither 'annotations' nor 'shapes'"),
        ('{"annotations": 3}', "neither 'annotations' nor 'shapes'"),
        ("[" * 100_000, "damaged JSON"),
    ],
)
def test_other_files_are_a_sentence(tmp_path: Path, text: str, why: str):
    with pytest.raises(GazeError, match=why):
        read_objects(write(tmp_path / "file", text))


def test_files_that_are_no_text_or_not_there_are_a_sentence(project: Project, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(GazeError, match="not text in UTF-8"):
        read_objects(tmp_path / "file")
    with pytest.raises(GazeError, match="cannot be read"):
        read_objects(tmp_path / "none")
    with pytest.raises(GazeError, match="no such file"):
        bring(project, tmp_path / "none")
    with pytest.raises(GazeError, match="named like that: 'zz'"):
        bring(project, write(tmp_path / "t.csv", "image,label,x,y,width,height\nzz,dog,1,2,3,4\n"))
    with pytest.raises(GazeError, match="by 'magic'"):
        bring(project, tmp_path / "t.csv", placing="magic")


@pytest.mark.parametrize(
    "values",
    [
        {"annotations": [3, None, {"image_id": [], "bbox": {}}], "images": 4, "categories": {}},
        {"annotations": [{"image_id": 1, "bbox": [1, 2, 3, True]}], "images": [{"id": 1, "file_name": "a"}]},
        {"annotations": [{"image_id": 1, "category_id": {}}], "images": [{"id": 1, "file_name": 8}]},
        {"shapes": [3, {"label": 4, "points": "no"}, {"label": "x", "points": [[1], [2, 3]]}]},
        {"shapes": [{"label": "x", "points": [[1, 1], [1e999, 3]]}], "imagePath": 5},
    ],
)
def test_json_of_a_wrong_shape_is_counted_never_a_traceback(tmp_path: Path, values: dict[str, object]):
    found = read_objects(write(tmp_path / "file.json", values))
    assert found.boxes == ()
    n_rows = len(values.get("annotations") or values["shapes"])  # type: ignore[arg-type]
    assert sum(map(len, found.unusable.values())) == n_rows


def test_the_demo_world_names_its_boxes_as_its_captions_do(tmp_path: Path):
    scenes = demo_scenes(6, seed=1)
    found = read_objects(write_objects(tmp_path, scenes))
    assert (tmp_path / OBJECTS).exists()
    assert found.unusable == {}
    for number, scene in enumerate(scenes):
        boxes = [box for box in found.boxes if box.image == f"scene-{number + 1:03d}.png"]
        assert len(boxes) == len(scene.boxes)
        for truth in captions(scene).values():
            seen = {boxes[k].label for k in truth.boxes if k >= 0}
            assert mentioned({box.label for box in boxes}, truth.words) == seen
        for box, unit in zip(boxes, scene.boxes, strict=True):
            assert box.rect.x == pytest.approx(unit.x0 * 512, abs=0.006)
            assert box.rect.bottom == pytest.approx(unit.y1 * 512, abs=0.011)


class Cancelled:
    cancelled = True

    def report(self, done: int, total: int, message: str) -> None:
        pass


def test_a_demo_study_of_an_earlier_version_gets_its_objects(tmp_path: Path):
    settings = DemoSettings(str(tmp_path), n_scenes=2, n_observers=2, seed=3)
    build_demo(settings, Cancelled())
    table, picture = tmp_path / OBJECTS, tmp_path / "images" / "scene-001.png"
    before, drawn = table.read_bytes(), picture.stat().st_mtime_ns
    table.unlink()
    build_demo(settings, Cancelled())
    assert table.read_bytes() == before
    assert picture.stat().st_mtime_ns == drawn
