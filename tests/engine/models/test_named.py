"""Models by the names that users give them."""

from __future__ import annotations

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
