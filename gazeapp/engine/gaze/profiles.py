"""Column mappings of tables: named, saved and shared."""

from __future__ import annotations

from dataclasses import dataclass, field

from gazeapp.engine.gaze.records import Frame


@dataclass(frozen=True)
class TableProfile:
    """How to read a table of fixations or samples that no other format fits.

    Parameters
    ----------
    name
        What to call it.
    columns
        Header name in the file by what it is: ``image``, ``subject``, ``x``, ``y``, ``task``, ``trial``,
        ``index``, ``start``, ``end``, ``duration``, ``eye``, ``valid``, ``time`` (of a sample).
    kind
        ``fixations`` or ``samples``: what a row is.
    delimiter
        Character between cells; empty to tell by the content.
    decimal
        ``.`` or ``,``; empty to tell by the content.
    header_line
        Number of the line that holds the header, from 1; 0 to find it.
    time_unit
        ``s``, ``ms``, ``us`` or ``ns``; empty to take it from the header, else ms.
    frame
        Coordinate frame of x and y.
    invalid_below
        Positions whose ``valid`` cell is below this are not valid; None: words such as false, 0 or no.
    """

    name: str
    columns: dict[str, str] = field(default_factory=dict)
    kind: str = "fixations"
    delimiter: str = ""
    decimal: str = ""
    header_line: int = 0
    time_unit: str = ""
    frame: Frame = field(default_factory=lambda: Frame(of="image"))
    invalid_below: float | None = None
