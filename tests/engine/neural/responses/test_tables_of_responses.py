"""Tables of images and regions, wide and long, as spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import REGION_TABLE
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.reading import read_responses

MEASURED = ResponseOptions(simulated=False)


def table(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    (tmp_path / name).write_text(text, "utf-8")
    return tmp_path / name


WIDE = "image,V1,V2\na.png,1,2\nb.png,3,4.5\n"


@pytest.mark.parametrize(
    "text",
    [
        WIDE,
        WIDE.replace(",", "\t"),
        WIDE.replace(",", ";").replace(".5", ",5"),
        "\ufeff" + WIDE,
        "# made by hand\n" + WIDE,
        ",image,V1,V2\n0,a.png,1,2\n1,b.png,3,4.5\n",
        "what,V1,V2\na.png,1,2\nb.png,3,4.5\n",
        "V1,image,V2\n1,a.png,2\n3,b.png,4.5\n",
        "image,roi,value\na.png,V1,1\na.png,V2,2\nb.png,V2,4.5\nb.png,V1,3\n",
    ],
)
def test_each_way_to_write_a_table_says_the_same(tmp_path: Path, text: str):
    found = read_responses(table(tmp_path, text), MEASURED)
    assert (found.space, found.targets, found.images) == (REGION_TABLE, ("V1", "V2"), ("a.png", "b.png"))
    np.testing.assert_array_equal(found.values, [[[1, 2], [3, 4.5]]])


def test_subjects_repeats_and_ceilings_have_their_place(tmp_path: Path):
    text = (
        "subject,image,repeat,V1\n"
        "s1,a,1,1\ns1,a,2,3\ns1,b,1,5\ns2,b,1,7\ns2,a,1,9\ns1,noise_ceiling,,0.6\ns2,noise_ceiling,,0.8\n"
    )
    found = read_responses(table(tmp_path, text), MEASURED)
    assert (found.subjects, found.images) == (("s1", "s2"), ("a", "b"))
    assert found.values[..., 0].tolist() == [[2, 5], [9, 7]]
    assert found.n_repeats.tolist() == [[2, 1], [1, 1]]
    np.testing.assert_allclose(found.ceilings, [[0.6], [0.8]], rtol=1e-6)


def test_a_long_table_repeats_by_saying_a_cell_again(tmp_path: Path):
    text = "subject,image,region,response\n" + "".join(
        f"s{s},{image},{roi},{100 * s + 10 * k + repeat + (roi == 'V2')}\n"
        for repeat in (0, 2)
        for s in (1, 2)
        for k, image in enumerate("ab")
        for roi in ("V1", "V2")
    )
    found = read_responses(table(tmp_path, text), MEASURED)
    assert found.values.tolist() == [[[101, 102], [111, 112]], [[201, 202], [211, 212]]]
    assert found.n_repeats.tolist() == [[2, 2], [2, 2]]


def test_missing_cells_stay_missing_and_words_are_told(tmp_path: Path):
    text = "image,V1,note,V2\na,1,good,\nb,n/a,bad,x\nc,3,odd,4\n"
    found = read_responses(table(tmp_path, text), MEASURED)
    assert found.targets == ("V1", "V2")
    np.testing.assert_array_equal(found.values[0], [[1, np.nan], [3, 4]])
    said = " ".join(found.facts["cautions"])
    assert "1 cell is no number" in said
    assert "1 column holds no numbers and was left out: “note”" in said
    assert "no value at all and was left out: “b”" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no table of text"),
        ("image,roi,value\na,V1\x1b,1\na,V2,2\n", "line breaks or the like: “V1 ”"),
        ("image,roi,value\na,,1\na,V2,2\n", "has no name"),
        ("\n\n", "table is empty"),
        ("image\na\n", "one column only"),
        ("image,V1\n", "no rows"),
        ("image,note\na,good\n", "no column of numbers"),
        ("image,V1,V1\na,1,2\n", "stands in several columns: “V1”"),
        ("image,V1\n,1\n", "names no image"),
        ("image,repeat,V1\na,1,2\na,1,3\n", "“a”, repeat “1” stands there twice"),
        ("image,roi,value,repeat\na,V1,1,1\na,V1,2,1\n", "region “V1”, repeat “1” stands there twice"),
        ("image,V1\na,1,2\n", "line 2: The row has 3 cells where the header has 2"),
        ('image,V1\n"a,1\nb,2\n', "quotation mark"),
        (
            "image," + ",".join(f"v{k}" for k in range(20_484)) + "\na\n",
            "more columns than a table of regions",
        ),
    ],
)
def test_what_is_no_table_is_a_sentence(tmp_path: Path, text: str, words: str):
    with pytest.raises(GazeError, match=words):
        read_responses(table(tmp_path, text), MEASURED)
