"""Keras model -> Graph (float): an op, or a few, for each call of a layer, with real weights.

Float ops, their inputs and options (see graph.py for the dataclasses):

================ ================================================ ================================
kind             inputs                                           options
================ ================================================ ================================
fully_connected  x [..., k], weights [out, k], bias [out]         weights
conv_2d          x [1, h, w, c], weights [out, kh, kw, c/groups], weights, groups, window,
                 bias [out]                                       input_dilation, transposed
batch_norm       x [..., c], scale [c], offset [c]                -
clip             x                                                low, high, levels
sign             x                                                -
function         x                                                name, alpha
prelu            x, alpha [...]                                   -
softmax          x                                                -
max_pool_2d      x [1, h, w, c]                                   window
average_pool_2d  x [1, h, w, c]                                   window
pad_2d           x [1, h, w, c]                                   window (its padding alone)
resize           x [1, h, w, c]                                   factor (rows, columns)
slice            x                                                begin, size: of every axis
reshape          x                                                -
concatenate      x, ...                                           axis
add, subtract,   a, b                                             -
multiply
================ ================================================ ================================

`weights` is "binary" (the tensor holds +H and -H), "ternary" (and 0) or "real". `input_dilation` is
how far apart the rows and columns of x are moved, zeros between, as a transposed convolution does;
`transposed` says that it is one. batch_norm is
y = x * scale + offset. clip is y = min(max(x, low), high), rounded to `levels` equal steps of that
range unless 0. sign is +1 where x >= 0, else -1. function is one of `keras_bc.deploy.functions`.
Of add, subtract and multiply, an input whose last axes are those of the other, or 1, serves for
all of it.
"""

import keras

from keras_bc.calls import trace_calls
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.trace import activations, images, joins, linear, recurrent, shapes
from keras_bc.deploy.trace.tracer import Tracer
from keras_bc.errors import UserError

_HANDLERS = {
    **linear.HANDLERS,
    **activations.HANDLERS,
    **images.HANDLERS,
    **joins.HANDLERS,
    **recurrent.HANDLERS,
    **shapes.HANDLERS,
}


def trace(model: keras.Model) -> Graph:
    """The model's layers as a graph of float ops.

    Args:
        model: A built Sequential or functional model, channels last. It may branch, nest and share
            layers, and have several inputs and outputs.

    Raises:
        UserError: A layer, an option of one, or the model's form is not supported, or a weight is
            not finite. The message names the layer.
    """
    if not _is_symbolic(model):
        raise UserError(
            f"Model `{model.name}` of type {type(model).__name__} has no layers whose shapes are "
            "known. Give a Sequential model a keras.Input as its first layer; wrap the layers of a "
            "subclassed model in a Sequential or functional one."
        )
    found = trace_calls(model)
    tracer = Tracer(model)
    for call in found.calls:
        tracer.take(call, _handler(call.layer))
    tracer.finish(found.outputs)
    return tracer.graph


def _is_symbolic(model: keras.Model) -> bool:
    """Whether the model is made of layers that were called on keras.Input."""
    try:
        return bool(model.inputs and model.outputs)
    except (AttributeError, ValueError):
        return False


def _handler(layer):
    # Not a subclass: it may compute something else.
    handler = _HANDLERS.get(type(layer)) or joins.operation(layer)
    if handler is None:
        supported = ", ".join(sorted(cls.__name__ for cls in _HANDLERS))
        raise UserError(
            f"Layer `{layer.name}` of type {type(layer).__name__} cannot be exported. "
            f"Supported: {supported}."
        )
    return handler
