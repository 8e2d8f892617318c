"""What holds of the int8 builtins without sums of products, beyond `op_checks.py`: those that join
tensors, work element by element, or move.

Where TensorFlow Lite would overflow, where its runtimes differ, and where it would end the process,
the op is refused, so that every executor need only know the ordinary case.
"""

import itertools

import numpy as np

from keras_bc.deploy import builtin_tables
from keras_bc.deploy.builtin import prelu_factors, product_factor, scaled_product, scaled_sum
from keras_bc.deploy.checks import check_same_scale, check_shape, require
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.op_checks import Kind

MOST_INPUTS = 1 << 10  # of a concatenation
_MOST_AXES = 4  # that the interpreter's kernels have, of those that take any number in the schema
_LARGEST_RESIZED = (1 << 15) - 1  # pixels of a side
_LARGEST_SLOPE = 1 << 16
_FIXED_OUTPUTS = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
_LARGEST_EXPONENT = 60  # of a scale: products of two are still floats


def _check_sum(graph: Graph, op: Op, a: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _check_pair(graph, op, y)
    _check_short(scaled_sum(graph, op, *_extremes(graph, op)))


def _check_product(graph: Graph, op: Op, a: Tensor, constants: list[Tensor], y: Tensor) -> None:
    _check_pair(graph, op, y)
    _check_factor(product_factor(graph, op), 255 * 255)
    _check_short(scaled_product(graph, op, *_extremes(graph, op)))


def _extremes(graph: Graph, op: Op) -> tuple[np.ndarray, np.ndarray]:
    """The four pairs of the inputs' greatest distances from their zero points, on either side."""
    a, b = (np.array([-128, 127]) - graph.tensors[name].zero_point for name in op.inputs)
    return a.repeat(2), np.tile(b, 2)


def _check_short(y: np.ndarray) -> None:
    """TensorFlow Lite may add the zero point in 16 bits, where too large a number wraps around."""
    fits = np.abs(y).max() + 128 < 1 << 15
    require(bool(fits), "its output's scale is too small for those of its inputs")


def _check_pair(graph: Graph, op: Op, y: Tensor) -> None:
    check_operands(graph, op, y)
    _check_scales(*(graph.tensors[name] for name in op.inputs), y)


def check_operands(graph: Graph, op: Op, y: Tensor) -> None:
    """Check the shapes of an op with two operands."""
    inputs = [graph.tensors[name] for name in op.inputs]
    for tensor in inputs:
        _check_smaller(tensor.shape, y.shape)
    require(
        y.shape in [tensor.shape for tensor in inputs], "both inputs are smaller than the output"
    )
    check_axes(y)


def _check_smaller(shape: tuple[int, ...], whole: tuple[int, ...]) -> None:
    """An input that serves for the whole output has its last axes, and 1 before them."""
    last = list(itertools.dropwhile(lambda n: n == 1, shape))
    require(
        len(shape) == len(whole) and last == list(whole[len(whole) - len(last) :]),
        f"an input of shape {list(shape)} does not serve for {list(whole)}",
    )


def _check_concatenation(
    graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor
) -> None:
    axis = op.options["axis"]
    require(1 <= axis < len(y.shape), f"axis {axis} is not behind the batch")
    inputs = [graph.tensors[name] for name in op.inputs]
    for tensor in inputs:
        check_same_scale(tensor, y)
        others = [shape[:axis] + shape[axis + 1 :] for shape in (tensor.shape, y.shape)]
        fits = len(tensor.shape) == len(y.shape) and others[0] == others[1]
        require(fits, f"an input of shape {list(tensor.shape)} does not fit {list(y.shape)}")
    total = sum(tensor.shape[axis] for tensor in inputs)
    require(total == y.shape[axis], f"its inputs fill {total} of {y.shape[axis]} places")


def _check_curve(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    require(y.shape == x.shape, f"its output is {list(y.shape)}, expected {list(x.shape)}")
    _check_scales(x, y)
    if op.kind in _FIXED_OUTPUTS:
        scale, zero_point = _FIXED_OUTPUTS[op.kind]
        fixed = y.scale[0] == np.float32(scale) and y.zero_point == zero_point
        require(bool(fixed), f"its output has not scale {scale} and zero point {zero_point}")
    check_alpha(op)
    builtin_tables.table(graph, op)


def check_alpha(op: Op) -> None:
    """Check the slope of a LEAKY_RELU."""
    if op.kind == "LEAKY_RELU":
        alpha = op.options["alpha"]
        require(
            isinstance(alpha, int | float) and 0 <= alpha <= _LARGEST_SLOPE, f"alpha is {alpha!r}"
        )


def _check_slice(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    begin, size = constants
    check_axes(x)
    for tensor, what in ((begin, "the beginnings"), (size, "the sizes")):
        check_shape(tensor, (len(x.shape),), what, "int32")
    whole_batch = begin.data[0] == 0 and size.data[0] == -1
    require(bool(whole_batch), "it cuts the batch")
    require(tuple(size.data[1:].tolist()) == y.shape[1:], "its sizes are not those of its output")
    begins, ends = begin.data.astype(np.int64), begin.data.astype(np.int64) + y.shape
    inside = np.all(begins >= 0) and np.all(ends <= x.shape)
    require(bool(inside), "it reaches beyond its input")
    check_same_scale(x, y)


def _check_resize(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    check_shape(constants[0], (2,), "the size", "int32")
    require(len(x.shape) == len(y.shape) == 4, "an image has not 4 axes")
    require(tuple(constants[0].data.tolist()) == y.shape[1:3], "its size is not its output's")
    require(x.shape[3] == y.shape[3], "it changes the channels")
    for size, out in zip(x.shape[1:3], y.shape[1:3], strict=True):
        require(out % size == 0, f"{out} is not a multiple of {size}")
        require(out <= _LARGEST_RESIZED, f"{out} pixels are too many")
        _check_nearest(size, out)
    check_same_scale(x, y)


def _check_nearest(size: int, out: int) -> None:
    """TensorFlow Lite finds the nearest pixel by a float32, or by 16 bits behind the point."""
    position = np.arange(out)
    scale = np.float32(size) / np.float32(out)
    by_float = np.floor(position.astype(np.float32) * scale)
    by_bits = position * ((size << 16) // out + 1) >> 16
    exact = position // (out // size)
    same = np.array_equal(by_float, exact) and np.array_equal(by_bits, exact)
    require(same, f"the pixels of {size} are not evenly found in {out}")


def _check_prelu(graph: Graph, op: Op, x: Tensor, constants: list[Tensor], y: Tensor) -> None:
    alpha = constants[0]
    check_slopes(x, alpha, y)
    one = alpha.scale is not None and len(alpha.scale) == 1 and alpha.scale[0] > 0
    require(bool(one), "alpha is not quantized with one scale")
    require(-128 <= alpha.zero_point <= 127, f"alpha has the zero point {alpha.zero_point}")
    _check_scales(x, alpha, y)
    factor, alpha_factor = prelu_factors(graph, op)
    _check_factor(factor, 255)
    _check_factor(alpha_factor, 255 * 255)


def check_slopes(x: Tensor, alpha: Tensor, y: Tensor) -> None:
    """Check the shapes of a PRELU."""
    check_axes(x)
    require(y.shape == x.shape, f"its output is {list(y.shape)}, expected {list(x.shape)}")
    shape = x.shape[1:] if len(alpha.shape) > 1 else x.shape[-1:]
    check_shape(alpha, shape, "alpha", x.dtype)


def check_axes(tensor: Tensor) -> None:
    """Raise Wrong where the interpreter has no kernel for so many axes."""
    axes = len(tensor.shape)
    require(axes <= _MOST_AXES, f"{axes} axes, expected at most {_MOST_AXES}")


def _check_scales(*tensors: Tensor) -> None:
    """Raise Wrong where a scale is so large or small that ratios of scales leave float32."""
    exponents = np.abs(np.log2([float(tensor.scale[0]) for tensor in tensors]))
    require(exponents.max() <= _LARGEST_EXPONENT, "a scale is not between 2^-60 and 2^60")


def _check_factor(factor: tuple[int, int], most: int) -> None:
    """Raise Wrong where a multiplier moves numbers up to `most` out of int32 (see requantize.h)."""
    multiplier, shift = factor
    fits = multiplier == 0 or most << max(31 - shift, 0) < 1 << 31
    require(fits, "a multiplier overflows its accumulator")


KINDS: dict[str, Kind] = {
    "ADD": Kind(_check_sum, flows=(2, 2)),
    "SUB": Kind(_check_sum, flows=(2, 2)),
    "MUL": Kind(_check_product, flows=(2, 2)),
    **dict.fromkeys(builtin_tables.KINDS, Kind(_check_curve)),
    "SLICE": Kind(_check_slice, constants=2),
    "RESIZE_NEAREST_NEIGHBOR": Kind(_check_resize, constants=1),
    "PRELU": Kind(_check_prelu, constants=1),
    "CONCATENATION": Kind(_check_concatenation, flows=(2, MOST_INPUTS)),
}
