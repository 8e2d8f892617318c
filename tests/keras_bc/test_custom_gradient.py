import numpy as np
import pytest
from keras import ops

from keras_bc.custom_gradient import custom_gradient
from tests.keras_bc.running_backend import WAYS, gradients


@custom_gradient
def _product(a, b):
    return ops.multiply(a, b), lambda upstream: (upstream * 10, upstream * b)


@pytest.mark.parametrize("way", WAYS)
def test_the_gradient_is_the_given_one(way):
    a, b = np.array([1.0, 2.0], "float32"), np.array([3.0, 4.0], "float32")
    given = gradients(_product, (a, b), upstream=np.array([1.0, -1.0], "float32"), way=way)
    np.testing.assert_array_equal(_product(ops.array(a), ops.array(b)), [3, 8])
    np.testing.assert_array_equal(given, [[10, -10], [3, -4]])
