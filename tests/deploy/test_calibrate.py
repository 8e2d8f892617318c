import keras
import numpy as np
import pytest

import keras_bc
from keras_bc.deploy.calibrate import calibrate
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.trace import trace
from keras_bc.errors import UserError


@pytest.fixture
def graph():
    model = keras.Sequential([keras.Input((2,)), keras_bc.BinaryDense(1, use_bias=False, name="d")])
    model.layers[0].kernel.assign([[0.5], [-0.5]])
    return fuse(trace(model))


def test_ranges_are_the_extremes_of_all_samples(graph):
    samples = np.zeros((1000, 2), np.float32)  # more than one batch
    samples[0], samples[999] = (3, 1), (-2, 4)
    assert calibrate(graph, samples) == {"input": (-2.0, 4.0), "d": (-6.0, 2.0)}


@pytest.mark.parametrize(
    "samples, words",
    [
        (np.zeros((0, 2)), "empty"),
        (np.zeros((3, 4)), r"shape \(4,\), the model's input \(2,\)"),
        (np.full((3, 2), np.nan), "NaN"),
    ],
)
def test_samples_that_do_not_fit_are_an_error(graph, samples, words):
    with pytest.raises(UserError, match=words):
        calibrate(graph, samples)
