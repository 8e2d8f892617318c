"""sign(0) = +1 wherever a sign is taken: -0.0 too, for export and the chip keep no such sign."""

import numpy as np
import pytest

from keras_bc.quantizers import (
    ApproxSign,
    Binary,
    MagnitudeAware,
    Sign,
    StochasticBinary,
    StochasticSign,
    SwishSign,
)
from tests.keras_bc.running_backend import WAYS, compiled

X = np.array([[0.0, -0.0], [1.0, -1.0]], "float32")
SIGNS = [Binary(), Binary("glorot"), MagnitudeAware(), Sign(), ApproxSign(), SwishSign()]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "quantizer", [*SIGNS, StochasticBinary(), StochasticSign()], ids=lambda q: type(q).__name__
)
def test_is_plus_one_at_inference(quantizer, way):
    assert np.array_equal(np.sign(compiled(quantizer, way)(X)), [[1, 1], [1, -1]])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("quantizer", SIGNS, ids=lambda q: type(q).__name__)
def test_is_plus_one_in_training(quantizer, way):
    function = compiled(lambda x: quantizer(x, training=True), way)
    assert np.array_equal(np.sign(function(X)), [[1, 1], [1, -1]])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_is_plus_one_in_half_precision(dtype, way):
    from keras import ops

    function = compiled(lambda x: ops.cast(Sign()(ops.cast(x, dtype)), "float32"), way)
    assert np.array_equal(function(X), [[1, 1], [1, -1]])
