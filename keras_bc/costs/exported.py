"""Which layers today's exporter takes."""

import keras
from keras import layers

from keras_bc.calls import Call
from keras_bc.costs.products import products
from keras_bc.layers import BinaryConv2D, BinaryDense

_TYPES = (
    *(BinaryDense, BinaryConv2D, layers.Dense, layers.Conv2D, layers.BatchNormalization),
    *(layers.ReLU, layers.Softmax, layers.Activation, layers.MaxPooling2D),
    *(layers.AveragePooling2D, layers.GlobalAveragePooling2D, layers.ZeroPadding2D),
    *(layers.Flatten, layers.Reshape, layers.Dropout),
)
_ACTIVATIONS = (
    *(None, keras.activations.linear, keras.activations.relu, keras.activations.relu6),
    keras.activations.softmax,
)


def is_exported(call: Call) -> bool:
    """Whether `keras-bc export` takes a layer of this kind, with its quantizers and activation.

    `deploy/trace.py` decides in the end: it also looks at the other options of a layer, and takes
    only models in which one layer follows the other.
    """
    layer = call.layer
    # Not a subclass: it may compute something else.
    if type(layer) not in _TYPES or getattr(layer, "activation", None) not in _ACTIVATIONS:
        return False
    for product in products(call):
        one_bit = product.signs_only and product.kernel_quantizer.bits == 1
        if product.kernel_quantizer is not None and not one_bit:
            return False
        if product.input_quantizer is not None:
            return False
        if not one_bit and getattr(layer, "groups", 1) != 1:
            return False
    return True
