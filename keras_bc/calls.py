"""Every call of a layer in a model, in order, and what feeds it."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras

from keras_bc.errors import UserError


class Value(NamedTuple):
    """A tensor that flows through a model.

    Attributes:
        call: What makes it; None for an input of the model.
        number: Which of the call's outputs, or of the model's inputs, from 0.
    """

    call: "Call | None"
    number: int


@dataclass(eq=False)
class Call:
    """One call of one layer.

    Attributes:
        layer: A layer, or an operation of `keras.ops` on symbolic tensors.
        inputs: The tensors that it reads.
        input_shapes: Of each of them, without the batch axis.
        output_shapes: Of the tensors that it makes, likewise.
        repeated: Whether an earlier call uses the same layer, and so the same weights.
        arguments: The positional and the named arguments of the call, tensors among them.
        readers: The calls that read its outputs.
        outputs: How many of the model's outputs it makes.
    """

    layer: keras.Operation
    inputs: list[Value]
    input_shapes: list[tuple[int | None, ...]]
    output_shapes: list[tuple[int | None, ...]]
    repeated: bool
    arguments: tuple[tuple, dict[str, Any]] = ((), {})
    readers: list["Call"] = field(default_factory=list)
    outputs: int = 0

    @property
    def sources(self) -> list["Call | None"]:
        """The calls that made its inputs; None for an input of the model."""
        return [value.call for value in self.inputs]

    @property
    def source(self) -> "Call | None":
        """What feeds it, if that is one call that feeds nothing else."""
        if len(self.sources) != 1 or self.sources[0] is None:
            return None
        (source,) = self.sources
        return source if len(source.readers) + source.outputs == 1 else None

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Of its first input."""
        return self.input_shapes[0]

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Of its first output."""
        return self.output_shapes[0]

    @property
    def inputs_size(self) -> int:
        """Values of its first input for one example."""
        return self._size(self.input_shape)

    @property
    def outputs_size(self) -> int:
        """Values of its first output for one example."""
        return self._size(self.output_shape)

    def _size(self, shape) -> int:
        if None in shape:
            raise UserError(
                f"Layer '{self.layer.name}' has a shape that is not known: {list(shape)}. Give "
                "the model's inputs full shapes, sequences their number of steps."
            )
        return math.prod(shape)


class Calls(NamedTuple):
    """A model as calls.

    Attributes:
        calls: Each after those that feed it.
        outputs: What the model gives.
    """

    calls: list[Call]
    outputs: list[Value]


def trace_calls(model: keras.Model) -> Calls:
    """Return a model as calls of layers; nested models are opened.

    Args:
        model: Sequential or functional, with known inputs.

    Raises:
        UserError: The model, or one in it, has no graph of layers.
    """
    found = []
    graph = _graph_of(model)
    outputs = _open(graph, [Value(None, number) for number in range(len(graph.inputs))], found)
    for value in outputs:
        if value.call is not None:
            value.call.outputs += 1
    return Calls(found, outputs)


def calls(model: keras.Model) -> list[Call]:
    """Return every call of a layer, each after those that feed it: see `trace_calls`."""
    return trace_calls(model).calls


def _graph_of(model):
    # The nodes of the graph, which no public name lists: layers alone do not tell what feeds them,
    # nor that one is called twice.
    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "_nodes_by_depth"):
        raise UserError(
            f"The shapes in model '{model.name}' are unknown. Expected a sequential or functional "
            "model with a keras.Input, or a sequential one that has been called once."
        )
    return graph


def _open(graph, feeding, found) -> list[Value]:
    """Append the calls in a graph, fed by `feeding`; return what it gives."""
    values = dict(zip(map(id, graph.inputs), feeding, strict=True))
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if not node.is_input:
                made = _make(node, [values[id(tensor)] for tensor in node.input_tensors], found)
                values.update(zip(map(id, node.outputs), made, strict=True))
    return [values[id(tensor)] for tensor in graph.outputs]


def _make(node, inputs, found) -> list[Value]:
    """Append the call, or the calls of the model, that the node stands for."""
    if isinstance(node.operation, keras.Model):
        return _open(_graph_of(node.operation), inputs, found)
    call = Call(
        node.operation,
        inputs,
        [tuple(tensor.shape[1:]) for tensor in node.input_tensors],
        [tuple(tensor.shape[1:]) for tensor in node.outputs],
        any(earlier.layer is node.operation for earlier in found),
        (node.arguments.args, node.arguments.kwargs),
    )
    found.append(call)
    for source in filter(None, call.sources):
        source.readers.append(call)
    return [Value(call, number) for number in range(len(node.outputs))]
