"""AP2: the nearest power of two, which turns a multiplication into a binary shift."""

from keras import ops

MANTISSA_BITS = 23
_POWERS = -(1 << MANTISSA_BITS)
"""Masks a float32's sign and exponent."""
_TO_ROUND = (1 << MANTISSA_BITS) - 0x3504F4
"""0x3504F4 is the mantissa of the first float32 above sqrt(2): with this added, it carries."""


def ap2(x):
    """Return the power of two that is nearest to x on a logarithmic scale, with the sign of x.

    `AP2(x) = sign(x) * 2^round(log2|x|)`, and AP2(0) = 0: x rounds up from sqrt(2) * 2^k on
    (Binarized Neural Networks, Courbariaux et al. 2016, section 1.4).

    Powers of two are exact: a float32 with no mantissa is one, so this rounds the bits of x at
    sqrt(2) and drops the mantissa. Logarithms and powers in floating point would miss some, on XLA
    for one. No gradient flows through it; who wants one defines it.

    Args:
        x: A tensor of any shape. Half and double precision are rounded as float32.

    Returns:
        A tensor of the shape and dtype of `x`. Infinities and NaN stay. A magnitude below 2^-126
        becomes 0 or 2^-126, and one from sqrt(2) * 2^127 on becomes infinite.
    """
    x = ops.convert_to_tensor(x)
    powers = carried(ops.cast(x, "float32"), _TO_ROUND)
    return ops.where(ops.isnan(x), x, ops.cast(powers, x.dtype))


def carried(x, increment):
    """Return x with `increment` added to its mantissa, which may carry, and then without mantissa.

    Args:
        x: A float32 tensor.
        increment: Integers from 0 to 2^23 - 1, of the shape of `x` or one for all. A mantissa m
            carries, and doubles the power, if m + increment >= 2^23.
    """
    # The added axis is for `view`, which on TensorFlow asks for a last axis of known length.
    bits = ops.squeeze(ops.view(ops.expand_dims(x, -1), "int32"), -1)
    bits = ops.bitwise_and(ops.add(bits, increment), _POWERS)
    return ops.squeeze(ops.view(ops.expand_dims(bits, -1), "float32"), -1)
