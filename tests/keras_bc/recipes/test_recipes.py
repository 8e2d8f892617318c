import keras
import numpy as np
import pytest

from keras_bc import datasets, recipes
from keras_bc.errors import UserError
from keras_bc.layers import BinaryConv2D, BinaryDense
from keras_bc.optimizers import GlorotScaled


@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=recipes.RECIPES)
def test_builds_what_it_says(recipe):
    model = recipes.build(recipe)
    assert model.name == recipe.name
    assert model.input_shape == (None, *recipe.input_shape)
    assert recipe.dataset in datasets.NAMES
    assert model.output_shape == (None, 10)
    assert isinstance(model.optimizer, GlorotScaled) == recipe.glorot_scaled
    assert float(model.optimizer.learning_rate) == pytest.approx(recipe.learning_rates[0])


def test_the_papers_network():
    recipe = recipes.find("mnist-mlp")
    model = recipes.build(recipe)
    dense = [layer for layer in model.layers if isinstance(layer, BinaryDense)]
    assert [layer.units for layer in dense] == [1024, 1024, 1024, 10]
    assert not any(layer.use_bias for layer in dense)
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rates) == (1000, 200, (0.3, 0.01))
    assert isinstance(model.optimizer, keras.optimizers.SGD) and model.optimizer.momentum == 0


def test_the_small_networks_are_small():
    def weights(name):
        layers = recipes.build(recipes.find(name)).layers
        return sum(np.size(x.kernel) for x in layers if isinstance(x, BinaryDense | BinaryConv2D))

    assert weights("mnist-mlp-small") == 784 * 256 + 256 * 256 + 256 * 10
    assert weights("mnist-cnn-small") < 40_000


def test_the_rate_decays_exponentially_to_the_last_one():
    recipe = recipes.find("mnist-mlp")
    rates = [recipe.learning_rate(epoch, 10) for epoch in range(11)]
    assert rates[0] == 0.3 and rates[10] == pytest.approx(0.01)
    ratios = np.divide(rates[1:], rates[:-1])
    np.testing.assert_allclose(ratios, (0.01 / 0.3) ** 0.1)


def test_the_same_seed_builds_the_same_model():
    recipe = recipes.find("digits-mlp")
    a, b, other = (recipes.build(recipe, seed) for seed in (1, 1, 2))
    assert [layer.name for layer in a.layers] == [layer.name for layer in b.layers]
    assert [layer.get_config() for layer in a.layers] == [layer.get_config() for layer in b.layers]
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)
    assert (a.get_weights()[0] != other.get_weights()[0]).any()


def test_targets_are_plus_one_for_the_class_alone():
    assert np.array_equal(recipes.targets(np.array([2, 0]), 3), [[-1, -1, 1], [1, -1, -1]])


def test_an_unknown_recipe_names_the_known():
    with pytest.raises(UserError, match=r"no recipe 'mnist'.*mnist-mlp-small"):
        recipes.find("mnist")
