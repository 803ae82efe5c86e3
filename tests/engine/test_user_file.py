"""Small files of the user's settings: whatever happened to them, there is an answer, and never half a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.user_file import read_entries, write_values


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings" / "list.json"
    write_values(path, {"format": "a list", "things": ["ä", {"b": 1}]}, "It cannot be written")
    assert read_entries(path, "a list", "things") == ["ä", {"b": 1}]
    assert read_entries(path, "a list", "others") == []
    assert read_entries(path, "another list", "things") == []
    assert [file.name for file in path.parent.iterdir()] == ["list.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"a list"',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"things": [1]}',
        b'{"format": "a list", "things": {"a": 1}}',
        b'{"format": "a list", "things": "abc"}',
    ],
)
def test_a_damaged_file_has_no_entries(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(content)
    assert read_entries(path, "a list", "things") == []


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(GazeError, match="It cannot be written: ") as refused:
        write_values(path, {}, "It cannot be written")
    assert refused.value.where == str(path)
    assert [file.name for file in tmp_path.iterdir()] == ["list.json"]
