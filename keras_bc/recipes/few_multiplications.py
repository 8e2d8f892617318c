"""Neural Networks with Few Multiplications, table 1: full resolution, binary and ternary connect.

As in the released code (hantek/BinaryConnect, branches precise, binary and ternary): plain SGD on
the loss summed over the ten outputs. Keras's squared hinge is their mean, so the rates here are
ten times the code's. H is the Glorot coefficient, in which the code divides a convolution's fan out
by the area of the pooling behind it; the real weights start anywhere within +-2 H.

Quantized back-propagation: the code limits exponents to -4 to 4 in convolutions and not at all in
dense layers, where this limits them to -16 to 8. Its convolutions turn inputs below the least power
into that, zeros too; this draws them, as `keras_bc.backprop.PowerOfTwo` says. The weight gradients
of its dense layers take the error behind batch norm for the one before it, and so lack the factor
gamma / deviation; these have it.

SVHN: the code loads raw images, its README asks for BinaryConnect's preprocessing: as the README.
"""

import functools
from dataclasses import replace

from keras_bc import glorot
from keras_bc.recipes.networks import BATCH_NORM, POOL, RELU, conv, dense
from keras_bc.recipes.recipe import Layers, Recipe

_PAPER = "Neural Networks with Few Multiplications, Lin et al. 2016"


def _weights(kind: str | None, inputs: int, outputs: int) -> dict:
    """Arguments of a layer with weights of a quantizer's class, or of full resolution (None)."""
    scale = glorot.coefficient((inputs, outputs))
    bounds = {"minval": -2 * scale, "maxval": 2 * scale}
    arguments = {"kernel_initializer": {"class_name": "RandomUniform", "config": bounds}}
    if kind is not None:
        quantizer = {"class_name": f"keras_bc>{kind}", "config": {"scale": scale}}
        arguments["kernel_quantizer"] = quantizer
    return arguments


def _backprop(quantized: bool, least: int, greatest: int) -> dict:
    config = {"min_exponent": least, "max_exponent": greatest}
    quantizer = {"class_name": "keras_bc>PowerOfTwo", "config": config}
    return {"backprop_quantizer": quantizer} if quantized else {}


def _dense(kind: str | None, inputs: int, units: int, quantized: bool) -> Layers:
    arguments = _weights(kind, inputs, units) | _backprop(quantized, -16, 8)
    return (dense(units, **arguments), BATCH_NORM)


def _mlp(kind: str | None, quantized: bool) -> Layers:
    hidden = (
        layer for n in (784, 1024, 1024) for layer in (*_dense(kind, n, 1024, quantized), RELU)
    )
    return (*hidden, *_dense(kind, 1024, 10, quantized))


def _cnn(kind: str | None, quantized: bool, width: int = 128) -> Layers:
    """Convolutions without padding, down to one pixel; `width` filters in the first."""
    layers, inputs = [], 3
    for factor, size, pooled in (
        *((1, 3, False), (1, 3, True), (2, 2, False), (2, 2, True)),
        *((4, 2, False), (4, 2, True), (8, 2, False)),
    ):
        filters = factor * width
        area = size * size
        fan_out = area * filters // (4 if pooled else 1)
        arguments = _weights(kind, area * inputs, fan_out) | _backprop(quantized, -4, 4)
        layers += [conv(filters, size, **arguments), *([POOL] if pooled else []), BATCH_NORM, RELU]
        inputs = filters
    layers += [("Flatten", {}), *_dense(kind, inputs, inputs, quantized), RELU]
    return (*layers, *_dense(kind, inputs, 10, quantized))


_VARIANTS = (
    ("none", "full resolution", None, False),
    ("binary", "stochastic binary connect", "StochasticBinary", False),
    ("binary-qbp", "binary connect, quantized back-propagation", "StochasticBinary", True),
    ("ternary-qbp", "ternary connect, quantized back-propagation", "StochasticTernary", True),
)


def _table_row(base: Recipe, network, errors: tuple[str, str, str, str]):
    for (suffix, words, kind, quantized), error in zip(_VARIANTS, errors, strict=True):
        yield replace(
            base,
            name=f"{base.name}-{suffix}",
            summary=f"{base.summary}, {words}",
            layers=network(kind, quantized),
            published_error=error,
        )


_MNIST = Recipe(
    name="mnist-few",
    summary="784-3x1024-10",
    dataset="mnist-centered",
    input_shape=(784,),
    layers=(),
    optimizer=("SGD", {}),
    learning_rates=(3.0, 0.1),
    epochs=1000,
    batch_size=200,
    weights="real",
    reference=f"{_PAPER}, section 5 and table 1",
)
_CIFAR10 = replace(
    _MNIST,
    name="cifar10-few",
    summary="seven convolutions, valid",
    dataset="cifar10-whitened",
    input_shape=(32, 32, 3),
    learning_rates=(3.0, 0.01),
    epochs=300,
    batch_size=100,
    jit_compile=False,
)
_SVHN = replace(_CIFAR10, name="svhn-few", dataset="svhn-normalized", epochs=60)

RECIPES = (
    *_table_row(_MNIST, _mlp, ("1.33", "1.23", "1.29", "1.15")),
    *_table_row(_CIFAR10, _cnn, ("15.64", "12.04", "12.08", "12.01")),
    *_table_row(
        replace(
            _CIFAR10,
            name="cifar10-few-quarter",
            summary="seven convolutions, a quarter as wide, for a CPU",
            epochs=20,
            reference="",
        ),
        functools.partial(_cnn, width=32),
        ("", "", "", ""),
    ),
    *_table_row(_SVHN, _cnn, ("2.85", "2.47", "2.48", "2.42")),
)
