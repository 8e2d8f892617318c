"""Random Keras models over all layers that are exported: branches, odd sizes, bits and ternary."""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

import keras_bc
from tests.deploy.networks import randomize_batch_norms

CHANNELS = (1, 2, 3, 5, 8, 31, 32, 33, 64, 130)
"""Of images and vectors; the larger come up where an image is small."""


def random_model(seed: int) -> keras.Model:
    """A functional model of three to seven random parts, with one or two inputs and outputs.

    Its weights are as initialized, but for batch norms, whose scales are of either sign.
    """
    keras.utils.set_random_seed(seed)
    return _Drawer(seed).draw()


class _Drawer:
    """The model under construction.

    Attributes:
        x: Its loose end.
    """

    def __init__(self, seed: int):
        self.seed, self.rng = seed, np.random.default_rng(seed)

    def draw(self) -> keras.Model:
        start = self.rng.choice([self._image, self._sequence, self._vector], p=[0.6, 0.25, 0.15])
        inputs = [start()]
        self.x = inputs[0]
        outputs = []
        for _ in range(int(self.rng.integers(3, 8))):
            if self.rng.random() < 0.08 and len(inputs) == 1:
                inputs.append(self._second_input())
            self._part()
            if self.rng.random() < 0.08 and not outputs:
                outputs.append(self.x)
        self._head()
        model = keras.Model(inputs, [*outputs, self.x], name=f"random-{self.seed}")
        randomize_batch_norms(model, self.rng)
        return model

    # Inputs

    def _image(self) -> keras.KerasTensor:
        return keras.Input((*self._sizes(5, 12, 2), int(self.rng.integers(1, 5))))

    def _sequence(self) -> keras.KerasTensor:
        return keras.Input((int(self.rng.integers(5, 14)), int(self.rng.integers(1, 9))))

    def _vector(self) -> keras.KerasTensor:
        return keras.Input((int(self.rng.choice([7, 31, 32, 33, 100])),))

    def _second_input(self) -> keras.KerasTensor:
        """One of the shape of the loose end, which joins it."""
        other = keras.Input(self.x.shape[1:], name="other")
        self.x = layers.Concatenate()([self.x, other])
        return other

    # Parts

    def _part(self) -> None:
        parts: dict[int, list[Callable]] = {
            2: [self._dense, self._dense, self._gate, self._curve],
            3: [self._conv_1d, self._conv_1d, self._shapes_1d, self._recurrent, self._branches],
            4: [
                *(self._conv_2d, self._conv_2d, self._conv_2d, self._real_conv_2d),
                *(self._depthwise, self._transposed, self._shapes_2d, self._pool),
                *(self._branches, self._branches, self._shortcut, self._gate, self._curve),
            ],
        }
        choices = parts[len(self.x.shape)]
        choices[self.rng.integers(len(choices))]()

    def _few_bit(self) -> dict:
        """Arguments of a layer of few-bit weights."""
        quantizers = ["binary", "ternary", "magnitude_aware", keras_bc.quantizers.Binary("glorot")]
        inputs = [None, None, "sign", "dorefa"]
        return {
            "kernel_quantizer": quantizers[self.rng.integers(4)],
            "input_quantizer": inputs[self.rng.integers(4)],
            "use_bias": bool(self.rng.random() < 0.5),
        }

    def _channels(self) -> int:
        area = int(np.prod(self.x.shape[1:-1], dtype=int))
        most = len(CHANNELS) if area < 20 else (8 if area < 60 else 5)
        return int(self.rng.choice(CHANNELS[:most]))

    def _window(self) -> dict:
        """Arguments of a window that fits the image."""
        small = min(self.x.shape[1:3]) < 3
        options = {
            "kernel_size": tuple(self._sizes(1, 2 if small else 3, 2)),
            "padding": "same" if small else str(self.rng.choice(["same", "valid"])),
        }
        if self.rng.random() < 0.3:
            options["strides"] = 2
        elif self.rng.random() < 0.2 and min(self.x.shape[1:3]) >= 5:
            options["dilation_rate"] = 2
        return options

    def _conv_2d(self) -> None:
        options = self._few_bit() | self._window()
        channels = self.x.shape[-1]
        groups = 1
        if self.rng.random() < 0.2:
            groups = int(self.rng.choice([n for n in range(1, channels + 1) if channels % n == 0]))
        filters = groups * max(self._channels() // groups, 1)
        self._add(keras_bc.BinaryConv2D(filters, groups=groups, **options))
        self._behind()

    def _real_conv_2d(self) -> None:
        kinds = [layers.Conv2D, layers.SeparableConv2D]
        window = self._window()
        self._add(kinds[self.rng.integers(2)](min(self._channels(), 8), **window))
        self._behind()

    def _depthwise(self) -> None:
        window, multiplier = self._window(), int(self.rng.integers(1, 3))
        window["kernel_size"] = window["kernel_size"][0]
        if self.x.shape[-1] > 40:
            multiplier = 1
        if self.rng.random() < 0.5:
            options = self._few_bit() | window
            self._add(keras_bc.BinaryDepthwiseConv2D(depth_multiplier=multiplier, **options))
        else:
            self._add(layers.DepthwiseConv2D(depth_multiplier=multiplier, **window))
        self._behind()

    def _transposed(self) -> None:
        if max(self.x.shape[1:3]) > 12:
            return
        options = self._few_bit()
        padding = str(self.rng.choice(["same", "valid"]))
        size, strides = self._sizes(1, 4, 2), self._sizes(1, 3, 2)
        self._add(
            keras_bc.BinaryConv2DTranspose(
                min(self._channels(), 8), size, strides=strides, padding=padding, **options
            )
        )
        self._behind()

    def _conv_1d(self) -> None:
        options = {
            "kernel_size": int(self.rng.integers(1, min(4, self.x.shape[1]) + 1)),
            "padding": str(self.rng.choice(["same", "valid", "causal"])),
        }
        if self.rng.random() < 0.7:
            self._add(keras_bc.BinaryConv1D(self._channels(), **options, **self._few_bit()))
        else:
            self._add(layers.Conv1D(min(self._channels(), 8), **options))
        self._behind()

    def _dense(self) -> None:
        units = self._channels()
        if self.rng.random() < 0.75:
            self._add(keras_bc.BinaryDense(units, **self._few_bit()))
        else:
            self._add(layers.Dense(min(units, 33)))
        self._behind()

    def _recurrent(self) -> None:
        if self.x.shape[1] > 8:
            self._add(layers.Cropping1D((0, self.x.shape[1] - 5)))
        kinds = [keras_bc.BinarySimpleRNN, keras_bc.BinaryGRU, keras_bc.BinaryLSTM]
        sequences = bool(self.rng.random() < 0.6)
        kind = kinds[self.rng.integers(3)]
        self._add(kind(int(self.rng.integers(3, 12)), return_sequences=sequences))

    def _behind(self) -> None:
        """What stands behind a layer with a kernel: batch norm, pooling, activation, any order."""
        rest = [self._norm, self._activation]
        if len(self.x.shape) == 4:
            rest.append(self._pool)
        self.rng.shuffle(rest)
        for append in rest[: int(self.rng.integers(1, len(rest) + 1))]:
            append()

    def _norm(self) -> None:
        kinds = [layers.BatchNormalization, keras_bc.ShiftBatchNormalization]
        self._add(kinds[int(self.rng.random() < 0.2)]())

    def _activation(self) -> None:
        names = ["relu", "relu6", "hard_tanh", "hard_sigmoid", "linear"]
        if self.rng.random() < 0.35:
            self._add(keras_bc.SignActivation())
        else:
            self._add(layers.Activation(str(self.rng.choice(names))))

    def _curve(self) -> None:
        curves = [
            layers.LeakyReLU(0.25),
            layers.PReLU(
                alpha_initializer="uniform", shared_axes=list(range(1, len(self.x.shape) - 1))
            ),
            layers.PReLU(alpha_initializer="uniform"),
            layers.Activation("tanh"),
            layers.Activation("sigmoid"),
            layers.Activation("elu"),
            layers.Activation("hard_silu"),
            layers.Softmax(),
        ]
        self._add(curves[self.rng.integers(len(curves))])

    def _pool(self) -> None:
        kind = [layers.MaxPooling2D, layers.AveragePooling2D][int(self.rng.random() < 0.3)]
        size = 2 if self.rng.random() < 0.8 else 3
        self._add(kind(size, strides=int(self.rng.integers(1, 3)), padding="same"))

    def _shapes_2d(self) -> None:
        height, width = self.x.shape[1:3]
        choices = [layers.ZeroPadding2D(((0, 1), (2, 0)))]
        if min(height, width) > 3:
            choices.append(layers.Cropping2D(((1, 0), (0, 1))))
        if max(height, width) < 10:
            choices.append(layers.UpSampling2D((2, 1)))
        self._add(choices[self.rng.integers(len(choices))])

    def _shapes_1d(self) -> None:
        choices = [layers.ZeroPadding1D((1, 2)), layers.UpSampling1D(2)]
        if self.x.shape[1] > 3:
            choices += [layers.MaxPooling1D(2), layers.AveragePooling1D(2), layers.Cropping1D(1)]
        self._add(choices[self.rng.integers(len(choices))])

    # Branches

    def _branches(self) -> None:
        """Two layers side by side, which may be one layer twice, and their join."""
        kind = keras_bc.BinaryConv2D if len(self.x.shape) == 4 else keras_bc.BinaryConv1D
        filters = min(self._channels(), 33)
        make = lambda: kind(filters, 3, padding="same", **self._few_bit())
        first, second = make(), make()
        if self.rng.random() < 0.25:
            block = keras.Sequential([keras.Input(self.x.shape[1:]), make(), layers.ReLU()])
            first, second = block, block
        a, b = first(self.x), second(layers.ReLU()(self.x) if first is second else self.x)
        joins = [layers.Add(), layers.Subtract(), layers.Multiply(), layers.Concatenate()]
        self.x = joins[self.rng.integers(4)]([a, b])
        if self.rng.random() < 0.3:
            self.x = self.x * 0.5 + 0.25

    def _shortcut(self) -> None:
        """A block as in Bi-Real Net: one-bit inputs and weights, and a shortcut around them."""
        y = keras_bc.BinaryConv2D(
            self.x.shape[-1], 3, padding="same", input_quantizer="sign", use_bias=False
        )(self.x)
        self.x = layers.Add()([layers.BatchNormalization()(y), self.x])

    def _gate(self) -> None:
        """A share of each channel, worked out from all of it."""
        if len(self.x.shape) == 4:
            gate = layers.GlobalAveragePooling2D(keepdims=True)(self.x)
        else:
            gate = keras_bc.BinaryDense(self.x.shape[-1], kernel_quantizer="ternary")(self.x)
        self.x = layers.Multiply()([self.x, layers.Activation("sigmoid")(gate)])

    def _head(self) -> None:
        if len(self.x.shape) > 2:
            pools = {
                3: [layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D],
                4: [layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D],
            }[len(self.x.shape)]
            large = np.prod(self.x.shape[1:], dtype=int) > 2000
            choices = pools if large else [layers.Flatten, *pools]
            self._add(choices[self.rng.integers(len(choices))]())
        self._add(keras_bc.BinaryDense(int(self.rng.integers(2, 12)), **self._few_bit()))
        self._norm()
        if self.rng.random() < 0.3:
            self._add(layers.Softmax())

    def _add(self, layer: keras.Layer) -> None:
        self.x = layer(self.x)

    def _sizes(self, low: int, high: int, count: int) -> list[int]:
        return self.rng.integers(low, high + 1, count).tolist()


def samples_for(model: keras.Model, count: int, seed: int = 0) -> list[np.ndarray]:
    """float32 inputs of the model's shapes."""
    rng = np.random.default_rng(seed)
    shapes = [tensor.shape[1:] for tensor in model.inputs]
    return [rng.normal(0, 1, (count, *shape)).astype(np.float32) for shape in shapes]
