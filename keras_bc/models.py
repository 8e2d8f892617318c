"""Read saved models, and find the data that belongs to them."""

import zipfile
from pathlib import Path

from keras_bc import console, datasets, recipes
from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, NamedInputs

_EXPECTED = "Expected a whole .keras file, as model.save() writes it."


def load(path: str | Path):
    """The Keras model in a `.keras` file.

    Raises:
        UserError: The file is missing, damaged, or holds layers that are not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"There is no file {path}. Train one with `keras-bc train RECIPE -o {path}`."
        )
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is damaged, or no Keras model. {_EXPECTED}")
    import keras

    import keras_bc.layers  # noqa: F401 (the classes that the file names)

    try:
        # Nothing here trains it, and its optimizer or loss may be classes of the user's own.
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras lets through what zip, JSON, HDF5 and the layers raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{path} cannot be read as a Keras model ({reason}). {_EXPECTED}"
        ) from error


def fit_input(model, x: NamedInputs) -> Inputs:
    """The examples `(n, ...)` in the shape of the model's input, where that is known.

    Those of several inputs are given and returned as a list in the model's order, or given by the
    inputs' names.

    Raises:
        UserError: The examples are of another shape, or not of as many inputs as the model has.
    """
    from keras_bc.model_inputs import ordered

    x = ordered(model, x)
    shapes = [tensor.shape[1:] for tensor in getattr(model, "inputs", None) or ()]
    if not shapes:  # of a subclassed model
        return x
    return datasets.fit_shapes(x, shapes)


def dataset_of(model_name: str, given: str | None) -> str:
    """The data set for a model: the one that the user gave, or its recipe's.

    Args:
        model_name: A model that `keras-bc train` made has its recipe's.
        given: A name, a `.npz` file, or None.

    Raises:
        UserError: None was given, and the model is no recipe's.
    """
    trained_on = recipes.find(model_name).dataset if model_name in recipes.RECIPES else None
    if given is None and trained_on:
        return trained_on
    if given is not None:
        if trained_on and datasets.differ_in_preprocessing(given, trained_on):
            console.say(
                f"The recipe {model_name} trains on {trained_on}, the same examples as {given}, "
                "but preprocessed in another way. Leave --dataset out unless this model did not."
            )
        return given
    raise UserError(
        f"The model '{model_name}' is of no recipe, so its data set is unknown. Name one (mnist, "
        "digits, ...), or give a .npz file with the array x, or one by the name of each of several "
        "inputs, and the labels y."
    )
