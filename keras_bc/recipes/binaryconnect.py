"""BinaryConnect's table 2: without binarization, deterministic, stochastic, and 50 % dropout.

The paper's MNIST network is that of the released code's early version (commit 7529640): H is the
Glorot coefficient, plain SGD on the loss summed over the ten outputs. Keras's squared hinge is
their mean, so the rates here are ten times the code's .3 and .01. The CNNs are those of its last
version (2f97a8f): H = 1 and scaled rates, which comes to the same.

Ours: batch norm's statistics are estimated anew before validation and test, not averaged;
tensorflow-datasets keeps the examples in another order, so that others validate.
"""

from dataclasses import replace

from keras_bc.recipes.networks import ADAM, UNIFORM, glorot, mlp, vgg
from keras_bc.recipes.recipe import Recipe

_PAPER = "BinaryConnect, Courbariaux et al. 2015"


_DETERMINISTIC = {"kernel_quantizer": "binary", "kernel_initializer": UNIFORM}
_STOCHASTIC = {"kernel_quantizer": "stochastic_binary", "kernel_initializer": UNIFORM}


def _variants(deterministic: Recipe, network, stochastic: dict, errors: tuple[str, str]):
    """The same without binarization and with stochastic one; errors: published for these two."""
    none, drawn = errors
    network_name = deterministic.summary.removesuffix(", deterministic")
    return (
        replace(
            deterministic,
            name=f"{deterministic.name}-none",
            summary=f"{network_name}, without binarization",
            layers=network(),
            glorot_scaled=False,
            weights="real",
            published_error=none,
        ),
        deterministic,
        replace(
            deterministic,
            name=f"{deterministic.name}-stochastic",
            summary=f"{network_name}, stochastic",
            layers=network(**stochastic),
            weights="real",
            published_error=drawn,
        ),
    )


def _mnist(**arguments):
    return mlp(1024, 1024, 1024, 10, **arguments)


MNIST = Recipe(
    name="mnist-mlp",
    summary="784-3x1024-10, deterministic",
    dataset="mnist-centered",
    input_shape=(784,),
    layers=_mnist(kernel_quantizer=glorot("Binary")),
    optimizer=("SGD", {}),
    learning_rates=(3.0, 0.1),
    epochs=1000,
    batch_size=200,
    reference=f"{_PAPER}, section 3.1 and table 2",
    published_error="1.29 +- 0.08",
)
_MNIST_2048 = replace(
    MNIST,
    name="mnist-mlp-2048",
    summary="784-3x2048-10 of the released code, deterministic",
    layers=mlp(2048, 2048, 2048, 10, **_DETERMINISTIC),
    optimizer=ADAM,
    learning_rates=(1e-3, 3e-6),
    epochs=250,
    batch_size=100,
    glorot_scaled=True,
    reference=f"{_PAPER}, released code",
    published_error="",
)
_CIFAR10 = Recipe(
    name="cifar10-cnn",
    summary="2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-2x1024FC-10, deterministic",
    dataset="cifar10-whitened",
    input_shape=(32, 32, 3),
    layers=vgg(128, 256, 512, **_DETERMINISTIC),
    optimizer=ADAM,
    learning_rates=(3e-3, 2e-6),
    epochs=500,
    batch_size=50,
    glorot_scaled=True,
    jit_compile=False,
    reference=f"{_PAPER}, section 3.2 and table 2",
    published_error="9.90",
)
_CIFAR10_QUARTER = replace(
    _CIFAR10,
    name="cifar10-cnn-quarter",
    summary="BinaryConnect's CNN a quarter as wide, for a CPU, deterministic",
    layers=vgg(32, 64, 128, units=256, **_DETERMINISTIC),
    epochs=20,
    reference="",
    published_error="",
)
_SVHN = replace(
    _CIFAR10,
    name="svhn-cnn",
    summary="2x64C3-MP2-2x128C3-MP2-2x256C3-MP2-2x1024FC-10, deterministic",
    dataset="svhn-normalized",
    layers=vgg(64, 128, 256, **_DETERMINISTIC),
    learning_rates=(1e-2, 3e-6),
    epochs=200,
    reference=f"{_PAPER}, section 3.3 and table 2",
    published_error="2.30",
)

RECIPES = (
    *_variants(
        MNIST,
        _mnist,
        {"kernel_quantizer": glorot("StochasticBinary")},
        ("1.30 +- 0.04", "1.18 +- 0.04"),
    ),
    replace(
        MNIST,
        name="mnist-mlp-dropout",
        summary="784-3x1024-10, no binarization, 50 % dropout",
        layers=_mnist(dropout=0.5),
        jit_compile=False,
        weights="real",
        published_error="1.01 +- 0.04",
    ),
    _MNIST_2048,
    replace(
        _MNIST_2048,
        name="mnist-mlp-2048-stochastic",
        summary="784-3x2048-10 of the released code, stochastic",
        layers=mlp(2048, 2048, 2048, 10, **_STOCHASTIC),
        weights="real",
        published_error="1.15",
    ),
    *_variants(
        _CIFAR10, lambda **given: vgg(128, 256, 512, **given), _STOCHASTIC, ("10.64", "8.27")
    ),
    *_variants(
        _CIFAR10_QUARTER,
        lambda **given: vgg(32, 64, 128, units=256, **given),
        _STOCHASTIC,
        ("", ""),
    ),
    *_variants(_SVHN, lambda **given: vgg(64, 128, 256, **given), _STOCHASTIC, ("2.44", "2.15")),
)
