"""The one data structure that every step of an export reads and writes: no behaviour.

Three dialects of the same dataclasses follow one another (see the design's data flow):

*Float*, as `trace` makes it: one op per Keras layer, real values.
*Fused*, as `fuse` makes it: batch norm, activations and max-pooling are folded into the op that
they follow.
*Integer*, as `quantize` makes it, `flatbuffer` writes and reads it, and the executors run it:
activations of int8 with scale and zero point, or of signs packed in words, and of float32 where
they are wanted; packed weights; and the ops of TensorFlow Lite's schema.

Integer ops, their inputs and options:

==================== ================================================ ==============================
kind                 inputs                                           options
==================== ================================================ ==============================
KbcFullyConnected    x [..., k], weights, channels, shortcut          weights, Output keys
KbcConv2D            x [n, h, w, c], weights, channels, shortcut      weights, Output keys, groups,
                                                                      Window keys `kernel_*` and
                                                                      `pool_*`, input_dilation_*
KbcDepthwiseConv2D   as KbcConv2D with groups = c                     as KbcConv2D without groups
KbcMaxPool2D         x, bits [n, h, w, c]                             Window keys `pool_*`
KbcPack              x int8 [..., c]                                  -
KbcUnpack            x, bits [..., c]                                 positive, negative
FULLY_CONNECTED      x, weights int8 [out, k], bias int32 [out]       -
CONV_2D              x, weights int8 [out, kh, kw, c/groups], bias    stride_h, stride_w,
                     int32                                            dilation_h, dilation_w,
                                                                      padding
DEPTHWISE_CONV_2D    x, weights int8 [1, kh, kw, out], bias int32     depth_multiplier (out / c),
                                                                      and those of CONV_2D
MAX_POOL_2D,         x                                                filter_h, filter_w, stride_h,
AVERAGE_POOL_2D                                                       stride_w, padding
PAD                  x, paddings int32 [4, 2]                         -
RESHAPE              x, shape int32                                   -
SOFTMAX              x                                                beta (always 1)
ADD, SUB, MUL        a, b                                             -
CONCATENATION        x, ...                                           axis (never the batch)
LOGISTIC, TANH, ELU, x                                                -
HARD_SWISH, QUANTIZE
LEAKY_RELU           x                                                alpha (not negative)
PRELU                x [n, ..., c], alpha int8 [c] or [..., c]        -
SLICE                x, begin int32 [axes], size int32 [axes]         -
RESIZE_NEAREST_      x [n, h, w, c], size int32 [2], multiples of     -
NEIGHBOR             h and w
==================== ================================================ ==============================

Bits are signs, 1 for -1, packed along the last axis: a tensor of bits [..., c] is int32
[..., ceil(c/32)], bit c % 32 of word c // 32. KbcPack is -1 where x is below its zero point.

x of the first three is int8, or bits; then the option `in_channels` is its c (or k). `weights` is
"binary", with weights int32 [out, ceil(k/32)] and k the products of an output, or "ternary", with
[2, out, ceil(k/32)], whose second plane is 1 where a weight is not 0. Their output is int8, with
Output keys `activation_min` and `activation_max`, and a row of `channels` int32 [out, 3] is (bias,
multiplier, shift) as in kbc.h; or it is bits, and a row of `channels` int32 [out, 2] is (threshold,
direction). `shortcut` may be missing: an int8 tensor of the output's shape that is added, with the
options `shortcut_multiplier` and `shortcut_shift` (see kbc.h). `input_dilation_h` and
`input_dilation_w`, 1 where they are missing, are those of kbc.h, too.

`padding` is "SAME" or "VALID". The keys of a window are `kernel_h`, `kernel_w`, `kernel_stride_h`,
`kernel_stride_w`, `kernel_dilation_h`, `kernel_dilation_w`, `kernel_pad_top`, `kernel_pad_left`,
`kernel_pad_bottom`, `kernel_pad_right`, and the same without dilation under `pool_`. All options
are ints but for `weights` and `padding`, and `alpha`, a float.

The output of a DEPTHWISE_CONV_2D has the zero point -128; a CONV_2D in groups computes the same
with any. Of ADD, SUB and MUL one input may be the smaller: it has as many axes, the first ones 1
and the last ones the other's, and serves for all of it. All inputs of a CONCATENATION have its
output's scale and zero point, as those of pools, PAD, SLICE and RESIZE_NEAREST_NEIGHBOR do. A
RESHAPE moves nothing, but its output may have another zero point than its input: then it stands for
other values. The output of LOGISTIC has the scale 1/256 and the zero point -128, as SOFTMAX's; that
of TANH 1/128 and 0. A SLICE begins the batch at 0, its size there is -1. A QUANTIZE takes another
scale; where `builtin_tables` refuses it, a LEAKY_RELU with alpha 1 does.

An op that reads or writes float32 activations is a float op, of the same kinds, and has floats
where the others have int8, but for QUANTIZE and DEQUANTIZE, which go from one to the other, and for
bits, which KbcPack and KbcUnpack make and read. FULLY_CONNECTED is none of them; RELU and, with a
bound float32 [1] as the second input, MINIMUM and MAXIMUM are kinds of float ops alone. Weights,
biases and alphas of the builtins are float32. A row of `channels` float32 [out, 5] of our own ops
is (scale, offset, low, high, step): y = clip(sum * scale + offset + shortcut, low, high), and where
the step is not 0 its nearest multiple from low on. They need no Output keys.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Tensor:
    """A value that flows, or a constant.

    Attributes:
        name: Unique in its graph.
        shape: With the batch axis in front, which is 1.
        dtype: "float32", "int8" or "int32"; in a fused graph also "bits".
        data: The constant's value; None for what is computed.
        scale: float32 `[1]`, or `[channels]` for per-channel weights; None if not quantized.
            real = scale * (q - zero_point).
        zero_point: Of all channels.
        axis: Of the channels that have a scale each: 0, but for a DEPTHWISE_CONV_2D's weights.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    data: np.ndarray | None = None
    scale: np.ndarray | None = None
    zero_point: int = 0
    axis: int = 0


@dataclass
class Op:
    """One step: it reads `inputs` and writes `outputs`, tensors by name.

    Attributes:
        kind: What it does.
        name: The Keras layer that it comes from, for messages and tables.
        inputs: In the order of the kind's table.
        outputs: Nearly always one.
        options: By name; see the module's table.
    """

    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """Ops in the order of execution.

    Attributes:
        name: The model's; a recipe's name where `keras-bc train` made it.
        tensors: By name, constants included.
        ops: In an order in which each input is ready.
        inputs: Names of the tensors that the caller fills.
        outputs: Names of the tensors that the caller reads.
    """

    name: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
