"""Real numbers as int8: real = scale * (q - zero_point)."""

import math

import numpy as np

LOW, HIGH = -128, 127

Range = tuple[float, float]
"""The least and the greatest value that a tensor is quantized for."""


def affine(low: float, high: float) -> tuple[np.ndarray, int]:
    """Scale (float32 `[1]`) and zero point of int8 values from `low` to `high`, and 0."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / (HIGH - LOW)) if high > low else np.float32(1)
    scale = max(scale, np.finfo(np.float32).tiny)  # the least that has all its digits
    zero_point = int(np.clip(math.floor(LOW - low / float(scale) + 0.5), LOW, HIGH))
    return np.array([scale], np.float32), zero_point


def to_int8(x: np.ndarray, scale: np.ndarray, zero_point: int) -> np.ndarray:
    """clip(round(x / scale) + zero_point, -128, 127), halves away from zero as in TFLite."""
    steps = np.asarray(x, np.float32) / np.float32(scale)
    rounded = np.trunc(steps + np.copysign(np.float32(0.5), steps))
    return np.clip(rounded + zero_point, LOW, HIGH).astype(np.int8)


def to_type(x: np.ndarray, dtype, scale, zero_point: int) -> np.ndarray:
    """Real values as a tensor of int8 or of float32 holds them."""
    return np.asarray(x, np.float32) if dtype == np.float32 else to_int8(x, scale, zero_point)


def of_type(values: np.ndarray, dtype, scale, zero_point: int) -> np.ndarray:
    """The real values that a tensor of int8 or of float32 holds."""
    return values if dtype == np.float32 else to_real(values, scale, zero_point)


def to_real(q: np.ndarray, scale: np.ndarray, zero_point: int) -> np.ndarray:
    """scale * (q - zero_point) in float32."""
    return np.float32(scale) * (np.asarray(q, np.float32) - np.float32(zero_point))
