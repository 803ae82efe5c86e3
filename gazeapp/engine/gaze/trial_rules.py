"""How messages divide a recording into trials and name their images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrialRules:
    """How a recording is divided into trials.

    Parameters
    ----------
    preset
        A key of :data:`PRESETS`, or ``auto`` to take the first that fits.
    start
        Regular expression of the messages that begin a trial; its first group, if any, is the label.
        Not empty: it takes the place of the preset's.
    end
        Regular expression of the messages that end a trial; empty for the preset's.
    image
        Regular expression whose first group is the name of the image; empty for the preset's.
    """

    preset: str = "auto"
    start: str = ""
    end: str = ""
    image: str = ""
