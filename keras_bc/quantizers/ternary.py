"""Weights of three values: -H, 0 and +H."""

from numbers import Real

import keras
from keras import ops

from keras_bc.quantizers.base import Quantizer, signs


@keras.saving.register_keras_serializable(package="keras_bc")
class Ternary(Quantizer):
    """Deterministic ternarization: sign(w) H where |w| > threshold H, otherwise 0.

    Neural Networks with Few Multiplications (Lin et al. 2016), section 3.1, draws; this is the
    likeliest of three equal parts of [-H, H], which inference and the chip use.

    Args:
        scale: H, as in `Quantizer`. The default, Glorot's, fits Keras's initial weights: hardly one
            of them reaches a third of 1, so that with H = 1 all would begin, and stay, as 0.
        threshold: In [0, 1), a share of H.

    Raises:
        ValueError: The scale or the threshold is not such.
    """

    bits = 2
    purposes = ("kernel",)

    def __init__(self, scale: float | str = "glorot", threshold: float = 1 / 3):
        super().__init__(scale)
        if not isinstance(threshold, Real) or not 0 <= threshold < 1:
            raise ValueError(
                "Invalid value for argument `threshold`. Expected a number in [0, 1). "
                f"Received: threshold={threshold!r}"
            )
        self.threshold = threshold

    def deterministic(self, inputs):
        scale = self.scale_of(inputs.shape)
        passes = ops.greater(ops.abs(inputs), ops.cast(self.threshold * scale, inputs.dtype))
        return _signed(passes, inputs, scale)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


@keras.saving.register_keras_serializable(package="keras_bc")
class StochasticTernary(Ternary):
    """Stochastic ternarization: sign(w) H with probability min(|w / H|, 1), otherwise 0.

    Neural Networks with Few Multiplications, section 3.1. Only training steps draw; without a draw
    it is `Ternary`.
    """

    draws = True

    def forward(self, inputs, uniform=None):
        scale = self.scale_of(inputs.shape)
        # As float32: see `drawn_signs`.
        return _signed(ops.less(ops.multiply(uniform, scale), ops.abs(inputs)), inputs, scale)


def _signed(passes, inputs, scale: float):
    """sign(inputs) * scale where it passes, otherwise 0."""
    return ops.where(passes, signs(inputs, scale), ops.zeros_like(inputs))
