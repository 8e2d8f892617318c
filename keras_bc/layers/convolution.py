"""The two-dimensional convolution with binary weights."""

import keras
from keras import ops

from keras_bc.layers.quantized_kernel import QuantizedKernel


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryConv2D(QuantizedKernel, keras.layers.Conv2D):
    """Two-dimensional convolution that multiplies by binary weights.

    `y = activation(conv2d(x, Wb) + bias)` with `Wb = quantizer(W)`, trained as `BinaryDense` is.
    `same` padding contributes zero, as in Keras.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Integer or pair, height and width of the window.
        strides, padding, data_format, dilation_rate, groups: As in `keras.layers.Conv2D`.
        activation: As in `keras.layers.Conv2D`.
        use_bias: Whether a bias is added; needless where batch normalization follows.
        kernel_quantizer: "binary", "stochastic_binary" or a `keras_bc.quantizers.Quantizer`. The
            fans of its "glorot" scale are window times channels per group, window times filters.
        kernel_constraint: "clip" (default) clips the real weights to the quantizer's scale.
        seed: Integer, of the draws of a stochastic quantizer.
        kwargs: All other arguments of `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, channels)`, or channels first if `data_format` says so.
    Output shape: `(batch, new_height, new_width, filters)`, in the same format.

    Raises:
        ValueError: The quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinaryConv2D(8, 3, padding="same")
    >>> tuple(layer(np.ones((1, 28, 28, 1), "float32")).shape)
    (1, 28, 28, 8)
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
        groups=1,
        activation=None,
        use_bias=True,
        kernel_quantizer="binary",
        kernel_constraint="clip",
        seed=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_quantizer=kernel_quantizer,
            kernel_constraint=kernel_constraint,
            seed=seed,
            **kwargs,
        )

    def call(self, inputs, training=False):
        outputs = self.convolution_op(inputs, self.propagated_kernel(training))
        if self.use_bias:
            shape = (-1, 1, 1) if self.data_format == "channels_first" else (-1,)
            outputs = ops.add(outputs, ops.reshape(self.bias, shape))
        return outputs if self.activation is None else self.activation(outputs)
