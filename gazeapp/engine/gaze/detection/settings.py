"""How fixations are found in samples: methods, thresholds, and what they are when nobody says."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import Json

AUTO, IVT, IDT, I2MC, REMODNAV = "auto", "ivt", "idt", "i2mc", "remodnav"

METHODS = {
    AUTO: "I-VT from 200 Hz, I-DT below",
    IVT: "I-VT: gaze moves slower than a threshold",
    IDT: "I-DT: gaze stays within a small area",
    I2MC: "I2MC: two-means clustering, for noisy data (optional package)",
    REMODNAV: "REMoDNaV: adaptive velocity thresholds (optional package)",
}
"""Ways to find fixations: id and what it means."""

NAMES = {IVT: "I-VT", IDT: "I-DT", I2MC: "I2MC", REMODNAV: "REMoDNaV"}

FAST_HZ = 200.0
"""From this sampling rate on, ``auto`` means I-VT: slower samples show too little of a saccade."""

_WINDOWS_MS = (20.0, 40.0)

_DEFAULTS: dict[str, dict[str, float]] = {
    IVT: {"min_duration_ms": 60, "max_gap_ms": 40, "merge_gap_ms": 75, "merge_distance_deg": 0.5},
    IDT: {"min_duration_ms": 100, "max_gap_ms": 40, "merge_gap_ms": 75, "merge_distance_deg": 0.5},
    I2MC: {"min_duration_ms": 40, "max_gap_ms": 100, "merge_gap_ms": 30, "merge_distance_deg": 0.7},
    REMODNAV: {"min_duration_ms": 40, "max_gap_ms": 20, "merge_gap_ms": 0, "merge_distance_deg": 0},
}


@dataclass(frozen=True)
class DetectionSettings:
    """How fixations are found in samples; None stands for the default of the method.

    Parameters
    ----------
    method
        A key of :data:`METHODS`.
    velocity_deg_s
        I-VT: gaze that is slower than this fixates, degrees per second.
    velocity_window_ms
        I-VT: the time over which velocity is measured, ms; at least two samples. Default 20, and up to 40
        where noise would otherwise be taken for movement (:func:`window_ms`).
    dispersion_deg
        I-DT: width plus height of the area in which gaze stays, degrees.
    min_duration_ms
        Shorter fixations do not count, ms. Default 60 (I-VT), 100 (I-DT), 40 (I2MC, REMoDNaV).
    max_gap_ms
        Lost data up to this long end no fixation, ms; longer ones always do. No positions are made up
        for them. Default 40 (I-VT, I-DT), 100 (I2MC), 20 (REMoDNaV).
    merge_gap_ms, merge_distance_deg
        Neighbouring fixations that are at most this far apart in time (ms) and in position (degrees)
        are one; 0 ms for never. Default 75 ms and 0.5 degrees (I-VT, I-DT), 30 ms and 0.7 degrees
        (I2MC), never (REMoDNaV).
    """

    method: str = AUTO
    velocity_deg_s: float = 30.0
    velocity_window_ms: float | None = None
    dispersion_deg: float = 1.0
    min_duration_ms: float | None = None
    max_gap_ms: float | None = None
    merge_gap_ms: float | None = None
    merge_distance_deg: float | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise GazeError(
                f"'{self.method}' is no method to find fixations.",
                todo=f"Choose one of: {', '.join(METHODS)}.",
            )
        above = {
            "The velocity threshold": (self.velocity_deg_s, "degrees per second"),
            "The dispersion threshold": (self.dispersion_deg, "degrees"),
        }
        if self.velocity_window_ms is not None:
            above["The window of the velocity"] = (self.velocity_window_ms, "ms")
        for name, (value, unit) in above.items():
            if not (math.isfinite(value) and value > 0):
                raise GazeError(f"{name} must be above 0 {unit}, not {value:g}.")
        not_below = {
            "The minimum duration of a fixation": (self.min_duration_ms, "ms"),
            "The longest gap within a fixation": (self.max_gap_ms, "ms"),
            "The time between fixations that are merged": (self.merge_gap_ms, "ms"),
            "The distance of fixations that are merged": (self.merge_distance_deg, "degrees"),
        }
        for name, (bound, unit) in not_below.items():
            if bound is not None and not (math.isfinite(bound) and bound >= 0):
                raise GazeError(f"{name} must be 0 {unit} or more, not {bound:g}.")

    def as_json(self) -> Json:
        """Return the settings for storing."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> DetectionSettings:
        """Return the settings of what :meth:`as_json` gave; what is missing has its default."""
        names = {entry.name for entry in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})

    def at(self, rate_hz: float, noise_deg: float = 0.0) -> Thresholds:
        """Return what holds for a recording: the method, and all thresholds.

        Parameters
        ----------
        rate_hz
            Sampling rate, Hz.
        noise_deg
            Standard deviation of the noise in x and in y, degrees.
        """
        method = self.method
        if method == AUTO:
            # A measured rate of 199.8 Hz is a tracker of 200 Hz.
            method = IVT if rate_hz >= 0.99 * FAST_HZ else IDT
        given = {name: getattr(self, name) for name in _DEFAULTS[method]}
        chosen = {n: _DEFAULTS[method][n] if value is None else value for n, value in given.items()}
        window = self.velocity_window_ms or window_ms(rate_hz, noise_deg, self.velocity_deg_s)
        return Thresholds(method, self.velocity_deg_s, window, self.dispersion_deg, **chosen)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What :class:`DetectionSettings` come to for a recording; parameters are the same, none is open."""

    method: str
    velocity_deg_s: float
    velocity_window_ms: float
    dispersion_deg: float
    min_duration_ms: float
    max_gap_ms: float
    merge_gap_ms: float
    merge_distance_deg: float

    def in_words(self) -> str:
        """Return the method and its thresholds, for notes and methods texts."""
        parts = {
            IVT: f"velocity below {self.velocity_deg_s:g} deg/s over {self.velocity_window_ms:.3g} ms",
            IDT: f"width plus height within {self.dispersion_deg:g} deg",
        }
        words = [
            parts.get(self.method, "the package's own thresholds"),
            f"at least {self.min_duration_ms:g} ms",
            f"ended by lost data over {self.max_gap_ms:g} ms",
        ]
        if self.merge_gap_ms > 0:
            words.append(f"merged when within {self.merge_gap_ms:g} ms and {self.merge_distance_deg:g} deg")
        return f"{NAMES[self.method]} ({', '.join(words)})"


def window_ms(rate_hz: float, noise_deg: float, velocity_deg_s: float) -> float:
    """Return the time over which I-VT measures velocity when nobody says, ms.

    20 ms, or as much more, up to 40 ms, as it takes for the velocity that noise alone makes to have a
    standard deviation (in x and in y) of a quarter of the threshold.

    Parameters
    ----------
    rate_hz
        Sampling rate, Hz.
    noise_deg
        Standard deviation of the noise in x and in y, degrees.
    velocity_deg_s
        The threshold, degrees per second.
    """
    half, longest = (max(1, round(window / 2000 * rate_hz)) for window in _WINDOWS_MS)
    while half < longest and noise_deg * math.sqrt(2 / half) * rate_hz / half > velocity_deg_s / 4:
        half += 1
    return max(_WINDOWS_MS[0], 2000 * half / rate_hz)
