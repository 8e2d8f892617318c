"""The options of the custom ops, read as a viewer reads them: by the flatbuffers package alone."""

import pytest
from ai_edge_litert import schema_py_generated as tflite
from flatbuffers import flexbuffers

from keras_bc.deploy import flatbuffer
from keras_bc.deploy.schema import CUSTOM_KINDS
from tests.deploy.graphs import graph_of

ENDS = {"activation_min", "activation_max"}
SHORTCUT = {"shortcut_multiplier", "shortcut_shift"}


def window(prefix: str, names: str) -> set[str]:
    return {f"{prefix}_{name}" for name in names.split()}


PADS = "pad_top pad_left pad_bottom pad_right"
KERNEL = window("kernel", f"h w stride_h stride_w dilation_h dilation_w {PADS}")
POOL = window("pool", f"h w stride_h stride_w {PADS}")
CONV = {"version", "weights"} | KERNEL | POOL

ALWAYS = {
    "KbcFullyConnected": {"version", "weights"},
    "KbcConv2D": CONV | {"groups"},
    "KbcDepthwiseConv2D": CONV,
    "KbcMaxPool2D": {"version"} | POOL,
    "KbcPack": {"version"},
    "KbcUnpack": {"version", "positive", "negative"},
}
DILATION = {"input_dilation_h", "input_dilation_w"}
SOMETIMES = {
    "KbcFullyConnected": ENDS | SHORTCUT | {"in_channels"},
    "KbcConv2D": ENDS | SHORTCUT | DILATION | {"in_channels"},
    "KbcDepthwiseConv2D": ENDS | SHORTCUT | DILATION | {"in_channels"},
}
"""By the table of graph.py: of outputs of int8, of inputs of bits, where a shortcut is added, and
of transposed convolutions."""


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", CUSTOM_KINDS)
def test_custom_options_are_the_documented_map(kind, seed):
    graph = graph_of(kind, seed, bits=kind in ("KbcUnpack", "KbcMaxPool2D") or seed % 2 == 1)
    model = tflite.ModelT.InitFromPackedBuf(flatbuffer.write(graph), 0)
    found = 0
    for op, operator in zip(graph.ops, model.subgraphs[0].operators, strict=True):
        code = model.operatorCodes[operator.opcodeIndex]
        if code.customCode is None:
            continue
        assert code.customCode.decode() == op.kind
        options = flexbuffers.Loads(bytes(operator.customOptions))
        assert options == {"version": 1, **op.options}
        assert options.keys() >= ALWAYS[op.kind]
        assert options.keys() <= ALWAYS[op.kind] | SOMETIMES.get(op.kind, set())
        assert operator.customOptionsFormat == tflite.CustomOptionsFormat.FLEXBUFFERS
        found += op.kind == kind
    assert found
