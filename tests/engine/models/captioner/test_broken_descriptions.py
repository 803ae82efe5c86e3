"""A captioner's description that is broken is told of its folder alone; the others stay listed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig, read_config
from gazeapp.engine.models.captioner.own import listed
from gazeapp.engine.models.captioner.schema import SCHEMA

CONFIG = CaptionerConfig(
    "mine", "Mine", "vit", "transformer", ("<pad>", "<start>", "<end>", "dog"), ("dog",), (),
    input_size=32, grid=(2, 2), width=16, layers=1, heads=2, max_words=4, revision="0" * 64,
)  # fmt: skip
GOOD: dict[str, Any] = json.loads(json.dumps(CONFIG.to_json()))


def nested(depth: int) -> Any:
    inner: Any = 1
    for _ in range(depth):
        inner = {"a": [inner]}
    return inner


CHANGES: dict[str, dict[str, Any]] = {
    "format": {"format": "x"},
    "no format": {"format": None},
    "heads": {"heads": 0},
    "layers": {"layers": -1},
    "many layers": {"layers": 10**9},
    "width": {"width": 4 * 10**12},
    "grid": {"grid": [0, 0]},
    "large grid": {"grid": [10**6, 10**6]},
    "grid of text": {"grid": ["2", "2"]},
    "picture": {"input_size": 0},
    "picture as text": {"input_size": "128"},
    "content words": {"content_words": None},
    "words": {"max_words": -1},
    "a number as a name": {"name": 7},
    "no name": {"name": ""},
    "not a number": {"mean": [float("nan"), 1.0, 1.0]},
    "infinite": {"std": [float("inf"), 1.0, 1.0]},
    "huge": {"mean": [10**400, 1, 1]},
    "dropout": {"dropout": float("nan")},
    "half a character": {"name": "Mine \ud800"},
    "half a character in a word": {"vocabulary": ["<pad>", "<start>", "<end>", "\udfff"]},
    "a name that governs the terminal": {"id": "mine\x1b[2J"},
    "a name of two lines": {"name": "Mine\n"},
    "sizes of others": {"form": "royalskye"},
    "an LSTM of others": {"form": "sgrvinod", "decoder": "lstm"},
    "deep": {"figures": nested(100)},
    "a list": {"training": [1]},
}
TEXTS = {"a list": "[1]", "deep": "[" * 100_000, "nothing": "", "null": "null", "a long number": "9" * 5000}


def folder(place: Path, content: str) -> Path:
    place.mkdir(exist_ok=True)
    (place / "captioner.json").write_text(content, "utf-8")
    return place


def check_listed(tmp_path: Path, content: str) -> None:
    broken, good = folder(tmp_path / "broken", content), folder(tmp_path / "good", json.dumps(GOOD))
    found = listed([broken, good])
    assert [info.id for info in found.models] == ["mine"]
    assert [problem.where for problem in found.problems] == [str(broken / "captioner.json")]
    assert len(str(found.problems[0])) < 1000


@pytest.mark.parametrize("case", CHANGES)
def test_a_broken_value(case: str, tmp_path: Path) -> None:
    check_listed(tmp_path, json.dumps(GOOD | CHANGES[case]))


@pytest.mark.parametrize("case", TEXTS)
def test_no_description_at_all(case: str, tmp_path: Path) -> None:
    check_listed(tmp_path, TEXTS[case])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_config(folder(tmp_path / "a", json.dumps(GOOD))) == CONFIG
    more = GOOD | {"of a later release": 1, "figures": nested(9)}
    assert read_config(folder(tmp_path / "b", json.dumps(more))).figures == nested(9)


NUMBERS = st.integers(-2, 70) | st.sampled_from([10**6, 10**9, 2**63, 10**400]) | st.floats()
PLAIN = st.none() | st.booleans() | NUMBERS | st.text(st.characters(), max_size=5)
ANY = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
)
PAIRS = st.lists(NUMBERS, min_size=2, max_size=3)
KNOWN = st.sampled_from(
    [*GOOD.values(), "lstm", "royalskye", "sgrvinod", "cnn", "resnet18", "vit_tiny_patch16_224"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(sorted(SCHEMA["properties"])), NUMBERS | PAIRS | KNOWN | ANY, max_size=4)
)
def test_any_json_is_a_sentence_or_a_network(tmp_path: Path, change: dict[str, Any]) -> None:
    """What passes can be built: without memory for its weights, so that no size hides behind a wait."""
    import torch

    from gazeapp.engine.models.captioner.network import Captioner

    text = json.dumps(GOOD | change)
    found = listed([folder(tmp_path / "fuzz", text)])
    assert len(found.models) + len(found.problems) == 1
    with suppress(GazeError), torch.device("meta"):
        config = read_config(tmp_path / "fuzz")
        Captioner(config)
        assert CaptionerConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
