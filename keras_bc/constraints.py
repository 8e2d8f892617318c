"""The clip that keeps real weights where a sign can still change."""

import keras
from keras import ops

from keras_bc import glorot


@keras.saving.register_keras_serializable(package="keras_bc")
class WeightClip(keras.constraints.Constraint):
    """Clips weights to [-limit, limit] after each update.

    A binary weight is the sign of a real one. Beyond the scale H the real weight could grow without
    changing the network, and would then need as many steps to come back
    (BinaryConnect, Courbariaux et al. 2015, section 2.4).

    Args:
        limit: A positive number, or "glorot" for `sqrt(1.5 / (fan_in + fan_out))` of the weights
            that it is applied to.

    Raises:
        ValueError: The limit is neither.
    """

    def __init__(self, limit: float | str = 1.0):
        glorot.check_scale(limit, "limit")
        self.limit = limit

    def __call__(self, w):
        limit = glorot.resolve(self.limit, w.shape)
        return ops.clip(w, -limit, limit)

    def get_config(self):
        return {"limit": self.limit}
