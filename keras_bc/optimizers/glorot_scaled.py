"""Learning rates scaled by the Glorot coefficients of the kernels."""

import functools

import keras

_NOT_PROPORTIONAL = ("Bop", "Ftrl", "ScheduleFreeAdamW")

_register = keras.saving.register_keras_serializable(package="keras_bc")


@_register
class GlorotScaled:
    """Mixin, to stand before a Keras optimizer class: quantized kernels learn at a scaled rate.

    With c = sqrt(1.5 / (fan_in + fan_out)) of a kernel, the step of that kernel is scaled by 1/c,
    and by 1/c² under plain or momentum SGD, whose step is proportional to the gradient and so to
    the scale of the weights once more (BinaryConnect, Courbariaux et al. 2015, section 2.5, and
    `W_LR_scale = "Glorot"` of the released code). All other variables keep the plain rate.
    The clip that follows the step is the layer's constraint.

    Made by `glorot_scaled`; the result is an instance of the optimizer's own class too.
    """

    def build(self, variables):
        super().build(variables)
        power = 2 if isinstance(self, keras.optimizers.SGD) else 1
        self._rate_factors = [
            getattr(variable, "glorot_coefficient", 1.0) ** -power for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable, at the rate that is its own."""
        factor = self._rate_factors[self._get_variable_index(variable)]
        return super().update_step(gradient, variable, learning_rate * factor)

    def get_config(self):
        plain = _plain_class(type(self)).from_config(super().get_config())
        return {"optimizer": keras.saving.serialize_keras_object(plain)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return glorot_scaled(keras.optimizers.deserialize(config["optimizer"], custom_objects))


def glorot_scaled(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Return an optimizer like `optimizer` that scales the rate of the quantized kernels.

    See `GlorotScaled` for the equation. Only the settings are taken over, so scale an optimizer
    before it trains. A `LossScaleOptimizer` keeps its place outside.

    Args:
        optimizer: Any Keras optimizer whose step is proportional to its rate, or what
            `keras.optimizers.get` understands.

    Raises:
        ValueError: The optimizer is scaled already, or has begun to train, or another rate would
            not scale its step: Ftrl, ScheduleFreeAdamW, Adafactor with `relative_step`, and Bop,
            which flips kernels at no rate.
    """
    optimizer = keras.optimizers.get(optimizer)
    if isinstance(optimizer, GlorotScaled) or optimizer.built:
        raise ValueError(
            "Invalid value for argument `optimizer`. Expected a fresh optimizer, neither built nor "
            f"scaled. Received: optimizer={optimizer}"
        )
    if type(optimizer).__name__ in _NOT_PROPORTIONAL or getattr(optimizer, "relative_step", False):
        raise ValueError(
            "Invalid value for argument `optimizer`. Expected one whose step is proportional to "
            f"its rate. Received: optimizer={optimizer}"
        )
    config = optimizer.get_config()
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        inner = glorot_scaled(optimizer.inner_optimizer)
        return type(optimizer).from_config(
            {**config, "inner_optimizer": keras.saving.serialize_keras_object(inner)}
        )
    scaled = _scaled_class(type(optimizer))
    # Not scaled.from_config: that one reads a GlorotScaled's config.
    return super(GlorotScaled, scaled).from_config(config)


@functools.cache
def _scaled_class(plain: type) -> type:
    """The class of GlorotScaled before `plain`.

    All of these classes are saved under the one name: `from_config` makes the right one.
    """
    return _register(type("GlorotScaled", (GlorotScaled, plain), {"__module__": __name__}))


def _plain_class(scaled: type) -> type:
    return scaled.__mro__[scaled.__mro__.index(GlorotScaled) + 1]
