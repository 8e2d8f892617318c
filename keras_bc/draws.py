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

from keras_bc import replica

_FIRST_MULTIPLIER = 0x7FEB352D
_SECOND_MULTIPLIER = 0x846CA68B
_GOLDEN_RATIO = 0x9E3779B9  # 2^32 divided by the golden ratio: spreads consecutive counters
_REPLICA = 0x85EBCA6B  # another odd constant: spreads consecutive replicas


def stream(seed: int, name: str) -> int:
    """Return the 32-bit stream of the layer `name` under `seed`; it survives saving and loading."""
    return zlib.crc32(f"{seed}/{name}".encode())


def uniform(shape: Sequence, stream: int, counter):
    """Return draw number `counter` of `stream`: independent uniform numbers in [0, 1).

    The replicas of a `tf.distribute` strategy draw differently; the first draws as one alone does.

    Args:
        shape: Of the result, as `keras.ops.shape` gives it: a dimension may be a tensor.
        stream: From `stream()`, or any integer in [0, 2^32).
        counter: Integer scalar (tensor or Python), the number of the draw.

    Returns:
        A float32 tensor; each element is a multiple of 2^-24.
    """
    counter = ops.cast(counter, "uint32")
    start = ops.add(ops.multiply(counter, _word(_GOLDEN_RATIO)), _word(stream))
    first_key = _hash(ops.add(start, ops.multiply(_word(replica.number()), _word(_REPLICA))))
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


def _word(value):
    """A uint32 scalar; a bare Python integer would promote the arithmetic to 64 bits."""
    if isinstance(value, int):
        return ops.convert_to_tensor(value, dtype="uint32")
    return ops.cast(value, "uint32")
