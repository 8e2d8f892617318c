"""Graph (fused) and ranges -> Graph (integer): int8 and one-bit activations, packed weights, int32
parameters.

Activations are affine, real = s * (q - z), over the calibrated range cut to the activation's
bounds and widened to hold 0, which every tensor must represent exactly (padding is 0).
"""

from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.quantize import builtins, few_bit
from keras_bc.deploy.quantize.builder import Builder
from keras_bc.deploy.scales import Range
from keras_bc.errors import UserError

__all__ = ["check_supported", "quantize"]


def quantize(graph: Graph, ranges: dict[str, Range]) -> Graph:
    """The integer graph that approximates `graph`.

    Args:
        graph: Fused.
        ranges: Of each activation, from `calibrate`.

    Raises:
        UserError: A layer has no integer form, or sums more products than 32 bits hold.
    """
    check_supported(graph)
    builder = Builder(graph, ranges)
    for op in graph.ops:
        _find(graph, op)(builder, op)
    return builder.graph


def check_supported(graph: Graph) -> None:
    """Stop with a UserError at what has no integer form.

    Args:
        graph: Fused.
    """
    for op in graph.ops:
        if op.options.get("weights") == "real" and op.options["transposed"] is not None:
            raise UserError(
                f"Layer `{op.name}` is a transposed convolution of real weights, which cannot be "
                "exported. Use a BinaryConv2DTranspose, or UpSampling2D and a convolution."
            )
        if _find(graph, op) is None:
            raise UserError(f"Layer `{op.name}` ({op.kind}) cannot be exported yet.")


def _find(graph: Graph, op: Op):
    """What makes the integer form of an op; None where there is none."""
    if op.kind == "conv_2d" and op.options["weights"] == "real":
        depthwise = op.options["groups"] == graph.tensors[op.inputs[0]].shape[-1] > 1
        return builtins.depthwise_conv_2d if depthwise else builtins.conv_2d
    if op.kind == "max_pool_2d" and graph.tensors[op.outputs[0]].dtype == "bits":
        return few_bit.max_pool_2d
    return _HANDLERS.get(op.kind)


_HANDLERS = {
    "add": builtins.join("ADD"),
    "average_pool_2d": builtins.pool_2d,
    "concatenate": builtins.concatenate,
    "conv_2d": few_bit.conv_2d,
    "fully_connected": few_bit.fully_connected,
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
