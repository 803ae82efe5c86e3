"""Masks leave as PNG, COCO and labelme files and come back to the byte; what does not fit is a sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.types import MaskArray
from gazeapp.engine.workflows.base import SILENT, Summary
from gazeapp.engine.workflows.export_masks import mask_files
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.masks_export import ExportMasksSettings, export_masks
from gazeapp.engine.workflows.masks_files import file_name, mask_name
from gazeapp.engine.workflows.masks_import import ImportMasksSettings, import_masks

SIZES = {"a.png": (31, 20), "a.jpg": (20, 31), "in/b.png": (16, 16), "out/b.png": (16, 16)}
"""Width and height; two images share a stem, two a name."""

NAMES = ("hand", "a/b: 100%?", "con", "Ball 20%41")


class Cancelled:
    cancelled = True

    def report(self, done: int, total: int, message: str) -> None:
        pass


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, size in SIZES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", size).save(folder / name)
    return folder


def a_project(path: Path, pictures: Path) -> Project:
    project = Project.create(path)
    add_images(project, AddImagesSettings((str(pictures),)), SILENT)
    return project


@pytest.fixture
def project(tmp_path: Path, pictures: Path):
    with a_project(tmp_path / "study.gaze", pictures) as created:
        yield created


def draw(project: Project, hard: bool) -> dict[tuple[str, str], MaskArray]:
    """Put a mask of each name on each image, and return them."""
    rng = np.random.default_rng(3)
    drawn = {}
    for name in NAMES:
        for image in project.images.all():
            values = rng.integers(0, 256, (image.height, image.width)).astype(np.uint8)
            values = np.where(values > 120, np.uint8(255), np.uint8(0)) if hard else values
            project.masks.put(name, image.id, values)
            drawn[name, image.name] = values
    return drawn


def stored(project: Project) -> dict[tuple[str, str], MaskArray]:
    found = {}
    for image in project.images.all():
        for name in project.masks.of_image(image.id):
            mask = project.masks.get(name, image.id)
            assert mask is not None
            found[name, image.name] = mask.values
    return found


def bring(project: Project, *files: Path, **more: object) -> Summary:
    return import_masks(project, ImportMasksSettings(tuple(map(str, files)), **more), SILENT)  # type: ignore[arg-type]


def take(project: Project, folder: Path, **more: object) -> Summary:
    return export_masks(project, ExportMasksSettings(str(folder), **more), SILENT)  # type: ignore[arg-type]


@pytest.mark.parametrize(("form", "hard"), [("png", False), ("png", True), ("coco", True), ("labelme", True)])
def test_every_mask_comes_back_to_the_byte(
    project: Project, pictures: Path, tmp_path: Path, form: str, hard: bool
):
    drawn = draw(project, hard)
    summary = take(project, tmp_path / "out", format=form)
    assert (summary.failed, summary.problems) == (0, ())
    n_files = {"png": 16, "coco": 1, "labelme": 4}[form]
    assert (
        len(summary.details["files"])
        == n_files
        == len([p for p in (tmp_path / "out").rglob("*") if p.is_file()])
    )
    with a_project(tmp_path / "other.gaze", pictures) as other:
        back = bring(other, tmp_path / "out")
        assert (back.done, back.failed) == (16, 0), back.problems
        found = stored(other)
        assert found.keys() == drawn.keys()
        assert all(np.array_equal(found[key], drawn[key]) for key in drawn)
        again = bring(other, tmp_path / "out")
        assert (again.done, again.skipped) == (0, 16)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_names_of_files_say_the_names_of_masks(name: str):
    safe = file_name(name)
    assert mask_name(safe) == name or (len(safe.encode()) > 190 and "~" in safe)
    assert not set(safe) & set('<>:"/\\|?*')
    assert not safe.startswith(".")
    assert not safe.endswith(".")
    assert safe.split(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


def test_common_names_stay_as_they_are():
    for name in ("left hand", "donut", "people 20%", "Größe 3", "a.b", "console"):
        assert file_name(name) == name


@pytest.mark.parametrize("one", ["x", "é", "/", "🧠", "con."])
def test_long_names_of_masks_are_cut_and_stay_distinct(one: str):
    names = [one * n for n in range(30, 400)] + [f"{one * 300}{end}" for end in ("a", "A", "b", " ", ".")]
    safe = [file_name(name) for name in names]
    assert len(set(safe)) == len(set(map(str.casefold, safe))) == len(names)
    assert max(len(name.encode()) for name in safe) < 200
    assert all(mask_name(own) == name for own, name in zip(safe, names, strict=True) if "~" not in own)
    assert sum("~" not in own for own in safe) >= 199 // len(file_name(one).encode()) - 30
    assert not [own for own in safe if set(own) & set('<>:"/\\|?*') or own[-1] in ". "]


def test_masks_of_long_names_are_written_apart(project: Project, pictures: Path, tmp_path: Path):
    names = [f"{'the left hand of the second person ' * 12}{end}" for end in ("1", "2")]
    image = project.images.by_name("in/b.png")
    assert image is not None
    for name, value in zip(names, (255, 100), strict=True):
        project.masks.put(name, image.id, np.full((16, 16), value, np.uint8))
    done = take(project, tmp_path / "out")
    assert (done.done, done.failed) == (2, 0), done.problems
    with a_project(tmp_path / "other.gaze", pictures) as other:
        assert bring(other, tmp_path / "out").done == 2
        found = stored(other)
    assert sorted(int(values[0, 0]) for values in found.values()) == [100, 255]
    assert all(name.startswith("the left hand of the second person the left") for name, _ in found)
    files = [one.file for one in mask_files(project)]
    assert len(set(files)) == 2
    assert max(len(part.encode()) for file in files for part in file.split("/")) < 200


@pytest.mark.parametrize("form", ["png", "labelme"])
def test_a_file_that_no_system_takes_is_told_and_the_others_are_written(
    project: Project, tmp_path: Path, form: str
):
    draw(project, hard=True)
    long = f"in/{'b' * 300}.png"
    with project.transaction():
        project.db.execute("UPDATE images SET name = ? WHERE name = 'in/b.png'", (long,))
    done = take(project, tmp_path / "out", format=form, names=("hand",))
    assert (done.done, done.failed) == (3, 1)
    (problem,) = done.problems
    assert "cannot be written" in problem.what
    assert len([path for path in (tmp_path / "out").rglob("*.*") if path.is_file()]) == 3
    files = [one.file for one in mask_files(project)]
    assert max(len(part.encode()) for file in files for part in file.split("/")) < 255


def test_graded_masks_fit_into_png_alone(project: Project, tmp_path: Path):
    image = project.images.by_name("a.png")
    assert image is not None
    project.masks.put("soft", image.id, np.full((20, 31), 100, np.uint8))
    project.masks.put("hard", image.id, np.full((20, 31), 255, np.uint8))
    for form in ("coco", "labelme"):
        summary = take(project, tmp_path / form, format=form)
        assert (summary.done, summary.failed) == (1, 1)
        assert "PNG" in summary.problems[0].todo
        text = Path(summary.details["files"][0]).read_text("utf-8")
        assert '"hard"' in text
        assert '"soft"' not in text
    project.masks.remove("hard")
    for form in ("coco", "labelme"):
        assert take(project, tmp_path / f"no {form}", format=form).done == 0
        assert not (tmp_path / f"no {form}").exists()


def test_a_project_that_cannot_be_written_gives_its_masks_away(project: Project, tmp_path: Path):
    draw(project, hard=False)
    project.read_only = True
    project.db.execute("PRAGMA query_only = ON")
    assert take(project, tmp_path / "png").done == 16
    refused = take(project, tmp_path / "coco", format="coco")
    assert (refused.failed, len(refused.problems)) == (16, 16)


def test_other_files_are_never_overwritten_unasked(project: Project, tmp_path: Path):
    draw(project, hard=True)
    for form in ("png", "coco", "labelme"):
        first = take(project, tmp_path / form, format=form)
        path = Path(first.details["files"][0])
        before = path.read_bytes()
        path.write_bytes(b"mine")
        if form == "coco":
            with pytest.raises(GazeError, match="another file of that name"):
                take(project, tmp_path / form, format=form)
        else:
            again = take(project, tmp_path / form, format=form)
            assert again.done == 0
            assert any(problem.where == str(path) for problem in again.problems)
            assert again.skipped == (15 if form == "png" else 0)
        assert path.read_bytes() == b"mine"
        take(project, tmp_path / form, format=form, replace=True)
        assert path.read_bytes() == before


def test_photographs_beside_their_labelme_files_are_no_masks(tmp_path: Path, pictures: Path):
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    with a_project(tmp_path / "study.gaze", folder) as project:
        drawn = draw(project, hard=True)
        take(project, folder, format="labelme", names=("hand",))
        project.masks.remove("hand")
        assert bring(project, folder).done == 4
        assert {key for key in stored(project) if key[0] == "hand"} == {
            key for key in drawn if key[0] == "hand"
        }
        assert {name for name, _ in stored(project)} == set(NAMES)
    with a_project(tmp_path / "elsewhere.gaze", pictures) as other:
        # Copies of the photographs: those with a labelme file of their name are left out.
        bring(other, folder)
        assert set(stored(other)) == {("hand", name) for name in SIZES}
        # One that is named is taken.
        bring(other, folder / "a.png", name="black")
        assert ("black", "a.png") in stored(other)


def test_labelme_files_name_pictures_from_where_they_lie(tmp_path: Path, pictures: Path):
    shutil.copytree(pictures, tmp_path / "study" / "pictures")
    with a_project(tmp_path / "study" / "study.gaze", tmp_path / "study" / "pictures") as project:
        draw(project, hard=True)
        folder = tmp_path / "study" / "masks"
        take(project, folder, format="labelme", names=("hand",))
        assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")} == {
            "a.png.json",
            "a.jpg.json",
            "in/b.json",
            "out/b.json",
        }
        for path in folder.rglob("*.json"):
            named = json.loads(path.read_text("utf-8"))["imagePath"]
            assert (path.parent / named).resolve().is_file()


def test_pictures_elsewhere_are_only_named(project: Project, tmp_path: Path):
    draw(project, hard=True)
    take(project, tmp_path / "out", format="labelme")
    named = {json.loads(path.read_text("utf-8"))["imagePath"] for path in (tmp_path / "out").rglob("*.json")}
    assert named == set(SIZES)


def test_an_export_that_is_stopped_leaves_no_half_files(project: Project, tmp_path: Path):
    draw(project, hard=True)
    for form in ("png", "coco", "labelme"):
        settings = ExportMasksSettings(str(tmp_path / form), format=form)
        summary = export_masks(project, settings, Cancelled())
        assert (summary.cancelled, summary.done) == (True, 0)
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name == form]


def test_what_cannot_be_exported_is_a_sentence(project: Project, tmp_path: Path):
    with pytest.raises(GazeError, match="no masks to write"):
        take(project, tmp_path / "out")
    draw(project, hard=True)
    with pytest.raises(GazeError, match=r"no mask 'foot'\. Its masks are: hand"):
        take(project, tmp_path / "out", names=("foot",))
    with pytest.raises(GazeError, match="not written as 'svg'"):
        take(project, tmp_path / "out", format="svg")
    project.db.execute("UPDATE images SET name = '../../far.png' WHERE name = 'a.png'")
    summary = take(project, tmp_path / "deep" / "out", names=("hand",))
    assert (summary.done, summary.failed) == (3, 1)
    assert "leads out of the folder" in summary.problems[0].what
    (tmp_path / "file").write_text("in the way")
    assert "not a folder" in take(project, tmp_path / "file" / "out", names=("hand",)).problems[0].what


def save(path: Path, width: int, height: int, value: int = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width), value, np.uint8)).save(path)
    return path


def test_pictures_are_named_by_their_folder(project: Project, tmp_path: Path):
    folder = tmp_path / "masks"
    save(folder / "a.png", 31, 20)
    save(folder / "hand" / "IN" / "b.png", 16, 16, 7)
    save(folder / "hand" / "out" / "b.png", 16, 16, 255)
    save(folder / "hand" / "zzz.png", 16, 16)
    summary = bring(project, folder)
    assert set(stored(project)) == {("masks", "a.png"), ("hand", "in/b.png"), ("hand", "out/b.png")}
    assert summary.details["masks"] == ["masks", "hand"]
    assert summary.details["images_not_in_project"] == 1
    told = [problem.what for problem in summary.problems]
    assert told[0].endswith("named like that: 'zzz.png'.")
    assert told[1].startswith("Its largest value is 7 of 255")
    assert told[1].endswith("So it is with 'b.png'.")
    with pytest.raises(GazeError, match=r"not clear which image of the project is meant: 'b\.png'"):
        bring(project, folder / "hand" / "out" / "b.png", name="foot")
    bring(project, folder / "a.png", name="foot")
    assert ("foot", "a.png") in stored(project)
    # Of one mask of an image there is one file.
    assert bring(project, folder / "hand", name="both").done == 2
    save(folder / "hand" / "deep" / "out" / "b.png", 16, 16)
    rivals = bring(project, folder / "hand", name="three")
    assert [name for name in stored(project) if name[0] == "three"] == [("three", "in/b.png")]
    assert any("2 files hold this mask" in problem.what for problem in rivals.problems)


def test_folders_of_images_are_not_taken_for_masks(project: Project, tmp_path: Path):
    save(tmp_path / "hand" / "in" / "b.png", 16, 16)
    save(tmp_path / "hand" / "a.jpg.png", 20, 31)
    write(tmp_path / "hand" / "out" / "b.json", run_lengths(16, 16, 256))
    assert bring(project, tmp_path / "hand").done == 3
    assert set(stored(project)) == {("hand", "in/b.png"), ("hand", "a.jpg"), ("hand", "out/b.png")}


def run_lengths(width: int, height: int, *counts: int) -> dict[str, object]:
    return {"size": [height, width], "counts": list(counts)}


def coco(*annotations: tuple[str, str, object]) -> dict[str, object]:
    names = [*SIZES, "nowhere.png"]
    sizes = {**SIZES, "nowhere.png": (5, 5)}
    labels = sorted({label for _, label, _ in annotations})
    return {
        "images": [
            {"id": k, "file_name": name, "width": sizes[name][0], "height": sizes[name][1]}
            for k, name in enumerate(names)
        ],
        "categories": [{"id": k, "name": label} for k, label in enumerate(labels)],
        "annotations": [
            {"image_id": names.index(name), "category_id": labels.index(label), "segmentation": region}
            for name, label, region in annotations
        ],
    }


def write(path: Path, values: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values), "utf-8")
    return path


def test_bad_masks_of_a_file_are_told_and_the_others_come_in(project: Project, tmp_path: Path):
    file = write(
        tmp_path / "coco.json",
        coco(
            ("a.png", "dog", run_lengths(31, 20, 0, 20, 600)),
            ("a.png", "dog", run_lengths(31, 20, 600, 20)),
            ("a.jpg", "dog", run_lengths(20, 31, 0, 7)),
            ("in/b.png", "dog", run_lengths(8, 8, 32, 32)),
            ("out/b.png", "cat", [[0, 0, 8, 0, 8, 16, 0, 16]]),
            ("nowhere.png", "cat", run_lengths(5, 5, 25)),
            ("a.png", "left", run_lengths(31, 20, 620)),
        ),
    )
    (tmp_path / "broken.json").write_text('{"annotations": ')
    (tmp_path / "broken.png").write_bytes(b"\x89PNG rubbish")
    summary = bring(project, file, tmp_path / "broken.json")
    found = stored(project)
    assert set(found) == {("dog", "a.png"), ("cat", "out/b.png")}
    expected = np.zeros((20, 31), np.uint8)
    expected[:, 0] = expected[:, -1] = 255
    assert np.array_equal(found["dog", "a.png"], expected)
    assert found["cat", "out/b.png"].mean() == 127.5
    assert (summary.done, summary.failed) == (2, 4)
    told = "\n".join(str((problem.where, problem.what)) for problem in summary.problems)
    for sentence in (
        "no JSON, or is cut off",
        "'nowhere.png'",
        "'left' means a mask that needs no drawing",
        "is 8 x 8 px, its image 16 x 16 px",
        "a.jpg",
    ):
        assert sentence in told, told
    united = bring(project, file, name="animal")
    assert united.done == 2
    assert np.array_equal(stored(project)["animal", "a.png"], expected)


def test_regions_of_one_label_are_one_mask_and_no_problem(project: Project, tmp_path: Path):
    shapes = [{"label": "dog", "shape_type": "rectangle", "points": [[x, 0], [x + 4, 20]]} for x in (0, 27)]
    labelme = {"imagePath": "a.png", "imageWidth": 31, "imageHeight": 20, "shapes": shapes}
    regions = [("a.jpg", "dog", [[x, 0, x + 4, 0, x + 4, 31, x, 31]]) for x in (0, 16)]
    summary = bring(
        project, write(tmp_path / "a.json", labelme), write(tmp_path / "coco.json", coco(*regions))
    )
    assert (summary.done, summary.problems, summary.details["notes"]) == (2, (), {})
    assert [values.sum() for values in stored(project).values()] == [8 * 31 * 255, 8 * 20 * 255]
    shapes.append({"label": "dog", "shape_type": "point", "points": [[3, 3]]})
    told = bring(project, write(tmp_path / "a.json", labelme), replace=True).problems
    assert [problem.what for problem in told] == [
        "Shapes that are no area, left out: 1 point. So it is with 'a.png · dog'."
    ]


@pytest.mark.parametrize("placing", ["fraction", "pixel"])
def test_masks_of_another_size_are_refused_or_placed(project: Project, tmp_path: Path, placing: str):
    path = tmp_path / "hand" / "a.png"
    half = np.zeros((40, 62), np.uint8)
    half[:, 31:] = 255
    path.parent.mkdir()
    Image.fromarray(half).save(path)
    refused = bring(project, path)
    assert (refused.done, refused.failed) == (0, 1)
    assert "62 x 40 px, the image 31 x 20 px" in refused.problems[0].what
    placed = bring(project, path, placing=placing)
    if placing == "fraction":
        assert placed.done == 1
        assert stored(project)["hand", "a.png"].sum(axis=0).astype(bool).tolist() == [
            k >= 15 for k in range(31)
        ]
    else:
        assert "Nothing is left of the mask" in placed.problems[0].what
        assert stored(project) == {}


def test_a_mask_that_was_drawn_is_never_lost_to_a_file(project: Project, tmp_path: Path):
    drawn = draw(project, hard=False)
    save(tmp_path / "hand" / "a.png", 31, 20)
    summary = bring(project, tmp_path / "hand")
    assert (summary.done, summary.failed) == (0, 1)
    assert "another mask 'hand' already" in summary.problems[0].what
    assert np.array_equal(stored(project)["hand", "a.png"], drawn["hand", "a.png"])
    assert bring(project, tmp_path / "hand", replace=True).done == 1
    assert (stored(project)["hand", "a.png"] == 255).all()


def test_an_import_that_is_stopped_or_killed_leaves_whole_masks(
    project: Project, tmp_path: Path, pictures: Path
):
    drawn = draw(project, hard=False)
    take(project, tmp_path / "out")
    path = tmp_path / "killed.gaze"
    a_project(path, pictures).close()
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from gazeapp.engine.project import Project\n"
        "from gazeapp.engine.workflows.masks_import import ImportMasksSettings, import_masks\n"
        "class Kill:\n"
        "    cancelled = False\n"
        "    def report(self, done, total, message):\n"
        "        if done == 5: os.kill(os.getpid(), 9)\n"
        "import_masks(Project.open(sys.argv[1]), ImportMasksSettings((sys.argv[2],)), Kill())\n"
    )
    words = [sys.executable, "-c", code, str(path), str(tmp_path / "out")]
    assert subprocess.run(words, check=False).returncode == -9
    with Project.open(path) as opened:
        assert opened.integrity_problems() == []
        assert len(stored(opened)) == 5
        rest = bring(opened, tmp_path / "out")
        assert (rest.done, rest.skipped) == (11, 5)
        assert all(np.array_equal(values, drawn[key]) for key, values in stored(opened).items())
        stopped = import_masks(opened, ImportMasksSettings((str(tmp_path / "out"),)), Cancelled())
        assert stopped.cancelled


def test_a_full_disk_ends_an_import_with_whole_masks_and_the_next_run_goes_on(tmp_path: Path):
    rng = np.random.default_rng(0)
    drawn = {}
    for number in range(4):
        # Noise does not shrink, so that each mask takes pages of its own.
        drawn["hand", f"{number}.png"] = rng.integers(0, 256, (80, 100)).astype(np.uint8)
        save(tmp_path / "set" / f"{number}.png", 100, 80)
        (tmp_path / "hand").mkdir(exist_ok=True)
        Image.fromarray(drawn["hand", f"{number}.png"]).save(tmp_path / "hand" / f"{number}.png")

    class Fills:
        cancelled = False

        def report(self, done: int, total: int, message: str) -> None:
            if done == 2:
                project.db.execute("PRAGMA max_page_count = 1").fetchone()  # no smaller than the file is

    with a_project(tmp_path / "study.gaze", tmp_path / "set") as project:
        settings = ImportMasksSettings((str(tmp_path / "hand"),))
        with pytest.raises(GazeError, match="The disk is full") as told:
            import_masks(project, settings, Fills())
        assert told.value.where == str(project.path)
        assert list(stored(project)) == [("hand", "0.png"), ("hand", "1.png")]
        project.db.execute("PRAGMA max_page_count = 100000").fetchone()
        rest = import_masks(project, settings, SILENT)
        assert (rest.done, rest.skipped) == (2, 2)
        assert all(np.array_equal(values, drawn[key]) for key, values in stored(project).items())


def test_what_cannot_be_imported_is_a_sentence(project: Project, tmp_path: Path):
    with pytest.raises(GazeError, match="no such file"):
        bring(project, tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GazeError, match=r"No files of the kinds \.json, \.png"):
        bring(project, tmp_path / "empty")
    with pytest.raises(GazeError, match="means a mask that needs no drawing"):
        bring(project, tmp_path / "empty", name="left")
    with pytest.raises(GazeError, match="named like that: 'zzz'"):
        bring(project, write(tmp_path / "zzz.json", run_lengths(5, 5, 25)))
    with pytest.raises(GazeError, match="There are no masks in the files"):
        bring(project, write(tmp_path / "none.json", coco()))
    bad = bring(project, write(tmp_path / "bad.json", "[1]"))
    assert (bad.done, bad.failed) == (0, 1)
