"""What is run is what was agreed to, in a place and an environment where nothing else gets in."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.runners.launch import clean_environment, place_script
from gazeapp.engine.runners.script import HELPER_NAME, read_script
from tests.engine.runners import scripts


def test_gazeapps_own_python_stays_out_of_the_scripts_environment() -> None:
    outer = {
        "PATH": "/bin",
        "SSL_CERT_FILE": "/certificates",
        "UV_DEFAULT_INDEX": "mirror",
        "PYTHONPATH": "/lab",
        "PYTHONHOME": "/python",
        "PYTHONSAFEPATH": "1",
        "VIRTUAL_ENV": "/venv",
        "LD_LIBRARY_PATH": "/lab/lib",
    }
    inner = clean_environment(outer)
    kept = {"PATH", "SSL_CERT_FILE", "UV_DEFAULT_INDEX", "LD_LIBRARY_PATH"}
    assert {name: inner[name] for name in kept} == {name: outer[name] for name in kept}
    assert not (outer.keys() - kept) & inner.keys()


@pytest.mark.parametrize(
    ("original", "kept"), [({}, None), ({"LD_LIBRARY_PATH_ORIG": "/lab/lib"}, "/lab/lib")]
)
def test_a_frozen_gazeapp_does_not_lend_its_libraries(
    monkeypatch: pytest.MonkeyPatch, original: dict[str, str], kept: str | None
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert clean_environment({"LD_LIBRARY_PATH": "/frozen", **original}).get("LD_LIBRARY_PATH") == kept


def test_the_copy_is_the_agreed_text_to_the_byte_and_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "numpy.py"
    path.write_bytes(scripts.SERVED.replace("\n", "\r\n").encode())
    (tmp_path / "neighbour.py").write_text("raise SystemExit")
    script = read_script(path)
    placed = place_script(script, tmp_path / "runners")
    assert hashlib.sha256(placed.read_bytes()).hexdigest() == script.sha256
    assert sorted(found.name for found in placed.parent.iterdir()) == [HELPER_NAME, "runner-numpy.py"]

    placed.write_text("something else")
    (placed.parent / HELPER_NAME).write_text("something else")
    assert place_script(script, tmp_path / "runners") == placed
    assert hashlib.sha256(placed.read_bytes()).hexdigest() == script.sha256
    assert "def serve(" in (placed.parent / HELPER_NAME).read_text()


def test_another_text_has_another_place(tmp_path: Path) -> None:
    one = place_script(read_script(scripts.write(tmp_path, scripts.SERVED)), tmp_path / "runners")
    other = place_script(read_script(scripts.write(tmp_path, scripts.SERVED + "\n")), tmp_path / "runners")
    assert one.parent != other.parent


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "runners").write_text("in the way")
    with pytest.raises(GazeError, match="cannot be made ready"):
        place_script(read_script(scripts.write(tmp_path, scripts.SERVED)), tmp_path / "runners")
