"""What holds of every integer graph that the other steps may rely on.

A file may come from anywhere. What is checked here once need not be checked by the emitter, the
NumPy executor or the firmware: that each op has the tensors, types, shapes and options of its kind
(`op_checks.py` and its kin), and reads what is computed before it. The delegate, which meets files
on its own, checks its ops again in C.
"""

import contextlib
from collections.abc import Iterator

from keras_bc.deploy import builtin_checks, float_checks, op_checks
from keras_bc.deploy.checks import Wrong, check_activation, require
from keras_bc.deploy.float_ops import is_float
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.errors import UserError

_KINDS = op_checks.KINDS | builtin_checks.KINDS
_TEXTS = ("weights", "padding")
_REALS = ("alpha",)  # all other options are integers


def validate(graph: Graph) -> None:
    """Check an integer graph.

    Raises:
        UserError: It is not one; the message names the layer and what is wrong.
    """
    if not graph.inputs or not graph.outputs:
        raise UserError(
            f"The model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; expected "
            "at least one of each."
        )
    for name in graph.inputs:
        with _named(f"The input `{name}`"):
            _check_end(graph.tensors[name])
    ready = set(graph.inputs)
    for op in graph.ops:
        with _named(f"Layer `{op.name}` ({op.kind})"):
            _check_op(graph, op, ready)
        ready.update(op.outputs)
    for name in graph.outputs:
        if name not in ready:
            raise UserError(f"No op makes the model's output `{name}`. Export the model again.")
        with _named(f"The output `{name}`"):
            _check_end(graph.tensors[name])


def _check_end(tensor: Tensor) -> None:
    check_activation(tensor, "it")
    require(tensor.dtype != "int32", "it is bits, expected int8 or float32")


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Tell the user that a check within failed on `what`."""
    try:
        yield
    except (Wrong, KeyError, ValueError) as error:
        reason = f"option {error} is missing" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{what} of the .tflite file is not valid: {reason}. Export the model again."
        ) from error


def _check_op(graph: Graph, op: Op, ready: set[str]) -> None:
    for name in (*op.inputs, *op.outputs):
        require(name in graph.tensors, f"`{name}` is no tensor of it")
    floats = is_float(graph, op)
    kind = float_checks.KINDS.get(op.kind) if floats else _KINDS.get(op.kind)
    require(
        kind is not None,
        f"it computes in {'float32' if floats else 'int8'}, which no {op.kind} does",
    )
    kind.check_counts(len(op.inputs))
    require(len(op.outputs) == 1, f"{len(op.outputs)} outputs, expected 1")
    require(op.outputs[0] not in ready, "its output is computed twice")
    for name, value in op.options.items():
        integer = isinstance(value, int) or name in _TEXTS + _REALS
        require(integer, f"option '{name}' is {value!r}, expected an integer")
    inputs = [graph.tensors[name] for name in op.inputs]
    for number, tensor in enumerate(inputs):
        if kind.is_constant(number):
            require(tensor.data is not None, f"`{tensor.name}` is not constant")
        else:
            require(tensor.name in ready, "its input is not computed before it")
            kind.check_type(tensor, "its input")
    y = graph.tensors[op.outputs[0]]
    check_activation(y, "the output")
    kind.check_type(y, "the output")
    constants = [tensor for tensor in inputs if tensor.data is not None]
    kind.check(graph, op, inputs[0], constants, y)
