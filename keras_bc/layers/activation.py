"""The one-bit activation as a layer of its own."""

import keras

from keras_bc import quantizers
from keras_bc.layers.drawing import Drawing


@keras.saving.register_keras_serializable(package="keras_bc")
class SignActivation(Drawing, keras.layers.Layer):
    """One-bit activation: +1 where x >= 0, otherwise -1.

    Binarized Neural Networks (Courbariaux et al. 2016), section 1.1. What follows it computes with
    one-bit inputs, as with `input_quantizer="sign"`.

    Args:
        quantizer: "sign" (gradient 1 where |x| <= 1, otherwise 0), "stochastic_sign" (in training
            +1 with probability clip((x + 1) / 2, 0, 1)), "approx_sign", "swish_sign", or a
            `keras_bc.quantizers.Quantizer`.
        seed: Integer, of the draws; see `Drawing`.
        kwargs: Name, dtype and the like.

    Input shape: any. Output shape: the same.

    Raises:
        ValueError: The quantizer is unknown.

    Example:

    >>> keras.ops.convert_to_numpy(keras_bc.SignActivation()(np.array([-0.5, 0.0, 2.0])))
    array([-1.,  1.,  1.], dtype=float32)
    """

    def __init__(self, quantizer="sign", seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.quantizer = quantizers.get(quantizer, purpose="inputs")
        self.supports_masking = True

    def build(self, input_shape):
        if self.quantizer.draws:
            self.add_draw_counter()

    def call(self, inputs, training=False):
        if not (training and self.quantizer.draws):
            return self.quantizer(inputs, training=bool(training))
        uniform = self.uniform_like(inputs)
        self.count_draw()
        return self.quantizer(inputs, training=True, uniform=uniform)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "quantizer": quantizers.serialize(self.quantizer)}
