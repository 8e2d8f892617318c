"""The fused graph in the making."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import IDENTITY

LINEAR = ("fully_connected", "conv_2d")
NO_BOUNDS = {"low": -math.inf, "high": math.inf}
PLAIN = {**NO_BOUNDS, "levels": 0, "sign": False}
"""Options of a linear op that neither clips nor takes signs."""
POINTWISE = {
    "groups": 1,
    "window": IDENTITY,
    "pool": IDENTITY,
    "input_dilation": (1, 1),
    "transposed": False,
}
"""Options of a convolution that sees one pixel at a time."""


@dataclass
class Step:
    """A fused op.

    Attributes:
        kind: See the package.
        name: The layer's.
        inputs: The tensors that flow in; of a linear op with a shortcut the second is that.
        output: The tensor that it makes.
        shape: Of the output.
        options: Of its kind.
        constants: What it reads beside, by name.
        bits: Whether its output is signs.
    """

    kind: str
    name: str
    inputs: list[str]
    output: str
    shape: tuple[int, ...]
    options: dict[str, Any]
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    bits: bool = False

    @property
    def linear(self) -> bool:
        return self.kind in LINEAR

    @property
    def few_bit(self) -> bool:
        return self.linear and self.options["weights"] != "real"

    @property
    def bounded(self) -> bool:
        """Whether something was folded in that nothing but a bound can follow."""
        options = self.options
        finite = options["low"] > -math.inf or options["high"] < math.inf
        return finite or bool(options["levels"]) or options["sign"] or len(self.inputs) > 1


@dataclass
class Steps:
    """All of them, in an order in which each input is ready.

    Attributes:
        source: The float graph.
        steps: By the tensor that they make.
        outputs: Of the graph.
    """

    source: Graph
    steps: dict[str, Step] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    def append(self, step: Step) -> None:
        self.steps[step.output] = step

    def shape(self, tensor: str) -> tuple[int, ...]:
        made = self.steps.get(tensor)
        return self.source.tensors[tensor].shape if made is None else made.shape

    def is_bits(self, tensor: str) -> bool:
        return tensor in self.steps and self.steps[tensor].bits

    def to_graph(self) -> Graph:
        """A graph of the steps that something reads."""
        graph = Graph(self.source.name, inputs=list(self.source.inputs), outputs=self.outputs)
        for name in graph.inputs:
            graph.tensors[name] = self.source.tensors[name]
        for step in self._needed():
            op = Op(step.kind, step.name, step.inputs[:1], [step.output], step.options)
            for key, value in step.constants.items():
                constant = Tensor(f"{step.output}/{key}", value.shape, data=value)
                graph.tensors[constant.name] = constant
                op.inputs.append(constant.name)
            op.inputs += step.inputs[1:]
            dtype = "bits" if step.bits else "float32"
            graph.tensors[step.output] = Tensor(step.output, step.shape, dtype)
            graph.ops.append(op)
        return graph

    def _needed(self) -> list[Step]:
        needed, found = set(self.outputs), []
        for step in reversed(self.steps.values()):
            if step.output in needed:
                needed.update(step.inputs)
                found.append(step)
        return found[::-1]
