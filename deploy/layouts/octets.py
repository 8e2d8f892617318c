"""Weights for tables of eight pixels: see microcontroller/src/conv_2d_octets.h."""

from ctypes import Structure

import numpy as np

from keras_bc.deploy.layouts.bits import unpack_bits


def octets(words: np.ndarray, params: Structure) -> np.ndarray:
    """What the parts of it are for is said there.

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
