"""What the list of models says about each, and what has to be agreed to first."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.checkpoint import Checkpoint
from gazeapp.engine.models.vlm.loading.listing import ModelRow
from gazeapp.engine.models.vlm.loading.machine import Card, Machine
from gazeapp.engine.project.rows import ModelRow as ProjectModel
from gazeapp.ui.dialogs import model_finding, model_fit
from gazeapp.ui.dialogs.model_finding import find_offers, look_up
from gazeapp.ui.dialogs.model_fit import fit_of
from gazeapp.ui.dialogs.model_offers import AWAY, HERE, RUNNERS

SCRIPT = """# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2"]
# [tool.gazeapp]
# name = "Mine"
# description = "Looks at things."
# licence = "MIT"
# download = "25 MB"
# actions = ["{action}"]
# methods = ["light"]
# ///
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model of a type that transformers leaves to the Python file that comes with it."""
    monkeypatch.setattr("gazeapp.engine.models.vlm.loading.checkpoint.is_native", lambda _type: False)
    made = tmp_path / "odd"
    made.mkdir()
    config = {"model_type": "llava", "architectures": ["Odd"], "auto_map": {"AutoModel": "modeling_odd.Odd"}}
    (made / "config.json").write_text(json.dumps(config))
    (made / "modeling_odd.py").write_text("class Odd: ...\n")
    save_file({"weight": np.zeros((4, 4), np.float32)}, made / "model.safetensors")
    return made


def script(tmp_path, name="mine", action="describe"):
    path = tmp_path / f"{name}.py"
    path.write_text(SCRIPT.format(action=action))
    return path


def project_model(name, kind, checkpoint, **facts):
    return ProjectModel(name, name, kind, "", "", str(checkpoint), "r", "", facts)


def row(name, place="cache", **values):
    given = {"can_run": True, "fits": "2.0 GB of weights.", "needs": (), **values}
    return ModelRow(name, name.title(), place, "llava", "r" * 40, 2_000_000_000, **given)


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """List the rows given, on a machine with a graphics card and without bitsandbytes."""
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr("gazeapp.engine.runners.script.scripts_folder", lambda: own)
    card = Card("cuda:0", "Card", 10**10, 10**10, True)
    monkeypatch.setattr(model_finding, "glance_at_machine", lambda: Machine(10**10, 10**10, (card,), False))

    def show(*rows):
        monkeypatch.setattr(model_finding, "known_models", lambda machine: list(rows))
        return own

    return show


def test_each_row_says_whether_it_can_be_chosen(listed):
    listed(
        row("fits"),
        row("large", can_run=False, fits="It needs about 900 GB."),
        row("far", "hub", needs=("A download of about 2.0 GB.",)),
    )
    found = find_offers()
    offers = {offer.name: offer for offer in found.offers}
    assert (offers["fits"].group, offers["fits"].may_run) == (HERE, True)
    assert (offers["large"].why_not, offers["large"].may_run) == ("It needs about 900 GB.", False)
    assert (offers["far"].group, offers["far"].size, offers["far"].may_run) == (AWAY, 2_000_000_000, False)
    assert "2.0 GB of weights." in offers["far"].tip
    assert "bitsandbytes" in found.no_four_bit


def test_code_that_comes_with_a_model_is_shown_and_asked_about_until_agreed_to(listed, folder):
    listed(row(str(folder), "folder", needs=("It brings code.",)))
    (offer,) = [offer for offer in find_offers().offers if offer.group == HERE]
    assert offer.asks is not None
    assert not offer.may_run
    assert offer.id == "odd"
    assert offer.asks.code == (("modeling_odd.py", "class Odd: ...\n"),)
    assert dict(offer.asks.facts)["Files"] == "modeling_odd.py"
    offer.asks.agree()
    assert look_up(str(folder)).may_run
    (folder / "modeling_odd.py").write_text("import os\n")
    asked = look_up(str(folder)).asks
    assert asked is not None
    assert asked.changed
    assert asked.code == (("modeling_odd.py", "import os\n"),)


GB = 10**9
SMALL = Checkpoint(
    "lab/small", "cache", model_type="llava_onevision", parameters=8 * 10**8, weight_bytes=16 * 10**8
)
CARD = Card("cuda:0", "Card", 3 * GB, 3 * GB, True)


@pytest.mark.parametrize(
    ("machine", "short"),
    [
        (Machine(16 * GB, 16 * GB), "3.2 GB in float32  ·  fits in memory"),
        (Machine(16 * GB, 16 * GB, (CARD,)), "1.6 GB in bfloat16  ·  fits on the graphics card"),
        (Machine(3 * GB, 3 * GB), "1.6 GB in bfloat16  ·  fits in memory"),
        # 1.6 GB of weights, a tenth of that to work in, and 0.6 GB for libraries
        (Machine(2 * GB, 2 * GB), "does not fit: needs 2.4 GB, 2.0 GB free"),
        (
            Machine(5 * GB // 2, 5 * GB // 2),
            "does not fit: needs 2.4 GB, 2.5 GB free, a tenth of it for other programs",
        ),
    ],
)
def test_a_model_in_half_a_line(machine, short):
    fit = fit_of(SMALL, machine)
    assert fit.short == short
    assert fit.fits == ("does not fit" not in short)
    assert "GB of weights" in fit.whole


@pytest.mark.parametrize(("cards", "slow"), [((), True), ((replace(CARD, free=40 * GB),), False)])
def test_without_a_graphics_card_large_models_are_slow(cards, slow):
    large = replace(SMALL, parameters=8 * GB, weight_bytes=16 * GB)
    assert fit_of(large, Machine(64 * GB, 64 * GB, cards)).short.endswith(", slow") == slow


def test_a_model_that_is_shared_out_says_so():
    large = replace(SMALL, parameters=8 * GB, weight_bytes=16 * GB)
    for free, words in (
        (14 * GB, "fits on the graphics cards"),
        (8 * GB, "fits partly on the graphics card, slow"),
    ):
        cards = tuple(replace(CARD, device=f"cuda:{k}", free=free) for k in range(2))
        assert fit_of(large, Machine(64 * GB, 64 * GB, cards)).short == f"16.0 GB in bfloat16  ·  {words}"


def test_the_second_line_tells_the_kind_only_where_the_name_does_not(monkeypatch):
    monkeypatch.setattr(model_fit, "resolve", lambda name: SMALL)
    fit = "3.2 GB in float32  ·  fits in memory"
    for name, kind in (("lab/small", "LLaVA-OneVision  ·  "), ("lab/llava-onevision-tiny", "")):
        listed = replace(row(name), model_type="llava_onevision")
        offer = model_finding._offer_of_row(listed, Machine(16 * GB, 16 * GB), ConsentStore())
        assert offer.facts == kind + fit


def test_a_well_known_model_that_is_not_here_says_how_it_would_fit():
    offered = replace(row("qwen3.5-0.8b", "hub"), model_type="qwen3_5", size=1_600_000_000)
    fit = model_fit.fit_of_row(offered, Machine(16 * GB, 16 * GB))
    assert fit.short == "3.2 GB in float32  ·  fits in memory"


def test_models_that_the_project_has_runs_of_are_offered_where_they_are_still_here(listed, folder, tmp_path):
    listed(row("qwen3.5-9b", "hub"))
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "config.json").write_text("{}")
    path = script(tmp_path)
    ran = [
        project_model("odd", "vlm", folder, place="folder"),
        project_model("gone", "vlm", tmp_path / "gone", place="folder"),
        project_model("hidden", "vlm", tmp_path / "hidden", place="folder"),
        project_model("far", "vlm", "lab/far", place="cache"),
        project_model("qwen3.5-9b", "vlm", "Qwen/Qwen3.5-9B", place="cache"),
        project_model("runner-mine", "runner", path),
        project_model("runner-gone", "runner", tmp_path / "gone.py"),
        project_model("cnn-lstm", "captioner", tmp_path),
        project_model("bare", "vlm", ""),
    ]
    found = find_offers((), ran)
    mine = {offer.id: offer for offer in found.offers if offer.group != AWAY and str(tmp_path) in offer.name}
    assert {name: offer.group for name, offer in mine.items()} == {"odd": HERE, "runner-mine": RUNNERS}
    assert mine["odd"].name == str(folder)
    assert not mine["odd"].added  # it is not on the user's list, so it cannot be taken off
    assert [offer.name for offer in found.offers if offer.group == AWAY] == ["qwen3.5-9b"]
    assert [problem.where for problem in found.problems] == [str(tmp_path / "hidden")]
    again = find_offers([str(path)], ran)
    (once,) = [offer for offer in again.offers if offer.id == "runner-mine"]
    assert once.added


def test_scripts_that_describe_are_listed_with_what_they_install(listed, tmp_path):
    own = listed()
    script(own)
    script(own, "values", action="run")
    (own / "broken.py").write_text("no script")
    elsewhere = script(tmp_path, "elsewhere")
    found = find_offers([str(elsewhere), str(tmp_path / "gone.py")])
    mine = {offer.name: offer for offer in found.offers if offer.group == RUNNERS}
    assert {str(own / "mine.py"), str(elsewhere)} <= set(mine)
    assert str(own / "values.py") not in mine
    assert {problem.where for problem in found.problems} == {
        str(own / "broken.py"),
        str(tmp_path / "gone.py"),
    }
    asks = mine[str(elsewhere)].asks
    facts = dict(asks.facts)
    assert facts["Installs"].startswith("numpy>=2, for Python >=3.11")
    assert (facts["Licence"], facts["Download"]) == ("MIT", "25 MB")
    assert asks.code[0][1] == elsewhere.read_text()
    asks.agree()
    assert ConsentStore().given("runner", "elsewhere", asks.digest)
    assert look_up(str(elsewhere)).may_run
    elsewhere.write_text(elsewhere.read_text() + "print()\n")
    assert look_up(str(elsewhere)).asks.changed


@pytest.mark.parametrize(
    ("name", "words"), [("no such", "no model called"), ("/not/there", "no such folder")]
)
def test_names_that_mean_nothing_are_told(name, words):
    with pytest.raises(GazeError, match=words):
        look_up(name)


def test_a_script_that_describes_nothing_is_no_model(tmp_path):
    with pytest.raises(GazeError, match="does not describe"):
        look_up(str(script(tmp_path, action="run")))


def test_a_model_that_is_not_here_is_an_offer_to_download(monkeypatch):
    from gazeapp.engine.models.vlm.loading.checkpoint import HUB, Checkpoint

    monkeypatch.setattr(model_finding, "resolve", lambda name: Checkpoint(name.partition("@")[0], HUB))
    known, other = look_up("Qwen/Qwen3.5-9B"), look_up("lab/far@v2")
    assert (known.group, known.title, known.size) == (AWAY, "Qwen3.5 9B", 18_800_000_000)
    assert (other.name, other.group, other.size) == ("lab/far@v2", AWAY, None)
