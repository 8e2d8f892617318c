"""The fully connected layer with binary weights."""

import keras
from keras import ops

from keras_bc.layers.quantized_kernel import QuantizedKernel


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryDense(QuantizedKernel, keras.layers.Dense):
    """Fully connected layer that multiplies by binary weights.

    `y = activation(x · Wb + bias)` with `Wb = quantizer(W)`: training propagates the quantized
    weights forward and backward, and updates the real weights W by that gradient, then clips them
    (BinaryConnect, Courbariaux et al. 2015, algorithm 1).

    Args:
        units: Positive integer, the number of outputs.
        kernel_quantizer, kernel_constraint, input_quantizer, backprop_quantizer, seed: As in
            `QuantizedKernel`.
        kwargs: All other arguments of `keras.layers.Dense`. Where batch normalization follows, a
            bias is needless: `use_bias=False`.

    Input shape: `(batch, ..., inputs)`. Output shape: `(batch, ..., units)`.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinaryDense(10)
    >>> tuple(layer(np.ones((1, 4), "float32")).shape)
    (1, 10)
    """

    def _product(self, inputs, kernel):
        return ops.matmul(inputs, kernel)
