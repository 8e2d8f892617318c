"""What holds of the ops that read or write float32."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from keras_bc.deploy import builtin_checks, few_bit_checks, op_checks
from keras_bc.deploy.checks import check_shape, require
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.op_checks import Kind


def _check_conv(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    out = op_checks.check_conv_weights(x, constants[0], "float32")
    _check_sums(graph, op, x, constants, y, out)


def _check_depthwise(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    out = op_checks.check_depthwise_weights(op, x, constants[0], "float32")
    _check_sums(graph, op, x, constants, y, out)


def _check_sums(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y, out: int) -> None:
    op_checks.check_image(graph, op, x, y, out)
    check_shape(constants[1], (out,), "the bias", "float32")
    for tensor in constants:
        require(bool(np.isfinite(tensor.data).all()), "its weights or biases are not finite")


def _check_pair(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    builtin_checks.check_operands(graph, op, y)


def _check_curve(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    check_shape(y, x.shape, "the output", "float32")
    builtin_checks.check_alpha(op)


def _check_bound(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    check_shape(y, x.shape, "the output", "float32")
    check_shape(constants[0], (1,), "the bound", "float32")
    require(bool(np.isfinite(constants[0].data[0])), "its bound is not finite")


def _check_prelu(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    builtin_checks.check_slopes(x, constants[0], y)


def _check_softmax(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    require(op.options["beta"] == 1, f"beta is {op.options['beta']}, expected 1")
    check_shape(y, x.shape, "the output", "float32")


def _check_conversion(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    types = ("float32", "int8") if op.kind == "QUANTIZE" else ("int8", "float32")
    expected = " to ".join(types)
    require((x.dtype, y.dtype) == types, f"it goes from {x.dtype} to {y.dtype}, not {expected}")
    check_shape(y, x.shape, "the output", y.dtype)


def _of_floats(check: Callable, **counts) -> Kind:
    """A kind whose activations are all float32."""

    def check_floats(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
        tensors = [graph.tensors[name] for name in (*op.inputs, *op.outputs)]
        flows = {tensor.dtype for tensor in tensors if tensor.data is None}
        require(flows == {"float32"}, f"it mixes {' and '.join(sorted(flows))}")
        check(graph, op, x, constants, y)

    return Kind(check_floats, floats=True, **counts)


def _as_integers(kind: str) -> Kind:
    """A kind that asks the same of float32 as of int8."""
    return replace((op_checks.KINDS | builtin_checks.KINDS)[kind], floats=True)


_MOVES = (
    *("MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "RESHAPE", "SLICE"),
    *("RESIZE_NEAREST_NEIGHBOR", "CONCATENATION"),
)
_FEW_BIT = {"constants": 2, "flows": (1, 2)}
_CONVERSION = Kind(_check_conversion, floats=True)
KINDS: dict[str, Kind] = {
    **{kind: _as_integers(kind) for kind in ("KbcPack", "KbcUnpack", *_MOVES)},
    "KbcFullyConnected": _of_floats(few_bit_checks.check_fully_connected, **_FEW_BIT),
    "KbcConv2D": _of_floats(few_bit_checks.check_conv_2d, **_FEW_BIT),
    "KbcDepthwiseConv2D": _of_floats(few_bit_checks.check_conv_2d, **_FEW_BIT),
    "CONV_2D": _of_floats(_check_conv, constants=2),
    "DEPTHWISE_CONV_2D": _of_floats(_check_depthwise, constants=2),
    **dict.fromkeys(("ADD", "SUB", "MUL"), _of_floats(_check_pair, flows=(2, 2))),
    **dict.fromkeys(
        ("RELU", "LOGISTIC", "TANH", "LEAKY_RELU", "ELU", "HARD_SWISH"), _of_floats(_check_curve)
    ),
    **dict.fromkeys(("MINIMUM", "MAXIMUM"), _of_floats(_check_bound, constants=1)),
    "PRELU": _of_floats(_check_prelu, constants=1),
    "SOFTMAX": _of_floats(_check_softmax),
    "QUANTIZE": _CONVERSION,
    "DEQUANTIZE": _CONVERSION,
}
