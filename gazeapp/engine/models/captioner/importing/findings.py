"""What an import found out, what it took for granted, and what nobody can see in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field

from gazeapp.engine.types import Json


@dataclass(slots=True)
class Findings:
    """Three lists of sentences.

    Parameters
    ----------
    inferred
        What was read off the checkpoint, each with what from.
    assumed
        What it does not say, and what was taken instead.
    unchecked
        What could not be checked.
    """

    inferred: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def to_json(self) -> Json:
        """Return the lists as JSON data."""
        return {"inferred": self.inferred, "assumed": self.assumed, "unchecked": self.unchecked}
