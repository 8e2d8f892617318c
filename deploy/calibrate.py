"""What range each activation takes on real data: the fused graph, run in floating point."""

import math

import numpy as np

from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import patches
from keras_bc.errors import UserError

BATCH = 256

Range = tuple[float, float]


def calibrate(graph: Graph, samples: np.ndarray) -> dict[str, Range]:
    """The least and the greatest value of each activation over `samples`.

    Args:
        graph: Fused.
        samples: float32 `[n, ...]`, the model's inputs, as in training; some hundred are enough.

    Returns:
        (least, greatest) by the tensor's name.

    Raises:
        UserError: `samples` is empty, has another shape than the input, or is not finite.
    """
    check_samples(graph, samples)
    ranges: dict[str, Range] = {}
    for start in range(0, len(samples), BATCH):
        for name, value in run(graph, samples[start : start + BATCH]).items():
            low, high = ranges.get(name, (math.inf, -math.inf))
            ranges[name] = min(low, float(value.min())), max(high, float(value.max()))
    return ranges


def check_samples(graph: Graph, samples: np.ndarray) -> None:
    """Stop with a UserError where `samples` cannot be inputs of `graph`."""
    expected = graph.tensors[graph.inputs[0]].shape[1:]
    if len(samples) == 0:
        raise UserError("The calibration set is empty. Give at least one sample; 500 are usual.")
    if samples.shape[1:] != expected:
        raise UserError(
            f"The calibration samples have the shape {samples.shape[1:]}, the model's input "
            f"{expected}. Give samples shaped as the input."
        )
    if not np.isfinite(samples).all():
        raise UserError("The calibration samples hold NaN or infinity. Remove those samples.")


def run(graph: Graph, x: np.ndarray) -> dict[str, np.ndarray]:
    """All activations of a fused graph.

    Args:
        graph: Fused.
        x: `[n, ...]`.

    Returns:
        float64 `[n, ...]` by the tensor's name.
    """
    values = {graph.inputs[0]: x.astype(np.float64)}
    for op in graph.ops:
        constants = [graph.tensors[name].data for name in op.inputs[1:]]
        y = _EQUATIONS[op.kind](op, values[op.inputs[0]], *constants)
        output: Tensor = graph.tensors[op.outputs[0]]
        values[output.name] = y.reshape(len(x), *output.shape[1:])
    return values


def _fully_connected(op: Op, x, weights, scale, offset):
    return _affine(op, x @ weights.T, scale, offset)


def _conv_2d(op: Op, x, weights, scale, offset):
    accumulator = convolve(patches(x, op.options["window"], 0), weights, op.options["groups"])
    pooled = patches(accumulator, op.options["pool"], -math.inf).max(axis=(3, 4))
    return _affine(op, pooled, scale, offset)


def _affine(op: Op, accumulator, scale, offset):
    return np.clip(accumulator * scale + offset, op.options["low"], op.options["high"])


def convolve(taps: np.ndarray, weights: np.ndarray, groups: int) -> np.ndarray:
    """The sums of a grouped convolution.

    Args:
        taps: `[n, h, w, kh, kw, c]`, as `patches` gives them.
        weights: `[out, kh, kw, c / groups]`.
        groups: How many; each joins c / groups inputs with out / groups outputs.

    Returns:
        `[n, h, w, out]`.
    """
    n, h, w, kh, kw, c = taps.shape
    grouped = taps.reshape(n, h, w, kh * kw, groups, c // groups).transpose(4, 0, 1, 2, 3, 5)
    rows = grouped.reshape(groups, n * h * w, -1)
    columns = weights.reshape(groups, len(weights) // groups, -1).transpose(0, 2, 1)
    sums = rows @ columns
    return sums.transpose(1, 0, 2).reshape(n, h, w, len(weights))


def _softmax(op: Op, x):
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _max_pool_2d(op: Op, x):
    return patches(x, op.options["window"], -math.inf).max(axis=(3, 4))


def _average_pool_2d(op: Op, x):
    return np.nanmean(patches(x, op.options["window"], np.nan), axis=(3, 4))


def _pad_2d(op: Op, x):
    return patches(x, op.options["window"], 0)[:, :, :, 0, 0]


def _reshape(op: Op, x):
    return x


_EQUATIONS = {
    "fully_connected": _fully_connected,
    "conv_2d": _conv_2d,
    "softmax": _softmax,
    "max_pool_2d": _max_pool_2d,
    "average_pool_2d": _average_pool_2d,
    "pad_2d": _pad_2d,
    "reshape": _reshape,
}
