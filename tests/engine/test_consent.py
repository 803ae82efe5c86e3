"""Consent is asked for once, for exactly one version, and damage never counts as a yes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gazeapp.engine.consent import REMOTE_CODE, RUNNER, ConsentStore
from gazeapp.engine.errors import GazeError


@pytest.fixture
def store(tmp_path: Path) -> ConsentStore:
    return ConsentStore(tmp_path / "settings" / "consents.json")


def test_nothing_is_agreed_to_until_the_user_says_so(store: ConsentStore) -> None:
    assert not store.given(RUNNER, "a.py", "1" * 64)
    assert store.all() == ()
    assert not store.path.exists()


def test_a_consent_is_remembered_by_another_start_of_the_app(store: ConsentStore) -> None:
    store.give(RUNNER, "a.py", "1" * 64)
    again = ConsentStore(store.path)
    assert again.given(RUNNER, "a.py", "1" * 64)
    (consent,) = again.all()
    assert consent.given_at.endswith("+00:00")


@pytest.mark.parametrize(
    ("kind", "subject", "digest"),
    [(RUNNER, "a.py", "2" * 64), (RUNNER, "b.py", "1" * 64), (REMOTE_CODE, "a.py", "1" * 64)],
)
def test_consent_is_for_one_version_of_one_thing(
    store: ConsentStore, kind: str, subject: str, digest: str
) -> None:
    store.give(RUNNER, "a.py", "1" * 64)
    assert not store.given(kind, subject, digest)


def test_a_changed_thing_is_known_but_asked_about_again(store: ConsentStore) -> None:
    store.give(RUNNER, "a.py", "1" * 64)
    assert store.known(RUNNER, "a.py")
    assert not store.known(RUNNER, "b.py")
    store.give(RUNNER, "a.py", "2" * 64)
    assert store.given(RUNNER, "a.py", "1" * 64)
    assert store.given(RUNNER, "a.py", "2" * 64)


def test_saying_yes_twice_is_one_consent(store: ConsentStore) -> None:
    store.give(RUNNER, "a.py", "1" * 64)
    store.give(RUNNER, "a.py", "1" * 64)
    assert len(store.all()) == 1


def test_withdrawing_forgets_every_version_and_nothing_else(store: ConsentStore) -> None:
    for subject, digest in (("a.py", "1"), ("a.py", "2"), ("b.py", "3")):
        store.give(RUNNER, subject, digest)
    store.withdraw(RUNNER, "a.py")
    assert [consent.subject for consent in store.all()] == ["b.py"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"format": "another", "consents": []}',
        b'{"format": "gazeapp consents", "consents": [{"kind": "runner", "subject": "a.py"}]}',
        b'{"format": "gazeapp consents", "consents": '
        b'[{"kind": "runner", "subject": "a.py", "digest": 1, "given_at": ""}]}',
        b'{"format": "gazeapp consents", "consents": 3}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_no_consent_and_can_be_written_anew(store: ConsentStore, content: bytes) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    assert not store.given(RUNNER, "a.py", "1")
    store.give(RUNNER, "a.py", "1")
    assert store.given(RUNNER, "a.py", "1")


def test_an_empty_digest_never_counts(store: ConsentStore) -> None:
    with pytest.raises(ValueError, match="needs a kind"):
        store.give(RUNNER, "a.py", "")
    values = {"kind": RUNNER, "subject": "a.py", "digest": "", "given_at": ""}
    store.path.parent.mkdir()
    store.path.write_text(json.dumps({"format": "gazeapp consents", "consents": [values]}))
    assert not store.given(RUNNER, "a.py", "")


def test_a_place_that_cannot_be_written_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ConsentStore(tmp_path / "file" / "consents.json")
    with pytest.raises(GazeError, match="cannot be remembered"):
        store.give(RUNNER, "a.py", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_usual_place_is_the_users_settings_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = ConsentStore().path
    assert path.name == "consents.json"
    assert path.parent.name == "gazeapp"
