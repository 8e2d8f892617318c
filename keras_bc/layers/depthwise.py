"""Depthwise and separable convolutions with binary weights."""

import keras
from keras import ops

from keras_bc import quantizers
from keras_bc.layers.convolution import BinaryConv2D
from keras_bc.layers.quantized_kernel import QuantizedKernel


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryDepthwiseConv2D(QuantizedKernel, keras.layers.DepthwiseConv2D):
    """Depthwise convolution that multiplies by binary weights: each channel for itself.

    Args:
        kernel_size: Integer or pair, height and width of the window.
        kernel_quantizer, kernel_constraint, input_quantizer, backprop_quantizer, seed: As in
            `QuantizedKernel`. The kernel is `(height, width, channels, depth_multiplier)`, and the
            fans of a quantizer's "glorot" scale are Keras's: window times each of the last two.
        kwargs: All other arguments of `keras.layers.DepthwiseConv2D`, but for
            `depthwise_constraint`, which is `kernel_constraint` here.

    Input shape: `(batch, height, width, channels)`, or channels first if `data_format` says so.
    Output shape: `(batch, new_height, new_width, channels * depth_multiplier)`, in the same format.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinaryDepthwiseConv2D(3, padding="same")
    >>> tuple(layer(np.ones((1, 28, 28, 4), "float32")).shape)
    (1, 28, 28, 4)
    """

    _constraint_argument = "depthwise_constraint"
    channel_axes = (-2, -1)

    def _product(self, inputs, kernel):
        return ops.depthwise_conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


@keras.saving.register_keras_serializable(package="keras_bc")
class BinarySeparableConv2D(keras.layers.Layer):
    """A depthwise convolution and one of 1x1 behind it, both with binary weights.

    It is made of a `BinaryDepthwiseConv2D`, the attribute `depthwise`, and a `BinaryConv2D`, the
    attribute `pointwise`, which has the bias and the activation.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Integer or pair, height and width of the window.
        strides, padding, data_format, dilation_rate, depth_multiplier: Of the depthwise one.
        activation, use_bias: Of the pointwise one.
        depthwise_quantizer, pointwise_quantizer: As `kernel_quantizer` of `QuantizedKernel`.
        depthwise_initializer, pointwise_initializer, bias_initializer: As in Keras.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: As in Keras.
        kernel_constraint, backprop_quantizer, seed: Of both.
        input_quantizer: Of the depthwise one.
        kwargs: Name, dtype and the like.

    Input shape: `(batch, height, width, channels)`, or channels first if `data_format` says so.
    Output shape: `(batch, new_height, new_width, filters)`, in the same format.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.

    Example:

    >>> layer = keras_bc.BinarySeparableConv2D(8, 3, padding="same")
    >>> tuple(layer(np.ones((1, 28, 28, 4), "float32")).shape)
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
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_quantizer="binary",
        pointwise_quantizer="binary",
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        kernel_constraint="clip",
        input_quantizer=None,
        backprop_quantizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        shared = {
            "data_format": data_format,
            "kernel_constraint": kernel_constraint,
            "backprop_quantizer": backprop_quantizer,
            "dtype": self.dtype_policy,
        }
        # The names tell their draws apart.
        self.depthwise = BinaryDepthwiseConv2D(
            kernel_size,
            strides=strides,
            padding=padding,
            dilation_rate=dilation_rate,
            depth_multiplier=depth_multiplier,
            use_bias=False,
            depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            kernel_quantizer=quantizers.get(depthwise_quantizer, "depthwise_quantizer", "kernel"),
            input_quantizer=input_quantizer,
            seed=seed,
            name=f"{self.name}_depthwise",
            **shared,
        )
        self.pointwise = BinaryConv2D(
            filters,
            1,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_quantizer=quantizers.get(pointwise_quantizer, "pointwise_quantizer", "kernel"),
            seed=self.depthwise.seed,
            name=f"{self.name}_pointwise",
            **shared,
        )

    def build(self, input_shape):
        self.depthwise.build(input_shape)
        self.pointwise.build(self.depthwise.compute_output_shape(input_shape))

    def call(self, inputs, training=False):
        return self.pointwise(self.depthwise(inputs, training=training), training=training)

    def compute_output_shape(self, input_shape):
        between = self.depthwise.compute_output_shape(input_shape)
        return self.pointwise.compute_output_shape(between)

    def get_config(self):
        depthwise, pointwise = self.depthwise.get_config(), self.pointwise.get_config()
        from_depthwise = (
            *("kernel_size", "strides", "padding", "data_format", "dilation_rate"),
            *("depth_multiplier", "depthwise_initializer", "depthwise_regularizer"),
            *("kernel_constraint", "input_quantizer", "backprop_quantizer", "seed"),
        )
        from_pointwise = (
            *("filters", "activation", "use_bias", "bias_initializer", "bias_regularizer"),
        )
        return {
            **super().get_config(),
            **{key: depthwise[key] for key in from_depthwise},
            **{key: pointwise[key] for key in from_pointwise},
            "depthwise_quantizer": depthwise["kernel_quantizer"],
            "pointwise_quantizer": pointwise["kernel_quantizer"],
            "pointwise_initializer": pointwise["kernel_initializer"],
            "pointwise_regularizer": pointwise["kernel_regularizer"],
        }
