"""The papers' preprocessing of images, as Keras layers.

A layer that learns from the data has a method `adapt(x)`, to be called with the training images
alone; until then it changes nothing. `fit` adapts layers one after another:

    whitening = preprocessing.fit(
        [preprocessing.GlobalContrastNormalization(), preprocessing.ZCAWhitening()], images
    )
    whitening.save("whitening.keras")
    x = keras.saving.load_model("whitening.keras")(image[None])

All work in float32 whatever Keras's global policy, unless told otherwise: half precision has too
few digits for pixels from 0 to 255.
"""

from keras_bc.preprocessing.centering import PixelCentering
from keras_bc.preprocessing.fitting import apply, fit
from keras_bc.preprocessing.global_contrast import GlobalContrastNormalization
from keras_bc.preprocessing.local_contrast import LocalContrastNormalization
from keras_bc.preprocessing.whitening import ZCAWhitening

__all__ = [
    "GlobalContrastNormalization",
    "LocalContrastNormalization",
    "PixelCentering",
    "ZCAWhitening",
    "apply",
    "fit",
]
