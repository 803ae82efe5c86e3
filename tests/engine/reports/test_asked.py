"""What vision-language models were asked and where their attention went, as the report tells it."""

import re
import shlex

import numpy as np
import pytest

from gazeapp.engine.lesions.lesion import SCOPES
from gazeapp.engine.models.base import Caption, Word
from gazeapp.engine.project import Project
from gazeapp.engine.project.prompts import set_prompt
from gazeapp.engine.reports.asked import decoding_in_words
from gazeapp.engine.reports.dictionary_models import RUNS
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.model_facts import method_name
from gazeapp.engine.reports.plain import printable, without_folder
from gazeapp.engine.reports.render import render
from gazeapp.engine.reports.tables import cell
from gazeapp.engine.reports.tidy import runs
from gazeapp.engine.reports.vlm_facts import layers_in_words
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.score import ScoreSettings, score
from tests.engine.conftest import MODELS, SIGMA
from tests.engine.made_up_vlm import GREEDY, PROMPT, REACH, add_vlm, mass_of
from tests.engine.reports.test_report_page import HOSTILE, Page


@pytest.fixture
def project(study):
    path = study(n_images=3, tasks=("general",), models=MODELS[:1], scored=False)
    with Project.open(path) as opened:
        yield opened


def written(project):
    return gather(project, "tuebingen", "r.html")


def test_a_row_has_the_prompt_the_decoding_and_the_attention_on_the_image(project):
    add_vlm(project)
    (row,) = written(project).asked
    assert (row.model, row.task, row.prompt, row.version) == ("Eye 7B", "general", PROMPT, "version 0")
    assert row.decoding == "the most probable token each time, at most 40\u00a0tokens"
    assert row.method == "attention, mean over all heads of all layers that carry attention to the image"
    assert (row.n_images, row.tokens, row.n_cut, row.n_smaller) == (3, "5", 1, 1)
    assert (row.image_tokens, row.computed) == ("576", "float16 on cuda:0")
    means = [float(mass_of(image).mean()) for image in (1, 2, 3)]
    assert row.mass == pytest.approx(sum(means) / 3, abs=1e-7)
    assert (row.mass_low, row.mass_high) == pytest.approx((means[0], means[2]), abs=1e-7)
    page = Page(render(written(project))).text
    assert "Eye 7B described 1 of 3 images of the task general smaller than they are" in page
    assert "50.0 40.0 to 60.0 1 float16 on cuda:0" in page


def test_models_that_write_no_tokens_are_asked_nothing(project):
    assert written(project).asked == ()
    assert "What the models were asked" not in render(written(project))


def test_prompts_are_named_by_their_versions_and_never_mixed(project):
    add_vlm(project, images=(1, 2))
    set_prompt(project, "general", "What is here?")
    add_vlm(project, images=(3,), prompt="What is here?")
    report = written(project)
    assert [(row.prompt, row.version, row.n_images) for row in report.asked] == [
        ("What is here?", "version 1", 1)
    ]
    (note,) = [note for note in report.notes if "mix conditions" in note]
    assert note.replace("\u00a0", " ").startswith(
        "general: 2 images of Eye 7B (attention): there are maps under earlier settings only"
    )
    # Another map method is no other condition, and what was run again counts as it is now.
    add_vlm(project, method="attention-L3")
    add_vlm(project, images=(1, 2), prompt="What is here?")
    assert not [note for note in written(project).notes if "mix conditions" in note]


def test_facts_of_a_model_are_told_without_where_the_user_keeps_it(project):
    add_vlm(project, "eye", checkpoint="/home/someone/models/eye")
    html = render(written(project))
    facts = dict(written(project).models[1].facts)
    assert facts["Family"] == "LLaVA 1.5"
    assert facts["Parameters"] == "7,063,427,072"
    assert facts["Layers with attention to the image"] == "2: 3 and 7 (counted from 0)"
    assert facts["Heads in each"] == "4"
    assert facts["Kind of number"] == "float16 (stored as bfloat16)"
    assert facts["Libraries"] == "torch 2.13.0, transformers 5.23.0"
    assert "someone" not in html
    assert "gazeapp extract study.gaze --model eye " in Page(html).text


def test_what_masking_does_not_reach_is_told_only_of_models_with_lesions(project):
    add_vlm(project)
    add_vlm(project, lesion="mirrored")
    assert REACH not in render(written(project))
    add_vlm(project, lesion=next(iter(SCOPES)))
    assert REACH in Page(render(written(project))).text


def test_captions_and_prompts_can_do_no_harm(project):
    prompt = f"Describe {HOSTILE} now."
    add_vlm(project, prompt=prompt, caption=f"=1+1 {HOSTILE} \u202eكلب\u0007\u0000 end")
    html = render(written(project))
    page = Page(html)
    assert "script" not in page.tags
    assert "onerror" not in {name for _, name, _ in page.attributes}
    assert HOSTILE in page.text
    assert "bdi" in page.tags
    assert not [sign for sign in html if ord(sign) < 32 and sign not in "\n\t"]


def test_control_characters_are_shown_as_what_they_are_not():
    assert printable("a\x00b\x1b[31mc\x85\u2028d\te\nf") == "a\ufffdb\ufffd[31mc\ufffd\ufffdd\te\nf"
    assert printable("\u202eكلب 犬 é") == "\u202eكلب 犬 é"


def test_the_commands_fetch_the_revision_set_the_prompts_and_name_all_options(project):
    project.tasks.add("mine")
    add_vlm(project)
    add_vlm(project, task="mine", prompt="Count the 'red' things.", keep="heads")
    drawn = {"max_tokens": 100, "temperature": 0.7, "top_p": 0.9, "seed": 5}
    add_vlm(
        project,
        task="mine",
        prompt="Now the blue ones.",
        decoding=drawn,
        method="attention-L3",
        four_bit=True,
    )
    lines = [shlex.split(line)[1:] for line in written(project).commands]
    name = f"lab/eye-7b@{'c0ffee' * 6}c0de"
    after = [
        line for line in lines if line[0] in ("download", "prompt", "extract") and "cnn-lstm" not in line
    ]
    plain = ["extract", "study.gaze", "--model", name, "--task"]
    assert after == [
        ["download", name],
        [*plain, "general", "--method", "attention", "--max-tokens", "40"],
        ["prompt", "study.gaze", "mine", "--text", "Count the 'red' things."],
        [*plain, "mine", "--method", "attention", "--keep", "heads", "--max-tokens", "40"],
        ["prompt", "study.gaze", "mine", "--text", "Now the blue ones."],
        [
            *(*plain, "mine", "--method", "attention-L3", "--temperature", "0.7"),
            *("--top-p", "0.9", "--seed", "5", "--four-bit"),
        ],
    ]


def test_only_the_text_that_counts_is_run_again(project):
    add_vlm(project, images=(1,))
    set_prompt(project, "general", "What is here?")
    add_vlm(project, images=(2, 3), prompt="What is here?")
    lines = [shlex.split(line)[1:] for line in written(project).commands]
    verbs = [line[0] for line in lines if "cnn-lstm" not in line and line[0] in ("prompt", "extract")]
    assert verbs == ["prompt", "extract"]


def test_what_a_runner_gave_is_not_called_gazeapps_reading(project):
    add_vlm(project, "runner-eye", checkpoint="/home/someone/scripts/eye.py", kind="runner", method="mean")
    score(project, ScoreSettings(sigma=SIGMA, metrics=("nss",), n_splits=2, n_bootstrap=10), SILENT)
    html = render(written(project))
    text = Page(html).text
    assert "The attention of Eye 7B is what its own program gave" in text
    assert "wrote token by token" not in text
    assert "model in a program of its own" in text
    assert "gazeapp extract study.gaze --model eye.py --task general --method mean" in text
    assert "someone" not in html


def test_facts_that_a_runner_made_up_are_no_error(project):
    odd = {"n_image_tokens": "many", "n_prompt_tokens": [3], "ended": "perhaps", "dtype": {"a": 1}}
    add_vlm(project, "runner-eye", checkpoint="eye.py", kind="runner", method="mean", facts=odd)
    (row,) = written(project).asked
    assert (row.image_tokens, row.n_cut) == ("–", 0)
    own = [cells for cells in runs(project) if cells[1] == "runner-eye"]
    columns = [column.name for column in RUNS.columns]
    for cells in own:
        found = dict(zip(columns, cells, strict=True))
        assert (found["n_tokens"], found["ended"]) == (5, None)
        assert (found["n_image_tokens"], found["n_prompt_tokens"]) == (None, None)
        assert all(
            cell(value, column.kind) is not None for value, column in zip(cells, RUNS.columns, strict=True)
        )


def test_the_methods_name_the_reading_of_attention_and_who_described_the_model(project):
    add_vlm(project)
    score(project, ScoreSettings(sigma=SIGMA, metrics=("nss",), n_splits=2, n_bootstrap=10), SILENT)
    text = Page(render(written(project))).text
    assert "Eye 7B wrote token by token." in text
    assert "Architectures: Eye 7B (Liu et al. 2024, LLaVA 1.5)." in text
    assert (
        "Map methods: attention, mean over all heads of all layers that carry attention to the image; raw."
        in text
    )
    assert "what its own program gave" not in text


def test_runs_of_captioners_say_how_their_words_were_chosen(project):
    """In runs.csv and in the methods; one image was described in other ways, too, and the truth has no words."""
    normalised = {"beams": 3, "length_normalised": True}
    described(project, "one", {"decoding": {"beams": 3}})
    described(project, "two", {"decoding": normalised})
    described(project, "raw@given", {"given": "digest"})
    by = {column.name: k for k, column in enumerate(RUNS.columns)}
    told = {(row[by["method"]], row[by["decoding"]]) for row in runs(project)}
    ways = {
        "raw": "greedy",
        "one": "3 beams",
        "two": "3 beams, length-normalised",
        "raw@given": "given captions",
    }
    assert told == {*ways.items(), ("imported", "")}
    score(project, ScoreSettings(sigma=SIGMA, metrics=("nss",), n_splits=2, n_bootstrap=10), SILENT)
    text = Page(render(written(project))).text
    (line,) = re.findall(r"How captioners’ words were chosen: (.*?)\.", text)
    assert set(line.split("; ")) == set(ways.values())


def described(project, method, settings):
    """Describe an image with the captioner once more."""
    image, model = project.images.all()[0], MODELS[0][0]
    grids = np.full((1, 2, 2), 0.25, np.float32)
    said = Caption(
        *((Word("man", -1.0, True),), grids, np.ones(1, np.float32), image.rect, "general"), method
    )
    values = {"model": model, "task": "general", "method": method, "words": "content", **settings}
    settings_id = project.settings.put("extract", values)
    project.runs.put(image.id, model, "general", said, said.mean_map(), settings_id, 0.1)


def test_decoding_is_told_in_words():
    assert decoding_in_words({}) == ""
    assert decoding_in_words(GREEDY) == "the most probable token each time, at most 40\u00a0tokens"
    drawn = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 4}
    assert decoding_in_words(drawn) == (
        "drawn of the most probable 90 % at temperature 0.5, seed 4, at most 9\u00a0tokens"
    )


def test_map_methods_are_told_in_words():
    assert method_name("attention-L14") == "attention, mean over all heads of layer 14 (from 0)"
    assert method_name("attention-L8..15") == "attention, mean over all heads of layers 8 to 15 (from 0)"
    assert method_name("attention-L14-H3+5@detail") == (
        "attention, mean over heads 3 and 5 of layer 14 (from 0), view detail alone"
    )
    assert method_name("brightness") == "brightness"


def test_layers_are_told_short_where_they_are_all():
    assert layers_in_words(range(28)) == "28: 0 to 27 (counted from 0)"
    assert layers_in_words([3, 7, 11]) == "3: 3, 7 and 11 (counted from 0)"


@pytest.mark.parametrize(
    ("checkpoint", "name"),
    [
        ("lab/eye-7b", "lab/eye-7b"),
        ("/home/someone/eye", "eye"),
        (r"C:\Users\someone\eye", "eye"),
        ("", ""),
    ],
)
def test_a_checkpoint_is_named_without_its_folder(checkpoint, name):
    assert without_folder(checkpoint) == name
