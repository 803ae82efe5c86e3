"""Raw signals lie far from 0, in any unit: neither may change a number."""

import numpy as np
import pytest

from gazeapp.engine.neural.encoding import RidgeSettings, compare, encode, intervals, permutation_test
from gazeapp.engine.neural.partition import partition
from tests.engine.neural.encoding.made_up import study

FEW = RidgeSettings(penalties=(1.0, 1e3, 1e6))
"""Also one that leaves next to nothing of a prediction."""


def found_of(features, other, responses):
    first, second = (encode(one, responses, FEW) for one in (features, other))
    test = permutation_test(features, responses, FEW, 30)
    compared = compare(first.predictions, second.predictions, responses, first.fold, 100)
    numbers = {
        "r": first.r,
        "r2": first.r2,
        "ends": np.array(intervals(first.predictions, responses, first.fold, 100)),
        "p": np.array([test.p, test.p_max]),
        "difference": np.array([compared.difference, compared.low, compared.high]),
        "p of difference": np.array([compared.p, compared.p_fdr, compared.p_max]),
    }
    unique = partition(features, other, responses, FEW, 30, 30).unique
    return first, numbers | {"unique": np.array([unique.value, unique.low, unique.high, unique.p])}


@pytest.fixture(scope="module")
def data():
    features, responses = study(1, 48, 12, np.repeat([0.6, 0.2, 0.0], 8), 24)
    other = np.random.default_rng(2).normal(size=(48, 9))
    # In steps that single precision holds at 100,000 too: what a file has lost is nothing that can be had back.
    return features, other, (np.round(responses * 64) / 64).astype(np.float32)


@pytest.fixture(scope="module")
def plain(data):
    return found_of(*data)


@pytest.mark.parametrize(
    ("offset", "scale"), [(1e3, 1.0), (1e5, 1.0), (-1e5, 1.0), (0.0, 1e-3), (0.0, 1e3), (5e7, 1e3)]
)
def test_neither_offset_nor_scale_changes_a_number(data, plain, offset, scale):
    features, other, responses = data
    far = (responses.astype(np.float64) * scale + offset) if offset == 5e7 else responses * np.float32(scale)
    far = far if offset == 5e7 else (far + np.float32(offset))
    encoded, numbers = found_of(features, other, far)
    # Scaled values are rounded anew, each by a ten-millionth of itself.
    atol = 1e-6 if scale == 1 else 1e-5
    for name, values in plain[1].items():
        np.testing.assert_allclose(numbers[name], values, rtol=0, atol=atol, err_msg=name)
    np.testing.assert_allclose(encoded.predictions / scale, plain[0].predictions, atol=1e-5)
    np.testing.assert_allclose(encoded.means, plain[0].means * scale + offset, rtol=1e-6, atol=1e-6 * scale)


def test_every_estimate_lies_in_its_interval(data):
    features, _, responses = data
    encoded, numbers = found_of(features, features[:, :5], responses + np.float32(1e5))
    low, high = numbers["ends"]
    assert ((low < encoded.r) & (encoded.r < high)).all()
