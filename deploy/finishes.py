"""The function that turns a layer's accumulators into int8 on a CPU, and what it reads."""

from dataclasses import replace

import numpy as np

from keras_bc.deploy.call import Call
from keras_bc.deploy.guards import holds
from keras_bc.deploy.native import Conv2DParams

GUARD = "KBC_HAS_LONG_ADD"
"""True of the CPUs on which a line takes fewer instructions than what `kbc_finish_s8` does."""

SHIFT = 47
"""Of the sum, to the right; as in finish_s8_line.c."""

BYTE = 8
"""Bits at the bottom of an offset that are 0, and have room for the accumulator's shift."""


def for_cpu(call: Call, cpu: str) -> Call:
    """The call with `kbc_finish_s8_line`, where the CPU gains by it and the layer allows it.

    Args:
        call: Of a kernel.
        cpu: As the compiler names it; "any" gains nothing.
    """
    if call.functions.get("function") != "kbc_finish_s8" or not holds(GUARD, cpu):
        return call
    output = call.params.finish.output
    if (output.min, output.max) != (-128, 127):
        return call
    found = lines(call.constants["channels"], output.zero_point, largest_sum(call))
    if found is None:
        return call
    return replace(
        call,
        functions={**call.functions, "function": "kbc_finish_s8_line"},
        constants={**call.constants, "channels": found},
    )


def largest_sum(call: Call) -> int:
    """What no accumulator of a layer with few-bit weights exceeds, on either side of 0."""
    params = call.params
    inputs = getattr(params, "in_features", 0)
    if isinstance(params, Conv2DParams):
        taps = params.kernel.height * params.kernel.width
        inputs = taps * (params.in_channels // params.groups)
    zero_point = params.input_zero_point
    one_bit = "_b1" in call.kernel
    return inputs * (1 if one_bit else max(127 - zero_point, zero_point + 128))


def lines(channels: np.ndarray, zero_point: int, bound: int) -> np.ndarray | None:
    """Each channel's `kbc_line`: uint32 `[n, 3]` of the offset's low and high word and multiplier.

    Args:
        channels: int32 `[n, 3]` of bias, multiplier and shift, as `kbc_channel`.
        zero_point: Of the output.
        bound: Of the accumulators, on either side of 0.

    Returns:
        None where a channel's sum could overflow or its shift finds no room.
    """
    bias, multiplier, shift = channels.astype(np.int64).T
    bias, left = np.where(multiplier == 0, [[0], [BYTE]], [bias, SHIFT - shift])
    if left.min() < BYTE or left.max() > 30:
        return None
    # So that an accumulator's own product, and with what is added to it, keeps its sign.
    if (bound << int(left.max())) >= 2**31 or ((bound + np.abs(bias) << left) > 2**31).any():
        return None
    offset = (bias << left) * multiplier + (1 << SHIFT - 1) + (zero_point << SHIFT) + left
    words = [offset & 0xFFFFFFFF, offset >> 32 & 0xFFFFFFFF, multiplier & 0xFFFFFFFF]
    return np.stack(words, axis=1).astype(np.uint32)
