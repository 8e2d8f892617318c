"""The inputs of a Keras model."""

import keras

from keras_bc.inputs import Inputs, NamedInputs, as_list, in_order


def input_names(model: keras.Model) -> list[str]:
    """Return the names of the model's inputs, in its order; none of a subclassed model."""
    return [tensor.name for tensor in getattr(model, "inputs", None) or ()]


def ordered(model: keras.Model, x: NamedInputs) -> Inputs:
    """Return what a model is given as one array, or as a list in the model's order.

    Raises:
        UserError: The arrays are not as many as the inputs, or have other names.
    """
    names = input_names(model)
    return in_order(x, names) if names else x


def call(model: keras.Model, x: Inputs):
    """Return the outputs in inference mode."""
    if len(input_names(model)) > 1:  # they may be a list, a dictionary, or nested
        x = keras.tree.pack_sequence_as(model.input, as_list(x))
    return model(x, training=False)
