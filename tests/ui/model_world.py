"""Models that need no weights, for the dialog that runs models: what is listed, and what a trial of them says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.vlm.loading.survey import Download, RemoteFile
from gazeapp.ui.dialogs.model_offers import AWAY, HERE, RUNNERS, Agreement, Found, Offer

CAPTIONERS = [
    ModelInfo("cnn-lstm", "CNN-LSTM", "captioner", methods=("attention",), domain="demo-world"),
    ModelInfo("other", "Other", "captioner", methods=("attention", "rollout")),
]
CODE = Agreement(
    kind="remote-code",
    subject="lab/odd@abc",
    digest="0" * 64,
    title="Run the code that comes with Odd?",
    sentence="It would run here.",
    facts=(("Revision", "abc"),),
    code=(("odd.py", "print('odd')"), ("more.py", "pass")),
)
VLM = Offer("qwen3.5-9b", "qwen3.5-9b", "Qwen3.5 9B", HERE, "vlm", "fits")
ODD = Offer("lab/odd", "lab/odd", "Odd", HERE, "vlm", "fits", asks=CODE)
LARGE = Offer("huge", "huge", "Huge", HERE, "vlm", why_not="It needs about 900 GB.")
SCRIPT = Offer("/lab/bright.py", "runner-bright", "Bright", RUNNERS, "runner", methods=("brightness",))
AWAY_MODEL = Offer("molmo-7b-d", "molmo-7b-d", "Molmo 7B-D", AWAY, "vlm", size=32_000_000_000)
FOUND = Found((VLM, ODD, LARGE, SCRIPT, AWAY_MODEL), no_four_bit="4 bits need an NVIDIA graphics card.")


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """List these models and no others."""
    from gazeapp.engine.models import registry
    from gazeapp.ui.dialogs import model_finding

    monkeypatch.setattr(registry, "available_models", lambda: CAPTIONERS)
    monkeypatch.setattr(model_finding, "find_offers", lambda _added, _ran: FOUND)


def download_of(folder: Path, size: int = 2_000_000, *, here: int = 0) -> Download:
    """What the hub says about a model of so many bytes."""
    files = (RemoteFile("model.safetensors", size, "a" * 64),)
    return Download("lab/far", "c" * 40, "main", "https://hub.example", files, here, folder / "cache", False)


def tried(model: str, units: int = 4, seconds: float = 3.1) -> dict[str, object]:
    """What a trial says about a model."""
    return {
        "model": model,
        "units": units,
        "load_seconds": 10.0,
        "seconds_per_image": seconds,
        "estimate_seconds": seconds * units + 10.0,
        "peak_memory_mb": 17_200,
        "bytes_per_run": 600_000,
        "estimate_bytes": 600_000 * units,
        "caption": "a man holds a ball",
        "plan": ["On the card."],
    }
