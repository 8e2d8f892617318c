"""How often values occur, in memory that does not grow with them."""

import math

import numpy as np

_BITS = 13
_SIDE = 2**_BITS
"""Bins on either side of 0: at least 16 to a step of int8 over the whole range."""


class Histogram:
    """Counts of values, which come in parts.

    A bin begins and ends at multiples of its width, a power of two; where greater values come, two
    bins become one. So what is counted depends on the values alone, not on their order or parts.

    Attributes:
        low: The least value; infinity while there is none.
        high: The greatest.
        zeros: How many were 0. They are in no bin.
    """

    def __init__(self):
        self.low, self.high, self.zeros = math.inf, -math.inf, 0
        self._counts = np.zeros(2 * _SIDE, np.int64)
        self._exponent: int | None = None  # all values are less than 2^exponent away from 0

    def add(self, values: np.ndarray) -> None:
        """Count finite values, at least one."""
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        others = values[values != 0]
        self.zeros += values.size - others.size
        if others.size:
            self._widen(math.frexp(max(-self.low, self.high))[1])
            bins = np.floor(np.ldexp(others, _BITS - self._exponent)).astype(np.int64)
            self._counts += np.bincount(bins + _SIDE, minlength=2 * _SIDE)

    def _widen(self, exponent: int) -> None:
        """Make room for values less than 2^exponent away from 0."""
        if self._exponent is None:
            self._exponent = exponent
        while self._exponent < exponent:
            pairs = self._counts.reshape(-1, 2).sum(axis=1)
            self._counts = np.pad(pairs, _SIDE // 2)
            self._exponent += 1

    @property
    def bins(self) -> tuple[np.ndarray, np.ndarray]:
        """The middles of the bins that are not empty, in float64, ascending, and their counts."""
        (filled,) = np.nonzero(self._counts)
        return (filled - _SIDE + 0.5) * self._width, self._counts[filled]

    @property
    def half_width(self) -> float:
        """From a bin's middle to its ends."""
        return self._width / 2

    @property
    def _width(self) -> float:
        return math.ldexp(1.0, (self._exponent or 0) - _BITS)
