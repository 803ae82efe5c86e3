"""Column mappings: what is saved is loaded, and a damaged or foreign file is a sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.profiles import TableProfile, find_profile, list_profiles, load_profile, save_profile
from gazeapp.engine.gaze.records import Frame

FULL = TableProfile(
    "Lab 3, Göttingen",
    {"x": "Gaze X", "y": "Gaze Y", "time": "t"},
    kind="samples",
    delimiter=";",
    decimal=",",
    header_line=4,
    time_unit="us",
    frame=Frame(of="screen", unit="share", y_up=True, centred=True),
    invalid_above=1,
    note="Since 2025.",
)


def test_what_is_saved_is_loaded(tmp_path):
    path = save_profile(FULL, tmp_path / "new" / "folder")
    assert load_profile(path) == FULL
    assert list_profiles(path.parent) == ([FULL], [])
    assert json.loads(path.read_text("utf-8"))["format"] == "gazeapp table profile"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_profile_takes_the_place_of_one_of_its_name_and_of_no_other(tmp_path):
    first = save_profile(TableProfile("a b", {"x": "1"}), tmp_path)
    other = save_profile(TableProfile("a/b", {"x": "2"}), tmp_path)
    again = save_profile(TableProfile("a b", {"x": "3"}), tmp_path)
    assert again == first != other
    assert [(p.name, p.columns["x"]) for p in list_profiles(tmp_path)[0]] == [("a b", "3"), ("a/b", "2")]


@pytest.mark.parametrize("name", ["..", "../../x", "   .hidden", "con/aux", "眼動", "a" * 300])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    path = save_profile(TableProfile(name), tmp_path)
    assert path.parent == tmp_path
    assert not path.name.startswith(".")
    assert load_profile(path).name == name


def test_a_profile_is_found_by_its_file_or_name(tmp_path):
    path = save_profile(FULL, tmp_path)
    save_profile(TableProfile("LAB 3, göttingen"), tmp_path)
    assert find_profile(str(path)) == FULL
    assert find_profile("Lab 3, Göttingen", tmp_path) == FULL
    assert find_profile("LAB 3, göttingen", tmp_path).columns == {}
    for name in ("none", "x" * 5000, "\0"):
        with pytest.raises(GazeError, match="no column mapping") as caught:
            find_profile(name, tmp_path)
        assert "'Lab 3, Göttingen'" in caught.value.todo


def test_a_file_that_is_no_profile_is_listed_as_a_problem(tmp_path):
    save_profile(FULL, tmp_path)
    (tmp_path / "broken.json").write_text('{\n"format": ')
    profiles, (problem,) = list_profiles(tmp_path)
    assert profiles == [FULL]
    assert problem.where.endswith("broken.json, line 2")
    assert list_profiles(tmp_path / "none") == ([], [])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "other"}, "no column mapping that gazeapp wrote"),
        ({"version": 2}, "another version"),
        ({"version": None}, "another version"),
        ({"colour": "red"}, "has 'colour', which gazeapp does not know"),
        ({"columns": {"x": 3}}, "'columns' has a value of the wrong kind"),
        ({"columns": {"z": "depth"}}, "'z' is nothing that a column can be"),
        ({"kind": "saccades"}, "'saccades' is no kind of rows"),
        ({"delimiter": ", "}, "cannot stand between cells"),
        ({"decimal": "'"}, "is no decimal mark"),
        ({"header_line": -2}, "no line -2"),
        ({"header_line": True}, "'header_line' has a value of the wrong kind"),
        ({"time_unit": "min"}, "'min' is no unit of time"),
        ({"frame": {"of": "wall"}}, "'wall' is no thing that positions lie on"),
        ({"frame": {"of": 3}}, "'frame' has a value of the wrong kind"),
        ({"frame": {"depth": 3}}, "'frame' has a value of the wrong kind"),
        ({"invalid_below": float("nan")}, "'invalid_below' has a value of the wrong kind"),
        ({"invalid_below": 10**400}, "'invalid_below' has a value of the wrong kind"),
        ({"name": None}, "'name' has a value of the wrong kind"),
    ],
)
def test_wrong_values_are_said(tmp_path, change, says):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({**FULL.as_json(), **change}))
    with pytest.raises(GazeError, match=says) as caught:
        load_profile(path)
    assert caught.value.where == str(path)
    assert caught.value.todo


@pytest.mark.parametrize(
    ("lacking", "says"),
    [
        (("version",), 'Add "version": 1 to the file.'),
        (("format",), 'Add "format": "gazeapp table profile" to the file.'),
        (("name",), 'Add "name": "what to call it" to the file.'),
        (("columns",), 'Add "columns": {"x": "its column", "y": "its column"} to the file.'),
        (("format", "version"), 'Add "format": "gazeapp table profile", "version": 1 to the file.'),
    ],
)
def test_what_a_file_made_by_hand_lacks_is_said(tmp_path, lacking, says):
    path = tmp_path / "profile.json"
    whole = FULL.as_json()
    path.write_text(json.dumps({name: value for name, value in whole.items() if name not in lacking}))
    with pytest.raises(GazeError, match=f"lacks {', '.join(map(repr, lacking))}") as caught:
        load_profile(path)
    assert (caught.value.where, caught.value.todo) == (str(path), says)


def test_what_is_said_is_enough(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text(
        '{"format": "gazeapp table profile", "version": 1, "name": "a", "columns": {"x": "X", "y": "Y"}}'
    )
    assert load_profile(path) == TableProfile("a", {"x": "X", "y": "Y"})


def test_json_of_something_else_is_no_mapping(tmp_path):
    path = tmp_path / "profile.json"
    for text in ("{}", '{"a": 1}', "[]", "3", "null"):
        path.write_text(text)
        with pytest.raises(GazeError, match="This is no column mapping"):
            load_profile(path)


def test_a_column_outside_of_columns_is_told_where_it_belongs():
    with pytest.raises(GazeError, match="has 'x', which") as caught:
        TableProfile.of({**FULL.as_json(), "x": "Gaze X"})
    assert caught.value.todo == "Put 'x' and its column into 'columns'."
    with pytest.raises(GazeError, match="wrong kind") as caught:
        TableProfile.of({**FULL.as_json(), "columns": ["X", "Y"]})
    assert '{"x": "Gaze X", "y": "Gaze Y"}' in caught.value.todo


def test_what_cannot_be_read_or_written_is_said(tmp_path):
    with pytest.raises(GazeError, match="cannot be read"):
        load_profile(tmp_path / "none.json")
    (tmp_path / "file").touch()
    with pytest.raises(GazeError, match="cannot be written"):
        save_profile(FULL, tmp_path / "file")
    with pytest.raises(GazeError, match="has no name"):
        save_profile(TableProfile(" "), tmp_path)


@settings(max_examples=25, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60), st.integers(0, 300).map(lambda n: b"[" * 1000 * n), st.just(b"9" * 5000)
    )
)
def test_any_bytes_are_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("profile") / "profile.json"
    path.write_bytes(content)
    with pytest.raises(GazeError):
        load_profile(path)
