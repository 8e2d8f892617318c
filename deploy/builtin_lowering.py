"""The calls of the builtins without sums of products: those that join tensors, work element by
element, or move. See `lowering.py`.
"""

from math import prod

from keras_bc.deploy.builtin import product_factor, sum_factors
from keras_bc.deploy.call import Call
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.native import (
    AddParams,
    FactorParams,
    MulParams,
    OperandsParams,
    OutputParams,
)


def _sum(graph: Graph, op: Op) -> Call:
    factors = [FactorParams(*pair) for pair in sum_factors(graph, op)]
    sign = 1 if op.kind == "ADD" else -1
    params = AddParams(_operands(graph, op), sign, *factors, _output(graph, op))
    return Call(op, "int8_add", params)


def _product(graph: Graph, op: Op) -> Call:
    factor = FactorParams(*product_factor(graph, op))
    return Call(op, "int8_mul", MulParams(_operands(graph, op), factor, _output(graph, op)))


def _operands(graph: Graph, op: Op) -> OperandsParams:
    a, b = (graph.tensors[name] for name in op.inputs)
    size = prod(graph.tensors[op.outputs[0]].shape)
    return OperandsParams(size, prod(a.shape), prod(b.shape), a.zero_point, b.zero_point)


def _output(graph: Graph, op: Op) -> OutputParams:
    return OutputParams(graph.tensors[op.outputs[0]].zero_point, -128, 127)


LOWERINGS = {
    "ADD": _sum,
    "SUB": _sum,
    "MUL": _product,
}
