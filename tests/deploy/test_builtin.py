import numpy as np
import pytest

from keras_bc.deploy.builtin import builtin_channels, explicit_window, softmax_table
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import Window


def dense(kind, scales):
    """x [1, 3] -> y [1, 2], input scale 0.1 and output scale 0.3."""
    graph = Graph("dense")
    for tensor in (
        Tensor("x", (1, 3), "int8", None, np.array([0.1], np.float32)),
        Tensor("w", (2, 3), "int8", np.ones((2, 3), np.int8), np.array(scales, np.float32)),
        Tensor("b", (2,), "int32", np.array([7, -9], np.int32)),
        Tensor("y", (1, 2), "int8", None, np.array([0.3], np.float32)),
    ):
        graph.tensors[tensor.name] = tensor
    return graph, Op(kind, "dense", ["x", "w", "b"], ["y"])


@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED"])
def test_channels_are_the_real_multipliers(kind):
    channels = builtin_channels(*dense(kind, [0.02, 0.7]))
    assert channels.dtype == np.int32
    np.testing.assert_array_equal(channels[:, 0], [7, -9])
    real = channels[:, 1] * 2.0 ** -channels[:, 2].astype(float)
    np.testing.assert_allclose(real, [0.1 * 0.02 / 0.3, 0.1 * 0.7 / 0.3], rtol=1e-6)


def test_one_scale_serves_all_channels():
    channels = builtin_channels(*dense("FULLY_CONNECTED", [0.7]))
    assert channels.shape == (2, 3)
    np.testing.assert_array_equal(channels[0, 1:], channels[1, 1:])


def test_only_a_fully_connected_of_one_scale_rounds_the_product_to_float32():
    real = {
        kind: int(builtin_channels(*dense(kind, [0.7]))[0, 1])
        for kind in ("CONV_2D", "FULLY_CONNECTED")
    }
    x, w, y = (np.float32(scale) for scale in (0.1, 0.7, 0.3))
    exact = float(x) * float(w) / float(y)
    rounded = float(x * w) / float(y)
    assert real["CONV_2D"] == round(exact * 2**33)
    assert real["FULLY_CONNECTED"] == round(rounded * 2**33)
    assert real["CONV_2D"] != real["FULLY_CONNECTED"]


def test_window_of_a_pooling():
    graph = Graph("pool", {"x": Tensor("x", (1, 7, 8, 2), "int8")})
    options = {"filter_h": 3, "filter_w": 2, "stride_h": 2, "stride_w": 2, "padding": "SAME"}
    op = Op("MAX_POOL_2D", "pool", ["x"], ["y"], options)
    assert explicit_window(graph, op) == Window(3, 2, 2, 2, pad_top=1, pad_bottom=1)
    op.options["padding"] = "VALID"
    assert explicit_window(graph, op) == Window(3, 2, 2, 2)


def test_window_of_a_convolution():
    graph = Graph("conv", {"x": Tensor("x", (1, 7, 8, 2)), "w": Tensor("w", (4, 3, 2, 2))})
    options = {"stride_h": 1, "stride_w": 1, "dilation_h": 2, "dilation_w": 3, "padding": "SAME"}
    op = Op("CONV_2D", "conv", ["x", "w", "b"], ["y"], options)
    expected = Window(3, 2, 1, 1, 2, 3, pad_top=2, pad_left=1, pad_bottom=2, pad_right=2)
    assert explicit_window(graph, op) == expected


def test_softmax_table():
    table = softmax_table(0.25)
    assert table.dtype == np.float32 and table.shape == (256,)
    assert table[0] == 1
    np.testing.assert_allclose(table[[4, 8]], [0.36787944, 0.13533528], rtol=1e-7)
