"""Which activations count alike, and so share one range.

What only moves values keeps their scale, and so does a concatenation, which has one for all that it
joins. A tensor whose scale is decided otherwise cannot follow; where it is joined with others it is
brought to their scale first. What a layer reads and writes each time that it is called, such as the
steps of a recurrent one, has one scale too, so that its parameters are the same each time.
"""

import math

import numpy as np

from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.scales import Range

MOVES = ("average_pool_2d", "max_pool_2d", "pad_2d", "reshape", "resize", "slice")
_BUILTIN_JOINS = ("add", "multiply", "subtract")


def shared_ranges(graph: Graph, ranges: dict[str, Range]) -> dict[str, Range]:
    """The range that each int8 activation is quantized for.

    Args:
        graph: Fused.
        ranges: Of each activation by itself.
    """
    ties = _Ties(graph)
    bounded = {name: _bounded(ranges[name], ties.makers.get(name)) for name in ranges}
    shared = {}
    for group in ties.groups():
        found = [bounded[name] for name in group if name in bounded]
        whole = min(low for low, _ in found), max(high for _, high in found)
        shared |= dict.fromkeys(group, whole)
    return shared


class _Ties:
    """Sets of tensors, joined one by one."""

    def __init__(self, graph: Graph):
        self.makers = {op.outputs[0]: op for op in graph.ops}
        self.parents: dict[str, str] = {}
        self.fixed = {name for name, op in self.makers.items() if _fixes(op)}
        for name in (*graph.inputs, *self.makers):
            self.parents[name] = name
        for op in graph.ops:
            if op.kind in MOVES:
                self.join(op.inputs[0], op.outputs[0])
        for op in graph.ops:
            if op.kind == "concatenate":
                for name in op.inputs:
                    if not self.is_fixed(name):
                        self.join(name, op.outputs[0])
        for calls in _repeated(graph):
            for op in calls[1:]:
                for one, other in zip(_flows(graph, calls[0]), _flows(graph, op), strict=True):
                    if not self.is_fixed(one) and not self.is_fixed(other):
                        self.join(one, other)

    def root(self, name: str) -> str:
        while self.parents[name] != name:
            name = self.parents[name]
        return name

    def join(self, a: str, b: str) -> None:
        a, b = self.root(a), self.root(b)
        self.parents[b] = a
        if b in self.fixed:
            self.fixed.add(a)

    def is_fixed(self, name: str) -> bool:
        return self.root(name) in self.fixed

    def groups(self) -> list[list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.parents:
            found.setdefault(self.root(name), []).append(name)
        return list(found.values())


def _repeated(graph: Graph) -> list[list[Op]]:
    """The ops that are the same op again: of one layer, with the same constants."""
    found: dict[tuple, list[Op]] = {}
    for op in graph.ops:
        constants = [graph.tensors[name].data for name in op.inputs]
        read = [data.tobytes() for data in constants if data is not None]
        if read:
            key = (op.name, op.kind, len(op.inputs), repr(op.options), *read)
            found.setdefault(key, []).append(op)
    return [calls for calls in found.values() if len(calls) > 1]


def _flows(graph: Graph, op: Op) -> list[str]:
    """The activations that an op reads and writes."""
    read = [name for name in op.inputs if graph.tensors[name].data is None]
    return [*read, *op.outputs]


def _fixes(op: Op) -> bool:
    """Whether the scale of an op's output is not free to choose.

    A builtin has no bounds but the ends of its output's range.
    """
    options = op.options
    if op.kind in ("softmax", "unpack") or options.get("levels"):
        return True
    if op.kind == "function":
        return options["name"] in ("sigmoid", "tanh")
    builtin = op.kind in _BUILTIN_JOINS or options.get("weights") == "real"
    return builtin and (options["low"] > -math.inf or options["high"] < math.inf)


def _bounded(found: Range, op: Op | None) -> Range:
    """The range within the bounds of the op that makes it."""
    if op is None or "low" not in op.options:
        return found
    low, high = np.clip(found, op.options["low"], op.options["high"])
    return float(low), float(high)
