import re
from dataclasses import replace

import keras
import numpy as np
import pytest

from keras_bc import datasets, glorot, recipes
from keras_bc.errors import UserError
from keras_bc.layers import BinaryConv2D, BinaryDense
from keras_bc.optimizers import GlorotScaled
from keras_bc.traversal import quantized


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
    # .3 to .01 on the sum over ten outputs, whose mean is Keras's loss.
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rates) == (1000, 200, (3.0, 0.1))
    assert isinstance(model.optimizer, keras.optimizers.SGD) and model.optimizer.momentum == 0
    limit = glorot.coefficient((784, 1024))
    assert np.abs(dense[0].deployed_kernel()).max() == pytest.approx(limit)
    assert 1.9 * limit < np.abs(dense[0].kernel).max() <= 2 * limit


def test_the_mean_loss_at_ten_times_the_rate_is_the_sum():
    x, y = np.random.default_rng(0).normal(size=(2, 8, 10)).astype("float32")
    y = np.sign(y)
    results = []
    for loss, rate in (
        ("squared_hinge", 3.0),
        (lambda t, p: keras.ops.sum(keras.ops.square(keras.ops.relu(1 - t * p)), -1), 0.3),
    ):
        model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(10, "linear")])
        model.layers[0].set_weights([np.eye(10) / 2, np.zeros(10)])
        model.compile(keras.optimizers.SGD(rate), loss)
        model.train_on_batch(x, y)
        results.append(model.get_weights()[0])
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mnist-mlp", 784 * 1024 + 2 * 1024 * 1024 + 10240),
        ("mnist-bnn", 784 * 4096 + 2 * 4096 * 4096 + 40960),
        # 2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-2x1024FC-10
        (
            "cifar10-cnn",
            9 * (3 * 128 + 128 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 512 * 512)
            + 8192 * 1024
            + 1024 * 1024
            + 10240,
        ),
        (
            "cifar10-few-binary",
            9 * (3 * 128 + 128 * 128)
            + 4 * (128 * 256 + 256 * 256 + 256 * 512 + 512 * 512 + 512 * 1024)
            + 1024 * 1024
            + 10240,
        ),
    ],
)
def test_the_papers_networks_have_their_weights(name, weights):
    layers = quantized(recipes.build(recipes.find(name)))
    assert sum(np.size(layer.kernel) for layer in layers) == weights


@pytest.mark.parametrize(
    ("name", "dataset", "batch", "epochs", "first", "last", "published"),
    [
        ("mnist-mlp-none", "mnist-centered", 200, 1000, 3.0, 0.1, "1.30 +- 0.04"),
        ("mnist-mlp", "mnist-centered", 200, 1000, 3.0, 0.1, "1.29 +- 0.08"),
        ("mnist-mlp-stochastic", "mnist-centered", 200, 1000, 3.0, 0.1, "1.18 +- 0.04"),
        ("mnist-mlp-dropout", "mnist-centered", 200, 1000, 3.0, 0.1, "1.01 +- 0.04"),
        ("mnist-mlp-2048", "mnist-centered", 100, 250, 1e-3, 3e-6, ""),
        ("mnist-mlp-2048-stochastic", "mnist-centered", 100, 250, 1e-3, 3e-6, "1.15"),
        ("cifar10-cnn-none", "cifar10-whitened", 50, 500, 3e-3, 2e-6, "10.64"),
        ("cifar10-cnn", "cifar10-whitened", 50, 500, 3e-3, 2e-6, "9.90"),
        ("cifar10-cnn-stochastic", "cifar10-whitened", 50, 500, 3e-3, 2e-6, "8.27"),
        ("svhn-cnn-none", "svhn-normalized", 50, 200, 1e-2, 3e-6, "2.44"),
        ("svhn-cnn", "svhn-normalized", 50, 200, 1e-2, 3e-6, "2.30"),
        ("svhn-cnn-stochastic", "svhn-normalized", 50, 200, 1e-2, 3e-6, "2.15"),
        ("mnist-bnn", "mnist", 100, 1000, 3e-3, 3e-7, "0.96"),
        ("cifar10-bnn", "cifar10", 50, 500, 1e-3, 3e-7, "11.40"),
        ("svhn-bnn", "svhn", 50, 200, 1e-3, 1e-6, "2.80"),
        ("mnist-bnn-shift", "mnist", 100, 200, 2**-6, 2**-16, "1.40"),
        ("cifar10-bnn-shift", "cifar10-whitened", 200, 500, 2**-6, 2**-16, "10.15"),
        ("svhn-bnn-shift", "svhn-normalized", 200, 200, 2**-7, 2**-17, "2.53"),
        ("mnist-few-none", "mnist-centered", 200, 1000, 3.0, 0.1, "1.33"),
        ("mnist-few-binary", "mnist-centered", 200, 1000, 3.0, 0.1, "1.23"),
        ("mnist-few-binary-qbp", "mnist-centered", 200, 1000, 3.0, 0.1, "1.29"),
        ("mnist-few-ternary-qbp", "mnist-centered", 200, 1000, 3.0, 0.1, "1.15"),
        ("cifar10-few-none", "cifar10-whitened", 100, 300, 3.0, 0.01, "15.64"),
        ("cifar10-few-binary", "cifar10-whitened", 100, 300, 3.0, 0.01, "12.04"),
        ("cifar10-few-binary-qbp", "cifar10-whitened", 100, 300, 3.0, 0.01, "12.08"),
        ("cifar10-few-ternary-qbp", "cifar10-whitened", 100, 300, 3.0, 0.01, "12.01"),
        ("svhn-few-none", "svhn-normalized", 100, 60, 3.0, 0.01, "2.85"),
        ("svhn-few-binary", "svhn-normalized", 100, 60, 3.0, 0.01, "2.47"),
        ("svhn-few-binary-qbp", "svhn-normalized", 100, 60, 3.0, 0.01, "2.48"),
        ("svhn-few-ternary-qbp", "svhn-normalized", 100, 60, 3.0, 0.01, "2.42"),
    ],
)
def test_the_papers_settings(name, dataset, batch, epochs, first, last, published):
    recipe = recipes.find(name)
    assert (recipe.dataset, recipe.batch_size, recipe.epochs) == (dataset, batch, epochs)
    assert recipe.learning_rates == (first, last)
    assert recipe.published_error == published and recipe.reference


def test_binarization_and_its_control_differ_in_the_weights_alone():
    def described(name):
        recipe = recipes.find(name)
        return [(kind.removeprefix("Binary"), given.get("units")) for kind, given in recipe.layers]

    for name in ("mnist-mlp", "cifar10-cnn", "svhn-cnn"):
        assert described(name) == described(f"{name}-none") == described(f"{name}-stochastic")
        assert not quantized(recipes.build(recipes.find(f"{name}-none")))


def test_both_orders_of_binarized_networks():
    def kinds(name):
        return [kind for kind, _ in recipes.find(name).layers[:8]]

    assert kinds("cifar10-bnn") == [
        *("BinaryConv2D", "BatchNormalization", "SignActivation"),
        *("BinaryConv2D", "MaxPooling2D", "BatchNormalization", "SignActivation", "BinaryConv2D"),
    ]
    assert kinds("svhn-bnn-shift") == [
        *("BinaryConv2D", "ShiftBatchNormalization", "Activation", "SignActivation"),
        *("BinaryConv2D", "MaxPooling2D", "ShiftBatchNormalization", "Activation"),
    ]


def test_quantized_back_propagation_is_in_every_layer_of_its_recipes():
    for name in ("mnist-few", "cifar10-few", "svhn-few"):
        for suffix, expected in (("binary", False), ("binary-qbp", True), ("ternary-qbp", True)):
            layers = quantized(recipes.build(recipes.find(f"{name}-{suffix}")))
            assert all((layer.backprop_quantizer is not None) == expected for layer in layers)


@pytest.mark.parametrize(
    "name",
    [
        "svhn-cnn",
        pytest.param("svhn-bnn-shift", marks=pytest.mark.slow),
        "cifar10-few-ternary-qbp",
    ],
)
def test_image_recipes_train_on_arrays_of_their_shape(name):
    recipe = recipes.find(name)
    narrow = [(kind, _narrow(given)) for kind, given in recipe.layers]
    model = recipes.build(replace(recipe, layers=tuple(narrow)))
    x = np.random.default_rng(0).normal(size=(8, 32, 32, 3)).astype("float32")
    before = model.get_weights()[0]
    loss = model.train_on_batch(x, recipes.targets(np.arange(8), 10))
    assert np.isfinite(loss) and (model.get_weights()[0] != before).any()


@pytest.mark.parametrize("name", ["mnist-cnn-small", "mnist-mlp-small"])
def test_jax_always_compiles(name):
    recipe = recipes.find(name)
    expected = recipe.jit_compile or keras.backend.backend() == "jax"
    assert recipes.build(recipe).jit_compile == expected


def _narrow(given):
    sizes = {key: max(given[key] // 16, 10) for key in ("units", "filters") if key in given}
    return {**given, **sizes}


def test_the_small_networks_are_small():
    def weights(name):
        layers = recipes.build(recipes.find(name)).layers
        return sum(np.size(x.kernel) for x in layers if isinstance(x, BinaryDense | BinaryConv2D))

    assert weights("mnist-mlp-small") == 784 * 256 + 256 * 256 + 256 * 10
    assert weights("mnist-cnn-small") < 40_000


def test_the_rate_decays_exponentially_to_the_last_one():
    recipe = recipes.find("mnist-mlp")
    rates = [recipe.learning_rate(epoch, 10) for epoch in range(11)]
    assert rates[0] == 3.0 and rates[10] == pytest.approx(0.1)
    ratios = np.divide(rates[1:], rates[:-1])
    np.testing.assert_allclose(ratios, (0.1 / 3.0) ** 0.1)


def test_the_rate_is_halved_as_often_in_any_number_of_epochs():
    recipe = recipes.find("mnist-bnn-shift")
    assert (recipe.epochs, recipe.halve_every) == (200, 20)
    for epochs in (200, 100, 20, 10):
        rates = [recipe.learning_rate(epoch, epochs) for epoch in range(epochs + 1)]
        assert rates[0] == 2**-6 and rates[-1] == recipe.learning_rates[1] == 2**-16
        assert {np.log2(rate) for rate in rates} == set(range(-16, -5))
    assert recipe.learning_rate(19, 200) == 2**-6 and recipe.learning_rate(20, 200) == 2**-7


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
    for wrong in ([0, 3], [-1, 0]):
        with pytest.raises(ValueError, match="integers from 0 to 2"):
            recipes.targets(np.array(wrong), 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnist-mlp-smal", "'mnist-mlp-smal'. Did you mean mnist-mlp-small or "),
        ("zzz", "'zzz'. `keras-bc train --list` shows all."),
    ],
)
def test_another_name_is_told_which_are_close(name, message):
    with pytest.raises(UserError, match=re.escape(f"There is no recipe {message}")):
        recipes.find(name)
