"""Few-bit weights as words, in the orders that the kernels want them.

The canonical layout is the .tflite's own: word j of output o at [o, j], bit k % 32 of word k // 32,
1 means -1, pad bits 0. A kernel variant may want another (the column `layout` of kernels.def): the
emitter asks here.
"""

from collections.abc import Callable
from ctypes import Structure

import numpy as np

from keras_bc.deploy.layouts import filters, fully_connected, octets, vectors
from keras_bc.deploy.layouts.bits import (
    pack_bits,
    pack_signs,
    pack_ternary,
    unpack_bits,
    unpack_signs,
    unpack_ternary,
    words_for,
)

__all__ = [
    "LAYOUTS",
    "pack",
    "pack_bits",
    "pack_signs",
    "pack_ternary",
    "unpack_bits",
    "unpack_signs",
    "unpack_ternary",
    "words_for",
]


def pack(layout: str, words: np.ndarray, params: Structure) -> np.ndarray:
    """Canonical words in the order of a kernel's layout.

    Args:
        layout: A name from kernels.def.
        words: int32 `[out, ceil(k / 32)]`, or of ternary weights `[2, out, ceil(k / 32)]`.
        params: The kernel's, which say what k runs over.

    Returns:
        int32, in the shape that says their order.

    Raises:
        ValueError: There is no such layout.
    """
    if layout not in LAYOUTS:
        raise ValueError(
            f"Invalid value for argument `layout`. Expected one of {', '.join(LAYOUTS)}. "
            f"Received: layout={layout}."
        )
    return np.ascontiguousarray(LAYOUTS[layout](words, params))


LAYOUTS: dict[str, Callable[[np.ndarray, Structure], np.ndarray]] = {
    "canonical": lambda words, params: words,  # [out, word]
    "words": lambda words, params: words,  # the same, of variants that refuse some layers
    "columns": lambda words, params: words.T,  # [word, out]
    "byte_pairs": lambda words, params: fully_connected.byte_pairs(words),
    "strips": lambda words, params: fully_connected.strips(words),
    "counted_columns": lambda words, params: fully_connected.counted_columns(words),
    "fives": lambda words, params: fully_connected.fives(words, params.in_features),
    "carry_save": lambda words, params: fully_connected.carry_save(words),
    "ternary_carry_save": lambda words, params: fully_connected.ternary_carry_save(
        words, params.in_features
    ),
    "octets": octets.octets,
    "lanes": filters.lanes,
    "taps": filters.taps,
    "mve_lanes": vectors.mve_lanes,
    "quads": vectors.quads,
    "tap_channels": vectors.tap_channels,
    "tap_lanes_s8": vectors.tap_lanes_s8,
    "tap_lanes_b1": vectors.tap_lanes_b1,
}
"""From canonical words to each layout's."""
