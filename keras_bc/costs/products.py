"""The linear operations of a layer: what is multiplied by what, and how often."""

import math
from dataclasses import dataclass
from typing import Any

from keras import layers

from keras_bc.calls import Call
from keras_bc.layers.depthwise import BinarySeparableConv2D
from keras_bc.layers.quantized_kernel import QuantizedKernel
from keras_bc.quantizers import DoReFa, Quantizer, Ternary


@dataclass(frozen=True)
class Product:
    """A kernel and its work for one example.

    Attributes:
        owner: What has the quantizers: a layer, or a recurrent layer's cell.
        kernel_shape: Of the kernel.
        channels: Output channels.
        macs: Products of a weight and an input, those with padding included.
        inputs: Values that it reads, all time steps together.
        outputs: Values that it gives, likewise.
        reads_call: Whether it reads the inputs of the layer, not what another product of it made.
        floating: Whether TensorFlow Lite has it in float32 alone: a convolution in three axes.
    """

    owner: Any
    kernel_shape: tuple[int, ...]
    channels: int
    macs: int
    inputs: int
    outputs: int
    reads_call: bool = True
    floating: bool = False

    @property
    def weights(self) -> int:
        return math.prod(self.kernel_shape)

    @property
    def kernel_quantizer(self) -> Quantizer | None:
        return self._own("kernel_quantizer")

    @property
    def input_quantizer(self) -> Quantizer | None:
        return self._own("input_quantizer")

    @property
    def backprop_quantizer(self):
        return self._own("backprop_quantizer")

    @property
    def signs_only(self) -> bool:
        """Whether a weight only adds, subtracts or, as a zero, leaves out an input."""
        quantizer = self.kernel_quantizer
        if quantizer is None or isinstance(quantizer, DoReFa):  # whose one bit is 0 or 1
            return False
        return quantizer.bits == 1 or isinstance(quantizer, Ternary)

    def _own(self, attribute):
        return getattr(self.owner, attribute) if isinstance(self.owner, QuantizedKernel) else None


_RECURRENT = layers.RNN
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_PLAIN = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
_FLOATING = (layers.Conv3D, layers.Conv3DTranspose)


def products(call: Call) -> list[Product]:
    """Return the products in a call, in order; none for a layer without, or of an unknown kind.

    Raises:
        UserError: A shape is not known.
    """
    layer = call.layer
    if isinstance(layer, layers.Bidirectional):
        both = (layer.forward_layer, layer.backward_layer)
        return [product for one in both for product in _recurrent(one, call)]
    if isinstance(layer, _RECURRENT):
        return _recurrent(layer, call)
    if isinstance(layer, BinarySeparableConv2D):
        owners = layer.depthwise, layer.pointwise
        return _separable(call, *owners, *(tuple(owner.kernel.shape) for owner in owners))
    if isinstance(layer, _SEPARABLE):
        kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
        return _separable(call, layer, layer, *(tuple(kernel.shape) for kernel in kernels))
    if not isinstance(layer, (*_DEPTHWISE, *_TRANSPOSED, *_PLAIN)):
        return []
    shape = tuple(layer.kernel.shape)
    weights, inputs, outputs = math.prod(shape), call.inputs_size, call.outputs_size
    floating = isinstance(layer, _FLOATING)
    if isinstance(layer, _TRANSPOSED):
        # Each value of the input takes all weights of its channel.
        channels, macs = shape[-2], inputs * weights // shape[-1]
    else:
        channels = shape[-2] * shape[-1] if isinstance(layer, _DEPTHWISE) else shape[-1]
        # Each value of the output takes all weights of its channel.
        macs = outputs * weights // channels
    return [Product(layer, shape, channels, macs, inputs, outputs, floating=floating)]


def _separable(call, depthwise, pointwise, depthwise_shape, pointwise_shape) -> list[Product]:
    between, filters = pointwise_shape[-2:]
    values = call.outputs_size // filters * between
    window = math.prod(depthwise_shape[:-2])
    first = Product(depthwise, depthwise_shape, between, values * window, call.inputs_size, values)
    macs = call.outputs_size * between
    second = Product(
        pointwise, pointwise_shape, filters, macs, values, call.outputs_size, reads_call=False
    )
    return [first, second]


def _recurrent(layer, call: Call) -> list[Product]:
    """The two products of each cell, all steps together; none if the cells are of another kind."""
    steps = call.inputs_size // call.input_shape[-1]
    found = []
    for number, cell in enumerate(cells(layer)):
        pair = _kernels(cell)
        for owner, kernel in pair:
            inputs, outputs = kernel.shape
            found.append(
                Product(
                    owner,
                    (inputs, outputs),
                    outputs,
                    steps * inputs * outputs,
                    steps * inputs,
                    steps * outputs,
                    reads_call=number == 0 and kernel is pair[0][1],
                )
            )
    return found


def cells(layer) -> list:
    """Return the cells of a recurrent layer, those that stand on one another one by one."""
    return getattr(layer.cell, "cells", [layer.cell])


def gates(cell) -> int:
    """Return how many times as wide as the state the products of a cell are; 0 if unknown."""
    pair = _kernels(cell)
    return pair[1][1].shape[1] // pair[1][1].shape[0] if pair else 0


def _kernels(cell) -> list[tuple]:
    """Pairs of an owner and its kernel: of the inputs, and of the state."""
    if hasattr(cell, "input_product"):
        return [(part, part.kernel) for part in (cell.input_product, cell.recurrent_product)]
    kernels = [getattr(cell, name, None) for name in ("kernel", "recurrent_kernel")]
    if any(kernel is None or len(kernel.shape) != 2 for kernel in kernels):
        return []  # a convolution in time, or somebody's own
    return [(cell, kernel) for kernel in kernels]


def gate_products(call: Call) -> int:
    """Return the element-wise products of gates and states for one example, all steps together.

    An LSTM has f c, i g and o h, a GRU r g, z h and (1 - z) g; a simple cell has none.
    """
    layer = call.layer
    if isinstance(layer, layers.Bidirectional):
        recurrent = (layer.forward_layer, layer.backward_layer)
    else:
        recurrent = (layer,) if isinstance(layer, _RECURRENT) else ()
    steps = call.inputs_size // call.input_shape[-1] if recurrent else 0
    every = [cell for one in recurrent for cell in cells(one)]
    return sum(3 * steps * _kernels(cell)[1][1].shape[0] for cell in every if gates(cell) > 1)
