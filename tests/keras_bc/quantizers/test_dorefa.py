import numpy as np
import pytest

from keras_bc.quantizers import DoReFa
from tests.keras_bc.running_backend import gradients

X = np.array([-0.5, 0.0, 0.1, 0.17, 0.4, 0.6, 0.84, 1.0, 1.2], "float32")


def test_has_evenly_spaced_levels():
    third = np.float32(1 / 3)
    expected = np.array([0, 0, 0, 1, 1, 2, 3, 3, 3], "float32") * third
    np.testing.assert_allclose(DoReFa(2)(X), expected, rtol=1e-6)
    assert np.array_equal(DoReFa(1)(X), [0, 0, 0, 0, 0, 1, 1, 1, 1])
    assert len(np.unique(DoReFa(3)(np.linspace(-1, 2, 1000, dtype="float32")))) == 8


def test_gradient_is_one_inside():
    (gradient,) = gradients(lambda x: DoReFa()(x, training=True), [X])
    assert np.array_equal(gradient, [0, 1, 1, 1, 1, 1, 1, 1, 0])


@pytest.mark.parametrize("bits", [0, -1, 1.5, True])
def test_bits_are_counted(bits):
    with pytest.raises(ValueError, match="bits"):
        DoReFa(bits)
