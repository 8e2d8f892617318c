import keras
import pytest
from keras import layers

import keras_bc.layers as ours
from keras_bc.calls import calls
from keras_bc.costs.products import gate_products, products
from keras_bc.layers.recurrent import BinaryGRU, BinaryLSTM, BinarySimpleRNN


def _call(layer, shape):
    (call,) = calls(keras.Sequential([keras.Input(shape), layer]))
    return call


# Of each product: weights, output channels, MACs, inputs read, outputs given.
CASES = [
    ("Dense", {"units": 5}, (4, 3), [(15, 5, 60, 12, 20)]),
    ("Conv1D", {"filters": 5, "kernel_size": 2}, (7, 3), [(30, 5, 6 * 30, 21, 30)]),
    # 4 x 4 places; two groups of two channels and three filters.
    (
        *("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2}),
        *((6, 6, 4), [(3 * 3 * 2 * 6, 6, 16 * 108, 144, 96)]),
    ),
    (
        *("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}),
        *((6, 6, 4), [(72, 8, 16 * 72, 144, 128)]),
    ),
    (
        *("SeparableConv2D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2}),
        *((6, 6, 4), [(72, 8, 16 * 72, 144, 128), (40, 5, 16 * 40, 128, 80)]),
    ),
    # Each of 3 x 3 pixels adds its 2 x 2 windows of 5 filters.
    (
        *("Conv2DTranspose", {"filters": 5, "kernel_size": 2, "strides": 2}),
        *((3, 3, 4), [(80, 5, 9 * 80, 36, 180)]),
    ),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "expected"), CASES)
@pytest.mark.parametrize("binary", [False, True])
def test_counts_by_hand(name, arguments, shape, expected, binary):
    layer = getattr(ours, f"Binary{name}") if binary else getattr(layers, name)
    found = products(_call(layer(**arguments), shape))
    assert [(p.weights, p.channels, p.macs, p.inputs, p.outputs) for p in found] == expected
    assert {p.signs_only for p in found} == {binary}


@pytest.mark.parametrize(
    ("layer", "gates", "element_wise"),
    [
        *((layers.SimpleRNN, 1, 0), (layers.LSTM, 4, 3), (layers.GRU, 3, 3)),
        *((BinarySimpleRNN, 1, 0), (BinaryLSTM, 4, 3), (BinaryGRU, 3, 3)),
    ],
)
@pytest.mark.parametrize("sequences", [False, True])
def test_recurrent_layers(layer, gates, element_wise, sequences):
    call = _call(layer(5, return_sequences=sequences), (7, 2))
    inputs, states = products(call)
    assert (inputs.weights, inputs.macs) == (2 * 5 * gates, 7 * 2 * 5 * gates)
    assert (states.weights, states.macs) == (5 * 5 * gates, 7 * 5 * 5 * gates)
    assert inputs.reads_call and not states.reads_call
    assert gate_products(call) == 7 * 5 * element_wise


def test_wrapped_and_stacked_cells():
    both = products(_call(layers.Bidirectional(layers.LSTM(5)), (7, 2)))
    assert [p.weights for p in both] == [40, 100, 40, 100]
    assert [p.reads_call for p in both] == [True, False, True, False]
    stacked = layers.RNN([layers.GRUCell(5), layers.SimpleRNNCell(3)])
    found = products(_call(stacked, (7, 2)))
    assert [p.weights for p in found] == [2 * 15, 5 * 15, 5 * 3, 3 * 3]
    assert [p.reads_call for p in found] == [True, False, False, False]


def test_other_layers_have_none():
    assert products(_call(layers.LayerNormalization(), (4,))) == []
    assert products(_call(layers.ConvLSTM1D(2, 3), (4, 5, 2))) == []


def test_quantizers_are_the_owners():
    layer = ours.BinaryDense(
        2, kernel_quantizer="ternary", input_quantizer="sign", backprop_quantizer="power_of_two"
    )
    (product,) = products(_call(layer, (4,)))
    assert product.signs_only
    assert product.input_quantizer is layer.input_quantizer
    assert product.backprop_quantizer is layer.backprop_quantizer


def test_levels_of_dorefa_are_multiplied():
    layer = ours.BinaryDense(2, kernel_quantizer="dorefa", kernel_constraint="non_neg")
    assert not products(_call(layer, (4,)))[0].signs_only
