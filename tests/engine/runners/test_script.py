"""What a script says about itself is read without running it, shown in full, and refused when it is not all there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.runners.script import find_script, find_scripts, read_script
from tests.engine.runners import scripts

WHOLE = """#!/usr/bin/env python3
# Some words before.

# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = [
#   "torch==2.6.*",
#   "transformers>=4.50,<4.54",
# ]
#
# [tool.gazeapp]
# name = "A model"
# description = "Describes images."
# licence = "Apache-2.0"
# download = "about 16 GB"
# actions = ["describe", "run"]
# methods = ["mean", "last"]
# checkpoint = "lab/model"
# revision = "abc123"
#
# [[tool.uv.index]]
# url = "https://mirror.example/simple"
# ///
raise SystemExit("this must not run")
"""


def test_everything_that_is_said_is_read_and_nothing_is_run(tmp_path: Path) -> None:
    path = scripts.write(tmp_path, WHOLE)
    script = read_script(path)
    assert (script.id, script.path, script.text) == ("test_runner", path, WHOLE)
    assert (script.name, script.licence, script.download) == ("A model", "Apache-2.0", "about 16 GB")
    assert script.description == "Describes images."
    assert script.dependencies == ("torch==2.6.*", "transformers>=4.50,<4.54")
    assert script.requires_python == ">=3.10,<3.13"
    assert script.actions == ("describe", "run")
    assert script.methods == ("mean", "last")
    assert (script.checkpoint, script.revision) == ("lab/model", "abc123")
    assert script.sources == ("index.url = https://mirror.example/simple",)
    assert script.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_line_ends_of_windows_are_read_and_count_in_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "windows.py"
    path.write_bytes(WHOLE.replace("\n", "\r\n").encode())
    script = read_script(path)
    assert script.dependencies == ("torch==2.6.*", "transformers>=4.50,<4.54")
    assert script.text.encode() == path.read_bytes()
    assert script.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_question_names_all_that_is_agreed_to(tmp_path: Path, consents: ConsentStore) -> None:
    path = scripts.write(tmp_path, WHOLE)
    script = read_script(path)
    question = script.question(consents)
    said = (
        *script.dependencies,
        script.requires_python,
        script.name,
        script.description,
        script.licence,
        script.download,
        *script.sources,
        script.sha256,
        "lab/model",
    )
    assert [words for words in said if words not in question] == []
    assert "has changed" not in question

    script.agree(consents)
    path.write_text(WHOLE.replace("this must", "that must"))
    assert "has changed since you agreed" in read_script(path).question(consents)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("# /// script", "# /// other", "no block"),
        ("# ///\nraise", "raise", "no block"),
        ("# ///\nraise", "# ///\n\n# /// script\n# ///\nraise", "more than one block"),
        ('licence = "Apache-2.0"', "licence = ", "no TOML"),
        ("[tool.gazeapp]", "[tool.other]", r"\[tool.gazeapp\]"),
        ("[tool.gazeapp]", "[tool]", r"\[tool.gazeapp\]"),
        ('# name = "A model"\n', "", "'name'"),
        ('# licence = "Apache-2.0"\n', "", "'licence'"),
        ('# download = "about 16 GB"\n', "", "'download'"),
        ('description = "Describes images."', 'description = " "', "'description'"),
        ('description = "Describes images."', r'description = "One\nInstalls nothing."', "one line"),
        ('description = "Describes images."', r'description = "\u202Etxet"', "one line"),
        ('"torch==2.6.*",', "3,", "'dependencies'"),
        ('requires-python = ">=3.10,<3.13"', "requires-python = 3.11", "'requires-python'"),
        ('actions = ["describe", "run"]', "actions = []", "'actions'"),
        ('actions = ["describe", "run"]', 'actions = ["sing"]', "'actions'"),
        ('actions = ["describe", "run"]', 'actions = "run"', "'actions'"),
        ('methods = ["mean", "last"]', "methods = []", "'methods'"),
    ],
)
def test_a_script_that_does_not_say_all_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in WHOLE
    path = scripts.write(tmp_path, WHOLE.replace(old, new))
    with pytest.raises(GazeError, match=why) as caught:
        read_script(path)
    assert caught.value.where == str(path)


def test_files_that_are_no_scripts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="cannot be read"):
        read_script(tmp_path / "missing.py")
    with pytest.raises(GazeError, match="cannot be read"):
        read_script(tmp_path)
    (tmp_path / "binary.py").write_bytes(b"\xff\x00")
    with pytest.raises(GazeError, match="UTF-8"):
        read_script(tmp_path / "binary.py")
    (tmp_path / "large.py").write_bytes(b"#" * 1_000_001)
    with pytest.raises(GazeError, match="larger"):
        read_script(tmp_path / "large.py")


def test_scripts_that_ship_and_those_of_the_user_are_found(tmp_path: Path) -> None:
    shipped, problems = find_scripts(tmp_path)
    assert problems == []
    names = {script.id: script.name for script in shipped}
    assert "gazeapp_runner" not in names
    assert "example" in names["brightness"]

    scripts.write(tmp_path, WHOLE, "lab.py")
    scripts.write(tmp_path, WHOLE, "brightness.py")
    scripts.write(tmp_path, "print()", "notes.py")
    found, problems = find_scripts(tmp_path)
    assert {script.id: script.name for script in found} == {
        **names,
        "lab": "A model",
        "brightness": "A model",
    }
    assert [problem.where for problem in problems] == [str(tmp_path / "notes.py")]


def test_a_script_is_found_by_file_or_id(tmp_path: Path) -> None:
    path = scripts.write(tmp_path, WHOLE, "lab.py")
    scripts.write(tmp_path, "print()", "notes.py")
    assert find_script(str(path)) == find_script("lab", tmp_path) == read_script(path)
    with pytest.raises(GazeError, match="no runner script 'other'") as caught:
        find_script("other", tmp_path)
    assert "brightness, lab" in caught.value.todo
    with pytest.raises(GazeError, match="no block"):
        find_script("notes", tmp_path)


def test_a_folder_that_is_not_there_has_no_scripts(tmp_path: Path) -> None:
    assert find_scripts(tmp_path / "missing") == find_scripts(tmp_path)
