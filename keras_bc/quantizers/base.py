"""What every quantizer is: a forward rule and the gradient that flows back through it."""

from keras import ops

from keras_bc import glorot
from keras_bc.custom_gradient import custom_gradient


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
    """What one deployed value takes."""

    purposes = ("kernel", "inputs")
    """What a layer may quantize with it."""

    def __init__(self, scale: float | str = 1.0):
        glorot.check_scale(scale, "scale")
        self.scale = scale

    def scale_of(self, shape) -> float:
        """Return H as a number for a kernel of this shape."""
        return glorot.resolve(self.scale, shape)

    def for_kernel(self, channel_axes: tuple[int, ...]) -> "Quantizer":
        """Return the quantizer for a kernel whose output channels are told apart by these axes."""
        return self

    def deterministic(self, inputs):
        """Return the quantized inputs without drawing; shape and dtype of `inputs`."""
        raise NotImplementedError

    def forward(self, inputs, uniform=None):
        """Return the quantized inputs of a training step.

        Args:
            inputs: Real weights or activations.
            uniform: If the quantizer draws: numbers in [0, 1) of the shape of `inputs`.
        """
        return self.deterministic(inputs)

    def gradient(self, inputs, upstream):
        """Return the gradient with respect to `inputs`, given the one of the quantized values.

        Here the identity: BinaryConnect updates the real weight by the gradient at the binary one
        (section 2.3, algorithm 1) and masks nothing, because the clip keeps the weight in range.
        """
        return upstream

    def __call__(self, inputs, training: bool | None = None, uniform=None):
        """Quantize.

        Args:
            inputs: Real weights or activations.
            training: Whether to quantize as a training step does. False is inference: a plain graph
                without a gradient trick. None, as where Keras takes a quantizer for an activation
                function, is the rule of inference with the gradient of training.
            uniform: As in `forward`.

        Raises:
            ValueError: A draw is wanted without `uniform`.
        """
        # Variables become tensors: TensorFlow asks more of gradients of functions of variables.
        inputs = ops.cast(inputs, inputs.dtype)
        if training is None:
            return self._with_gradient(self.deterministic)(inputs)
        if not training:
            return self.deterministic(inputs)
        if not self.draws:
            return self._with_gradient(self.forward)(inputs)
        if uniform is None:
            raise ValueError(
                "Invalid value for argument `uniform`. Expected uniform numbers of the shape of "
                f"the inputs, which {type(self).__name__} draws with. Received: uniform=None"
            )
        return self._with_gradient(self.forward)(inputs, uniform)

    def _with_gradient(self, rule):
        @custom_gradient
        def quantize(inputs, *uniform):
            def gradient(upstream):
                gradients = (self.gradient(inputs, upstream), *map(ops.zeros_like, uniform))
                return gradients if uniform else gradients[0]

            return rule(inputs, *uniform), gradient

        return quantize

    def get_config(self):
        return {"scale": self.scale}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def signs(inputs, scale: float = 1.0):
    """Return +scale where the input is >= 0, otherwise -scale; sign(0) = +1."""
    scale = ops.cast(scale, inputs.dtype)
    return ops.where(ops.greater_equal(inputs, 0), scale, -scale)


def drawn_signs(inputs, uniform, scale: float = 1.0):
    """Return +scale with probability clip((x / scale + 1) / 2, 0, 1), otherwise -scale."""
    # uniform < clip((x/H + 1) / 2, 0, 1), solved for x: uniform lies in [0, 1), so the clip is
    # implied, and one multiplication and one comparison are left. Compared as float32: rounded to
    # half precision some draws would be scale itself, and miss an input that is.
    threshold = ops.subtract(ops.multiply(uniform, 2 * scale), scale)
    scale = ops.cast(scale, inputs.dtype)
    return ops.where(ops.less(threshold, inputs), scale, -scale)
