"""Which models can be chosen, and what each needs first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.captioner.listing import CARD_NAME, folder_of
from gazeapp.engine.models.captioner.methods import has_layer_and_heads
from gazeapp.engine.models.captioner.own import is_own

CAPTIONERS = "Captioners"
HERE = "Vision-language models on this computer"
RUNNERS = "Runner scripts"
AWAY = "Vision-language models to download"
GROUPS = (CAPTIONERS, HERE, RUNNERS, AWAY)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the user has to agree to before a model may run.

    Parameters
    ----------
    kind, subject, digest
        What is recorded, as in `gazeapp.engine.consent`.
    title, sentence
        The question, and what will happen.
    facts
        (name, value) of what to know before agreeing.
    code
        (file name, text) of everything that would run.
    changed
        Whether the user agreed to another version of it before.
    """

    kind: str
    subject: str
    digest: str
    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    code: tuple[tuple[str, str], ...]
    changed: bool = False

    def agree(self) -> None:
        """Record that the user said yes."""
        ConsentStore().give(self.kind, self.subject, self.digest)


@dataclass(frozen=True, slots=True)
class Offer:
    """One model of the list.

    Parameters
    ----------
    name
        What `ExtractSettings.models` calls it.
    id
        What its runs are filed under.
    title, facts, tip
        Its name, what is to know about it in a line, and more of that.
    group
        One of `GROUPS`.
    kind
        ``captioner``, ``vlm`` or ``runner``.
    methods, domain
        As in `ModelInfo`.
    why_not
        Why it cannot be chosen; empty when it can.
    size
        Bytes to download before it can; 0 when it is here, None when that is not known.
    asks
        What the user has to agree to first; None when that is nothing.
    added
        Whether the user put it on the list, and can take it off.
    folder
        Where a captioner of the user's own lies; empty for other models.
    card
        File that tells how a captioner was made and how well it does; empty for none.
    layers, heads
        Layers of a Transformer captioner and heads of each; 0 for other models.
    """

    name: str
    id: str
    title: str
    group: str
    kind: str
    facts: str = ""
    tip: str = ""
    methods: tuple[str, ...] = ()
    domain: str = ""
    why_not: str = ""
    size: int | None = 0
    asks: Agreement | None = None
    added: bool = False
    folder: str = ""
    card: str = ""
    layers: int = 0
    heads: int = 0

    def has_method(self, method: str) -> bool:
        """Return whether it has a map method, of a captioner also one of any of its layers and heads."""
        return method in self.methods or has_layer_and_heads(method, self.layers, self.heads)

    @property
    def may_run(self) -> bool:
        """Whether it can be chosen now."""
        return not self.why_not and self.asks is None and self.group != AWAY


@dataclass(frozen=True, slots=True)
class Found:
    """All models save the captioners that ship, what was wrong with others, and why 4 bits are not to be had."""

    offers: tuple[Offer, ...]
    problems: tuple[GazeError, ...] = ()
    no_four_bit: str = ""


def captioner_offer(info: ModelInfo) -> Offer:
    """Return the offer of a captioner; one of the user's own can be taken off the list."""
    own = is_own(info)
    trained = "drawn demo scenes" if info.domain == "demo-world" else info.domain
    parts = (
        f"trained on {trained}" if trained else "",
        str(info.facts.get("network", "")),
        f"in the folder {'/'.join(Path(info.checkpoint).parts[-2:])}" if own else "any computer",
    )
    facts = "  ·  ".join(part for part in parts if part)
    tip = f"{info.checkpoint}\nMap methods: {', '.join(info.methods)}"
    card = folder_of(info) / CARD_NAME
    layers, heads = len(info.facts.get("layers", ())), int(info.facts.get("heads", 0))
    return Offer(
        *(info.id, info.id, info.name, CAPTIONERS, info.kind, facts, tip, info.methods, info.domain),
        layers=layers,
        heads=heads,
        added=own,
        folder=info.checkpoint if own else "",
        card=str(card) if card.is_file() else "",
    )
