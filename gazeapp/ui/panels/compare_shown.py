"""What the compare view shows of the scene in hand: models as they are, or under the lesion."""

from __future__ import annotations

from collections.abc import Mapping

from gazeapp.engine.errors import GazeError
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.heat import HeatLayer
from gazeapp.ui.canvas.layers import SceneLayers
from gazeapp.ui.lesions.facts import Effect, lesioned_scene
from gazeapp.ui.scene import ModelView, SceneView
from gazeapp.ui.selection import Selection


class ShownScene:
    """The scene that was read, what a lesion did to its models, and which of both is to be seen.

    Parameters
    ----------
    selection
        What is looked at, and how.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._read: SceneView | None = None
        self._scene: SceneView | None = None
        self._layers: SceneLayers | None = None
        self._effects: Mapping[str, Effect] = {}
        self._without: Mapping[str, str] = {}

    @property
    def scene(self) -> SceneView | None:
        """The scene to be drawn; its models are under the lesion while the display state says so."""
        return self._scene

    @property
    def is_change(self) -> bool:
        """Whether models under the lesion show their lesioned minus their intact map."""
        return self._selection.display.lesion == "change"

    @property
    def is_difference(self) -> bool:
        """Whether models show their map minus people's."""
        return self._selection.display.show_difference and not self.is_change

    def is_of(self, read: SceneView) -> bool:
        """Return whether this very scene is in hand."""
        return read is self._read

    def take(self, read: SceneView) -> SceneView:
        """Take a scene that was read, and return the one to be drawn."""
        self._read = read
        self._scene = scene = self._under_lesion(read)
        self._layers = SceneLayers(scene)
        return scene

    def clear(self) -> None:
        """Show nothing."""
        self._read = self._scene = self._layers = None

    def set_effects(self, effects: Mapping[str, Effect]) -> bool:
        """Take what a lesion did to models; return whether any of their maps is another."""
        shown = {model: effect.map for model, effect in self._effects.items()}
        same = shown.keys() == effects.keys() and all(shown[one] is effects[one].map for one in shown)
        self._effects = dict(effects)
        return not same

    def set_failures(self, failures: Mapping[str, GazeError]) -> bool:
        """Take why a lesion did nothing to models; return whether anything else is said than before."""
        before, self._without = self._without, {model: error.what for model, error in failures.items()}
        return self._without != before

    def follow_lesion(self) -> None:
        """Show models with or without the lesion, as the display state says."""
        if self._read is None:
            return
        scene = self._under_lesion(self._read)
        if scene is not self._scene:
            self._scene = scene
            self._layers = SceneLayers(scene)

    def model(self, source: str | None) -> ModelView | None:
        """Return the model of a pane; None for people and where there is no scene."""
        if self._scene is None:
            return None
        return next((model for model in self._scene.models if model.id == source), None)

    def word(self, model: ModelView) -> int:
        """Return the word whose map a model shows; only the model in focus shows a word's."""
        word = self._selection.word
        return word if model.id == self._selection.source and 0 <= word < len(model.words) else MEAN_MAP

    def layer(self, source: str) -> HeatLayer | None:
        """Return the map that a pane shows: people's, a mean, a word's, or a difference."""
        if self._layers is None:
            return None
        model = self.model(source)
        if model is None:
            return self._layers.people
        return self._layers.of_model(model, self.word(model), self.is_difference, self.is_change)

    def why_intact(self, model: ModelView) -> str:
        """Return why a model shows its intact map while others are under the lesion; empty where it does not."""
        is_left = bool(self._selection.display.lesion) and model.lesion is None and model.map is not None
        return self._without.get(model.id, "") if is_left else ""

    def _under_lesion(self, scene: SceneView) -> SceneView:
        return lesioned_scene(scene, self._effects) if self._selection.display.lesion else scene
