"""Quantized back-propagation: weight gradients without multiplications.

The gradient of a kernel is a sum of products of the layer's inputs and the errors that come back to
its outputs. Where the inputs in it are powers of two, each product is a shift (Neural Networks
with Few Multiplications, Lin et al. 2016, section 4). The forward pass and the error that goes on
to the layer below keep the inputs as they are.
"""

import keras
from keras import ops

from keras_bc.custom_gradient import custom_gradient
from keras_bc.powers_of_two import MANTISSA_BITS, carried


@keras.saving.register_keras_serializable(package="keras_bc")
class PowerOfTwo:
    """Replaces x by sign(x) * 2^(e + Bernoulli(|x| / 2^e - 1)), e = floor(log2 |x|).

    Its expectation is x where min_exponent <= log2 |x| <= max_exponent. Beyond, the exponent is
    clipped: larger magnitudes become 2^max_exponent; smaller ones are drawn between 0 and
    2^min_exponent, which keeps their expectation, and zero stays zero. (The released code makes
    2^min_exponent of them, with a minus for zero, in convolutions, and does not clip in dense
    layers.)

    Args:
        min_exponent: Least power: -3 is a shift by three bits to the right, as in the paper.
        max_exponent: Greatest power: 4 is a shift by four bits to the left, as in the paper.

    Raises:
        ValueError: They are no integers within [-126, 127], or the range is empty.
    """

    def __init__(self, min_exponent: int = -3, max_exponent: int = 4):
        whole = isinstance(min_exponent, int) and isinstance(max_exponent, int)
        if not whole or not -126 <= min_exponent <= max_exponent <= 127:
            raise ValueError(
                "Invalid value for arguments `min_exponent` and `max_exponent`. Expected integers "
                "within [-126, 127], the first not greater. Received: "
                f"min_exponent={min_exponent!r}, max_exponent={max_exponent!r}"
            )
        self.min_exponent, self.max_exponent = min_exponent, max_exponent

    def __call__(self, inputs, uniform):
        """Return the inputs as signed powers of two.

        Args:
            inputs: The inputs of a layer.
            uniform: Numbers in [0, 1) of their shape.

        Returns:
            A tensor of their shape and dtype, in it 0 and signed powers of two alone.
        """
        magnitude = ops.cast(ops.abs(inputs), "float32")
        least = ops.cast(2.0**self.min_exponent, "float32")
        greatest = ops.cast(2.0**self.max_exponent, "float32")
        # |x| / 2^e - 1 is the mantissa: it carries into the exponent with just that probability.
        draw = ops.cast(ops.multiply(uniform, 2.0**MANTISSA_BITS), "int32")
        power = carried(magnitude, ops.subtract(2**MANTISSA_BITS - 1, draw))
        drawn = ops.greater(magnitude, ops.multiply(uniform, least))
        small = ops.where(drawn, least, ops.zeros_like(least))
        power = ops.where(ops.less(magnitude, least), small, ops.minimum(power, greatest))
        return ops.multiply(ops.sign(inputs), ops.cast(power, inputs.dtype))

    def get_config(self):
        return {"min_exponent": self.min_exponent, "max_exponent": self.max_exponent}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def get(identifier) -> PowerOfTwo | None:
    """Return what "power_of_two", a saved config, an object or None stands for.

    Raises:
        ValueError: It stands for nothing.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if identifier is None or isinstance(identifier, PowerOfTwo):
        return identifier
    if identifier == "power_of_two":
        return PowerOfTwo()
    raise ValueError(
        "Invalid value for argument `backprop_quantizer`. Expected None, 'power_of_two' or a "
        f"PowerOfTwo. Received: backprop_quantizer={identifier!r}"
    )


def bilinear(product, inputs, weights, inputs_in_gradient):
    """Return product(inputs, weights), with other inputs in the gradient of the weights.

    Args:
        product: A function of inputs and weights, linear in each, such as `keras.ops.matmul`.
        inputs: Its first argument, and in the gradient of the inputs alone the weights.
        weights: Its second argument.
        inputs_in_gradient: What stands for the inputs in the gradient of the weights.
    """
    forward = product(inputs, ops.stop_gradient(weights))
    # Only the gradient of this product is wanted; a compiler drops its value, which is not used.
    weight_path = product(ops.stop_gradient(inputs_in_gradient), weights)
    return _first(forward, weight_path)


@custom_gradient
def _first(first, second):
    """The first of two tensors; both get its gradient."""
    return first, lambda upstream: (upstream, upstream)
