"""One image of the scoring benchmark as pysaliency sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scoring import Pictured

_EPSILON = 2.2204e-16


class Theirs:
    """An image under each of its tasks: its fixations and models, with nothing computed yet.

    pysaliency scores each metric on its own and remembers the human map alone, as its authors' benchmark does.
    Negatives of sAUC and the baseline of information gain are given to it, as they are to gazeapp.
    """

    def __init__(self, image: Pictured, sigma_px: float) -> None:
        # Its ROC code calls np.trapz, which numpy 2.4 no longer has.
        if not hasattr(np, "trapz"):
            np.trapz = np.trapezoid
        self._sigma_px = sigma_px
        self._tasks = [_Task(looked, maps) for looked, maps in zip(image.looked, image.maps, strict=True)]
        self.found: list[list[dict[str, float]]] = []

    def score(self) -> None:
        """Score all models under all tasks, from fixations and maps: task -> model -> metric -> value."""
        self.found = [task.score(self._sigma_px) for task in self._tasks]

    def metric(self, name: str) -> None:
        """Score one metric of the models under the first task, whose human map is there."""
        task = self._tasks[0]
        for model in range(len(task.models)):
            task.metric(name, model)

    def blur(self) -> None:
        """Make the human map of the first task."""
        self._tasks[0].blur(self._sigma_px)


class _Task:
    def __init__(self, looked: Any, maps: list[Any]) -> None:
        import pysaliency
        from pysaliency.models import Model, SaliencyMapNormalizingModel

        class Given(pysaliency.SaliencyMapModel):
            """Hands out a map that is in memory."""

            def __init__(self, values: Any) -> None:
                super().__init__(caching=False)
                self.values = values

            def _saliency_map(self, _stimulus: object) -> Any:
                return self.values

        class GivenDensity(Model):
            """Hands out a log density that is in memory."""

            def __init__(self, values: Any) -> None:
                super().__init__(caching=False)
                self.values = values

            def _log_density(self, _stimulus: object) -> Any:
                return self.values

        self.pysaliency = pysaliency
        height, width = maps[0].shape
        self.stimuli = pysaliency.Stimuli([np.zeros((height, width, 3), np.uint8)])
        self.fixations = self._fixations(looked.x, looked.y)
        rows, columns = np.divmod(looked.negatives.index, width)
        self.negatives = self._fixations(columns, rows)
        self.models = [Given(values) for values in maps]
        self.densities = [SaliencyMapNormalizingModel(model, minimum_value=0.0) for model in self.models]
        self.centre = GivenDensity(
            np.log(looked.centre.astype(np.float64) / looked.centre.sum(dtype=np.float64))
        )
        self.human: Any = None

    def _fixations(self, x: Any, y: Any) -> Any:
        return self.pysaliency.Fixations.create_without_history(x=x, y=y, n=np.zeros(len(x), int))

    def blur(self, sigma_px: float) -> None:
        """Make the human map, which its metrics then share."""
        self.human = self.pysaliency.FixationMap(self.stimuli, self.fixations, kernel_size=sigma_px)
        self.human.saliency_map(self.stimuli[0])

    def score(self, sigma_px: float) -> list[dict[str, float]]:
        self.blur(sigma_px)
        names = ("nss", "auc", "auc_judd", "sauc", "cc", "sim", "kl", "ig")
        return [{name: self.metric(name, k) for name in names} for k in range(len(self.models))]

    def metric(self, name: str, k: int) -> float:
        """Return one metric of one model, as its benchmark asks for it."""
        model, stimuli, fixations, human = self.models[k], self.stimuli, self.fixations, self.human
        calls: dict[str, Callable[[], object]] = {
            "nss": lambda: model.NSSs(stimuli, fixations),
            "auc": lambda: model.AUCs(stimuli, fixations),
            "auc_judd": lambda: model.AUC_Judd(stimuli, fixations, jitter=False),
            "sauc": lambda: model.AUCs(stimuli, fixations, nonfixations=self.negatives),
            "cc": lambda: model.CC(stimuli, human),
            "sim": lambda: model.SIM(stimuli, human),
            "kl": lambda: model.image_based_kl_divergence(
                stimuli, human, minimum_value=0, log_regularization=_EPSILON, quotient_regularization=_EPSILON
            ),
            "ig": lambda: self.densities[k].information_gain(stimuli, fixations, baseline_model=self.centre),
        }
        return float(np.mean(calls[name]()))
