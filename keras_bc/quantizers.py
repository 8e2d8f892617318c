"""Quantizers: how a real weight becomes the few-bit weight that the network multiplies by.

A quantizer owns three things and a layer only uses them:

- `deterministic(inputs)`: the rule of inference, export and the chip;
- `forward(inputs, uniform)`: the rule of a training step, the same unless the quantizer draws;
- `gradient(inputs, upstream)`: what flows back through either.

A new quantizer is a subclass with a forward rule, registered for saving and named in `_BY_NAME`.
Layers take it by name or as an object: `BinaryDense(10, kernel_quantizer="stochastic_binary")`.
"""

import keras
from keras import ops

from keras_bc import glorot


class Quantizer:
    """Base class: a forward rule and its straight-through gradient.

    Args:
        scale: H, the magnitude of the quantized values: a positive number, or "glorot" for
            `sqrt(1.5 / (fan_in + fan_out))` of the kernel. The default 1.0 is that of the released
            BinaryConnect code.

    Raises:
        ValueError: The scale is neither.
    """

    draws = False
    """Whether `forward` needs uniform draws."""

    bits = 1
    """What one deployed weight takes."""

    def __init__(self, scale: float | str = 1.0):
        glorot.check_scale(scale, "scale")
        self.scale = scale

    def scale_of(self, shape) -> float:
        """Return H as a number for a kernel of this shape."""
        return glorot.resolve(self.scale, shape)

    def deterministic(self, inputs):
        """Return the quantized inputs without drawing; shape and dtype of `inputs`."""
        raise NotImplementedError

    def forward(self, inputs, uniform=None):
        """Return the quantized inputs of a training step.

        Args:
            inputs: Real weights.
            uniform: If the quantizer draws: numbers in [0, 1) of the shape of `inputs`.
        """
        return self.deterministic(inputs)

    def gradient(self, inputs, upstream):
        """Return the gradient with respect to `inputs`, given the one of the quantized values.

        Here the identity: BinaryConnect updates the real weight by the gradient at the binary one
        (section 2.3, algorithm 1) and masks nothing, because the clip keeps the weight in range.
        """
        return upstream

    def __call__(self, inputs, training: bool = False, uniform=None):
        """Quantize; the gradient is attached in training only, so inference is a plain graph."""
        # Variables become tensors: TensorFlow asks more of gradients of functions of variables.
        inputs = ops.cast(inputs, inputs.dtype)
        if not training:
            return self.deterministic(inputs)
        arguments = (inputs, uniform) if self.draws else (inputs,)
        return self._with_gradient()(*arguments)

    def _with_gradient(self):
        @ops.custom_gradient
        def quantize(inputs, *uniform):
            def gradient(*arguments, upstream=None):
                # TensorFlow and JAX pass the upstream gradient by position, PyTorch by name.
                upstream = arguments[0] if upstream is None else upstream
                gradients = (self.gradient(inputs, upstream), *map(ops.zeros_like, uniform))
                return gradients if uniform else gradients[0]

            return self.forward(inputs, *uniform), gradient

        return quantize

    def get_config(self):
        return {"scale": self.scale}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_bc")
class Binary(Quantizer):
    """Deterministic binarization: +H where the weight is >= 0, otherwise -H.

    BinaryConnect, section 2.2, equation 1, with sign(0) = +1.
    """

    def deterministic(self, inputs):
        scale = ops.cast(self.scale_of(inputs.shape), inputs.dtype)
        return ops.where(ops.greater_equal(inputs, 0), scale, -scale)


@keras.saving.register_keras_serializable(package="keras_bc")
class StochasticBinary(Binary):
    """Stochastic binarization: +H with probability clip((w/H + 1) / 2, 0, 1), otherwise -H.

    BinaryConnect, section 2.2, equations 2 and 3. Only training steps draw; without a draw it is
    `Binary`.
    """

    draws = True

    def forward(self, inputs, uniform=None):
        scale = self.scale_of(inputs.shape)
        # uniform < clip((w/H + 1) / 2, 0, 1), solved for w: uniform lies in [0, 1), so the clip is
        # implied, and one multiplication and one comparison are left.
        threshold = ops.cast(ops.subtract(ops.multiply(uniform, 2 * scale), scale), inputs.dtype)
        scale = ops.cast(scale, inputs.dtype)
        return ops.where(ops.less(threshold, inputs), scale, -scale)


@keras.saving.register_keras_serializable(package="keras_bc")
class Ternary(Quantizer):
    """Deterministic ternarization: sign(w) H where |w| > threshold H, otherwise 0.

    Neural Networks with Few Multiplications (Lin et al. 2016), section 3.1, draws; this is the
    likeliest of three equal parts of [-H, H], which inference and the chip use.

    Args:
        scale: H, as in `Quantizer`.
        threshold: In [0, 1), a share of H.

    Raises:
        ValueError: The scale or the threshold is not such.
    """

    bits = 2

    def __init__(self, scale: float | str = 1.0, threshold: float = 1 / 3):
        super().__init__(scale)
        if not 0 <= threshold < 1:
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
        drawn = ops.cast(ops.multiply(uniform, scale), inputs.dtype)
        return _signed(ops.less(drawn, ops.abs(inputs)), inputs, scale)


def _signed(passes, inputs, scale: float):
    """sign(inputs) * scale where it passes, otherwise 0."""
    scale = ops.cast(scale, inputs.dtype)
    sign = ops.where(ops.greater_equal(inputs, 0), scale, -scale)
    return ops.where(passes, sign, ops.zeros_like(inputs))


_BY_NAME = {
    "binary": Binary,
    "stochastic_binary": StochasticBinary,
    "ternary": Ternary,
    "stochastic_ternary": StochasticTernary,
}
"""By the names that layers take."""


def get(identifier) -> Quantizer:
    """Return the quantizer that a name, a saved config or an object stands for.

    Raises:
        ValueError: It stands for none.
    """
    if isinstance(identifier, Quantizer):
        return identifier
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    raise ValueError(
        "Invalid value for argument `quantizer`. Expected a Quantizer or one of "
        f"{', '.join(map(repr, _BY_NAME))}. Received: quantizer={identifier!r}"
    )


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
