import json

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tflite

from keras_bc.deploy import flatbuffer, inspection
from keras_bc.errors import UserError
from tests.deploy.graphs import KINDS, graph_of, mlp, random_graph, side_by_side


def inspect(graph, folder) -> dict:
    path = folder / "model.tflite"
    path.write_bytes(flatbuffer.write(graph))
    return inspection.inspect(path)


@pytest.mark.parametrize("seed", range(4))
def test_it_says_what_the_graph_is(seed, tmp_path):
    graph = random_graph(seed, layers=6)
    result = inspect(graph, tmp_path)
    assert json.loads(json.dumps(result)) == result
    assert result["name"] == graph.name
    assert result["file_bytes"] == (tmp_path / "model.tflite").stat().st_size
    assert [(op["name"], op["op"], op["options"]) for op in result["ops"]] == [
        (op.name, op.kind, op.options) for op in graph.ops
    ]
    for said, op in zip(result["ops"], graph.ops, strict=True):
        for side in ("inputs", "outputs"):
            tensors = [graph.tensors[name] for name in getattr(op, side)]
            assert [tensor["name"] for tensor in said[side]] == [t.name for t in tensors]
            assert [tensor["shape"] for tensor in said[side]] == [list(t.shape) for t in tensors]
            assert [tensor["constant"] for tensor in said[side]] == [
                tensor.data is not None for tensor in tensors
            ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_bytes_add_up_to_the_file(kind, tmp_path):
    """They are counted again here, from the objects that the schema's own package makes."""
    graph = graph_of(kind, 1)
    result = inspect(graph, tmp_path)
    parts = result["bytes"]
    assert sum(parts.values()) == result["file_bytes"]
    assert sum(op["bytes"] for op in result["ops"]) == parts["constants"]
    data = (tmp_path / "model.tflite").read_bytes()
    model = tflite.ModelT.InitFromPackedBuf(data, 0)
    buffers = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    assert parts["constants"] + parts["layer_names"] == buffers
    operators = model.subgraphs[0].operators
    options = [op.customOptions for op in operators if op.customOptions is not None]
    assert parts["options"] == sum(map(len, options))
    tensors = len(graph.tensors)
    assert 0 < parts["tables"] < 300 + 200 * (tensors + len(operators))


def test_shared_constants_count_once(tmp_path):
    graph = mlp(8, 8, 8)
    graph.ops[1].inputs[1:] = graph.ops[0].inputs[1:]
    kept = {name for op in graph.ops for name in op.inputs + op.outputs}
    graph.tensors = {name: t for name, t in graph.tensors.items() if name in kept}
    first, second = inspect(graph, tmp_path)["ops"]
    assert (first["bytes"], second["bytes"]) == (8 * 4 + 8 * 12, 0)


def test_one_scale_and_a_scale_per_channel(tmp_path):
    graph = graph_of("CONV_2D", 0)
    x, weights, bias = inspect(graph, tmp_path)["ops"][0]["inputs"]
    assert x["quantization"]["channels"] == 1
    assert x["quantization"]["axis"] is None
    scale = graph.tensors[graph.inputs[0]].scale[0]
    assert np.float32(x["quantization"]["scale_min"]) == scale
    scales = graph.tensors[weights["name"]].scale
    assert weights["type"] == "int8" and bias["type"] == "int32"
    assert weights["quantization"] == {
        "scale_min": float(scales.min()),
        "scale_max": float(scales.max()),
        "channels": len(scales),
        "zero_point": 0,
        "axis": 0 if len(scales) > 1 else None,
    }


def test_words_of_bits_are_called_so(tmp_path):
    result = inspect(graph_of("KbcUnpack", 0, bits=True), tmp_path)
    (bits,) = next(op for op in result["ops"] if op["op"] == "KbcPack")["outputs"]
    assert bits["type"] == "bits in int32"
    assert bits["quantization"] is None


def test_several_inputs_and_outputs(tmp_path):
    result = inspect(side_by_side(mlp(9, 5), mlp(7, 3)), tmp_path)
    assert [tensor["shape"] for tensor in result["inputs"]] == [[1, 9], [1, 7]]
    assert [tensor["shape"] for tensor in result["outputs"]] == [[1, 5], [1, 3]]


@pytest.mark.parametrize("share", [0, 0.3, 0.7])
def test_a_truncated_file_is_refused(share, tmp_path):
    data = flatbuffer.write(random_graph(1))
    path = tmp_path / "cut.tflite"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(UserError, match=r"cut\.tflite: .*Export the model again"):
        inspection.inspect(path)


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "image.tflite"
    path.write_bytes(b"\x89PNG\r\n" * 99)
    with pytest.raises(UserError, match=r"Not a \.tflite file"):
        inspection.inspect(path)
