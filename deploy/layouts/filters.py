"""Weights of convolutions of bits: several filters to a word."""

from ctypes import Structure

import numpy as np

from keras_bc.deploy.layouts.bits import unpack_bits


def lanes(words: np.ndarray, params: Structure) -> np.ndarray:
    """Eight outputs to a word, four channels of a tap of each: `[..., out / 8, tap, channel / 4]`.

    Bit 4 f + b of a word is channel b of output f; ternary weights keep their two planes in front.
    """
    bits = _bits(words, params)
    outs, _, channels = bits.shape[-3:]
    bits = np.pad(bits, [(0, 0), (0, -outs % 8), (0, 0), (0, -channels % 4)])
    bits = bits.reshape(len(bits), -1, 8, bits.shape[2], bits.shape[3] // 4, 4)
    bits = np.moveaxis(bits, 2, -2)  # [plane, out / 8, tap, channel / 4, output f, channel b]
    return _packed(bits.reshape(*bits.shape[:-2], 32), words)


def taps(words: np.ndarray, params: Structure) -> np.ndarray:
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
