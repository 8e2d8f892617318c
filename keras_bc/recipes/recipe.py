"""What a recipe is, and how it becomes a compiled Keras model."""

import collections
import re
from dataclasses import dataclass

Layers = tuple[tuple[str, dict], ...]
"""Pairs of a layer's class name and its arguments, in order."""


@dataclass(frozen=True)
class Recipe:
    """One experiment.

    Attributes:
        name: As on the command line, and of the model.
        summary: One line for people.
        dataset: One of `keras_bc.datasets.NAMES`.
        input_shape: Of one example; the data set's examples are reshaped to it.
        layers: Class names and arguments, in order; ours go before Keras's.
        optimizer: A Keras optimizer's (or our) class name and its arguments but for the rate.
        learning_rates: Of the first and, one epoch beyond, of the last epoch: the rate decays by
            the factor (last / first)^(1 / epochs) after each epoch.
        epochs: How many.
        batch_size: Examples a step.
        halve_every: Instead of the exponential decay, halve the first rate after as many epochs
            each; the last rate follows from it.
        glorot_scaled: Whether the binary kernels' rates are scaled by their Glorot coefficients.
        jit_compile: With TensorFlow on a CPU, compiled steps take half the time of a graph's in
            dense networks, but twice the time in convolutional ones and with Keras's dropout. JAX
            always compiles.
        weights: With which weights the best epoch is chosen: "deployed" or "real".
        reference: The paper and section it is from, or "" for our own.
        published_error: Test error in percent in that paper, with these weights, as text, or "".
    """

    name: str
    summary: str
    dataset: str
    input_shape: tuple[int, ...]
    layers: Layers
    optimizer: tuple[str, dict]
    learning_rates: tuple[float, float]
    epochs: int
    batch_size: int
    halve_every: int | None = None
    glorot_scaled: bool = False
    jit_compile: bool = True
    weights: str = "deployed"
    reference: str = ""
    published_error: str = ""

    def learning_rate(self, epoch: int, epochs: int) -> float:
        """Return the rate of `epoch` (from 0) when the schedule is spread over `epochs`."""
        first, last = self.learning_rates
        if self.halve_every is not None:
            return first * 0.5 ** (epoch * self.epochs // (epochs * self.halve_every))
        return first * (last / first) ** (epoch / epochs)


def build(recipe: Recipe, seed: int = 0, name: str | None = None):
    """Return the recipe's model, compiled, its weights initialized from the seed.

    Sets Keras's global seed. The model has the recipe's name, or the given one.
    """
    import keras

    from keras_bc import layers, optimizers

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input(recipe.input_shape)], name=name or recipe.name)
    for layer_name, kind, arguments in _named(recipe.layers):
        library = layers if hasattr(layers, kind) else keras.layers
        model.add(getattr(library, kind)(**arguments, name=layer_name))
    kind, arguments = recipe.optimizer
    library = optimizers if hasattr(optimizers, kind) else keras.optimizers
    optimizer = getattr(library, kind)(recipe.learning_rates[0], **arguments)
    if recipe.glorot_scaled:
        optimizer = optimizers.glorot_scaled(optimizer)
    # JAX has no graphs: what Keras does not compile there runs operation by operation.
    jit_compile = recipe.jit_compile or keras.backend.backend() == "jax"
    # Squared hinge on targets of +-1: an L2-SVM (BinaryConnect, section 3.1).
    model.compile(optimizer, "squared_hinge", jit_compile=jit_compile)
    return model


def targets(labels, classes: int):
    """Return what the squared hinge wants: +1 for the example's class, -1 for all others.

    Args:
        labels: Integers from 0, `(n,)`.
        classes: How many there are.

    Returns:
        A float32 array `(n, classes)`.

    Raises:
        ValueError: A label is none of the classes.
    """
    import numpy as np

    labels = np.asarray(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"Invalid value for argument `labels`. Expected integers from 0 to {classes - 1}. "
            f"Received: labels from {labels.min()} to {labels.max()}"
        )
    return 2 * np.eye(classes, dtype="float32")[labels] - 1


def _named(layers: Layers):
    """Number the layers by class. Keras's own names count on from model to model, and a layer's
    draws depend on its name."""
    counts = collections.Counter()
    for kind, arguments in layers:
        counts[kind] += 1
        yield f"{_snake_case(kind)}_{counts[kind]}", kind, arguments


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
