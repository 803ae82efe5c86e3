"""What an export holds of vision-language models: words, prompts, and attention by layer and head."""

import csv
import hashlib
import json

import numpy as np
import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.reports.tables import original
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.score import ScoreSettings, score
from tests.engine.conftest import MODELS, SIGMA
from tests.engine.made_up_vlm import GRID, LAYERS, N_HEADS, PROMPT, WORDS, add_vlm, detail_of, mass_of


def rows_of(folder, name):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def path(study):
    return study(n_images=3, tasks=("general",), models=MODELS[:1], scored=False)


@pytest.fixture
def exported(path, tmp_path):
    def write(overlays=False, **options):
        with Project.open(path) as project:
            for model in options.pop("models", ["lab/eye-7b"]):
                add_vlm(project, model, **options)
            export(project, ExportSettings(str(tmp_path / "out"), overlays=overlays, figures=False), SILENT)
        return tmp_path / "out"

    return write


def test_runs_have_what_was_asked_and_observed_and_captioners_have_not(exported):
    rows = rows_of(exported(), "runs.csv")
    own = [row for row in rows if row["model"] == "lab/eye-7b"]
    assert [row["prompt"] for row in own] == [PROMPT] * 3
    assert [row["ended"] for row in own] == ["true", "false", "true"]
    assert [float(row["image_scale"]) for row in own] == [1.0, 1.0, 0.5]
    assert {(row["n_tokens"], row["n_image_tokens"], row["n_prompt_tokens"]) for row in own} == {
        ("5", "576", "620")
    }
    assert {(row["dtype"], row["device"]) for row in own} == {("float16", "cuda:0")}
    assert {row["decoding"] for row in own} == {"the most probable token each time, at most 40\u00a0tokens"}
    means = [float(mass_of(image).mean()) for image in (1, 2, 3)]
    assert [float(row["image_mass"]) for row in own] == pytest.approx(means, abs=1e-7)
    captioner = next(row for row in rows if row["model"] == "cnn-lstm")
    names = ("prompt", "n_tokens", "ended", "dtype", "device", "image_scale", "image_mass")
    assert {captioner[name] for name in names} == {""}
    assert captioner["decoding"] == "greedy"


def test_words_name_their_tokens_and_their_attention_on_the_image(exported):
    folder = exported()
    run = next(row["run"] for row in rows_of(folder, "runs.csv") if row["model"] == "lab/eye-7b")
    words = [row for row in rows_of(folder, "words.csv") if row["run"] == run]
    assert [(row["word"], row["tokens"]) for row in words] == [("A", "0"), ("red", "1 2"), ("ball.", "3 4")]
    assert [np.float32(row["image_mass"]) for row in words] == list(mass_of(1))
    assert {row["tokens"] for row in rows_of(folder, "words.csv") if row["run"] == "1"} == {""}


def test_attention_by_layer_and_head_is_the_mean_over_words(exported):
    folder = exported()
    runs = [row["run"] for row in rows_of(folder, "runs.csv") if row["model"] == "lab/eye-7b"]
    rows = rows_of(folder, "attention.csv")
    assert len(rows) == 3 * len(LAYERS) * N_HEADS
    for image, run in zip((1, 2, 3), runs, strict=True):
        means = detail_of(image, "").image_mass.mean(axis=0, dtype=np.float64)
        found = {
            (int(row["layer"]), int(row["head"])): float(row["image_mass"])
            for row in rows
            if row["run"] == run
        }
        assert found == {
            (layer, head): pytest.approx(means[k, head], abs=1e-7)
            for k, layer in enumerate(LAYERS)
            for head in range(N_HEADS)
        }


@pytest.mark.parametrize(("keep", "n_heads"), [("", 0), ("layers", 1), ("heads", N_HEADS)])
def test_the_archive_of_attention_has_what_was_kept(exported, keep, n_heads):
    folder = exported(keep=keep)
    index = [row for row in rows_of(folder, "maps.csv") if row["model"] == "lab/eye-7b"]
    assert {row["layers"] for row in index} == {"3 7"}
    with np.load(folder / "attention.npz", allow_pickle=False) as arrays:
        named = {row[name] for row in index for name in ("mass_key", "layer_maps_key")} - {""}
        assert set(arrays.files) == named
        for image, row in zip((1, 2, 3), index, strict=True):
            detail = detail_of(image, keep)
            np.testing.assert_array_equal(arrays[row["mass_key"]], detail.image_mass)
            if not keep:
                assert row["layer_maps_key"] == ""
                continue
            maps = arrays[row["layer_maps_key"]]
            assert maps.dtype == np.float32
            assert maps.shape == (len(WORDS), len(LAYERS), n_heads, *GRID)
            np.testing.assert_allclose(maps, detail.maps.astype(np.float32), rtol=2e-3, atol=1e-6)
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256((folder / "attention.npz").read_bytes()).hexdigest()
    assert provenance["files"]["attention.npz"]["sha256"] == digest


def test_without_such_models_there_is_no_archive_of_attention(exported):
    folder = exported(models=[])
    assert not (folder / "attention.npz").exists()
    assert "attention.npz" not in (folder / "provenance.json").read_text(encoding="utf-8")
    assert rows_of(folder, "attention.csv") == []
    assert {row["mass_key"] + row["layer_maps_key"] for row in rows_of(folder, "maps.csv")} == {""}


def test_the_same_project_gives_the_same_archive(exported, path, tmp_path):
    first = (exported(keep="heads") / "attention.npz").read_bytes()
    with Project.open(path) as project:
        export(project, ExportSettings(str(tmp_path / "out"), overlays=False, figures=False), SILENT)
    assert (tmp_path / "out" / "attention.npz").read_bytes() == first


def test_models_whose_ids_differ_in_a_slash_have_pictures_of_their_own(exported):
    folder = exported(overlays=True, models=["lab/eye-7b", "lab-eye-7b", "../../lab eye-7b"])
    names = [row["overlay"] for row in rows_of(folder, "maps.csv")]
    assert len({name.casefold() for name in names}) == len(names)
    written = {str(file.relative_to(folder)) for file in folder.rglob("*.png")}
    assert written == set(names)
    assert all(name.count("/") == 1 and ".." not in name for name in names)


def test_no_table_says_where_the_user_keeps_a_model(exported):
    folder = exported(checkpoint="/home/someone/models/eye")
    (row,) = [row for row in rows_of(folder, "models.csv") if row["kind"] == "vlm"]
    assert (row["checkpoint"], row["family"], row["parameters"]) == ("eye", "LLaVA 1.5", "7063427072")
    assert (row["layers"], row["heads"]) == ("3 7", "4")
    captioner = next(row for row in rows_of(folder, "models.csv") if row["kind"] == "captioner")
    assert {captioner[name] for name in ("family", "parameters", "layers", "heads")} == {""}
    tables = (file for file in folder.iterdir() if file.suffix in (".csv", ".json"))
    assert not [file.name for file in tables if "/home/someone/models" in file.read_text(encoding="utf-8")]


def test_what_a_model_writes_is_no_formula_and_breaks_no_table(exported):
    caption, prompt = '=1+1, "\r\n<script>\u202eكلب\x00', "@SUM(A1)\nnow"
    rows = rows_of(exported(caption=caption, prompt=prompt), "runs.csv")
    own = [row for row in rows if row["model"] == "lab/eye-7b"]
    assert len(own) == 3
    assert {row["caption"] for row in own} == {"'" + caption.replace("\x00", "\ufffd")}
    assert {original(row["prompt"]) for row in own} == {prompt}
    assert {row["prompt"][:2] for row in own} == {"'@"}


def test_maps_of_such_models_are_scored_as_any_and_stay_out_of_the_design(study):
    crossed = (*MODELS, ("vit-transformer", "ViT-Transformer"))
    with Project.open(study(n_images=3, tasks=("general",), models=crossed, scored=False)) as project:
        add_vlm(project)
        score(project, ScoreSettings(sigma=SIGMA, metrics=("nss", "cc"), n_splits=5, n_bootstrap=50), SILENT)
        summary = {(row.source, row.method): row.n_images for row in project.scores.summary()}
        assert summary["lab/eye-7b", "attention"] == 3
        cells = [row.finding for row in project.findings.findings(analysis="factorial")]
        assert cells
        assert {"cnn : lstm", "vit : transformer"} <= {cell.against for cell in cells}
        assert not [cell for cell in cells if "eye" in f"{cell.term}{cell.against}{cell.note}"]
        compared = [row.finding for row in project.findings.findings(analysis="difference")]
        assert any("lab/eye-7b" in (one.term, one.against) for one in compared)
