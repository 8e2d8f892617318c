import keras
import pytest

from keras_bc import summary
from keras_bc.errors import UserError
from keras_bc.layers import BinaryConv2D, BinaryDense


def _model():
    return keras.Sequential(
        [
            keras.Input((9, 9, 4)),
            keras.layers.Conv2D(6, 3, name="real"),
            BinaryConv2D(8, 3, strides=2, groups=2, name="binary"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Flatten(name="flatten"),
            BinaryDense(10, name="dense"),
        ],
        name="model",
    )


def test_counts_by_hand():
    described = summary.describe(_model())
    rows = {
        row["name"]: (row["weights"], row["bits"], row["bytes"], row["macs"])
        for row in described["layers"]
    }
    assert rows == {
        # 7x7 outputs of 6 channels, each 3x3x4 weights; a byte a weight and a bias of 4.
        "real": (216, 8, 216 + 6 * 4, 49 * 216),
        # 3x3 outputs of 8 channels, each 3x3x3 weights of 6 channels in two groups: one word each.
        "binary": (216, 1, 8 * (4 + 12), 9 * 216),
        "norm": (0, None, 0, 0),
        "flatten": (0, None, 0, 0),
        # 72 weights a unit take three words.
        "dense": (720, 1, 10 * (12 + 12), 720),
    }
    assert described["weights"] == {8: 216, 1: 936}
    assert described["bytes"] == 240 + 128 + 240
    assert described["macs"] == 49 * 216 + 9 * 216 + 720


def test_counts_rows_of_a_dense_layer():
    model = keras.Sequential([keras.Input((5, 3)), BinaryDense(2)])
    assert summary.describe(model)["macs"] == 5 * 3 * 2


def test_shows_a_table(capsys):
    summary.show(_model())
    shown = capsys.readouterr().out
    assert "binary" in shown and "total" in shown and "608" in shown


def test_refuses_a_model_of_unknown_shapes():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = BinaryDense(2)

        def call(self, inputs):
            return self.dense(inputs)

    model = Subclassed()
    with pytest.raises(UserError, match="sequential or functional"):
        summary.describe(model)


def test_layers_that_cannot_be_exported_count_as_floats():
    model = keras.Sequential(
        [keras.Input((8, 2)), keras.layers.LSTM(3, name="lstm"), BinaryDense(4, name="dense")]
    )
    described = summary.describe(model)
    lstm, dense = described["layers"]
    # Four gates of 3 units see 2 inputs, 3 states and a bias.
    assert (lstm["weights"], lstm["bits"], lstm["bytes"], lstm["macs"]) == (72, 32, 288, None)
    assert described["macs"] == dense["macs"] == 12
