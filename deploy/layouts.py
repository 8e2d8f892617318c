"""One-bit weights as words, in the orders that the kernels want them.

The canonical layout is the .tflite's own: word j of output o at [o, j], bit k % 32 of word
k // 32, 1 means -1, pad bits 0. A kernel variant may want the words in another order (the column
`layout` of kernels.def): the emitter asks here.
"""

from collections.abc import Callable
from ctypes import Structure

import numpy as np


def words_for(bits: int) -> int:
    """The 32-bit words that `bits` one-bit weights take."""
    return -(-bits // 32)


def pack_bits(signs: np.ndarray) -> np.ndarray:
    """The canonical words of one-bit weights.

    Args:
        signs: +1 and -1 of any dtype, `[out, k]`.

    Returns:
        int32 `[out, ceil(k / 32)]`.

    Raises:
        ValueError: `signs` is not a matrix, or has other values.
    """
    signs = np.asarray(signs)
    if signs.ndim != 2:
        raise ValueError(
            f"Invalid value for argument `signs`. Expected shape [out, k]. Received: "
            f"shape {signs.shape}."
        )
    if not np.isin(signs, (-1, 1)).all():
        raise ValueError("Invalid value for argument `signs`. Expected +1 and -1 only.")
    outs, k = signs.shape
    bits = np.zeros((outs, 32 * words_for(k)), np.uint8)
    bits[:, :k] = signs < 0
    return np.packbits(bits, axis=1, bitorder="little").view("<i4").astype(np.int32)


def unpack_bits(words: np.ndarray, k: int) -> np.ndarray:
    """The +1 and -1 that `pack_bits` packed.

    Args:
        words: int32 `[out, ceil(k / 32)]`.
        k: Weights of an output.

    Returns:
        int8 `[out, k]`.

    Raises:
        ValueError: The words are too many or too few for `k`.
    """
    if words.ndim != 2 or words.shape[1] != words_for(k):
        raise ValueError(
            f"Invalid value for argument `words`. Expected shape [out, {words_for(k)}] for "
            f"{k} weights. Received: shape {words.shape}."
        )
    octets = np.ascontiguousarray(words, "<i4").view(np.uint8)
    bits = np.unpackbits(octets, axis=1, count=k, bitorder="little").astype(np.int8)
    return 1 - 2 * bits


def pack_ternary(values: np.ndarray) -> np.ndarray:
    """The two planes of ternary weights: signs, and 1 where a weight is not 0.

    Args:
        values: +1, 0 and -1 of any dtype, `[out, k]`.

    Returns:
        int32 `[2, out, ceil(k / 32)]`.
    """
    values = np.asarray(values)
    signs = pack_bits(np.where(values < 0, -1, 1))
    return np.stack([signs, pack_bits(np.where(values != 0, -1, 1))])


def unpack_ternary(planes: np.ndarray, k: int) -> np.ndarray:
    """The +1, 0 and -1 that `pack_ternary` packed, int8 `[out, k]`."""
    signs, used = (unpack_bits(plane, k) for plane in planes)
    return np.where(used < 0, signs, 0).astype(np.int8)


def pack_signs(signs: np.ndarray) -> np.ndarray:
    """A tensor of bits: int32 `[..., ceil(c / 32)]` of +1 and -1 `[..., c]`."""
    words = pack_bits(signs.reshape(-1, signs.shape[-1]))
    return words.reshape(*signs.shape[:-1], -1)


def unpack_signs(words: np.ndarray, channels: int) -> np.ndarray:
    """The +1 and -1 `[..., channels]` of a tensor of bits, int8."""
    signs = unpack_bits(words.reshape(-1, words.shape[-1]), channels)
    return signs.reshape(*words.shape[:-1], channels)


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


def _counted_columns(planes: np.ndarray) -> np.ndarray:
    """Of ternary weights: int32 [2 * words + 1, out].

    Rows 2 j and 2 j + 1 are word j of the signs and of what is not 0; the last row is how many of
    an output's weights are not 0.
    """
    outs, words = planes.shape[1:]
    octets = np.ascontiguousarray(planes[1]).view(np.uint8)
    counts = np.unpackbits(octets.reshape(outs, -1), axis=1).sum(axis=1, dtype=np.int32)
    return np.concatenate([planes.transpose(2, 0, 1).reshape(2 * words, outs), counts[None]])


def _carry_save(words: np.ndarray) -> np.ndarray:
    """Groups of 8 words of every output, as carry_save.h adds them; then what is left of each."""
    outs, count = words.shape
    whole = count - count % 8
    w = words[:, :whole].reshape(outs, -1, 8).transpose(1, 0, 2)  # [group, out, 8]
    w0, w1, w2, w3, w4, w5, w6, w7 = np.moveaxis(w, -1, 0)
    group = [w0, w0 ^ w1, w1 ^ w2, w3, w3 ^ w4, w4 ^ w5, w3 ^ w4 ^ w5 ^ w6, w7]
    return np.concatenate([np.stack(group, axis=-1).ravel(), words[:, whole:].ravel()])


def _byte_pairs(words: np.ndarray) -> np.ndarray:
    """int32 [words * out]: the first 16 bits of each output, then the next 16 of each, ..."""
    halves = np.ascontiguousarray(words, "<i4").view("<i2")
    return np.ascontiguousarray(halves.T).ravel().view("<i4").astype(np.int32)


def _strips(words: np.ndarray) -> np.ndarray:
    """int32 [words * out]: 4 words of each output, the next 4 of each, ..., and single words."""
    outs, count = words.shape
    whole = count // 4 * 4
    strips = words[:, :whole].reshape(outs, -1, 4).transpose(1, 0, 2)
    return np.concatenate([strips.ravel(), words[:, whole:].T.ravel()])


LAYOUTS: dict[str, Callable[[np.ndarray, Structure], np.ndarray]] = {
    "canonical": lambda words, params: words,  # [out, word]
    "columns": lambda words, params: words.T,  # [word, out]
    "byte_pairs": lambda words, params: _byte_pairs(words),
    "strips": lambda words, params: _strips(words),
    "counted_columns": lambda words, params: _counted_columns(words),
    "carry_save": lambda words, params: _carry_save(words),
}
"""From canonical words to each layout's."""
