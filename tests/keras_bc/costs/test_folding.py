"""Folding against what the exporter makes of the same layers."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_bc.calls import calls
from keras_bc.costs.folding import fold
from keras_bc.deploy import export
from keras_bc.layers import BinaryConv2D, BinaryDense, SignActivation
from keras_bc.layers.normalization import ShiftBatchNormalization
from tests.deploy.networks import random_network, samples_for

ACCUMULATING = ("KbcFullyConnected", "KbcConv2D", "KbcDepthwiseConv2D", "CONV_2D")


@pytest.mark.parametrize("seed", range(30))
def test_the_exporter_has_the_same_operations(seed):
    model = random_network(seed)
    graph = export.to_graph(model, samples_for(model, 10))
    exported = [
        (op.name, int(np.prod(graph.tensors[op.outputs[0]].shape)))
        for op in graph.ops
        if op.kind in ACCUMULATING
    ]
    folded = fold(calls(model))
    assert [(call.layer.name, o.values) for call, o in folded.items()] == exported


def _fold(*between, first=None):
    first = first or BinaryConv2D(3, 2, name="conv")
    model = keras.Sequential([keras.Input((7, 7, 2)), first, *between])
    return {call.layer.name: operation for call, operation in fold(calls(model)).items()}


def test_signs_fold_into_thresholds():
    between = [layers.MaxPooling2D(2), layers.BatchNormalization(), layers.Flatten()]
    folded = _fold(*between, SignActivation())
    assert list(folded) == ["conv"]
    assert folded["conv"].threshold and folded["conv"].values == 3 * 3 * 3
    assert _fold(layers.Activation("hard_tanh"), SignActivation())["conv"].threshold
    assert _fold(layers.Flatten(), BinaryDense(2, input_quantizer="sign"))["conv"].threshold
    assert not _fold(layers.AveragePooling2D(2), SignActivation())["conv"].threshold


def test_a_sign_beside_another_reader_is_no_threshold():
    x = keras.Input((4,))
    y = BinaryDense(4, name="dense")(x)
    model = keras.Model(x, layers.Add()([SignActivation()(y), y]))
    ((_, operation),) = fold(calls(model)).items()
    assert not operation.threshold


def test_a_batch_norm_alone():
    folded = _fold(layers.AveragePooling2D(2), ShiftBatchNormalization(name="norm"))
    assert folded["norm"].alone and folded["norm"].shifts
    assert not folded["conv"].alone
