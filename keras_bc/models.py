"""Read saved models, and find the data that belongs to them."""

import json
import zipfile
from pathlib import Path

from keras_bc import console, datasets, recipes
from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, NamedInputs

_EXPECTED = "Expected a whole .keras file, as model.save() writes it."
_ON = "-on-"
_OTHER_DATA = "other-data"


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
    """The data set for a model: the one that the user gave, or else what it was trained on.

    Args:
        model_name: A model that `keras-bc train` made says by its name what that was.
        given: A name, a `.npz` file, or None.

    Raises:
        UserError: None was given, and the model's name does not say.
    """
    trained_on = _trained_on(model_name)
    if given is None and trained_on:
        return trained_on
    if given is not None:
        if trained_on and datasets.differ_in_preprocessing(given, trained_on):
            console.say(
                f"{model_name} was trained on {trained_on}, the same examples as {given}, but "
                "preprocessed in another way. Leave --dataset out unless this model was not."
            )
        return given
    raise UserError(
        f"The model '{model_name}' is of no recipe, so its data set is unknown. Name one (mnist, "
        "digits, ...), or give a .npz file with the array x, or one by the name of each of several "
        "inputs, and the labels y."
    )


def name_of(recipe: recipes.Recipe, dataset: str) -> str:
    """A trained model's name: its recipe's, and the data set's where that is not the recipe's."""
    if dataset == recipe.dataset:
        return recipe.name
    return f"{recipe.name}{_ON}{dataset if dataset in datasets.NAMES else _OTHER_DATA}"


def _trained_on(model_name: str) -> str | None:
    """The data set that `name_of` was given, if it is a named one."""
    recipe, _, other = model_name.partition(_ON)
    if recipe not in recipes.RECIPES:
        return None
    dataset = other or recipes.find(recipe).dataset
    return dataset if dataset in datasets.NAMES else None


def history_file(path: Path) -> Path:
    """Where the history of the training is that wrote a model."""
    return path.with_suffix(".history.json")


def own_data(path: Path) -> str | None:
    """The user's own `.npz` file that a model was trained on, if its history says so."""
    try:
        dataset = json.loads(history_file(path).read_text())["dataset"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return dataset if datasets.is_file(dataset) else None
