"""Find layers in any Keras model: sequential, functional, subclassed, nested."""

from collections.abc import Iterator

import keras

from keras_bc.layers.quantized_kernel import QuantizedKernel


def batch_norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Return all batch normalization layers."""
    return [layer for layer in _all(model) if isinstance(layer, keras.layers.BatchNormalization)]


def quantized(model: keras.Model) -> list[QuantizedKernel]:
    """Return all layers with a quantized kernel."""
    return [layer for layer in _all(model) if isinstance(layer, QuantizedKernel)]


def _all(model: keras.Model) -> Iterator[keras.layers.Layer]:
    # `Model.layers` names direct children only, and a plain layer that holds others has no
    # public list of them; Keras itself walks by this method.
    return model._flatten_layers(include_self=False)
