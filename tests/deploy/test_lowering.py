import pytest

from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.lowering import lower
from keras_bc.errors import UserError
from tests.deploy.graph_builder import Builder
from tests.deploy.graphs import KINDS, PLAIN, graph_of, mlp


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_lowered(kind):
    builder = Builder(1, **PLAIN)
    builder.input((1, 5, 6, 4) if kind not in ("FULLY_CONNECTED", "SOFTMAX") else (1, 9))
    builder.add(kind)
    if kind == "RESHAPE":
        builder.add("SOFTMAX")
    calls = lower(builder.finish())
    assert kind in [call.op.kind for call in calls] or calls[-1].op.kind == "SOFTMAX"


@pytest.mark.parametrize("kind", ["KbcConv2D", "KbcDepthwiseConv2D", "CONV_2D"])
@pytest.mark.parametrize("seed", range(10))
def test_a_convolution_counts_the_taps_of_every_position(kind, seed):
    layer = lower(graph_of(kind, seed))[0]
    p = layer.params
    taps = p.kernel.height * p.kernel.width * p.in_channels // p.groups
    assert layer.macs == p.conv_height * p.conv_width * taps * p.out_channels
    assert len(layer.constants["channels"]) == p.out_channels == p.finish.size
    if kind == "CONV_2D":
        assert layer.constants["weights"].size == taps * p.out_channels


def test_rows_are_all_axes_but_the_last():
    builder = Builder(0, **PLAIN)
    builder.input((1, 3, 4, 7))
    builder.add("KbcFullyConnected", 5)
    (layer,) = lower(builder.finish())
    params = layer.params
    assert (params.rows, params.in_features, params.out_features) == (12, 7, 5)
    assert layer.macs == 12 * 7 * 5


def test_an_op_without_a_kernel_is_refused():
    graph = mlp(4, 2)
    graph.ops[0].kind, graph.ops[0].name = "TRANSPOSE", "flip"
    with pytest.raises(UserError, match="Layer `flip` is a TRANSPOSE, which has no kernel in C"):
        lower(graph)


def test_a_padding_of_channels_is_refused():
    graph = graph_of("PAD", 0)
    graph.tensors[graph.ops[0].inputs[1]].data[3] = 1
    with pytest.raises(UserError, match="pads the batch or the channels"):
        lower(graph)


def test_a_model_that_computes_nothing_is_refused():
    graph = Graph("nothing", ops=[Op("RESHAPE", "flat", ["x", "shape"], ["y"])])
    graph.inputs, graph.outputs = ["x"], ["y"]
    with pytest.raises(UserError, match="computes nothing"):
        lower(graph)
