"""The one data structure that every step of an export reads and writes: no behaviour.

Three dialects of the same dataclasses follow one another (see the design's data flow):

*Float*, as `trace` makes it: one op per Keras layer, real values.
*Fused*, as `fuse` makes it: batch norm, activations and max-pooling are folded into the op that
they follow.
*Integer*, as `quantize` makes it, `flatbuffer` writes and reads it, and the executors run it: int8
activations with scale and zero point, packed weights, and the ops of TensorFlow Lite's schema.

Integer ops, their inputs and options:

==================== ================================================ ==============================
kind                 inputs                                           options
==================== ================================================ ==============================
KbcFullyConnected    x int8 [..., k], weights int32 [out, ceil(k/32)], weights, activation_min,
                     channels int32 [out, 3]                          activation_max
KbcConv2D            x int8 [n, h, w, c], weights int32               weights, activation_min,
                     [out, ceil(kh*kw*c/groups/32)],                  activation_max, groups, Window
                     channels int32 [out, 3]                          keys `kernel_*` and `pool_*`
KbcDepthwiseConv2D   as KbcConv2D with groups = c                     as KbcConv2D without groups
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

`weights` is "binary". A row of `channels` is (bias, multiplier, shift) as in kbc.h. `padding` is
"SAME" or "VALID". The keys of a window are `kernel_h`, `kernel_w`, `kernel_stride_h`,
`kernel_stride_w`, `kernel_dilation_h`, `kernel_dilation_w`, `kernel_pad_top`, `kernel_pad_left`,
`kernel_pad_bottom`, `kernel_pad_right`, and the same without dilation under `pool_`.
All options are ints but for `weights` and `padding`, and `alpha`, a float.

The output of a DEPTHWISE_CONV_2D has the zero point -128; a CONV_2D in groups computes the same
with any. Of ADD, SUB and MUL one input may be the smaller: it
has as many axes, the first ones 1 and the last ones those of the other, and serves for all of it.
All inputs of a CONCATENATION have its output's scale and zero point, as those of pools, PAD,
RESHAPE, SLICE and RESIZE_NEAREST_NEIGHBOR do. The output of LOGISTIC has the scale 1/256 and the
zero point -128, as SOFTMAX's; that of TANH 1/128 and 0. A SLICE begins the batch at 0, its size
there is -1. A QUANTIZE takes another scale; where `builtin_tables` refuses it, a LEAKY_RELU with
alpha 1 does.
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
        dtype: "float32", "int8" or "int32".
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
