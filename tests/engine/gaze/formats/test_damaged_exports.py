"""Damage to trackers' exports ends in a sentence or a count, never in a traceback."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import FORMATS, ReadOptions
from gazeapp.engine.gaze.records import Contents
from gazeapp.engine.gaze.source import Source

N = 12
"""Fixations in each file."""


def _rows(row: str, n: int = N) -> str:
    """Return rows in which {k} counts, and {t} grows by 200."""
    return "".join(row.replace("{k}", str(k)).replace("{t}", str(200 * k)) + "\n" for k in range(1, n + 1))


FILES: dict[str, tuple[str, str]] = {
    "tobii-pro": (
        "Recording timestamp [ms]\tParticipant name\tRecording name\tPresented Stimulus name\tGaze point X\t"
        "Gaze point Y\tEye movement type\tGaze event duration\tEye movement type index\tFixation point X\t"
        "Fixation point Y\n",
        _rows("{t}\tP1\tR1\ta.png\t31\t41\tFixation\t150\t{k}\t30.5\t40.5"),
    ),
    "tobii-studio": (
        "Data properties:\n\nSubject: P1\nScreen resolution: 1280 x 1024\n\n"
        "FixationIndex\tTimestamp\tFixationDuration\tMappedFixationPointX\tMappedFixationPointY\t\n",
        _rows("{k}\t{t}\t150\t30\t40\t"),
    ),
    "tobii-sdk": (
        "Time\tLGazePos2dx\tLGazePos2dy\tLValidity\tRGazePos2dx\tRGazePos2dy\tRValidity\n",
        _rows("{t}\t0.5\t0.5\t0\t0.4\t0.4\t0"),
    ),
    "smi-begaze": (
        "[BeGaze]\nSubject:\tP1\n\nTable Header for Fixations:\n"
        "Event Type,Trial,Number,Start,End,Duration,Location X,Location Y\n\n",
        _rows("Fixation L,1,{k},{t}000,{t}900,150000,30.5,40.5"),
    ),
    "gazepoint": (
        "MEDIA_ID,MEDIA_NAME,CNT,TIME(2021/07/13 15:19:20.178),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,"
        "BPOGX,BPOGY,BPOGV,\n",
        _rows("0,a.png,{k},{t},0.5,0.4,{t},0.15,{k},1,0.5,0.4,1,"),
    ),
    "pupil-core": (
        "world_timestamp,world_index,fixation_id,start_timestamp,duration,norm_pos_x,norm_pos_y,on_surf\n",
        _rows("{t},{k},{k},{t},150,0.5,0.4,True"),
    ),
    "pupil-cloud": (
        "section id,recording id,fixation id,start timestamp [ns],end timestamp [ns],duration [ms],"
        "fixation detected on surface,fixation x [normalized],fixation y [normalized]\n",
        _rows("s1,r1,{k},{t}000000,{t}900000,150,True,0.5,0.4"),
    ),
    "webgazer": (
        "trial_type,trial_index,stimulus,webgazer_data,webgazer_targets\n",
        _rows('image,{k},a.png,"[{""x"":1,""y"":2,""t"":3}]","{}"'),
    ),
}
"""The head and the rows of a small whole file of each format."""

TABLES = [name for name in FILES if name not in ("smi-begaze", "webgazer")]
A_ROW_EACH = ("tobii-studio", "smi-begaze", "pupil-cloud")
"""Formats in which every row is a fixation of its own, so that nothing can vanish uncounted."""

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(path: Path, data: bytes, name: str) -> Contents | GazeError:
    """Return what reading gives; anything but contents or a sentence fails the test."""
    path.write_bytes(data)
    FORMATS[name].recognise(Source(path))
    found = [_read(path, name, samples) for samples in (False, True)]
    for one in found:
        if isinstance(one, Contents):
            _check(one)
        else:
            assert str(path) in one.where
            assert one.todo
    return found[0]


def _read(path: Path, name: str, samples: bool) -> Contents | GazeError:
    try:
        return FORMATS[name].read(Source(path), ReadOptions(samples=samples))
    except GazeError as error:
        return error


def _check(contents: Contents) -> None:
    """Look whether trials and columns fit together."""
    rows = sorted((trial.rows.start, trial.rows.stop) for trial in contents.trials)
    assert sum(stop - start for start, stop in rows) == len(contents.fixations)
    assert all(trial.subject for trial in contents.trials)
    if contents.samples is not None:
        assert sum(t.sample_rows.stop - t.sample_rows.start for t in contents.trials) == len(contents.samples)
        assert np.isfinite(contents.samples.t_ms).all()


@pytest.mark.parametrize("name", FILES)
def test_the_whole_file_is_read_and_told(name: str, tmp_path: Path) -> None:
    head, rows = FILES[name]
    contents = outcome(tmp_path / "whole.dat", (head + rows).encode(), name)
    assert isinstance(contents, Contents)
    assert len(contents.fixations) == N or len(contents.samples or ()) >= N
    sure = {key: entry.recognise(Source(tmp_path / "whole.dat")) for key, entry in FORMATS.items()}
    best = max(sure, key=lambda key: guess.confidence if (guess := sure[key]) else 0.0)
    assert best == name


@pytest.mark.parametrize("name", FILES)
@few
@given(share=st.floats(0, 1))
def test_files_cut_short(name: str, tmp_path: Path, share: float) -> None:
    head, rows = FILES[name]
    cut = (head + rows)[: max(1, round(share * len(head + rows)))]
    found = outcome(tmp_path / "cut.dat", cut.encode(), name)
    if name in A_ROW_EACH and isinstance(found, Contents):
        n_lines = sum(bool(line.strip()) for line in cut[len(head) :].splitlines())
        assert len(found.fixations) + sum(found.facts.lost_rows.values()) == n_lines


@pytest.mark.parametrize("name", FILES)
@few
@given(noise=st.binary(max_size=300), where=st.floats(0, 1))
def test_random_bytes_in_the_rows(name: str, tmp_path: Path, noise: bytes, where: float) -> None:
    head, rows = (part.encode() for part in FILES[name])
    at = round(where * len(rows))
    outcome(tmp_path / "noise.dat", head + rows[:at] + noise + rows[at:], name)


@pytest.mark.parametrize("name", FILES)
@few
@given(
    value=st.sampled_from(["NaN", "-5", "1e300", "inf", "", "-", "x", "1,5", "99999999999999999999", '"']),
    seed=st.integers(0, 99),
)
def test_strange_numbers(name: str, tmp_path: Path, value: str, seed: int) -> None:
    head, rows = FILES[name]
    places = list(re.finditer(r"\d+(?:\.\d+)?", rows))
    chosen = np.random.default_rng(seed).choice(len(places), 5, replace=False)
    for place in sorted((places[k] for k in chosen), key=lambda found: -found.start()):
        rows = rows[: place.start()] + value + rows[place.end() :]
    outcome(tmp_path / "strange.dat", (head + rows).encode(), name)


@pytest.mark.parametrize("name", TABLES)
@few
@given(seed=st.integers(0, 10_000))
def test_shuffled_columns_change_nothing(name: str, tmp_path: Path, seed: int) -> None:
    head, rows = FILES[name]
    above, header = head.rstrip("\n").rpartition("\n")[0], head.rstrip("\n").rpartition("\n")[2]
    mark = "\t" if "\t" in header else ","
    order = np.random.default_rng(seed).permutation(len(header.split(mark)))
    lines = [mark.join(line.split(mark)[k] for k in order) for line in [header, *rows.splitlines()]]
    shuffled = outcome(tmp_path / "same.dat", "\n".join([above, *lines] if above else lines).encode(), name)
    original = outcome(tmp_path / "same.dat", (head + rows).encode(), name)
    assert isinstance(shuffled, Contents)
    assert isinstance(original, Contents)
    assert [(t.subject, t.image, t.rows, t.sample_rows) for t in shuffled.trials] == [
        (t.subject, t.image, t.rows, t.sample_rows) for t in original.trials
    ]
    np.testing.assert_array_equal(shuffled.fixations.x, original.fixations.x)
    np.testing.assert_array_equal(shuffled.fixations.start_ms, original.fixations.start_ms)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_encodings(name: str, encoding: str, tmp_path: Path) -> None:
    head, rows = FILES[name]
    contents = outcome(
        tmp_path / "Zoë.dat", (head + rows.replace("a.png", "café.png")).encode(encoding), name
    )
    assert isinstance(contents, Contents)
    if "a.png" in rows:
        assert contents.trials[0].image == "café.png"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_and_gzip_change_nothing(name: str, end: str, tmp_path: Path) -> None:
    data = "".join(FILES[name]).encode()
    whole = outcome(tmp_path / "whole.dat", data, name)
    other = outcome(tmp_path / "whole.dat", gzip.compress(data.replace(b"\n", end.encode())), name)
    assert isinstance(whole, Contents)
    assert isinstance(other, Contents)
    assert other.trials == whole.trials
    assert other.facts == whole.facts
    np.testing.assert_array_equal(other.fixations.x, whole.fixations.x)


@pytest.mark.parametrize("name", FILES)
def test_a_line_of_a_million_characters(name: str, tmp_path: Path) -> None:
    head, rows = FILES[name]
    long = "7" * 1_000_000
    outcome(tmp_path / "long.dat", (head + rows + long + "\n" + rows).encode(), name)
    outcome(tmp_path / "long.dat", (long + "\n" + head + rows).encode(), name)
    assert isinstance(outcome(tmp_path / "long.dat", (long + head).encode()[:-1], name), GazeError)


def test_json_that_is_deep_or_of_another_kind(tmp_path: Path) -> None:
    for text in (
        "[" * 5000,
        '{"webgazer_data": 5}',
        '[1, "a", null]',
        json.dumps([{"webgazer_data": [1, 2]}]),
    ):
        assert isinstance(outcome(tmp_path / "deep.json", text.encode(), "webgazer"), GazeError)
