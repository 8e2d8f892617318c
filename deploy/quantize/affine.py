"""Real numbers as integers: multipliers and thresholds."""

import math

import numpy as np

from keras_bc.deploy.fixed_point import quantize_multiplier
from keras_bc.deploy.graph import Op
from keras_bc.deploy.scales import HIGH, LOW
from keras_bc.errors import UserError

LIMIT = 2**30  # of accumulators and biases, so that their sum times a multiplier fits 63 bits
SHORTCUT_STEPS = 256  # of an output step, in which a shortcut is added: see kbc.h


def channel_parameters(
    scale: np.ndarray, offset: np.ndarray, output_scale: float, products: int
) -> np.ndarray:
    """bias, multiplier and shift of each output channel of an op with few-bit weights.

    Derivation. Let a[c] = sum_k w[c,k] (x[k] - zx) be the accumulator of the integers, w one bit.
    Real inputs are sx (x - zx); the layer's weights are H w; its bias, and the batch norm that
    follows, multiply by g and add: the real output is

        y_real = g (H sx a + bias) + ... = S a + B,      S = H g sx,  B = all that is added

    where `fuse` collected H g in its scale, B in its offset. With y_real = sy (y - zy),

        y = zy + (S a + B) / sy = zy + (a + B / S) (S / sy) = zy + (a + bias) M

    bias = round(B / S) is off by at most half a step of the accumulator, which is |M| / 2 of an
    output step: far below one where many products are summed. A batch norm that stands alone sums
    one, and its |M| may be above 1; even so the bias adds no more error than the rounding of the
    input did, half a step of it. M = multiplier * 2^-shift keeps 31 bits. The bounds of ReLU
    become the clamp's. S may be negative: so are M and the multiplier, and nothing else changes.

    Where S is so small that B / S leaves the bias's range (a channel that batch norm has all but
    switched off, or S = 0) the output is B / sy for any input: M is then chosen such that the
    largest bias gives just that, and the accumulator can only move it by its share
    |a| / bias < 2^-30 `products` 255.

    Args:
        scale: S, float64 `[out]`.
        offset: B, float64 `[out]`.
        output_scale: sy, or with a shortcut its share.
        products: K, the number of taps.

    Returns:
        int32 `[out, 3]`.
    """
    largest = LIMIT - 1
    rows = []
    for s, b in zip(scale.tolist(), offset.tolist(), strict=True):
        if abs(b) < abs(s) * largest:
            bias, multiplier = math.floor(b / s + 0.5), s / output_scale
        else:
            # Beyond 512 output steps the clamp decides.
            most = 512 * SHORTCUT_STEPS
            steps = float(np.clip(b / output_scale, -most, most))
            bias, multiplier = largest, steps / largest
        rows.append((bias, *quantize_multiplier(multiplier)))
    return np.array(rows, np.int32).reshape(-1, 3)


def thresholds(scale: np.ndarray, offset: np.ndarray, low: float, high: float) -> np.ndarray:
    """Threshold and direction of each output channel whose sign is taken.

    The real output is S a + B as in `channel_parameters`, between the bounds. It is not negative
    where a >= -B / S, or a <= -B / S if S is negative; the accumulator is an integer.

    Args:
        scale: S, float64 `[out]`.
        offset: B, float64 `[out]`.
        low: Of the bounds.
        high: Of the bounds.

    Returns:
        int32 `[out, 2]`.
    """
    rows = []
    for s, b in zip(scale.tolist(), offset.tolist(), strict=True):
        if low >= 0 or high < 0 or s == 0:
            always = low >= 0 or (high >= 0 and b >= 0)
            rows.append((-LIMIT if always else LIMIT, 1))
        else:
            exact = float(np.clip(-b / s, -LIMIT, LIMIT))
            rows.append((math.ceil(exact), 1) if s > 0 else (math.floor(exact), -1))
    return np.array(rows, np.int32).reshape(-1, 2)


def check_products(op: Op, products: int) -> None:
    """Stop with a UserError where an accumulator may overflow."""
    if products * (HIGH - LOW) > LIMIT:
        raise UserError(f"Layer `{op.name}` sums too many products for a 32-bit accumulator.")


def check_multipliers(op: Op, real: np.ndarray, most: np.ndarray | float) -> None:
    """Stop with a UserError where a multiplier is too large.

    A step of an accumulator is ever so many of the output's only where that hardly moves.
    """
    if not (np.abs(real) < most).all():
        raise UserError(
            f"Layer `{op.name}` gives next to nothing on the calibration samples, so that 8 bits "
            "cannot hold what it may give. Calibrate on samples like those of its use."
        )
