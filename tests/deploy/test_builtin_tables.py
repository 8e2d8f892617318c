"""Every table against TensorFlow Lite, over all inputs, and what has no table."""

import numpy as np
import pytest

from keras_bc.deploy import builtin_tables, flatbuffer
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.interpreter import Interpreter

ALL = np.arange(-128, 128).astype(np.int8)
FIXED = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


def curve(kind, x_scale, x_zero, y_scale, y_zero, alpha=None, size=256):
    """A graph of one op for vectors."""
    tensors = [
        Tensor("x", (1, size), "int8", None, np.array([x_scale], np.float32), x_zero),
        Tensor("y", (1, size), "int8", None, np.array([y_scale], np.float32), y_zero),
    ]
    options = {} if alpha is None else {"alpha": alpha}
    op = Op(kind, "curve", ["x"], ["y"], options)
    return Graph("curve", {tensor.name: tensor for tensor in tensors}, [op], ["x"], ["y"])


def random_curve(kind, rng):
    """Scales of any size or, now and then, powers of two, which make halves."""
    x_scale, ratio = np.exp2(rng.uniform(-12, 2)), np.exp2(rng.uniform(-3, 4))
    if kind == "HARD_SWISH":
        ratio = max(ratio, 1 / 100)
    if kind == "QUANTIZE":
        ratio = min(ratio, 2)
    if rng.random() < 0.3:
        x_scale, ratio = (np.exp2(np.round(np.log2(value))) for value in (x_scale, ratio))
    x_zero, y_zero = (int(rng.choice([-128, 127, *rng.integers(-128, 128, 3)])) for _ in "xy")
    y_scale, y_zero = FIXED.get(kind, (x_scale * ratio, y_zero))
    alpha = None
    if kind == "LEAKY_RELU":
        alpha = float(np.float32(rng.choice([0, 0.25, 1, rng.random(), 3 * rng.random()])))
    return curve(kind, x_scale, x_zero, y_scale, y_zero, alpha)


@pytest.mark.parametrize("kind", builtin_tables.KINDS)
def test_a_table_holds_what_the_interpreter_computes(kind):
    rng = np.random.default_rng(5)
    for _ in range(40):
        graph = random_curve(kind, rng)
        y = Interpreter(flatbuffer.write(graph)).run(ALL[np.newaxis])[0]
        table = builtin_tables.table(graph, graph.ops[0])
        np.testing.assert_array_equal(y, table, err_msg=f"{graph.tensors}, {graph.ops}")


def test_a_scale_that_runtimes_round_differently_is_refused():
    graph = curve("QUANTIZE", 0.25, 0, 0.75, 0)
    with pytest.raises(ValueError, match="runtimes round it differently"):
        builtin_tables.table(graph, graph.ops[0])


@pytest.mark.parametrize(("x_zero", "y_zero"), [(0, -128), (-128, 5)])
def test_the_same_scale_does_where_no_number_is_negative(x_zero, y_zero):
    """Below the output's range, or below the input's."""
    graph = curve("QUANTIZE", 0.25, x_zero, 0.75, y_zero)
    builtin_tables.table(graph, graph.ops[0])


def test_a_leaky_relu_of_slope_1_is_a_change_of_scale_in_every_runtime():
    rng = np.random.default_rng(6)
    for _ in range(40):
        x_scale, y_scale = np.exp2(rng.uniform(-6, 0, 2)).astype(np.float32)
        graph = curve("LEAKY_RELU", x_scale, 3, y_scale, -4, alpha=1.0)
        real = (ALL.astype(np.float64) - 3) * x_scale / y_scale - 4
        table = builtin_tables.table(graph, graph.ops[0])
        assert np.abs(np.clip(real, -128, 127) - table).max() < 0.76  # rounded twice


@pytest.mark.parametrize(
    ("kind", "y_scale", "reason"),
    [
        ("ELU", 1e-8, "scale is too small"),
        ("LEAKY_RELU", 1e-8, "overflows"),
        ("QUANTIZE", 1e-8, "overflows"),
        ("HARD_SWISH", 1e-3, "not those of a hard swish"),
        ("HARD_SWISH", 1e4, "not those of a hard swish"),
    ],
)
def test_what_overflows_has_no_table(kind, y_scale, reason):
    graph = curve(kind, 0.25, 0, y_scale, 0, alpha=0.5)
    with pytest.raises(ValueError, match=reason):
        builtin_tables.table(graph, graph.ops[0])
