"""Activations of a few bits."""

import keras
from keras import ops

from keras_bc.quantizers.base import Quantizer


@keras.saving.register_keras_serializable(package="keras_bc")
class DoReFa(Quantizer):
    """k-bit activations: round((2^k - 1) clip(x, 0, 1)) / (2^k - 1). Gradient: 1 in [0, 1].

    DoReFa-Net (Zhou et al. 2016), sections 2.2 and 2.4. Halves are rounded to the even level.

    Args:
        bits: k, an integer from 1.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, bits: int = 2):
        if not isinstance(bits, int) or isinstance(bits, bool) or bits < 1:
            raise ValueError(
                "Invalid value for argument `bits`. Expected an integer from 1. "
                f"Received: bits={bits!r}"
            )
        super().__init__()
        self.bits = bits

    def deterministic(self, inputs):
        levels = 2**self.bits - 1
        return ops.divide(ops.round(ops.multiply(ops.clip(inputs, 0, 1), levels)), levels)

    def gradient(self, inputs, upstream):
        inside = ops.logical_and(ops.greater_equal(inputs, 0), ops.less_equal(inputs, 1))
        return ops.where(inside, upstream, ops.zeros_like(upstream))

    def get_config(self):
        return {"bits": self.bits}
