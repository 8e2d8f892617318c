"""What each layer of a model costs once it is deployed."""

import math

import keras

from keras_bc.errors import UserError
from keras_bc.layers.quantized_kernel import QuantizedKernel

_CHANNEL_BYTES = 12  # bias, multiplier and shift of a binary layer's output channel, int32 each
_BIAS_BYTES = 4  # of an int8 layer's output channel
_WORD_BITS = 32  # binary weights are padded to whole words, an output channel at a time


def describe(model: keras.Model) -> dict:
    """Return the deployed weights, their bits and bytes, and the multiply-accumulates, by layer.

    - `weights` counts the kernel's, `bits` is what one takes: 1 where it is binary, 8 elsewhere.
    - `bytes` are those that an export stores: packed weights and the parameters of each output
      channel. Biases and batch norm go into the latter, so batch norm itself takes none.
    - `macs` are products of a weight and an input for one example, those with padding included.
    - A layer with weights of another kind cannot be exported: it counts with all its parameters as
      float32, its `macs` are None and not in the sum.

    Args:
        model: Built, sequential or functional.

    Returns:
        `{"layers": [{"name", "type", "shape", "weights", "bits", "bytes", "macs"}, ...],
        "weights": {bits: count}, "bytes": sum, "macs": sum}`; `bits` is None without weights.

    Raises:
        UserError: The model's shapes are not known.
    """
    layers = [_describe_layer(layer) for layer in _leaves(model)]
    by_bits = {}
    for layer in layers:
        if layer["weights"]:
            by_bits[layer["bits"]] = by_bits.get(layer["bits"], 0) + layer["weights"]
    return {
        "layers": layers,
        "weights": by_bits,
        "bytes": sum(layer["bytes"] for layer in layers),
        "macs": sum(layer["macs"] or 0 for layer in layers),
    }


def show(model: keras.Model) -> None:
    """Print `describe(model)` as a table on stdout."""
    from keras_bc import console

    summary = describe(model)
    rows = [{**layer, "shape": _times(layer["shape"])} for layer in summary["layers"]]
    total = {"weights": sum(summary["weights"].values()), "bits": None}
    total |= {"bytes": summary["bytes"], "macs": summary["macs"]}
    console.table(model.name, [*rows, {"name": "total", "type": None, "shape": None, **total}])


def _leaves(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _describe_layer(layer) -> dict:
    try:
        shape = layer.output.shape[1:]
    except (AttributeError, ValueError) as error:
        raise UserError(
            f"The shapes in layer '{layer.name}' are unknown. Expected a sequential or functional "
            "model that has been called once."
        ) from error
    described = {"name": layer.name, "type": type(layer).__name__, "shape": list(shape)}
    if isinstance(layer, keras.layers.BatchNormalization) or not layer.count_params():
        return {**described, "weights": 0, "bits": None, "bytes": 0, "macs": 0}
    if not isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D)):
        weights = layer.count_params()
        return {**described, "weights": weights, "bits": 32, "bytes": 4 * weights, "macs": None}
    *_, channels = layer.kernel.shape
    weights = math.prod(layer.kernel.shape)
    return {
        **described,
        "weights": weights,
        "bits": _bits(layer),
        "bytes": _bytes(layer, weights // channels, channels),
        # Each value of the output takes one channel's weights.
        "macs": math.prod(shape) * weights // channels,
    }


def _bits(layer) -> int:
    return layer.kernel_quantizer.bits if isinstance(layer, QuantizedKernel) else 8


def _bytes(layer, weights: int, channels: int) -> int:
    """The bytes of `channels` output channels of `weights` weights each."""
    if isinstance(layer, QuantizedKernel):
        words = math.ceil(weights * _bits(layer) / _WORD_BITS)
        return channels * (4 * words + _CHANNEL_BYTES)
    return channels * (weights + _BIAS_BYTES)


def _times(shape: list[int]) -> str:
    return "x".join(str(size) for size in shape)
