"""One-bit activations: the sign, and the surrogates by which gradients pass it."""

from numbers import Real

import keras
from keras import ops

from keras_bc.quantizers.base import Quantizer, drawn_signs, signs


@keras.saving.register_keras_serializable(package="keras_bc")
class Sign(Quantizer):
    """Sign: +1 where x >= 0, otherwise -1. Gradient: 1 where |x| <= 1, otherwise 0.

    Binarized Neural Networks (Courbariaux et al. 2016), section 1.1, equation 1, and section 1.3,
    equation 4: the gradient is that of hard tanh.
    """

    def __init__(self):
        super().__init__()

    def deterministic(self, inputs):
        return signs(inputs)

    def slope(self, inputs):
        """Return the surrogate's derivative at `inputs`, by which the gradient is multiplied."""
        return ops.cast(ops.less_equal(ops.abs(inputs), 1), inputs.dtype)

    def gradient(self, inputs, upstream):
        return ops.multiply(upstream, self.slope(inputs))

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable(package="keras_bc")
class StochasticSign(Sign):
    """Stochastic sign: +1 with probability clip((x + 1) / 2, 0, 1), otherwise -1.

    Binarized Neural Networks, section 1.1, equation 2; the gradient is `Sign`'s. Only training
    steps draw; without a draw it is `Sign`.
    """

    draws = True

    def forward(self, inputs, uniform=None):
        return drawn_signs(inputs, uniform)


@keras.saving.register_keras_serializable(package="keras_bc")
class ApproxSign(Sign):
    """Sign with the slope 2 - 2 |x| where |x| <= 1, otherwise 0.

    The derivative of a piecewise polynomial that is closer to the sign than hard tanh
    (Bi-Real Net, Liu et al. 2018, section 3.3, equation 7).
    """

    def slope(self, inputs):
        return ops.relu(ops.subtract(2, ops.multiply(2, ops.abs(inputs))))


@keras.saving.register_keras_serializable(package="keras_bc")
class SwishSign(Sign):
    """Sign with the slope beta (2 - z tanh(z / 2)) / (1 + cosh z), z = beta x.

    The derivative of SignSwish (BNN+, Darabi et al. 2018, section 3.2).

    Args:
        beta: Positive number; the greater, the closer to the sign.

    Raises:
        ValueError: It is not positive.
    """

    def __init__(self, beta: float = 5.0):
        if not isinstance(beta, Real) or not beta > 0:
            raise ValueError(
                "Invalid value for argument `beta`. Expected a positive number. "
                f"Received: beta={beta!r}"
            )
        super().__init__()
        self.beta = beta

    def slope(self, inputs):
        z = ops.multiply(inputs, self.beta)
        # 1 / (1 + cosh z) = 2 sigmoid(z) sigmoid(-z), which does not overflow.
        bell = ops.multiply(ops.sigmoid(z), ops.sigmoid(ops.negative(z)))
        rest = ops.subtract(2, ops.multiply(z, ops.tanh(ops.divide(z, 2))))
        return ops.multiply(2 * self.beta, ops.multiply(bell, rest))

    def get_config(self):
        return {"beta": self.beta}
