"""Random layers, one behind the other: what random models are made of."""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

import keras_bc

MOST_CHANNELS = 130
CHANNELS = (1, 2, 3, 5, 8, 31, 32, 33, 64, MOST_CHANNELS)
"""Of images and vectors, beside any other; the larger come up where an image is small."""


class LayerDrawer:
    """A chain of layers under construction.

    Attributes:
        rng: Of all that is drawn.
        x: The chain's loose end.
    """

    x: keras.KerasTensor

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)

    def add(self, layer: keras.Layer) -> None:
        """Append a layer to the chain."""
        self.x = layer(self.x)

    def choose(self, choices: list):
        """One of several, whatever they are."""
        return choices[self.rng.integers(len(choices))]

    def sizes(self, low: int, high: int, count: int) -> list[int]:
        """As many, from `low` to `high`."""
        return self.rng.integers(low, high + 1, count).tolist()

    # What layers are made with

    def kernel_quantizer(self):
        """One whose weights are exported: of one bit or ternary."""
        return self.choose(
            ["binary", "ternary", "magnitude_aware", keras_bc.quantizers.Binary("glorot")]
        )

    def few_bit(self) -> dict:
        """Arguments of a layer of few-bit weights."""
        return {
            "kernel_quantizer": self.kernel_quantizer(),
            "input_quantizer": self.choose([None, None, "sign", "dorefa"]),
            "use_bias": bool(self.rng.random() < 0.5),
        }

    def channels(self) -> int:
        """Of a layer's output."""
        area = int(np.prod(self.x.shape[1:-1], dtype=int))
        most = MOST_CHANNELS if area < 20 else (64 if area < 60 else 8)
        if self.rng.random() < 0.3:
            return int(self.rng.integers(1, most + 1))
        return self.choose([number for number in CHANNELS if number <= most])

    def groups(self) -> int:
        """Of a convolution; mostly one."""
        channels = self.x.shape[-1]
        if self.rng.random() < 0.8:
            return 1
        return self.choose([n for n in range(1, channels + 1) if channels % n == 0])

    def window(self, square: bool = False) -> dict:
        """Arguments of a window that fits the image; those of depthwise layers are square."""
        small = min(self.x.shape[1:3]) < 3
        size = self.sizes(1, 2 if small else 3, 2)
        options = {
            "kernel_size": size[0] if square else tuple(size),
            "padding": "same" if small else self.choose(["same", "valid"]),
        }
        if self.rng.random() < 0.3:
            options["strides"] = 2 if square else self.choose([2, (1, 2), (3, 1)])
        elif self.rng.random() < 0.2 and min(self.x.shape[1:3]) >= 5:
            options["dilation_rate"] = 2
        return options

    # Layers with a kernel, and what stands behind them

    def conv_2d(self) -> None:
        """Of few-bit weights."""
        groups = self.groups()
        filters = groups * max(self.channels() // groups, 1)
        options = self.few_bit() | self.window()
        self.add(keras_bc.BinaryConv2D(filters, groups=groups, **options))
        self.behind()

    def real_conv_2d(self) -> None:
        """Of real weights."""
        filters = min(self.channels(), 8)
        if self.rng.random() < 0.5:
            self.add(layers.Conv2D(filters, **self.window()))
        else:
            self.add(layers.SeparableConv2D(filters, **self.window(square=True)))
        self.behind()

    def separable(self) -> None:
        """Its two kernels may be of one bit and ternary."""
        options = self.few_bit() | self.window(square=True)
        options["depthwise_quantizer"] = options.pop("kernel_quantizer")
        options["pointwise_quantizer"] = self.kernel_quantizer()
        self.add(keras_bc.BinarySeparableConv2D(self.channels(), **options))
        self.behind()

    def depthwise(self) -> None:
        """Of few-bit or real weights."""
        options = self.window(square=True)
        options["depth_multiplier"] = 1 if self.x.shape[-1] > 40 else self.sizes(1, 2, 1)[0]
        if self.rng.random() < 0.5:
            self.add(keras_bc.BinaryDepthwiseConv2D(**options, **self.few_bit()))
        else:
            self.add(layers.DepthwiseConv2D(**options))
        self.behind()

    def transposed(self) -> None:
        """Of few-bit weights, on small images."""
        if max(self.x.shape[1:3]) > 12:
            return
        options = {"padding": self.choose(["same", "valid"])}
        size, strides = self.sizes(1, 4, 2), self.sizes(1, 3, 2)
        if strides == [1, 1]:  # Keras takes one or the other
            options["dilation_rate"] = self.sizes(1, 2, 1)[0]
        filters = min(self.channels(), 8)
        self.add(
            keras_bc.BinaryConv2DTranspose(
                filters, size, strides=strides, **options, **self.few_bit()
            )
        )
        self.behind()

    def conv_1d(self) -> None:
        """Of few-bit or real weights."""
        options = {
            "kernel_size": self.sizes(1, min(4, self.x.shape[1]), 1)[0],
            "padding": self.choose(["same", "valid", "causal"]),
        }
        reach = 2 * options["kernel_size"] - 1
        if self.rng.random() < 0.25:
            options["strides"] = 2
        elif self.rng.random() < 0.25 and reach <= self.x.shape[1]:
            options["dilation_rate"] = 2
        if self.rng.random() < 0.7:
            self.add(keras_bc.BinaryConv1D(self.channels(), **options, **self.few_bit()))
        else:
            self.add(layers.Conv1D(min(self.channels(), 8), **options))
        self.behind()

    def dense(self) -> None:
        """Of few-bit or real weights."""
        units = self.channels()
        if self.rng.random() < 0.75:
            self.add(keras_bc.BinaryDense(units, **self.few_bit()))
        else:
            self.add(layers.Dense(min(units, 33)))
        self.behind()

    def recurrent(self) -> None:
        """Over a few steps."""
        if self.x.shape[1] > 8:
            self.add(layers.Cropping1D((0, self.x.shape[1] - 5)))
        kind = self.choose([keras_bc.BinarySimpleRNN, keras_bc.BinaryGRU, keras_bc.BinaryLSTM])
        # Recurrent weights of ±1 would saturate all steps.
        glorot = keras_bc.quantizers.Binary("glorot"), keras_bc.quantizers.Ternary("glorot")
        quantizers = [*glorot, "magnitude_aware"]
        self.add(
            kind(
                self.sizes(3, 12, 1)[0],
                kernel_quantizer=self.choose([*quantizers, "binary", "ternary"]),
                recurrent_quantizer=self.choose(quantizers),
                use_bias=bool(self.rng.random() < 0.7),
                go_backwards=bool(self.rng.random() < 0.3),
                return_sequences=bool(self.rng.random() < 0.6),
            )
        )

    def behind(self) -> None:
        """What stands behind a layer with a kernel: batch norm, pooling, activation, any order."""
        rest: list[Callable] = [self.norm, self.activation]
        if len(self.x.shape) == 4:
            rest.append(self.pool)
        self.rng.shuffle(rest)
        for append in rest[: int(self.rng.integers(1, len(rest) + 1))]:
            append()

    # Layers without

    def norm(self) -> None:
        """A batch norm."""
        kinds = [layers.BatchNormalization, keras_bc.ShiftBatchNormalization]
        self.add(kinds[int(self.rng.random() < 0.2)]())

    def activation(self) -> None:
        """A sign, or what clips."""
        names = ["relu", "relu6", "hard_tanh", "hard_sigmoid", "linear"]
        if self.rng.random() < 0.35:
            self.add(keras_bc.SignActivation())
        else:
            self.add(layers.Activation(self.choose(names)))

    def curve(self) -> None:
        """An activation that is a layer of its own when exported."""
        shared = list(range(1, len(self.x.shape) - 1))
        curves = [
            layers.LeakyReLU(0.25),
            layers.PReLU(alpha_initializer="uniform", shared_axes=shared),
            layers.PReLU(alpha_initializer="uniform"),
            layers.Activation("tanh"),
            layers.Activation("sigmoid"),
            layers.Activation("elu"),
            layers.Activation("hard_silu"),
            layers.Softmax(),
        ]
        self.add(self.choose(curves))

    def pool(self) -> None:
        """Of maxima or means."""
        kind = [layers.MaxPooling2D, layers.AveragePooling2D][int(self.rng.random() < 0.3)]
        size = 2 if self.rng.random() < 0.8 else 3
        self.add(kind(size, strides=self.sizes(1, 2, 1)[0], padding="same"))

    def shapes_2d(self) -> None:
        """What pads, cuts or enlarges an image."""
        height, width = self.x.shape[1:3]
        choices = [layers.ZeroPadding2D(((0, 1), (2, 0)))]
        if min(height, width) > 3:
            choices.append(layers.Cropping2D(((1, 0), (0, 1))))
        if max(height, width) < 10:
            choices.append(layers.UpSampling2D((2, 1)))
        self.add(self.choose(choices))

    def shapes_1d(self) -> None:
        """What pads, cuts, pools or enlarges a sequence."""
        choices = [layers.ZeroPadding1D((1, 2)), layers.UpSampling1D(2)]
        if self.x.shape[1] > 3:
            choices += [layers.MaxPooling1D(2), layers.AveragePooling1D(2), layers.Cropping1D(1)]
        self.add(self.choose(choices))
