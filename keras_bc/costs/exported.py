"""Which layers the exporter takes."""

import keras
from keras import layers

from keras_bc.calls import Call
from keras_bc.costs import one_bit
from keras_bc.costs.products import Product, products
from keras_bc.layers import (
    BinaryConv1D,
    BinaryConv2D,
    BinaryConv2DTranspose,
    BinaryDense,
    BinaryDepthwiseConv2D,
    BinaryGRU,
    BinaryLSTM,
    BinarySeparableConv2D,
    BinarySimpleRNN,
    SignActivation,
)
from keras_bc.layers.normalization import ShiftBatchNormalization
from keras_bc.quantizers import DoReFa

_TYPES = (
    *(BinaryDense, BinaryConv1D, BinaryConv2D, BinaryConv2DTranspose),
    *(BinaryDepthwiseConv2D, BinarySeparableConv2D, SignActivation),
    *(layers.Dense, layers.Conv1D, layers.Conv2D),
    *(layers.DepthwiseConv2D, layers.SeparableConv2D),
    *(layers.Add, layers.Concatenate, layers.Multiply, layers.Subtract),
    *(layers.BatchNormalization, ShiftBatchNormalization, layers.Rescaling, layers.Normalization),
    *(layers.Cropping1D, layers.Cropping2D, layers.UpSampling1D, layers.UpSampling2D),
    *(BinarySimpleRNN, BinaryGRU, BinaryLSTM, layers.PReLU),
    *(layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Softmax, layers.Activation),
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
    *(keras.activations.sigmoid, keras.activations.tanh, keras.activations.leaky_relu),
    *(keras.activations.elu, keras.activations.hard_silu),
)


def is_exported(call: Call) -> bool:
    """Whether `keras-bc export` takes a layer of this kind, with its quantizers and activation.

    `deploy/trace` decides in the end: it also looks at the other options of a layer.
    """
    layer = call.layer
    activation = getattr(layer, "activation", None)
    # Not a subclass: it may compute something else.
    if type(layer) not in _TYPES or not (activation in _ACTIVATIONS or _quantizes(activation)):
        return False
    if type(layer) is SignActivation and not _quantizes(layer.quantizer):
        return False
    return all(_has_kernel_for(product) for product in products(call))


def _has_kernel_for(product: Product) -> bool:
    if product.input_quantizer is not None and not _quantizes(product.input_quantizer):
        return False
    if product.kernel_quantizer is None:
        return not product.floating
    return product.signs_only


def _quantizes(quantizer) -> bool:
    """Whether it is a quantizer of activations that an export knows."""
    return one_bit.is_sign(quantizer) or (isinstance(quantizer, DoReFa) and quantizer.bits <= 8)
