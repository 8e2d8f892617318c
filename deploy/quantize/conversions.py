"""Where int8, bits and float32 meet: the inputs of an op in the type that it reads."""

from dataclasses import replace

from keras_bc.deploy.graph import Op
from keras_bc.deploy.quantize.builder import Builder
from keras_bc.deploy.scales import affine


def with_integers(builder: Builder, op: Op) -> Op:
    """The op, reading int8 where an input is float32."""
    return _converted(builder, op, integer_of)


def with_reals(builder: Builder, op: Op) -> Op:
    """The op, reading float32 where an input is int8 or bits."""
    if op.kind == "unpack":
        return op
    return _converted(builder, op, _real_of)


def stays_bits(builder: Builder, op: Op) -> bool:
    """Whether a fused op has bits on both sides, so that no number of it could be real."""
    return builder.is_bits(op.inputs[0]) and builder.is_bits(op.outputs[0])


def integer_of(builder: Builder, op: Op, name: str) -> str:
    """The int8 activation that stands for one."""
    if builder.graph.tensors[name].dtype != "float32":
        return name
    scale, zero_point = affine(*builder.ranges[name])
    other = builder.alias(name, "int8")
    if other not in builder.graph.tensors:
        builder.activation(other, scale, zero_point)
        builder.graph.ops.append(Op("QUANTIZE", op.name, [name], [other]))
    return other


def _real_of(builder: Builder, op: Op, name: str) -> str:
    """The float32 activation that stands for one."""
    if builder.graph.tensors[name].dtype == "float32":
        return name
    packed = builder.is_bits(name)
    other = builder.alias(name, "float32")
    if other not in builder.graph.tensors:
        builder.real(other)
        kind, options = "DEQUANTIZE", {}
        if packed:
            kind, options = "KbcUnpack", {"positive": 1, "negative": -1}
        builder.graph.ops.append(Op(kind, op.name, [name], [other], options))
    return other


def _converted(builder: Builder, op: Op, convert) -> Op:
    inputs = [
        name if builder.fused.tensors[name].data is not None else convert(builder, op, name)
        for name in op.inputs
    ]
    return replace(op, inputs=inputs)
