"""Models by the names that users give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.named import find_model

OWN = (ModelInfo("small", "Small", "captioner"),)


def test_a_runner_script_goes_by_the_id_that_the_list_shows() -> None:
    info = find_model("brightness", OWN)
    assert (info.id, info.kind) == ("runner-brightness", "runner")
    assert find_model(info.checkpoint, OWN) == info


def test_an_unknown_name_is_told_with_the_names_that_are_known() -> None:
    assert find_model("small", OWN) is OWN[0]
    with pytest.raises(GazeError, match="no model called 'smal'") as refused:
        find_model("smal", OWN)
    assert "Captioners here: small." in refused.value.todo
    assert "brightness" in refused.value.todo


def test_slips_of_the_hand_are_told_with_what_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "tiny-vl").mkdir(parents=True)
    (tmp_path / "models" / "tiny-vl" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    own = (ModelInfo("cnn-lstm", "CNN-LSTM", "captioner"),)
    for slip, meant in (
        ("cnn-lsmt", "cnn-lstm"),
        ("brightnes", "brightness"),
        ("qwen3.5-9", "qwen3.5-9b"),
        (str(tmp_path / "models" / "tinyvl"), str(tmp_path / "models" / "tiny-vl")),
        (str(tmp_path / "model" / "tiny-vl"), str(tmp_path / "models" / "tiny-vl")),
        ("./models/tiny-v", "models/tiny-vl"),
        ("models/tiny-v", "models/tiny-vl"),
    ):
        with pytest.raises(GazeError) as refused:
            find_model(slip, own)
        assert "Did you mean" in refused.value.todo
        assert meant in refused.value.todo
    monkeypatch.chdir(tmp_path / "models")
    with pytest.raises(GazeError, match="Did you mean tiny-vl"):
        find_model("tinyvl", own)
    with pytest.raises(GazeError) as refused:
        find_model("nothing-like-it", own)
    assert "Did you mean" not in refused.value.todo
