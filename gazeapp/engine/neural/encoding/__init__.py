"""Encoding models: how well features of images predict brain responses, target by target."""

from gazeapp.engine.neural.encoding.bootstrap import intervals
from gazeapp.engine.neural.encoding.compare import Compared, compare
from gazeapp.engine.neural.encoding.folds import RidgeSettings
from gazeapp.engine.neural.encoding.nested import Encoded, encode
from gazeapp.engine.neural.encoding.permutation import PermutationTest, permutation_test

__all__ = [
    "Compared",
    "Encoded",
    "PermutationTest",
    "RidgeSettings",
    "compare",
    "encode",
    "intervals",
    "permutation_test",
]
