"""Re-estimation of batch normalization's statistics for the weights that are deployed.

Training normalizes by each batch's own statistics, with drawn weights, and keeps a moving average
of those. Inference has other weights, so it needs its own mean and variance.
"""

import collections
import contextlib
import functools

import keras
import numpy as np
from keras import ops

from keras_bc.inputs import NamedInputs, as_list, batches, head, samples
from keras_bc.model_inputs import call, ordered
from keras_bc.traversal import batch_norms


def reestimate_batch_norm(model: keras.Model, x: NamedInputs, batch_size: int = 1000) -> None:
    """Set every `BatchNormalization`'s moving statistics to the exact ones over `x`.

    For each layer in the order in which they are called, all of `x` goes through the model as far
    as that layer, in inference mode, and its moving mean and variance become the mean and the
    (biased) variance of its inputs, summed in float64. The layers before it have their new
    statistics by then, so the result is that of one batch as large as `x`, at the price of about
    half a pass a layer.
    The weights are those of inference: deployed, unless a layer's `weights_mode` is "real".

    A norm of another kind has `squares(centered)`, what it averages for the variance, and
    `assign_statistics(mean, variance)`, as `ShiftBatchNormalization`. That takes a second pass.

    Nothing else changes: no draw, no dropout, no counter. On an error the old statistics return.
    A batch norm that is called twice in one pass gets the statistics over both calls.

    Args:
        model: Built; any Keras model.
        x: Examples, `(n, ...)` as the model takes them; of several inputs a list of such arrays in
            the model's order, or a dictionary by the inputs' names.
        batch_size: Examples at a time; it bounds the memory and does not change the result.

    Raises:
        ValueError: There are no examples.
    """
    x = ordered(model, x)
    if not samples(x):
        raise ValueError(
            "Invalid value for argument `x`. Expected at least one example. "
            f"Received: x of shape {' and '.join(str(array.shape) for array in as_list(x))}"
        )
    norms = batch_norms(model)
    if not norms:
        return
    before = [(v, ops.convert_to_numpy(v)) for norm in norms for v in norm.non_trainable_variables]
    try:
        for norm, calls in _calls(model, norms, head(x, 1)).items():
            _reestimate(norm, functools.partial(_show_inputs, model, norm, calls, x, batch_size))
    except BaseException:
        for variable, value in before:
            variable.assign(value)
        raise


def _reestimate(norm, show_inputs):
    moments = _Moments()
    show_inputs(moments.add)
    if not hasattr(norm, "assign_statistics"):
        norm.moving_mean.assign(moments.mean)
        norm.moving_variance.assign(moments.variance)
        return
    mean, squares = moments.mean.astype("float32"), _Moments()
    show_inputs(lambda values: squares.add(ops.convert_to_numpy(norm.squares(values - mean))))
    norm.assign_statistics(mean, squares.mean)


class _Seen(Exception):
    """Ends a pass through the model: nobody wants the outputs of what comes after."""


def _show_inputs(model, norm, calls, x, batch_size, see):
    """Show `see` all inputs of the layer, `(n, channels)` at a time, while `x` goes through.

    Args:
        calls: How often a pass calls the layer; it ends with the last of them.
    """

    def see_channels_last(norm, inputs):
        nonlocal left
        values = np.moveaxis(ops.convert_to_numpy(ops.cast(inputs, "float32")), norm.axis, -1)
        see(values.reshape(-1, values.shape[-1]))
        left -= 1
        if not left:
            raise _Seen

    with _watch(norm, see_channels_last):
        for batch in batches(x, batch_size):
            left = calls
            with contextlib.suppress(_Seen):
                call(model, batch)


class _Moments:
    """Mean and variance of all that was added, per channel (Chan et al. 1983, equation 2.1)."""

    def __init__(self):
        self.count, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, values):
        """Add float32 values, `(n, channels)`."""
        count, mean = len(values), values.mean(0, dtype="float64")
        squares = np.square(values - mean.astype("float32")).sum(0, dtype="float64")
        total, shift = self.count + count, mean - self.mean
        self._squares += squares + shift**2 * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total

    @property
    def variance(self):
        return self._squares / self.count


def _calls(model, norms, example):
    """How often a pass through the model calls each batch norm, in order of their first calls."""
    calls = collections.Counter()
    with contextlib.ExitStack() as stack:
        for norm in norms:
            stack.enter_context(_watch(norm, lambda norm, inputs: calls.update([norm])))
        call(model, example)
    return calls


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
