"""One streaming pass over an EyeLink .asc file: its events, messages, headers and samples.

Layout of the lines that matter (times in ms, positions in px)::

    EFIX <L|R> start end duration x y pupil
    MSG time [offset] text
    START time ...            END time ...
    SAMPLES|EVENTS <GAZE|HREF|PUPIL> [LEFT] [RIGHT] [HTARGET] RATE hz ...
    time x y pupil [x y pupil of the right eye] ...

Sample lines start with a digit in column 0; indented numbers of calibration blocks are no samples, so
that lines are never stripped before that test. Nearly all lines are samples, so that blocks of the file
are searched for line ends at once, and only the few other lines become text.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import Eye
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

Bytes: TypeAlias = NDArray[np.uint8]

BLOCK = 1 << 20
LONGEST_LINE = 1 << 17
LONGEST_MESSAGE = 1000
FIXATION_COLUMNS = 6

_CALIBRATION = b" !CAL"  # dozens of messages of the tracker's own in every file
_CALIBRATION_WITHIN = 40
_PADDING = b"\n" * 64
_WIDEST = 24
_POWERS = 10.0 ** np.arange(_WIDEST + 1)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_EYES = {"L": Eye.LEFT, "R": Eye.RIGHT, "LEFT": Eye.LEFT, "RIGHT": Eye.RIGHT}
_IS_TAKEN = np.zeros(1 << 16, dtype=np.bool_)
_IS_TAKEN[[256 * a + b for a, b in (b"EF", b"MS", b"ST", b"EN", b"SA", b"EV")]] = True
_MESSAGE = re.compile(r"MSG\s+(-?\d+(?:\.\d*)?)(?:\s+|$)(?:([+-]?\d+)\s+(?=\S))?(.*)", re.DOTALL)
_COORDS = re.compile(r"(GAZE|DISPLAY)_COORDS?\s*=?\s*" + r"[\s,]+".join([r"(-?[\d.]+)"] * 4))
_NUMBERS = r"\s*=?\s*((?:-?[\d.]+[\s,]*)+)"
_DISTANCE = re.compile(r"(?:!CMD\s+-?\d+\s+)?(?:simulation_)?screen_distance" + _NUMBERS, re.IGNORECASE)
_PHYSICAL = re.compile(r"(?:!CMD\s+-?\d+\s+)?screen_phys_coords" + _NUMBERS, re.IGNORECASE)


class Message(NamedTuple):
    """A message, or the start or end of a block: line number, time (ms), text."""

    line: int
    time: float
    text: str


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """Samples as columns, in the order of the file.

    Parameters
    ----------
    line
        Number of the line, shape (n,).
    t_ms
        Time, ms, shape (n,).
    lost
        For each eye whether its position is missing, shape (n,); eyes that were not recorded are left out.
    x, y
        For each eye its position, shape (n,), NaN where missing; empty when only the share lost was asked.
    """

    line: IntArray
    t_ms: DoubleArray
    lost: dict[Eye, BoolArray]
    x: dict[Eye, DoubleArray]
    y: dict[Eye, DoubleArray]


class _Part(NamedTuple):
    """Samples between two headers: one line of columns a sample."""

    eyes: tuple[Eye, ...]
    line: IntArray
    t_ms: DoubleArray
    lost: list[BoolArray]
    x: list[DoubleArray]
    y: list[DoubleArray]


@dataclass
class Scan:
    """Everything that one pass over the file finds.

    ``numbers`` holds the fixations: line, eye, start and duration (ms), x and y (px), one after another.
    ``corners`` holds the areas that the messages give the screen, by the word that gives them.
    """

    source: Source
    with_positions: bool = False
    numbers: array[float] = field(default_factory=lambda: array("d"))
    messages: list[Message] = field(default_factory=list)
    starts: list[Message] = field(default_factory=list)
    ends: list[Message] = field(default_factory=list)
    eyes: set[Eye] = field(default_factory=set)
    rates: list[float] = field(default_factory=list)
    corners: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    distance_mm: float | None = None
    width_mm: float | None = None
    broken: int = 0
    broken_fixations: int = 0
    _layout: tuple[Eye, ...] = (Eye.UNKNOWN,)
    _parts: list[_Part] = field(default_factory=list)

    @property
    def fixations(self) -> DoubleArray:
        """The fixations: line, eye, start and duration (ms), x, y (px; NaN missing), shape (n, 6)."""
        return np.frombuffer(self.numbers, dtype=np.float64).reshape(-1, FIXATION_COLUMNS)

    @property
    def n_samples(self) -> int:
        """Sample lines, each with all eyes."""
        return sum(len(part.line) for part in self._parts)

    def samples(self) -> SampleColumns:
        """Return all samples; an eye that a part of the file lacks is lost there. Empties the scan's own."""
        parts, self._parts = self._parts, []
        eyes = sorted({eye for part in parts for eye in part.eyes})
        return SampleColumns(
            np.concatenate([np.zeros(0, np.int64), *(part.line for part in parts)]),
            np.concatenate([np.zeros(0), *(part.t_ms for part in parts)]),
            {eye: _column(parts, "lost", eye, True) for eye in eyes},
            {eye: _column(parts, "x", eye, math.nan) for eye in eyes if self.with_positions},
            {eye: _column(parts, "y", eye, math.nan) for eye in eyes if self.with_positions},
        )

    def take(self, block: bytes, first_line: int, complete: bool) -> int:
        """Take whole lines; return how many they were.

        Parameters
        ----------
        block
            Lines, each with its line end.
        first_line
            Number of the first one.
        complete
            Whether the file has the line end of the last one, too.
        """
        buffer = np.frombuffer(block + _PADDING, dtype=np.uint8)
        stops = np.flatnonzero(buffer[: len(block)] == ord("\n"))
        starts = np.zeros_like(stops)
        starts[1:] = stops[:-1] + 1
        first = buffer[starts]
        is_sample = _is_digit(first)
        if not complete:
            # A number at the very end may have lost digits.
            self.broken += int(is_sample[-1:].sum())
            is_sample[-1:] = False
        rows = np.flatnonzero(is_sample)
        others = np.flatnonzero(~is_sample)
        codes = first[others].astype(np.uint16) * 256 + buffer[starts[others] + 1]
        done = 0
        for row in others[_IS_TAKEN[codes]].tolist():
            line = block[starts[row] : stops[row]]
            if _CALIBRATION in line[:_CALIBRATION_WITHIN]:
                continue
            layout = self._layout
            self._take_line(first_line + row, line, complete or row + 1 < len(stops))
            if layout != self._layout:
                upto = int(np.searchsorted(rows, row))
                self._take_samples(buffer, starts, rows[done:upto], first_line, layout)
                done = upto
        self._take_samples(buffer, starts, rows[done:], first_line, self._layout)
        return len(stops)

    def _take_line(self, number: int, line: bytes, complete: bool) -> None:
        text = _decoded(line)
        if text.startswith("MSG"):
            self._take_message(number, text)
            return
        words = text.split(maxsplit=16)
        match words[0]:
            case "EFIX":
                self._take_fixation(number, words, complete)
            case "SAMPLES" | "EVENTS":
                self._take_header(number, words)
            case "START" | "END" if len(words) > 1 and not math.isnan(_number(words[1])):
                blocks = self.starts if words[0] == "START" else self.ends
                blocks.append(Message(number, _number(words[1]), words[0]))
                if words[0] == "START":
                    self._lay_out(words)

    def _take_fixation(self, number: int, words: list[str], complete: bool) -> None:
        start = _number(words[2]) if len(words) > 2 else math.nan
        # A last line without its line end may have lost digits of its last number.
        if len(words) < (7 if complete else 8) or words[1] not in _EYES or math.isnan(start):
            self.broken += 1
            self.broken_fixations += 1
            return
        self.numbers.extend((number, _EYES[words[1]], start, *(_number(words[k]) for k in (4, 5, 6))))

    def _take_message(self, number: int, text: str) -> None:
        found = _MESSAGE.match(text[:LONGEST_MESSAGE])
        if not found:
            self.broken += 1
            return
        # A number before the text is how long ago it happened, in ms.
        ago = int(found[2]) if found[2] and len(found[2]) < 6 else 0
        time = float(found[1]) - ago
        message = Message(self._line_of(number, time) if ago > 0 else number, time, found[3].strip())
        self.messages.append(message)
        if "COORDS" in message.text or "creen_" in message.text:
            self._take_screen(message.text)

    def _line_of(self, number: int, time: float) -> int:
        """Return the line where a message of that time would stand: above the fixations that end later."""
        for row in range(len(self.numbers) - FIXATION_COLUMNS, -1, -FIXATION_COLUMNS):
            line, _, start, duration = self.numbers[row : row + 4]
            if not start + duration > time:
                break
            number = int(line) - 1
        return number

    def _take_screen(self, text: str) -> None:
        if coords := _COORDS.match(text):
            area = tuple(_number(part) for part in coords.groups()[1:])
            self.corners.setdefault(coords[1], []).append(area)
        elif distance := _DISTANCE.match(text):
            given = [value for value in _numbers(distance[1]) if value > 0][:2]
            self.distance_mm = self.distance_mm or (sum(given) / len(given) if given else None)
        elif physical := _PHYSICAL.match(text):
            edges = _numbers(physical[1])
            width = abs(edges[2] - edges[0]) if len(edges) >= 3 else 0.0
            self.width_mm = self.width_mm or width or None

    def _take_header(self, number: int, words: list[str]) -> None:
        kinds = {"GAZE", "HREF", "PUPIL"} & set(words[1:])
        if not kinds:
            return  # such as the "SAMPLES EVENTS RES" of an END line
        if "GAZE" not in kinds:
            raise _not_pixels(min(kinds), self.source, number)
        self._lay_out(words)
        if "RATE" in words[:-1]:
            rate = _number(words[words.index("RATE") + 1])
            if rate > 0:
                self.rates.append(rate)

    def _lay_out(self, words: list[str]) -> None:
        eyes = tuple(sorted(_EYES[word] for word in words if word in ("LEFT", "RIGHT")))
        if eyes:
            self.eyes.update(eyes)
            self._layout = eyes

    def _take_samples(
        self, buffer: Bytes, starts: IntArray, rows: IntArray, first_line: int, eyes: tuple[Eye, ...]
    ) -> None:
        if not len(rows):
            return
        t_ms, place = _decimals(buffer, starts[rows])
        readable = np.isfinite(t_ms)
        place = _after_blanks(buffer, place)
        readable &= buffer[place] > ord("\r")  # a line that ends after its time
        if not readable.all():
            self.broken += int((~readable).sum())
            rows, t_ms, place = rows[readable], t_ms[readable], place[readable]
        lost, xs, ys = [], [], []
        for number in range(len(eyes)):
            for _ in range(3 if number else 0):
                place = _after_blanks(buffer, _after_word(buffer, place))
            if self.with_positions:
                x, beyond = _decimals(buffer, place)
                y, _ = _decimals(buffer, _after_blanks(buffer, beyond))
                xs.append(x)
                ys.append(y)
                lost.append(np.isnan(x) | np.isnan(y))
            else:
                lost.append(~(_is_digit(buffer[place]) | (buffer[place] == ord("-"))))
        self._parts.append(_Part(eyes, rows + first_line, t_ms, lost, xs, ys))


def scan(source: Source, with_positions: bool) -> Scan:
    """Return what one pass over the file finds.

    Parameters
    ----------
    source
        The file.
    with_positions
        Whether to read the positions of samples, and not only whether they are lost.

    Raises
    ------
    GazeError
        When the file cannot be read, or its positions are not in px (HREF, PUPIL).
    """
    found, line = Scan(source, with_positions), 1
    for block, complete in _whole_lines(source, found):
        line += found.take(block, line, complete)
    found.messages.sort(key=lambda message: message.line)
    return found


def _whole_lines(source: Source, found: Scan) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks of whole lines, and whether the last line has its end; cut lines that never end."""
    rest, skipping = b"", False
    for block in _blocks(source):
        cut = block.rfind(b"\n") + 1
        if skipping:
            skipping = not cut
            block = b"" if skipping else block[block.find(b"\n") + 1 :]
            cut = block.rfind(b"\n") + 1
        if cut:
            yield rest + block[:cut], True
            rest = b""
        rest += block[cut:]
        if len(rest) > LONGEST_LINE:
            found.broken += 1
            rest, skipping = b"", True
            yield b"\n", True
    if rest:
        yield rest + b"\n", False


def _blocks(source: Source) -> Iterator[bytes]:
    if source.head[:2] in _UTF16:
        with source.open_text() as text:
            while part := text.read(BLOCK):
                yield part.encode()
        return
    with source.open_bytes() as stream:
        while block := stream.read(BLOCK):
            yield block


def _is_digit(characters: Bytes) -> BoolArray:
    digits: BoolArray = (characters - np.uint8(ord("0"))) < 10  # smaller ones wrap around to above 10
    return digits


def _after_blanks(buffer: Bytes, place: IntArray) -> IntArray:
    """Return the places of the next characters that are no space and no tab."""
    place = place.copy()
    for _ in range(_WIDEST):
        characters = buffer[place]
        blank = (characters == ord(" ")) | (characters == ord("\t"))
        if not blank.any():
            break
        place += blank
    return place


def _after_word(buffer: Bytes, place: IntArray) -> IntArray:
    """Return the places of the first characters after words."""
    place = place.copy()
    for _ in range(_WIDEST):
        inside = buffer[place] > ord(" ")
        if not inside.any():
            break
        place += inside
    return place


def _decimals(buffer: Bytes, at: IntArray) -> tuple[DoubleArray, IntArray]:
    """Read decimal numbers that begin at some places, exactly; NaN where none stands.

    Returns
    -------
    values
        float64, shape (n,).
    after
        Places of the characters after the numbers, shape (n,).
    """
    negative = buffer[at] == ord("-")
    place = at + negative
    value, decimals = np.zeros(len(at)), np.zeros(len(at), dtype=np.int8)
    has_digits, has_dot = np.zeros(len(at), dtype=np.bool_), np.zeros(len(at), dtype=np.bool_)
    for _ in range(_WIDEST):
        characters = buffer[place]
        digit = _is_digit(characters)
        dot = (characters == ord(".")) & ~has_dot
        alive = digit | dot
        if not alive.any():
            break
        np.multiply(value, 10.0, out=value, where=digit)
        np.add(value, characters - np.uint8(ord("0")), out=value, where=digit)
        decimals += digit & has_dot
        has_digits |= digit
        has_dot |= dot
        place += alive
    value /= _POWERS[decimals]  # both are whole numbers, so that the quotient is the nearest float
    np.negative(value, out=value, where=negative)
    value[~has_digits | (buffer[place] > ord(" "))] = np.nan
    return value, place


def _column(parts: list[_Part], name: str, eye: Eye, missing: float | bool) -> NDArray:  # type: ignore[type-arg]
    pieces = []
    for part in parts:
        if eye in part.eyes:
            pieces.append(getattr(part, name)[part.eyes.index(eye)])
        else:
            pieces.append(np.full(len(part.line), missing))
    return np.concatenate(pieces)


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _number(text: str) -> float:
    """Return a finite number, or NaN for ``.`` and anything else that is none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _numbers(text: str) -> list[float]:
    values = (_number(word) for word in re.split(r"[\s,]+", text))
    return [value for value in values if not math.isnan(value)]


def _not_pixels(kind: str, source: Source, line: int) -> GazeError:
    meaning = {
        "HREF": "head-referenced angles (HREF), not positions on the screen",
        "PUPIL": "raw pupil positions (PUPIL), not positions on the screen",
    }[kind]
    return source.problem(
        f"The file holds {meaning}, so its fixations cannot be laid on an image.",
        "Convert the .edf file again with gaze positions (edf2asc -sg).",
        line,
    )
