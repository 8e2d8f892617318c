"""The data that belongs to a model."""

import pytest

from keras_bc import models, recipes
from keras_bc.errors import UserError


def test_a_recipes_model_knows_its_data(capsys):
    assert models.dataset_of("mnist-mlp-small", None) == "mnist"
    assert models.dataset_of("mnist-mlp-small", "mnist") == "mnist"
    assert models.dataset_of("mnist-mlp-small", "digits") == "digits"
    assert models.dataset_of("mine", "mnist-centered") == "mnist-centered"
    assert capsys.readouterr().err == ""


def test_another_preprocessing_of_the_same_images_is_told(capsys):
    assert models.dataset_of("mnist-mlp-small", "mnist-centered") == "mnist-centered"
    said = capsys.readouterr().err
    assert "was trained on mnist" in said and "preprocessed in another way" in said


@pytest.mark.parametrize("dataset", ["mnist", "mnist-centered", "digits"])
def test_a_models_name_says_what_else_it_was_trained_on(dataset):
    name = models.name_of(recipes.find("mnist-mlp-small"), dataset)
    assert models.dataset_of(name, None) == dataset


def test_the_name_of_a_users_own_data_is_not_told():
    name = models.name_of(recipes.find("mnist-mlp-small"), "mine.npz")
    assert name == "mnist-mlp-small-on-other-data"
    with pytest.raises(UserError, match="its data set is unknown"):
        models.dataset_of(name, None)


def test_the_data_of_others_are_to_be_named():
    with pytest.raises(UserError, match="is of no recipe, so its data set is unknown"):
        models.dataset_of("mine", None)
