"""A region of the user's own gets another name, in its groups as well, and only one that is free."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import N_HEMISPHERE, Atlas
from gazeapp.engine.neural.regions.own import LONGEST_NAME, renamed_region, with_region

BOTH_SIDES = (3, 4, N_HEMISPHERE + 3)


@pytest.fixture
def atlas():
    made = with_region(with_region(Atlas("own", ()), "mine", BOTH_SIDES), "yours", (7,))
    return Atlas("own", made.regions, groups={"pair": ("mine", "yours"), "alone": ("yours",)})


def test_both_parts_and_the_groups_take_the_new_name(atlas):
    renamed = renamed_region(atlas, "mine", " LOC ")
    assert [region.id for region in renamed.regions] == ["LOC left", "LOC right", "yours left"]
    assert renamed.groups == {"pair": ("LOC", "yours"), "alone": ("yours",)}
    np.testing.assert_array_equal(renamed.group("pair").vertices, atlas.group("pair").vertices)
    same = renamed_region(atlas, "mine", "mine")
    assert [(one.id, one.vertices.tolist()) for one in same.regions] == [
        (one.id, one.vertices.tolist()) for one in atlas.regions
    ]
    assert same.groups == atlas.groups


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("nobody's", "LOC", "No region called “nobody's”"),
        ("mine", " ", "needs a name"),
        ("mine", "yours", "a region “yours” already"),
        ("mine", "pair", "a group “pair” already"),
    ],
)
def test_a_name_that_is_taken_or_empty_is_refused(atlas, old, new, why):
    with pytest.raises(GazeError, match=why):
        renamed_region(atlas, old, new)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (" ", "needs a name"),
        ("x" * (LONGEST_NAME + 1), "at most 80 characters; this one has 81"),
        ("a\tb", "one line"),
        ("a\nb", "one line"),
        ("a\u202eb", "one line"),
        ("left", "does not end in “left”"),
        ("foo left", "does not end in “left”"),
        ("foo Right ", "does not end in “Right”"),
        ("group:x", "does not begin with “group:”"),
    ],
)
def test_names_that_cannot_be_are_refused_for_new_and_for_old_regions(atlas, name, why):
    with pytest.raises(GazeError, match=why):
        with_region(atlas, name, [1])
    with pytest.raises(GazeError, match=why):
        renamed_region(atlas, "mine", name)


@pytest.mark.parametrize(
    "name", ["x" * LONGEST_NAME, "leftmost", "left V1", "=1+1", "Gebärde 手", "LOC, left part"]
)
def test_other_names_can_be(atlas, name):
    assert with_region(atlas, f" {name} ", [1]).regions[-1].name == name
