"""From the tables of a .tflite file to a graph, believing nothing.

A table is read field by field, and only the fields that we know: a hostile file costs no more than
its size. What the readers of flatbuffers raise on bytes that make no sense, `flatbuffer.read` turns
into the user's error.
"""

import json
import math

import numpy as np
from ai_edge_litert import schema_py_generated as tflite

from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.schema import METADATA, TYPES, unpack_kind, unpack_options

_MOST = 1 << 16  # tensors, ops or axes that a sane file has


def unpack(model: tflite.Model) -> Graph:
    """The graph of a file's tables; whether it makes sense is for `validate` to say.

    Raises:
        UserError: It has an op that we do not have.
        ValueError: It has more, or fewer, parts than ours.
    """
    if model.SubgraphsLength() != 1:
        raise ValueError(f"{model.SubgraphsLength()} subgraphs, expected 1")
    subgraph = model.Subgraphs(0)
    numbers = range(_count(subgraph.TensorsLength(), "tensors"))
    tensors = [_unpack_tensor(model, subgraph.Tensors(number)) for number in numbers]
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise ValueError("two tensors share a name")
    numbers = range(_count(subgraph.OperatorsLength(), "ops"))
    return Graph(
        name=_text(subgraph.Name()),
        tensors=dict(zip(names, tensors, strict=True)),
        ops=[
            _unpack_operator(model, subgraph.Operators(number), names, layer)
            for number, layer in zip(numbers, _layers(model, len(numbers)), strict=True)
        ],
        inputs=_named(subgraph.Inputs, subgraph.InputsLength(), names),
        outputs=_named(subgraph.Outputs, subgraph.OutputsLength(), names),
    )


def _unpack_tensor(model: tflite.Model, packed: tflite.Tensor) -> Tensor:
    dtypes = {number: dtype for dtype, number in TYPES.items()}
    shape = tuple(packed.Shape(i) for i in range(_count(packed.ShapeLength(), "axes")))
    tensor = Tensor(_text(packed.Name()), shape, dtypes[packed.Type()])
    contents = model.Buffers(packed.Buffer())
    if contents.DataLength() > 0:
        dtype = np.dtype(tensor.dtype)
        if contents.DataLength() != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"constant {tensor.name!r} does not fill its shape")
        # A view of the file: many tensors may share one buffer.
        data = contents.DataAsNumpy().view(dtype.newbyteorder("<"))
        tensor.data = data.reshape(shape).astype(dtype, copy=False)
    _unpack_quantization(packed.Quantization(), tensor)
    return tensor


def _unpack_quantization(packed: tflite.QuantizationParameters | None, tensor: Tensor) -> None:
    if packed is None or packed.ScaleLength() == 0:
        return
    zero_points = set(packed.ZeroPointAsNumpy().tolist())
    if packed.ZeroPointLength() != packed.ScaleLength() or len(zero_points) != 1:
        raise ValueError(f"{tensor.name!r} has more than one zero point")
    tensor.scale = packed.ScaleAsNumpy().astype(np.float32)
    tensor.zero_point = zero_points.pop()
    tensor.axis = packed.QuantizedDimension()


def _unpack_operator(
    model: tflite.Model, packed: tflite.Operator, names: list[str], layer: str | None
) -> Op:
    kind = unpack_kind(model.OperatorCodes(packed.OpcodeIndex()))
    outputs = _named(packed.Outputs, packed.OutputsLength(), names)
    return Op(
        kind=kind,
        name=outputs[0] if layer is None else layer,
        inputs=_named(packed.Inputs, packed.InputsLength(), names),
        outputs=outputs,
        options=unpack_options(kind, packed),
    )


def _layers(model: tflite.Model, count: int) -> list[str | None]:
    """The layers' names from the metadata; None for each op where another program dropped it."""
    for number in range(_count(model.MetadataLength(), "metadata entries")):
        entry = model.Metadata(number)
        if _text(entry.Name()) == METADATA:
            text = model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
            names = json.loads(text)["layers"]
            if len(names) == count and all(isinstance(name, str) for name in names):
                return names
            raise ValueError("the metadata does not name each layer")
    return [None] * count


def _named(number_at, count: int, names: list[str]) -> list[str]:
    numbers = [number_at(i) for i in range(_count(count, "tensors of an op"))]
    if any(not 0 <= number < len(names) for number in numbers):
        raise ValueError("an op has a tensor that is not there")
    return [names[number] for number in numbers]


def _count(count: int, what: str) -> int:
    if count > _MOST:
        raise ValueError(f"{count} {what}")
    return count


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode()
