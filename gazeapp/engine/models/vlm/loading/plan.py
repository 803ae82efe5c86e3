"""Where and how a model is loaded: device, kind of number, memory; decided before anything is loaded, and said."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.checkpoint import Checkpoint
from gazeapp.engine.models.vlm.loading.machine import Card, Machine
from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.engine.types import Json

BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0}
FOUR_BIT_BYTES = 0.6
"""Bytes for each parameter in 4 bits: half a byte, its scales, and the embeddings, which stay in 16 bits."""

_TOKENS = 4096
"""Longest sequence that room is kept for: an image in many crops, a prompt and a caption."""
_OVERHEAD = 0.6e9
"""Bytes for what torch and a graphics driver keep for themselves, and for one image in the vision encoder."""
_SHARE = 0.9
"""Share of the free memory that is planned with; the rest is for what other programs take meanwhile."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for; ``auto`` leaves it to `plan`.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` (the first that has room, or all together), ``cuda:1`` and so on, or ``mps``.
    dtype
        ``auto``, ``float32``, ``float16`` or ``bfloat16``.
    four_bit
        Whether to pack the weights into 4 bits. It changes what the model says and where it attends, a
        little, so it is never chosen unasked.
    """

    device: str = "auto"
    dtype: str = "auto"
    four_bit: bool = False


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How a model will be loaded.

    Parameters
    ----------
    device
        Where its input goes: ``cpu``, ``cuda:0``, ``mps``.
    devices
        Memory that it may take on each device, bytes; more than one when it is shared out.
    dtype
        Kind of number that it computes in.
    four_bit
        Whether its weights are packed into 4 bits.
    weight_bytes
        Bytes of its weights as loaded.
    working_bytes
        Rough estimate of what one caption needs besides: keys and values of 4,096 tokens, activations, libraries.
    sentences
        What the user should know.
    """

    device: str
    devices: dict[str, int]
    dtype: str
    four_bit: bool
    weight_bytes: int
    working_bytes: int
    sentences: tuple[str, ...]

    @property
    def shared_out(self) -> bool:
        """Whether the model lies on more than one device."""
        return len(self.devices) > 1

    def to_json(self) -> Json:
        """Return what a run stores: the choices that can change its numbers, and the devices."""
        return {
            "dtype": self.dtype,
            "four_bit": self.four_bit,
            "devices": list(self.devices),
            "weight_bytes": self.weight_bytes,
        }


def plan(checkpoint: Checkpoint, wishes: Wishes, machine: Machine) -> LoadPlan:
    """Decide how to load a model; a pure function of its arguments.

    Left to it, the model goes to a graphics processor on which it fits, in bfloat16 where that is computed
    natively, else in float16; shared out over several, or with main memory, where it fits on none; and
    otherwise to the processor in float32, or in bfloat16 where float32 does not fit.

    Parameters
    ----------
    checkpoint
        The model; its files have to be here.
    wishes
        What the user asked for.
    machine
        What there is.

    Raises
    ------
    GazeError
        When a wish cannot be granted here, or the model does not fit.
    """
    _check_wishes(wishes, machine)
    if wishes.four_bit:
        return _four_bit(checkpoint, wishes, machine)
    cards = _wanted_cards(wishes, machine)
    if wishes.device == "cpu" or not cards:
        return _on_processor(checkpoint, wishes, machine)
    return _on_cards(checkpoint, wishes, machine, cards)


def needed_bytes(checkpoint: Checkpoint, dtype: str) -> tuple[int, int]:
    """Return (weights, working memory) in bytes of a model that computes in ``dtype``."""
    each = BYTES[dtype]
    weights = checkpoint.weight_bytes if checkpoint.quantised else checkpoint.parameters * each
    keys_and_values = 2 * checkpoint.key_rows * _TOKENS * each
    # Where the names of the tensors do not tell the size of the key cache, activations and cache of the models
    # that were looked at stay below a tenth of the weights.
    activations = 0.05 * weights if checkpoint.key_rows else 0.1 * weights
    return round(weights), round(keys_and_values + activations + _OVERHEAD)


def _check_wishes(wishes: Wishes, machine: Machine) -> None:
    if wishes.dtype not in ("auto", *BYTES):
        raise GazeError(f"'{wishes.dtype}' is no kind of number.", todo=f"Use auto, {', '.join(BYTES)}.")
    there = ["cpu", *(card.device for card in machine.cards)]
    kinds = {device.partition(":")[0] for device in there}
    if wishes.device != "auto" and wishes.device not in there and wishes.device not in kinds:
        raise GazeError(
            f"This machine, or its torch, has no device '{wishes.device}'.",
            todo=f"Use auto, {', '.join(there)}.",
        )


def _wanted_cards(wishes: Wishes, machine: Machine) -> tuple[Card, ...]:
    if wishes.device == "auto":
        return machine.cards
    return tuple(
        card for card in machine.cards if wishes.device in (card.device, card.device.partition(":")[0])
    )


def _on_processor(checkpoint: Checkpoint, wishes: Wishes, machine: Machine) -> LoadPlan:
    for dtype in ("float32", "bfloat16") if wishes.dtype == "auto" else (wishes.dtype,):
        weights, working = needed_bytes(checkpoint, dtype)
        if weights + working <= machine.free_memory * _SHARE:
            sentences = [_says(weights, dtype, f"in main memory ({readable(machine.free_memory)} free).")]
            if dtype == "bfloat16" and wishes.dtype == "auto":
                sentences.append("In float32 it would not fit; bfloat16 rounds its numbers to 3 digits.")
            if checkpoint.parameters > 1e9:
                sentences.append("Without a graphics card, expect minutes for each caption.")
            room = int(machine.free_memory * _SHARE)
            return LoadPlan("cpu", {"cpu": room}, dtype, False, weights, working, tuple(sentences))
    raise _does_not_fit(checkpoint, weights, working, dtype, machine, ())


def _on_cards(checkpoint: Checkpoint, wishes: Wishes, machine: Machine, cards: tuple[Card, ...]) -> LoadPlan:
    for card in cards:
        dtype = _card_dtype(wishes, (card,))
        weights, working = needed_bytes(checkpoint, dtype)
        if weights + working <= card.free * _SHARE:
            where = f"on {card.name} ({readable(card.free)} free)."
            sentences = (_says(weights, dtype, where), *_about_float16(checkpoint, dtype))
            return LoadPlan(
                card.device, {card.device: int(card.free * _SHARE)}, dtype, False, weights, working, sentences
            )
    if cards[0].device.startswith("cuda"):
        return _shared_out(checkpoint, wishes, machine, cards)
    if wishes.device == "auto":
        return _on_processor(checkpoint, wishes, machine)
    raise _does_not_fit(checkpoint, weights, working, dtype, machine, cards)


def _shared_out(
    checkpoint: Checkpoint, wishes: Wishes, machine: Machine, cards: tuple[Card, ...]
) -> LoadPlan:
    """Share a model out over all cards, and over main memory when that is not enough."""
    dtype = _card_dtype(wishes, cards)
    weights, working = needed_bytes(checkpoint, dtype)
    # Each device keeps room to work in.
    rooms = {card.device: int(max(0.0, card.free * _SHARE - working)) for card in cards}
    rooms = {device: room for device, room in rooms.items() if room > 0}
    sentences = [_says(weights, dtype, f"shared out over {len(rooms)} graphics cards.")]
    if weights > sum(rooms.values()):
        in_memory = int(max(0.0, machine.free_memory * _SHARE - working))
        if not rooms or weights > sum(rooms.values()) + in_memory:
            raise _does_not_fit(checkpoint, weights, working, dtype, machine, cards)
        sentences = [
            _says(weights, dtype, f"{readable(sum(rooms.values()))} of it on the graphics card at most."),
            "The rest stays in main memory and moves over for every word: expect it to be many times slower.",
        ]
        if machine.four_bit:
            sentences.append("In 4 bits it may fit on the card, with slightly different numbers.")
        rooms["cpu"] = in_memory
    sentences.extend(_about_float16(checkpoint, dtype))
    return LoadPlan(next(iter(rooms)), rooms, dtype, False, weights, working, tuple(sentences))


def _four_bit(checkpoint: Checkpoint, wishes: Wishes, machine: Machine) -> LoadPlan:
    cards = [card for card in _wanted_cards(wishes, machine) if card.device.startswith("cuda")]
    if not cards:
        raise GazeError(
            "4 bits need an NVIDIA graphics card that torch can use.",
            todo="Load the model without 4 bits, or choose a smaller one.",
        )
    if not machine.four_bit:
        raise GazeError(
            "4 bits need bitsandbytes, which is not installed.",
            todo="Install it: pip install 'gazeapp[four-bit]'",
        )
    if checkpoint.quantised:
        raise GazeError(
            f"Its weights are packed already ({checkpoint.quantised}).",
            where=checkpoint.id,
            todo="Load it without asking for 4 bits.",
        )
    for card in cards:
        dtype = _card_dtype(wishes, (card,))
        working = needed_bytes(checkpoint, dtype)[1]
        weights = round(checkpoint.parameters * FOUR_BIT_BYTES)
        if weights + working <= card.free * _SHARE:
            sentences = (
                f"About {readable(weights)} of weights in 4 bits on {card.name} ({readable(card.free)} free), "
                f"computing in {dtype}.",
                "4 bits change what a model says and where it attends; say so where you report its numbers.",
            )
            room = int(card.free * _SHARE)
            return LoadPlan(card.device, {card.device: room}, dtype, True, weights, working, sentences)
    raise _does_not_fit(checkpoint, weights, working, "4 bits", machine, tuple(cards))


def _card_dtype(wishes: Wishes, cards: tuple[Card, ...]) -> str:
    if wishes.dtype != "auto":
        return wishes.dtype
    return "bfloat16" if all(card.bfloat16 for card in cards) else "float16"


def _about_float16(checkpoint: Checkpoint, dtype: str) -> tuple[str, ...]:
    if dtype == "float16" and checkpoint.dtype == "bfloat16":
        return (
            "It was made for bfloat16; in float16 large numbers can overflow. If captions are empty or senseless, "
            "ask for float32.",
        )
    return ()


def _says(weights: int, dtype: str, where: str) -> str:
    return f"{readable(weights)} of weights in {dtype} {where}"


def _does_not_fit(
    checkpoint: Checkpoint, weights: int, working: int, dtype: str, machine: Machine, cards: tuple[Card, ...]
) -> GazeError:
    free = [f"{readable(card.free)} on {card.name}" for card in cards]
    free.append(f"{readable(machine.free_memory)} of main memory")
    return GazeError(
        f"It needs about {readable(weights + working)} in {dtype} ({readable(weights)} of weights); free are "
        f"{', '.join(free)}, of which a tenth is left to other programs.",
        where=checkpoint.id,
        todo="Close other programs, ask for a smaller kind of number"
        + (", ask for 4 bits" if cards and machine.four_bit and dtype != "4 bits" else "")
        + ", or choose a smaller model.",
    )
