"""What the user has agreed to: code from elsewhere that may be installed and run here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from gazeapp.engine.user_file import read_entries, write_values

RUNNER = "runner"
"""Kind of consent: a runner script may be installed and run."""
REMOTE_CODE = "remote-code"
"""Kind of consent: code that comes with a model's files may be run."""

_FORMAT = "gazeapp consents"


@dataclass(frozen=True, slots=True)
class Consent:
    """One thing that the user agreed to.

    Parameters
    ----------
    kind
        What sort of thing, such as `RUNNER` or `REMOTE_CODE`.
    subject
        Which one: a script's path, a model's hub name.
    digest
        What exactly was agreed to, such as the SHA-256 of the code; other code is another digest.
    given_at
        When, as ISO 8601 in UTC.
    """

    kind: str
    subject: str
    digest: str
    given_at: str


class ConsentStore:
    """The user's consents, in one JSON file.

    Consent is for one digest: code that has changed has another one and is asked about again. A file that cannot be
    read counts as no consent, so that damage leads to a question and never to code that nobody agreed to.

    Parameters
    ----------
    path
        The file; ``consents.json`` in the user's own settings folder when None. It need not be there yet.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else default_consent_file()

    def all(self) -> tuple[Consent, ...]:
        """Return everything that was agreed to, oldest first; empty when the file is missing or damaged."""
        try:
            return tuple(_consent(entry) for entry in read_entries(self.path, _FORMAT, "consents"))
        except (KeyError, TypeError):
            return ()

    def given(self, kind: str, subject: str, digest: str) -> bool:
        """Return whether the user agreed to exactly this."""
        return bool(digest) and any(
            (consent.kind, consent.subject, consent.digest) == (kind, subject, digest)
            for consent in self.all()
        )

    def known(self, kind: str, subject: str) -> bool:
        """Return whether the user agreed to some version of ``subject``, so that a question can say it changed."""
        return any((consent.kind, consent.subject) == (kind, subject) for consent in self.all())

    def give(self, kind: str, subject: str, digest: str) -> None:
        """Record that the user agreed; call it only after the user said yes.

        Raises
        ------
        ValueError
            If nothing says what was agreed to: an empty kind, subject or digest.
        GazeError
            If the file cannot be written; it then stays as it was.
        """
        if not (kind and subject and digest):
            raise ValueError("a consent needs a kind, a subject and a digest")
        if not self.given(kind, subject, digest):
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._write((*self.all(), Consent(kind, subject, digest, now)))

    def withdraw(self, kind: str, subject: str) -> None:
        """Forget every consent to ``subject``; the next use asks again.

        Raises
        ------
        GazeError
            If the file cannot be written.
        """
        kept = tuple(consent for consent in self.all() if (consent.kind, consent.subject) != (kind, subject))
        if len(kept) < len(self.all()):
            self._write(kept)

    def _write(self, consents: tuple[Consent, ...]) -> None:
        values = {"format": _FORMAT, "version": 1, "consents": [asdict(consent) for consent in consents]}
        write_values(self.path, values, "Your consent cannot be remembered")


def default_consent_file() -> Path:
    """Return the file of consents in the user's own settings folder."""
    from platformdirs import user_config_path

    return user_config_path("gazeapp", appauthor=False) / "consents.json"


def _consent(entry: dict[str, object]) -> Consent:
    values = [entry[name] for name in ("kind", "subject", "digest", "given_at")]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        raise TypeError("a consent is four texts")
    return Consent(*texts)
