"""Bop, the optimizer that flips binary weights."""

from numbers import Real

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_bc")
class Bop(keras.optimizers.Optimizer):
    """Binary optimizer: flips the sign of a weight when its gradient asks for it long enough.

    For the kernels of quantized layers, with g the gradient, and m at first 0:

    ```
    m = (1 - gamma) m + gamma g
    w = -w where |m| > threshold and sign(m) = sign(w), otherwise w
    ```

    Latent Weights Do Not Exist (Helwegen et al. 2019), algorithm 1. There are no real
    weights: the first step binarizes the kernels, with sign(0) = +1, and from then on they are +1
    or -1, or within the clip of their layer if that is tighter. All other variables are updated by
    a Keras optimizer of their own. Both hyperparameters are variables, which
    `keras_bc.callbacks.HyperparameterScheduler` sets in the middle of a training.

    The learning rate is that of the other optimizer.

    Args:
        optimizer: Of all variables that are no quantized kernels: a Keras optimizer, or what
            `keras.optimizers.get` understands.
        threshold: A number from 0, the paper's tau: how large m must be for a flip.
        gamma: In (0, 1], how fast m follows the gradient.
        name: Of this optimizer.

    Raises:
        ValueError: The threshold or gamma is out of its range, or the optimizer has begun to train,
            or scales the loss.
    """

    def __init__(
        self, optimizer="adam", threshold: float = 1e-8, gamma: float = 1e-4, name: str = "bop"
    ):
        if not isinstance(threshold, Real) or not threshold >= 0:
            raise ValueError(
                "Invalid value for argument `threshold`. Expected a number from 0. "
                f"Received: threshold={threshold}"
            )
        if not isinstance(gamma, Real) or not 0 < gamma <= 1:
            raise ValueError(
                "Invalid value for argument `gamma`. Expected a number in (0, 1]. "
                f"Received: gamma={gamma}"
            )
        optimizer = keras.optimizers.get(optimizer)
        if optimizer.built or _scales_loss(optimizer):
            raise ValueError(
                "Invalid value for argument `optimizer`. Expected a fresh optimizer, neither built "
                "nor one that scales the loss: loss scaling goes around Bop. "
                f"Received: optimizer={optimizer}"
            )
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = optimizer
        self.threshold = self._add_hyperparameter("threshold", threshold)
        self.gamma = self._add_hyperparameter("gamma", gamma)

    def _add_hyperparameter(self, name, value):
        return self.add_variable(
            (), keras.initializers.Constant(value), aggregation="only_first_replica", name=name
        )

    def build(self, variables):
        """Create m of each kernel, and what the other optimizer keeps of the other variables."""
        if self.built:
            return
        super().build(variables)
        self._m = [
            self.add_variable_from_reference(v, "gradient_average") if _is_kernel(v) else None
            for v in variables
        ]
        self.inner_optimizer.build([v for v in variables if not _is_kernel(v)])

    @property
    def variables(self):
        """All variables, those of the other optimizer too: so they are saved, and JAX sees them."""
        return self._variables + self.inner_optimizer.variables

    @property
    def learning_rate(self):
        """That of the other optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    def apply(self, grads, trainable_variables=None):
        """Update the kernels by flips, and the other variables by the other optimizer."""
        if trainable_variables is None:
            trainable_variables = self._trainable_variables
        elif not self.built:
            self.build(list(trainable_variables))
        pairs = list(zip(grads, trainable_variables, strict=True))
        others = [pair for pair in pairs if not _is_kernel(pair[1])]
        kernels = [pair for pair in pairs if _is_kernel(pair[1])]
        if others:
            self.inner_optimizer.apply(*zip(*others, strict=True))
        if kernels:
            super().apply(*zip(*kernels, strict=True))
        else:
            self._iterations.assign_add(1)

    def update_step(self, gradient, variable, learning_rate):
        """Update one kernel."""
        m = self._m[self._get_variable_index(variable)]
        gamma = ops.cast(self.gamma, variable.dtype)
        sign = ops.where(ops.greater_equal(variable, 0), 1.0, -1.0)
        self.assign(m, (1 - gamma) * m + gamma * ops.cast(gradient, variable.dtype))
        flips = ops.greater(m * sign, ops.cast(self.threshold, variable.dtype))
        self.assign(variable, ops.where(flips, -sign, sign))

    def finalize_variable_values(self, var_list):
        """Let the other optimizer end the training of its variables."""
        self.inner_optimizer.finalize_variable_values([v for v in var_list if not _is_kernel(v)])

    def get_config(self):
        # Not the settings of all Keras optimizers: those are the other optimizer's.
        return {
            "name": self.name,
            "optimizer": keras.saving.serialize_keras_object(self.inner_optimizer),
            "threshold": float(ops.convert_to_numpy(self.threshold)),
            "gamma": float(ops.convert_to_numpy(self.gamma)),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        optimizer = keras.optimizers.deserialize(config["optimizer"], custom_objects)
        return cls(**{**config, "optimizer": optimizer})


def _is_kernel(variable) -> bool:
    """Whether a layer quantizes this variable: it has marked it for Glorot's rates then."""
    return hasattr(variable, "glorot_coefficient")


def _scales_loss(optimizer) -> bool:
    loss_scale = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    return loss_scale or optimizer.loss_scale_factor is not None
