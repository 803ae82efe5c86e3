"""Presets fit their atlases, and groups are of regions that there are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import BOTH, Atlas, Region
from gazeapp.engine.neural.regions.groups import UNVERIFIED, checked_groups, preset_for
from gazeapp.engine.neural.regions.known import known_atlas
from gazeapp.engine.resources import resource_path


def names_of(key: str) -> list[str]:
    known = known_atlas(key)
    assert known is not None
    return list(known.names.values())


@pytest.mark.parametrize(
    ("key", "group", "members"),
    [
        ("hcpmmp1", "early visual", ("V1", "V2", "V3", "V4")),
        ("hcpmmp1", "dorsal", ("V3A", "V3B", "V6", "V6A", "V7", "IPS1")),
        ("hcpmmp1", "MT+ and lateral", ("MT", "MST", "V4t", "FST", "LO1", "LO2", "LO3", "PH", "V3CD")),
        ("wang15_mplbl", "early visual", ("V1v", "V1d", "V2v", "V2d", "V3v", "V3d")),
        ("benson14_varea", "early visual", ("V1", "V2", "V3")),
        ("streams", "dorsal stream", ("midparietal", "parietal")),
        ("rosenke18_vcatlas", "early visual", ("hOc1", "hOc2", "hOc3v")),
    ],
)
def test_known_atlases_have_groups(key, group, members):
    preset = preset_for(names_of(key))
    assert preset is not None
    assert preset.groups[group] == members


def test_groups_that_were_not_checked_say_so():
    hcp, wang = preset_for(names_of("hcpmmp1")), preset_for(names_of("wang15_mplbl"))
    assert hcp is not None
    assert wang is not None
    assert UNVERIFIED not in hcp.says
    assert UNVERIFIED in wang.says


def test_every_region_of_a_preset_exists_where_the_names_are_known():
    presets = json.loads(resource_path("neural", "groups.json").read_text("utf-8"))["presets"]
    keys = {"HCP-MMP 1.0": "hcpmmp1", "Wang 2015": "wang15_mplbl", "Benson 2014": "benson14_varea"}
    keys |= {
        "NSD streams": "streams",
        "NSD early visual areas": "prf-visualrois",
        "Rosenke 2018": "rosenke18",
    }
    for preset in presets:
        members = {name for group in preset["groups"].values() for name in group}
        # A group that is called like a region could not be told from it.
        assert not members & set(preset["groups"])
        if preset["atlas"] in keys:
            known = names_of(keys.pop(preset["atlas"]))
            assert members | set(preset["marks"]) <= set(known)
            found = preset_for(known)
            assert found is not None
            assert found.atlas == preset["atlas"]
    assert not keys


def test_regions_that_are_not_there_leave_the_groups_of_a_preset():
    preset = preset_for([name for name in names_of("wang15_mplbl") if not name.startswith("IPS")])
    assert preset is not None
    assert preset.groups["dorsal"] == ("V3a", "V3b", "SPL1")
    assert preset_for(["a", "b"]) is None


@pytest.fixture
def atlas() -> Atlas:
    return Atlas("small", tuple(Region(name, BOTH, np.array([k])) for k, name in enumerate("abc")))


def test_groups_are_checked(atlas: Atlas):
    assert checked_groups(atlas, {" two ": ["b", "a", "b"]}) == {"two": ("b", "a")}


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"  ": ["a"]}, "needs a name"),
        ({"two": []}, "has no regions"),
        ({"two": ["a", "x"]}, "has no region “x”"),
        ({"a": ["b"]}, "“a” is a region"),
    ],
)
def test_groups_that_cannot_be(atlas: Atlas, groups, said):
    with pytest.raises(GazeError, match=said):
        checked_groups(atlas, groups)
