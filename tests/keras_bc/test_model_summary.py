import collections
import math

import keras
import numpy as np
import pytest
from keras import layers

import keras_bc
from keras_bc.deploy import export, flatbuffer
from keras_bc.deploy.inspection import layer_rows
from keras_bc.deploy.lowering import lower
from keras_bc.layers import (
    BinaryConv2D,
    BinaryDense,
    BinarySeparableConv2D,
    SignActivation,
)
from keras_bc.layers.normalization import ShiftBatchNormalization
from keras_bc.layers.recurrent import BinaryGRU, BinaryLSTM, BinarySimpleRNN
from keras_bc.model_summary import describe
from keras_bc.recipes import build, find
from tests.deploy.networks import random_network, samples_for


def _model():
    return keras.Sequential(
        [
            keras.Input((9, 9, 4)),
            layers.Conv2D(6, 3, name="real"),
            BinaryConv2D(8, 3, strides=2, groups=2, name="binary"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(name="flatten"),
            BinaryDense(10, name="dense"),
        ],
        name="model",
    )


def _rows(model, *keys):
    rows = describe(model)["layers"]
    return {row["name"]: tuple(row[key] for key in keys) for row in rows}


def test_counts_by_hand():
    assert _rows(_model(), "weights", "bytes", "macs", "multiplications") == {
        # 7x7 outputs of 6 channels, each 3x3x4 weights; a byte a weight and a bias of 4. All is
        # multiplied, and then each output is requantized.
        "real": ({8: 216}, 216 + 6 * 4, {"8x8": 49 * 216}, 49 * 216 + 49 * 6),
        # 3x3 outputs of 8 channels, each 3x3x3 weights of 6 channels in two groups: one word each.
        "binary": ({1: 216}, 8 * (4 + 12), {"1x8": 9 * 216}, 9 * 8),
        "norm": ({}, 0, {}, 0),
        "flatten": ({}, 0, {}, 0),
        # 72 weights a unit take three words.
        "dense": ({1: 720}, 10 * (12 + 12), {"1x8": 720}, 10),
    }
    described = describe(_model())
    assert described["weights"] == {1: 936, 8: 216}
    assert described["bytes"] == 240 + 128 + 240
    assert described["macs"] == {"1x8": 9 * 216 + 720, "8x8": 49 * 216}
    assert described["multiplications"] == 49 * 216 + 49 * 6 + 9 * 8 + 10
    assert described["exported"]


def test_prints_what_it_returns(capsys):
    described = keras_bc.summary(_model())
    shown = capsys.readouterr().out
    assert described == describe(_model())
    for word in ("binary", "total", "608", "1x8 MACs", "8-bit weights"):
        assert word in shown
    assert keras_bc.summary(_model(), verbose=False) == described
    assert capsys.readouterr().out == ""


def test_ternary_weights_have_two_planes():
    model = keras.Sequential([keras.Input((33,)), BinaryDense(5, kernel_quantizer="ternary")])
    described = describe(model)
    assert (described["weights"], described["macs"]) == ({2: 165}, {"2x8": 165})
    assert described["bytes"] == 5 * (2 * 2 * 4 + 12)
    assert described["exported"]


def test_one_bit_networks_multiply_nothing_but_at_the_end():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            BinaryConv2D(4, 3, name="first"),
            ShiftBatchNormalization(),
            SignActivation(),
            BinaryConv2D(4, 3, name="second"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            SignActivation(),
            layers.Flatten(),
            BinaryDense(2, name="dense"),
            layers.BatchNormalization(),
        ]
    )
    rows = _rows(model, "macs", "multiplications")
    assert rows["first"] == ({"1x8": 36 * 108}, 0)
    assert rows["second"] == ({"1x1": 16 * 144}, 0)
    assert rows["dense"] == ({"1x1": 32}, 2)
    assert describe(model)["multiplications"] == 2


def test_what_stands_alone():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            layers.BatchNormalization(name="norm"),
            layers.AveragePooling2D(3, name="average"),
            ShiftBatchNormalization(name="shift"),
            layers.Flatten(),
            layers.Softmax(name="softmax"),
        ]
    )
    rows = _rows(model, "bytes", "multiplications")
    assert rows["norm"] == (4 * 16, 144)
    assert rows["average"] == (0, 2 * 2 * 4)  # ninths
    assert rows["shift"] == (4 * 16, 0)
    assert rows["softmax"] == (0, 16)


def test_recurrent_and_separable_layers():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            BinarySeparableConv2D(8, 3, name="separable"),
            layers.Reshape((16, 8)),
            BinaryLSTM(5, name="lstm"),
            layers.Reshape((5, 1)),
            layers.GRU(2, name="gru"),
        ]
    )
    rows = _rows(model, "weights", "bytes", "macs", "multiplications", "exported")
    # Depthwise 4 channels of 9 weights, pointwise 8 of 4; both requantize their 4x4 outputs.
    depthwise = ({1: 68}, 4 * 16 + 8 * 16, {"1x8": 16 * 36 + 16 * 32}, 16 * 4 + 16 * 8, True)
    assert rows["separable"] == depthwise
    # 20 channels each, requantized at 16 steps; 3 products of 5 gates.
    lstm = ({1: 260}, 2 * 20 * 16, {"1x8": 16 * 260}, 2 * 16 * 20 + 16 * 15, True)
    assert rows["lstm"] == lstm
    gru = ({8: 18}, 18 + 2 * 6 * 4, {"8x8": 5 * 18}, 5 * 18 + 2 * 5 * 6 + 5 * 6, False)
    assert rows["gru"] == gru


def test_weights_of_other_kinds_are_float32():
    model = keras.Sequential([keras.Input((4, 4, 4, 2)), layers.Conv3D(3, 2, name="conv")])
    assert _rows(model, "weights", "bytes", "macs", "multiplications", "exported")["conv"] == (
        *({32: 48}, 4 * (48 + 3), {"float": 27 * 48}, 27 * 48, False),
    )
    model = keras.Sequential([keras.Input((4,)), layers.LayerNormalization(name="norm")])
    assert _rows(model, "weights", "bytes", "macs", "multiplications", "exported")["norm"] == (
        *({32: 8}, 32, {}, None, False),
    )


def test_a_layer_called_twice_stores_its_weights_once():
    x = keras.Input((4,))
    dense = BinaryDense(4)
    described = describe(keras.Model(x, dense(dense(x))))
    assert (described["weights"], described["bytes"]) == ({1: 16}, 4 * 16)
    assert (described["macs"], described["multiplications"]) == ({"1x8": 32}, 8)


class TestAgainstExports:
    """What the summary says before, and what the exported file holds."""

    RECIPES = ("mnist-mlp-small", "mnist-cnn-small", "digits-mlp")
    # Of each tensor and operation: tables, offsets, alignment, names; the schema and the metadata.
    HEADER_BYTES = 256
    # Of each channel of an int8 kernel: its scale (float32) and zero point (int64).
    CHANNEL_HEADER_BYTES = 12

    @pytest.fixture(scope="class", params=[*RECIPES, *range(20)])
    def exported(self, request):
        """The summary, the file and the graph in it."""
        name = request.param
        model = build(find(name)) if name in self.RECIPES else random_network(name)
        data = flatbuffer.write(export.to_graph(model, samples_for(model, 10)))
        return describe(model), data, flatbuffer.read(data)

    def test_bytes(self, exported):
        described, data, graph = exported
        sizes = collections.Counter()
        for op, layer in zip(graph.ops, layer_rows(graph), strict=True):
            if op.kind not in ("PAD", "RESHAPE"):
                sizes[op.name] += layer["weight_bytes"]
        assert {row["name"]: row["bytes"] for row in described["layers"] if row["bytes"]} == +sizes
        assert described["bytes"] == sizes.total()

        kernels = [t for t in graph.tensors.values() if t.data is not None and t.scale is not None]
        headers = self.HEADER_BYTES * (len(graph.tensors) + len(graph.ops))
        headers += self.CHANNEL_HEADER_BYTES * sum(len(kernel.scale) for kernel in kernels)
        assert described["bytes"] < len(data) < described["bytes"] + headers

    def test_macs(self, exported):
        described, _, graph = exported
        # A batch norm or ReLU that stands alone is lowered to a convolution, too.
        linear = {row["name"]: sum(row["macs"].values()) for row in described["layers"]}
        macs = {call.op.name: call.macs for call in lower(graph) if linear[call.op.name]}
        assert macs == {name: count for name, count in linear.items() if count}

    def test_multiplications(self, exported):
        described, _, graph = exported
        left = 0
        for call in lower(graph):
            values = math.prod(graph.tensors[call.op.outputs[0]].shape)
            averaged = math.prod(call.op.options.get(f"filter_{side}", 1) for side in "hw")
            if call.op.kind.startswith("Kbc") or call.op.kind == "SOFTMAX":
                left += values
            elif call.op.kind == "CONV_2D":
                left += values + call.macs
            elif call.op.kind == "AVERAGE_POOL_2D" and not math.log2(averaged).is_integer():
                left += values
        assert described["multiplications"] == left


@pytest.mark.parametrize("kind", [BinarySimpleRNN, BinaryGRU, BinaryLSTM])
@pytest.mark.parametrize("use_bias", [True, False])
def test_the_steps_of_a_recurrent_layer_share_their_parameters(kind, use_bias):
    layer = kind(5, use_bias=use_bias, name="recurrent")
    model = keras.Sequential([keras.Input((4, 3)), layer])
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    graph = export.to_graph(model, samples_for(model, 10))
    moves = ("SLICE", "RESHAPE")
    kept = [op["weight_bytes"] for op in layer_rows(graph) if op["op"] not in moves]
    assert sum(kept) == describe(model)["bytes"]


def test_refuses_a_model_of_unknown_shapes():
    with pytest.raises(keras_bc.UserError, match="sequential or functional"):
        keras_bc.summary(keras.Sequential([BinaryDense(2)]))
