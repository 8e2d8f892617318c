"""AP2: the nearest power of two, which turns a multiplication into a binary shift."""

from keras import ops

_MANTISSA_BITS = 23
_POWERS = -(1 << _MANTISSA_BITS)
"""Masks a float32's sign and exponent."""
_TO_ROUND = (1 << _MANTISSA_BITS) - 0x3504F4
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
    # The added axis is for `view`, which on TensorFlow asks for a last axis of known length.
    exact = ops.expand_dims(ops.cast(x, "float32"), -1)
    bits = ops.bitwise_and(ops.add(ops.view(exact, "int32"), _TO_ROUND), _POWERS)
    powers = ops.squeeze(ops.view(bits, "float32"), -1)
    return ops.where(ops.isnan(x), x, ops.cast(powers, x.dtype))
