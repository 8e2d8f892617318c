"""Random Keras networks, for the tests of what begins with one."""

import keras
import numpy as np
from keras import layers

import keras_bc


def random_network(seed: int) -> keras.Sequential:
    """A net of supported layers in a random order, with odd sizes and random batch norms.

    Batch-norm scales are negative half of the time. The weights are as initialized.
    """
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    height, width = (int(n) for n in rng.integers(7, 15, 2))
    model = keras.Sequential(name=f"random-{seed}")
    shape = (None, height, width, int(rng.integers(1, 4)))
    model.add(keras.Input(shape[1:]))
    for _ in range(int(rng.integers(2, 4))):
        for layer in _image_block(rng, shape):
            model.add(layer)
        shape = model.output_shape
    model.add(rng.choice([layers.Flatten(), layers.GlobalAveragePooling2D()]))
    for _ in range(int(rng.integers(0, 3))):
        for layer in _dense_block(rng):
            model.add(layer)
    model.add(keras_bc.BinaryDense(int(rng.integers(2, 12))))
    model.add(layers.BatchNormalization())
    if rng.random() < 0.3:
        model.add(layers.Softmax())
    randomize_batch_norms(model, rng)
    return model


def _image_block(rng, shape) -> list[keras.Layer]:
    """A convolution, then batch norm, pooling and an activation in any order."""
    padding = str(rng.choice(["same", "valid"]))
    small = min(shape[1:3]) < 5
    options = {"kernel_size": int(rng.integers(1, 3 if small else 4)), "padding": padding}
    if rng.random() < 0.3:
        options["strides"] = 2
    elif rng.random() < 0.2 and not small:
        options["dilation_rate"] = 2
    if rng.random() < 0.7:
        groups = int(rng.choice([g for g in (1, 2, 3, shape[3]) if shape[3] % g == 0]))
        filters = groups * int(rng.integers(1, 6))
        block = [keras_bc.BinaryConv2D(filters, groups=groups, **options)]
    else:
        block = [layers.Conv2D(int(rng.integers(1, 9)), **options)]
    pool = layers.MaxPooling2D if rng.random() < 0.7 else layers.AveragePooling2D
    rest = [
        layers.BatchNormalization(),
        layers.ReLU(max_value=None if rng.random() < 0.5 else 6.0),
        pool(2, strides=int(rng.integers(1, 3)), padding="same"),
        layers.Dropout(0.5),
    ]
    rng.shuffle(rest)
    if rng.random() < 0.3:
        block.insert(0, layers.ZeroPadding2D(((0, 1), (2, 0))))
    return block + rest[: int(rng.integers(1, 5))]


def _dense_block(rng) -> list[keras.Layer]:
    units = int(rng.choice([1, 31, 32, 33, rng.integers(2, 60)]))
    kind = layers.Dense if rng.random() < 0.3 else keras_bc.BinaryDense
    block = [kind(units, activation=str(rng.choice(["relu", "linear", "relu6"])))]
    if rng.random() < 0.6:
        block.append(layers.BatchNormalization())
    return block


def randomize_batch_norms(model: keras.Model, rng) -> None:
    """Give every batch norm random scales of either sign, offsets and statistics."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            randomize_batch_norms(layer, rng)
        if isinstance(layer, layers.BatchNormalization):
            size = layer.gamma.shape[0]
            layer.gamma.assign(rng.normal(0, 1, size))
            layer.beta.assign(rng.normal(0, 1, size))
            layer.moving_mean.assign(rng.normal(0, 2, size))
            variance = rng.uniform(1, 20, size)
            if isinstance(layer, keras_bc.ShiftBatchNormalization):
                layer.moving_inverse_deviation.assign(variance**-0.5)
            else:
                layer.moving_variance.assign(variance)


def samples_for(model: keras.Model, count: int, seed: int = 0) -> np.ndarray:
    """float32 inputs of the model's shape."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (count, *model.input_shape[1:])).astype(np.float32)
