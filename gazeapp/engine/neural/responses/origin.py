"""Whether responses were measured or simulated, and what made them: said by the file, the user, or asked."""

from __future__ import annotations

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import Json

TRIBE = "tribe"
_LONGEST_SOURCE = 300


def source_of(meta: Json) -> str:
    """Return what a file says made or measured its responses; empty where it does not."""
    return str(meta.get("source") or "").strip()[:_LONGEST_SOURCE]


def is_tribe(meta: Json) -> bool:
    """Return whether a file says that it comes from TRIBE."""
    return TRIBE in f"{meta.get('source', '')} {meta.get('model', '')}".lower()


def said_by(meta: Json) -> bool | None:
    """Return whether a file says that its responses are simulated; None where it says nothing."""
    if is_tribe(meta):
        return True
    simulated = meta.get("simulated")
    return simulated if isinstance(simulated, bool) else None


def simulated(meta: Json, said: bool | None, where: str) -> bool:
    """Return whether responses are simulated.

    Raises
    ------
    GazeError
        If neither file nor user says so, or they contradict each other.
    """
    own = said_by(meta)
    if own is None and said is None:
        raise GazeError(
            "The file does not say whether its responses were measured or simulated.",
            where=where,
            todo="Say so (--measured or --simulated): it is shown with every number that comes of them.",
        )
    if own is not None and said is not None and own != said:
        named = f" ({source_of(meta)})" if source_of(meta) else ""
        raise GazeError(
            f"The file says itself that its responses are {_word(own)}{named}, so they are not imported as "
            f"{_word(said)}.",
            where=where,
            todo=f"Import them as {_word(own)}, or correct meta_json in the file.",
        )
    return bool(own if own is not None else said)


def _word(is_simulated: bool) -> str:
    return "simulated" if is_simulated else "measured"
