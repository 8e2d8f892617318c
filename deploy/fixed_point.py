"""Real multipliers as integers: the arithmetic that every executor shares."""

import math

import numpy as np


def quantize_multiplier(real: float) -> tuple[int, int]:
    """The integers (multiplier, shift) with real ~ multiplier * 2^-shift.

    multiplier is 0, or 2^30 <= |multiplier| < 2^31; 1 <= shift <= 62. This is TensorFlow Lite's
    rounding (half away from zero, of a mantissa in [0.5, 1) by 2^31), with its two exponents made
    one shift to the right.

    Raises:
        ValueError: `real` is not finite, or at least 2^30.
    """
    if not math.isfinite(real):
        raise ValueError(f"A multiplier must be finite. Received: {real}.")
    mantissa, exponent = math.frexp(abs(real))
    multiplier = math.floor(mantissa * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, exponent = 2**30, exponent + 1
    shift = 31 - exponent
    if shift < 1:
        raise ValueError(f"A multiplier must be below 2^30. Received: {real}.")
    if multiplier == 0 or shift > 62:
        return 0, 1
    return int(math.copysign(multiplier, real)), shift


def requantize(
    accumulator: np.ndarray, channels: np.ndarray, zero_point: int, low: int, high: int
) -> np.ndarray:
    """clamp(zero_point + round_half_up((acc + bias) * multiplier * 2^-shift), low, high).

    Args:
        accumulator: int32 or int64 `[..., out]`.
        channels: int32 `[out, 3]`: bias, multiplier, shift of each output channel.
        zero_point: Of the output.
        low: Least output.
        high: Greatest output.

    Returns:
        int8 `[..., out]`.
    """
    return np.clip(scale(accumulator, channels) + zero_point, low, high).astype(np.int8)


def scale(accumulator: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """round_half_up((acc + bias) * multiplier * 2^-shift), int64; see `requantize`."""
    bias, multiplier, shift = channels.astype(np.int64).T
    product = (accumulator.astype(np.int64) + bias) * multiplier
    return (product + (np.int64(1) << (shift - 1))) >> shift


def requantize_twice(
    accumulator: np.ndarray, channels: np.ndarray, zero_point: int, low: int, high: int
) -> np.ndarray:
    """As `requantize`, but rounded half up twice, as TensorFlow Lite's int8 builtins do.

    With the exponent e = 31 - shift, the product's upper half h is rounded first, and h's shift to
    the right (where e is negative) after; a positive e shifts the accumulator to the left before.
    """
    bias, multiplier, shift = channels.astype(np.int64).T
    left, right = np.maximum(31 - shift, 0), np.maximum(shift - 31, 0)
    product = ((accumulator.astype(np.int64) + bias) << left) * multiplier
    half = (product + (np.int64(1) << 30)) >> 31
    rounded = (half + ((np.int64(1) << right) >> 1)) >> right
    return np.clip(rounded + zero_point, low, high).astype(np.int8)


def requantize_away(
    accumulator: np.ndarray, channels: np.ndarray, zero_point: int, low: int, high: int
) -> np.ndarray:
    """As `requantize_twice`, but rounded as `rescale` does: the rule of a CONV_2D in groups."""
    bias, multiplier, shift = channels.T
    rounded = rescale(accumulator.astype(np.int64) + bias, multiplier, shift)
    return np.clip(rounded + zero_point, low, high).astype(np.int8)


def rescale(x: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """x * multiplier * 2^-shift as TensorFlow Lite's element-wise builtins round it, int64.

    As in `requantize_twice` the product's upper half h is rounded half up, but h's shift to the
    right half away from zero.

    Args:
        x: Integers that a shift below 31 does not move out of int32.
        multiplier: One, or one for each index of x's last axis.
        shift: As many.
    """
    multiplier, shift = np.asarray(multiplier, np.int64), np.asarray(shift, np.int64)
    left, right = np.maximum(31 - shift, 0), np.maximum(shift - 31, 0)
    half = ((np.asarray(x, np.int64) << left) * multiplier + (np.int64(1) << 30)) >> 31
    return np.sign(half) * ((np.abs(half) + ((np.int64(1) << right) >> 1)) >> right)
