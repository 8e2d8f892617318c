"""The networks that models.py measures, by what their weights and activations are; untrained.

Instructions hardly depend on the values of weights, so that random ones do. The topologies are
those that the int8 figures were measured on, with as many multiply-accumulates.
"""

import keras
import numpy as np
from keras import layers

import keras_bc

KINDS = ("binary", "binary, one-bit activations", "ternary", "ternary, one-bit activations")


def mlp(kind: str) -> keras.Model:
    """784-256-256-256-10."""
    model = keras.Sequential([keras.Input((784,))], name="mlp")
    for number, units in enumerate((256, 256, 256, 10)):
        model.add(keras_bc.BinaryDense(units, **_options(kind, number)))
        model.add(layers.BatchNormalization())
        if _needs_relu(kind) and number < 3:
            model.add(layers.ReLU())
    return model


def cnn(kind: str) -> keras.Model:
    """32x32x3: 2x32C3-MP2-2x64C3-MP2-2x128C3-MP2-GAP-10.

    The pooling comes before batch norm and activation, as in the released codes of BinaryConnect;
    the mean over the image is of 8-bit activations in any case.
    """
    model = keras.Sequential([keras.Input((32, 32, 3))], name="cnn")
    for number in range(6):
        filters, options = 32 << number // 2, _options(kind, number)
        model.add(keras_bc.BinaryConv2D(filters, 3, padding="same", **options))
        if number % 2:
            model.add(layers.MaxPooling2D())
        model.add(layers.BatchNormalization())
        if _needs_relu(kind):
            model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(keras_bc.BinaryDense(10, **_options(kind, 0)))
    return model


def ds_cnn(kind: str) -> keras.Model:
    """The keyword spotter of MLPerf Tiny: 49x10x1, 64 filters, four separable convolutions, 12."""
    options = {"padding": "same", **_options(kind, 0)}
    model = keras.Sequential([keras.Input((49, 10, 1))], name="ds_cnn")

    def add(layer):
        for each in (layer, layers.BatchNormalization(), layers.ReLU()):
            model.add(each)

    add(keras_bc.BinaryConv2D(64, (10, 4), strides=2, **options))
    for _ in range(4):
        add(keras_bc.BinaryDepthwiseConv2D(3, **options))
        add(keras_bc.BinaryConv2D(64, 1, **options))
    model.add(layers.GlobalAveragePooling2D())
    model.add(keras_bc.BinaryDense(12, **_options(kind, 0)))
    return model


TOPOLOGIES = {"MLP": (mlp, KINDS), "CNN": (cnn, KINDS), "DS-CNN": (ds_cnn, ("binary", "ternary"))}
"""By name: how it is built, and of which kinds."""


def samples_for(model: keras.Model) -> np.ndarray:
    """Inputs to calibrate on: float32 [32, ...] within [-1, 1]."""
    shape = (32, *model.input_shape[1:])
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def _options(kind: str, number: int) -> dict:
    """Of the few-bit layer with a number; the model's input is never one bit."""
    quantizers = keras_bc.quantizers
    quantizer = quantizers.Binary if kind.startswith("binary") else quantizers.Ternary
    options = {"use_bias": False, "kernel_quantizer": quantizer("glorot")}
    if kind.endswith("one-bit activations") and number > 0:
        options["input_quantizer"] = "sign"
    return options


def _needs_relu(kind: str) -> bool:
    return not kind.endswith("one-bit activations")
