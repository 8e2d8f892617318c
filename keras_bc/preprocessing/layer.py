"""What all layers that preprocess images share."""

import keras


class PreprocessingLayer(keras.layers.Layer):
    """A layer whose output has the shape of its input.

    Args:
        dtype: What it computes in, whatever Keras's global policy.
        kwargs: Of `keras.layers.Layer`.
    """

    def __init__(self, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
