"""`keras_bc.summary`: what each layer of a model costs once it is deployed."""

import collections
import math

import keras
from keras import layers

from keras_bc.calls import Call, calls
from keras_bc.costs import one_bit
from keras_bc.costs.averages import divisions
from keras_bc.costs.exported import is_exported
from keras_bc.costs.folding import Operation, fold
from keras_bc.costs.products import Product, gate_products, products
from keras_bc.layers.recurrent import BinaryGRU

_CHANNEL_BYTES = 12  # bias, multiplier and shift of a few-bit kernel's output channel, int32 each
_BIAS_BYTES = 4  # of an int8 kernel's output channel
_WORD_BITS = 32  # few-bit weights are padded to whole words, an output channel at a time


def summary(model: keras.Model, verbose: bool = True) -> dict:
    """Print what a model costs once it is deployed, layer by layer, and return the same.

    See `describe` for what the dictionary holds, and how it is counted.

    Args:
        model: Built, sequential or functional.
        verbose: Whether to print.

    Raises:
        UserError: The model's shapes are not known.
    """
    described = describe(model)
    if verbose:
        show(model.name, described)
    return described


def describe(model: keras.Model) -> dict:
    """Return what a model costs once it is deployed, for one example.

    Each layer has a row, in the order of execution, and one more for each time that it is called
    again, which costs no more weights and bytes. Of each:

    - `weights` counts the kernels' by the bits that one takes: 1, 2 (ternary) or 8. Keras's own
      kernels are deployed in 8 bits, but for convolutions in three axes: those stay float32.
    - `bytes` are those that an export stores: packed weights, and the int32 parameters of each
      output channel. Biases and batch norm go into the latter; a batch norm or ReLU with nothing to
      fold into takes 16 bytes a channel. In the exported file, the constants of all operations
      but PAD and RESHAPE sum up to the total; the rest of the file is headers.
    - `macs` counts the products of a weight and an input, those with padding included, by kind:
      "1x8" is a one-bit weight and an 8-bit input. An input is one bit where the layer's own
      quantizer makes it a sign, or all that feeds it is signs, as through max-pooling, reshapes
      and dropout but not through zero padding.
    - `multiplications` are those left: the `macs` of 8-bit and float32 weights, none of 1- and
      2-bit weights; one for each value that is requantized to int8, none where a sign turns the
      accumulator into one bit by a threshold; none for a batch norm, but one a value where it
      stands alone and is not shift-based; those of gates and states in recurrent layers; one for
      each output of a softmax, and of an average of other than 2^n values. Other activations are
      tables.
    - `exported`: False where today's exporter does not take the layer.

    Layers of another kind count with all their parameters as float32; what they compute is not
    known, and `multiplications` is None.

    Args:
        model: Built, sequential or functional.

    Returns:
        `{"layers": [{"name", "type", "shape", "weights", "bytes", "macs", "multiplications",
        "exported"}, ...], "weights", "bytes", "macs", "multiplications", "exported"}`. `weights`
        and `macs` are dictionaries, without the zeros. `multiplications` of the model is the sum of
        those known; `exported` whether all layers are.

    Raises:
        UserError: The model's shapes are not known.
    """
    found = calls(model)
    operations = fold(found)
    rows = [_describe(call, operations.get(call)) for call in found]
    return {
        "layers": rows,
        "weights": _sum(row["weights"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "macs": _sum(row["macs"] for row in rows),
        "multiplications": sum(row["multiplications"] or 0 for row in rows),
        "exported": all(row["exported"] for row in rows),
    }


def show(title: str, described: dict) -> None:
    """Print what `describe` returned as a table on stdout."""
    from keras_bc import console

    every = [*described["layers"], {"name": "total", "type": None, "shape": None, **described}]
    console.table(title, [_line(row, described) for row in every])


def _line(row: dict, described: dict) -> dict:
    shape = row["shape"]
    return {
        "name": row["name"],
        "type": row["type"],
        "shape": None if shape is None else "x".join(map(str, shape)),
        **{f"{bits}-bit weights": row["weights"].get(bits) for bits in described["weights"]},
        "bytes": row["bytes"],
        **{f"{kind} MACs": row["macs"].get(kind) for kind in described["macs"]},
        "multiplications": row["multiplications"],
        "exported": "yes" if row["exported"] else "no",
    }


def _describe(call: Call, operation: Operation | None) -> dict:
    layer, found = call.layer, products(call)
    known = bool(found) or isinstance(layer, layers.BatchNormalization) or not _parameters(layer)
    weights, size = {}, 0
    if not call.repeated:
        weights = _sum({_bits(product): product.weights} for product in found)
        size = sum(map(_bytes, found)) + _alone_bytes(call, operation) + _first_step_bytes(call)
        if not known:
            weights, size = {32: _parameters(layer)}, 4 * _parameters(layer)
    return {
        "name": layer.name,
        "type": type(layer).__name__,
        "shape": list(call.output_shape),
        "weights": weights,
        "bytes": size,
        "macs": _sum({_kind(product, call): product.macs} for product in found),
        "multiplications": _multiplications(call, found, operation) if known else None,
        "exported": is_exported(call),
    }


def _parameters(layer) -> int:
    return layer.count_params() if isinstance(layer, keras.Layer) else 0


def _bits(product: Product) -> int:
    if product.floating:
        return 32
    return product.kernel_quantizer.bits if product.signs_only else 8


def _bytes(product: Product) -> int:
    """The bytes of a kernel and of what its output channels need beside it."""
    taps = product.weights // product.channels
    if product.floating:
        return 4 * (product.weights + product.channels)
    if product.signs_only:
        planes = 4 * _bits(product) * math.ceil(taps / _WORD_BITS)
        return product.channels * (planes + _CHANNEL_BYTES)
    return product.channels * (taps + _BIAS_BYTES)


def _alone_bytes(call: Call, operation: Operation | None) -> int:
    """The bytes of a batch norm or clip that is an operation: a word and parameters a channel."""
    alone = operation is not None and operation.alone
    return call.output_shape[-1] * (4 + _CHANNEL_BYTES) if alone else 0


def _first_step_bytes(call: Call) -> int:
    """The bytes of what a GRU's biases add where the state is zero, one row for each of its parts.

    They share their words.
    """
    layer = call.layer
    if not isinstance(layer, BinaryGRU) or not layer.cell.recurrent_product.use_bias:
        return 0
    return layer.cell.units * (4 + 3 * _CHANNEL_BYTES)


def _kind(product: Product, call: Call) -> str:
    if product.floating:
        return "float"
    return f"{_bits(product)}x{1 if one_bit.reads(product, call) else 8}"


def _multiplications(call: Call, found: list[Product], operation: Operation | None) -> int:
    left = sum(product.macs for product in found if not product.signs_only)
    left += gate_products(call)
    if operation is not None:
        # All products but the last of a layer give int8 values in any case.
        left += sum(product.outputs for product in found[:-1])
        left += 0 if operation.threshold or operation.shifts else operation.values
    else:
        left += sum(product.outputs for product in found if not product.floating)
    return left + _of_activation(call) + divisions(call)


def _of_activation(call: Call) -> int:
    activation = getattr(call.layer, "activation", None)
    softmax = isinstance(call.layer, layers.Softmax) or activation is keras.activations.softmax
    return call.outputs_size if softmax else 0


def _sum(counts) -> dict:
    """The sum of dictionaries of counts, sorted by key, without zeros."""
    total = collections.Counter()
    for count in counts:
        total.update(count)
    return {key: total[key] for key in sorted(total) if total[key]}
