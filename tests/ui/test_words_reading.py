"""What the word explorer reads: against the planted maps, and against what the model layer would store."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.models.vlm.methods import parse_method
from gazeapp.engine.project import Project
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.panels.words_reading import (
    AskMaps,
    AskRun,
    NoRun,
    cell_method,
    cell_name,
    ready_to_draw,
    relative,
)
from gazeapp.ui.reading import read_scene
from tests.ui import small_words as planted
from tests.ui.small_study import CAPTION, TASK


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return planted.build_words(tmp_path_factory.mktemp("words") / "study")


@pytest.fixture
def project(study):
    with Project.open(study.path) as opened:
        yield opened


@pytest.fixture
def read(project, study):
    return lambda model: AskRun(study.images[0], model, TASK).read(project)


def test_a_run_is_read_with_the_shares_of_its_words_layers_and_heads(read) -> None:
    run = read(planted.HEADED)
    assert [word.text for word in run.words] == CAPTION
    assert (run.layers, run.kept, run.rect, run.name) == (planted.LAYERS, "heads", planted.RECT, "VLM-HEADS")
    assert run.mass == pytest.approx(planted.masses().mean(axis=(1, 2)))
    assert run.head_mass == pytest.approx(planted.masses())
    assert [read(model).kept for model in (planted.LAYERED, planted.UNKEPT, "cnn-lstm")] == ["layers", "", ""]
    assert read("cnn-lstm").head_mass is None


def test_the_share_of_a_cell_is_that_of_its_word_and_of_the_mean_map_that_of_content_words(read) -> None:
    run, mass = read(planted.UNKEPT), planted.masses()
    cells = run.cell_mass(2)
    assert cells[:, 0] == pytest.approx(mass[2].mean(axis=1))
    assert cells[:, 1:] == pytest.approx(mass[2])
    content = [k for k, word in enumerate(run.words) if word.is_content]
    assert 0 < len(content) < len(CAPTION)
    assert run.cell_mass(MEAN_MAP)[:, 1:] == pytest.approx(mass[content].mean(axis=0))


def test_what_is_not_there_is_none(project, study, read) -> None:
    assert AskRun(study.images[1], planted.HEADED, TASK).read(project) == NoRun(only_older=False)
    assert AskMaps(read(planted.UNKEPT).id, 0).read(project) is None
    assert AskMaps(read("cnn-lstm").id, MEAN_MAP).read(project) is None


@pytest.mark.parametrize("same", [True, False])
def test_a_run_with_one_head_as_its_method_shows_the_maps_of_an_equal_run(tmp_path, same) -> None:
    study = planted.build_words(tmp_path / "study")
    alone = replace(planted.caption(""), method="attention-L7-H2")
    if not same:
        alone.detail.image_mass[2, 1, 1] += 0.01
    with Project.open(study.path) as project:
        settings = project.settings.put("extract", {"method": "attention-L7-H2"})
        number = project.runs.put(
            study.images[0], planted.HEADED, TASK, alone, alone.mean_map(), settings, 1.0
        )
        run = AskRun(study.images[0], planted.HEADED, TASK).read(project)
        assert run.id == number
        assert run.kept == ("heads" if same else "")
        assert (run.kept_by != number) == same
        assert (AskMaps(run.kept_by, 0).read(project) is not None) == same


def test_facts_say_what_made_the_run(read) -> None:
    facts = dict(read(planted.HEADED).facts)
    assert facts["prompt"] == "“Describe the picture.”"
    assert facts["image"] == "24 image tokens (image 4 × 6)"
    assert (facts["dtype"], facts["device"], facts["took"]) == ("float32", "cpu", "2.5 s")
    assert facts["size"] == "image shrunk to 50 %"
    assert facts["said"].startswith("3")
    assert "end" not in facts
    assert "prompt" not in dict(read("cnn-lstm").facts)


def test_each_map_is_relative_to_an_even_spread_over_the_image(project, read) -> None:
    maps, by_head = AskMaps(read(planted.HEADED).id, 4).read(project), planted.maps()[4]
    assert maps.density.shape == (2, 1 + planted.HEADS, planted.ROWS, planted.COLUMNS)
    for row in range(2):
        for head in range(planted.HEADS):
            wanted = planted.density(by_head[row, head])
            assert maps.density[row, head + 1] == pytest.approx(wanted, rel=2e-3)
        wanted = planted.density(by_head[row].mean(axis=0))
        assert maps.density[row, 0] == pytest.approx(wanted, rel=2e-3)
    layered = AskMaps(read(planted.LAYERED).id, 4).read(project)
    assert layered.density.shape[1] == 1
    assert layered.density[:, 0] == pytest.approx(maps.density[:, 0], rel=4e-3)
    assert not maps.density.flags.writeable


def test_the_mean_map_of_a_cell_is_what_a_run_with_its_method_would_store(project, read) -> None:
    mean = AskMaps(read(planted.HEADED).id, MEAN_MAP).read(project)
    said, by_head = planted.caption("heads"), planted.maps()[:, 1, 2]
    alone = replace(said, maps=by_head / by_head.sum(axis=(1, 2), keepdims=True))
    assert mean.density[1, 3] == pytest.approx(planted.density(alone.mean_map()), rel=2e-3)


def test_a_head_that_ignores_the_image_has_an_empty_map() -> None:
    raw = planted.maps()[0]
    raw[1, 2] = 0
    made = ready_to_draw(relative(raw, 1.0))
    assert np.isfinite(made.density).all()
    assert not made.density[1, 3].any()
    assert not made.own[1, 3].any()


def test_colours_follow_the_logarithm_to_each_maps_own_top_or_to_the_shared_one() -> None:
    # Enough cells that 99.5 % of a map lies below its highest value by interpolation alone.
    density = np.full((1, 2, 2, 200), 0.5, np.float32)
    density[0, 0, 0, :100], density[0, 1, 0, :100] = 4.0, 16.0
    density[0, 1, 1, 0] = 4.0
    made = ready_to_draw(density)
    assert made.tops.tolist() == [[4.0, 16.0]]
    assert made.top == 16.0
    assert made.own[0, :, 0, 0].tolist() == [255, 255]
    assert made.shared[0, :, 0, 0].tolist() == [128, 255]
    assert made.own[0, 1, 1, 0] == 128
    assert made.own[0, 0, 1, 0] == 0


def test_the_name_and_the_method_of_a_cell() -> None:
    assert cell_name(14, 4) == "layer 14, head 3"
    assert cell_name(14, 0) == "layer 14, mean over its heads"
    assert cell_method(14, 4) == "attention-L14-H3"
    assert cell_method(14, 0) == "attention-L14"
    assert parse_method(cell_method(14, 4)).pick((7, 14), 4) == ((1,), (3,))


def test_the_models_own_words_are_read_though_a_given_caption_came_later(tmp_path) -> None:
    study = planted.build_words(tmp_path / "study")
    with Project.open(study.path) as project:
        before = AskRun(study.images[0], "cnn-lstm", TASK).read(project)
        map_ = np.full((2, 2), 0.25, np.float32)
        said = Caption(
            *((Word("given", -1.0, True),), map_[None], np.ones(1, np.float32), before.rect, TASK),
            "attention@given",
        )
        settings_id = project.settings.put("extract", {"model": "cnn-lstm", "given": "digest"})
        project.runs.put(study.images[0], "cnn-lstm", TASK, said, map_, settings_id, 0.1)
        assert len(project.runs.all(image_id=study.images[0], model="cnn-lstm", task=TASK)) == 2
        assert AskRun(study.images[0], "cnn-lstm", TASK).read(project).id == before.id
        names = {model.id: model.name for model in project.runs.models()}
        project.runs.put_model(ModelInfo("made-to-say", "Parrot", "captioner"))
        project.runs.put(study.images[0], "made-to-say", TASK, said, map_, settings_id, 0.1)
        panes = {pane.id: pane.name for pane in read_scene(project, study.images[0], TASK).models}
        assert panes == {**names, "made-to-say": "Parrot · given captions"}
