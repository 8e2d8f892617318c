"""Layers with few-bit weights."""

from keras_bc.layers.convolution import BinaryConv2D
from keras_bc.layers.dense import BinaryDense

__all__ = ["BinaryConv2D", "BinaryDense"]
