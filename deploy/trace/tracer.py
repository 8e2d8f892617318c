"""The float graph under construction."""

import keras
import numpy as np

from keras_bc.calls import Call, Value
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.errors import UserError


class Tracer:
    """A graph, and which of its tensors each value of the model is."""

    def __init__(self, model: keras.Model):
        self.graph = Graph(model.name)
        self._tensors: dict[Value, Tensor] = {}
        for number, tensor in enumerate(model.inputs):
            if None in tensor.shape[1:]:
                raise UserError(
                    f"The model's input shape {tensor.shape} must be known but for the batch."
                )
            # A model of one input has had this name from the first version on.
            name = "input" if len(model.inputs) == 1 else self._free(tensor.name, "input")
            self._tensors[Value(None, number)] = self._new(name, tensor.shape)
            self.graph.inputs.append(name)

    def take(self, call: Call, handler) -> None:
        """Let the handler of a call append its ops.

        Args:
            call: One whose inputs are there.
            handler: A function of the tracer, the layer and its input tensors, that gives the
                output tensor, or a list of them. One that has the attribute `takes_call` gets the
                call, not the layer.
        """
        inputs = [self._tensors[value] for value in call.inputs]
        subject = call if getattr(handler, "takes_call", False) else call.layer
        outputs = handler(self, subject, *inputs)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        for number, tensor in enumerate(outputs):
            self._tensors[Value(call, number)] = tensor

    def finish(self, outputs: list[Value]) -> None:
        """Name what the graph gives."""
        self.graph.outputs = [self._tensors[value].name for value in outputs]

    def add(
        self,
        kind: str,
        layer: keras.Operation,
        inputs: Tensor | list[Tensor],
        shape: tuple[int, ...],
        constants: dict[str, np.ndarray] | None = None,
        **options,
    ) -> Tensor:
        """Append an op.

        Args:
            kind: See the module `trace`.
            layer: Whose name the op gets.
            inputs: What it reads.
            shape: Of its output, with the batch axis.
            constants: What it reads beside.
            options: Of its kind.

        Returns:
            Its output.
        """
        name = self._free(layer.name, kind)
        inputs = [inputs] if isinstance(inputs, Tensor) else inputs
        names = [tensor.name for tensor in inputs]
        for key, value in (constants or {}).items():
            check_finite(layer, value)
            constant = Tensor(f"{name}/{key}", value.shape, data=value.astype(np.float64))
            self.graph.tensors[constant.name] = constant
            names.append(constant.name)
        self.graph.ops.append(Op(kind, layer.name, names, [name], options))
        return self._new(name, shape)

    def _new(self, name: str, shape) -> Tensor:
        self.graph.tensors[name] = Tensor(name, (1, *shape[1:]))
        return self.graph.tensors[name]

    def _free(self, name: str, kind: str) -> str:
        """The layer's name, or for its further ops and calls one that is made of it."""
        candidates = [name, f"{name}/{kind}"]
        number = 2
        while candidates[0] in self.graph.tensors:
            candidates.append(f"{name}/{kind}_{number}")
            del candidates[0]
            number += 1
        return candidates[0]


def check_finite(layer: keras.Operation, value: np.ndarray) -> None:
    """Stop with a UserError where a weight is NaN or infinite."""
    if not np.isfinite(value).all():
        raise UserError(
            f"Layer `{layer.name}` has weights that are not finite (NaN or infinity): the training "
            "diverged. Train again, with a lower learning rate."
        )


def check_channels_last(layer: keras.Layer) -> None:
    """Stop with a UserError where the layer's images have their channels first."""
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise UserError(
            f"Layer `{layer.name}` has data_format={layer.data_format!r}; only 'channels_last' "
            "can be exported."
        )


def numpy(value) -> np.ndarray:
    """A weight as float64."""
    return keras.ops.convert_to_numpy(value).astype(np.float64)
