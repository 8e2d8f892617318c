"""Weights in the orders of fully connected kernels."""

import numpy as np

from keras_bc.deploy.layouts.bits import unpack_ternary


def carry_save(words: np.ndarray) -> np.ndarray:
    """Groups of 8 words of every output, as carry_save.h adds them; then what is left of each."""
    groups, rest = _groups(words)
    w0, w1, w2, w3, w4, w5, w6, w7 = np.moveaxis(groups, -1, 0)
    group = [w0, w0 ^ w1, w1 ^ w2, w3, w3 ^ w4, w4 ^ w5, w3 ^ w4 ^ w5 ^ w6, w7]
    return np.concatenate([np.stack(group, axis=-1).ravel(), rest.ravel()])


def ternary_carry_save(planes: np.ndarray, k: int) -> np.ndarray:
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


def fives(planes: np.ndarray, k: int) -> np.ndarray:
    """A byte for 5 ternary weights, as sums_of_5.h numbers them; 4 bytes a word, in columns."""
    values = unpack_ternary(planes, k)
    digits = np.zeros((len(values), -(-k // 20) * 4, 5), np.int64)
    digits.reshape(len(values), -1)[:, :k] = values
    numbers = digits @ 3 ** np.arange(5)
    octets = (2 * np.abs(numbers) + (numbers < 0)).astype(np.uint8)
    return octets.view("<i4").T


def counted_columns(planes: np.ndarray) -> np.ndarray:
    """Of ternary weights: int32 [2 * words + 1, out].

    Rows 2 j and 2 j + 1 are word j of the signs and of what is not 0; the last row is how many of
    an output's weights are not 0.
    """
    outs, words = planes.shape[1:]
    octets = np.ascontiguousarray(planes[1]).view(np.uint8)
    counts = np.unpackbits(octets.reshape(outs, -1), axis=1).sum(axis=1, dtype=np.int32)
    return np.concatenate([planes.transpose(2, 0, 1).reshape(2 * words, outs), counts[None]])


def byte_pairs(words: np.ndarray) -> np.ndarray:
    """int32 [words * out]: the first 16 bits of each output, then the next 16 of each, ..."""
    halves = np.ascontiguousarray(words, "<i4").view("<i2")
    return np.ascontiguousarray(halves.T).ravel().view("<i4").astype(np.int32)


def strips(words: np.ndarray) -> np.ndarray:
    """int32 [words * out]: 4 words of each output, the next 4 of each, ..., and single words."""
    outs, count = words.shape
    whole = count // 4 * 4
    strips = words[:, :whole].reshape(outs, -1, 4).transpose(1, 0, 2)
    return np.concatenate([strips.ravel(), words[:, whole:].T.ravel()])
