"""Keras model -> Graph (float): one op, or two, for each layer, with real weights.

Float ops, their inputs and options (see graph.py for the dataclasses):

================ ============================================== ================================
kind             inputs                                         options
================ ============================================== ================================
fully_connected  x [..., k], weights [out, k], bias [out]       binary
conv_2d          x [1, h, w, c], weights [out, kh, kw, c/groups] binary, groups, window
                 bias [out]
batch_norm       x [..., c], scale [c], offset [c]              -
clip             x                                              low, high
softmax          x                                              -
max_pool_2d      x [1, h, w, c]                                 window
average_pool_2d  x [1, h, w, c]                                 window
pad_2d           x [1, h, w, c]                                 window (its padding alone)
reshape          x                                              -
================ ============================================== ================================

batch_norm is y = x * scale + offset, clip y = min(max(x, low), high). Of binary weights, the tensor
holds +H and -H.
"""

import math
from collections.abc import Callable

import keras
import numpy as np

from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import IDENTITY, Window, window_for
from keras_bc.errors import UserError
from keras_bc.layers import BinaryConv2D, BinaryDense

layers = keras.layers


def trace(model: keras.Model) -> Graph:
    """The model's layers as a graph of float ops.

    Args:
        model: A built Sequential or functional model, without branches, channels last.

    Raises:
        UserError: A layer, an option of one, or the model's form is not supported, or a weight is
            not finite. The message names the layer.
    """
    chain = _chain(model)
    tracer = _Tracer(model)
    for layer in chain:
        handler = _HANDLERS.get(type(layer))
        if handler is None:
            supported = ", ".join(sorted(cls.__name__ for cls in _HANDLERS))
            raise UserError(
                f"Layer `{layer.name}` of type {type(layer).__name__} cannot be exported. "
                f"Supported: {supported}."
            )
        handler(tracer, layer)
    tracer.graph.outputs = [tracer.current.name]
    return tracer.graph


def _chain(model: keras.Model) -> list[keras.Layer]:
    """The layers from the input to the output, which must form one line."""
    if not _is_symbolic(model):
        raise UserError(
            f"Model `{model.name}` of type {type(model).__name__} has no layers whose shapes are "
            "known. Give a Sequential model a keras.Input as its first layer; wrap the layers of a "
            "subclassed model in a Sequential or functional one."
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"Model `{model.name}` has {len(model.inputs)} inputs and {len(model.outputs)} "
            "outputs; only one of each can be exported."
        )
    if isinstance(model, keras.Sequential):
        return model.layers
    consumers: dict[int, list[keras.Layer]] = {}
    for layer in model.layers:
        if not isinstance(layer, layers.InputLayer):
            consumers.setdefault(id(_only_tensor(layer, "input")), []).append(layer)
    chain, tensor = [], model.inputs[0]
    while readers := consumers.get(id(tensor)):
        if len(readers) > 1:
            names = ", ".join(f"`{reader.name}`" for reader in readers)
            raise UserError(f"The model branches into {names}; only a chain can be exported.")
        chain.append(readers[0])
        tensor = _only_tensor(readers[0], "output")
    if tensor is not model.outputs[0]:
        raise UserError(
            f"Model `{model.name}` is not one chain of layers from input to output, each of them "
            "used once; only such a chain can be exported."
        )
    return chain


def _is_symbolic(model: keras.Model) -> bool:
    """Whether the model is made of layers that were called on keras.Input."""
    try:
        return bool(model.inputs and model.outputs)
    except (AttributeError, ValueError):
        return False


def _only_tensor(layer: keras.Layer, side: str) -> keras.KerasTensor:
    """The one tensor that the layer reads or gives."""
    try:
        tensor = getattr(layer, side)
    except AttributeError as error:
        raise UserError(
            f"Layer `{layer.name}` is used more than once; only a chain can be exported."
        ) from error
    if not isinstance(tensor, keras.KerasTensor):
        raise UserError(f"Layer `{layer.name}` joins or splits tensors; only a chain is exported.")
    return tensor


class _Tracer:
    """The graph under construction and its loose end, `current`."""

    def __init__(self, model: keras.Model):
        shape = model.inputs[0].shape
        if None in shape[1:]:
            raise UserError(f"The model's input shape {shape} must be known but for the batch.")
        self.current = Tensor("input", (1, *shape[1:]))
        self.graph = Graph(model.name, {"input": self.current}, inputs=["input"])

    def add(self, kind: str, layer: keras.Layer, shape: tuple, constants: dict, **options) -> None:
        """Append an op that reads the loose end and `constants`, and becomes the loose end."""
        name = f"{layer.name}/{kind}" if layer.name in self.graph.tensors else layer.name
        inputs = [self.current.name]
        for key, value in constants.items():
            _check_finite(layer, value)
            constant = Tensor(f"{name}/{key}", value.shape, data=value.astype(np.float64))
            self.graph.tensors[constant.name] = constant
            inputs.append(constant.name)
        self.current = Tensor(name, tuple(shape))
        self.graph.tensors[name] = self.current
        self.graph.ops.append(Op(kind, layer.name, inputs, [name], options))

    @property
    def image(self) -> tuple[int, int]:
        """Height and width of the loose end."""
        return self.current.shape[1:3]


def _dense(tracer: _Tracer, layer: keras.Layer) -> None:
    kernel, binary = _kernel(layer)
    constants = {"weights": kernel.T, "bias": _bias(layer, kernel.shape[-1])}
    shape = (*tracer.current.shape[:-1], kernel.shape[-1])
    tracer.add("fully_connected", layer, shape, constants, binary=binary)
    _activation(tracer, layer)


def _conv_2d(tracer: _Tracer, layer: keras.Layer) -> None:
    _channels_last(layer)
    kernel, binary = _kernel(layer)
    size, out = kernel.shape[:2], kernel.shape[3]
    window = window_for(layer.padding, tracer.image, size, layer.strides, layer.dilation_rate)
    constants = {"weights": kernel.transpose(3, 0, 1, 2), "bias": _bias(layer, out)}
    shape = (1, *window.output_size(*tracer.image), out)
    options = {"binary": binary, "groups": layer.groups, "window": window}
    tracer.add("conv_2d", layer, shape, constants, **options)
    _activation(tracer, layer)


def _kernel(layer: keras.Layer) -> tuple[np.ndarray, bool]:
    """The weights that the chip computes with, and whether they are one bit."""
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    if not isinstance(layer, BinaryDense | BinaryConv2D):
        return kernel, False
    if layer.input_quantizer is not None:
        raise UserError(
            f"Layer `{layer.name}` quantizes its inputs, which cannot be exported. Train it "
            "without an input_quantizer."
        )
    _check_finite(layer, kernel)  # NaN has a sign, too
    deployed = np.asarray(layer.deployed_kernel())
    magnitudes = np.abs(deployed).reshape(-1, deployed.shape[-1])
    if (magnitudes != magnitudes[0]).any() or not magnitudes.all():
        raise UserError(
            f"Layer `{layer.name}` has the quantizer {type(layer.kernel_quantizer).__name__}, "
            "whose weights are not +H and -H. Only such can be exported."
        )
    return deployed, True


def _check_finite(layer: keras.Layer, value: np.ndarray) -> None:
    if not np.isfinite(value).all():
        raise UserError(
            f"Layer `{layer.name}` has weights that are not finite (NaN or infinity): the training "
            "diverged. Train again, with a lower learning rate."
        )


def _bias(layer: keras.Layer, out: int) -> np.ndarray:
    return keras.ops.convert_to_numpy(layer.bias) if layer.use_bias else np.zeros(out)


def _channels_last(layer: keras.Layer) -> None:
    if layer.data_format != "channels_last":
        raise UserError(
            f"Layer `{layer.name}` has data_format={layer.data_format!r}; only 'channels_last' "
            "can be exported."
        )


def _batch_norm(tracer: _Tracer, layer: keras.Layer) -> None:
    shape = tracer.current.shape
    if layer.axis not in (-1, len(shape) - 1):
        raise UserError(
            f"Layer `{layer.name}` normalizes axis {layer.axis}; only the last can be exported."
        )
    mean, variance = (
        keras.ops.convert_to_numpy(value).astype(np.float64)
        for value in (layer.moving_mean, layer.moving_variance)
    )
    gamma = keras.ops.convert_to_numpy(layer.gamma) if layer.scale else np.ones_like(mean)
    beta = keras.ops.convert_to_numpy(layer.beta) if layer.center else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + layer.epsilon)
    tracer.add("batch_norm", layer, shape, {"scale": scale, "offset": beta - mean * scale})


def _relu(tracer: _Tracer, layer: keras.Layer) -> None:
    if layer.negative_slope or layer.threshold:
        raise UserError(
            f"Layer `{layer.name}` is a ReLU with negative_slope={layer.negative_slope} and "
            f"threshold={layer.threshold}; only 0 and 0 can be exported."
        )
    _clip(tracer, layer, 0.0, math.inf if layer.max_value is None else float(layer.max_value))


def _clip(tracer: _Tracer, layer: keras.Layer, low: float, high: float) -> None:
    tracer.add("clip", layer, tracer.current.shape, {}, low=low, high=high)


def _softmax(tracer: _Tracer, layer: keras.Layer) -> None:
    rank = len(tracer.current.shape)
    if getattr(layer, "axis", -1) not in (-1, rank - 1):
        raise UserError(
            f"Layer `{layer.name}` is a softmax over axis {layer.axis}; only the last can be "
            "exported."
        )
    tracer.add("softmax", layer, tracer.current.shape, {})


def _activation(tracer: _Tracer, layer: keras.Layer) -> None:
    """The op of the layer's `activation` argument."""
    # Compared by identity: a user's own function may have any name.
    if layer.activation is keras.activations.relu:
        _clip(tracer, layer, 0.0, math.inf)
    elif layer.activation is keras.activations.relu6:
        _clip(tracer, layer, 0.0, 6.0)
    elif layer.activation is keras.activations.softmax:
        _softmax(tracer, layer)
    elif layer.activation not in (None, keras.activations.linear):
        name = getattr(layer.activation, "__name__", str(layer.activation))
        raise UserError(
            f"Layer `{layer.name}` has the activation {name!r}, which cannot be exported. "
            "Supported: linear, relu, relu6, softmax."
        )


def _pool(kind: str) -> Callable:
    def handler(tracer: _Tracer, layer: keras.Layer) -> None:
        _channels_last(layer)
        window = window_for(layer.padding, tracer.image, layer.pool_size, layer.strides)
        shape = (1, *window.output_size(*tracer.image), tracer.current.shape[3])
        tracer.add(kind, layer, shape, {}, window=window)

    return handler


def _global_average(tracer: _Tracer, layer: keras.Layer) -> None:
    _channels_last(layer)
    channels = tracer.current.shape[3]
    tracer.add("average_pool_2d", layer, (1, 1, 1, channels), {}, window=Window(*tracer.image))
    if not layer.keepdims:
        tracer.add("reshape", layer, (1, channels), {})


def _zero_padding(tracer: _Tracer, layer: keras.Layer) -> None:
    _channels_last(layer)
    (top, bottom), (left, right) = layer.padding
    window = Window(1, 1, 1, 1, 1, 1, top, left, bottom, right)
    shape = (1, *window.output_size(*tracer.image), tracer.current.shape[3])
    if window != IDENTITY:
        tracer.add("pad_2d", layer, shape, {}, window=window)


def _flatten(tracer: _Tracer, layer: keras.Layer) -> None:
    _channels_last(layer)  # channels first would be moved last before
    _reshape(tracer, layer)


def _reshape(tracer: _Tracer, layer: keras.Layer) -> None:
    tracer.add("reshape", layer, (1, *layer.compute_output_shape(tracer.current.shape)[1:]), {})


def _nothing(tracer: _Tracer, layer: keras.Layer) -> None:
    """A layer that does nothing at inference."""


_HANDLERS = {
    BinaryDense: _dense,
    BinaryConv2D: _conv_2d,
    layers.Dense: _dense,
    layers.Conv2D: _conv_2d,
    layers.BatchNormalization: _batch_norm,
    layers.ReLU: _relu,
    layers.Softmax: _softmax,
    layers.Activation: _activation,
    layers.MaxPooling2D: _pool("max_pool_2d"),
    layers.AveragePooling2D: _pool("average_pool_2d"),
    layers.GlobalAveragePooling2D: _global_average,
    layers.ZeroPadding2D: _zero_padding,
    layers.Flatten: _flatten,
    layers.Reshape: _reshape,
    layers.Dropout: _nothing,
}
