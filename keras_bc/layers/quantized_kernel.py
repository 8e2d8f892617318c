"""What all layers with a quantized kernel share: three views of one weight.

- *real*: the float weights that the optimizer updates (`layer.kernel`);
- *propagated*: what a training step multiplies by, drawn afresh if the quantizer draws;
- *deployed*: the deterministic weights that inference uses and export packs.
"""

import random
import warnings

import keras
import numpy as np
from keras import ops

from keras_bc import draws, glorot, quantizers
from keras_bc.constraints import WeightClip

WEIGHTS_MODES = ("deployed", "real")


class QuantizedKernel:
    """Mixin, to stand before the Keras layer whose kernel it quantizes.

    Args:
        kernel_quantizer: A `Quantizer`, by name or as an object.
        kernel_constraint: "clip" is the `WeightClip` that matches the quantizer's scale. Anything
            else replaces it, and without a clip real weights drift out of reach: that warns.
        seed: Of the draws. By default taken from Python's `random`, which
            `keras.utils.set_random_seed` seeds, and then saved with the layer. The draws depend
            on the layer's name too: layers of different names draw differently even with the same
            seed, and who wants the same draws again in one process gives the layer a name, since
            Keras numbers its own on and on.
        kwargs: For the Keras layer.

    Raises:
        ValueError: The quantizer is unknown.
    """

    def __init__(self, *args, kernel_quantizer, kernel_constraint, seed, **kwargs):
        self.kernel_quantizer = quantizers.get(kernel_quantizer)
        if kernel_constraint == "clip":
            kernel_constraint = WeightClip(self.kernel_quantizer.scale)
        super().__init__(*args, kernel_constraint=kernel_constraint, **kwargs)
        self.seed = random.randrange(2**31) if seed is None else seed
        self._weights_mode = "deployed"
        self._draw_counter = None
        if self.kernel_constraint is None:
            warnings.warn(
                f"Layer '{self.name}' has no kernel_constraint: without the clip its real weights "
                "can grow to where their signs no longer change. Leave out `kernel_constraint` to "
                "get the matching WeightClip.",
                stacklevel=3,
            )

    def build(self, input_shape):
        super().build(input_shape)
        if self.kernel_quantizer.draws:
            self._draw_counter = self.add_weight(
                name="draw_counter",
                shape=(),
                initializer="zeros",
                dtype="uint32",
                trainable=False,
                aggregation="only_first_replica",
            )

    def add_weight(self, *args, name=None, **kwargs):
        """Add a weight; the kernel keeps its float32 in mixed precision and knows its fans."""
        if name != "kernel":
            return super().add_weight(*args, name=name, **kwargs)
        # Half precision would round the probabilities of the draws; only the result is cast.
        kernel = super().add_weight(*args, name=name, autocast=False, **kwargs)
        kernel.glorot_coefficient = glorot.coefficient(kernel.shape)
        return kernel

    @property
    def weights_mode(self) -> str:
        """What inference multiplies by: "deployed" (the default) or "real" weights.

        A compiled `predict` or `evaluate` keeps the mode that it was traced with;
        `keras_bc.evaluate` takes care of that.
        """
        return self._weights_mode

    @weights_mode.setter
    def weights_mode(self, mode: str):
        if mode not in WEIGHTS_MODES:
            raise ValueError(
                f"Invalid value for argument `weights_mode`. Expected one of {WEIGHTS_MODES}. "
                f"Received: weights_mode={mode!r}"
            )
        self._weights_mode = mode

    def deployed_kernel(self) -> np.ndarray:
        """Return the deployed weights, e.g. +H and -H, in the shape of the kernel, as float32."""
        return ops.convert_to_numpy(self.kernel_quantizer(self.kernel))

    def sampled_kernel(self, number: int) -> np.ndarray:
        """Return sample `number` (from 0) of the drawn weights, as float32.

        Samples have a stream of their own, so taking them changes nothing in a training. Where the
        quantizer does not draw they are the deployed weights.
        """
        if not self.kernel_quantizer.draws:
            return self.deployed_kernel()
        stream = draws.stream(self.seed, f"{self.name}/sample")
        uniform = draws.uniform(self.kernel.shape, stream, number)
        return ops.convert_to_numpy(
            self.kernel_quantizer(self.kernel, training=True, uniform=uniform)
        )

    def propagated_kernel(self, training: bool):
        """Return the weights that this call multiplies by, in the layer's compute dtype."""
        if training:
            kernel = self.kernel_quantizer(self.kernel, training=True, uniform=self._draw())
        elif self.weights_mode == "deployed":
            kernel = self.kernel_quantizer(self.kernel)
        else:
            kernel = self.kernel
        return ops.cast(kernel, self.compute_dtype)

    def _draw(self):
        if not self.kernel_quantizer.draws:
            return None
        stream = draws.stream(self.seed, self.name)
        uniform = draws.uniform(self.kernel.shape, stream, self._draw_counter.value)
        self._draw_counter.assign_add(1)
        return uniform

    # Keras's Dense and convolutions list the weights that they save one by one; the plain layer
    # saves all that there are, the draw counter too.
    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_quantizer": quantizers.serialize(self.kernel_quantizer),
            "seed": self.seed,
        }
