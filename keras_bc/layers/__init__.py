"""Layers with few-bit weights and activations."""

from keras_bc.layers.activation import SignActivation
from keras_bc.layers.convolution import BinaryConv1D, BinaryConv2D, BinaryConv2DTranspose
from keras_bc.layers.dense import BinaryDense
from keras_bc.layers.depthwise import BinaryDepthwiseConv2D, BinarySeparableConv2D
from keras_bc.layers.normalization import ShiftBatchNormalization
from keras_bc.layers.recurrent import BinaryGRU, BinaryLSTM, BinarySimpleRNN

__all__ = [
    "BinaryConv1D",
    "BinaryConv2D",
    "BinaryConv2DTranspose",
    "BinaryDense",
    "BinaryDepthwiseConv2D",
    "BinaryGRU",
    "BinaryLSTM",
    "BinarySeparableConv2D",
    "BinarySimpleRNN",
    "ShiftBatchNormalization",
    "SignActivation",
]
