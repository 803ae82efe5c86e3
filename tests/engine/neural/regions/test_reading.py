"""Every format gives the regions that were written, on fsaverage5; what does not fit is a sentence."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import Atlas
from gazeapp.engine.neural.regions.built_in import DESIKAN, built_in_atlas
from gazeapp.engine.neural.regions.reading import read_atlas
from gazeapp.engine.neural.surface.mesh import load_mesh
from tests.engine.neural.regions.made_up_files import annot, gifti, label, numbers, volume

NAMES = ["unknown", "V1", "V2", "V3", "MT", "lone"]


def expected(n: int, names: list[str] = NAMES) -> dict[tuple[str, str], list[int]]:
    """Return what an atlas of `numbers` has to hold, counted vertex by vertex."""
    found: dict[tuple[str, str], list[int]] = {}
    for letter, side, shift in (("lh", "left", 0), ("rh", "right", 10_242)):
        for vertex, number in enumerate(numbers(letter, n)[:10_242].tolist()):
            if number:
                found.setdefault((names[number], side), []).append(vertex + shift)
    return found


def held(atlas: Atlas) -> dict[tuple[str, str], list[int]]:
    return {(region.name, region.hemisphere): region.vertices.tolist() for region in atlas.regions}


def sentence(*paths: Path, names_file: Path | None = None) -> str:
    with pytest.raises(GazeError) as caught:
        read_atlas(list(paths), names_file=names_file)
    return str(caught.value)


@pytest.mark.parametrize("n", [10_242, 40_962, 163_842])
def test_annotations(tmp_path: Path, n: int):
    left, right = (
        annot(tmp_path / f"{letter}.areas.annot", numbers(letter, n), NAMES) for letter in ("lh", "rh")
    )
    read = read_atlas([left, right])
    assert held(read.atlas) == expected(n)
    assert read.atlas.name == "areas"
    assert ("first 10,242" in read.atlas.source) == (n > 10_242)
    assert "/" not in read.atlas.source
    assert read.notes == ()
    # One of the two is enough; the other lies beside it.
    alone = read_atlas([right], name="mine")
    assert held(alone.atlas) == expected(n)
    assert alone.atlas.name == "mine"
    assert alone.notes == ("lh.areas.annot, which lies beside rh.areas.annot, was read with it.",)


def test_hcp_names_lose_their_prefix_and_sides_are_checked(tmp_path: Path):
    sides = {"lh": "L", "rh": "R"}
    for letter, side in sides.items():
        names = ["???", *(f"{side}_{name}_ROI" for name in NAMES[1:])]
        annot(tmp_path / "right" / f"{letter}.HCPMMP1.annot", numbers(letter), names)
        other = "rh" if letter == "lh" else "lh"
        annot(tmp_path / "wrong" / f"{other}.HCPMMP1.annot", numbers(letter), names)
    assert held(read_atlas([tmp_path / "right"]).atlas) == expected(10_242)
    said = sentence(tmp_path / "wrong")
    assert "named as those of the other" in said
    assert "exchange the two files" in said


def test_parcels_of_networks_stay_apart_and_make_groups(tmp_path: Path):
    for letter in ("lh", "rh"):
        names = ["Background+FreeSurfer_Defined_Medial_Wall"]
        names += [
            f"7Networks_{letter.upper()}_{one}"
            for one in ("Vis_1", "Vis_2", "Cont_Par_1", "Limbic_1", "Default_1")
        ]
        annot(tmp_path / f"{letter}.Schaefer2018_5Parcels_7Networks_order.annot", numbers(letter), names)
    atlas = read_atlas([tmp_path]).atlas
    assert len(atlas.joined().regions) == 10
    assert atlas.groups["Visual"] == ("Visual L1", "Visual L2", "Visual R1", "Visual R2")
    n = sum(np.isin(numbers(letter), (1, 2)).sum() for letter in ("lh", "rh"))
    assert len(atlas.group("Visual").vertices) == n
    assert "no pair" in atlas.limits


@pytest.mark.parametrize("ending", ["mgz", "mgh"])
@pytest.mark.parametrize("shape", ["column", "row"])
def test_volumes_with_known_numbers(tmp_path: Path, ending: str, shape: str):
    for letter in ("lh", "rh"):
        values = numbers(letter, 163_842).astype(np.float32)
        values[values == 0] = np.nan if letter == "lh" else -1
        path = volume(tmp_path / f"{letter}.wang15_mplbl.v1_0.{ending}", values)
        if shape == "row":
            nib.save(nib.MGHImage(values.reshape(1, 1, -1), np.eye(4)), path)
    read = read_atlas([tmp_path / f"lh.wang15_mplbl.v1_0.{ending}"])
    names = ["", "V1v", "V1d", "V2v", "V2d", "V3v"]
    assert held(read.atlas) == expected(163_842, names)
    assert read.atlas.name == "wang15_mplbl"


def test_volumes_take_names_from_a_colour_table_or_a_file(tmp_path: Path):
    paths = [
        volume(tmp_path / f"{letter}.custom.mgz", numbers(letter).astype(np.int32)) for letter in ("lh", "rh")
    ]
    plain = read_atlas(paths)
    assert held(plain.atlas) == expected(10_242, list("012345"))
    assert any("No names are known" in note for note in plain.notes)
    table = tmp_path / "names.txt"
    table.write_text("# numbers\n" + "\n".join(f"{k} {name} 1 2 3 0" for k, name in enumerate(NAMES)) + "\n")
    assert held(read_atlas(paths, names_file=table).atlas) == expected(10_242)
    table.write_text("\n".join(NAMES[1:]))
    assert held(read_atlas(paths, names_file=table).atlas) == expected(10_242)
    (tmp_path / "custom.mgz.ctab").write_text("\n".join(f"{k} {name}" for k, name in enumerate(NAMES)))
    assert held(read_atlas(paths).atlas) == expected(10_242)
    table.write_text("1,V1\n1,V2\n")
    assert "two names: “V1” and “V2”" in sentence(*paths, names_file=table)


def test_known_names_are_used_only_where_they_know_all_numbers(tmp_path: Path):
    values = numbers("lh", n_regions=26).astype(np.int32)
    read = read_atlas([volume(tmp_path / "lh.wang15_mplbl.mgz", values)])
    assert {region.name for region in read.atlas.regions} == {str(k) for k in range(1, 27)}
    assert any("No names are known" in note for note in read.notes)
    (tmp_path / "lh.wang15_mplbl.mgz.ctab").write_text("1 first\n2 second\n")
    read = read_atlas([tmp_path / "lh.wang15_mplbl.mgz"])
    assert {region.name for region in read.atlas.regions} == {"first", "second", *map(str, range(3, 27))}
    assert any("no names for 24 of 26 numbers" in note for note in read.notes)


@pytest.mark.parametrize("surface", ["white", "pial", "inflated"])
def test_labels_may_have_places_on_any_of_the_surfaces(tmp_path: Path, surface: str):
    vertices = list(range(0, 10_000, 50))
    places = load_mesh(surface, "right").vertices[vertices]
    read = read_atlas([label(tmp_path / "rh.a.label", vertices, places)])
    assert held(read.atlas) == {("a", "right"): [vertex + 10_242 for vertex in vertices]}


def test_gifti_labels(tmp_path: Path):
    table = {k: name for k, name in enumerate(NAMES) if k}
    structures = {"lh": "CortexLeft", "rh": "CortexRight"}
    for letter, structure in structures.items():
        gifti(tmp_path / f"areas.{letter[0].upper()}.label.gii", numbers(letter), table, structure)
    read = read_atlas([tmp_path / "areas.R.label.gii"])
    assert held(read.atlas) == expected(10_242)
    # The structure in the file alone tells the side.
    gifti(tmp_path / "apart" / "areas.label.gii", numbers("rh"), table, "CortexRight", maps=2)
    alone = read_atlas([tmp_path / "apart" / "areas.label.gii"])
    assert {region.hemisphere for region in alone.atlas.regions} == {"right"}
    assert any("2 maps" in note for note in alone.notes)
    assert any("only the right hemisphere" in note for note in alone.notes)
    gifti(tmp_path / "apart" / "lh.areas.label.gii", numbers("rh"), table, "CortexRight")
    assert "called as of the left hemisphere, but says that it is of the right" in sentence(
        tmp_path / "apart" / "lh.areas.label.gii"
    )


@pytest.mark.parametrize("form", ["whole", "float", "names", "head", "line", "quoted"])
def test_tables_of_both_hemispheres(tmp_path: Path, form: str):
    values = np.concatenate([numbers("lh"), numbers("rh")])
    texts = {
        "whole": [str(v) for v in values],
        "float": [f"{v:.18e}" for v in values],
        "names": [NAMES[v] if v else "" for v in values],
        "head": ["region", *(NAMES[v] for v in values)],
        "quoted": [f'"{NAMES[v]}"' for v in values],
        "line": [str(v) for v in values],
    }
    path = tmp_path / "areas_fsa5.csv"
    path.write_text(("," if form == "line" else "\n").join(texts[form]) + "\n")
    names = NAMES if form in ("names", "head", "quoted") else list("012345")
    assert held(read_atlas([path]).atlas) == expected(10_242, names)


def test_tables_of_one_hemisphere_with_names(tmp_path: Path):
    for letter in ("lh", "rh"):
        (tmp_path / f"{letter}.areas.csv").write_text("\n".join(map(str, numbers(letter))))
    (tmp_path / "names.csv").write_text("number,name\n" + "\n".join(f"{k},{n}" for k, n in enumerate(NAMES)))
    read = read_atlas(
        [tmp_path / "lh.areas.csv", tmp_path / "rh.areas.csv"], names_file=tmp_path / "names.csv"
    )
    assert held(read.atlas) == expected(10_242)


def test_labels_overlap_and_lose_what_fsaverage5_lacks(tmp_path: Path):
    white = load_mesh("white", "left").vertices
    label(tmp_path / "lh.V1_exvivo.label", [5, 7, 9, 100_000], np.vstack([white[[5, 7, 9]], [[0, 0, 0]]]))
    label(tmp_path / "lh.MT_exvivo.label", [7, 9, 11])
    label(tmp_path / "rh.V1_exvivo.label", [0, 10_241, 10_242])
    label(tmp_path / "rh.tiny.label", [163_841])
    read = read_atlas([tmp_path], name="exvivo")
    assert held(read.atlas) == {
        ("MT_exvivo", "left"): [7, 9, 11],
        ("V1_exvivo", "left"): [5, 7, 9],
        ("V1_exvivo", "right"): [10_242, 20_483],
    }
    assert any("no vertex among those of fsaverage5" in note and "tiny" in note for note in read.notes)
    assert any("Of one hemisphere only: “MT_exvivo”, “tiny”." in note for note in read.notes)


def test_a_region_may_be_called_after_the_other_side(tmp_path: Path):
    read = read_atlas([label(tmp_path / "lh.R_hand.label", [1, 2])])
    assert held(read.atlas) == {("R_hand", "left"): [1, 2]}


def test_labels_of_another_side_or_brain_are_refused(tmp_path: Path):
    vertices = list(range(0, 10_000, 50))
    right = load_mesh("white", "right").vertices[vertices]
    left = load_mesh("white", "left").vertices[vertices]
    assert "places lie in the other" in sentence(label(tmp_path / "lh.a.label", vertices, right))
    assert "places lie in the other" in sentence(label(tmp_path / "rh.a.label", vertices, left))
    # The same hemisphere, with its vertices in another order.
    shuffled = np.random.default_rng(0).permutation(left)
    assert "of another surface" in sentence(label(tmp_path / "lh.b.label", vertices, shuffled))
    assert "has the vertex 163,842" in sentence(label(tmp_path / "lh.c.label", [163_842]))
    assert "which hemisphere" in sentence(label(tmp_path / "d.label", [1]))


@pytest.mark.parametrize("kind", ["annot", "mgz", "csv"])
def test_hemispheres_that_are_mixed_up_are_told_by_the_medial_wall(tmp_path: Path, kind: str):
    for letter, other in (("lh", "rh"), ("rh", "lh")):
        path = tmp_path / f"{letter}.areas.{kind}"
        if kind == "annot":
            annot(path, numbers(other), NAMES)
        elif kind == "mgz":
            volume(path, numbers(other).astype(np.int32))
        else:
            path.write_text("\n".join(map(str, numbers(other))))
    assert "leaves the medial wall of the other free" in sentence(tmp_path / f"lh.areas.{kind}")


@pytest.mark.parametrize("swapped", [False, True])
def test_visual_atlases_that_are_mixed_up_are_told_by_primary_visual_cortex(tmp_path: Path, swapped: bool):
    parts = {region.id: region.vertices % 10_242 for region in built_in_atlas(DESIKAN).regions}
    for letter, side in (("lh", "left"), ("rh", "right")):
        values = np.zeros(10_242, np.int32)
        # Half of the calcarine gyrus, and what lies in front of it: most of V1 need not be in one gyrus.
        values[parts[f"pericalcarine {side}"][::2]] = 1
        values[parts[f"superiorparietal {side}"][:40]] = 1
        values[parts[f"fusiform {side}"]] = 5
        other = {"lh": "rh", "rh": "lh"}[letter]
        volume(tmp_path / f"{other if swapped else letter}.wang15_mplbl.mgz", values)
    if swapped:
        assert "primary visual cortex is that of the other" in sentence(tmp_path / "lh.wang15_mplbl.mgz")
    else:
        assert len(read_atlas([tmp_path / "lh.wang15_mplbl.mgz"]).atlas.regions) == 4


def test_right_before_left_in_one_table_is_told(tmp_path: Path):
    path = tmp_path / "areas_fsa5.csv"
    path.write_text("\n".join(map(str, np.concatenate([numbers("rh"), numbers("lh")]))))
    assert "mixed up" in sentence(path)


def test_a_copy_of_one_hemisphere_is_refused(tmp_path: Path):
    values = np.zeros(10_242, np.int32)
    values[:300] = 1
    paths = [volume(tmp_path / f"{letter}.wang15_mplbl.mgz", values) for letter in ("lh", "rh")]
    assert "one of them must be a copy" in sentence(*paths)


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (64_984, "fs_LR"),
        (32_492, "fs_LR"),
        (5_124, "fsaverage4, which is coarser"),
        (137_311, "surface of one person"),
        (20_483, "fit no fsaverage surface"),
    ],
)
def test_other_surfaces_are_named(tmp_path: Path, n: int, said: str):
    path = tmp_path / "lh.areas.csv"
    path.write_text("\n".join(["1"] * n))
    assert said in sentence(path)


def test_what_is_no_file_of_regions(tmp_path: Path):
    assert "no file of the kind" not in sentence(tmp_path / "lh.nothing.annot")
    assert "There is no such file." in sentence(tmp_path / "lh.nothing.annot")
    measure = volume(tmp_path / "lh.benson14_angle.mgz", np.linspace(0, 180, 10_242, dtype=np.float32))
    assert "a measure or a probability" in sentence(measure)
    stack = np.zeros((10_242, 1, 1, 3), np.float32)
    nib.save(nib.MGHImage(stack, np.eye(4)), tmp_path / "lh.fplbl.mgz")
    assert "10242 x 3 values" in sentence(tmp_path / "lh.fplbl.mgz")
    (tmp_path / "lh.areas.csv").write_text("1,2\n" * 10_242)
    assert "2 columns where one is needed" in sentence(tmp_path / "lh.areas.csv")
    (tmp_path / "areas.csv").write_text("1\n" * 10_242)
    assert "which hemisphere" in sentence(tmp_path / "areas.csv")
    (tmp_path / "lh.areas.png").write_bytes(b"")
    assert "not read from files of the kind “.png”" in sentence(tmp_path / "lh.areas.png")
    assert "No file of regions was given." in sentence()
    (tmp_path / "empty").mkdir()
    assert "holds no labels" in sentence(tmp_path / "empty")
    empty = volume(tmp_path / "lh.empty.mgz", np.zeros(10_242, np.int32))
    assert "no region with a vertex of fsaverage5" in sentence(empty)


@pytest.mark.parametrize(
    "ending", ["annot", "label", "mgz", "mgh", "label.gii", "label.gii.gz", "csv", "json"]
)
@pytest.mark.parametrize("content", [b"", b"\x00\x00(\x02 and no more", b"\xff" * 300, b'{"format": 3}'])
def test_damaged_files_are_sentences(tmp_path: Path, ending: str, content: bytes):
    path = tmp_path / f"lh.areas.{ending}"
    path.write_bytes(content)
    assert "lh.areas" in sentence(path)


@pytest.mark.parametrize("ending", ["annot", "mgz", "label.gii"])
def test_files_that_were_cut_short_are_sentences(tmp_path: Path, ending: str):
    values = numbers("lh")
    path = tmp_path / f"lh.areas.{ending}"
    if ending == "annot":
        annot(path, values, NAMES)
    elif ending == "mgz":
        volume(path, values.astype(np.int32))
    else:
        gifti(path, values, dict(enumerate(NAMES)))
    content = path.read_bytes()
    for share in (0.2, 0.9, 0.995):
        path.write_bytes(content[: int(len(content) * share)])
        assert "lh.areas" in sentence(path)


def test_files_that_do_not_belong_together(tmp_path: Path):
    one, two = (annot(tmp_path / f"lh.{name}.annot", numbers("lh"), NAMES) for name in ("a", "b"))
    assert "“a” has only the left hemisphere" in sentence(one, two)
    assert "holds 2 atlases" in sentence(tmp_path)
    same = gifti(tmp_path / "lh.a.label.gii", numbers("lh"), dict(enumerate(NAMES)))
    assert "Two files hold the left hemisphere" in sentence(one, same)
    assert "no atlas together" in sentence(one, label(tmp_path / "lh.x.label", [1]))
    annot(tmp_path / "rh.a.annot", numbers("rh"), NAMES)
    annot(tmp_path / "rh.b.annot", numbers("rh"), NAMES)
    assert "are called “V1”" in sentence(one, two)
    (tmp_path / "names.txt").write_text("V1")
    assert "brings its own names" in sentence(one, names_file=tmp_path / "names.txt")


def test_several_sets_that_may_overlap_make_one_atlas(tmp_path: Path):
    for letter in ("lh", "rh"):
        for kind in ("floc-faces", "floc-places"):
            values = np.where(numbers(letter) <= 3, numbers(letter), 0)
            volume(tmp_path / f"{letter}.{kind}.mgz", np.roll(values, len(kind)).astype(np.int32))
    read = read_atlas([tmp_path / "lh.floc-faces.mgz", tmp_path / "lh.floc-places.mgz"], "floc")
    names = list(dict.fromkeys(region.name for region in read.atlas.regions))
    assert names == ["OFA", "FFA-1", "FFA-2", "OPA", "PPA", "RSC"]
