"""Gazepoint's tables of fixations and of all gaze: shares of the screen, one row a fixation or a sample."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.gathering import GazeGatherer, KeyBook, Repeats, rate_of
from gazeapp.engine.gaze.formats.headers import Header, can_number, header_in_head, header_of, nothing_read
from gazeapp.engine.gaze.records import (
    BROKEN_LINE,
    SCREEN,
    Contents,
    Eye,
    Facts,
    Fixations,
    Frame,
    Why,
    empty_fixations,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Gatherer, Key, Rows
from gazeapp.engine.types import DoubleArray, IntArray

_S = 1000.0
_FIXATION = ("fpogx", "fpogy", "fpogs", "fpogd", "fpogid", "fpogv")
_BEST = ("bpogx", "bpogy")
_KIND = re.compile(r"[_ -]*(all[_ -]?gaze|fixations?)$", re.IGNORECASE)


def recognise(source: Source) -> Guess | None:
    """Tell Gazepoint's tables by the names of its fixation or best point of gaze."""
    header = header_in_head(source, _is_header)
    if header is None:
        return None
    names = [name.upper() for name in (*_FIXATION, *_BEST) if name in header.names]
    return Guess(0.97, f"Gazepoint's columns {', '.join(names[:4])}")


def read(source: Source, options: ReadOptions) -> Contents:
    """Read fixations (the last valid row of each number, which has the full duration) or samples.

    A trial is one look at one medium: numbers begin anew with each medium.

    Raises
    ------
    GazeError
        When Gazepoint's columns are missing or there is no row.
    """
    header = header_of(source, _is_header)
    if header is None:
        raise source.problem("There is no line with Gazepoint's columns.", "Export the data again.")
    table = _Table(header, _KIND.sub("", source.stem) or source.stem)
    for rows in header.rows(source, table.lost):
        table.add(rows)
    return table.contents(source, options.samples)


def _is_header(header: Header) -> bool:
    return header.has(*_FIXATION) or (header.has(*_BEST, "bpogv") and _time(header) is not None)


def _time(header: Header) -> int | None:
    """Return the column of time: its name holds the date of the recording."""
    exact = header.place("time")
    return header.starting("time_") if exact is None else exact


class _Table:
    """Rows gathered so far: their trials, fixation numbers and positions."""

    def __init__(self, header: Header, subject: str) -> None:
        self.n_rows = 0
        self._header, self._subject = header, subject
        self.lost: Counter[str] = Counter()
        self._media: str | None = None
        self._looks: Counter[str] = Counter()
        self._key = Key(subject)
        self._book = KeyBook()
        self._codes: list[IntArray] = []
        self._columns: dict[str, list[DoubleArray]] = {name: [] for name in _FIXATION}
        self._gaze = GazeGatherer()

    def add(self, rows: Rows) -> None:
        """Take the next rows."""
        self.n_rows += len(rows.cells)
        keys = self._keys(rows)
        decimal_comma = self._header.delimiter != ","
        if self._header.has(*_FIXATION):
            found = {name: rows.numbers(self._header.place(name), decimal_comma) for name in _FIXATION}
            whole = can_number(found["fpogid"]) & np.isfinite(found["fpogv"])
            self.lost[BROKEN_LINE] += int((~whole).sum())
            self._codes.append(self._book.codes(keys)[whole])
            for name, values in found.items():
                self._columns[name].append(values[whole])
        if self._header.has(*_BEST, "bpogv"):
            x, y, valid = (
                rows.numbers(self._header.place(name), decimal_comma) for name in (*_BEST, "bpogv")
            )
            time = rows.numbers(_time(self._header), decimal_comma) * _S
            gone = valid != 1
            gaze = (np.where(gone, np.nan, x), np.where(gone, np.nan, y))
            self._gaze.add(keys, time, {Eye.AVERAGE: gaze})

    def _keys(self, rows: Rows) -> list[Key]:
        """Return the trial of each row: a new one wherever another medium begins."""
        keys = []
        media = rows.column(self._header.place("media_id"))
        names = rows.column(self._header.place("media_name"))
        for medium, name in zip(media, names, strict=True):
            if medium != self._media:
                self._media = medium
                self._looks[medium] += 1
                look = self._looks[medium]
                label = medium if look == 1 else f"{medium}, look {look}"
                self._key = Key(self._subject, name, label=label)
            keys.append(self._key)
        return keys

    def contents(self, source: Source, with_samples: bool) -> Contents:
        """Return what was gathered."""
        gatherer = self._fixations()
        trials, fixations = gatherer.build()
        n_samples = len(self._gaze) if self.n_rows > len(fixations) else 0
        samples = None
        if n_samples and (with_samples or not len(fixations)):
            trials, samples = self._gaze.attach(trials)
            self.lost.update(self._gaze.lost)
        if not trials:
            raise nothing_read(source, self.lost)
        facts = Facts(
            frame=Frame(of=SCREEN, unit="share"),
            eyes=(Eye.AVERAGE.word,),
            rate_hz=rate_of(trials),
            n_samples=n_samples,
            lost_rows=dict(+self.lost),
            notes=(
                *source.encoding_notes,
                "Positions are shares of the screen.",
                f"The file does not say who looked; the subject is '{self._subject}', from its name.",
            ),
        )
        return Contents(facts, trials, fixations, samples)

    def _fixations(self) -> Gatherer:
        gatherer = Gatherer()
        if not self._codes:
            gatherer.add([], empty_fixations())
            return gatherer
        codes = np.concatenate(self._codes)
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        valid = columns["fpogv"] == 1
        # Valid rows are put last, so that the last row of a number is its last valid one if it has any.
        turn = np.argsort(valid, kind="stable")
        number = columns["fpogid"].astype(np.int64)
        rows = np.sort(turn[Repeats(codes[turn], number[turn]).last])
        fixations = Fixations.of(
            columns["fpogx"][rows],
            columns["fpogy"][rows],
            index=number[rows],
            start_ms=columns["fpogs"][rows] * _S,
            duration_ms=columns["fpogd"][rows] * _S,
            eye=Eye.AVERAGE,
            unusable=np.where(valid[rows], Why.USED, Why.NOT_VALID).astype(np.int8),
        )
        keys = self._book.keys()
        gatherer.add([keys[code] for code in codes[rows].tolist()], fixations)
        return gatherer


FORMAT = Format(
    id="gazepoint",
    name="Gazepoint",
    suffixes=(".csv",),
    recognise=recognise,
    read=read,
    has_samples=True,
)
