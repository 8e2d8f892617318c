"""Weights in the orders of the kernels for cores with MVE."""

from ctypes import Structure

import numpy as np

from keras_bc.deploy.layouts.bits import pack_bits, pack_signs, unpack_bits


def _binary_planes(words: np.ndarray, k: int) -> np.ndarray:
    """One-bit weights whose sum is the weights, or twice them where they are ternary.

    Args:
        words: Canonical.
        k: Weights of an output.

    Returns:
        int32 `[planes, out, words]`: a weight of 0 is +1 in the first plane, and -1 in the second.
    """
    if words.ndim == 2:
        return words[np.newaxis]
    signs, used = words
    return np.stack([signs, (signs | ~used) & pack_bits(np.full((1, k), -1))])


def mve_lanes(words: np.ndarray, params: Structure) -> np.ndarray:
    """Bytes of 8 inputs for vectors of 8 outputs (see fully_connected_s8_mve.h).

    Returns:
        int32, flat: `[ceil(k / 64), ceil(out / 8), 8 groups, planes, 8 outputs]` of bytes, and
        fewer groups at the end.
    """
    k = params.in_features
    octets = _octets(_binary_planes(words, k), -(-k // 8))
    lanes = _interleave(octets, 8).transpose(2, 1, 0, 3)  # [group, block, plane, lane]
    passes = np.split(lanes, range(8, len(lanes), 8))
    return _as_words(np.concatenate([one.swapaxes(0, 1).ravel() for one in passes]))


def quads(words: np.ndarray, params: Structure) -> np.ndarray:
    """Words in passes through the outputs (see fully_connected_b1_mve.h).

    Returns:
        int32, flat: `[pass, plane, out, 8]`, and 4 of each output in the last pass where they do.
    """
    planes = _binary_planes(words, params.in_features)
    count = planes.shape[-1]
    padded = np.pad(planes, [(0, 0), (0, planes.shape[1] % 2), (0, -count % 4)])
    passes = np.split(padded, range(8, padded.shape[-1], 8), axis=-1)
    return np.concatenate([one.ravel() for one in passes])


def tap_lanes_s8(words: np.ndarray, params: Structure) -> np.ndarray:
    """See `_tap_lanes`. Fewer than 8 channels are too few for a table: the taps of a column of the
    kernel are taken together."""
    return _tap_lanes(words, params, 8, params.in_channels < 8)


def tap_lanes_b1(words: np.ndarray, params: Structure) -> np.ndarray:
    """See `_tap_lanes`."""
    return _tap_lanes(words, params, 16, False)


def _tap_lanes(words: np.ndarray, params: Structure, lanes: int, stack: bool) -> np.ndarray:
    """Bytes of 8 channels of a tap, for vectors of filters (see conv_2d_mve.h).

    Args:
        words: Canonical.
        params: Of a convolution.
        lanes: Filters of a vector.
        stack: Whether a column of the kernel is one tap.

    Returns:
        int32, flat: `[kernel row, group, plane, step, block, tap, filter]` of bytes; a step has
        three taps where neighbours are at hand, else one.
    """
    kernel, channels = params.kernel, params.in_channels
    k = kernel.height * kernel.width * channels
    planes = _binary_planes(words, k)
    outs = planes.shape[1]
    bits = (unpack_bits(planes.reshape(-1, planes.shape[-1]), k) < 0).reshape(
        len(planes), outs, kernel.height, kernel.width, channels
    )
    if stack:
        bits = bits.transpose(0, 1, 3, 2, 4).reshape(len(planes), outs, 1, kernel.width, -1)
    octets = np.packbits(bits, axis=-1, bitorder="little")
    rows, groups = octets.shape[2], octets.shape[-1]
    vectors = _interleave(octets.reshape(len(planes), outs, -1), lanes)
    vectors = vectors.reshape(len(planes), -1, rows, kernel.width, groups, lanes)
    vectors = vectors.transpose(2, 4, 0, 1, 3, 5)  # [row, group, plane, block, tap, filter]
    neighbours = kernel.stride_width == 1 and kernel.dilation_width == 1
    threes = kernel.width // 3 * 3 if neighbours else 0
    cuts = [*range(0, threes, 3), *range(threes, kernel.width)][1:]
    steps = np.split(vectors, cuts, axis=4)
    flat = [step.reshape(rows, groups, len(planes), -1) for step in steps]
    return _as_words(np.concatenate(flat, axis=3).ravel())


def tap_channels(words: np.ndarray, params: Structure) -> np.ndarray:
    """Bits of a depthwise convolution's channels, tap by tap (see conv_2d_mve_depthwise.h).

    Returns:
        int32 `[planes, taps, ceil(channels / 32)]`.
    """
    taps = params.kernel.height * params.kernel.width
    planes = words if words.ndim == 3 else words[np.newaxis]
    return np.stack([pack_signs(unpack_bits(plane, taps).T) for plane in planes])


def _octets(planes: np.ndarray, count: int) -> np.ndarray:
    """The first bytes of each output's weights, uint8 `[planes, out, count]`."""
    return np.ascontiguousarray(planes, "<i4").view(np.uint8)[..., :count]


def _interleave(octets: np.ndarray, lanes: int) -> np.ndarray:
    """Outputs in vectors: even lanes have the first half of them, odd lanes the second.

    Args:
        octets: `[planes, out, count]`.
        lanes: Outputs of a vector; there are 0s behind the last.

    Returns:
        uint8 `[planes, ceil(out / lanes), count, lanes]`.
    """
    planes, outs, count = octets.shape
    padded = np.zeros((planes, -(-outs // lanes) * lanes, count), np.uint8)
    padded[:, :outs] = octets
    halves = padded.reshape(planes, -1, 2, lanes // 2, count)
    return halves.transpose(0, 1, 4, 3, 2).reshape(planes, -1, count, lanes)


def _as_words(octets: np.ndarray) -> np.ndarray:
    """int32 of a number of bytes that 4 divides."""
    return np.ascontiguousarray(octets).view("<i4").astype(np.int32)
