"""Batch normalization by shifts.

In training, for each channel, with means over all other axes, and AP2 the nearest power of two:

    c = x - mean(x)                                    centered
    r = 1 / sqrt(mean(c AP2(c)) + epsilon)             inverse deviation, c AP2(c) in place of c²
    s = AP2(r)
    y = AP2(gamma) (c s) + beta

Inference has the moving averages of mean(x) and of r in place of those of the batch. All products
are with powers of two, that is, shifts.

Backward, with g the gradient of y and n = AP2(c s) = AP2(c) s:

    dx     = AP2(gamma) s (g - mean(g) - n mean(n g))
    dgamma = sum(n g)
    dbeta  = sum(g)

That is the gradient of ordinary batch normalization with c s, gamma and the inverse deviation
replaced by their powers of two. The true derivative of the forward rule is another one: AP2 is
constant but for its jumps, so it would be AP2(gamma) s (g - mean(g)) for x, and 0 for gamma, which
would not learn.

Source: Binarized Neural Networks (Courbariaux et al. 2016), section 1.4; the moving averages
and the gradient are those of the Torch code that came with it (`BatchNormalizationShiftPow2`).
"""

import keras
import numpy as np
from keras import ops

from keras_bc.custom_gradient import custom_gradient
from keras_bc.powers_of_two import ap2


@keras.saving.register_keras_serializable(package="keras_bc")
class ShiftBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization whose multiplications are shifts.

    `y = AP2(gamma) * ((x - mean) * AP2(1 / deviation)) + beta`; this module's docstring has the
    equations and the gradient. As in Keras, a layer that is not trainable infers in training too.
    Masks are not regarded.

    Args:
        axis: Integer, the axis of the channels.
        momentum: In [0, 1), the weight of the old in the moving averages. The Torch code gives
            .125 to the new.
        epsilon: A small positive number.
        kwargs: All other arguments of `keras.layers.BatchNormalization`; its
            `moving_variance_initializer` is for the moving inverse deviation.

    Input shape: any of rank 2 or more. Output shape: the same.

    Raises:
        ValueError: `renorm` or `synchronized` is asked for.

    Example:

    >>> layer = ShiftBatchNormalization(epsilon=0.0, center=False)
    >>> x = np.array([[1.0], [2.0], [3.0], [6.0]], "float32")
    >>> np.asarray(layer(x, training=True)).ravel().tolist()
    [-1.0, -0.5, 0.0, 1.5]
    """

    def __init__(self, axis=-1, momentum=0.875, epsilon=1e-5, **kwargs):
        for argument in ("renorm", "synchronized"):
            if kwargs.get(argument):
                raise ValueError(
                    f"Invalid value for argument `{argument}`. Expected False: there is no "
                    f"shift-based one. Received: {argument}={kwargs[argument]}"
                )
        super().__init__(axis=axis, momentum=momentum, epsilon=epsilon, **kwargs)
        self.supports_masking = False

    def build(self, input_shape):
        # Not Keras's own: `moving_variance` stays None, for this layer has no such thing.
        channels = (input_shape[self.axis],)
        self.gamma = self._add_parameter("gamma", channels) if self.scale else None
        self.beta = self._add_parameter("beta", channels) if self.center else None
        self.moving_mean = self._add_statistic(
            "moving_mean", channels, self.moving_mean_initializer
        )
        self.moving_inverse_deviation = self._add_statistic(
            "moving_inverse_deviation", channels, self.moving_variance_initializer
        )
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: input_shape[self.axis]}
        )

    def _add_parameter(self, name, shape):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            autocast=False,
        )

    def _add_statistic(self, name, shape, initializer):
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=False, autocast=False
        )

    def call(self, inputs, training=None):
        # As in Keras: half precision is too coarse for statistics.
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        ones = ops.ones_like(self.moving_mean.value)
        gamma = self._along_axis(self.gamma if self.scale else ones, x.dtype)
        if training and self.trainable:
            outputs = self._normalize_batch(x, gamma)
        else:
            centered = x - self._along_axis(self.moving_mean, x.dtype)
            s = ap2(self._along_axis(self.moving_inverse_deviation, x.dtype))
            outputs = ap2(gamma) * (centered * s)
        if self.center:
            outputs = outputs + self._along_axis(self.beta, x.dtype)
        return ops.cast(outputs, self.compute_dtype)

    def _normalize_batch(self, x, gamma):
        axes = [axis for axis in range(len(x.shape)) if axis != self.axis % len(x.shape)]
        # The gradient of the mean is in that of `_shift_normalize`.
        mean = ops.stop_gradient(ops.mean(x, axes, keepdims=True))
        centered = x - mean
        variance = ops.mean(self.squares(centered), axes, keepdims=True)
        inverse_deviation = ops.rsqrt(variance + self.epsilon)
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_inverse_deviation, inverse_deviation)
        return _shift_normalize(axes)(centered, ap2(inverse_deviation), gamma)

    def _along_axis(self, channels, dtype):
        """`(channels,)` in the shape and dtype in which it broadcasts with the inputs."""
        shape = [1] * self.input_spec.ndim
        shape[self.axis] = -1
        return ops.cast(ops.reshape(channels, shape), dtype)

    def _follow(self, moving, value):
        value = ops.cast(ops.reshape(value, moving.shape), moving.dtype)
        moving.assign(moving * self.momentum + value * (1 - self.momentum))

    def squares(self, centered):
        """Return c AP2(c), which this norm has in place of the squares of the centered inputs."""
        return centered * ap2(centered)

    def assign_statistics(self, mean, variance):
        """Set what inference normalizes by.

        Args:
            mean: `(channels,)`, of the inputs.
            variance: `(channels,)`, the mean of `squares`.
        """
        self.moving_mean.assign(mean)
        self.moving_inverse_deviation.assign(1 / np.sqrt(variance + self.epsilon))

    def inference_scale_and_offset(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what inference computes: `y = scale * x + offset`.

        Returns:
            Two float64 arrays `(channels,)`: `AP2(gamma) * AP2(moving inverse deviation)`, exact
            powers of two with a sign (0 where gamma is), and `beta - scale * moving mean`.
        """
        mean, scale = (
            ops.convert_to_numpy(v).astype("float64")
            for v in (self.moving_mean, ap2(self.moving_inverse_deviation))
        )
        if self.scale:
            scale = scale * ops.convert_to_numpy(ap2(self.gamma))
        beta = ops.convert_to_numpy(self.beta) if self.center else 0.0
        return scale, beta - scale * mean


def _shift_normalize(axes):
    """`AP2(gamma) (c s)` over these axes, with the gradient of the module's docstring."""

    @custom_gradient
    def normalize(c, s, gamma):
        def gradient(g):
            n = ap2(c) * s
            mean_g, mean_ng = (ops.mean(v, axes, keepdims=True) for v in (g, n * g))
            dx = ap2(gamma) * s * (g - mean_g - n * mean_ng)
            return dx, ops.zeros_like(s), ops.sum(n * g, axes, keepdims=True)

        return ap2(gamma) * (c * s), gradient

    return normalize
