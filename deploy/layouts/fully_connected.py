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
