"""Images of one mean and one contrast."""

import math

import keras
from keras import ops

from keras_bc.preprocessing.layer import PreprocessingLayer


@keras.saving.register_keras_serializable(package="keras_bc")
class GlobalContrastNormalization(PreprocessingLayer):
    """Gives each image the mean 0 and the norm (or standard deviation) `scale`.

    Of the d numbers x of one image, all pixels and channels:

        c = x - mean(x)
        n = sqrt(sqrt_bias + sum(c^2)) / scale               by the norm
        n = sqrt(sqrt_bias + sum(c^2) / (d - 1)) / scale     by the standard deviation
        y = c / n, or c where n < min_divisor

    The defaults are those of the CIFAR-10 images that BinaryConnect (Courbariaux et al. 2015) and
    Maxout (Goodfellow et al. 2013) whiten, as in pylearn2's make_cifar10_gcn_whitened.py: pixels
    from 0 to 255, and the norm 55, which is about the root of d = 3072, so that a pixel's standard
    deviation is about 1. Coates et al. 2011 take `scale=1, sqrt_bias=10, use_std=True`.

    It learns nothing from the data.

    Args:
        scale: Positive number.
        sqrt_bias: Number from 0; it keeps images of little contrast from being blown up.
        use_std: Whether to divide by the standard deviation.
        min_divisor: Below it an image has no contrast to normalize.
        kwargs: `dtype` and other arguments of `keras.layers.Layer`.

    Input shape: `(batch, ...)`, any number type. Output shape: the same, of `dtype`.

    Raises:
        ValueError: `scale` is not positive, or `sqrt_bias` negative.

    Example:

    >>> layer = keras_bc.preprocessing.GlobalContrastNormalization(scale=10.0)
    >>> np.asarray(layer(np.array([[1.0, 7.0, 7.0, 1.0]]))).tolist()
    [[-5.0, 5.0, 5.0, -5.0]]
    """

    def __init__(self, scale=55.0, sqrt_bias=0.0, use_std=False, min_divisor=1e-8, **kwargs):
        super().__init__(**kwargs)
        if scale <= 0:
            raise ValueError(
                f"Invalid value for argument `scale`. Expected > 0. Received: scale={scale}"
            )
        if sqrt_bias < 0:
            raise ValueError(
                "Invalid value for argument `sqrt_bias`. Expected >= 0. "
                f"Received: sqrt_bias={sqrt_bias}"
            )
        self.scale, self.sqrt_bias = scale, sqrt_bias
        self.use_std, self.min_divisor = use_std, min_divisor

    def call(self, inputs):
        x = ops.cast(inputs, self.compute_dtype)
        axes = tuple(range(1, len(x.shape)))
        c = x - ops.mean(x, axes, keepdims=True)
        energy = ops.sum(ops.square(c), axes, keepdims=True)
        if self.use_std:
            d = ops.cast(math.prod(ops.shape(x)[1:]), self.compute_dtype)
            energy = energy / ops.maximum(d - 1, 1)
        n = ops.sqrt(self.sqrt_bias + energy) / self.scale
        return c / ops.where(n < self.min_divisor, ops.ones_like(n), n)

    def get_config(self):
        names = ("scale", "sqrt_bias", "use_std", "min_divisor")
        return super().get_config() | {name: getattr(self, name) for name in names}
