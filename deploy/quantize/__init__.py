"""Graph (fused) and ranges -> Graph (integer): int8 and one-bit activations, packed weights, int32
parameters; and float32 activations where they are asked for.

Activations are affine, real = s * (q - z), over the calibrated range cut to the activation's
bounds and widened to hold 0, which every tensor must represent exactly (padding is 0).
"""

from collections.abc import Collection

from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.quantize import builtins, few_bit, floats
from keras_bc.deploy.quantize.builder import Builder
from keras_bc.deploy.quantize.conversions import integer_of, stays_bits, with_integers, with_reals
from keras_bc.deploy.scales import Range
from keras_bc.errors import UserError

__all__ = ["check_supported", "pack", "quantize"]


def quantize(graph: Graph, ranges: dict[str, Range], keep_float: Collection[str] = ()) -> Graph:
    """The integer graph that approximates `graph`.

    Args:
        graph: Fused.
        ranges: Of each activation, from `calibrate`.
        keep_float: Names of layers whose ops compute in float32, but for those that read and write
            bits. The model's inputs and outputs are int8 all the same.

    Raises:
        UserError: A layer has no integer form, or sums more products than 32 bits hold, or there is
            none of a name in `keep_float`.
    """
    check_supported(graph, keep_float)
    builder = Builder(graph, ranges)
    for op in graph.ops:
        if op.name in keep_float and not stays_bits(builder, op):
            floats.append(builder, with_reals(builder, op))
        else:
            _find(graph, op)(builder, with_integers(builder, op))
    makers = {op.outputs[0]: op for op in graph.ops}
    builder.graph.outputs = [integer_of(builder, makers.get(name), name) for name in graph.outputs]
    return builder.graph


def pack(graph: Graph) -> Graph:
    """`graph` with packed weights, and all that is neither weights nor bits in float32.

    Args:
        graph: Fused.

    Raises:
        UserError: A layer cannot be exported.
    """
    check_supported(graph)
    builder = Builder(graph, None)
    for op in graph.ops:
        if stays_bits(builder, op):
            _find(graph, op)(builder, op)
        else:
            floats.append(builder, with_reals(builder, op))
    return builder.graph


def check_supported(graph: Graph, keep_float: Collection[str] = ()) -> None:
    """Stop with a UserError at what has no integer form, or no float form where that is asked for.

    Args:
        graph: Fused.
        keep_float: See `quantize`.
    """
    names = dict.fromkeys(op.name for op in graph.ops)
    for name in keep_float:
        if name not in names:
            raise UserError(
                f"No layer `{name}` can be kept in floating point. Layers that compute by "
                f"themselves (others are folded into them): {', '.join(names)}."
            )
    for op in graph.ops:
        if op.options.get("weights") == "real" and op.options["transposed"]:
            raise UserError(
                f"Layer `{op.name}` is a transposed convolution of real weights, which cannot be "
                "exported. Use a BinaryConv2DTranspose, or UpSampling2D and a convolution."
            )
        if _find(graph, op) is None:
            raise UserError(f"Layer `{op.name}` ({op.kind}) cannot be exported yet.")


def _find(graph: Graph, op: Op):
    """What makes the integer form of an op; None where there is none."""
    if op.kind == "conv_2d" and op.options["weights"] == "real":
        return builtins.real_conv_2d
    if op.kind == "max_pool_2d" and graph.tensors[op.outputs[0]].dtype == "bits":
        return few_bit.max_pool_2d
    return _HANDLERS.get(op.kind)


_HANDLERS = {
    "add": builtins.join("ADD"),
    "average_pool_2d": builtins.pool_2d,
    "concatenate": builtins.concatenate,
    "conv_2d": few_bit.linear,
    "fully_connected": few_bit.linear,
    "function": builtins.function,
    "max_pool_2d": builtins.pool_2d,
    "multiply": builtins.join("MUL"),
    "pad_2d": builtins.pad_2d,
    "prelu": builtins.prelu,
    "reshape": builtins.reshape,
    "resize": builtins.resize,
    "sign": few_bit.sign,
    "slice": builtins.crop,
    "softmax": builtins.softmax,
    "subtract": builtins.join("SUB"),
    "unpack": few_bit.unpack,
}
