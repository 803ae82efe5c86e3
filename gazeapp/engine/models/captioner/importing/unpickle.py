"""Reading a pickle without running it: its instructions are followed on plain data, and no other is known.

Python's own reader imports what a pickle names and calls it. This one holds no way to import or call anything: it
knows the instructions that write numbers, texts and containers, and `allowed` answers the few names that checkpoints
of captioners need. Everything else is refused by name.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.allowed import (
    Kept,
    NotAllowedError,
    called,
    check_key,
    made,
    named,
    persistent,
)

_MOST_INSTRUCTIONS = 5_000_000
_MOST_COPIED = 5_000_000
"""Members of containers that may be copied in all; a pickle can name one large container many times."""

_VALUES = frozenset(
    {
        "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
        "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    }
)  # fmt: skip
"""Instructions that put a value on the stack that is written in them."""

_MARK = object()


def read_pickle(stream: BinaryIO, where: str) -> Any:
    """Return what a pickle holds, as plain data.

    Parameters
    ----------
    stream
        Positioned at the beginning of the pickle; afterwards just behind its end.
    where
        The file, for what is told of it.

    Returns
    -------
    object
        Numbers, texts, lists, tuples and dictionaries; `allowed.Stored` for tensors, `allowed.Kept` for objects and
        `allowed.Named` for classes.

    Raises
    ------
    GazeError
        When it asks for anything that such a checkpoint does not need, or is damaged.
    """
    try:
        return _Reader().read(stream)
    except NotAllowedError as error:
        raise GazeError(
            f"The checkpoint is not opened: {error}, which no checkpoint of a captioner needs. Nothing of it was run.",
            where=where,
            todo="Get it from a place that you trust, or ask its author for the weights as safetensors.",
        ) from error
    except (
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        EOFError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise GazeError("The checkpoint is damaged.", where=where, todo="Get the file again.") from error


class _Reader:
    """The stack and the memory that a pickle's instructions work on."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.copied = 0

    def read(self, stream: BinaryIO) -> Any:
        """Follow the instructions up to the end of the pickle."""
        for count, (instruction, argument, _) in enumerate(pickletools.genops(stream)):
            name = instruction.name
            if count > _MOST_INSTRUCTIONS:
                raise NotAllowedError("it goes on for ever")
            if name == "STOP":
                return self._pop()
            if name in _VALUES:
                self.stack.append(argument)
            elif name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name in _STEPS:
                _STEPS[name](self, argument)
            elif name not in ("PROTO", "FRAME"):
                raise NotAllowedError(f"it uses the pickle instruction {name}")
        raise ValueError("no end")

    def _pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value belongs")
        return value

    def _popped(self, count: int) -> list[Any]:
        values = [self._pop() for _ in range(count)]
        return values[::-1]

    def _since_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _put(self, place: int) -> None:
        self.memory[place] = self._top(object)

    def _top(self, kind: type) -> Any:
        value = self.stack[-1]
        if value is _MARK or not isinstance(value, kind):
            raise NotAllowedError("it changes something that is no container")
        return value

    def _set(self, pairs: list[Any]) -> None:
        target = self._top(dict)
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            check_key(key)
            target[key] = value

    def _call(self) -> Any:
        function, values = self._popped(2)
        for value in values if isinstance(values, tuple) else ():
            self._count(value)
        return called(function, values)

    def _count(self, value: Any) -> None:
        """Refuse a pickle in which too much is copied."""
        self.copied += len(value) if isinstance(value, list | tuple | dict | str) else 1
        if self.copied > _MOST_COPIED:
            raise NotAllowedError("it copies what it holds again and again")

    def _build(self) -> None:
        """Give an object its attributes; dictionaries come with notes of torch, which are left."""
        state = self._pop()
        target = self.stack[-1]
        self._count(state)
        if isinstance(target, Kept) and isinstance(state, dict):
            target.attributes.update((key, value) for key, value in state.items() if isinstance(key, str))
        elif isinstance(target, dict) and isinstance(state, dict) and set(state) <= {"_metadata"}:
            pass
        elif not (isinstance(target, Kept) and target.name == "numpy.dtype" and isinstance(state, tuple)):
            raise NotAllowedError("it sets attributes of something that has none")


def _push(what: Callable[[_Reader, Any], Any]) -> Callable[[_Reader, Any], None]:
    def step(reader: _Reader, argument: Any) -> None:
        reader.stack.append(what(reader, argument))

    return step


_CONSTANTS: dict[str, Any] = {
    "NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": _MARK,
}  # fmt: skip

_STEPS: dict[str, Callable[[_Reader, Any], object]] = {
    "EMPTY_LIST": lambda reader, _: reader.stack.append([]),
    "EMPTY_DICT": lambda reader, _: reader.stack.append({}),
    "EMPTY_SET": lambda reader, _: reader.stack.append([]),
    "TUPLE": _push(lambda reader, _: tuple(reader._since_mark())),
    "TUPLE1": _push(lambda reader, _: tuple(reader._popped(1))),
    "TUPLE2": _push(lambda reader, _: tuple(reader._popped(2))),
    "TUPLE3": _push(lambda reader, _: tuple(reader._popped(3))),
    "LIST": _push(lambda reader, _: reader._since_mark()),
    "FROZENSET": _push(lambda reader, _: reader._since_mark()),
    "GLOBAL": lambda reader, both: reader.stack.append(named(*both.split(" ", 1))),
    "STACK_GLOBAL": _push(lambda reader, _: named(*reader._popped(2))),
    "REDUCE": _push(lambda reader, _: reader._call()),
    "NEWOBJ": _push(lambda reader, _: made(*reader._popped(2))),
    "BINPERSID": _push(lambda reader, _: persistent(reader._pop())),
    "BINGET": _push(lambda reader, place: reader.memory[place]),
    "LONG_BINGET": _push(lambda reader, place: reader.memory[place]),
    "BINPUT": lambda reader, place: reader._put(place),
    "LONG_BINPUT": lambda reader, place: reader._put(place),
    "MEMOIZE": lambda reader, _: reader._put(len(reader.memory)),
    "POP": lambda reader, _: reader.stack.pop(),
    "POP_MARK": lambda reader, _: reader._since_mark(),
    "APPEND": lambda reader, _: _append(reader, reader._popped(1)),
    "APPENDS": lambda reader, _: _append(reader, reader._since_mark()),
    "ADDITEMS": lambda reader, _: _append(reader, reader._since_mark()),
    "SETITEM": lambda reader, _: reader._set(reader._popped(2)),
    "SETITEMS": lambda reader, _: reader._set(reader._since_mark()),
    "BUILD": lambda reader, _: reader._build(),
}


def _append(reader: _Reader, values: list[Any]) -> None:
    reader._top(list).extend(values)
