"""AdaMax whose step is a shift."""

import keras
from keras import ops

from keras_bc.powers_of_two import ap2


@keras.saving.register_keras_serializable(package="keras_bc")
class ShiftAdaMax(keras.optimizers.Optimizer):
    """Shift-based AdaMax: AdaMax with powers of two for the rate and for the norm.

    At step t = 1, 2, ..., with g the gradient, and m and v at first 0:

    ```
    m = beta_1 m + (1 - beta_1) g
    v = AP2(max(beta_2 v, |g|))
    w = w - AP2(learning_rate / (1 - beta_1^t)) m / max(v, AP2(epsilon))
    ```

    Binarized Neural Networks (Courbariaux et al. 2016), algorithm 4, where v itself is not
    rounded; this follows the Torch code that came with it, which keeps v as a power of two.
    For any `beta_2` above 1/sqrt(2) the rounding undoes the decay, so that v is the running maximum
    of |g|. Where no gradient was seen m and v are 0, and so is the step.

    Differences to that code: it adds epsilon to v, and keeps the sum, which is no power of two any
    more, nor the step a shift; here v counts as epsilon at least. And `glorot_scaled` rounds the
    scaled rate to a power of two, where the code multiplies the rounded rate by the Glorot
    coefficient: as it is for MNIST, which is no shift any more, and rounded for CIFAR-10 and SVHN,
    which can differ by a factor of two. The clip that follows is the layer's constraint.

    Args:
        learning_rate: A float or a schedule. The paper's default is 2^-10, and the code's 2^-6.
        beta_1, beta_2: In [0, 1). The defaults are the code's; the paper's are 1 - 2^-3 and
            1 - 2^-10.
        epsilon: A small positive number, rounded to a power of two.
        name, kwargs: As for all Keras optimizers.

    Raises:
        ValueError: A beta or epsilon is out of its range.
    """

    def __init__(
        self,
        learning_rate=2.0**-10,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 2.0**-27,
        name: str = "shift_adamax",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        for argument, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= beta < 1:
                raise ValueError(
                    f"Invalid value for argument `{argument}`. Expected a number in [0, 1). "
                    f"Received: {argument}={beta}"
                )
        if not epsilon > 0:
            raise ValueError(
                "Invalid value for argument `epsilon`. Expected a positive number. "
                f"Received: epsilon={epsilon}"
            )
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables):
        """Create m and v of each variable."""
        if self.built:
            return
        super().build(variables)
        self._m, self._v = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable."""
        index = self._get_variable_index(variable)
        m, v = self._m[index], self._v[index]
        gradient = ops.cast(gradient, variable.dtype)
        rate = ops.cast(learning_rate, variable.dtype)
        t = ops.cast(self.iterations + 1, variable.dtype)
        beta_1_power = ops.power(ops.cast(self.beta_1, variable.dtype), t)

        # An embedding's gradient is sparse on TensorFlow: these functions take it, `*` and `+` not.
        self.assign(m, ops.add(self.beta_1 * m, ops.multiply(gradient, 1 - self.beta_1)))
        self.assign(v, ap2(ops.maximum(self.beta_2 * v, ops.abs(gradient))))
        step = ap2(rate / (1 - beta_1_power))
        least = ap2(ops.cast(self.epsilon, variable.dtype))
        self.assign_sub(variable, step * m / ops.maximum(v, least))

    def get_config(self):
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
