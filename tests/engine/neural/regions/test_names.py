"""Names of regions and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazeapp.engine.neural.regions.files.place import hemisphere_of, key_of, partner_of
from gazeapp.engine.neural.regions.known import known_atlas
from gazeapp.engine.neural.regions.names import is_no_region, region_name


@pytest.mark.parametrize(
    ("raw", "text", "hemisphere", "network"),
    [
        ("L_V1_ROI", "V1", "left", ""),
        ("R_p9-46v_ROI", "p9-46v", "right", ""),
        ("L_V1_ROI-lh", "V1", "left", ""),
        ("R_7PL", "7PL", "right", ""),
        ("7Networks_LH_Vis_1", "Visual L1", "left", "Visual"),
        ("7Networks_RH_Cont_Par_2", "Control Par R2", "right", "Control"),
        ("7Networks_LH_SalVentAttn_FrOperIns_1", "Salience and ventral attention FrOperIns L1", "left", None),
        ("17Networks_LH_VisCent_ExStr_3", "Visual central ExStr L3", "left", "Visual central"),
        ("17Networks_RH_DefaultA_PFCd_1", "Default A PFCd R1", "right", "Default A"),
        ("17Networks_RH_TempPar_1", "Temporal parietal R1", "right", "Temporal parietal"),
        ("ctx-lh-cuneus", "cuneus", "left", ""),
        ("cuneus-rh", "cuneus", "right", ""),
        ("S_calcarine", "S_calcarine", "", ""),
        ("G_oc-temp_med-Lingual", "G_oc-temp_med-Lingual", "", ""),
        ("pericalcarine", "pericalcarine", "", ""),
    ],
)
def test_names_are_shown_without_what_only_says_the_side(raw, text, hemisphere, network):
    shown = region_name(raw)
    assert (shown.text, shown.hemisphere) == (text, hemisphere)
    assert network is None or shown.network == network


@pytest.mark.parametrize(
    "raw", ["unknown", "???", "L_???_ROI", "Medial_wall", "corpuscallosum", "", "Unknown"]
)
def test_what_is_in_no_region(raw):
    assert is_no_region(raw)


def test_regions_are_regions():
    assert not any(map(is_no_region, ("V1", "insula", "medialorbitofrontal", "4")))


@pytest.mark.parametrize(
    ("name", "hemisphere", "key", "partner"),
    [
        ("lh.aparc.annot", "left", "aparc", "rh.aparc.annot"),
        ("rh.wang15_mplbl.v1_0.mgz", "right", "wang15_mplbl", "lh.wang15_mplbl.v1_0.mgz"),
        ("atlas-desikankilliany-lh.label.gii.gz", "left", "atlas-desikankilliany", None),
        ("tpl-fsaverage_hemi-R_desc-x_dseg.label.gii", "right", "tpl-fsaverage_desc-x_dseg", None),
        ("glasser.L.label.gii", "left", "glasser", "glasser.R.label.gii"),
        ("lh.R_hand.label", "left", "R_hand", "rh.R_hand.label"),
        ("schaefer_400_fsa5.csv", "", "schaefer_400_fsa5", None),
        ("from.L.to.R.csv", "", "from.L.to.R", None),
    ],
)
def test_a_files_name_tells_side_and_atlas(name, hemisphere, key, partner):
    path = Path("folder") / name
    assert (hemisphere_of(path), key_of(path)) == (hemisphere, key)
    if partner:
        assert partner_of(path) == Path("folder") / partner
    if hemisphere:
        other = partner_of(path)
        assert other is not None
        assert key_of(other) == key
        assert partner_of(other) == path
    else:
        assert partner_of(path) is None


@pytest.mark.parametrize(
    ("key", "n_names", "first", "last"),
    [
        ("wang15_mplbl", 25, "V1v", "FEF"),
        ("Kastner2015", 25, "V1v", "FEF"),
        ("benson14_varea", 12, "V1", "V3a"),
        ("glasser16_atlas", 180, "V1", "p24"),
        ("HCP_MMP1", 180, "V1", "p24"),
        ("streams", 7, "early", "parietal"),
        ("prf-visualrois", 7, "V1v", "hV4"),
        ("floc-faces", 5, "OFA", "aTL-faces"),
    ],
)
def test_numbers_of_known_atlases_have_names(key, n_names, first, last):
    known = known_atlas(key)
    assert known is not None
    assert sorted(known.names) == list(range(1, n_names + 1))
    assert (known.names[1], known.names[n_names]) == (first, last)
    assert len(set(known.names.values())) == n_names


def test_names_that_were_not_checked_say_so():
    for key in ("streams", "prf-visualrois", "floc-faces", "floc-bodies", "floc-places", "floc-words"):
        known = known_atlas(key)
        assert known is not None
        assert "not checked" in known.limits
    assert known_atlas("my_atlas") is None
