import copy

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tflite

from keras_bc.deploy import flatbuffer
from keras_bc.deploy.graph import Graph
from keras_bc.errors import UserError
from tests.deploy.graphs import KINDS, graph_of, mlp, random_graph


def assert_same(one: Graph, other: Graph) -> None:
    assert (one.name, one.inputs, one.outputs) == (other.name, other.inputs, other.outputs)
    assert one.ops == other.ops
    assert list(one.tensors) == list(other.tensors)
    for a, b in zip(one.tensors.values(), other.tensors.values(), strict=True):
        assert (a.name, a.shape, a.dtype) == (b.name, b.shape, b.dtype)
        assert (a.zero_point, a.axis) == (b.zero_point, b.axis)
        np.testing.assert_array_equal(a.scale, b.scale)
        np.testing.assert_array_equal(a.data, b.data)
        assert a.data is None or a.data.dtype == b.data.dtype


def repack(data: bytes, change) -> bytes:
    """The file with `change` applied to the schema's objects."""
    model = tflite.ModelT.InitFromPackedBuf(data)
    change(model)
    builder = flatbuffer.flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), flatbuffer.IDENTIFIER)
    return bytes(builder.Output())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read(kind, seed):
    graph = graph_of(kind, seed)
    assert_same(flatbuffer.read(flatbuffer.write(graph)), graph)


@pytest.mark.parametrize("seed", range(8))
def test_chains_are_read_as_written(seed):
    graph = random_graph(seed, layers=6)
    assert_same(flatbuffer.read(flatbuffer.write(graph)), graph)


def test_the_same_graph_gives_the_same_bytes():
    assert flatbuffer.write(random_graph(3)) == flatbuffer.write(random_graph(3))


def test_constants_are_aligned_as_the_schema_asks():
    graph = mlp(40, 30, 20, 10)
    data = flatbuffer.write(graph)
    constants = [tensor.data for tensor in graph.tensors.values() if tensor.data is not None]
    assert len(constants) > 4
    for constant in constants:
        places = [i for i in range(0, len(data), 16) if data.startswith(constant.tobytes(), i)]
        assert places, "a constant does not begin at a multiple of 16"


def test_the_batch_axis_is_open_and_constants_are_closed():
    graph = graph_of("KbcFullyConnected", 1)
    subgraph = tflite.Model.GetRootAs(flatbuffer.write(graph), 0).Subgraphs(0)
    for number, tensor in enumerate(graph.tensors.values()):
        packed = subgraph.Tensors(number)
        expected = [] if tensor.data is not None else [-1, *tensor.shape[1:]]
        assert [packed.ShapeSignature(i) for i in range(packed.ShapeSignatureLength())] == expected


def test_layers_keep_any_name():
    graph = random_graph(5)
    graph.ops[0].name = 'dense "Ä" \\ /1'
    assert_same(flatbuffer.read(flatbuffer.write(graph)), graph)


def test_layers_are_named_by_their_outputs_where_the_metadata_was_dropped():
    graph = random_graph(5)
    data = repack(flatbuffer.write(graph), lambda model: setattr(model, "metadata", None))
    assert [op.name for op in flatbuffer.read(data).ops] == [op.outputs[0] for op in graph.ops]


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b"{}", b'{"layers": [1]}', b'{"layers": 7}', b"\xff"]
)
def test_metadata_that_name_no_layers_are_refused(text):
    def change(model):
        buffer = model.buffers[model.metadata[0].buffer]
        buffer.data = np.frombuffer(text, np.uint8)

    data = repack(flatbuffer.write(graph_of("SOFTMAX", 0)), change)
    with pytest.raises(UserError, match="damaged, or not ours"):
        flatbuffer.read(data)


@pytest.mark.parametrize("seed", range(4))
def test_every_shorter_file_is_refused(seed):
    data = flatbuffer.write(random_graph(seed, layers=2))
    rng = np.random.default_rng(seed)
    for size in [0, 1, 4, 8, 20, *rng.integers(0, len(data) * 3 // 4, 40)]:
        with pytest.raises(UserError):
            flatbuffer.read(data[:size])


@pytest.mark.parametrize("seed", range(6))
def test_damaged_bytes_are_refused_or_still_a_valid_graph(seed):
    """Any exception but UserError fails the test."""
    rng = np.random.default_rng(seed)
    whole = flatbuffer.write(random_graph(seed, layers=3))
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        start = int(rng.integers(len(data)))
        count = int(rng.choice([1, 4, 32]))
        data[start : start + count] = rng.bytes(min(count, len(data) - start))
        try:
            flatbuffer.validate(flatbuffer.read(bytes(data)))
        except UserError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04" * 8, b"TFL3", b"\0\0\0\0TFL3", b"\xff\xff\xff\x7fTFL3" + b"\0" * 32]
)
def test_foreign_files_are_refused(data):
    with pytest.raises(UserError, match="Export the model again"):
        flatbuffer.read(data)


def test_an_unknown_op_is_named():
    def change(model):
        code = model.operatorCodes[0]
        code.builtinCode, code.deprecatedBuiltinCode = tflite.BuiltinOperator.LSTM, 16

    data = repack(flatbuffer.write(graph_of("SOFTMAX", 0)), change)
    with pytest.raises(UserError, match=r"the op 'LSTM'; supported are KbcFullyConnected, "):
        flatbuffer.read(data)


def test_a_foreign_custom_op_is_named():
    def change(model):
        model.operatorCodes[0].customCode = "LceBconv2d"

    data = repack(flatbuffer.write(graph_of("KbcConv2D", 0)), change)
    with pytest.raises(UserError, match="'LceBconv2d'"):
        flatbuffer.read(data)


def test_a_fused_activation_is_refused():
    def change(model):
        model.subgraphs[0].operators[0].builtinOptions.fusedActivationFunction = 1

    data = repack(flatbuffer.write(graph_of("CONV_2D", 0)), change)
    with pytest.raises(UserError, match="fused activation"):
        flatbuffer.read(data)


@pytest.mark.parametrize("option", ["alignCorners", "halfPixelCenters"])
def test_another_rule_for_the_nearest_pixel_is_refused(option):
    def change(model):
        setattr(model.subgraphs[0].operators[0].builtinOptions, option, True)

    data = repack(flatbuffer.write(graph_of("RESIZE_NEAREST_NEIGHBOR", 0)), change)
    with pytest.raises(UserError, match=r"RESIZE_NEAREST_NEIGHBOR has .*, which is not supported"):
        flatbuffer.read(data)


def test_the_options_of_another_op_are_refused():
    def change(model):
        model.operatorCodes[0].deprecatedBuiltinCode = tflite.BuiltinOperator.TANH
        model.operatorCodes[0].builtinCode = tflite.BuiltinOperator.TANH

    data = repack(flatbuffer.write(graph_of("LEAKY_RELU", 0)), change)
    with pytest.raises(UserError, match="TANH has the options of another op"):
        flatbuffer.read(data)


def test_an_infinite_beta_is_refused():
    def change(model):
        model.subgraphs[0].operators[0].builtinOptions.beta = float("inf")

    data = repack(flatbuffer.write(graph_of("SOFTMAX", 0)), change)
    with pytest.raises(UserError, match=r"damaged|beta"):
        flatbuffer.read(data)


def test_tensors_that_share_a_buffer_share_its_memory():
    def change(model):
        subgraph = model.subgraphs[0]
        for number in range(200):
            again = copy.copy(subgraph.tensors[subgraph.operators[0].inputs[1]])
            again.name = f"again_{number}"
            subgraph.tensors.append(again)

    data = repack(flatbuffer.write(graph_of("KbcFullyConnected", 0)), change)
    tensors = flatbuffer.read(data).tensors
    first, last = tensors["again_0"].data, tensors["again_199"].data
    assert np.shares_memory(first, last)


def test_options_of_another_version_are_refused():
    def change(model):
        options = flatbuffer.flatbuffers.flexbuffers.Dumps({"version": 2, "weights": "binary"})
        model.subgraphs[0].operators[0].customOptions = list(options)

    data = repack(flatbuffer.write(graph_of("KbcFullyConnected", 0)), change)
    with pytest.raises(UserError, match="version 2, not 1"):
        flatbuffer.read(data)


@pytest.mark.parametrize(("scale", "version"), [(0.25, 2), (0.24, 3)])
def test_a_product_that_grows_has_a_version_of_its_own(scale, version):
    graph = graph_of("MUL", 0)
    op = graph.ops[-1]
    for name in (*op.inputs, *op.outputs):
        graph.tensors[name].scale = np.array([0.5], np.float32)
    graph.tensors[op.outputs[0]].scale = np.array([scale * 1.001], np.float32)
    codes = tflite.ModelT.InitFromPackedBuf(flatbuffer.write(graph)).operatorCodes
    assert [code.version for code in codes if code.builtinCode == tflite.BuiltinOperator.MUL] == [
        version
    ]
