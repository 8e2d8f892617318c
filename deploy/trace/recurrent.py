"""Recurrent layers with binary kernels, over a fixed number of steps: every step's ops in a row.

The products with the inputs are taken for all steps at once; those with the state one by one, and
each is added to its step's share. The constants are the same at all steps, and stored once.
"""

import functools

import numpy as np

from keras_bc.deploy.graph import Tensor
from keras_bc.deploy.trace.activations import activation_of, affine
from keras_bc.deploy.trace.images import crop
from keras_bc.deploy.trace.joins import concatenate, pair
from keras_bc.deploy.trace.linear import fully_connected, weights_of
from keras_bc.deploy.trace.shapes import reshape
from keras_bc.deploy.trace.tracer import Tracer, numpy
from keras_bc.errors import UserError
from keras_bc.layers import BinaryGRU, BinaryLSTM, BinarySimpleRNN


def _recurrent(step, states: int):
    """The handler of a layer whose cell computes `step` and has as many states."""

    def handler(tracer: Tracer, layer, x: Tensor, *initial: Tensor) -> Tensor | list[Tensor]:
        _check(layer, x, initial)
        cell = layer.cell
        products = _product(tracer, layer, x, cell.input_product)
        order = range(x.shape[1])
        state, outputs = [None] * states, []
        for number in reversed(order) if layer.go_backwards else order:
            share = crop(tracer, layer, products, (number, 0), (1, products.shape[2]))
            share = reshape(tracer, layer, share, share.shape[2:])
            state = step(tracer, layer, share, state)
            outputs.append(state[0])
        output = _sequence(tracer, layer, outputs) if layer.return_sequences else outputs[-1]
        return [output, *state] if layer.return_state else output

    return handler


def _check(layer, x: Tensor, initial: tuple[Tensor, ...]) -> None:
    if layer.stateful or initial or layer.zero_output_for_mask:
        raise UserError(
            f"Layer `{layer.name}` takes a state from elsewhere, or a mask; only sequences of a "
            "fixed length that begin with a state of zeros can be exported."
        )


def _product(tracer: Tracer, layer, x: Tensor, dense) -> Tensor:
    """The product of a cell, with its bias."""
    kernel, kind = weights_of(dense)
    bias = numpy(dense.bias) if dense.use_bias else None
    return fully_connected(tracer, layer, x, kernel, bias, kind)


def _added(tracer: Tracer, layer, share: Tensor, state: Tensor | None) -> Tensor:
    """share + state · U + c; the first step's state is zero."""
    dense = layer.cell.recurrent_product
    if state is None:
        return share
    return pair(tracer, layer, "add", _product(tracer, layer, state, dense), share)


def _parts(tracer: Tracer, layer, x: Tensor, count: int) -> list[Tensor]:
    units = x.shape[1] // count
    return [crop(tracer, layer, x, (number * units,), (units,)) for number in range(count)]


def _simple_step(tracer: Tracer, layer, share: Tensor, state: list) -> list[Tensor]:
    """h' = a(x + h U)."""
    summed = _added(tracer, layer, share, state[0])
    return [activation_of(tracer, layer, summed, layer.cell.activation)]


def _lstm_step(tracer: Tracer, layer, share: Tensor, state: list) -> list[Tensor]:
    """c' = s(f) c + s(i) a(g); h' = s(o) a(c')."""
    join = functools.partial(pair, tracer, layer)
    i, f, g, o = _parts(tracer, layer, _added(tracer, layer, share, state[0]), 4)
    c = join("multiply", _gate(tracer, layer, i), _curve(tracer, layer, g))
    if state[1] is not None:
        c = join("add", join("multiply", _gate(tracer, layer, f), state[1]), c)
    return [join("multiply", _gate(tracer, layer, o), _curve(tracer, layer, c)), c]


def _gru_step(tracer: Tracer, layer, share: Tensor, state: list) -> list[Tensor]:
    """u = s(z + z'); g'' = a(g + s(r + r') g'); h' = g'' + u (h - g'')."""
    join = functools.partial(pair, tracer, layer)
    z, r, g = _parts(tracer, layer, share, 3)
    if state[0] is None:
        # What a state of zeros gives is the bias.
        dense = layer.cell.recurrent_product
        if not dense.use_bias:
            candidate = _curve(tracer, layer, g)
            update = _gate(tracer, layer, z)
            return [join("subtract", candidate, join("multiply", update, candidate))]
        of_z, of_r, of_g = np.split(numpy(dense.bias), 3)
        update = _gate(tracer, layer, affine(tracer, layer, z, 1.0, of_z))
        reset = _gate(tracer, layer, affine(tracer, layer, r, 1.0, of_r))
        reset = affine(tracer, layer, reset, of_g, 0.0)
        candidate = _curve(tracer, layer, join("add", reset, g))
        return [join("subtract", candidate, join("multiply", update, candidate))]
    recurrent = _product(tracer, layer, state[0], layer.cell.recurrent_product)
    of_z, of_r, of_g = _parts(tracer, layer, recurrent, 3)
    update = _gate(tracer, layer, join("add", of_z, z))
    reset = _gate(tracer, layer, join("add", of_r, r))
    candidate = _curve(tracer, layer, join("add", join("multiply", reset, of_g), g))
    change = join("multiply", update, join("subtract", state[0], candidate))
    return [join("add", candidate, change)]


def _gate(tracer: Tracer, layer, x: Tensor) -> Tensor:
    return activation_of(tracer, layer, x, layer.cell.recurrent_activation)


def _curve(tracer: Tracer, layer, x: Tensor) -> Tensor:
    return activation_of(tracer, layer, x, layer.cell.activation)


def _sequence(tracer: Tracer, layer, outputs: list[Tensor]) -> Tensor:
    """The outputs of all steps, `[1, steps, units]`."""
    rows = [reshape(tracer, layer, output, (1, *output.shape[1:])) for output in outputs]
    return concatenate(tracer, layer, rows, 1)


HANDLERS = {
    BinaryGRU: _recurrent(_gru_step, states=1),
    BinaryLSTM: _recurrent(_lstm_step, states=2),
    BinarySimpleRNN: _recurrent(_simple_step, states=1),
}
