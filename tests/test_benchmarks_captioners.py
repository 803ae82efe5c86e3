"""The bench of captioners still runs and prints what it promises; nothing here looks at how fast."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_bench_prints_all_sides_and_ratios_of_the_same_captions(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["captioners.py", "--quick", "--json", "--images", "3"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(BENCHMARKS / "captioners.py"), run_name="__main__")
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["cases"]) == {"cnn-lstm", "vit-transformer"}
    for case in told["cases"].values():
        # All sides did the same; maps are stored as float16, of which the largest here has steps of 5e-4.
        assert case["same_captions"] == case["same_captions_single"] == 1.0
        assert 0 < case["largest_difference"] < 5e-4
        assert case["words_per_caption"] > 5
        assert set(case["comparisons"]) == {"single", "plain", "enlarged"}
        for side, row in case["comparisons"].items():
            assert row["ratio"] == pytest.approx(row[f"{side}_s"] / row["gazeapp_s"], rel=0.05)
            processor = row[f"{side}_processor_s"] / row["gazeapp_processor_s"]
            assert row["ratio_processor"] == pytest.approx(processor, rel=0.05)
            assert case["images_per_second"][side] == pytest.approx(3 / row[f"{side}_s"], rel=0.05)
