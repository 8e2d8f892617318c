"""The integer graph under construction."""

import math
from dataclasses import replace

import numpy as np

from keras_bc.deploy.builtin_tables import table
from keras_bc.deploy.calibrate import Range
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.layouts import words_for
from keras_bc.deploy.quantize.affine import HIGH, LOW, affine
from keras_bc.deploy.quantize.ties import shared_ranges


class Builder:
    """A graph, and the fused one that it is made of.

    Attributes:
        fused: That one.
        ranges: Of its activations, those that count alike together.
        fixed: Activations whose scale is not free to choose.
        graph: The integer one.
    """

    def __init__(self, fused: Graph, ranges: dict[str, Range]):
        self.fused = fused
        self.ranges, self.fixed = shared_ranges(fused, ranges)
        self.graph = Graph(fused.name, inputs=list(fused.inputs), outputs=list(fused.outputs))
        self._constants: dict[tuple, str] = {}
        for name in fused.inputs:
            self.activation(name, *affine(*self.ranges[name]))

    def tensor(self, op: Op, number: int = 0) -> Tensor:
        """An input of a fused op, as it is in the integer graph."""
        return self.graph.tensors[op.inputs[number]]

    def data(self, op: Op) -> list[np.ndarray]:
        """The constants of a fused op."""
        tensors = [self.fused.tensors[name] for name in op.inputs]
        return [tensor.data for tensor in tensors if tensor.data is not None]

    def is_bits(self, name: str) -> bool:
        """Whether an activation is signs."""
        return self.fused.tensors[name].dtype == "bits"

    def channels(self, op: Op) -> int:
        """Of the first input of a fused op."""
        return self.fused.tensors[op.inputs[0]].shape[-1]

    def activation(self, name: str, scale: np.ndarray, zero_point: int) -> Tensor:
        """Add an int8 activation."""
        shape = self.fused.tensors[name].shape
        self.graph.tensors[name] = Tensor(name, shape, "int8", None, scale, zero_point)
        return self.graph.tensors[name]

    def bits(self, name: str) -> Tensor:
        """Add an activation of signs."""
        shape = self.fused.tensors[name].shape
        packed = (*shape[:-1], words_for(shape[-1]))
        self.graph.tensors[name] = Tensor(name, packed, "int32")
        return self.graph.tensors[name]

    def ranged(self, op: Op) -> Tensor:
        """Add the int8 output of an op, for the range that it takes between its bounds."""
        options = op.options
        if options.get("levels"):
            scale = np.array([options["high"] / options["levels"]], np.float32)
            return self.activation(op.outputs[0], scale, LOW)
        return self.activation(op.outputs[0], *affine(*self.ranges[op.outputs[0]]))

    def bounds(self, op: Op, y: Tensor) -> dict[str, int]:
        """The bounds of an op in the integers of its output."""
        found = {}
        for key, bound, beyond in (
            ("activation_min", op.options["low"], LOW),
            ("activation_max", op.options["high"], HIGH),
        ):
            level = beyond
            if math.isfinite(bound):
                level = math.floor(bound / float(y.scale[0]) + 0.5) + y.zero_point
            found[key] = int(np.clip(level, LOW, HIGH))
        return found

    def lift(self, op: Op, y: Tensor) -> None:
        """Let the op just appended write from the lowest integer on, and its output count as y."""
        lifted = f"{y.name}/lifted"
        self.graph.tensors[lifted] = replace(y, name=lifted, zero_point=LOW)
        self.graph.ops[-1].outputs = [lifted]
        shape = self.constant(op, "shape", np.array([-1, *y.shape[1:]], np.int32))
        self.graph.ops.append(Op("RESHAPE", op.name, [lifted, shape], [y.name]))

    def widen(self, op: Op, y: Tensor, scale: np.ndarray) -> None:
        """Let the op just appended write in steps of `scale`, and another bring them to those of y.

        Both share the zero point, so that what y can hold, the op can write.
        """
        wide = f"{y.name}/wide"
        self.graph.tensors[wide] = replace(y, name=wide, scale=scale)
        self.graph.ops[-1].outputs = [wide]
        self.rescale(op, wide, y.name)

    def constant(self, op: Op, key: str, data: np.ndarray, scale=None, axis: int = 0) -> str:
        """Add a constant, or find the same one of the layer: where it is called again it has it."""
        scales = None if scale is None else scale.tobytes()
        identity = (op.name, str(data.dtype), data.shape, data.tobytes(), scales)
        if identity not in self._constants:
            name = f"{op.outputs[0]}/{key}"
            self.graph.tensors[name] = Tensor(
                name, data.shape, str(data.dtype), data, scale, axis=axis
            )
            self._constants[identity] = name
        return self._constants[identity]

    def rescaled(self, op: Op, name: str, scale: np.ndarray, zero_point: int) -> str:
        """An activation at another scale: by `rescale`, where it has not that already."""
        x = self.graph.tensors[name]
        if x.scale[0] == scale[0] and x.zero_point == zero_point:
            return name
        output = f"{op.outputs[0]}/{name}"
        self.graph.tensors[output] = Tensor(output, x.shape, "int8", None, scale, zero_point)
        self.rescale(op, name, output)
        return output

    def rescale(self, op: Op, name: str, output: str) -> None:
        """Append the op that brings an activation to the scale of another.

        That is a QUANTIZE, and where the runtimes do not agree on its rounding a LEAKY_RELU that
        leaks all, on which they do.
        """
        rescaling = Op("QUANTIZE", op.name, [name], [output])
        try:
            table(self.graph, rescaling)
        except ValueError:
            rescaling = Op("LEAKY_RELU", op.name, [name], [output], {"alpha": 1.0})
        self.graph.ops.append(rescaling)

    def append(self, kind: str, op: Op, *constants: str, **options) -> None:
        """Append an op that reads and writes what a fused op does, its constants in the middle."""
        first, *others = (name for name in op.inputs if self.fused.tensors[name].data is None)
        inputs = [first, *constants, *others]
        self.graph.ops.append(Op(kind, op.name, inputs, list(op.outputs), options))
