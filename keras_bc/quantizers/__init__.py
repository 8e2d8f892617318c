"""Quantizers: how a real weight or activation becomes the few-bit one that the network uses.

A quantizer owns three things and a layer only uses them:

- `deterministic(inputs)`: the rule of inference, export and the chip;
- `forward(inputs, uniform)`: the rule of a training step, the same unless the quantizer draws;
- `gradient(inputs, upstream)`: what flows back through either.

A new quantizer is a subclass with a forward rule, registered for saving and named in `_BY_NAME`.
Layers take it by name or as an object: `BinaryDense(10, kernel_quantizer="stochastic_binary")`.
The first four are made for kernels, whose real weights a clip keeps within [-H, H]: they pass the
gradient on as it is. The others mask it; "magnitude_aware" is for kernels, the rest were made for
activations.
"""

import keras

from keras_bc.quantizers.base import Quantizer
from keras_bc.quantizers.binary import Binary, MagnitudeAware, StochasticBinary
from keras_bc.quantizers.dorefa import DoReFa
from keras_bc.quantizers.sign import ApproxSign, Sign, StochasticSign, SwishSign
from keras_bc.quantizers.ternary import StochasticTernary, Ternary

__all__ = [
    "ApproxSign",
    "Binary",
    "DoReFa",
    "MagnitudeAware",
    "Quantizer",
    "Sign",
    "StochasticBinary",
    "StochasticSign",
    "StochasticTernary",
    "SwishSign",
    "Ternary",
    "deserialize",
    "get",
    "serialize",
]

_BY_NAME = {
    "binary": Binary,
    "stochastic_binary": StochasticBinary,
    "ternary": Ternary,
    "stochastic_ternary": StochasticTernary,
    "magnitude_aware": MagnitudeAware,
    "sign": Sign,
    "stochastic_sign": StochasticSign,
    "approx_sign": ApproxSign,
    "swish_sign": SwishSign,
    "dorefa": DoReFa,
}
"""By the names that layers take."""


def get(identifier, argument: str = "quantizer", purpose: str | None = None) -> Quantizer:
    """Return the quantizer that a name, a saved config or an object stands for.

    Args:
        identifier: Such a one.
        argument: What the caller takes it as, for the error.
        purpose: "kernel" or "inputs", what it is to quantize; None for either.

    Raises:
        ValueError: It stands for none, or for one that is not made for that.
    """
    quantizer = _stands_for(identifier)
    if quantizer is None or purpose not in (None, *quantizer.purposes):
        names = [name for name, made in _BY_NAME.items() if purpose in (None, *made.purposes)]
        made_for = {None: "", "kernel": " that is made for kernels", "inputs": " of activations"}
        raise ValueError(
            f"Invalid value for argument `{argument}`. Expected a Quantizer{made_for[purpose]}, or "
            f"one of {', '.join(map(repr, names))}. Received: {argument}={identifier!r}"
        )
    return quantizer


def _stands_for(identifier) -> Quantizer | None:
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return _BY_NAME[identifier]() if identifier in _BY_NAME else None
    return identifier if isinstance(identifier, Quantizer) else None


def serialize(quantizer: Quantizer) -> dict:
    """Return a quantizer's config, as layers save it."""
    return keras.saving.serialize_keras_object(quantizer)


def deserialize(config: dict) -> Quantizer:
    """Return the quantizer that `serialize` saved.

    Raises:
        ValueError: The config is another object's.
    """
    quantizer = keras.saving.deserialize_keras_object(config)
    if not isinstance(quantizer, Quantizer):
        raise ValueError(
            "Invalid value for argument `config`. Expected the config of a Quantizer. "
            f"Received: config={config!r}"
        )
    return quantizer
