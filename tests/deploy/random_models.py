"""Random Keras models over all layers that are exported: branches, odd sizes, bits and ternary."""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

import keras_bc
from tests.deploy.networks import randomize_batch_norms
from tests.deploy.random_layers import LayerDrawer


def random_model(seed: int) -> keras.Model:
    """A functional model of three to seven random parts, with one to three inputs and outputs.

    Its weights are as initialized, but for batch norms, whose scales are of either sign.
    """
    keras.utils.set_random_seed(seed)
    drawer = _Drawer(seed)
    model = drawer.draw(f"random-{seed}")
    randomize_batch_norms(model, drawer.rng)
    return model


class _Drawer(LayerDrawer):
    """A model under construction."""

    def draw(self, name: str) -> keras.Model:
        start = self.rng.choice([self._image, self._sequence, self._vector], p=[0.6, 0.25, 0.15])
        inputs = [start()]
        self.x = inputs[0]
        outputs = []
        for _ in range(int(self.rng.integers(3, 8))):
            if self.rng.random() < 0.08 and len(inputs) < 3:
                inputs.append(self._further_input(f"input_{len(inputs)}"))
            self._part()
            if self.rng.random() < 0.08 and len(outputs) < 2:
                outputs.append(self.x)
        self._head()
        return keras.Model(inputs, [*outputs, self.x], name=name)

    # Inputs

    def _image(self) -> keras.KerasTensor:
        return keras.Input((*self.sizes(5, 12, 2), *self.sizes(1, 4, 1)))

    def _sequence(self) -> keras.KerasTensor:
        return keras.Input((*self.sizes(5, 13, 1), *self.sizes(1, 8, 1)))

    def _vector(self) -> keras.KerasTensor:
        return keras.Input((self.choose([7, 31, 32, 33, 100]),))

    def _further_input(self, name: str) -> keras.KerasTensor:
        """One of the shape of the loose end, which it joins, or a vector, a share a channel."""
        if self.rng.random() < 0.5:
            other = keras.Input(self.x.shape[1:], name=name)
            self.x = layers.Concatenate()([self.x, other])
            return other
        other = keras.Input((*self.sizes(3, 9, 1),), name=name)
        shares = keras_bc.BinaryDense(self.x.shape[-1], activation="hard_sigmoid")(other)
        ones = [1] * (len(self.x.shape) - 2)
        self.x = layers.Multiply()([self.x, layers.Reshape((*ones, shares.shape[-1]))(shares)])
        return other

    # Parts

    def _part(self) -> None:
        parts: dict[int, list[Callable]] = {
            2: [self.dense, self.dense, self._gate, self.curve],
            3: [
                *(self.conv_1d, self.conv_1d, self.shapes_1d, self.recurrent, self._branches),
                self._nested,
            ],
            4: [
                *(self.conv_2d, self.conv_2d, self.conv_2d, self.real_conv_2d, self.depthwise),
                *(self.separable, self.transposed, self.shapes_2d, self.pool, self._branches),
                *(self._branches, self._nested, self._shortcut, self._gate, self.curve),
            ],
        }
        self.choose(parts[len(self.x.shape)])()

    # Branches

    def _branches(self) -> None:
        """Two layers side by side, which may be one layer twice, and their join."""
        filters = min(self.channels(), 33)
        first, second = self._same_size(filters), self._same_size(filters)
        if self.rng.random() < 0.25:
            a, b = first(self.x), first(layers.ReLU()(self.x))
        else:
            a, b = first(self.x), second(self.x)
        self.x = self._join()([a, b])
        if self.rng.random() < 0.3:
            self.x = self.x * 0.5 + 0.25

    def _same_size(self, filters: int) -> keras.Layer:
        kind = keras_bc.BinaryConv2D if len(self.x.shape) == 4 else keras_bc.BinaryConv1D
        return kind(filters, self.sizes(1, 3, 1)[0], padding="same", **self.few_bit())

    def _join(self) -> keras.Layer:
        """Of two tensors of one shape."""
        axis = self.sizes(1, len(self.x.shape) - 1, 1)[0]
        joins = [layers.Add(), layers.Subtract(), layers.Multiply()]
        return self.choose([*joins, layers.Concatenate(), layers.Concatenate(axis=axis)])

    def _nested(self) -> None:
        """A model in the model, which may be called twice."""
        filters = min(self.channels(), 16)
        start = end = keras.Input(self.x.shape[1:])
        for layer in (self._same_size(filters), layers.BatchNormalization(), layers.ReLU()):
            end = layer(end)
        if self.rng.random() < 0.5:
            end = layers.Add()([end, self._same_size(filters)(start)])
        block = keras.Model(start, end)
        y = block(self.x)
        if self.rng.random() < 0.5:
            y = self._join()([y, block(layers.LeakyReLU(0.5)(self.x))])
        self.x = y

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
            self.add(self.choose(pools if large else [layers.Flatten, *pools])())
        self.add(keras_bc.BinaryDense(self.sizes(2, 11, 1)[0], **self.few_bit()))
        self.norm()
        if self.rng.random() < 0.3:
            self.add(layers.Softmax())


def samples_for(model: keras.Model, count: int, seed: int = 0) -> list[np.ndarray]:
    """float32 inputs of the model's shapes."""
    rng = np.random.default_rng(seed)
    shapes = [tensor.shape[1:] for tensor in model.inputs]
    return [rng.normal(0, 1, (count, *shape)).astype(np.float32) for shape in shapes]
