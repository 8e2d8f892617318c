"""What batch normalization multiplies in a training step.

With B values a channel, m their mean, v their variance, r = 1/sqrt(v + epsilon), n = (x - m) r, and
g the gradient of the output, the equations of Batch Normalization (Ioffe and Szegedy 2015,
algorithm 1 and section 3) as printed take

    forward    m = sum x / B, v = sum (x - m)² / B                      1 a value, 2 a channel
               n = (x - m) r, y = gamma n + beta                        2 a value
    backward   dn = g gamma, dgamma = sum g n                           2 a value
               dv = sum dn (x - m) · r² r / -2                          1 a value, 3 a channel
               dm = -sum dn r + dv · -2 sum (x - m) / B                 1 a value, 2 a channel
               dx = dn r + (2 dv / B) (x - m) + dm / B                  2 a value, 2 a channel

multiplications: 9 for each value and 9 for each channel. Halves and doubles are shifts; roots and
reciprocals are not counted, nor are running averages. Libraries need fewer: the second term of
dm is zero, and dn r is there twice.

Shift-based batch norm leaves the divisions by B of its four means, where B is no power of two.
"""

from keras import layers

from keras_bc.calls import Call
from keras_bc.costs.averages import is_power_of_two
from keras_bc.layers.normalization import ShiftBatchNormalization

KINDS = ("none", "plain", "shift")


def multiplications(call: Call, batch_size: int, kind: str | None = None) -> int:
    """Return the count of a batch norm, forward and backward.

    Args:
        call: Of the batch norm.
        batch_size: Examples.
        kind: One of `KINDS`, instead of what the layer is.
    """
    layer: layers.BatchNormalization = call.layer
    kind = kind or ("shift" if isinstance(layer, ShiftBatchNormalization) else "plain")
    if kind == "none":
        return 0
    rank = 1 + len(call.output_shape)
    channels = call.output_shape[layer.axis % rank - 1]
    values = batch_size * call.outputs_size
    if kind == "shift":
        return 0 if is_power_of_two(values / channels) else 4 * channels
    # Without gamma, y, dn and dgamma take none.
    return (9 if layer.scale else 6) * values + 9 * channels
