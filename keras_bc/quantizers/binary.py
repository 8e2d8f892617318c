"""One-bit weights: BinaryConnect's two rules, and signs that keep a magnitude a channel."""

import keras
from keras import ops

from keras_bc.quantizers.base import Quantizer, drawn_signs, signs


@keras.saving.register_keras_serializable(package="keras_bc")
class Binary(Quantizer):
    """Deterministic binarization: +H where the weight is >= 0, otherwise -H.

    BinaryConnect, section 2.2, equation 1, with sign(0) = +1.
    """

    purposes = ("kernel",)

    def deterministic(self, inputs):
        return signs(inputs, self.scale_of(inputs.shape))


@keras.saving.register_keras_serializable(package="keras_bc")
class StochasticBinary(Binary):
    """Stochastic binarization: +H with probability clip((w/H + 1) / 2, 0, 1), otherwise -H.

    BinaryConnect, section 2.2, equations 2 and 3. Only training steps draw; without a draw it is
    `Binary`.
    """

    draws = True

    def forward(self, inputs, uniform=None):
        return drawn_signs(inputs, uniform, self.scale_of(inputs.shape))


@keras.saving.register_keras_serializable(package="keras_bc")
class MagnitudeAware(Quantizer):
    """Scaled signs: sign(w) times the mean |w| of the output channel.

    The gradient takes the scale as a constant: dL/dw = scale * dL/dq where |w| <= 1, else 0
    (Bi-Real Net, Liu et al. 2018, section 3.3; the scale is XNOR-Net's, Rastegari et al. 2016,
    section 3.1).

    Args:
        channel_axes: The axes that tell output channels apart. None: the layer's own, and -1
            outside of one.

    Raises:
        ValueError: They are none of these.
    """

    purposes = ("kernel",)

    def __init__(self, channel_axes: int | tuple[int, ...] | None = None):
        axes = (channel_axes,) if isinstance(channel_axes, int) else channel_axes
        if axes is not None and (not axes or not {-2, -1}.issuperset(axes)):
            raise ValueError(
                "Invalid value for argument `channel_axes`. Expected None, -1, -2 or (-2, -1). "
                f"Received: channel_axes={channel_axes!r}"
            )
        super().__init__()
        self.channel_axes = None if axes is None else tuple(axes)

    def for_kernel(self, channel_axes):
        return type(self)(channel_axes) if self.channel_axes is None else self

    def deterministic(self, inputs):
        return ops.multiply(signs(inputs), self._magnitudes(inputs))

    def gradient(self, inputs, upstream):
        scaled = ops.multiply(upstream, self._magnitudes(inputs))
        return ops.where(ops.less_equal(ops.abs(inputs), 1), scaled, ops.zeros_like(scaled))

    def _magnitudes(self, inputs):
        axes = set(range(-len(inputs.shape), 0)).difference(self.channel_axes or (-1,))
        return ops.mean(ops.abs(inputs), axis=tuple(axes), keepdims=True)

    def get_config(self):
        return {"channel_axes": self.channel_axes}
