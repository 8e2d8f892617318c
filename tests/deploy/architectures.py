"""Architectures that the field knows, with layers of one-bit weights; untrained.

Each is built in full by default, and narrower for a quick test. The batch norms' scales are drawn
from both signs and their statistics are near those of the inputs of `samples_for`, so that signals
neither die out nor saturate.
"""

import keras
import numpy as np
from keras import layers

import keras_bc
from tests.deploy.networks import randomize_batch_norms

_NO_BIAS = {"use_bias": False, "kernel_quantizer": keras_bc.quantizers.Binary("glorot")}
_ONE_BIT = {**_NO_BIAS, "input_quantizer": "sign"}


def vgg_small(width: int = 128) -> keras.Model:
    """VGG-small for CIFAR-10 with one-bit weights and, but for the image, one-bit activations.

    Six convolutions of 3x3, a pooling behind every second, which doubles the filters.
    """
    model = keras.Sequential([keras.Input((32, 32, 3))], name="vgg_small")
    for number in range(6):
        options = _ONE_BIT if number else _NO_BIAS
        filters = width << number // 2
        model.add(keras_bc.BinaryConv2D(filters, 3, padding="same", **options))
        if number % 2:
            model.add(layers.MaxPooling2D())
        model.add(layers.BatchNormalization())
    model.add(layers.Flatten())
    model.add(keras_bc.BinaryDense(10, **_ONE_BIT))
    model.add(layers.BatchNormalization())
    return model


def bireal_resnet18(width: int = 64, size: int = 32) -> keras.Model:
    """ResNet-18 as in Bi-Real Net (Liu et al. 2018): a shortcut around each one-bit convolution.

    Where the image gets smaller the shortcut is a mean of 2x2, a real 1x1 convolution and a batch
    norm. The stem is that for small images.
    """
    inputs = x = keras.Input((size, size, 3))
    x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    for stage in range(4):
        for number in range(4):
            stride = 2 if stage and not number else 1
            x = _bireal_block(x, width << stage, stride)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10)(x), name="bireal_resnet18")


def _bireal_block(x, filters: int, stride: int):
    y = keras_bc.BinaryConv2D(filters, 3, strides=stride, padding="same", **_ONE_BIT)(x)
    # Branches as large as their shortcuts would double an error in each block.
    y = layers.BatchNormalization(gamma_initializer=keras.initializers.Constant(0.2))(y)
    if stride > 1:
        x = layers.AveragePooling2D(stride)(x)
        x = layers.Conv2D(filters, 1, use_bias=False)(x)
        x = layers.BatchNormalization()(x)
    return layers.Add()([y, x])


def resnet8(width: int = 16) -> keras.Model:
    """The image classifier of MLPerf Tiny, with one-bit weights."""

    def convolved(x, filters, size=3, stride=1):
        x = keras_bc.BinaryConv2D(filters, size, strides=stride, padding="same", **_NO_BIAS)(x)
        return layers.BatchNormalization()(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(convolved(inputs, width))
    for stage in range(3):
        filters, stride = width << stage, 2 if stage else 1
        y = layers.ReLU()(convolved(x, filters, stride=stride))
        y = convolved(y, filters)
        if stage:
            x = keras_bc.BinaryConv2D(filters, 1, strides=stride, padding="same", **_NO_BIAS)(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    x = keras_bc.BinaryDense(10)(x)
    return keras.Model(inputs, layers.Softmax()(x), name="resnet8")


def ds_cnn(width: int = 64) -> keras.Model:
    """The keyword spotter of MLPerf Tiny, with one-bit weights: separable convolutions."""

    def normalized(x):
        return layers.ReLU()(layers.BatchNormalization()(x))

    inputs = keras.Input((49, 10, 1))
    options = {"strides": 2, "padding": "same", **_NO_BIAS}
    x = normalized(keras_bc.BinaryConv2D(width, (10, 4), **options)(inputs))
    x = layers.Dropout(0.2)(x)
    for _ in range(4):
        x = normalized(keras_bc.BinaryDepthwiseConv2D(3, padding="same", **_NO_BIAS)(x))
        x = normalized(keras_bc.BinaryConv2D(width, 1, **_NO_BIAS)(x))
    x = layers.Dropout(0.4)(x)
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    x = keras_bc.BinaryDense(12)(x)
    return keras.Model(inputs, layers.Softmax()(x), name="ds_cnn")


def tc_resnet8(width: int = 16) -> keras.Model:
    """A keyword spotter as TC-ResNet8 (Choi et al. 2019): its convolutions go over time alone.

    The 40 coefficients of a moment are its channels.
    """

    def convolved(x, filters, size, stride=1):
        x = keras_bc.BinaryConv1D(filters, size, strides=stride, padding="same", **_NO_BIAS)(x)
        return layers.BatchNormalization()(x)

    inputs = keras.Input((98, 40))
    x = keras_bc.BinaryConv1D(width, 3, **_NO_BIAS)(inputs)
    for filters in (width * 3 // 2, width * 2, width * 3):
        y = layers.ReLU()(convolved(x, filters, 9, 2))
        y = convolved(y, filters, 9)
        x = layers.ReLU()(convolved(x, filters, 1, 2))
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling1D()(x)
    x = keras_bc.BinaryDense(12)(x)
    return keras.Model(inputs, x, name="tc_resnet8")


def gru_digit_reader(units: int = 64, steps: int = 28) -> keras.Model:
    """Reads a digit row by row, 28 pixels at a time."""
    model = keras.Sequential([keras.Input((steps, 28))], name="gru_digit_reader")
    model.add(keras_bc.BinaryGRU(units))
    model.add(layers.BatchNormalization())
    model.add(keras_bc.BinaryDense(10))
    model.add(layers.BatchNormalization())
    return model


def randomize(model: keras.Model, seed: int = 0) -> keras.Model:
    """Draw the batch norms: scales of either sign, statistics near those of the inputs."""
    rng = np.random.default_rng(seed)
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    sizes = [np.array(norm.gamma) for norm in norms]
    randomize_batch_norms(model, rng)
    for norm, size in zip(norms, sizes, strict=True):
        norm.gamma.assign(norm.gamma * size)
        norm.beta.assign(norm.beta * size)
    keras_bc.reestimate_batch_norm(model, samples_for(model, 32))
    for norm in norms:
        deviation = np.sqrt(norm.moving_variance)
        # Of an input that is nearly always the same, training enlarges no more than noise.
        deviation = np.maximum(deviation, deviation.mean() / 2)
        norm.moving_mean.assign_add(0.2 * deviation * rng.normal(size=deviation.shape))
        norm.moving_variance.assign(deviation**2 * rng.uniform(0.7, 1.4, deviation.shape))
    return model


def samples_for(model: keras.Model, count: int, seed: int = 0) -> np.ndarray:
    """float32 inputs with coarse shapes and some noise, as images and spectra have."""
    rng = np.random.default_rng(seed)
    *sides, channels = model.input_shape[1:]
    coarse = rng.normal(0, 1, (count, *(-(-side // 8) for side in sides), channels))
    for axis, side in enumerate(sides, start=1):
        coarse = coarse.repeat(8, axis=axis).take(range(side), axis=axis)
    return (coarse + rng.normal(0, 0.3, coarse.shape)).astype(np.float32)
