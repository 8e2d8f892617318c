"""From an integer op to the call of a C kernel: its parameters, its constants, its work.

One function a kind, more of them in `builtin_lowering.py`, and in `float_lowering.py` for what
computes in floating point; a RESHAPE moves nothing and is no layer.
"""

from collections.abc import Callable
from ctypes import Structure
from math import prod

import numpy as np

from keras_bc.deploy import builtin_lowering, float_lowering
from keras_bc.deploy.builtin import builtin_channels, explicit_window, groups, softmax_table
from keras_bc.deploy.builtin_lowering import in_bytes
from keras_bc.deploy.call import Call
from keras_bc.deploy.float_ops import is_float
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.native import (
    Conv2DParams,
    FinishParams,
    FullyConnectedParams,
    OutputParams,
    PackParams,
    Pad2DParams,
    Pool2DParams,
    ShortcutParams,
    SoftmaxParams,
    UnpackParams,
    WindowParams,
)
from keras_bc.deploy.windows import IDENTITY, Window, from_options, input_dilation
from keras_bc.errors import UserError


def lower(graph: Graph) -> list[Call]:
    """The calls that run an integer graph, in order.

    Raises:
        UserError: The graph has an op that no kernel computes, or no op at all.
    """
    calls = []
    for op in graph.ops:
        if op.kind == "RESHAPE":
            continue
        known = _FLOATS if is_float(graph, op) else _LOWERINGS
        if op.kind not in known:
            raise UserError(
                f"Layer `{op.name}` is a {op.kind}{' of float32' if known is _FLOATS else ''}, "
                f"which has no kernel in C; expected one of {', '.join(known)} or RESHAPE."
            )
        calls.append(known[op.kind](graph, op))
    if not calls:
        raise UserError("The model computes nothing; expected at least one layer.")
    return calls


def _few_bit_fully_connected(graph: Graph, op: Op) -> Call:
    x, _ = _ends(graph, op)
    params = _fully_connected_params(graph, op, op.options.get("in_channels", x.shape[-1]))
    kernel = f"fully_connected_{_suffix(x, op)}"
    return _few_bit(graph, op, kernel, params, _fully_connected_macs(params))


def _int8_fully_connected(graph: Graph, op: Op) -> Call:
    x, y = _ends(graph, op)
    params = _fully_connected_params(graph, op, prod(x.shape) // prod(y.shape[:-1]))
    macs = _fully_connected_macs(params)
    return _int8(graph, op, "int8_fully_connected", params, macs)


def _fully_connected_params(graph: Graph, op: Op, in_features: int) -> FullyConnectedParams:
    x, y = _ends(graph, op)
    finish = _finish(graph, op)
    return FullyConnectedParams(
        rows=prod(y.shape[:-1]),
        in_features=in_features,
        out_features=finish.size,
        input_zero_point=x.zero_point,
        finish=finish,
    )


def _fully_connected_macs(params: FullyConnectedParams) -> int:
    return params.rows * params.in_features * params.out_features


def _few_bit_conv_2d(graph: Graph, op: Op) -> Call:
    x, options = _ends(graph, op)[0], op.options
    channels = options.get("in_channels", x.shape[3])
    params = _conv_2d_params(
        graph,
        op,
        from_options("kernel", options),
        from_options("pool", options),
        channels,
        options.get("groups", channels),  # a depthwise convolution has none: one a channel
        input_dilation(options),
    )
    return _few_bit(graph, op, f"conv_2d_{_suffix(x, op)}", params, _conv_2d_macs(params))


def _int8_conv_2d(graph: Graph, op: Op) -> Call:
    count = groups(graph, op)
    params = _builtin_conv_2d_params(graph, op, count)
    macs = _conv_2d_macs(params)
    if count == 1:
        return _int8(graph, op, "int8_conv_2d", params, macs)
    return _int8(graph, op, "int8_grouped_conv_2d", params, macs, "kbc_finish_int8_away")


def _int8_depthwise_conv_2d(graph: Graph, op: Op) -> Call:
    params = _builtin_conv_2d_params(graph, op, _inputs(graph, op)[0].shape[3])
    return _int8(graph, op, "int8_depthwise_conv_2d", params, _conv_2d_macs(params))


def _float_conv_2d(graph: Graph, op: Op) -> Call:
    """CONV_2D and DEPTHWISE_CONV_2D."""
    x, weights, bias = _inputs(graph, op)
    depthwise = op.kind == "DEPTHWISE_CONV_2D"
    params = _builtin_conv_2d_params(graph, op, x.shape[3] if depthwise else groups(graph, op))
    constants = {
        "weights": _by_output(weights) if depthwise else weights.data,
        "channels": float_lowering.channels(bias.data),
    }
    functions = {"function": "kbc_finish_f32"}
    macs = _conv_2d_macs(params)
    return Call(op, "float_conv_2d", params, constants, macs, functions=functions)


def _builtin_conv_2d_params(graph: Graph, op: Op, count: int) -> Conv2DParams:
    channels = graph.tensors[op.inputs[0]].shape[3]
    return _conv_2d_params(graph, op, explicit_window(graph, op), IDENTITY, channels, count)


def _by_output(weights: Tensor) -> np.ndarray:
    """The weights of a DEPTHWISE_CONV_2D as `[out, kh, kw]`."""
    return np.ascontiguousarray(np.moveaxis(weights.data[0], 2, 0))


def _conv_2d_params(
    graph: Graph,
    op: Op,
    kernel: Window,
    pool: Window,
    in_channels: int,
    groups: int,
    dilation: tuple[int, int] = (1, 1),
) -> Conv2DParams:
    x, y = _ends(graph, op)
    finish = _finish(graph, op)
    sides = zip(x.shape[1:3], dilation, strict=True)
    conv_height, conv_width = kernel.output_size(*((n - 1) * step + 1 for n, step in sides))
    return Conv2DParams(
        *x.shape[:3],
        in_channels,
        conv_height,
        conv_width,
        *y.shape[1:3],
        finish.size,
        groups,
        *dilation,
        input_zero_point=x.zero_point,
        kernel=_window(kernel),
        pool=_window(pool),
        finish=finish,
    )


def _conv_2d_macs(params: Conv2DParams) -> int:
    taps = params.kernel.height * params.kernel.width * (params.in_channels // params.groups)
    positions = params.batch * params.conv_height * params.conv_width
    return positions * taps * params.out_channels


def _suffix(x: Tensor, op: Op) -> str:
    """The end of a few-bit kernel's name."""
    inputs = {"int8": "s8", "int32": "b1", "float32": "f32"}[x.dtype]
    return inputs + ("_ternary" if op.options["weights"] == "ternary" else "")


def _few_bit(graph: Graph, op: Op, kernel: str, params: Structure, macs: int) -> Call:
    _, weights, channels, *shortcut = _inputs(graph, op)
    y = graph.tensors[op.outputs[0]]
    function = "kbc_finish_b1" if y.dtype == "int32" else "kbc_finish_f32"
    if y.dtype == "int8":
        function = "kbc_finish_s8_shortcut" if shortcut else "kbc_finish_s8"
    constants = {"weights": weights.data, "channels": channels.data}
    return Call(op, kernel, params, constants, macs, functions={"function": function})


def _int8(
    graph: Graph,
    op: Op,
    kernel: str,
    params: Structure,
    macs: int,
    function: str = "kbc_finish_int8",
) -> Call:
    weights = graph.tensors[op.inputs[1]]
    constants = {"weights": weights.data, "channels": builtin_channels(graph, op)}
    return Call(op, kernel, params, constants, macs, functions={"function": function})


def _finish(graph: Graph, op: Op) -> FinishParams:
    """What a linear op makes of its accumulators, but for the function."""
    y, options = graph.tensors[op.outputs[0]], op.options
    shortcut = ShortcutParams()
    if "shortcut_shift" in options:
        zero_point = graph.tensors[op.inputs[3]].zero_point
        pair = options["shortcut_multiplier"], options["shortcut_shift"]
        shortcut = ShortcutParams(zero_point, *pair)
    size = graph.tensors[op.inputs[2]].shape[0]  # of a row of parameters, or a bias, a channel
    output = _output(op, y) if y.dtype == "int8" else OutputParams()
    return FinishParams(size=size, output=output, shortcut=shortcut)


def _max_pool_2d_b1(graph: Graph, op: Op) -> Call:
    """Its channels are words."""
    x, y = _ends(graph, op)
    window = _window(from_options("pool", op.options))
    return Call(op, "max_pool_2d_b1", Pool2DParams(*x.shape, *y.shape[1:3], window=window))


def _pack(graph: Graph, op: Op) -> Call:
    x, _ = _ends(graph, op)
    kernel = "pack" if x.dtype == "int8" else "pack_f32"
    return Call(op, kernel, PackParams(prod(x.shape[:-1]), x.shape[-1], x.zero_point))


def _unpack(graph: Graph, op: Op) -> Call:
    _, y = _ends(graph, op)
    values = op.options["positive"], op.options["negative"]
    kernel = "unpack" if y.dtype == "int8" else "unpack_f32"
    return Call(op, kernel, UnpackParams(prod(y.shape[:-1]), y.shape[-1], *values))


def _pool_2d(kernel: str) -> Callable[[Graph, Op], Call]:
    def lower_pool(graph: Graph, op: Op) -> Call:
        x, y = _inputs(graph, op)[0], graph.tensors[op.outputs[0]]
        window = _window(explicit_window(graph, op))
        params = Pool2DParams(*x.shape, *y.shape[1:3], window=window, output=_output(op, y))
        return Call(op, kernel, params)

    return lower_pool


def _pad_2d(graph: Graph, op: Op) -> Call:
    x, paddings = _inputs(graph, op)
    first, (top, bottom), (left, right), last = paddings.data.tolist()
    if first != [0, 0] or last != [0, 0]:
        raise UserError(
            f"Layer `{op.name}` pads the batch or the channels; expected a padding of height and "
            "width alone."
        )
    batch, height, width, channels = in_bytes(x)
    sides = top, left, bottom, right
    params = Pad2DParams(batch, height, width, channels, *sides, value=x.zero_point)
    return Call(op, "int8_pad_2d", params)


def _softmax(graph: Graph, op: Op) -> Call:
    (x,) = _inputs(graph, op)
    params = SoftmaxParams(rows=prod(x.shape[:-1]), features=x.shape[-1])
    return Call(op, "int8_softmax", params, {"exponentials": softmax_table(x.scale[0])})


def _inputs(graph: Graph, op: Op) -> list[Tensor]:
    return [graph.tensors[name] for name in op.inputs]


def _ends(graph: Graph, op: Op) -> tuple[Tensor, Tensor]:
    """The first input and the output."""
    return graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]


def _window(window: Window) -> WindowParams:
    return WindowParams(**vars(window))


def _output(op: Op, y: Tensor) -> OutputParams:
    low, high = op.options.get("activation_min", -128), op.options.get("activation_max", 127)
    return OutputParams(y.zero_point, low, high)


_LOWERINGS = {
    "KbcFullyConnected": _few_bit_fully_connected,
    "KbcConv2D": _few_bit_conv_2d,
    "KbcDepthwiseConv2D": _few_bit_conv_2d,
    "KbcMaxPool2D": _max_pool_2d_b1,
    "KbcPack": _pack,
    "KbcUnpack": _unpack,
    "FULLY_CONNECTED": _int8_fully_connected,
    "CONV_2D": _int8_conv_2d,
    "DEPTHWISE_CONV_2D": _int8_depthwise_conv_2d,
    "MAX_POOL_2D": _pool_2d("int8_max_pool_2d"),
    "AVERAGE_POOL_2D": _pool_2d("int8_average_pool_2d"),
    "PAD": _pad_2d,
    "SOFTMAX": _softmax,
    **builtin_lowering.LOWERINGS,
}
_FLOATS = {
    "KbcFullyConnected": _few_bit_fully_connected,
    "KbcConv2D": _few_bit_conv_2d,
    "KbcDepthwiseConv2D": _few_bit_conv_2d,
    "KbcPack": _pack,
    "KbcUnpack": _unpack,
    "CONV_2D": _float_conv_2d,
    "DEPTHWISE_CONV_2D": _float_conv_2d,
    "MAX_POOL_2D": _pool_2d("float_max_pool_2d"),
    "AVERAGE_POOL_2D": _pool_2d("float_average_pool_2d"),
    "PAD": _pad_2d,
    **{kind: builtin_lowering.LOWERINGS[kind] for kind in builtin_lowering.MOVES},
    **float_lowering.LOWERINGS,
}
