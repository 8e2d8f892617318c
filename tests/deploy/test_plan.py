import dataclasses

import pytest

from keras_bc.deploy import kernels
from keras_bc.deploy.choices import runnable
from keras_bc.deploy.in_place import overwritable
from keras_bc.deploy.lowering import lower
from keras_bc.deploy.plan import plan
from tests.deploy.graph_builder import Builder
from tests.deploy.graphs import mlp, random_graph

REFERENCE, *_, BEST = (variant.name for variant in kernels.variants("fully_connected_s8"))


def test_counts_work_and_bytes():
    model = plan(mlp(784, 256, 10))
    assert [layer.macs for layer in model.layers] == [784 * 256, 256 * 10]
    weights = 4 * (256 * 25 + 10 * 8)
    channels = 12 * (256 + 10)
    assert model.constant_bytes == weights + channels


def test_takes_the_best_kernels_where_they_fit():
    graph = mlp(784, 256, 10)
    model = plan(graph)
    assert [layer.variant for layer in model.layers] == [BEST, BEST]
    assert plan(graph, ram_limit=model.arena_bytes).arena_bytes == model.arena_bytes


def test_a_variant_is_left_to_the_cpus_that_can_run_it(monkeypatch):
    table = kernels.table()
    guarded = dataclasses.replace(table[0], name="guarded", guard="defined(NO_SUCH_CPU)")
    monkeypatch.setattr(kernels, "table", lambda: [*table, guarded])
    (call,) = lower(mlp(40, 10))
    names = [layer.variant for layer in runnable(call, "any")]
    assert guarded.op == call.kernel and "guarded" not in names
    assert names[0] == REFERENCE and names[-1] == BEST


def test_only_the_layer_that_does_not_fit_falls_back():
    graph = mlp(784, 256, 10)
    limit = plan(graph).arena_bytes - 1
    model = plan(graph, ram_limit=limit)
    assert model.layers[0].variant != BEST
    assert model.layers[1].variant == BEST
    assert model.arena_bytes <= limit


def test_the_smallest_kernels_need_the_tensors_alone():
    model = plan(mlp(784, 256, 10), ram_limit=0)
    assert [layer.variant for layer in model.layers] == [REFERENCE, REFERENCE]
    assert model.arena_bytes == 784 + 256


def test_a_reshape_is_no_layer_and_moves_nothing():
    builder = Builder(0)
    builder.input((1, 4, 4, 3))
    builder.add("RESHAPE")
    builder.add("KbcFullyConnected", 5)
    graph = builder.finish()
    model = plan(graph)
    assert [layer.kind for layer in model.layers] == ["KbcFullyConnected"]
    assert model.roots[graph.ops[0].outputs[0]] == graph.inputs[0]


@pytest.mark.parametrize("seed", range(20))
def test_what_a_kernel_reads_and_writes_lies_apart(seed):
    graph = random_graph(seed, layers=8)
    model = plan(graph)
    for layer, scratch in zip(model.layers, model.scratch_offsets, strict=True):
        op = layer.call.op
        x, y = model.roots[op.inputs[0]], op.outputs[0]
        spans = [
            (model.offsets[x], graph.tensors[x].shape),
            (model.offsets[y], graph.tensors[y].shape),
            (scratch, (layer.scratch_bytes,)),
        ]
        overwritten = x in map(model.roots.get, overwritable(graph, layer.call))
        if overwritten and model.offsets[y] <= model.offsets[x]:
            del spans[0]
        taken = [byte for start, shape in spans if start is not None for byte in span(start, shape)]
        assert len(taken) == len(set(taken))
        assert max(taken) < model.arena_bytes


def span(start, shape):
    size = 1
    for n in shape:
        size *= n
    return range(start, start + size)
