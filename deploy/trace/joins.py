"""Layers that join branches, and Keras's operations on tensors, such as `x + y` and `2 * x`."""

import functools
import itertools

import keras
import numpy as np
from keras import layers

from keras_bc.calls import Call
from keras_bc.deploy.graph import Tensor
from keras_bc.deploy.trace.activations import affine
from keras_bc.deploy.trace.shapes import reshape
from keras_bc.deploy.trace.tracer import Tracer
from keras_bc.errors import UserError


def _pairwise(kind: str):
    def handler(tracer: Tracer, layer: keras.Operation, *inputs: Tensor) -> Tensor:
        join = functools.partial(pair, tracer, layer, kind)
        return functools.reduce(join, inputs)

    return handler


def pair(tracer: Tracer, layer, kind: str, a: Tensor, b: Tensor) -> Tensor:
    """a + b, a - b or a * b; one of them may be the smaller, as `trace` says."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    for tensor in (a, b):
        _check_broadcast(layer, tensor.shape, shape)
    if shape not in (a.shape, b.shape):
        raise UserError(
            f"Layer `{layer.name}` joins the shapes {a.shape[1:]} and {b.shape[1:]}; only where "
            "one of them is that of the result can it be exported."
        )
    return tracer.add(kind, layer, [_with_axes(tracer, layer, x, shape) for x in (a, b)], shape)


def _with_axes(tracer: Tracer, layer, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """x with as many axes as a shape: those that it lacks, behind the batch's, are 1."""
    return reshape(tracer, layer, x, (*(1,) * (len(shape) - len(x.shape)), *x.shape[1:]))


def _check_broadcast(layer, given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """The smaller serves again and again: its axes are ones, then the last ones of the other."""
    own = list(itertools.dropwhile(lambda n: n == 1, given))
    if own != list(shape[len(shape) - len(own) :]):
        raise UserError(
            f"Layer `{layer.name}` stretches the shape {given[1:]} to {shape[1:]}; only one "
            "number, or values for all of the last axes, can be exported."
        )


def _concatenate(tracer: Tracer, layer: keras.Operation, *inputs: Tensor) -> Tensor:
    return concatenate(tracer, layer, list(inputs), layer.axis)


def concatenate(tracer: Tracer, layer, inputs: list[Tensor], axis: int) -> Tensor:
    """The inputs one behind the other along an axis."""
    rank = len(inputs[0].shape)
    if axis % rank == 0:
        raise UserError(f"Layer `{layer.name}` joins along the batch, which cannot be exported.")
    shape = list(inputs[0].shape)
    shape[axis] = sum(tensor.shape[axis] for tensor in inputs)
    if len(inputs) == 1:
        return inputs[0]
    return tracer.add("concatenate", layer, inputs, tuple(shape), axis=axis % rank)


def operation(layer: keras.Operation):
    """The handler of an operation of Keras's that is no layer; None where there is none."""
    if isinstance(layer, keras.Layer) or not type(layer).__module__.startswith("keras."):
        return None
    return _OPERATIONS.get(type(layer).__name__)


def _arithmetic(kind: str):
    def handler(tracer: Tracer, call: Call, *inputs: Tensor) -> Tensor:
        if len(inputs) == 2:
            return pair(tracer, call.layer, kind, *inputs)
        return _with_constant(tracer, call, kind, *inputs)

    handler.takes_call = True
    return handler


def _with_constant(tracer: Tracer, call: Call, kind: str, x: Tensor) -> Tensor:
    """x + c, x - c, c - x, x * c or x / c."""
    positional, named = call.arguments
    a, b = (*positional, *named.values())[:2]
    first = isinstance(a, keras.KerasTensor)
    constant = np.asarray(keras.ops.convert_to_numpy(b if first else a), np.float64)
    if constant.size not in (1, x.shape[-1]) or (kind == "divide" and not first):
        raise UserError(
            f"Layer `{call.layer.name}` joins {x.shape[1:]} with a constant of shape "
            f"{constant.shape}; only one number, or one a channel, can be exported, and no "
            "division by a tensor."
        )
    constant = constant.reshape(-1)
    if kind in ("multiply", "divide"):
        return affine(tracer, call.layer, x, constant if kind == "multiply" else 1 / constant, 0.0)
    if kind == "add":
        return affine(tracer, call.layer, x, 1.0, constant)
    return affine(tracer, call.layer, x, *((1.0, -constant) if first else (-1.0, constant)))


HANDLERS = {
    layers.Add: _pairwise("add"),
    layers.Concatenate: _concatenate,
    layers.Multiply: _pairwise("multiply"),
    layers.Subtract: _pairwise("subtract"),
}
_OPERATIONS = {
    "Add": _arithmetic("add"),
    "Concatenate": _concatenate,
    "Divide": _arithmetic("divide"),
    "Multiply": _arithmetic("multiply"),
    "Subtract": _arithmetic("subtract"),
    "TrueDivide": _arithmetic("divide"),
}
"""By the names of their classes, which are not public."""
