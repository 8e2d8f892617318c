"""Images whose pixels no longer tell of each other."""

import math

import keras
import numpy as np
from keras import ops

from keras_bc.preprocessing.layer import PreprocessingLayer

_BLOCK = 1000  # images whose float64 copies are in memory at once


@keras.saving.register_keras_serializable(package="keras_bc")
class ZCAWhitening(PreprocessingLayer):
    """Makes pixels uncorrelated, with the change of the image that is the smallest of all that do.

    Of the n training images X, flattened to d numbers each:

        C = (X - mean)^T (X - mean) / n
        V diag(e) V^T = C + filter_bias I
        P = V diag(1 / sqrt(e)) V^T
        y = (x - mean) P

    so that whitened training images have the covariance of eigenvalues c / (c + filter_bias), for
    the eigenvalues c of C: about 1 where images vary, little where they hardly do, and so not an
    amplifier of noise.

    As pylearn2's ZCA, with which the CIFAR-10 images of BinaryConnect (Courbariaux et al. 2015)
    are preprocessed after `GlobalContrastNormalization`. There mean and C are of all 50,000 images
    that are not for testing; here of the training images alone.

    Args:
        filter_bias: Positive number.
        kwargs: `dtype` and other arguments of `keras.layers.Layer`.

    Input shape: `(batch, ...)`, any number type. Output shape: the same, of `dtype`.

    Raises:
        ValueError: `filter_bias` is not positive.

    Example:

    >>> layer = keras_bc.preprocessing.ZCAWhitening(filter_bias=1e-6)
    >>> layer.adapt(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [4.0, 2.0]]))
    >>> np.asarray(layer(np.array([[4.0, 2.0]]))).round(3).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, filter_bias=0.1, **kwargs):
        super().__init__(**kwargs)
        if filter_bias <= 0:
            raise ValueError(
                "Invalid value for argument `filter_bias`. Expected > 0. "
                f"Received: filter_bias={filter_bias}"
            )
        self.filter_bias = filter_bias

    def build(self, input_shape):
        d = math.prod(input_shape[1:])
        self.mean = self.add_weight(name="mean", shape=(d,), initializer="zeros", trainable=False)
        self.matrix = self.add_weight(
            name="matrix", shape=(d, d), initializer="identity", trainable=False
        )

    def adapt(self, x: np.ndarray) -> None:
        """Learn mean and matrix of training images `(n, ...)`, in float64.

        For 45,000 images of 32x32x3: less than half a minute on two cores, and 0.5 GB beside them.
        """
        import scipy.linalg  # only here: it would slow the import of Keras down

        if not self.built:
            self.build((None, *x.shape[1:]))
        flat = x.reshape(len(x), -1)
        mean = flat.mean(axis=0, dtype="float64")
        covariance = _covariance(flat, mean) + self.filter_bias * np.eye(len(mean))
        e, v = scipy.linalg.eigh(covariance, driver="evd")  # five times as fast as NumPy's
        self.mean.assign(mean)
        self.matrix.assign((v / np.sqrt(e)) @ v.T)

    def call(self, inputs):
        x = ops.cast(inputs, self.compute_dtype)
        flat = ops.reshape(x, (-1, self.mean.shape[0]))
        return ops.reshape(ops.matmul(flat - self.mean, self.matrix), ops.shape(x))

    def get_config(self):
        return super().get_config() | {"filter_bias": self.filter_bias}


def _covariance(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The covariance `(d, d)` of examples `(n, d)`, by blocks."""
    total = np.zeros((len(mean), len(mean)))
    for start in range(0, len(x), _BLOCK):
        centered = x[start : start + _BLOCK] - mean
        total += centered.T @ centered
    return total / len(x)
