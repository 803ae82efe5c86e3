"""Writing simulated responses and what is planted in them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gazeapp.engine.neural.records import Responses
from gazeapp.engine.neural.simulation.truth import TruthRow
from gazeapp.engine.replacing import replacing

TRUTH_COLUMNS = (
    "region",
    "hemisphere",
    "drive",
    "n_vertices",
    "signal_share",
    "ceiling_r",
    "expected_r",
    "n_images",
    "n_subjects",
    "simulated",
)


def write_responses(path: Path, responses: Responses) -> None:
    """Write responses as an NPZ file that can be imported; it says that they are simulated.

    Values are stored in half precision: rounded to about 0.05 % of themselves, far below the noise.
    """
    meta = {**responses.facts, "source": responses.source, "axes": ["subject", "image", "vertex"]}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(
            file,
            Y=responses.values.astype(np.float16),
            image_ids=np.array(responses.images),
            subjects=np.array(responses.subjects),
            meta_json=np.array(json.dumps(meta)),
        )


def write_truth(path: Path, rows: Sequence[TruthRow], responses: Responses) -> None:
    """Write what is planted in each region of responses as a table."""
    size = (len(responses.images), len(responses.subjects))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(TRUTH_COLUMNS)
        for row in rows:
            numbers = (_cell(value) for value in (row.signal_share, row.ceiling_r, row.expected_r))
            table.writerow((row.region, row.hemisphere, row.drive, row.n_vertices, *numbers, *size, "yes"))


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"
