"""Optimizers for networks of few-bit weights.

The module `glorot_scaled` has the name of its function, which is what this package's attribute is.
"""

from keras_bc.optimizers.bop import Bop
from keras_bc.optimizers.glorot_scaled import GlorotScaled, glorot_scaled
from keras_bc.optimizers.shift_adamax import ShiftAdaMax

__all__ = ["Bop", "GlorotScaled", "ShiftAdaMax", "glorot_scaled"]
