"""Averages: a sum, and a division that only a power of two turns into a shift."""

import math

from keras import layers

from keras_bc.calls import Call

_POOLS = (layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D)
_GLOBAL_POOLS = (
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D),
    layers.GlobalAveragePooling3D,
)


def divisions(call: Call) -> int:
    """Return the divisions of one example's average pooling; 0 for any other layer."""
    if isinstance(call.layer, _POOLS):
        values = math.prod(call.layer.pool_size)
    elif isinstance(call.layer, _GLOBAL_POOLS):
        values = call.inputs_size // call.outputs_size
    else:
        return 0
    return 0 if is_power_of_two(values) else call.outputs_size


def is_power_of_two(number: float) -> bool:
    """Whether multiplying by a positive number is a shift."""
    return math.frexp(number)[0] == 0.5
