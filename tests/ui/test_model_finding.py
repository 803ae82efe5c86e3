"""What the list of models says about each, and what has to be agreed to first."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.listing import ModelRow
from gazeapp.engine.models.vlm.loading.machine import Card, Machine
from gazeapp.ui.dialogs import model_finding
from gazeapp.ui.dialogs.model_finding import find_offers, look_up
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
    assert "would take 2.0 GB" in offers["far"].facts
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
