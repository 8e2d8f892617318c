import numpy as np
import pytest

from keras_bc.quantizers import MagnitudeAware
from tests.keras_bc.running_backend import gradients

W = np.array([[0.5, -2.0], [-0.25, 0.0], [0.75, 1.0]], "float32")


def test_keeps_each_channels_mean_magnitude():
    assert np.array_equal(MagnitudeAware()(W), [[0.5, -1], [-0.5, 1], [0.5, 1]])


def test_other_axes_tell_channels_apart():
    kernel = W.reshape(1, 1, 3, 2)
    assert np.array_equal(MagnitudeAware((-2, -1))(kernel), np.where(W == 0, 0, kernel))
    rows = np.array([1.25, 0.125, 0.875], "float32")[:, None]
    expected = np.where(W >= 0, rows, -rows).reshape(kernel.shape)
    assert np.array_equal(MagnitudeAware(-2)(kernel), expected)


def test_gradient_takes_the_magnitude_as_constant():
    (gradient,) = gradients(lambda w: MagnitudeAware()(w, training=True), [W])
    assert np.array_equal(gradient, [[0.5, 0], [0.5, 1], [0.5, 1]])


@pytest.mark.parametrize("axes", [0, 1, (-3,), ()])
def test_channels_are_on_the_last_axes(axes):
    with pytest.raises(ValueError, match="channel_axes"):
        MagnitudeAware(axes)
