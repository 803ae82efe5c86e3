"""Every family is found by its types, and says the same of itself everywhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families import MODULES, family_of, is_supported, reads_prompt


@pytest.mark.parametrize("model_type", sorted(MODULES))
def test_a_family_says_whether_it_reads_a_prompt(model_type: str) -> None:
    family = family_of(model_type)
    assert family.name
    # A captioner goes on from what it is given: left alone, it begins by itself.
    assert bool(family.default_prompt) == reads_prompt(model_type)


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    assert not is_supported("bert")
    with pytest.raises(GazeError, match="qwen3_5"):
        family_of("bert")


def test_asking_what_is_supported_imports_no_torch() -> None:
    code = (
        "import sys; from gazeapp.engine.models.vlm.families import is_supported; assert is_supported('molmo'); "
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
