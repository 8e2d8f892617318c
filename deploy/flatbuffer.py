"""Write an integer graph as a .tflite file, and read it back.

The file is TensorFlow Lite's own format, by the schema that LiteRT ships: builtin ops as its
converter writes them, and our ops as custom ops whose options are a FlexBuffers map. The batch
axis is written as 1 with a signature of -1, so that an interpreter may resize it. The names of the
Keras layers have no place in the schema; they travel as JSON in the metadata entry "keras_bc".
"""

import json
import struct

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tflite

from keras_bc.deploy.flatbuffer_reader import unpack
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.schema import METADATA, TYPES, op_code, pack_options
from keras_bc.deploy.validate import validate
from keras_bc.errors import UserError

IDENTIFIER = b"TFL3"
_ALIGNMENT = 16  # of a buffer's data, as the schema asks
# What the readers of flatbuffers raise on bytes that make no sense.
_DAMAGE = (
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


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
    subgraph = _table(
        tflite.SubGraphT,
        tensors=tensors,
        inputs=_numbers(graph, graph.inputs),
        outputs=_numbers(graph, graph.outputs),
        operators=operators,
        name=graph.name,
    )
    layers = json.dumps({"layers": [op.name for op in graph.ops]})
    buffers.append(_table(_Buffer, data=np.frombuffer(layers.encode(), np.uint8)))
    model = _table(
        tflite.ModelT,
        version=3,
        operatorCodes=[_pack_code(*code) for code in codes],
        subgraphs=[subgraph],
        description="keras_bc",
        buffers=buffers,
        metadata=[_table(tflite.MetadataT, name=METADATA, buffer=len(buffers) - 1)],
    )
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _table(table_class: type, **fields):
    """A table of the schema; before LiteRT 2 its constructors took no arguments."""
    table = table_class()
    for name, value in fields.items():
        setattr(table, name, value)
    return table


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
    packed = _table(
        tflite.TensorT,
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
        buffers.append(_table(_Buffer, data=data.reshape(-1).view(np.uint8)))
        packed.buffer = len(buffers) - 1
    return packed


def _pack_quantization(tensor: Tensor) -> tflite.QuantizationParametersT | None:
    if tensor.scale is None:
        return None
    return _table(
        tflite.QuantizationParametersT,
        scale=[float(scale) for scale in tensor.scale],
        zeroPoint=[int(tensor.zero_point)] * len(tensor.scale),
        quantizedDimension=tensor.axis,
    )


def _pack_operator(graph: Graph, op: Op, codes: dict) -> tflite.OperatorT:
    operator = _table(
        tflite.OperatorT,
        opcodeIndex=codes.setdefault(op_code(graph, op), len(codes)),
        inputs=_numbers(graph, op.inputs),
        outputs=_numbers(graph, op.outputs),
    )
    pack_options(graph, op, operator)
    return operator


def _pack_code(builtin: int, custom: str | None, version: int) -> tflite.OperatorCodeT:
    return _table(
        tflite.OperatorCodeT,
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
            "Not a .tflite file; expected one that `keras-bc export` wrote. Export the model again."
        )
    try:
        graph = unpack(tflite.Model.GetRootAs(data, 0))
    except _DAMAGE as error:
        reason = str(error).splitlines() or [type(error).__name__]
        raise UserError(
            f"It is damaged, or not ours ({reason[0]}). Export the model again."
        ) from error
    validate(graph)
    return graph
