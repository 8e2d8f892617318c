import keras
import numpy as np
import pytest
from keras import layers

import keras_bc.layers as ours
from keras_bc.calls import calls
from keras_bc.costs.exported import is_exported
from keras_bc.deploy.export import to_graph
from keras_bc.errors import UserError
from keras_bc.layers.normalization import ShiftBatchNormalization

LAYERS = [
    lambda: ours.BinaryConv1D(2, 2),
    lambda: ours.BinaryConv2D(2, 2),
    lambda: ours.BinaryConv2D(2, 2, groups=2),
    lambda: ours.BinaryConv2D(2, 2, kernel_quantizer="ternary"),
    lambda: ours.BinaryConv2D(2, 2, kernel_quantizer="magnitude_aware"),
    lambda: ours.BinaryConv2DTranspose(2, 2),
    lambda: ours.BinaryDepthwiseConv2D(2),
    lambda: ours.BinarySeparableConv2D(2, 2),
    lambda: ours.BinaryDense(2, activation="relu"),
    lambda: ours.BinaryDense(2, activation="tanh"),
    lambda: ours.BinaryDense(2, input_quantizer="sign"),
    lambda: ours.SignActivation(),
    lambda: ShiftBatchNormalization(),
    lambda: layers.Dense(2, activation="softmax"),
    lambda: layers.Conv2D(2, 2),
    lambda: layers.Conv2D(4, 2, groups=2),
    lambda: layers.DepthwiseConv2D(2),
    lambda: layers.SeparableConv2D(2, 2),
    lambda: layers.BatchNormalization(),
    lambda: layers.Activation("relu6"),
    lambda: layers.Activation("tanh"),
    lambda: layers.Activation("hard_sigmoid"),
    lambda: layers.Activation("gelu"),
    lambda: layers.LeakyReLU(),
    lambda: layers.PReLU(),
    lambda: layers.UpSampling2D(),
    lambda: layers.Cropping2D(),
    lambda: layers.Reshape((6, 12)),
    lambda: layers.Rescaling(1 / 255),
    lambda: layers.GaussianNoise(1.0),
    lambda: layers.MaxPooling2D(),
    lambda: layers.AveragePooling2D(2),
    lambda: layers.GlobalAveragePooling2D(),
    lambda: layers.GlobalMaxPooling2D(),
    lambda: layers.ZeroPadding2D(),
    lambda: layers.LayerNormalization(),
]


@pytest.mark.parametrize("number", range(len(LAYERS)))
def test_as_the_exporter_decides(number):
    """Where this fails, the exporter has learned a layer: `keras_bc/costs/exported.py` lists it."""
    layer = LAYERS[number]()
    shape = (6, 2) if isinstance(layer, layers.Conv1D) else (6, 6, 2)
    model = keras.Sequential([keras.Input(shape), layer])
    samples = np.random.default_rng(0).normal(size=(10, *shape)).astype("float32")
    try:
        to_graph(model, samples)
        exported = True
    except UserError:
        exported = False
    (call,) = calls(model)
    assert is_exported(call) == exported, type(layer).__name__
