import numpy as np
import pytest

from keras_bc.deploy import flatbuffer, reference
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.deploy.validate import validate
from keras_bc.errors import UserError
from tests.deploy.c_build import run_emitted
from tests.deploy.graph_builder import Builder
from tests.deploy.graphs import KINDS, PLAIN, graph_of, mlp, random_graph, random_inputs


@pytest.mark.parametrize("seed", range(10))
def test_random_graphs_are_valid(seed):
    validate(random_graph(seed, layers=6))


def set_option(name, value):
    def change(graph, op):
        op.options[name] = value

    return change


def change_constant(number, change):
    def apply(graph, op):
        tensor = graph.tensors[op.inputs[number]]
        tensor.data = change(tensor.data.copy())
        tensor.shape = tensor.data.shape

    return apply


def filled(*index, value):
    def change(data):
        data[index] = value
        return data

    return change


def change_output(**fields):
    def apply(graph, op):
        for name, value in fields.items():
            setattr(graph.tensors[op.outputs[0]], name, value)

    return apply


DENSE, CONV, DEPTHWISE = "KbcFullyConnected", "KbcConv2D", "DEPTHWISE_CONV_2D"
RESIZE = "RESIZE_NEAREST_NEIGHBOR"
BUILTINS = "CONV_2D", "FULLY_CONNECTED"


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (DENSE, set_option("weights", "octal"), "weights are 'octal'"),
        (DENSE, set_option("weights", "ternary"), r"expected int32 \[2, "),
        (DENSE, set_option("activation_min", -129), "clamped to -129"),
        (DENSE, lambda graph, op: op.options.clear(), "option 'weights' is missing"),
        (DENSE, lambda graph, op: op.inputs.pop(), "2 inputs, expected 3 to 4"),
        (DENSE, change_constant(1, lambda data: data[:, :-1]), "the weights is int32"),
        (DENSE, change_constant(2, lambda data: data[:, :-1]), "the channels is int32"),
        (DENSE, change_constant(2, filled(0, 0, value=-(2**30) - 1)), "a bias"),
        (DENSE, change_constant(2, filled(0, 1, value=2**30 - 1)), "a multiplier"),
        (DENSE, change_constant(2, filled(0, 1, value=-(2**31))), "a multiplier"),
        (DENSE, change_constant(2, filled(0, 2, value=0)), "a shift"),
        (DENSE, change_constant(2, filled(0, 2, value=63)), "a shift"),
        (DENSE, change_output(dtype="float32"), "it mixes float32 and int8"),
        (DENSE, change_output(dtype="int32"), "the output is int32"),
        (DENSE, change_output(shape=(1, 2**24 + 1)), "has the shape"),
        (DENSE, change_output(shape=(1,) * 9), "has the shape"),
        (DENSE, change_output(zero_point=128), "the zero point 128"),
        (DENSE, change_output(scale=np.array([0], np.float32)), "one scale"),
        (DENSE, change_output(scale=np.array([np.inf], np.float32)), "one scale"),
        (DENSE, change_output(scale=None), "one scale"),
        (CONV, set_option("groups", "two"), "option 'groups' is 'two', expected an integer"),
        (CONV, set_option("groups", 0), "0 groups"),
        (CONV, set_option("kernel_stride_h", 0), "not positive"),
        (CONV, set_option("kernel_pad_top", -1), "not positive"),
        (CONV, set_option("kernel_dilation_h", 2**16), "too large"),
        (CONV, set_option("kernel_h", 2**15), "does not fit"),
        (CONV, set_option("pool_pad_left", 20), "as wide as the window"),
        ("CONV_2D", set_option("stride_w", 0), "not positive"),
        ("CONV_2D", change_constant(1, lambda data: data[..., :-1]), "groups of . channels do not"),
        ("CONV_2D", change_constant(2, filled(0, value=2**31 - 1)), "a bias"),
        ("CONV_2D", change_output(scale=np.array([1e-30], np.float32)), "multiplier"),
        (DEPTHWISE, change_output(zero_point=0), "zero point 0, expected -128"),
        (DEPTHWISE, set_option("depth_multiplier", 0), "depth multiplier is 0"),
        (DEPTHWISE, set_option("depth_multiplier", 9), "are not 9 an input channel"),
        (DEPTHWISE, change_constant(1, lambda data: data[..., :-1]), "an input channel"),
        (DEPTHWISE, change_constant(1, lambda data: np.repeat(data, 2, 0)), "the weights is"),
        (DEPTHWISE, change_constant(2, lambda data: data[:-1]), "the bias is"),
        (DEPTHWISE, lambda graph, op: setattr(graph.tensors[op.inputs[1]], "axis", 0), "scales"),
        ("CONV_2D", lambda graph, op: setattr(graph.tensors[op.inputs[1]], "axis", 3), "scales"),
        ("MAX_POOL_2D", set_option("stride_h", 40), "the output is int8"),
        ("AVERAGE_POOL_2D", change_output(zero_point=3), "another scale or zero point"),
        ("PAD", change_constant(1, filled(3, 1, value=1)), "batch or the channels"),
        ("PAD", change_constant(1, filled(1, 1, value=-1)), "negative"),
        ("RESHAPE", change_constant(1, filled(1, value=7)), "its shape is"),
        ("SOFTMAX", set_option("beta", 2), "beta is 2"),
        ("ADD", change_output(scale=np.array([1e-9], np.float32)), "scale is too small"),
        ("SUB", change_output(scale=np.array([2e18], np.float32)), "between 2\\^-60 and 2\\^60"),
        ("ADD", change_output(shape=(1, 2, 3)), "does not serve for"),
        ("SUB", change_output(shape=(1, 20, 7, 5)), "does not serve for"),
        ("MUL", change_output(scale=np.array([1e-9], np.float32)), "multiplier overflows"),
        ("MUL", lambda graph, op: op.inputs.pop(), "1 inputs, expected 2"),
        ("CONCATENATION", set_option("axis", 0), "axis 0 is not behind the batch"),
        ("CONCATENATION", set_option("axis", 4), "axis 4 is not behind the batch"),
        ("CONCATENATION", change_output(zero_point=5), "another scale or zero point"),
        ("CONCATENATION", lambda graph, op: op.inputs.append("input"), "its inputs fill"),
        ("CONCATENATION", lambda graph, op: op.inputs.clear(), "0 inputs, expected 2"),
        ("CONCATENATION", change_output(shape=(1, 2, 2)), "does not fit"),
        ("LOGISTIC", change_output(zero_point=0), "scale 0.00390625 and zero point -128"),
        ("TANH", change_output(scale=np.array([1 / 256], np.float32)), "scale 0.0078125"),
        ("ELU", change_output(scale=np.array([1e-9], np.float32)), "scale is too small"),
        ("ELU", change_output(shape=(1, 2)), "its output is"),
        ("LEAKY_RELU", change_output(scale=np.array([1e-9], np.float32)), "overflows"),
        ("LEAKY_RELU", set_option("alpha", "steep"), "alpha is 'steep'"),
        ("LEAKY_RELU", set_option("alpha", -0.5), "alpha is -0.5"),
        ("LEAKY_RELU", set_option("alpha", float("nan")), "alpha is nan"),
        ("HARD_SWISH", change_output(scale=np.array([1e-9], np.float32)), "not those of a hard"),
        ("HARD_SWISH", change_output(scale=np.array([1e9], np.float32)), "not those of a hard"),
        ("QUANTIZE", change_output(scale=np.array([1e-9], np.float32)), "overflows"),
        ("QUANTIZE", change_output(scale=np.array([1], np.float32), zero_point=0), "differently"),
        ("SLICE", change_constant(1, filled(0, value=1)), "cuts the batch"),
        ("SLICE", change_constant(2, filled(0, value=1)), "cuts the batch"),
        ("SLICE", change_constant(1, filled(-1, value=-1)), "beyond its input"),
        ("SLICE", change_constant(1, filled(-1, value=2**31 - 1)), "beyond its input"),
        ("SLICE", change_constant(2, filled(-1, value=-1)), "not those of its output"),
        ("SLICE", change_constant(2, lambda data: data[:-1]), "the sizes is int32"),
        ("SLICE", change_output(zero_point=3), "another scale or zero point"),
        (RESIZE, change_constant(1, filled(0, value=-1)), "its size is not its output's"),
        (RESIZE, change_constant(1, lambda data: data[:-1]), "the size is int32"),
        (RESIZE, change_output(zero_point=3), "another scale or zero point"),
        ("PRELU", change_constant(1, lambda data: data[..., :-1]), "alpha is int8"),
        ("PRELU", change_output(scale=np.array([1e-9], np.float32)), "overflows"),
        ("PRELU", change_output(shape=(1, 2)), "its output is"),
        ("SOFTMAX", change_output(zero_point=0), "scale 1/256"),
    ],
)
def test_what_is_wrong_is_named(kind, change, words):
    graph = graph_of(kind, 11, **PLAIN)
    op = graph.ops[-1]
    change(graph, op)
    with pytest.raises(UserError, match=words) as caught:
        validate(graph)
    assert f"`{op.name}` ({kind})" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_op_must_follow_what_it_reads(kind):
    graph = graph_of(kind, 2)
    graph.ops[-1].inputs[0] = graph.ops[-1].outputs[0]
    with pytest.raises(UserError, match="not computed before it"):
        validate(graph)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 82, 4, 3), "the pixels of 2 are not evenly found in 82"),
        ((1, 5, 4, 3), "5 is not a multiple of 2"),
        ((1, 2 << 15, 4, 3), "pixels are too many"),
        ((1, 4, 4, 2), "it changes the channels"),
    ],
)
def test_an_image_is_enlarged_by_factors_that_every_runtime_knows(shape, words):
    graph = graph_of(RESIZE, 11)
    (op,) = graph.ops
    graph.tensors["input"].shape = (1, 2, 2, 3)
    change_output(shape=shape)(graph, op)
    change_constant(1, lambda data: np.array(shape[1:3], np.int32))(graph, op)
    with pytest.raises(UserError, match=words):
        validate(graph)


def joined(kind, y_scale):
    """Two inputs of scale 1 whose greatest distance from their zero points is 255."""
    names = ["a", "b", "y"]
    tensors = [Tensor(name, (1, 40), "int8", None, np.ones(1, np.float32), -128) for name in names]
    tensors[2].scale, tensors[2].zero_point = np.array([y_scale], np.float32), 127
    op = Op(kind, "join", names[:2], names[2:])
    return Graph("join", dict(zip(names, tensors, strict=True)), [op], names[:2], names[2:])


@pytest.mark.parametrize(("kind", "y_scale"), [("ADD", 1 / 63.9), ("SUB", 1 / 120), ("MUL", 2)])
def test_joined_numbers_that_just_fit_16_bits_run_the_same_everywhere(kind, y_scale, tmp_path):
    graph = joined(kind, y_scale)
    x = random_inputs(graph, 8)
    expected = reference.run(graph, x)["y"]
    np.testing.assert_array_equal(Interpreter(flatbuffer.write(graph)).run(x), expected)
    np.testing.assert_array_equal(run_emitted(graph, x, tmp_path)["y"], expected)


@pytest.mark.parametrize(("kind", "y_scale"), [("ADD", 1 / 64), ("SUB", 1 / 128), ("MUL", 1.99)])
def test_joined_numbers_may_not_leave_16_bits(kind, y_scale):
    with pytest.raises(UserError, match="its output's scale is too small for those of its inputs"):
        validate(joined(kind, y_scale))


def test_pad_bits_must_be_0():
    graph = graph_of(DENSE, 11, **PLAIN)
    weights = graph.tensors[graph.ops[0].inputs[1]]
    assert graph.tensors["input"].shape[-1] % 32
    weights.data[0, -1] |= np.int32(-(2**31))
    with pytest.raises(UserError, match="pad bits"):
        validate(graph)


def test_an_int8_accumulator_may_not_overflow():
    graph = graph_of("FULLY_CONNECTED", 1)
    op = graph.ops[0]
    size = 2**30 // (255 * 127) + 1
    graph.tensors["input"].shape = (1, size)
    weights = graph.tensors[op.inputs[1]]
    weights.data = np.full((weights.shape[0], size), 127, np.int8)
    weights.shape = weights.data.shape
    with pytest.raises(UserError, match="overflow"):
        validate(graph)


LARGEST_BIAS = (2**31 - 1 >> 16) - 255 * 127
"""That the accumulator of `moved_by_16_bits` has room for."""


def moved_by_16_bits(kind, bias):
    """A builtin with the multiplier 2^15, and one weight of 127 a channel."""
    graph = graph_of(kind, 11, **PLAIN)
    x, weights, biases = (graph.tensors[name] for name in graph.ops[0].inputs)
    x.scale = weights.scale = biases.scale = np.ones(1, np.float32)
    weights.data = np.zeros_like(weights.data)
    weights.data.reshape(len(biases.data), -1)[:, 0] = 127
    biases.data = np.full_like(biases.data, bias)
    change_output(scale=np.array([2**-15], np.float32))(graph, graph.ops[0])
    return graph


@pytest.mark.parametrize("bias", [LARGEST_BIAS + 1, -LARGEST_BIAS - 1])
@pytest.mark.parametrize("kind", BUILTINS)
def test_a_multiplier_may_not_move_an_accumulator_out_of_int32(kind, bias):
    with pytest.raises(UserError, match="a multiplier overflows"):
        validate(moved_by_16_bits(kind, bias))


@pytest.mark.parametrize("bias", [LARGEST_BIAS, -LARGEST_BIAS])
@pytest.mark.parametrize("kind", BUILTINS)
def test_what_just_fits_int32_runs_the_same_everywhere(kind, bias, tmp_path):
    graph = moved_by_16_bits(kind, bias)
    x = random_inputs(graph, 8)
    model = flatbuffer.write(graph)
    expected = reference.run(flatbuffer.read(model), x)[graph.outputs[0]]
    np.testing.assert_array_equal(Interpreter(model).run(x), expected)
    np.testing.assert_array_equal(run_emitted(graph, x, tmp_path)[graph.outputs[0]], expected)


@pytest.mark.parametrize("kind", BUILTINS)
def test_a_multiplier_that_vanishes_moves_nothing(kind):
    graph = moved_by_16_bits(kind, 2**30)
    change_output(scale=np.array([2**40], np.float32))(graph, graph.ops[0])
    validate(graph)


def test_a_model_has_inputs_and_outputs():
    graph = mlp(5, 4, 3)
    graph.outputs.append(graph.ops[0].outputs[0])
    validate(graph)
    graph.outputs = []
    with pytest.raises(UserError, match="1 inputs and 0 outputs"):
        validate(graph)


def test_an_output_is_not_bits():
    graph = graph_of(DENSE, 1, outputs="bits")
    graph.outputs = [graph.ops[0].outputs[0]]
    with pytest.raises(UserError, match="it is bits, expected int8 or float32"):
        validate(graph)


@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "PAD", "AVERAGE_POOL_2D", "CONV_2D"])
def test_bits_are_not_for_everyone(kind):
    graph = graph_of(kind, 1)
    graph.tensors["bits"] = Tensor("bits", (1, 1, 1, 1), "int32")
    graph.ops.insert(0, Op("KbcPack", "pack", [graph.inputs[0]], ["bits"]))
    x = graph.tensors[graph.inputs[0]]
    graph.tensors["bits"].shape = (*x.shape[:-1], -(-x.shape[-1] // 32))
    graph.ops[-1].inputs[0] = "bits"
    with pytest.raises(UserError, match="its input is bits, expected int8"):
        validate(graph)


FEW_BIT = {"bits": True, "weights": "ternary", "outputs": "bits"}


@pytest.mark.parametrize(
    ("kind", "fixed", "change", "words"),
    [
        (DENSE, FEW_BIT, set_option("in_channels", 0), "0 input channels"),
        (DENSE, FEW_BIT, set_option("in_channels", 10**6), "are not in words of"),
        (CONV, FEW_BIT, change_constant(2, filled(0, 1, value=0)), "neither 1 nor -1"),
        (CONV, FEW_BIT, change_constant(1, filled(1, 0, 0, value=0)), "a weight of 0 has a sign"),
        (CONV, {}, set_option("input_dilation_h", 0), "an input dilation is wrong"),
        (CONV, {}, set_option("input_dilation_w", 2**20), "an input dilation is wrong"),
        ("KbcUnpack", {}, set_option("positive", 128), "option positive is not an int8"),
        ("KbcMaxPool2D", {}, set_option("pool_pad_top", 20), "as wide as the window"),
    ],
)
def test_what_is_wrong_with_bits_is_named(kind, fixed, change, words):
    graph = graph_of(kind, 11, **fixed)
    change(graph, [op for op in graph.ops if op.kind == kind][-1])
    with pytest.raises(UserError, match=words):
        validate(graph)


def test_a_shortcut_has_the_shape_of_the_output():
    builder = Builder(3, **{**PLAIN, "shortcut": True})
    builder.input((1, 6))
    builder.add(DENSE, 6)
    graph = builder.finish()
    assert len(graph.ops[0].inputs) == 4
    validate(graph)
    graph.ops[0].options["shortcut_shift"] = 63
    with pytest.raises(UserError, match="a shift is not in"):
        validate(graph)
    graph.ops[0].options["shortcut_shift"] = 30
    other = Tensor("other", (1, 7), "int8", None, np.ones(1, np.float32), 0)
    graph.tensors["other"] = other
    graph.inputs.append("other")
    graph.ops[0].inputs[3] = "other"
    with pytest.raises(UserError, match="the shortcut is int8"):
        validate(graph)


def test_every_output_is_made_by_an_op():
    graph = random_graph(1)
    graph.tensors["other"] = graph.tensors[graph.inputs[0]]
    graph.outputs.append("other")
    with pytest.raises(UserError, match="No op makes the model's output `other`"):
        validate(graph)
