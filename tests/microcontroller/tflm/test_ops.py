"""TensorFlow Lite Micro gives the integers that the delegate gives."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from keras_bc.deploy import flatbuffer
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.inputs import as_list
from tests import needs
from tests.deploy.graphs import PLAIN, graph_of, random_graph, random_inputs, side_by_side
from tests.microcontroller.delegate.hostile import floating
from tests.microcontroller.tflm import builds

FEW_BIT = ("KbcFullyConnected", "KbcConv2D", "KbcDepthwiseConv2D")
OF_BITS = ("KbcMaxPool2D", "KbcPack", "KbcUnpack")
ROUND_OTHERWISE = {"CONV_2D", "FULLY_CONNECTED"}
"""TensorFlow Lite Micro rounds halves below 0 down where TensorFlow Lite rounds up."""
EXAMPLES = 6


@pytest.fixture(params=["host", pytest.param("m4", marks=[needs.qemu, needs.cross_compiler])])
def program(request):
    return request.getfixturevalue(request.param)


def few_bit_graphs() -> Iterator[Graph]:
    """Each op with one-bit and ternary weights, on int8 and bits, to int8 and bits."""
    for kind, seed in itertools.product(FEW_BIT, range(24)):
        weights = ("binary", "ternary")[seed % 2]
        outputs = ("int8", "bits")[seed // 2 % 2]
        yield graph_of(kind, seed, bits=seed // 4 % 2 == 1, weights=weights, outputs=outputs)


def graphs_with_a_shortcut() -> Iterator[Graph]:
    """The first of each op; a tensor that fits is rare."""
    for kind in FEW_BIT:
        drawn = (graph_of(kind, seed, shortcut=True, outputs="int8") for seed in itertools.count())
        yield next(graph for graph in drawn if len(graph.ops[-1].inputs) == 4)


def chains() -> Iterator[Graph]:
    """Random ops between TensorFlow Lite Micro's own, but for those that round halves otherwise."""
    drawn = (random_graph(seed, layers=6) for seed in itertools.count())
    return (graph for graph in drawn if not {op.kind for op in graph.ops} & ROUND_OTHERWISE)


def all_graphs() -> list[Graph]:
    graphs = [*few_bit_graphs(), *graphs_with_a_shortcut()]
    graphs += [graph_of(kind, seed) for kind in OF_BITS for seed in range(6)]
    return [*graphs, side_by_side(*graphs[:3])]


def test_the_graphs_have_all_that_the_ops_can():
    ops = [op for graph in all_graphs() for op in graph.ops if op.kind in FEW_BIT + OF_BITS]
    assert {op.kind for op in ops} == {*FEW_BIT, *OF_BITS}
    for kind in FEW_BIT:
        mine = [op for op in ops if op.kind == kind]
        kinds = {(op.options["weights"], "in_channels" in op.options) for op in mine}
        assert len(kinds) == 4
        assert {len(op.inputs) for op in mine} == {3, 4}
    for kind in FEW_BIT[1:]:
        mine = [op for op in ops if op.kind == kind]
        for option in ("input_dilation_h", "kernel_dilation_w", "pool_h", "kernel_pad_top"):
            assert any(op.options.get(option, 0) > 1 for op in mine)


def check(graphs, program, folder):
    jobs = [builds.Job(flatbuffer.write(graph), random_inputs(graph, EXAMPLES)) for graph in graphs]
    results = builds.run(program, jobs, folder)
    for job, result, graph in zip(jobs, results, graphs, strict=True):
        assert not result.refused, f"{graph.name}: {result.said}"
        outputs = as_list(Interpreter(job.model).run(job.inputs))
        expected = np.concatenate([y.reshape(EXAMPLES, -1) for y in outputs], axis=1)
        np.testing.assert_array_equal(result.outputs, expected, graph.name)


def test_our_ops_give_the_integers_of_the_delegate(program, tmp_path):
    check(all_graphs(), program, tmp_path)


def test_our_ops_of_floats_give_the_numbers_of_the_delegate(program, tmp_path):
    graphs = [graph_of(kind, seed, **PLAIN) for kind in FEW_BIT for seed in range(4)]
    rng = np.random.default_rng(0)
    jobs = []
    for graph in graphs:
        floating(graph, graph.ops[0])
        shape = graph.tensors[graph.inputs[0]].shape[1:]
        x = rng.normal(size=(EXAMPLES, *shape)).astype(np.float32)
        jobs.append(builds.Job(flatbuffer.write(graph), x))
    for job, result in zip(jobs, builds.run(program, jobs, tmp_path), strict=True):
        assert not result.refused, result.said
        expected = Interpreter(job.model).run(job.inputs).reshape(EXAMPLES, -1)
        found = np.array(result.outputs).view(np.float32)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_chains_with_builtins_give_the_integers_of_the_delegate(program, tmp_path):
    check(list(itertools.islice(chains(), 20)), program, tmp_path)
