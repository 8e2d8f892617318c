"""How the op kinds of an integer graph are spelled in TensorFlow Lite's schema.

One row a builtin: its code, the schema's options table, and which of the graph's options goes into
which of its fields. The custom ops are names with a FlexBuffers map of their options.
"""

from dataclasses import dataclass, field

from ai_edge_litert import schema_py_generated as tflite
from flatbuffers import flexbuffers

from keras_bc.deploy.builtin import groups, product_factor
from keras_bc.deploy.graph import Graph, Op
from keras_bc.errors import UserError

CUSTOM_KINDS = (
    *("KbcFullyConnected", "KbcConv2D", "KbcDepthwiseConv2D"),
    *("KbcMaxPool2D", "KbcPack", "KbcUnpack"),
)
METADATA = "keras_bc"  # name of the entry that holds the layers' names
CUSTOM_VERSION = 1  # of the map of options; the delegate refuses others
PADDINGS = {"SAME": tflite.Padding.SAME, "VALID": tflite.Padding.VALID}
TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int8": tflite.TensorType.INT8,
    "int32": tflite.TensorType.INT32,
}


@dataclass(frozen=True)
class Builtin:
    """A builtin op of the schema.

    Attributes:
        table: The name of its table of options, "NONE" for no table; one that has none of our
            fields stays empty.
        version: The op version that the converter gives it with int8 tensors, which a runtime
            checks before it runs it.
        fields: The graph's option -> the field of the table, as the object API names it.
    """

    table: str
    version: int
    fields: dict[str, str] = field(default_factory=dict)


_STRIDES = {"stride_h": "strideH", "stride_w": "strideW"}
_DILATIONS = {"dilation_h": "dilationHFactor", "dilation_w": "dilationWFactor"}
_FILTER = {"filter_h": "filterHeight", "filter_w": "filterWidth"}
_PADDING = {"padding": "padding"}

BUILTINS = {
    "FULLY_CONNECTED": Builtin("FullyConnectedOptions", 4),
    "CONV_2D": Builtin("Conv2DOptions", 3, {**_STRIDES, **_DILATIONS, **_PADDING}),
    "DEPTHWISE_CONV_2D": Builtin(
        "DepthwiseConv2DOptions",
        3,
        {"depth_multiplier": "depthMultiplier", **_STRIDES, **_DILATIONS, **_PADDING},
    ),
    "MAX_POOL_2D": Builtin("Pool2DOptions", 2, {**_FILTER, **_STRIDES, **_PADDING}),
    "AVERAGE_POOL_2D": Builtin("Pool2DOptions", 2, {**_FILTER, **_STRIDES, **_PADDING}),
    "PAD": Builtin("PadOptions", 2),
    "RESHAPE": Builtin("ReshapeOptions", 1),
    "SOFTMAX": Builtin("SoftmaxOptions", 2, {"beta": "beta"}),
    "ADD": Builtin("AddOptions", 2),
    "SUB": Builtin("SubOptions", 2),
    "MUL": Builtin("MulOptions", 2),
    "CONCATENATION": Builtin("ConcatenationOptions", 2, {"axis": "axis"}),
    "SLICE": Builtin("SliceOptions", 2),
    "RESIZE_NEAREST_NEIGHBOR": Builtin("ResizeNearestNeighborOptions", 2),
    "PRELU": Builtin("NONE", 1),
    "LOGISTIC": Builtin("NONE", 2),
    "TANH": Builtin("NONE", 2),
    "LEAKY_RELU": Builtin("LeakyReluOptions", 1, {"alpha": "alpha"}),
    "ELU": Builtin("NONE", 1),
    "HARD_SWISH": Builtin("HardSwishOptions", 1),
    "QUANTIZE": Builtin("QuantizeOptions", 1),
    "DEQUANTIZE": Builtin("DequantizeOptions", 2),
    "RELU": Builtin("NONE", 1),
    "MINIMUM": Builtin("MaximumMinimumOptions", 1),
    "MAXIMUM": Builtin("MaximumMinimumOptions", 1),
}

_UNSUPPORTED = {
    "FusedActivationFunction": "a fused activation",
    "AlignCorners": "aligned corners",
    "HalfPixelCenters": "half-pixel centers",
}
"""Options that no op of ours has set."""

_SINCE = ("DEQUANTIZE", "DEPTHWISE_CONV_2D")
"""Ops whose version does not depend on the output's type: of int8 inputs, with dilation."""

SUPPORTED = ", ".join([*CUSTOM_KINDS, *BUILTINS])
_BUILTIN_NAMES = {
    code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)
}


def op_code(graph: Graph, op: Op) -> tuple[int, str | None, int]:
    """The builtin code, custom name and version that the file declares for an op."""
    if op.kind in CUSTOM_KINDS:
        return tflite.BuiltinOperator.CUSTOM, op.kind, CUSTOM_VERSION
    version = BUILTINS[op.kind].version
    if graph.tensors[op.outputs[0]].dtype == "float32" and op.kind not in _SINCE:
        version = 1
    if op.kind == "FULLY_CONNECTED":
        weights = graph.tensors[op.inputs[1]]
        if weights.scale is not None and len(weights.scale) > 1:
            version = 12
        elif len(graph.tensors[op.outputs[0]].shape) > 2:
            version = 5
    elif op.kind == "CONV_2D" and groups(graph, op) > 1:
        version = 6
    elif op.kind == "MUL" and version > 1 and product_factor(graph, op)[1] < 31:
        version = 3  # the factor is 1 or more
    return getattr(tflite.BuiltinOperator, op.kind), None, version


def pack_options(graph: Graph, op: Op, operator: tflite.OperatorT) -> None:
    """Write the options of `op` into `operator`."""
    if op.kind in CUSTOM_KINDS:
        options = flexbuffers.Dumps({"version": CUSTOM_VERSION, **op.options})
        operator.customOptions = list(options)
        return
    builtin = BUILTINS[op.kind]
    if builtin.table == "NONE":
        return
    table = getattr(tflite, f"{builtin.table}T")()
    for name, attribute in builtin.fields.items():
        value = op.options[name]
        setattr(table, attribute, PADDINGS[value] if name == "padding" else value)
    if op.kind == "FULLY_CONNECTED":
        table.keepNumDims = len(graph.tensors[op.outputs[0]].shape) > 2
    operator.builtinOptionsType = getattr(tflite.BuiltinOptions, builtin.table)
    operator.builtinOptions = table


def unpack_kind(code: tflite.OperatorCode) -> str:
    """The graph's kind for an entry of the file's table of ops.

    Raises:
        UserError: We have no such op.
    """
    # The first field is one byte wide, and all that a file from before 2020 has.
    builtin = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
    if builtin == tflite.BuiltinOperator.CUSTOM:
        kind = (code.CustomCode() or b"").decode()
    else:
        kind = _BUILTIN_NAMES.get(builtin, f"builtin {builtin}")
    if kind not in BUILTINS and kind not in CUSTOM_KINDS:
        raise UserError(f"The .tflite file has the op {kind!r}; supported are {SUPPORTED}.")
    return kind


def unpack_options(kind: str, operator: tflite.Operator) -> dict:
    """The options of an op in the file, as `pack_options` wrote them.

    Raises:
        ValueError: They are not those of this kind.
    """
    if kind in CUSTOM_KINDS:
        return _unpack_map(operator)
    builtin = BUILTINS[kind]
    union = operator.BuiltinOptions()
    if union is None:
        if builtin.fields:
            raise ValueError(f"{kind} has no options")
        return {}
    if operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, builtin.table):
        raise ValueError(f"{kind} has the options of another op")
    table = getattr(tflite, builtin.table)()
    table.Init(union.Bytes, union.Pos)
    for option, name in _UNSUPPORTED.items():
        if hasattr(table, option) and getattr(table, option)():
            raise ValueError(f"{kind} has {name}, which is not supported")
    return {name: _field(table, name, attribute) for name, attribute in builtin.fields.items()}


def _field(table, name: str, attribute: str):
    value = getattr(table, attribute[0].upper() + attribute[1:])()
    if name == "padding":
        names = {number: text for text, number in PADDINGS.items()}
        return names[value]
    return int(value) if value == int(value) else value


def _unpack_map(operator: tflite.Operator) -> dict:
    if operator.CustomOptionsIsNone():
        raise ValueError("a custom op has no options")
    options = flexbuffers.GetRoot(operator.CustomOptionsAsNumpy().tobytes()).AsMap
    unpacked = {}
    for key, value in zip(options.Keys, options.Values, strict=True):
        if not (value.IsInt or value.IsString):
            raise ValueError(f"option {key.AsKey!r} is neither an integer nor a string")
        unpacked[key.AsKey] = value.AsInt if value.IsInt else value.AsString
    version = unpacked.pop("version", None)
    if version != CUSTOM_VERSION:
        raise ValueError(f"a custom op has options of version {version}, not {CUSTOM_VERSION}")
    return unpacked
