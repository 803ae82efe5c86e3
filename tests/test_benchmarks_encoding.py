"""The bench of encoding models still runs and prints what it promises; nothing here looks at how fast."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_bench_prints_both_sides_a_ratio_and_what_memory_it_took():
    pytest.importorskip("himalaya")
    command = [sys.executable, str(BENCHMARKS / "encoding.py"), "--quick", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert {"once_numpy", "nested_numpy", "permutations_numpy"} <= set(told["comparisons"])
    for comparison in told["comparisons"].values():
        for unit, ratio in (("s", "ratio"), ("processor_s", "ratio_processor")):
            expected = comparison[f"himalaya_{unit}"] / comparison[f"gazeapp_{unit}"]
            assert comparison[ratio] == pytest.approx(expected, rel=0.05)
    # The two sides did the same.
    assert told["same_penalties"] > 0.99
    assert told["largest_difference"] < 1e-3
    assert [row["images"] for row in told["growth"]] == [60, 300]
    assert all(row["peak_mb"] >= row["before_mb"] > row["responses_mb"] for row in told["growth"])
