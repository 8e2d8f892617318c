"""Convolutions with binary weights, along one axis, along two, and transposed."""

import keras
from keras import ops

from keras_bc.layers.quantized_kernel import QuantizedKernel


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryConv1D(QuantizedKernel, keras.layers.Conv1D):
    """One-dimensional convolution that multiplies by binary weights.

    As `BinaryConv2D`, along one axis; "causal" padding contributes zero too.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Integer, the length of the window.
        kernel_quantizer, kernel_constraint, input_quantizer, backprop_quantizer, seed: As in
            `QuantizedKernel`.
        kwargs: All other arguments of `keras.layers.Conv1D`.

    Input shape: `(batch, steps, channels)`, or channels first if `data_format` says so.
    Output shape: `(batch, new_steps, filters)`, in the same format.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinaryConv1D(8, 3, padding="causal")
    >>> tuple(layer(np.ones((1, 20, 4), "float32")).shape)
    (1, 20, 8)
    """

    def _product(self, inputs, kernel):
        padding = self.padding
        if padding == "causal":
            before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            steps, channels = [before, 0], [0, 0]
            first = self.data_format == "channels_first"
            inputs = ops.pad(inputs, [[0, 0], *((channels, steps) if first else (steps, channels))])
            padding = "valid"
        return ops.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryConv2D(QuantizedKernel, keras.layers.Conv2D):
    """Two-dimensional convolution that multiplies by binary weights.

    `y = activation(conv2d(x, Wb) + bias)` with `Wb = quantizer(W)`, trained as `BinaryDense` is.
    `same` padding contributes zero, as in Keras.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Integer or pair, height and width of the window.
        kernel_quantizer, kernel_constraint, input_quantizer, backprop_quantizer, seed: As in
            `QuantizedKernel`. The fans of a quantizer's "glorot" scale are window times channels
            per group, window times filters.
        kwargs: All other arguments of `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, channels)`, or channels first if `data_format` says so.
    Output shape: `(batch, new_height, new_width, filters)`, in the same format.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinaryConv2D(8, 3, padding="same")
    >>> tuple(layer(np.ones((1, 28, 28, 1), "float32")).shape)
    (1, 28, 28, 8)
    """

    def _product(self, inputs, kernel):
        return self.convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryConv2DTranspose(QuantizedKernel, keras.layers.Conv2DTranspose):
    """Transposed two-dimensional convolution that multiplies by binary weights.

    The operation by which gradients go back through `BinaryConv2D`; it enlarges images.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Integer or pair, height and width of the window.
        kernel_quantizer, kernel_constraint, input_quantizer, backprop_quantizer, seed: As in
            `QuantizedKernel`. The kernel is `(height, width, filters, channels)`.
        kwargs: All other arguments of `keras.layers.Conv2DTranspose`.

    Input shape: `(batch, height, width, channels)`, or channels first if `data_format` says so.
    Output shape: `(batch, new_height, new_width, filters)`, in the same format.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinaryConv2DTranspose(8, 3, strides=2, padding="same")
    >>> tuple(layer(np.ones((1, 7, 7, 4), "float32")).shape)
    (1, 14, 14, 8)
    """

    channel_axes = (-2,)

    def _product(self, inputs, kernel):
        return ops.conv_transpose(
            inputs,
            kernel,
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
