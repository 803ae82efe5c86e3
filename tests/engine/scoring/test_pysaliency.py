"""The default preset against pysaliency, the benchmark's own code, where that is installed."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.scoring.densities.information import information_gain
from gazeapp.engine.scoring.metrics import MAP_METRICS, HumanTarget, pixels, score_map

# Its ROC code calls np.trapz, which numpy 2.4 no longer has.
if not hasattr(np, "trapz"):
    np.trapz = np.trapezoid
pysaliency = pytest.importorskip("pysaliency")


@pytest.mark.parametrize("seed", range(12))
def test_every_metric_of_the_default_preset(seed):
    from pysaliency.metrics import CC, NSS, SIM, MIT_KLDiv, convert_saliency_map_to_density
    from pysaliency.roc import general_roc

    rng = np.random.default_rng(seed)
    base = rng.random((30, 40)) + 0.01
    values, human = rng.random((30, 40)), rng.random((30, 40))
    x, y = rng.uniform(0, 40, 25), rng.uniform(0, 30, 25)
    others = pixels(rng.uniform(0, 40, 90), rng.uniform(0, 30, 90), 30, 40)
    fixated = pixels(x, y, 30, 40)
    if seed % 3 == 2:  # ties
        values = np.floor(values * 6)
    found = score_map(values, fixated, others, HumanTarget(human), metrics=(*MAP_METRICS, "auc_judd"))
    at = values.ravel()
    assert found["nss"] == pytest.approx(np.mean(NSS(values, x.astype(int), y.astype(int))), abs=1e-9)
    assert found["auc"] == pytest.approx(general_roc(at[fixated.index], at, judd=0)[0], abs=1e-9)
    assert found["sauc"] == pytest.approx(
        general_roc(at[fixated.index], at[others.index], judd=0)[0], abs=1e-9
    )
    rest = np.delete(at, fixated.index)
    assert found["auc_judd"] == pytest.approx(general_roc(at[fixated.index], rest, judd=1)[0], abs=1e-9)
    assert found["cc"] == pytest.approx(CC(values, human), abs=1e-9)
    assert found["sim"] == pytest.approx(SIM(values, human), abs=1e-9)
    assert found["kl"] == pytest.approx(MIT_KLDiv(values, human), abs=1e-9)
    density, baseline = (convert_saliency_map_to_density(one.astype(float), 1e-20) for one in (values, base))
    gain = (np.log2(density) - np.log2(baseline)).ravel()[fixated.index].mean()
    assert information_gain(values, base, fixated, minimum=1e-20) == pytest.approx(gain, abs=1e-9)
