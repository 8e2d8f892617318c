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
    groups, rest = _groups(words)
    w0, w1, w2, w3, w4, w5, w6, w7 = np.moveaxis(groups, -1, 0)
    group = [w0, w0 ^ w1, w1 ^ w2, w3, w3 ^ w4, w4 ^ w5, w3 ^ w4 ^ w5 ^ w6, w7]
    return np.concatenate([np.stack(group, axis=-1).ravel(), rest.ravel()])


def _ternary_carry_save(planes: np.ndarray, k: int) -> np.ndarray:
    """The non-zero weights' number; the same groups and rests, signs and used in turn."""
    counts = np.abs(unpack_ternary(planes, k)).sum(axis=1, dtype=np.int32)
    groups, rest = zip(*map(_groups, planes), strict=True)
    planes = np.stack(groups, axis=-2)  # [group, out, plane, 8]
    parts = [planes[..., :3], planes[..., 3:6], planes[..., 6:7], planes[..., 7:]]
    flat = [part.reshape(*part.shape[:2], 2 * part.shape[3]) for part in parts]
    group = np.concatenate(flat, axis=-1)
    return np.concatenate([counts, group.ravel(), np.stack(rest, axis=-1).ravel()])


def _groups(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Words by groups of 8, `[group, out, 8]`, and those that are left, `[out, rest]`."""
    outs, count = words.shape
    whole = count - count % 8
    return words[:, :whole].reshape(outs, -1, 8).transpose(1, 0, 2), words[:, whole:]


def _fives(planes: np.ndarray, k: int) -> np.ndarray:
    """A byte for 5 ternary weights, as sums_of_5.h numbers them; 4 bytes a word, in columns."""
    values = unpack_ternary(planes, k)
    digits = np.zeros((len(values), -(-k // 20) * 4, 5), np.int64)
    digits.reshape(len(values), -1)[:, :k] = values
    numbers = digits @ 3 ** np.arange(5)
    octets = (2 * np.abs(numbers) + (numbers < 0)).astype(np.uint8)
    return octets.view("<i4").T


def _octets(words: np.ndarray, params: Structure) -> np.ndarray:
    """Of microcontroller/src/conv_2d_octets.h, which says what the parts of it are for.

    Returns:
        int32 `[n]`: for each block of channels uint16 `[filter]`, then bytes `[tap, group, filter]`
        or of ternary weights `[tap, group, filter, 2]`.
    """
    ternary = words.ndim == 3
    height, width, channels = params.kernel.height, params.kernel.width, params.in_channels
    row = width * channels
    taps, inputs = (1, row) if width > 1 and row <= 8 else (width, channels)
    groups = -(-inputs // 8)
    group = -(-inputs // groups)
    capacity = min((257 if ternary else 514) // (height * taps * group), 257 // (taps * group))
    block = -(-groups // -(-groups // capacity)) * group  # inputs
    filters = -(-params.out_channels // 4) * 4

    shape = filters, height * taps, inputs
    signs, used = _padded_bits(words if ternary else np.stack([words, words]), height * row, shape)
    parts = []
    for first in range(0, inputs, block):
        here = np.s_[:, :, first : min(first + block, inputs)]
        minus = signs[here]
        if ternary:
            plus = used[here] & ~minus
            zero = params.input_zero_point + 128
            heads = zero * plus.sum((1, 2)) + (255 - zero) * minus.sum((1, 2))
            planes = [_group_bytes(plus, group), _group_bytes(minus, group)]
            octets = np.stack(planes, axis=-1)
        else:
            inverted = 2 * minus.sum((1, 2)) > minus[0].size
            heads = np.where(inverted, 0xFFFF, 0)
            octets = _group_bytes(minus ^ inverted[:, None, None], group)
        parts += [heads.astype("<u2").tobytes(), octets.tobytes()]
    return np.frombuffer(b"".join(parts), "<i4").astype(np.int32)


def _padded_bits(planes: np.ndarray, k: int, shape: tuple[int, int, int]) -> np.ndarray:
    """bool `[plane, filter, tap, input]` of canonical planes, with filters added of no bits."""
    bits = np.zeros((len(planes), shape[0], k), bool)
    for plane, words in zip(bits, planes, strict=True):
        plane[: len(words)] = unpack_bits(words, k) < 0
    return bits.reshape(len(planes), *shape)


def _group_bytes(bits: np.ndarray, group: int) -> np.ndarray:
    """uint8 `[tap, group, filter]` of bool `[filter, tap, input]`."""
    inputs = bits.shape[-1]
    groups = [bits[..., i : i + group] for i in range(0, inputs, group)]
    octets = [np.packbits(bits, axis=-1, bitorder="little")[..., 0] for bits in groups]
    return np.stack(octets, axis=-1).transpose(1, 2, 0)


def _lanes(words: np.ndarray, params: Structure) -> np.ndarray:
    """Eight outputs to a word, four channels of a tap of each: `[..., out / 8, tap, channel / 4]`.

    Bit 4 f + b of a word is channel b of output f; ternary weights keep their two planes in front.
    """
    bits = _bits(words, params)
    outs, _, channels = bits.shape[-3:]
    bits = np.pad(bits, [(0, 0), (0, -outs % 8), (0, 0), (0, -channels % 4)])
    bits = bits.reshape(len(bits), -1, 8, bits.shape[2], bits.shape[3] // 4, 4)
    bits = np.moveaxis(bits, 2, -2)  # [plane, out / 8, tap, channel / 4, output f, channel b]
    return _packed(bits.reshape(*bits.shape[:-2], 32), words)


def _taps(words: np.ndarray, params: Structure) -> np.ndarray:
    """32 outputs to a word, of a depthwise convolution: `[..., tap, out / 32]`."""
    bits = np.moveaxis(_bits(words, params)[..., 0], 1, 2)
    bits = np.pad(bits, [(0, 0), (0, 0), (0, -bits.shape[2] % 32)])
    return _packed(bits.reshape(*bits.shape[:2], -1, 32), words)


def _bits(words: np.ndarray, params: Structure) -> np.ndarray:
    """The bits of a convolution's canonical words: `[plane, out, tap, channel]`."""
    channels = params.in_channels // params.groups
    taps = params.kernel.height * params.kernel.width
    planes = words.reshape(-1, words.shape[-1])
    bits = unpack_bits(planes, taps * channels) < 0
    return bits.reshape(-1, params.out_channels, taps, channels)


def _packed(bits: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Words of the last axis, `[plane, ..., 32]`; without the planes' axis if `words` has none."""
    octets = np.ascontiguousarray(np.packbits(bits, axis=-1, bitorder="little"))
    packed = octets.view("<i4")[..., 0].astype(np.int32)
    return packed if words.ndim == 3 else packed[0]


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
    "fives": lambda words, params: _fives(words, params.in_features),  # [4 bytes of 5, out]
    "carry_save": lambda words, params: _carry_save(words),
    "ternary_carry_save": lambda words, params: _ternary_carry_save(words, params.in_features),
    "octets": _octets,
    "lanes": _lanes,  # [out / 8, tap, channel / 4]
    "taps": _taps,  # [tap, out / 32]
}
"""From canonical words to each layout's."""
