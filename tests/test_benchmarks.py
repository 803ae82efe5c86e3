"""Each bench still runs and prints what it promises; nothing here looks at how fast."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", ["startup", "ui"])
def test_bench_prints_both_sides_and_a_ratio(name: str):
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--quick", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    comparisons = [entry for entry in told.get("comparisons", told).values() if isinstance(entry, dict)]
    assert comparisons
    for comparison in comparisons:
        ours, theirs = (
            next(value for key, value in comparison.items() if key.startswith(side))
            for side in ("gazeapp", "bare")
        )
        assert comparison["ratio"] == pytest.approx(ours / theirs, rel=0.05)
