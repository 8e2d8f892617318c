"""How the range of an activation is chosen: by a name that a user gives.

- minmax: from the least value to the greatest.
- percentile:P: without the 100 - P percent of the values that are greatest, and without as many of
  the least; P is 99.99 where it is left out.
- mse: the range whose int8 values are closest to the real ones, in the mean of the squares.

All are within the least and the greatest value, so that what is on one side of 0, as behind a ReLU,
stays there. percentile leaves the model's inputs whole: their rare values come from the user, and
it does not weigh what they are worth. mse does, and the inputs gain most by it. Pixels that were
scaled to [-1, 1] lie half a step beside the int8 values of that range, in which 0 must be exact; in
a range that is a little smaller or larger they do not.
"""

import functools
import math
from collections.abc import Callable

import numpy as np

from keras_bc.deploy.calibrate.histogram import Histogram
from keras_bc.deploy.scales import HIGH, LOW, Range, affine
from keras_bc.errors import UserError

DEFAULT = "mse"
PERCENT = 99.99
_TRIED = 128
"""How many ends of a range `mse` tries on each side of 0."""


Method = Callable[[Histogram], Range]


def find_method(name: str) -> tuple[Method, Method]:
    """What chooses the range of an activation, and of an input, from what was counted.

    Raises:
        UserError: There is no such method.
    """
    kind, colon, parameter = name.partition(":")
    if kind == "percentile":
        percent = _percent(parameter) if colon else PERCENT
        return functools.partial(percentile, percent=percent), minmax
    if colon or kind not in _METHODS:
        raise UserError(
            f"There is no calibration '{name}'. Expected {', '.join(_METHODS)}, percentile, or "
            f"percentile:P with P such as {PERCENT}."
        )
    return _METHODS[kind], _METHODS[kind]


def _percent(text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = math.nan
    if not 50 < percent <= 100:
        raise UserError(
            f"The percentile '{text}' is no number above 50, up to 100. {PERCENT} is usual."
        )
    return percent


def minmax(histogram: Histogram) -> Range:
    """From the least value to the greatest."""
    return histogram.low, histogram.high


def percentile(histogram: Histogram, percent: float) -> Range:
    """The range without the greatest values and without the least, 100 - `percent` percent each.

    Where nearly all values are 0, and the others would all be left out, they all stay.
    """
    middles, counts = histogram.bins
    spared = math.floor((counts.sum() + histogram.zeros) * (100 - percent) / 100)
    high = _end(middles[::-1], counts[::-1], spared, histogram.half_width)
    low = -_end(-middles, counts, spared, histogram.half_width)
    if low == high == 0:
        return minmax(histogram)
    return max(low, histogram.low), min(high, histogram.high)


def _end(middles: np.ndarray, counts: np.ndarray, spared: int, half_width: float) -> float:
    """The end of the positive values, which come first, without the `spared` greatest."""
    counts = counts[middles > 0]
    reached = np.cumsum(counts) > spared
    return float(middles[reached.argmax()]) + half_width if reached.any() else 0.0


def mse(histogram: Histogram) -> Range:
    """The range that minimizes the squared error of rounding and clipping.

    Of int8 values with the scale and the zero point of a range, in which 0 is exact. With a range
    of r the mean square of what rounding costs is about (r / 255)^2 / 12, and what clipping costs
    is a convex function of each end; their sum is convex, so that the ends are found in turns.
    """
    low, high = min(histogram.low, 0.0), max(histogram.high, 0.0)
    lows, highs = _fractions(low), _fractions(high)
    cost = functools.partial(squared_error, *histogram.bins)
    ends: Range | None = None
    while ends != (low, high):
        ends = low, high
        low = min(lows, key=lambda end, high=high: cost(end, high))
        high = min(highs, key=lambda end, low=low: cost(low, end))
    return low, high


def _fractions(end: float) -> list[float]:
    """The ends that `mse` tries, from 0 outwards; 0 alone where the values end there."""
    return [end * tried / _TRIED for tried in range(1, _TRIED + 1)] if end else [end]


def squared_error(values: np.ndarray, counts: np.ndarray, low: float, high: float) -> float:
    """The sum of the squares of what int8 for this range takes from each value, so often."""
    scale, zero_point = affine(low, high)
    step = float(scale[0])
    steps = np.clip(np.floor(values / step + 0.5), LOW - zero_point, HIGH - zero_point)
    return float((steps * step - values) ** 2 @ counts)


_METHODS = {"minmax": minmax, "mse": mse}
