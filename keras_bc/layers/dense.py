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
        activation: As in `keras.layers.Dense`.
        use_bias: Whether a bias is added; needless where batch normalization follows.
        kernel_quantizer: "binary", "stochastic_binary" or a `keras_bc.quantizers.Quantizer`.
        kernel_constraint: "clip" (default) clips the real weights to the quantizer's scale.
        seed: Integer, of the draws of a stochastic quantizer.
        kwargs: All other arguments of `keras.layers.Dense`.

    Input shape: `(batch, ..., inputs)`. Output shape: `(batch, ..., units)`.

    Raises:
        ValueError: The quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinaryDense(10)
    >>> tuple(layer(np.ones((1, 4), "float32")).shape)
    (1, 10)
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_quantizer="binary",
        kernel_constraint="clip",
        seed=None,
        **kwargs,
    ):
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_quantizer=kernel_quantizer,
            kernel_constraint=kernel_constraint,
            seed=seed,
            **kwargs,
        )

    def call(self, inputs, training=False):
        outputs = ops.matmul(inputs, self.propagated_kernel(training))
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)
