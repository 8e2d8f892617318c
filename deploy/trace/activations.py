"""Layers that treat every value, or every channel, for itself."""

import math

import keras
import numpy as np
from keras import layers

from keras_bc.deploy.graph import Tensor
from keras_bc.deploy.trace.tracer import Tracer, numpy
from keras_bc.errors import UserError
from keras_bc.layers import ShiftBatchNormalization, SignActivation
from keras_bc.quantizers import Binary, DoReFa, Quantizer, Sign

_F = keras.activations


def clip(tracer: Tracer, layer, x: Tensor, low: float, high: float, levels: int = 0) -> Tensor:
    """min(max(x, low), high), in equal steps if `levels` says how many."""
    return tracer.add("clip", layer, x, x.shape, low=low, high=high, levels=levels)


def function(tracer: Tracer, layer, x: Tensor, name: str, alpha: float = 0.0) -> Tensor:
    """One of `keras_bc.deploy.functions`."""
    return tracer.add("function", layer, x, x.shape, name=name, alpha=alpha)


def affine(tracer: Tracer, layer, x: Tensor, scale, offset) -> Tensor:
    """x * scale + offset, each a number or one a channel."""
    channels = x.shape[-1]
    constants = {
        key: np.broadcast_to(np.asarray(value, np.float64), (channels,)).copy()
        for key, value in (("scale", scale), ("offset", offset))
    }
    return tracer.add("batch_norm", layer, x, x.shape, constants)


def quantized(tracer: Tracer, layer, x: Tensor, quantizer: Quantizer) -> Tensor:
    """What a quantizer of activations makes of x at inference."""
    if isinstance(quantizer, Sign) or type(quantizer) is Binary:
        signs = tracer.add("sign", layer, x, x.shape)
        scale = quantizer.scale
        return signs if scale == 1 else affine(tracer, layer, signs, scale, 0.0)
    if isinstance(quantizer, DoReFa) and quantizer.bits <= 8:
        return clip(tracer, layer, x, 0.0, 1.0, 2**quantizer.bits - 1)
    raise UserError(
        f"Layer `{layer.name}` quantizes activations by {type(quantizer).__name__}, which cannot "
        "be exported. Supported: Sign and its kin, and DoReFa of up to 8 bits."
    )


def activation(tracer: Tracer, layer, x: Tensor) -> Tensor:
    """The ops of the layer's `activation` argument."""
    return activation_of(tracer, layer, x, layer.activation)


def activation_of(tracer: Tracer, layer, x: Tensor, given) -> Tensor:
    """The ops of an activation function."""
    if isinstance(given, Quantizer):
        return quantized(tracer, layer, x, given)
    # Compared by identity: a user's own function may have any name.
    for known, append in _ACTIVATIONS.items():
        if given is known:
            return append(tracer, layer, x)
    name = getattr(given, "__name__", str(given))
    raise UserError(
        f"Layer `{layer.name}` has the activation {name!r}, which cannot be exported. Supported: "
        f"{', '.join(f.__name__ for f in _ACTIVATIONS if f is not None)}."
    )


def softmax(tracer: Tracer, layer, x: Tensor) -> Tensor:
    """Over the last axis."""
    return tracer.add("softmax", layer, x, x.shape)


def hard_sigmoid(tracer: Tracer, layer, x: Tensor) -> Tensor:
    """min(max(x / 6 + 1/2, 0), 1), as Keras 3 has it."""
    return clip(tracer, layer, affine(tracer, layer, x, 1 / 6, 0.5), 0.0, 1.0)


_ACTIVATIONS = {
    None: lambda tracer, layer, x: x,
    _F.linear: lambda tracer, layer, x: x,
    _F.relu: lambda tracer, layer, x: clip(tracer, layer, x, 0.0, math.inf),
    _F.relu6: lambda tracer, layer, x: clip(tracer, layer, x, 0.0, 6.0),
    _F.hard_tanh: lambda tracer, layer, x: clip(tracer, layer, x, -1.0, 1.0),
    _F.hard_sigmoid: hard_sigmoid,
    _F.sigmoid: lambda tracer, layer, x: function(tracer, layer, x, "sigmoid"),
    _F.tanh: lambda tracer, layer, x: function(tracer, layer, x, "tanh"),
    _F.leaky_relu: lambda tracer, layer, x: function(tracer, layer, x, "leaky_relu", 0.2),
    _F.elu: lambda tracer, layer, x: function(tracer, layer, x, "elu", 1.0),
    _F.hard_silu: lambda tracer, layer, x: function(tracer, layer, x, "hard_swish"),
    _F.softmax: softmax,
}


def _relu(tracer: Tracer, layer: layers.ReLU, x: Tensor) -> Tensor:
    if layer.threshold or (layer.negative_slope and layer.max_value is not None):
        raise UserError(
            f"Layer `{layer.name}` is a ReLU with negative_slope={layer.negative_slope}, "
            f"max_value={layer.max_value} and threshold={layer.threshold}; only a slope or a "
            "maximum, and no threshold, can be exported."
        )
    if layer.negative_slope:
        return function(tracer, layer, x, "leaky_relu", float(layer.negative_slope))
    high = math.inf if layer.max_value is None else float(layer.max_value)
    return clip(tracer, layer, x, 0.0, high)


def _leaky_relu(tracer: Tracer, layer: layers.LeakyReLU, x: Tensor) -> Tensor:
    return function(tracer, layer, x, "leaky_relu", float(layer.negative_slope))


def _elu(tracer: Tracer, layer: layers.ELU, x: Tensor) -> Tensor:
    if layer.alpha != 1:
        raise UserError(f"Layer `{layer.name}` has alpha={layer.alpha}; only 1 can be exported.")
    return function(tracer, layer, x, "elu", 1.0)


def _prelu(tracer: Tracer, layer: layers.PReLU, x: Tensor) -> Tensor:
    alpha = numpy(layer.alpha)
    if alpha.size != alpha.shape[-1]:  # not of the channels alone
        alpha = np.broadcast_to(alpha, x.shape[1:]).copy()
    else:
        alpha = alpha.reshape(-1)
    return tracer.add("prelu", layer, x, x.shape, {"alpha": alpha})


def _softmax(tracer: Tracer, layer: layers.Softmax, x: Tensor) -> Tensor:
    if layer.axis not in (-1, len(x.shape) - 1):
        raise UserError(
            f"Layer `{layer.name}` is a softmax over axis {layer.axis}; only the last can be "
            "exported."
        )
    return softmax(tracer, layer, x)


def _batch_norm(tracer: Tracer, layer: layers.BatchNormalization, x: Tensor) -> Tensor:
    if layer.axis not in (-1, len(x.shape) - 1):
        raise UserError(
            f"Layer `{layer.name}` normalizes axis {layer.axis}; only the last can be exported."
        )
    if isinstance(layer, ShiftBatchNormalization):
        return affine(tracer, layer, x, *layer.inference_scale_and_offset())
    mean, variance = numpy(layer.moving_mean), numpy(layer.moving_variance)
    scale = (numpy(layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    return affine(
        tracer, layer, x, scale, (numpy(layer.beta) if layer.center else 0.0) - mean * scale
    )


def _rescaling(tracer: Tracer, layer: layers.Rescaling, x: Tensor) -> Tensor:
    scale, offset = np.asarray(layer.scale, float), np.asarray(layer.offset, float)
    if scale.size not in (1, x.shape[-1]) or offset.size not in (1, x.shape[-1]):
        raise UserError(
            f"Layer `{layer.name}` rescales by arrays of shape {scale.shape} and {offset.shape}; "
            "only one number, or one a channel, can be exported."
        )
    return affine(tracer, layer, x, scale.reshape(-1), offset.reshape(-1))


def _normalization(tracer: Tracer, layer: layers.Normalization, x: Tensor) -> Tensor:
    mean, variance = numpy(layer.mean), numpy(layer.variance)
    if mean.size not in (1, x.shape[-1]):
        raise UserError(
            f"Layer `{layer.name}` normalizes axis {layer.axis}; only the last, or all together, "
            "can be exported."
        )
    deviation = np.maximum(np.sqrt(variance.reshape(-1)), keras.backend.epsilon())
    if layer.invert:
        return affine(tracer, layer, x, deviation, mean.reshape(-1))
    return affine(tracer, layer, x, 1 / deviation, -mean.reshape(-1) / deviation)


def _sign(tracer: Tracer, layer: SignActivation, x: Tensor) -> Tensor:
    return quantized(tracer, layer, x, layer.quantizer)


HANDLERS = {
    SignActivation: _sign,
    ShiftBatchNormalization: _batch_norm,
    layers.Activation: activation,
    layers.BatchNormalization: _batch_norm,
    layers.ELU: _elu,
    layers.LeakyReLU: _leaky_relu,
    layers.Normalization: _normalization,
    layers.PReLU: _prelu,
    layers.ReLU: _relu,
    layers.Rescaling: _rescaling,
    layers.Softmax: _softmax,
}
