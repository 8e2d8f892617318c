"""Write an integer graph as a .tflite file, and read it back.

The file is TensorFlow Lite's own format, by the schema that LiteRT ships: builtin ops as its
converter writes them, and our ops as custom ops whose options are a FlexBuffers map. The batch
axis is written as 1 with a signature of -1, so that an interpreter may resize it. The names of the
Keras layers have no place in the schema; they travel as JSON in the metadata entry "keras_bc".
"""

import json
import math
import struct

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tflite

from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.schema import TYPES, op_code, pack_options, unpack_kind, unpack_options
from keras_bc.deploy.validate import validate
from keras_bc.errors import UserError

IDENTIFIER = b"TFL3"
METADATA = "keras_bc"
_ALIGNMENT = 16  # of a buffer's data, as the schema asks
_MOST = 1 << 16  # tensors, ops or axes that a sane file has
# What the readers of flatbuffers raise on bytes that make no sense.
_DAMAGE = (struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError)


def write(graph: Graph) -> bytes:
    """The .tflite file of an integer graph. The same graph gives the same bytes.

    Args:
        graph: In the integer dialect (see `graph.py`).

    Returns:
        The whole file; `read` gives the graph back.
    """
    buffers = [_Buffer()]  # number 0 is empty by convention: "no constant"
    tensors = [_pack_tensor(tensor, buffers) for tensor in graph.tensors.values()]
    codes = {}
    operators = [_pack_operator(graph, op, codes) for op in graph.ops]
    subgraph = tflite.SubGraphT(
        tensors=tensors,
        inputs=_numbers(graph, graph.inputs),
        outputs=_numbers(graph, graph.outputs),
        operators=operators,
        name=graph.name,
    )
    layers = json.dumps({"layers": [op.name for op in graph.ops]})
    buffers.append(_Buffer(data=np.frombuffer(layers.encode(), np.uint8)))
    model = tflite.ModelT(
        version=3,
        operatorCodes=[_pack_code(*code) for code in codes],
        subgraphs=[subgraph],
        description="keras_bc",
        buffers=buffers,
        metadata=[tflite.MetadataT(name=METADATA, buffer=len(buffers) - 1)],
    )
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _Buffer(tflite.BufferT):
    """A buffer whose data is aligned, which the generated Python code leaves out."""

    def Pack(self, builder):
        data = None
        if self.data is not None:
            builder.StartVector(1, len(self.data), _ALIGNMENT)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data.tobytes()
            data = builder.EndVector()
        tflite.BufferStart(builder)
        if data is not None:
            tflite.BufferAddData(builder, data)
        return tflite.BufferEnd(builder)


def _pack_tensor(tensor: Tensor, buffers: list[_Buffer]) -> tflite.TensorT:
    packed = tflite.TensorT(
        name=tensor.name,
        shape=list(tensor.shape),
        type=TYPES[tensor.dtype],
        quantization=_pack_quantization(tensor),
        hasRank=True,
    )
    if tensor.data is None:
        packed.shapeSignature = [-1, *tensor.shape[1:]]
    else:
        data = np.ascontiguousarray(tensor.data, np.dtype(tensor.dtype).newbyteorder("<"))
        buffers.append(_Buffer(data=data.reshape(-1).view(np.uint8)))
        packed.buffer = len(buffers) - 1
    return packed


def _pack_quantization(tensor: Tensor) -> tflite.QuantizationParametersT | None:
    if tensor.scale is None:
        return None
    return tflite.QuantizationParametersT(
        scale=[float(scale) for scale in tensor.scale],
        zeroPoint=[int(tensor.zero_point)] * len(tensor.scale),
    )


def _pack_operator(graph: Graph, op: Op, codes: dict) -> tflite.OperatorT:
    operator = tflite.OperatorT(
        opcodeIndex=codes.setdefault(op_code(graph, op), len(codes)),
        inputs=_numbers(graph, op.inputs),
        outputs=_numbers(graph, op.outputs),
    )
    pack_options(graph, op, operator)
    return operator


def _pack_code(builtin: int, custom: str | None, version: int) -> tflite.OperatorCodeT:
    return tflite.OperatorCodeT(
        # Readers from before 2020 know only this field, one byte wide.
        deprecatedBuiltinCode=min(builtin, 127),
        builtinCode=builtin,
        customCode=custom,
        version=version,
    )


def _numbers(graph: Graph, names: list[str]) -> list[int]:
    order = {name: number for number, name in enumerate(graph.tensors)}
    return [order[name] for name in names]


def read(data: bytes) -> Graph:
    """The integer graph of a .tflite file, validated.

    Args:
        data: The whole file.

    Raises:
        UserError: It is no .tflite file, it is damaged, or it holds what `graph.py` does not.
    """
    if data[4:8] != IDENTIFIER:
        raise UserError(
            "This is not a .tflite file; expected one that `keras-bc export` wrote. Export the "
            "model again."
        )
    try:
        graph = _unpack(tflite.Model.GetRootAs(data, 0))
    except _DAMAGE as error:
        reason = str(error).splitlines() or [type(error).__name__]
        raise UserError(
            f"The .tflite file is damaged, or not ours ({reason[0]}). Export the model again."
        ) from error
    validate(graph)
    return graph


def _unpack(model: tflite.Model) -> Graph:
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
        data = np.frombuffer(contents.DataAsNumpy().tobytes(), dtype.newbyteorder("<"))
        tensor.data = data.reshape(shape).astype(dtype)
    _unpack_quantization(packed.Quantization(), tensor)
    return tensor


def _unpack_quantization(packed: tflite.QuantizationParameters | None, tensor: Tensor) -> None:
    if packed is None or packed.ScaleLength() == 0:
        return
    zero_points = set(packed.ZeroPointAsNumpy().tolist())
    if packed.ZeroPointLength() != packed.ScaleLength() or len(zero_points) != 1:
        raise ValueError(f"{tensor.name!r} has more than one zero point")
    if packed.QuantizedDimension() != 0:
        raise ValueError(f"{tensor.name!r} is quantized along another axis than the first")
    tensor.scale = packed.ScaleAsNumpy().astype(np.float32)
    tensor.zero_point = zero_points.pop()


def _unpack_operator(model, packed: tflite.Operator, names: list[str], layer: str | None) -> Op:
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
