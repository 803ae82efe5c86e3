"""One module a format; each describes itself with a ``FORMAT``."""

from __future__ import annotations

from gazeapp.engine.gaze.formats import (
    bids,
    coco_search,
    data_viewer,
    eyelink,
    figrim,
    gazepoint,
    mit1003,
    osie,
    pupil_cloud,
    pupil_core,
    pysaliency_hdf5,
    salicon,
    smi,
    table,
    tobii_pro,
    tobii_sdk,
    tobii_studio,
    webgazer,
)
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions

ALL: tuple[Format, ...] = (
    eyelink.FORMAT,
    data_viewer.FORMAT,
    smi.FORMAT,
    tobii_sdk.FORMAT,
    tobii_pro.FORMAT,
    webgazer.FORMAT,
    gazepoint.FORMAT,
    pupil_cloud.FORMAT,
    pupil_core.FORMAT,
    tobii_studio.FORMAT,
    bids.FORMAT,
    osie.FORMAT,
    coco_search.FORMAT,
    salicon.FORMAT,
    figrim.FORMAT,
    mit1003.FORMAT,
    pysaliency_hdf5.FORMAT,
    table.FORMAT,
)
"""Every format that can be read; a format of one program stands before the general table."""

FORMATS: dict[str, Format] = {entry.id: entry for entry in ALL}

__all__ = ["ALL", "FORMATS", "Format", "Guess", "ReadOptions"]
