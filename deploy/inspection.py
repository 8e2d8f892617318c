"""What is in a .tflite file of ours: its ops, their tensors and options, and where its bytes go."""

from pathlib import Path

from ai_edge_litert import schema_py_generated as tflite

from keras_bc.deploy import workspace
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.plan import tensor_bytes
from keras_bc.deploy.schema import METADATA


def inspect(path: str | Path) -> dict:
    """Describe a `.tflite` file.

    Args:
        path: The file, or the folder of an export.

    Returns:
        `{"name", "file_bytes", "inputs", "outputs", "ops", "bytes"}`, ready for JSON. Inputs and
        outputs are tensors, and so are those of an op, `{"name", "op", "inputs", "outputs",
        "options", "bytes"}`, whose bytes are those of its constants, each counted for the first
        op that reads it. A tensor is `{"name", "type", "shape", "bytes", "constant",
        "quantization"}`; the last is None, or `{"scale_min", "scale_max", "channels",
        "zero_point", "axis"}`, where one scale for the whole tensor is 1 channel. What `bytes` has
        at the top adds up to the file: see `byte_rows`.

    Raises:
        UserError: There is no such file, or it is not one that an export wrote.
    """
    path = Path(path)
    graph = workspace.read_model(path)
    data = workspace.model_file(path).read_bytes()
    fresh = fresh_constants(graph)
    return {
        "name": graph.name,
        "file_bytes": len(data),
        "inputs": [_tensor(graph, name) for name in graph.inputs],
        "outputs": [_tensor(graph, name) for name in graph.outputs],
        "ops": [_op(graph, op, new) for op, new in zip(graph.ops, fresh, strict=True)],
        "bytes": byte_rows(data),
    }


def layer_rows(graph: Graph) -> list[dict]:
    """Name, op, output shape and bytes of constants of each op of an integer graph."""
    return [
        {
            "name": op.name,
            "op": op.kind,
            "shape": list(graph.tensors[op.outputs[0]].shape),
            "weight_bytes": _bytes_of(new),
        }
        for op, new in zip(graph.ops, fresh_constants(graph), strict=True)
    ]


def fresh_constants(graph: Graph) -> list[list[Tensor]]:
    """The constants of each op, without those that an op before it has."""
    counted: set[str] = set()
    result = []
    for op in graph.ops:
        names = [name for name in dict.fromkeys(op.inputs) if name not in counted]
        counted.update(names)
        tensors = [graph.tensors[name] for name in names]
        result.append([tensor for tensor in tensors if tensor.data is not None])
    return result


def byte_rows(data: bytes) -> dict[str, int]:
    """Where the bytes of a valid file are; together they are the file.

    Returns:
        `constants`: the buffers of the tensors. `options`: the maps of the custom ops.
        `layer_names`: of the Keras layers, in the metadata. `quantization`: scales and zero
        points. `tables`: FlatBuffers' own: the names, shapes and types of tensors, the ops and
        what they read, the builtins' options, offsets and padding.
    """
    model = tflite.Model.GetRootAs(data, 0)
    subgraph = model.Subgraphs(0)
    tensors = [subgraph.Tensors(number) for number in range(subgraph.TensorsLength())]
    operators = [subgraph.Operators(number) for number in range(subgraph.OperatorsLength())]
    entries = [model.Metadata(number) for number in range(model.MetadataLength())]
    named = {entry.Buffer() for entry in entries if entry.Name() == METADATA.encode()}
    rows = {
        "constants": _buffer_bytes(model, {tensor.Buffer() for tensor in tensors} - named),
        "options": sum(operator.CustomOptionsLength() for operator in operators),
        "layer_names": _buffer_bytes(model, named),
        "quantization": sum(_quantization_bytes(tensor.Quantization()) for tensor in tensors),
    }
    return {**rows, "tables": len(data) - sum(rows.values())}


def _buffer_bytes(model: tflite.Model, numbers: set[int]) -> int:
    return sum(model.Buffers(number).DataLength() for number in numbers)


def _quantization_bytes(packed: tflite.QuantizationParameters | None) -> int:
    """A float32 and an int64 for each scale."""
    return 0 if packed is None else 4 * packed.ScaleLength() + 8 * packed.ZeroPointLength()


def _op(graph: Graph, op: Op, fresh: list[Tensor]) -> dict:
    return {
        "name": op.name,
        "op": op.kind,
        "inputs": [_tensor(graph, name) for name in op.inputs],
        "outputs": [_tensor(graph, name) for name in op.outputs],
        "options": op.options,
        "bytes": _bytes_of(fresh),
    }


def _tensor(graph: Graph, name: str) -> dict:
    tensor = graph.tensors[name]
    constant = tensor.data is not None
    # Of the integer dialect's activations, those of int32 are bits.
    bits = tensor.dtype == "int32" and not constant
    return {
        "name": tensor.name,
        "type": "bits in int32" if bits else tensor.dtype,
        "shape": list(tensor.shape),
        "bytes": tensor_bytes(tensor),
        "constant": constant,
        "quantization": _quantization(tensor),
    }


def _quantization(tensor: Tensor) -> dict | None:
    if tensor.scale is None:
        return None
    return {
        "scale_min": float(tensor.scale.min()),
        "scale_max": float(tensor.scale.max()),
        "channels": len(tensor.scale),
        "zero_point": int(tensor.zero_point),
        "axis": int(tensor.axis) if len(tensor.scale) > 1 else None,
    }


def _bytes_of(tensors: list[Tensor]) -> int:
    return sum(tensor.data.nbytes for tensor in tensors)
