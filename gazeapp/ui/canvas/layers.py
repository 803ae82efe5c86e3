"""The maps of a scene made ready to draw, each when it is first shown."""

from __future__ import annotations

from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.heat import HeatLayer, density_layer, difference_layer
from gazeapp.ui.scene import ModelView, SceneView


class SceneLayers:
    """People's map and the models' mean maps as they were read; words and differences are kept once made.

    Parameters
    ----------
    scene
        The image in hand under its task.
    """

    def __init__(self, scene: SceneView) -> None:
        self._scene = scene
        self._made: dict[tuple[str, int, bool], HeatLayer] = {}

    @property
    def people(self) -> HeatLayer | None:
        """People's map."""
        people = self._scene.people.map
        return people.layer if people else None

    def of_model(
        self, model: ModelView, word: int, difference: bool, change: bool = False
    ) -> HeatLayer | None:
        """Return a model's map of a word, or of all with ``MEAN_MAP``; minus people's map on `difference`.

        Where nobody looked there is no difference, and the map itself is returned. On `change` it is what a lesion
        changed in the mean map, of models that are under one; captions differ, so that words have no change.
        """
        if model.map is None:
            return None
        if change and model.lesion is not None:
            return model.lesion.change
        difference = difference and self._scene.people.map is not None
        if word == MEAN_MAP and not difference:
            return model.map.layer
        key = (model.id, word, difference)
        if key not in self._made:
            self._made[key] = self._make(model, word, difference)
        return self._made[key]

    def _make(self, model: ModelView, word: int, difference: bool) -> HeatLayer:
        mean = word == MEAN_MAP or model.word_maps is None
        values = model.map.values if mean else model.word_maps[word]
        people, size = self._scene.people.map, (self._scene.width, self._scene.height)
        if difference:
            return difference_layer((values, model.map.rect), (people.values, people.rect), *size)
        return density_layer(values, model.map.rect, *size)
