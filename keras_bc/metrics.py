"""What to watch while binary weights train."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_bc")
class FlipRatio(keras.metrics.Metric):
    """The share of weights whose sign changes from one update to the next.

    `result = mean over updates of mean(sign(values) != sign(values before))`, with sign(0) = +1.

    The first values that it ever sees count no flips: they are what the next ones are compared to.
    `reset_state` keeps the last values, so that no flip between two epochs is lost.
    `keras_bc.callbacks.FlipRatioLogger` feeds one for each quantized layer; in a layer's or a
    model's own code, `update_state` works in TensorFlow's compiled functions too.

    Args:
        values_shape: Of the weights.
        name, dtype: As for all Keras metrics.

    Example:

    >>> metric = FlipRatio((4,))
    >>> metric.update_state([1.0, 1.0, -1.0, -1.0])
    >>> metric.update_state([1.0, -1.0, -1.0, -1.0])
    >>> float(metric.result())
    0.25
    """

    def __init__(self, values_shape, name="flip_ratio", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.values_shape = tuple(values_shape)
        self._total = self.add_variable((), "zeros", self.dtype, name="total")
        self._updates = self.add_variable((), "zeros", self.dtype, name="updates")
        # -1, +1, or 0 while none were seen.
        self._signs = self.add_variable(
            self.values_shape, "zeros", "int8", "only_first_replica", name="signs"
        )

    def update_state(self, values):
        """Compare the signs of these values to those of the last ones.

        Args:
            values: A tensor of `values_shape`.

        Raises:
            ValueError: The values have another shape.
        """
        values = ops.convert_to_tensor(values)
        if tuple(values.shape) != self.values_shape:
            raise ValueError(
                f"Invalid value for argument `values`. Expected the shape {self.values_shape}. "
                f"Received: values of shape {tuple(values.shape)}"
            )
        before = self._signs.value
        ones = ops.ones_like(before)
        signs = ops.where(ops.greater_equal(values, 0), ones, -ones)
        seen, flipped = (
            ops.mean(ops.cast(which, self.dtype))
            for which in (ops.not_equal(before, 0), ops.equal(signs, -before))
        )
        self._total.assign_add(flipped)
        self._updates.assign_add(seen)  # 1, and 0 for the first values
        self._signs.assign(signs)

    def result(self):
        """Return the ratio since the last `reset_state`, 0 if there was no update."""
        return ops.divide_no_nan(self._total.value, self._updates.value)

    def reset_state(self):
        """Forget the flips, but not the last values."""
        self._total.assign(0)
        self._updates.assign(0)

    def get_config(self):
        return {**super().get_config(), "values_shape": self.values_shape}
