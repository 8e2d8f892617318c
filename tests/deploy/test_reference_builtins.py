"""The builtins that join, work element by element or move, against numbers worked out by hand."""

import numpy as np
import pytest

from keras_bc.deploy import reference
from keras_bc.deploy.graph import Graph, Op, Tensor


def flow(values, scale=1.0, zero_point=0):
    """A computed input of one sample: its tensor, whose data `run` takes."""
    data = np.array(values, np.int8)[None]
    return Tensor("flow", data.shape, "int8", data, np.float32([scale]), zero_point)


def run(kind, flows, y_shape, constants=(), options=None, scale=1.0, zero_point=0):
    """The output of a graph of one op, of the given scale and zero point."""
    names = [f"x{number}" for number in range(len(flows))]
    graph = Graph("one", inputs=names, outputs=["y"])
    for name, tensor in zip(names, flows, strict=True):
        graph.tensors[name] = Tensor(
            name, tensor.shape, "int8", None, tensor.scale, tensor.zero_point
        )
    for tensor in constants:
        graph.tensors[tensor.name] = tensor
    y = Tensor("y", (1, *y_shape), "int8", None, np.float32([scale]), zero_point)
    graph.tensors["y"] = y
    inputs = names + [tensor.name for tensor in constants]
    graph.ops = [Op(kind, "op", inputs, ["y"], options or {})]
    return reference.run(graph, [tensor.data for tensor in flows])["y"][0].tolist()


@pytest.mark.parametrize(
    ("kind", "expected"),
    # a is 1, -3, 63, and b 0.5, 0, 0.25: sums of 1.5, -3, 63.25, differences of 0.5, -3, 62.75,
    # both in steps of 0.5 from 10.
    [("ADD", [13, 4, 127]), ("SUB", [11, 4, 127])],
)
def test_a_sum_has_three_scales(kind, expected):
    a = flow([3, -5, 127], scale=0.5, zero_point=1)
    b = flow([2, 0, 1], scale=0.25)
    assert run(kind, [a, b], (3,), scale=0.5, zero_point=10) == expected


def test_halves_of_a_sum_go_away_from_zero():
    a, b = flow([1, 2, -1, -2]), flow([2, 3, -2, -3])
    assert run("ADD", [a, b], (4,), scale=2) == [2, 3, -2, -3]  # 1.5, 2.5, -1.5, -2.5
    assert run("SUB", [b, a], (4,), scale=2) == [1, 1, -1, -1]


def test_a_product_of_tensors():
    a, b = flow([4, -4, 101], 0.5, 1), flow([3, 3, 3], 0.5, 0)
    # The factor is 1/4, a half of a half. 3 * 3 / 2 = 4.5 goes up to 5, and 5/2 away from zero to
    # 3; -5 * 3 / 2 = -7.5 goes up to -7, and -7/2 away to -4; 300/4 is beyond 127.
    assert run("MUL", [a, b], (3,), zero_point=60) == [63, 56, 127]
    a, b = flow([3, -3]), flow([1, 1])
    assert run("MUL", [a, b], (2,), scale=2) == [2, -1]  # 1.5, -1.5: there is no second rounding


def test_the_smaller_operand_serves_for_all():
    image = flow([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    channels, number = flow([[[10, 20]]]), flow([[[3]]])
    y = run("ADD", [channels, image], (2, 2, 2))
    assert y == [[[11, 22], [13, 24]], [[15, 26], [17, 28]]]
    assert run("SUB", [image, channels], (2, 2, 2))[1] == [[-5, -14], [-3, -12]]
    assert run("MUL", [image, number], (2, 2, 2))[0] == [[3, 6], [9, 12]]


def ints(name, values):
    data = np.array(values, np.int32)
    return Tensor(name, data.shape, "int32", data)


def test_a_slice_is_a_part():
    image = flow([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]])
    constants = [ints("begin", [0, 1, 0, 1]), ints("size", [-1, 1, 2, 1])]
    assert run("SLICE", [image], (1, 2, 1), constants) == [[[8], [10]]]


def test_nearest_pixels_come_several_times():
    y = run("RESIZE_NEAREST_NEIGHBOR", [flow([[[1], [2]]])], (2, 6, 1), [ints("size", [2, 6])])
    assert y == [[[1], [1], [1], [2], [2], [2]]] * 2


def test_a_slope_for_each_channel():
    # Alpha is 1/2 and -1; in steps of half an input's, from 3.
    alpha = np.array([3, -3], np.int8)
    alpha = Tensor("alpha", (2,), "int8", alpha, np.float32([0.25]), 1)
    x = flow([[4, 4], [-4, -4]])
    assert run("PRELU", [x], (2, 2), [alpha], scale=0.5, zero_point=3) == [[11, 11], [-1, 11]]


@pytest.mark.parametrize(
    ("axis", "shape", "expected"),
    [
        (1, (3, 1, 2), [[[1, 2]], [[3, 4]], [[5, 6]]]),
        (3, (1, 1, 6), [[[1, 2, 3, 4, 5, 6]]]),
    ],
)
def test_tensors_are_joined_along_an_axis(axis, shape, expected):
    inputs = [flow([[[1, 2]]]), flow([[[3, 4]]]), flow([[[5, 6]]])]
    assert run("CONCATENATION", inputs, shape, options={"axis": axis}) == expected


def test_a_logistic_curve():
    # 1 / (1 + e^-x) of ln 3, -ln 3 and 0 is 3/4, 1/4 and 1/2, of 256 steps.
    x = flow([1, -1, 0, 127, -128], np.log(3))
    y = run("LOGISTIC", [x], (5,), scale=1 / 256, zero_point=-128)
    assert y == [64, -64, 0, 127, -128]


def test_a_hyperbolic_tangent():
    # Of ln 2, -ln 2 and 0: 3/5, -3/5 and 0, of 128 steps.
    x = flow([1, -1, 0, 100, -100], np.log(2))
    assert run("TANH", [x], (5,), scale=1 / 128) == [77, -77, 0, 127, -128]


def test_an_exponential_linear_unit():
    x = flow([2, 1, -1, -100], np.log(2))  # e^-ln 2 - 1 = -1/2, and -1 in the end
    assert run("ELU", [x], (4,), scale=np.log(2) / 2) == [4, 2, -1, -3]


def test_a_leaky_relu():
    # In steps of half an input's: 2 * 6, and -6 / 4 = -1.5, which goes away from zero.
    x = flow([6, -6, -7], 0.5)
    y = run("LEAKY_RELU", [x], (3,), options={"alpha": 0.125}, scale=0.25, zero_point=1)
    assert y == [13, -1, -1]


def test_a_hard_swish():
    # 6, 3, 1, 0, -1, -3 and -6 times 1, 1, 4/6, 1/2, 2/6, 0 and 0, in quarters.
    x = flow([24, 12, 4, 0, -4, -12, -24], 0.25)
    assert run("HARD_SWISH", [x], (7,), scale=0.25) == [24, 12, 3, 0, -1, 0, 0]


def test_another_scale():
    x = flow([3, -3, 100], 0.5, zero_point=1)
    assert run("QUANTIZE", [x], (3,), scale=0.25, zero_point=-10) == [-6, -18, 127]
