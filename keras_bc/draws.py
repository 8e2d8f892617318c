"""Uniform draws from a counter: element i of draw t of stream s is a hash of (s, t, i).

Nothing is stored but t, so a draw is the same in eager, graph and compiled mode, on every backend,
and after a save and a load. `keras.random` promises that too, but its counter-based generator is
many times slower under jit on a CPU than the dozen integer operations below.

The hash is a multiply-xorshift finalizer: two multiplications by odd constants between three
xorshifts, with the constants of Chris Wellons's "lowbias32" (Prospecting for Hash Functions, 2018).
Each draw keys the hash twice, before the first round and between the two, so that two draws never
are the same sequence shifted.
"""

import math
import zlib
from collections.abc import Sequence

from keras import ops

_FIRST_MULTIPLIER = 0x7FEB352D
_SECOND_MULTIPLIER = 0x846CA68B
_GOLDEN_RATIO = 0x9E3779B9  # 2^32 divided by the golden ratio: spreads consecutive counters


def stream(seed: int, name: str) -> int:
    """Return the 32-bit stream of the layer `name` under `seed`; it survives saving and loading."""
    return zlib.crc32(f"{seed}/{name}".encode())


def uniform(shape: Sequence[int], stream: int, counter):
    """Return draw number `counter` of `stream`: independent uniform numbers in [0, 1).

    Args:
        shape: Of the result, static.
        stream: From `stream()`, or any integer in [0, 2^32).
        counter: Integer scalar (tensor or Python), the number of the draw.

    Returns:
        A float32 tensor; each element is a multiple of 2^-24.
    """
    counter = ops.cast(counter, "uint32")
    first_key = _hash(ops.add(ops.multiply(counter, _word(_GOLDEN_RATIO)), _word(stream)))
    second_key = _hash(ops.bitwise_xor(first_key, _word(_GOLDEN_RATIO)))
    index = ops.cast(ops.arange(math.prod(shape), dtype="int32"), "uint32")
    word = _hash(ops.add(index, first_key), second_key)
    # 24 bits are what float32 holds exactly; through int32, whose conversion CPUs have in hardware.
    fraction = ops.cast(ops.cast(ops.right_shift(word, _word(8)), "int32"), "float32")
    return ops.reshape(ops.multiply(fraction, 2.0**-24), shape)


def _hash(word, key=None):
    word = _xorshift(word, 16)
    word = ops.multiply(word, _word(_FIRST_MULTIPLIER))
    if key is not None:
        word = ops.bitwise_xor(word, key)
    word = _xorshift(word, 15)
    word = ops.multiply(word, _word(_SECOND_MULTIPLIER))
    return _xorshift(word, 16)


def _xorshift(word, bits: int):
    return ops.bitwise_xor(word, ops.right_shift(word, _word(bits)))


def _word(value: int):
    """A uint32 constant; a bare Python integer would promote the arithmetic to 64 bits."""
    return ops.convert_to_tensor(value, dtype="uint32")
