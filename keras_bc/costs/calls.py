"""Every call of a layer in a model, in order, and what feeds it."""

import math
from dataclasses import dataclass, field

import keras

from keras_bc.errors import UserError


@dataclass(eq=False)
class Call:
    """One call of one layer.

    Attributes:
        layer: A layer, or an operation of `keras.ops` on symbolic tensors.
        sources: The calls that made its inputs; None for an input of the model.
        input_shape: Of its first input, without the batch axis.
        output_shape: Of its first output, likewise.
        repeated: Whether an earlier call uses the same layer, and so the same weights.
        readers: The calls that read its outputs.
        outputs: How many of the model's outputs it makes.
    """

    layer: keras.Operation
    sources: list["Call | None"]
    input_shape: tuple[int | None, ...]
    output_shape: tuple[int | None, ...]
    repeated: bool
    readers: list["Call"] = field(default_factory=list)
    outputs: int = 0

    @property
    def source(self) -> "Call | None":
        """What feeds it, if that is one call that feeds nothing else."""
        if len(self.sources) != 1 or self.sources[0] is None:
            return None
        (source,) = self.sources
        return source if len(source.readers) + source.outputs == 1 else None

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


def calls(model: keras.Model) -> list[Call]:
    """Return every call of a layer, each after those that feed it; nested models are opened.

    Args:
        model: Sequential or functional, with known inputs.

    Raises:
        UserError: The model, or one in it, has no graph of layers.
    """
    found = []
    for call in _open(model, None, found):
        if call is not None:
            call.outputs += 1
    return found


def _open(model, feeding, found) -> list[Call | None]:
    """Append the calls in `model`, fed by `feeding`; return those that make its outputs."""
    # The nodes of the graph, which no public name lists: layers alone do not tell what feeds them,
    # nor that one is called twice.
    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "_nodes_by_depth"):
        raise UserError(
            f"The shapes in model '{model.name}' are unknown. Expected a sequential or functional "
            "model with a keras.Input, or a sequential one that has been called once."
        )
    feeding = feeding or [None] * len(graph.inputs)
    makers = {id(tensor): call for tensor, call in zip(graph.inputs, feeding, strict=True)}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if not node.is_input:
                made = _make(node, [makers[id(tensor)] for tensor in node.input_tensors], found)
                makers.update(zip(map(id, node.outputs), made, strict=True))
    return [makers[id(tensor)] for tensor in graph.outputs]


def _make(node, sources, found) -> list[Call | None]:
    """Append the call, or the calls of the model, that the node stands for."""
    if isinstance(node.operation, keras.Model):
        return _open(node.operation, sources, found)
    call = Call(
        node.operation,
        sources,
        tuple(node.input_tensors[0].shape[1:]),
        tuple(node.outputs[0].shape[1:]),
        any(earlier.layer is node.operation for earlier in found),
    )
    found.append(call)
    for source in filter(None, sources):
        source.readers.append(call)
    return [call] * len(node.outputs)
