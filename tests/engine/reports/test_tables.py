import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths.measures import MEASURES as SCANPATH_MEASURES
from gazeapp.engine.maps.measures import MEASURES as MAP_MEASURES
from gazeapp.engine.reports.dictionary import TABLES, dictionary_rows
from gazeapp.engine.reports.dictionary_text import dictionary_text
from gazeapp.engine.reports.tables import Column, Table, cell, neutral, original, write_table

TABLE = Table(
    "t.csv",
    "one thing",
    (
        Column("text", "text", "", "t"),
        Column("value", "number", "", "v"),
        Column("n", "integer", "", "n"),
        Column("yes", "flag", "", "f"),
    ),
)
TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"))
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@given(st.lists(st.tuples(TEXTS, NUMBERS, st.integers(), st.booleans())))
def test_what_is_written_is_read_back_exactly(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    assert write_table(path, TABLE, rows) == len(rows)
    header, *cells = read(path)
    assert header == ["text", "value", "n", "yes"]
    found = [
        (original(text), float(value) if value else None, int(n), yes == "true")
        for text, value, n, yes in cells
    ]
    assert found == rows


@given(TEXTS)
def test_no_text_begins_with_a_sign_that_spreadsheets_act_on(text):
    assert not neutral(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert original(neutral(text)) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
def test_formulas_are_neutralised_and_nothing_else_is(text):
    assert cell(text, "text") == f"'{text}"
    assert cell(f"a {text}", "text") == f"a {text}"


def test_numbers_stay_numbers():
    assert cell(-1.5, "number") == "-1.5"
    assert cell(0.1 + 0.2, "number") == "0.30000000000000004"
    assert cell(2, "number") == "2.0"
    assert cell(math.nan, "number") == ""
    assert cell(None, "integer") == ""
    assert cell(False, "flag") == "false"


def test_an_older_table_stays_when_a_new_one_fails(tmp_path):
    path = tmp_path / "t.csv"
    write_table(path, TABLE, [("a", 1.0, 1, True)])
    before = path.read_bytes()

    def rows():
        yield "b", 2.0, 2, True
        raise GazeError("It broke.")

    with pytest.raises(GazeError):
        write_table(path, TABLE, rows())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_the_dictionary_explains_every_column_of_every_table_once():
    rows = list(dictionary_rows())
    named = [(row[0], row[1]) for row in rows]
    assert named == [(table.name, column.name) for table in TABLES for column in table.columns]
    assert len(set(named)) == len(named)
    assert all(row[4] for row in rows)


def test_the_page_in_docs_is_the_dictionary():
    page = Path(__file__).parents[3] / "docs" / "exports.md"
    assert page.read_text(encoding="utf-8") == dictionary_text()


def test_every_id_of_a_measure_is_in_the_dictionary_text():
    text = dictionary_text()
    for one in (*MAP_MEASURES.values(), *SCANPATH_MEASURES.values()):
        assert f"| `{one.id}` | {one.name} | {one.unit} |" in text
