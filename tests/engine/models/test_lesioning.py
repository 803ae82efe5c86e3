from __future__ import annotations

import subprocess
import sys

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import SCOPES
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.lesioning import check_scope, default_scope, offers
from gazeapp.engine.models.registry import available_models
from gazeapp.engine.models.vlm.families import MODULES

PICTURE = ["pixels", "blur"]


def _vlm(model_type: str) -> ModelInfo:
    return ModelInfo(model_type, f"The {model_type}", "vlm", facts={"model_type": model_type})


RUNNER = ModelInfo("runner-x", "Brightness", "runner")
IMPORTED = ModelInfo("deepgaze", "DeepGaze", "imported")
ALL = [*available_models(), *map(_vlm, MODULES), ModelInfo("new", "New", "vlm"), RUNNER]


@pytest.mark.parametrize("info", ALL, ids=lambda info: info.id)
def test_what_a_model_offers_is_said_in_sentences_and_nothing_else_is_taken(info: ModelInfo) -> None:
    offered = offers(info)
    scopes = [offer.scope for offer in offered]
    assert len(set(scopes)) == len(scopes)
    assert set(scopes) <= set(SCOPES)
    assert scopes[-2:] == PICTURE
    assert default_scope(info) == scopes[0]
    for offer in offered:
        for said in (offer.reaches, offer.misses):
            assert said[0].isupper(), said
            assert said.endswith("."), said
            assert "  " not in said, said
    for scope in SCOPES:
        if scope in scopes:
            check_scope(info, scope)
        else:
            with pytest.raises(
                GazeError, match=f"{info.name} does not offer the lesion scope '{scope}': "
            ) as no:
                check_scope(info, scope)
            assert no.value.todo == f"{info.name} offers: {', '.join(scopes)}."


def test_each_family_s_scopes() -> None:
    features = ["zero", "mean", *PICTURE]
    told = {info.id: [offer.scope for offer in offers(info)] for info in ALL}
    for name in ("cnn-lstm", "vit-lstm"):
        assert told[name] == ["keys", "keys_and_start", *features]
    for name in ("cnn-transformer", "vit-transformer", "vision-encoder-decoder", "blip"):
        assert told[name] == ["keys", *features]
    assert told["git"] == ["keys", "readout", *features]
    for name in ("llava", "qwen3_5", "molmo", "molmo2", "paligemma", "new"):
        assert told[name] == ["keys", "text", "readout", *features]
    assert told["runner-x"] == PICTURE


def test_what_escapes_a_mask_is_said() -> None:
    def misses(info: ModelInfo) -> dict[str, str]:
        return {offer.scope: offer.misses for offer in offers(info)}

    lstm, transformer = (
        misses(next(info for info in ALL if info.id == f"cnn-{decoder}"))
        for decoder in ("lstm", "transformer")
    )
    assert "LSTM starts from" in lstm["keys"]
    assert "starts" not in lstm["keys_and_start"] + transformer["keys"]
    assert "neighbouring cells" in lstm["keys"]
    assert "all cells" in misses(next(info for info in ALL if info.id == "vit-lstm"))["zero"]
    hybrid = misses(_vlm("qwen3_5"))
    assert all("state of the others" in hybrid[scope] for scope in ("keys", "text", "readout"))
    assert "state of the others" not in hybrid["zero"] + misses(_vlm("qwen3_vl"))["keys"]
    assert "both directions" in misses(_vlm("paligemma"))["text"]
    assert "before it" in misses(_vlm("llava"))["text"]
    assert all("CLS" in misses(_vlm(one))["zero"] for one in ("vision-encoder-decoder", "blip", "git"))


def test_imported_maps_and_unknown_scopes_are_refused() -> None:
    assert offers(IMPORTED) == ()
    for refuse in (default_scope, lambda info: check_scope(info, "keys")):
        with pytest.raises(GazeError, match="DeepGaze were made elsewhere"):
            refuse(IMPORTED)
    with pytest.raises(GazeError, match="There is no lesion scope 'left'"):
        check_scope(RUNNER, "left")


def test_choosing_needs_no_torch() -> None:
    code = "import sys, gazeapp.engine.models.lesioning; print(*({'torch', 'transformers'} & {*sys.modules}))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stdout.split() == []
