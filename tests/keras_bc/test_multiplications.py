import doctest

import keras
import pytest
from keras import layers

from keras_bc import multiplications
from keras_bc.layers import BinaryConv2D, BinaryDense, SignActivation
from keras_bc.layers.normalization import ShiftBatchNormalization
from keras_bc.multiplications import PHASES, count
from keras_bc.quantizers import Ternary
from keras_bc.recipes import build, find

FEW = {"kernel_quantizer": True, "backprop_quantizer": True}


class TestThePapersTable:
    """Neural Networks with Few Multiplications: 784-3x1024-10 and 200 examples."""

    @pytest.fixture(scope="class")
    def model(self):
        return build(find("mnist-few-none"))

    @pytest.mark.parametrize(
        ("batch_norm", "full", "few", "ratio"),
        [
            ("none", "1.7480e+09", "1.8492e+06", "0.001058"),
            ("plain", "1.7535e+09", "7.4245e+06", "0.004234"),
        ],
    )
    def test_to_all_digits(self, model, batch_norm, full, few, ratio):
        arguments = {"batch_size": 200, "batch_norm": batch_norm, "input_gradient": True}
        dense = count(model, **arguments)["total"]
        ternary = count(model, **arguments, **FEW)["total"]
        assert (f"{dense:.4e}", f"{ternary:.4e}") == (full, few)
        assert f"{ternary / dense:.6f}" == ratio

    def test_the_recipe_also_has_a_scale(self):
        model = build(find("mnist-few-ternary-qbp"))
        ours = count(model, 200, batch_norm="none")
        # H = the Glorot coefficient: once an output, forward, and backward but in the first layer.
        assert ours["forward"] == 200 * 3082 and ours["backward"] == 200 * (3082 - 1024)
        assert ours["total"] == 1849200 + ours["forward"] + ours["backward"]
        assert count(model, 200, batch_norm="none", **FEW)["total"] == 1849200


def _mlp(**arguments):
    kind = BinaryDense if arguments else layers.Dense
    return keras.Sequential(
        [
            keras.Input((7,)),
            kind(5, name="first", **arguments),
            layers.BatchNormalization(name="norm"),
            SignActivation(),
            kind(3, name="second", **arguments),
        ]
    )


def _phases(counted, layer=None):
    row = next(row for row in counted["layers"] if row["name"] == layer) if layer else counted
    return tuple(row[phase] for phase in PHASES)


def test_by_hand():
    counted = count(_mlp(), 4)
    # No gradient goes to the data.
    assert _phases(counted, "first") == (4 * 35, 0, 4 * 35, 2 * 20, 20)
    # Its inputs are signs: only the error going down is multiplied.
    assert _phases(counted, "second") == (0, 4 * 15, 0, 2 * 12, 12)
    assert _phases(counted, "norm") == (0, 0, 0, 9 * 20 + 9 * 5, 0)
    assert _phases(counted) == (140, 60, 140, 40 + 24 + 225, 32)
    assert counted["total"] == sum(_phases(counted))
    assert counted["unknown"] == []


def test_each_method_of_the_model_counts():
    assert _phases(count(_mlp(kernel_quantizer="binary"), 4), "first") == (0, 0, 140, 40, 20)
    model = _mlp(kernel_quantizer=Ternary(1.0), backprop_quantizer="power_of_two")
    assert _phases(count(model, 4), "first") == (0, 0, 0, 40, 20)
    model = _mlp(kernel_quantizer="binary", input_quantizer="sign")
    assert _phases(count(model, 4), "first") == (0, 0, 0, 40, 20)


def test_each_method_can_be_switched():
    model = _mlp(
        kernel_quantizer="binary", input_quantizer="sign", backprop_quantizer="power_of_two"
    )
    without = {"kernel_quantizer": False, "input_quantizer": False, "backprop_quantizer": False}
    full = count(_mlp(), 4, input_quantizer=False)
    assert _phases(count(model, 4, **without)) == _phases(full)
    assert _phases(full, "second") == (60, 60, 60, 24, 12)
    assert _phases(count(_mlp(), 4, kernel_quantizer=True), "first") == (0, 0, 140, 40, 20)
    assert _phases(count(_mlp(), 4, backprop_quantizer=True), "first") == (140, 0, 0, 40, 20)
    signs = count(_mlp(), 4, input_quantizer=True)
    assert _phases(signs, "first")[0] == 140  # its inputs are the data
    assert _phases(signs, "second")[0] == 0


def test_shift_based_batch_norm_divides_by_the_batch():
    for batch, left in ((4, 0), (6, 4 * 5)):
        counted = count(_mlp(), batch, batch_norm="shift")
        assert counted["element_wise"] == 2 * batch * (5 + 3) + left
    model = keras.Sequential([keras.Input((4, 4, 2)), ShiftBatchNormalization()])
    assert count(model, 1)["total"] == 0
    assert count(model, 3)["total"] == 4 * 2
    assert count(model, 3, batch_norm="plain")["total"] == 9 * 3 * 32 + 9 * 2
    assert count(model, 3, batch_norm="none")["total"] == 0


def test_scales_that_are_no_shift():
    def phases(quantizer):
        scaled = {"class_name": f"keras_bc>{quantizer[0]}", "config": quantizer[1]}
        return _phases(count(_mlp(kernel_quantizer=scaled), 4), "second")

    assert phases(("Binary", {"scale": 0.5})) == (0, 0, 0, 24, 12)
    assert phases(("Binary", {"scale": 0.3})) == (12, 12, 0, 24, 12)
    # The mean of each channel, and a factor of each weight's gradient.
    assert phases(("MagnitudeAware", {})) == (12 + 3, 12, 15, 24, 12)


def test_convolutions_count_each_place():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(3, 3, name="real"),
            BinaryConv2D(4, 3, name="binary"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    counted = count(model, 2)
    macs, binary = 16 * 54, 4 * 108
    assert _phases(counted, "real") == (2 * macs, 0, 2 * macs, 2 * 2 * 48, 2 * 48)
    assert _phases(counted, "binary") == (0, 0, 2 * binary, 2 * 2 * 16, 2 * 16)
    assert len(counted["layers"]) == 2  # the average of four is a shift


def test_dropout_and_averages_have_a_factor():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Dropout(0.2, name="data"),
            layers.Conv2D(3, 1),
            layers.Dropout(0.5),
            layers.AveragePooling2D(3, name="ninths"),
        ]
    )
    rows = {row["name"]: row["element_wise"] for row in count(model, 2)["layers"]}
    assert rows["data"] == 2 * 72  # forward only: no error goes to the data
    assert rows["ninths"] == 2 * 2 * 12
    assert len(rows) == 3


def test_recurrent_layers():
    model = keras.Sequential([keras.Input((7, 2)), layers.LSTM(5, name="lstm")])
    forward, states = 7 * 2 * 20, 7 * 5 * 20
    # Two products of 20 outputs at 7 steps; 15 products of gates, each with two gradients.
    element_wise = 3 * (2 * 2 * 140 + 3 * 105)
    expected = (3 * (forward + states), 3 * states, 3 * (forward + states), element_wise, 3 * 280)
    assert _phases(count(model, 3), "lstm") == expected


def test_the_optimizer_may_take_the_weights():
    counted = count(_mlp(), 4, update_per_weight=6)
    weights = 7 * 5 + 5 + 5 * 3 + 3
    assert counted["update"] == 6 * (weights + 2 * 5)
    assert _phases(counted)[:4] == _phases(count(_mlp(), 4))[:4]


def test_frozen_layers_learn_nothing():
    model = _mlp()
    model.get_layer("first").trainable = model.get_layer("norm").trainable = False
    counted = count(model, 4)
    assert _phases(counted, "first") == (140, 0, 0, 0, 0)
    assert _phases(counted, "second") == (0, 0, 0, 24, 12)
    assert _phases(count(model, 4, input_gradient=True), "first") == (140, 140, 0, 40, 0)


def test_names_what_it_does_not_know():
    model = keras.Sequential([keras.Input((4,)), layers.PReLU(name="prelu"), layers.Dense(2)])
    assert count(model, 1)["unknown"] == ["prelu"]


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"batch_size": 1, "batch_norm": "new"}])
def test_refuses_other_arguments(arguments):
    with pytest.raises(ValueError, match="Invalid value for arguments"):
        count(_mlp(), **arguments)


def test_the_example_runs():
    failed, tried = doctest.testmod(multiplications)
    assert failed == 0 and tried == 3
