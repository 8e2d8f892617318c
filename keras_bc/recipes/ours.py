"""Recipes of our own: short schedules, and networks that fit small boards."""

from dataclasses import replace

from keras_bc.recipes import binaryconnect
from keras_bc.recipes.networks import BATCH_NORM, POOL, RELU, conv, dense, glorot, mlp
from keras_bc.recipes.recipe import Recipe

_BINARY = {"kernel_quantizer": "binary"}

# Many steps at a high plain Adam rate: binary weights flip early, and settle as the rate decays.
_SHORT = Recipe(
    name="mnist-mlp-short",
    summary="784-3x1024-10 on a short schedule with Adam, deterministic",
    dataset="mnist",
    input_shape=(784,),
    layers=mlp(1024, 1024, 1024, 10, **_BINARY),
    optimizer=("Adam", {}),
    learning_rates=(1e-2, 3e-5),
    epochs=60,
    batch_size=100,
)

RECIPES = (
    replace(
        _SHORT,
        name="mnist-mlp-regularized",
        summary="784-3x1024-10 with dropout, 60 epochs, deterministic",
        layers=mlp(1024, 1024, 1024, 10, input_dropout=0.2, dropout=0.3, **_BINARY),
        learning_rates=(1e-2, 1e-5),
        jit_compile=False,
    ),
    # BinaryConnect's own schedule, with dropout against overfitting: without it the training loss
    # is zero long before the rate has decayed.
    replace(
        binaryconnect.MNIST,
        name="mnist-ternary-regularized",
        summary="784-3x1024-10 with dropout, 60 epochs, ternary weights",
        layers=mlp(
            *(1024, 1024, 1024, 10),
            input_dropout=0.2,
            dropout=0.3,
            kernel_quantizer=glorot("Ternary"),
        ),
        epochs=60,
        jit_compile=False,
        reference="",
        published_error="",
    ),
    replace(
        _SHORT,
        name="mnist-bnn-short",
        summary="784-3x1024-10 with dropout, one-bit weights and activations",
        jit_compile=False,
        layers=mlp(
            *(1024, 1024, 1024, 10),
            input_dropout=0.1,
            dropout=0.2,
            activation=(("SignActivation", {}),),
            **_BINARY,
        ),
    ),
    _SHORT,
    replace(
        _SHORT,
        name="mnist-mlp-short-stochastic",
        summary="784-3x1024-10 on a short schedule with Adam, stochastic",
        layers=mlp(1024, 1024, 1024, 10, kernel_quantizer="stochastic_binary"),
        weights="real",
    ),
    replace(
        _SHORT,
        name="mnist-mlp-small",
        summary="784-256-256-10, which fits a micro:bit; a minute or two",
        layers=mlp(256, 256, 10, **_BINARY),
        epochs=25,
    ),
    replace(
        _SHORT,
        name="mnist-bnn-small",
        summary="784-3x256-10, one-bit weights and activations; two minutes",
        layers=mlp(256, 256, 256, 10, activation=(("SignActivation", {}),), **_BINARY),
        epochs=30,
        jit_compile=False,
    ),
    replace(
        _SHORT,
        name="mnist-cnn-small",
        summary="three binary convolutions, 28,944 weights; five minutes",
        input_shape=(28, 28, 1),
        layers=(
            *(conv(16, **_BINARY), POOL, BATCH_NORM, RELU),
            *(conv(32, **_BINARY), POOL, BATCH_NORM, RELU),
            *(conv(64, **_BINARY), BATCH_NORM, RELU),
            ("Flatten", {}),
            dense(10, **_BINARY),
            BATCH_NORM,
        ),
        learning_rates=(1e-2, 1e-4),
        epochs=12,
        jit_compile=False,
    ),
    replace(
        _SHORT,
        name="digits-mlp",
        summary="64-128-128-10 on 8x8 digits; no download, seconds",
        dataset="digits",
        input_shape=(64,),
        layers=mlp(128, 128, 10, **_BINARY),
        epochs=40,
        batch_size=50,
    ),
)
