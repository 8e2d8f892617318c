"""The Glorot coefficient of a kernel: BinaryConnect scales weights and learning rates by it."""

import math
import numbers
from collections.abc import Sequence


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a kernel: taps times input channels, taps times output channels.

    Args:
        shape: `(inputs, units)` of a dense kernel, or `(*window, channels per group, filters)`
            of a convolution.

    Raises:
        ValueError: The shape has fewer than two axes.
    """
    if len(shape) < 2:
        raise ValueError(
            "Invalid value for argument `shape`. Expected a kernel of rank 2 or more. "
            f"Received: shape={tuple(shape)}"
        )
    *window, inputs, outputs = shape
    taps = math.prod(window)
    return taps * inputs, taps * outputs


def coefficient(shape: Sequence[int]) -> float:
    """Return `sqrt(1.5 / (fan_in + fan_out))`, the released BinaryConnect code's `H` of "Glorot".

    It is half the limit of Glorot's uniform initialization, sqrt(6 / (fan_in + fan_out))
    (Glorot and Bengio 2010, equation 16).
    """
    return math.sqrt(1.5 / sum(fans(shape)))


def check_scale(scale: float | str, argument: str) -> None:
    """Raise a ValueError unless `scale` is a positive finite number or the word "glorot"."""
    number = isinstance(scale, numbers.Real) and not isinstance(scale, bool)
    if scale != "glorot" and not (number and 0 < scale < math.inf):
        raise ValueError(
            f"Invalid value for argument `{argument}`. Expected a positive number or 'glorot'. "
            f"Received: {argument}={scale!r}"
        )


def resolve(scale: float | str, shape: Sequence[int]) -> float:
    """Return `scale` as a number: "glorot" means the coefficient of a kernel of this shape."""
    return coefficient(shape) if scale == "glorot" else float(scale)
