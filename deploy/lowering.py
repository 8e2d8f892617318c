"""From an integer op to the call of a C kernel: its parameters, its constants, its work.

One function a kind, more of them in `builtin_lowering.py`; a RESHAPE moves nothing and is no layer.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from keras_bc.deploy import builtin_lowering
from keras_bc.deploy.builtin import builtin_channels, explicit_window, groups, softmax_table
from keras_bc.deploy.call import Call
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.native import (
    Conv2DParams,
    FullyConnectedParams,
    OutputParams,
    Pad2DParams,
    Pool2DParams,
    SoftmaxParams,
    WindowParams,
)
from keras_bc.deploy.windows import IDENTITY, Window, from_options
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
        if op.kind not in _LOWERINGS:
            raise UserError(
                f"Layer `{op.name}` is a {op.kind}, which has no kernel in C; "
                f"expected one of {', '.join(_LOWERINGS)} or RESHAPE."
            )
        calls.append(_LOWERINGS[op.kind](graph, op))
    if not calls:
        raise UserError("The model computes nothing; expected at least one layer.")
    return calls


def _binary_fully_connected(graph: Graph, op: Op) -> Call:
    _, weights, channels = _inputs(graph, op)
    params = _fully_connected_params(graph, op)
    constants = {"weights": weights.data, "channels": channels.data}
    return Call(op, "fully_connected_s8", params, constants, _fully_connected_macs(params))


def _int8_fully_connected(graph: Graph, op: Op) -> Call:
    _, weights, _ = _inputs(graph, op)
    params = _fully_connected_params(graph, op)
    constants = {"weights": weights.data, "channels": builtin_channels(graph, op)}
    return Call(op, "int8_fully_connected", params, constants, _fully_connected_macs(params))


def _fully_connected_params(graph: Graph, op: Op) -> FullyConnectedParams:
    x, y = _inputs(graph, op)[0], graph.tensors[op.outputs[0]]
    rows = prod(y.shape[:-1])
    return FullyConnectedParams(
        rows=rows,
        in_features=prod(x.shape) // rows,
        out_features=y.shape[-1],
        input_zero_point=x.zero_point,
        output=_output(op, y),
    )


def _fully_connected_macs(params: FullyConnectedParams) -> int:
    return params.rows * params.in_features * params.out_features


def _binary_conv_2d(graph: Graph, op: Op) -> Call:
    x, weights, channels = _inputs(graph, op)
    kernel, pool = from_options("kernel", op.options), from_options("pool", op.options)
    groups = op.options.get("groups", x.shape[3])  # a depthwise convolution has none: one a channel
    params = _conv_2d_params(graph, op, kernel, pool, groups)
    constants = {"weights": weights.data, "channels": channels.data}
    return Call(op, "conv_2d_s8", params, constants, _conv_2d_macs(params))


def _int8_conv_2d(graph: Graph, op: Op) -> Call:
    _, weights, _ = _inputs(graph, op)
    count = groups(graph, op)
    params = _conv_2d_params(graph, op, explicit_window(graph, op), IDENTITY, count)
    constants = {"weights": weights.data, "channels": builtin_channels(graph, op)}
    kernel = "int8_conv_2d" if count == 1 else "int8_grouped_conv_2d"
    return Call(op, kernel, params, constants, _conv_2d_macs(params))


def _int8_depthwise_conv_2d(graph: Graph, op: Op) -> Call:
    x, weights, _ = _inputs(graph, op)
    window = explicit_window(graph, op)
    params = _conv_2d_params(graph, op, window, IDENTITY, groups=x.shape[3])
    by_channel = np.ascontiguousarray(np.moveaxis(weights.data[0], 2, 0))
    constants = {"weights": by_channel, "channels": builtin_channels(graph, op)}
    return Call(op, "int8_conv_2d", params, constants, _conv_2d_macs(params))


def _conv_2d_params(
    graph: Graph, op: Op, kernel: Window, pool: Window, groups: int
) -> Conv2DParams:
    x, y = _inputs(graph, op)[0], graph.tensors[op.outputs[0]]
    conv_height, conv_width = kernel.output_size(*x.shape[1:3])
    return Conv2DParams(
        *x.shape,
        conv_height,
        conv_width,
        *y.shape[1:],
        groups=groups,
        input_zero_point=x.zero_point,
        kernel=_window(kernel),
        pool=_window(pool),
        output=_output(op, y),
    )


def _conv_2d_macs(params: Conv2DParams) -> int:
    taps = params.kernel.height * params.kernel.width * (params.in_channels // params.groups)
    positions = params.batch * params.conv_height * params.conv_width
    return positions * taps * params.out_channels


def _pool_2d(kernel: str) -> Callable[[Graph, Op], Call]:
    def lower_pool(graph: Graph, op: Op) -> Call:
        x, y = _inputs(graph, op)[0], graph.tensors[op.outputs[0]]
        window = _window(explicit_window(graph, op))
        params = Pool2DParams(*x.shape, *y.shape[1:3], window=window, output=_output(op, y))
        return Call(op, kernel, params)

    return lower_pool


def _pad_2d(graph: Graph, op: Op) -> Call:
    x, paddings = _inputs(graph, op)
    batch, (top, bottom), (left, right), channels = paddings.data.tolist()
    if batch != [0, 0] or channels != [0, 0]:
        raise UserError(
            f"Layer `{op.name}` pads the batch or the channels; expected a padding of height and "
            "width alone."
        )
    params = Pad2DParams(*x.shape, top, left, bottom, right, value=x.zero_point)
    return Call(op, "int8_pad_2d", params)


def _softmax(graph: Graph, op: Op) -> Call:
    (x,) = _inputs(graph, op)
    params = SoftmaxParams(rows=prod(x.shape[:-1]), features=x.shape[-1])
    return Call(op, "int8_softmax", params, {"exponentials": softmax_table(x.scale[0])})


def _inputs(graph: Graph, op: Op) -> list[Tensor]:
    return [graph.tensors[name] for name in op.inputs]


def _window(window: Window) -> WindowParams:
    return WindowParams(**vars(window))


def _output(op: Op, y: Tensor) -> OutputParams:
    low, high = op.options.get("activation_min", -128), op.options.get("activation_max", 127)
    return OutputParams(y.zero_point, low, high)


_LOWERINGS = {
    "KbcFullyConnected": _binary_fully_connected,
    "KbcConv2D": _binary_conv_2d,
    "KbcDepthwiseConv2D": _binary_conv_2d,
    "FULLY_CONNECTED": _int8_fully_connected,
    "CONV_2D": _int8_conv_2d,
    "DEPTHWISE_CONV_2D": _int8_depthwise_conv_2d,
    "MAX_POOL_2D": _pool_2d("int8_max_pool_2d"),
    "AVERAGE_POOL_2D": _pool_2d("int8_average_pool_2d"),
    "PAD": _pad_2d,
    "SOFTMAX": _softmax,
    **builtin_lowering.LOWERINGS,
}
