"""Layers with a kernel: dense and convolutions, of real and of few-bit weights."""

import keras
import numpy as np
from keras import layers

from keras_bc.deploy.graph import Tensor
from keras_bc.deploy.trace.activations import activation, quantized
from keras_bc.deploy.trace.images import pad
from keras_bc.deploy.trace.shapes import as_image, as_sequence
from keras_bc.deploy.trace.tracer import Tracer, check_channels_last, check_finite, numpy
from keras_bc.deploy.windows import Window, window_for
from keras_bc.errors import UserError
from keras_bc.layers import (
    BinaryConv1D,
    BinaryConv2D,
    BinaryConv2DTranspose,
    BinaryDense,
    BinaryDepthwiseConv2D,
    BinarySeparableConv2D,
)
from keras_bc.layers.quantized_kernel import QuantizedKernel


def _dense(tracer: Tracer, layer: keras.Layer, x: Tensor) -> Tensor:
    x, kernel, weights = _prepare(tracer, layer, x)
    return activation(
        tracer, layer, fully_connected(tracer, layer, x, kernel, _bias(layer), weights)
    )


def fully_connected(
    tracer: Tracer, layer, x: Tensor, kernel: np.ndarray, bias: np.ndarray | None, weights: str
) -> Tensor:
    """x · kernel + bias, with a kernel `[k, out]`."""
    out = kernel.shape[-1]
    constants = {"weights": kernel.T, "bias": np.zeros(out) if bias is None else bias}
    return tracer.add("fully_connected", layer, x, (*x.shape[:-1], out), constants, weights=weights)


def _conv_1d(tracer: Tracer, layer: keras.Layer, x: Tensor) -> Tensor:
    """As a convolution of an image of one row."""
    check_channels_last(layer)
    x, kernel, weights = _prepare(tracer, layer, x)
    image = as_image(tracer, layer, x)
    size, stride, dilation = ((1, *pair) for pair in _sizes(layer))
    padding = layer.padding
    if padding == "causal":  # an op of its own, which folds into few-bit convolutions
        image = pad(tracer, layer, image, (0, 0), (dilation[1] * (size[1] - 1), 0))
        padding = "valid"
    window = window_for(padding, image.shape[1:3], size, stride, dilation)
    rows = kernel.transpose(2, 0, 1)[:, None]
    y = _convolve(tracer, layer, image, rows, _bias(layer), weights, window, layer.groups)
    return activation(tracer, layer, as_sequence(tracer, layer, y))


def _conv_2d(tracer: Tracer, layer: keras.Layer, x: Tensor) -> Tensor:
    check_channels_last(layer)
    x, kernel, weights = _prepare(tracer, layer, x)
    window = window_for(layer.padding, x.shape[1:3], *_sizes(layer))
    rows = kernel.transpose(3, 0, 1, 2)
    y = _convolve(tracer, layer, x, rows, _bias(layer), weights, window, layer.groups)
    return activation(tracer, layer, y)


def _depthwise_conv_2d(tracer: Tracer, layer: keras.Layer, x: Tensor) -> Tensor:
    check_channels_last(layer)
    x, kernel, weights = _prepare(tracer, layer, x)
    return activation(tracer, layer, _depthwise(tracer, layer, x, kernel, _bias(layer), weights))


def _depthwise(tracer, layer, x, kernel, bias, weights) -> Tensor:
    """A depthwise convolution with a kernel `[kh, kw, c, multiplier]`."""
    window = window_for(layer.padding, x.shape[1:3], *_sizes(layer))
    height, width, channels, multiplier = kernel.shape
    rows = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, height, width, 1)
    return _convolve(tracer, layer, x, rows, bias, weights, window, channels)


def _binary_separable_conv_2d(tracer: Tracer, layer: BinarySeparableConv2D, x: Tensor) -> Tensor:
    return _conv_2d(tracer, layer.pointwise, _depthwise_conv_2d(tracer, layer.depthwise, x))


def _separable_conv_2d(tracer: Tracer, layer: layers.SeparableConv2D, x: Tensor) -> Tensor:
    check_channels_last(layer)
    between = _depthwise(tracer, layer, x, numpy(layer.depthwise_kernel), None, "real")
    rows = numpy(layer.pointwise_kernel).transpose(3, 0, 1, 2)
    y = _convolve(tracer, layer, between, rows, _bias(layer), "real", Window(1, 1))
    return activation(tracer, layer, y)


def _conv_2d_transpose(tracer: Tracer, layer: keras.Layer, x: Tensor) -> Tensor:
    """As a convolution of an image whose pixels are moved apart, with the kernel turned round.

    The forward convolution whose gradient this is would pad an image of the output's size; of the
    taps beyond the output that are not cropped by that padding, all are needed.
    """
    check_channels_last(layer)
    x, kernel, weights = _prepare(tracer, layer, x)
    size, stride, dilation = _sizes(layer)
    outputs = layer.compute_output_shape(x.shape)[1:3]
    before, after = [], []
    for n, k, s, d, out in zip(x.shape[1:3], size, stride, dilation, outputs, strict=True):
        reach, spread = (k - 1) * d + 1, (n - 1) * s + 1
        cropped = max(spread - 1 + reach - out, 0) // 2 if layer.padding == "same" else 0
        before.append(reach - 1 - cropped)
        after.append(out - spread - before[-1] + reach - 1)
    window = Window(*size, 1, 1, *dilation, *before, *after)
    rows = kernel[::-1, ::-1].transpose(2, 0, 1, 3)
    y = _convolve(
        *(tracer, layer, x, rows, _bias(layer), weights, window),
        input_dilation=stride,
        transposed=True,
    )
    return activation(tracer, layer, y)


def _convolve(
    tracer: Tracer,
    layer: keras.Layer,
    x: Tensor,
    rows: np.ndarray,
    bias: np.ndarray | None,
    weights: str,
    window: Window,
    groups: int = 1,
    input_dilation: tuple[int, int] = (1, 1),
    transposed: bool = False,
) -> Tensor:
    """A convolution with weights `[out, kh, kw, c / groups]`."""
    spread = [(n - 1) * d + 1 for n, d in zip(x.shape[1:3], input_dilation, strict=True)]
    return tracer.add(
        "conv_2d",
        layer,
        x,
        (1, *window.output_size(*spread), len(rows)),
        {"weights": rows, "bias": np.zeros(len(rows)) if bias is None else bias},
        weights=weights,
        groups=groups,
        window=window,
        input_dilation=input_dilation,
        transposed=transposed,
    )


def _prepare(tracer: Tracer, layer, x: Tensor) -> tuple[Tensor, np.ndarray, str]:
    """The inputs as the layer quantizes them, and `weights_of` it."""
    if getattr(layer, "input_quantizer", None) is not None:
        x = quantized(tracer, layer, x, layer.input_quantizer)
    return x, *weights_of(layer)


def weights_of(layer: keras.Layer) -> tuple[np.ndarray, str]:
    """The kernel that the chip computes with, and of which kind its weights are."""
    kernel = numpy(layer.kernel)
    if not isinstance(layer, QuantizedKernel):
        return kernel, "real"
    check_finite(layer, kernel)  # NaN has a sign, too
    deployed = np.asarray(layer.deployed_kernel(), np.float64)
    return deployed, _kind(layer, deployed)


def _kind(layer: QuantizedKernel, deployed: np.ndarray) -> str:
    """Whether the weights are "binary" or "ternary"."""
    others = tuple(set(range(-deployed.ndim, 0)).difference(layer.channel_axes))
    magnitudes = np.abs(deployed)
    largest = magnitudes.max(axis=others, keepdims=True)
    if (magnitudes == largest).all() and largest.all():
        return "binary"
    if ((magnitudes == largest) | (magnitudes == 0)).all():
        return "ternary"
    raise UserError(
        f"Layer `{layer.name}` has the quantizer {type(layer.kernel_quantizer).__name__}, whose "
        "weights are neither +H and -H nor +H, 0 and -H. Only such can be exported."
    )


def _sizes(layer: keras.Layer) -> tuple[tuple[int, ...], ...]:
    """Kernel size, strides and dilation."""
    return tuple(layer.kernel_size), tuple(layer.strides), tuple(layer.dilation_rate)


def _bias(layer: keras.Layer) -> np.ndarray | None:
    return numpy(layer.bias) if layer.use_bias else None


HANDLERS = {
    BinaryDense: _dense,
    BinaryConv1D: _conv_1d,
    BinaryConv2D: _conv_2d,
    BinaryConv2DTranspose: _conv_2d_transpose,
    BinaryDepthwiseConv2D: _depthwise_conv_2d,
    BinarySeparableConv2D: _binary_separable_conv_2d,
    layers.Dense: _dense,
    layers.Conv1D: _conv_1d,
    layers.Conv2D: _conv_2d,
    layers.Conv2DTranspose: _conv_2d_transpose,
    layers.DepthwiseConv2D: _depthwise_conv_2d,
    layers.SeparableConv2D: _separable_conv_2d,
}
