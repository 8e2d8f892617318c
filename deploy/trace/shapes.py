"""Layers that move nothing, and those that do nothing at inference."""

import math

import keras
from keras import layers

from keras_bc.deploy.graph import Tensor
from keras_bc.deploy.trace.tracer import Tracer, check_channels_last


def reshape(tracer: Tracer, layer, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """x with other axes behind the batch's."""
    return tracer.add("reshape", layer, x, (1, *shape)) if x.shape[1:] != tuple(shape) else x


def as_image(tracer: Tracer, layer, x: Tensor) -> Tensor:
    """A sequence `[1, steps, c]` as an image of one row."""
    return reshape(tracer, layer, x, (1, *x.shape[1:]))


def as_sequence(tracer: Tracer, layer, x: Tensor) -> Tensor:
    """An image of one row as a sequence."""
    return reshape(tracer, layer, x, x.shape[2:])


def _flatten(tracer: Tracer, layer: layers.Flatten, x: Tensor) -> Tensor:
    check_channels_last(layer)  # channels first would be moved last before
    return reshape(tracer, layer, x, (math.prod(x.shape[1:]),))


def _reshape(tracer: Tracer, layer: layers.Reshape, x: Tensor) -> Tensor:
    return reshape(tracer, layer, x, layer.compute_output_shape(x.shape)[1:])


def _nothing(tracer: Tracer, layer: keras.Layer, x: Tensor) -> Tensor:
    return x


HANDLERS = {
    layers.Flatten: _flatten,
    layers.Reshape: _reshape,
    layers.ActivityRegularization: _nothing,
    layers.Dropout: _nothing,
    layers.GaussianDropout: _nothing,
    layers.GaussianNoise: _nothing,
    layers.Identity: _nothing,
    layers.SpatialDropout1D: _nothing,
    layers.SpatialDropout2D: _nothing,
}
