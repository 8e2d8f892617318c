"""Re-estimation of batch normalization's statistics for the weights that are deployed.

Training normalizes by each batch's own statistics, with drawn weights, and keeps a moving average
of those. Inference has other weights, so it needs its own mean and variance.
"""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_bc.traversal import batch_norms


def reestimate_batch_norm(model: keras.Model, x: np.ndarray, batch_size: int = 1000) -> None:
    """Set every `BatchNormalization`'s moving statistics to the exact ones over `x`.

    For each layer in the order in which they are called, all of `x` goes through the model in
    inference mode, and that layer's moving mean and variance become the mean and the (biased)
    variance of its inputs, summed in float64. The layers before it have their new statistics by
    then, so the result is that of one batch as large as `x`, at the price of one pass a layer.
    The weights are those of inference: deployed, unless a layer's `weights_mode` is "real".

    Nothing else changes: no draw, no dropout, no counter. On an error the old statistics return.
    A batch norm that is called twice in one pass gets the statistics over both calls.

    Args:
        model: Built; any Keras model.
        x: Examples, `(n, ...)` as the model takes them.
        batch_size: Examples at a time; it bounds the memory and does not change the result.

    Raises:
        ValueError: There are no examples.
    """
    if not len(x):
        raise ValueError(
            "Invalid value for argument `x`. Expected at least one example. "
            f"Received: x of shape {np.shape(x)}"
        )
    norms = batch_norms(model)
    if not norms:
        return
    before = [(norm, _statistics(norm)) for norm in norms]
    try:
        for norm in _call_order(model, norms, x[:1]):
            moments = _Moments()
            with _watch(norm, lambda norm, inputs, moments=moments: moments.add(norm, inputs)):
                for start in range(0, len(x), batch_size):
                    model(x[start : start + batch_size], training=False)
            _assign(norm, moments.mean, moments.variance)
    except BaseException:
        for norm, statistics in before:
            _assign(norm, *statistics)
        raise


class _Moments:
    """Mean and variance of all that was added, per channel (Chan et al. 1983, equation 2.1)."""

    def __init__(self):
        self.count, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, norm, inputs):
        values = np.moveaxis(ops.convert_to_numpy(ops.cast(inputs, "float32")), norm.axis, -1)
        values = values.reshape(-1, values.shape[-1])
        count, mean = len(values), values.mean(0, dtype="float64")
        squares = np.square(values - mean.astype("float32")).sum(0, dtype="float64")
        total, shift = self.count + count, mean - self.mean
        self._squares += squares + shift**2 * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total

    @property
    def variance(self):
        return self._squares / self.count


def _call_order(model, norms, example):
    """The batch norms that a pass through the model calls, in order of their first call."""
    order = []
    with contextlib.ExitStack() as stack:
        for norm in norms:
            stack.enter_context(_watch(norm, lambda norm, inputs: order.append(norm)))
        model(example, training=False)
    return list(dict.fromkeys(order))


@contextlib.contextmanager
def _watch(norm, see):
    """Show `see` the layer and its inputs at each call while the block runs."""
    call = norm.call

    def watched(inputs, *arguments, **keywords):
        see(norm, inputs)
        return call(inputs, *arguments, **keywords)

    norm.call = watched
    try:
        yield
    finally:
        del norm.call


def _statistics(norm):
    return [ops.convert_to_numpy(v) for v in (norm.moving_mean, norm.moving_variance)]


def _assign(norm, mean, variance):
    norm.moving_mean.assign(mean)
    norm.moving_variance.assign(variance)
