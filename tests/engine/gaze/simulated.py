"""Recordings with known fixations: saccades on the main sequence, noise, blinks and jumps of the clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.gaze.records import Eye, Samples

PX_PER_DEGREE = 35.0


@dataclass(frozen=True)
class Truth:
    """Samples, px and ms, and the fixations in them; ``x``, ``y`` in px."""

    samples: Samples
    onset: np.ndarray
    duration: np.ndarray
    x: np.ndarray
    y: np.ndarray
    blinks: np.ndarray
    """Begin and end of each loss of data, shape (n, 2), ms."""


def simulate(
    rate_hz: float,
    *,
    seed: int = 0,
    n_fixations: int = 60,
    noise_deg: float = 0.03,
    n_blinks: int = 4,
    jitter: float = 0.0,
    start_ms: float = 5_000_000.0,
    eye: Eye = Eye.LEFT,
) -> Truth:
    """Return a recording of fixations of 150 to 600 ms with saccades of 2 to 12 degrees between.

    A saccade of amplitude A takes 2.2 A + 21 ms (Carpenter 1988) along a minimum-jerk profile. A blink of
    100 to 250 ms takes the place of a saccade: nothing is seen from its begin to its end. ``noise_deg`` is
    the standard deviation of Gaussian noise in x and in y; ``jitter`` that of the samples' times, in periods.
    """
    random = np.random.default_rng(seed)
    x, y = _places(random, n_fixations)
    durations = random.uniform(150, 600, n_fixations)
    amplitudes = np.hypot(np.diff(x), np.diff(y)) / PX_PER_DEGREE
    moves = 2.2 * amplitudes + 21
    blinking = np.zeros(n_fixations - 1, bool)
    blinking[random.choice(n_fixations - 1, n_blinks, replace=False)] = True
    moves[blinking] = random.uniform(100, 250, n_blinks)
    onset = np.concatenate([[0.0], np.cumsum(durations[:-1] + moves)])
    end = onset + durations
    t = np.arange(0, end[-1], 1000 / rate_hz)
    t = np.sort(t + jitter * 1000 / rate_hz * random.standard_normal(len(t)))
    of = np.clip(np.searchsorted(onset, t, side="right") - 1, 0, n_fixations - 1)
    share = np.zeros(len(t))
    moving = (t > end[of]) & (of < n_fixations - 1)
    share[moving] = (t[moving] - end[of[moving]]) / moves[of[moving]]
    smooth = share**3 * (10 - 15 * share + 6 * share**2)
    following = np.minimum(of + 1, n_fixations - 1)
    gaze_x = x[of] + smooth * (x[following] - x[of])
    gaze_y = y[of] + smooth * (y[following] - y[of])
    blind = moving & np.append(blinking, False)[of]
    gaze_x += noise_deg * PX_PER_DEGREE * random.standard_normal(len(t))
    gaze_y += noise_deg * PX_PER_DEGREE * random.standard_normal(len(t))
    gaze_x[blind] = gaze_y[blind] = np.nan
    samples = Samples(t + start_ms, gaze_x, gaze_y, np.full(len(t), eye, np.int8))
    gaps = np.column_stack([end[:-1][blinking], onset[1:][blinking]]) + start_ms
    return Truth(samples, onset + start_ms, durations, x, y, gaps)


def _places(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places on a screen of 1280 x 1024 px, 2 to 12 degrees from one to the next."""
    places = [(640.0, 512.0)]
    while len(places) < n:
        reach, angle = random.uniform(2, 12) * PX_PER_DEGREE, random.uniform(0, 2 * np.pi)
        x, y = places[-1][0] + reach * np.cos(angle), places[-1][1] + reach * np.sin(angle)
        if 20 < x < 1260 and 20 < y < 1004:
            places.append((x, y))
    return tuple(np.array(places).T)
