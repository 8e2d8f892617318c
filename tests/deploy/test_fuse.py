import keras
import numpy as np
import pytest
from keras import layers

import keras_bc
from keras_bc.deploy import calibrate
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.trace import trace
from tests.deploy.networks import random_network, randomize_batch_norms, samples_for


def fused(*stack):
    model = keras.Sequential([keras.Input((8, 9, 3)), *stack])
    randomize_batch_norms(model, np.random.default_rng(1))
    graph = fuse(trace(model))
    check_equal(model, graph)
    return graph


def check_equal(model, graph):
    x = samples_for(model, 5)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(
        calibrate.run(graph, x)[graph.outputs[0]], expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_fused_graph_computes_what_keras_does(seed):
    model = random_network(seed)
    check_equal(model, fuse(trace(model)))


@pytest.mark.parametrize(
    "order",
    [
        ("pool", "norm", "relu"),
        ("norm", "pool", "relu"),
        ("norm", "relu", "pool"),
        ("relu", "pool"),
    ],
)
def test_every_usual_order_is_one_op(order):
    make = {
        "pool": lambda: layers.MaxPooling2D(2),
        "norm": layers.BatchNormalization,
        "relu": layers.ReLU,
    }
    graph = fused(keras_bc.BinaryConv2D(16, 3), *(make[name]() for name in order))
    assert [op.kind for op in graph.ops] == ["conv_2d"]


def test_overlapping_pooling_stays_apart_unless_batch_norm_follows():
    pool = {"pool_size": 3, "strides": 2}
    apart = fused(keras_bc.BinaryConv2D(4, 3), layers.MaxPooling2D(**pool), layers.ReLU())
    assert [op.kind for op in apart.ops] == ["conv_2d", "max_pool_2d"]
    joined = fused(
        keras_bc.BinaryConv2D(4, 3), layers.MaxPooling2D(**pool), layers.BatchNormalization()
    )
    assert [op.kind for op in joined.ops] == ["conv_2d"]


def test_batch_norm_after_an_activation_is_an_op_of_its_own():
    graph = fused(keras_bc.BinaryConv2D(4, 3), layers.ReLU(), layers.BatchNormalization())
    assert [op.options["groups"] for op in graph.ops] == [1, 4]


def test_zero_padding_folds_into_a_binary_convolution():
    graph = fused(layers.ZeroPadding2D(((1, 2), (3, 4))), keras_bc.BinaryConv2D(4, 3))
    (op,) = graph.ops
    assert op.options["window"].pad_right == 4


def test_a_dense_layer_of_real_weights_is_a_1x1_convolution():
    graph = fused(layers.Flatten(), layers.Dense(4))
    assert [op.kind for op in graph.ops] == ["reshape", "reshape", "conv_2d", "reshape"]


def test_bounds_of_two_activations_meet():
    graph = fused(keras_bc.BinaryConv2D(4, 3), layers.ReLU(6.0), layers.ReLU(3.0))
    assert (graph.ops[0].options["low"], graph.ops[0].options["high"]) == (0.0, 3.0)
