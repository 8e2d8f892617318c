import numpy as np
import pytest

from keras_bc.layers import BinaryDense
from tests.keras_bc.layer_checks import check_layer
from tests.keras_bc.running_backend import gradients

KERNEL = np.array([[0.5, -0.2], [0.0, -0.9], [-0.1, 0.3]], "float32")
X = np.array([[1.0, 2.0, 4.0]], "float32")


def _layer(**arguments):
    layer = BinaryDense(2, **arguments)
    layer.build((1, 3))
    layer.set_weights([KERNEL, np.array([10.0, 20.0]), *layer.get_weights()[2:]])
    return layer


@pytest.mark.parametrize(
    "quantizer", ["binary", "stochastic_binary", "ternary", "stochastic_ternary"]
)
def test_does_what_every_layer_must(quantizer):
    arguments = {"units": 5, "kernel_quantizer": quantizer, "activation": "sigmoid"}
    check_layer(BinaryDense, arguments, (4, 3), (4, 5))


def test_works_on_the_last_axis_of_any_rank():
    check_layer(BinaryDense, {"units": 5, "use_bias": False}, (2, 6, 3), (2, 6, 5))


def test_multiplies_by_the_signs_of_the_weights():
    # signs: [[+, -], [+, -], [-, +]] as sign(0) = +1, so 1+2-4 = -1 and -1-2+4 = 1, plus the bias.
    for training in (False, True):
        assert np.array_equal(_layer()(X, training=training), [[9, 21]])


def test_scales_by_h():
    np.testing.assert_allclose(
        _layer(kernel_quantizer={"class_name": "keras_bc>Binary", "config": {"scale": 0.5}})(X),
        [[9.5, 20.5]],
    )


def test_multiplies_by_the_real_weights_when_told_to():
    layer = _layer()
    layer.weights_mode = "real"
    # 0.5 + 0 - 0.4 = 0.1 and -0.2 - 1.8 + 1.2 = -0.8, plus the bias.
    np.testing.assert_allclose(layer(X), [[10.1, 19.2]], rtol=1e-6)
    assert np.array_equal(layer(X, training=True), [[9, 21]])


def test_passes_the_gradient_at_the_signs_straight_to_the_real_weights():
    layer = _layer()
    x_gradient, kernel_gradient = gradients(lambda x: layer(x, training=True), [X], [layer.kernel])
    assert np.array_equal(kernel_gradient, [[1, 1], [2, 2], [4, 4]])
    assert np.array_equal(x_gradient, [[0, 0, 0]])


def test_deployed_kernel_is_of_plus_and_minus_h():
    deployed = _layer().deployed_kernel()
    assert deployed.dtype == "float32"
    assert np.array_equal(deployed, [[1, -1], [1, -1], [-1, 1]])
