from __future__ import annotations

from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.titles import model_title
from gazeapp.ui.colours import REFERENCE, source_colour
from gazeapp.ui.scene import Catalogue, ModelView


def test_a_model_has_its_own_colour_and_a_known_truth_has_none():
    key = ("general", "tuebingen", "nss")
    model, truth = (
        model_title(
            ModelView(name, name, 2, truth=name == "truth"),
            Catalogue(),
            None,
            key,
            MEAN_MAP,
            difference=False,
        )
        for name in ("model", "truth")
    )
    assert model.colour == source_colour(3).name()
    assert truth.colour == REFERENCE.name()
