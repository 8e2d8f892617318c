"""Images less their mean."""

import keras
import numpy as np
from keras import ops

from keras_bc.preprocessing.layer import PreprocessingLayer


@keras.saving.register_keras_serializable(package="keras_bc")
class PixelCentering(PreprocessingLayer):
    """Subtracts the mean image: `y = x - mean`, one mean for each pixel and channel.

    The preprocessing of MNIST in the code of BinaryConnect (Courbariaux et al. 2015; `center=True`
    of pylearn2). There the test images are centered by their own mean, and the others by that of
    all 60,000. Here the mean is of the training images alone: the one image that a microcontroller
    sees has no other.

    Args:
        kwargs: `dtype` and other arguments of `keras.layers.Layer`.

    Input shape: `(batch, ...)`, any number type. Output shape: the same, of `dtype`.

    Example:

    >>> layer = keras_bc.preprocessing.PixelCentering()
    >>> layer.adapt(np.array([[0.0, 4.0], [2.0, 4.0]]))
    >>> np.asarray(layer(np.array([[5.0, 5.0]]))).tolist()
    [[4.0, 1.0]]
    """

    def build(self, input_shape):
        self.mean = self.add_weight(
            name="mean", shape=input_shape[1:], initializer="zeros", trainable=False
        )

    def adapt(self, x: np.ndarray) -> None:
        """Learn the mean of training images `(n, ...)`, summed in float64."""
        if not self.built:
            self.build((None, *x.shape[1:]))
        self.mean.assign(np.mean(x, axis=0, dtype="float64"))

    def call(self, inputs):
        return ops.subtract(ops.cast(inputs, self.compute_dtype), self.mean)
