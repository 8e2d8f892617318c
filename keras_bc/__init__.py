"""Train networks of one-bit weights in Keras 3, and put them on microcontrollers.

Importing this package imports neither Keras nor TensorFlow: its names resolve when they are first
used, so that the command line answers at once and an exported model runs without both.
"""

import importlib

from keras_bc import registration

_LAYERS = (
    "BinaryConv1D",
    "BinaryConv2D",
    "BinaryConv2DTranspose",
    "BinaryDense",
    "BinaryDepthwiseConv2D",
    "BinaryGRU",
    "BinaryLSTM",
    "BinarySeparableConv2D",
    "BinarySimpleRNN",
    "ShiftBatchNormalization",
    "SignActivation",
)
_HOMES = {
    **dict.fromkeys(_LAYERS, "keras_bc.layers"),
    "UserError": "keras_bc.errors",
    "WeightClip": "keras_bc.constraints",
    "evaluate": "keras_bc.evaluation",
    "reestimate_batch_norm": "keras_bc.batch_norm",
    "summary": "keras_bc.model_summary",
    "train": "keras_bc.training",
}
_MODULES = (
    "backprop",
    "callbacks",
    "constraints",
    "datasets",
    "layers",
    "metrics",
    "multiplications",
    "optimizers",
    "preprocessing",
    "quantizers",
    "recipes",
)

__all__ = [*_HOMES, *_MODULES]

registration.follow_keras()


def __getattr__(name):
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"keras_bc.{name}")
    elif name == "__version__":
        from importlib.metadata import version

        value = version("keras_bc")
    else:
        raise AttributeError(f"module 'keras_bc' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
