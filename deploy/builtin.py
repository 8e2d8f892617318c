"""The int8 builtins of TensorFlow Lite in the integers that every executor shares.

A file states a builtin by real scales, and its borders by "SAME" or "VALID". What its interpreter
computes with are integers derived from them; here they are derived once, for the NumPy reference
and for the C emitter.
"""

from dataclasses import dataclass

import numpy as np

from keras_bc.deploy.fixed_point import quantize_multiplier
from keras_bc.deploy.graph import Graph, Op


@dataclass(frozen=True)
class Window:
    """A window that slides over an image; taps outside of the image are absent.

    The fields are those of `kbc_window`, in its order.
    """

    height: int
    width: int
    stride_height: int = 1
    stride_width: int = 1
    dilation_height: int = 1
    dilation_width: int = 1
    pad_top: int = 0
    pad_left: int = 0
    pad_bottom: int = 0
    pad_right: int = 0

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Positions of the window on an image of `height` x `width`."""
        rows = height + self.pad_top + self.pad_bottom - (self.height - 1) * self.dilation_height
        columns = width + self.pad_left + self.pad_right - (self.width - 1) * self.dilation_width
        return (rows - 1) // self.stride_height + 1, (columns - 1) // self.stride_width + 1


def explicit_window(graph: Graph, op: Op) -> Window:
    """The window of a CONV_2D, MAX_POOL_2D or AVERAGE_POOL_2D, its padding in numbers.

    "SAME" gives ceil(size / stride) positions and puts the odd pixel at the bottom and the right.
    """
    options = op.options
    _, in_height, in_width, _ = graph.tensors[op.inputs[0]].shape
    if op.kind == "CONV_2D":
        _, height, width, _ = graph.tensors[op.inputs[1]].shape
        dilations = options["dilation_h"], options["dilation_w"]
    else:
        height, width = options["filter_h"], options["filter_w"]
        dilations = 1, 1
    strides = options["stride_h"], options["stride_w"]
    same = options["padding"] == "SAME"
    top, bottom = _pads(in_height, height, strides[0], dilations[0]) if same else (0, 0)
    left, right = _pads(in_width, width, strides[1], dilations[1]) if same else (0, 0)
    return Window(height, width, *strides, *dilations, top, left, bottom, right)


def _pads(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    positions = -(-size // stride)
    total = max((positions - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def kernel_and_pool(op: Op) -> tuple[Window, Window]:
    """The two windows of a KbcConv2D or KbcDepthwiseConv2D: its kernel's and its max-pooling's."""
    kernel, pool = (
        Window(
            **{
                field: op.options[f"{prefix}_{short}"]
                for field, short in _WINDOW_KEYS.items()
                if not (prefix == "pool" and "dilation" in short)
            }
        )
        for prefix in ("kernel", "pool")
    )
    return kernel, pool


_WINDOW_KEYS = {
    "height": "h",
    "width": "w",
    "stride_height": "stride_h",
    "stride_width": "stride_w",
    "dilation_height": "dilation_h",
    "dilation_width": "dilation_w",
    "pad_top": "pad_top",
    "pad_left": "pad_left",
    "pad_bottom": "pad_bottom",
    "pad_right": "pad_right",
}


def builtin_channels(graph: Graph, op: Op) -> np.ndarray:
    """How a FULLY_CONNECTED or CONV_2D requantizes: int32 `[out, 3]` of bias, multiplier, shift.

    The real multiplier of output channel c is input_scale * weight_scale[c] / output_scale, in
    double precision.
    """
    x, weights, bias = (graph.tensors[name] for name in op.inputs)
    y = graph.tensors[op.outputs[0]]
    real = float(x.scale[0]) * weights.scale.astype(np.float64) / float(y.scale[0])
    pairs = np.array([quantize_multiplier(m) for m in real.tolist()], np.int32)
    pairs = np.broadcast_to(pairs, (len(bias.data), 2))
    return np.column_stack([bias.data.astype(np.int32), pairs])


def softmax_table(scale: float) -> np.ndarray:
    """float32 `[256]`: exp(-scale * d), of the distance d from the row's maximum.

    The product is rounded to float32 before the exponential and the exponential after, as in
    TensorFlow Lite.
    """
    exponent = np.float32(-scale) * np.arange(256, dtype=np.float32)
    return np.exp(exponent.astype(np.float64)).astype(np.float32)
