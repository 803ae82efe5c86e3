from __future__ import annotations

import socket
import sys

import pytest

from gazeapp.display import has_display

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have one")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("display", ["", ":4321", "localhost:4321.0", "rubbish", "[::1]:0"])
def test_a_display_that_does_not_answer_is_none(monkeypatch, display: str):
    monkeypatch.setenv("DISPLAY", display)
    assert not has_display()


def test_a_display_that_listens_is_one(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{number}.0")
        assert has_display()


def test_a_chosen_platform_needs_no_display(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert has_display()


def test_wayland_is_known_by_its_socket(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    assert not has_display()
    (tmp_path / "wayland-7").touch()
    assert has_display()
