"""Binarized Neural Networks: one-bit weights and activations, by both of the paper's codes.

The Theano code (MatthieuCourbariaux/BinaryNet, d7d45ae): convolution, pooling, batch norm, sign;
ADAM with scaled rates. The Torch code (itayhubara/BinaryNet, c23b862): the same with shift-based
batch norm, hard tanh before a stochastic sign, and shift-based AdaMax, whose rate is halved now and
then. It trains until it is stopped: ten halvings are ours. It also scales batch norm's rates in
the MNIST network, which this does not.

Its preprocessing is not ours: MNIST is standardized there by one mean and deviation, and here
scaled to [-1, 1], which batch norm makes the same; CIFAR-10 is whitened twice without contrast
normalization, and SVHN's contrast is normalized over 9 x 9 pixels with a division by the deviation,
where ours are BinaryConnect's. The last batch norm's epsilon is 1e-5 there and 1e-4 here.

The paper's section 2.1 has the Torch MNIST rate halved every 10 epochs, the code every 20: as the
code.
"""

from dataclasses import replace

from keras_bc.recipes.networks import ADAM, UNIFORM, mlp, vgg
from keras_bc.recipes.recipe import Recipe

_PAPER = "Binarized Neural Networks, Courbariaux et al. 2016"
_HALVINGS = 10

_BINARY = {"kernel_quantizer": "binary", "kernel_initializer": UNIFORM}
_THEANO = {**_BINARY, "activation": (("SignActivation", {}),)}
_TORCH = {
    **_BINARY,
    "batch_norm": ("ShiftBatchNormalization", {}),
    "activation": (
        ("Activation", {"activation": "hard_tanh"}),
        ("SignActivation", {"quantizer": "stochastic_sign"}),
    ),
}


def _torch(theano: Recipe, layers, rate: float, halve_every: int, batch_size: int, error: str):
    """The Torch code's recipe beside the Theano code's."""
    return replace(
        theano,
        name=f"{theano.name}-shift",
        summary=theano.summary.replace("one-bit", "shift-based, one-bit"),
        layers=layers,
        optimizer=("ShiftAdaMax", {}),
        learning_rates=(rate, rate * 0.5**_HALVINGS),
        epochs=_HALVINGS * halve_every,
        halve_every=halve_every,
        batch_size=batch_size,
        published_error=error,
    )


_MNIST = Recipe(
    name="mnist-bnn",
    summary="784-3x4096-10 with dropout, one-bit weights and activations",
    dataset="mnist",
    input_shape=(784,),
    layers=mlp(4096, 4096, 4096, 10, input_dropout=0.2, dropout=0.5, **_THEANO),
    jit_compile=False,
    optimizer=ADAM,
    learning_rates=(3e-3, 3e-7),
    epochs=1000,
    batch_size=100,
    glorot_scaled=True,
    reference=f"{_PAPER}, section 2.1 and table 1",
    published_error="0.96",
)
_CIFAR10 = replace(
    _MNIST,
    name="cifar10-bnn",
    summary="BinaryConnect's CNN, one-bit weights and activations",
    dataset="cifar10",
    input_shape=(32, 32, 3),
    layers=vgg(128, 256, 512, **_THEANO),
    learning_rates=(1e-3, 3e-7),
    epochs=500,
    batch_size=50,
    reference=f"{_PAPER}, section 2.2 and table 1",
    published_error="11.40",
)
_QUARTER = {
    "epochs": 20,
    "reference": "",
    "published_error": "",
}
_SVHN = replace(
    _CIFAR10,
    name="svhn-bnn",
    summary="BinaryConnect's CNN half as wide, one-bit weights and activations",
    dataset="svhn",
    layers=vgg(64, 128, 256, **_THEANO),
    learning_rates=(1e-3, 1e-6),
    epochs=200,
    reference=f"{_PAPER}, section 2.3 and table 1",
    published_error="2.80",
)

# The code clips all parameters of this network, those of batch norm too.
_CLIP = {"class_name": "keras_bc>WeightClip", "config": {"limit": 1.0}}
_CLIPPED = {"gamma_constraint": _CLIP, "beta_constraint": _CLIP}
_TORCH_CIFAR10 = {**_TORCH, "batch_norm": ("ShiftBatchNormalization", _CLIPPED)}
_CIFAR10_SHIFT = replace(
    _torch(_CIFAR10, vgg(128, 256, 512, **_TORCH_CIFAR10), 2.0**-6, 50, 200, "10.15"),
    dataset="cifar10-whitened",
)

RECIPES = (
    _MNIST,
    replace(
        _torch(_MNIST, mlp(2048, 2048, 2048, 10, **_TORCH), 2.0**-6, 20, 100, "1.40"),
        summary="784-3x2048-10, shift-based, one-bit weights and activations",
        jit_compile=True,
    ),
    _CIFAR10,
    _CIFAR10_SHIFT,
    replace(
        _CIFAR10,
        name="cifar10-bnn-quarter",
        summary="BinaryConnect's CNN a quarter as wide, for a CPU, one-bit weights and activations",
        layers=vgg(32, 64, 128, units=256, **_THEANO),
        **_QUARTER,
    ),
    replace(
        _CIFAR10_SHIFT,
        name="cifar10-bnn-shift-quarter",
        summary="BinaryConnect's CNN a quarter as wide, shift-based, one-bit weights, activations",
        layers=vgg(32, 64, 128, units=256, **_TORCH_CIFAR10),
        halve_every=2,
        **_QUARTER,
    ),
    _SVHN,
    replace(
        _torch(_SVHN, vgg(64, 128, 256, **_TORCH), 2.0**-7, 20, 200, "2.53"),
        dataset="svhn-normalized",
    ),
)
