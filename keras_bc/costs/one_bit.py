"""Which values are +1 or -1."""

import keras
from keras import layers

from keras_bc.calls import Call
from keras_bc.costs.products import Product
from keras_bc.layers.activation import SignActivation
from keras_bc.quantizers import Binary, Sign

_KEEPS = (
    *(layers.Flatten, layers.Reshape, layers.Permute, layers.RepeatVector),
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
    *(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D, layers.Concatenate),
    *(layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
)
"""Layers that give only values that they got. Zero padding adds zeros. In training, dropout adds
zeros and one factor for all: what follows it has still nothing to multiply by but that factor."""


def is_sign(quantizer) -> bool:
    """Whether a quantizer of inputs gives +1 and -1."""
    return isinstance(quantizer, Sign | Binary)


def gives(call: Call | None) -> bool:
    """Whether all that a call gives is +1 or -1, up to one factor."""
    if call is None:
        return False
    if isinstance(call.layer, _KEEPS):
        return all(gives(source) for source in call.sources)
    if isinstance(call.layer, SignActivation):
        return is_sign(call.layer.quantizer)
    if isinstance(call.layer, keras.layers.Activation) and is_linear(call.layer.activation):
        return all(gives(source) for source in call.sources)
    return is_sign(getattr(call.layer, "activation", None))


def is_linear(activation) -> bool:
    return activation in (None, keras.activations.linear)


def reads(product: Product, call: Call) -> bool:
    """Whether a product in a call reads nothing but +1 and -1."""
    if product.input_quantizer is not None:
        return is_sign(product.input_quantizer)
    return product.reads_call and gives(call.sources[0])
