"""Which layers today's exporter takes."""

import keras
from keras import layers

from keras_bc.calls import Call
from keras_bc.costs.products import products
from keras_bc.layers import (
    BinaryConv1D,
    BinaryConv2D,
    BinaryDense,
    BinaryDepthwiseConv2D,
    BinarySeparableConv2D,
)
from keras_bc.layers.normalization import ShiftBatchNormalization

_TYPES = (
    *(BinaryDense, BinaryConv1D, BinaryConv2D, BinaryDepthwiseConv2D, BinarySeparableConv2D),
    *(layers.Dense, layers.Conv1D, layers.Conv2D),
    *(layers.BatchNormalization, ShiftBatchNormalization, layers.Rescaling, layers.Normalization),
    *(layers.ReLU, layers.Softmax, layers.Activation),
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.AveragePooling1D, layers.AveragePooling2D),
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D),
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D),
    *(layers.ZeroPadding1D, layers.ZeroPadding2D),
    *(layers.Flatten, layers.Reshape, layers.Dropout, layers.GaussianDropout),
    *(layers.GaussianNoise, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.Identity),
    layers.ActivityRegularization,
)
_ACTIVATIONS = (
    *(None, keras.activations.linear, keras.activations.relu, keras.activations.relu6),
    *(keras.activations.hard_tanh, keras.activations.hard_sigmoid, keras.activations.softmax),
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
