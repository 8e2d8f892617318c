"""What all layers with a quantized kernel share: three views of one weight.

- *real*: the float weights that the optimizer updates (`layer.kernel`);
- *propagated*: what a training step multiplies by, drawn afresh if the quantizer draws;
- *deployed*: the deterministic weights that inference uses and export packs.
"""

import warnings

import keras
import numpy as np
from keras import ops

from keras_bc import backprop, draws, glorot, quantizers
from keras_bc.constraints import WeightClip
from keras_bc.layers.drawing import Drawing

WEIGHTS_MODES = ("deployed", "real")


class QuantizedKernel(Drawing):
    """Mixin, to stand before the Keras layer whose kernel it quantizes.

    A subclass says what its product is: `_product(inputs, kernel)`.

    Args:
        kernel_quantizer: A `keras_bc.quantizers.Quantizer`, by name or as an object: "binary" is
            deterministic BinaryConnect, "stochastic_binary", "ternary", "stochastic_ternary" and
            the others are listed there.
        kernel_constraint: "clip" is the `WeightClip` that matches the quantizer's scale. Anything
            else replaces it, and without a clip real weights drift out of reach: that warns.
        input_quantizer: None, or a `Quantizer` of the inputs: "sign" or "stochastic_sign" for
            Binarized Neural Networks.
        backprop_quantizer: None, or "power_of_two" or a `keras_bc.backprop.PowerOfTwo` for
            quantized back-propagation: the inputs in the kernel's gradient become powers of two.
        seed: Integer, of the draws; see `Drawing`.
        args, kwargs: For the Keras layer.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.
    """

    def __init__(
        self,
        *args,
        kernel_quantizer="binary",
        kernel_constraint="clip",
        input_quantizer=None,
        backprop_quantizer=None,
        seed=None,
        **kwargs,
    ):
        quantizer = quantizers.get(kernel_quantizer, "kernel_quantizer", "kernel")
        self.kernel_quantizer = quantizer.for_kernel(self.channel_axes)
        if kernel_constraint == "clip":
            kernel_constraint = WeightClip(self.kernel_quantizer.scale)
        kwargs[self._constraint_argument] = kernel_constraint
        super().__init__(*args, seed=seed, **kwargs)
        if input_quantizer is not None:
            input_quantizer = quantizers.get(input_quantizer, "input_quantizer", "inputs")
        self.input_quantizer = input_quantizer
        self.backprop_quantizer = backprop.get(backprop_quantizer)
        self._weights_mode = "deployed"
        if kernel_constraint is None:
            warnings.warn(
                f"Layer '{self.name}' has no kernel_constraint: without the clip its real weights "
                "can grow to where their signs no longer change. Leave out `kernel_constraint` to "
                "get the matching WeightClip.",
                stacklevel=2,
            )

    channel_axes = (-1,)
    """The kernel's axes that tell output channels apart."""

    _constraint_argument = "kernel_constraint"
    """What the Keras layer calls its kernel's constraint."""

    def build(self, input_shape):
        super().build(input_shape)
        if self._draws:
            self.add_draw_counter()

    @property
    def _draws(self) -> bool:
        """Whether a training call draws anything."""
        drawing = self.backprop_quantizer is not None or self.kernel_quantizer.draws
        return drawing or (self.input_quantizer is not None and self.input_quantizer.draws)

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
        return ops.convert_to_numpy(self.kernel_quantizer(self.kernel, training=False))

    def sampled_kernel(self, number: int) -> np.ndarray:
        """Return sample `number` (from 0) of the drawn weights, as float32.

        Samples have a stream of their own, so taking them changes nothing in a training. Where the
        quantizer does not draw they are the deployed weights.
        """
        if not self.kernel_quantizer.draws:
            return self.deployed_kernel()
        uniform = draws.uniform(self.kernel.shape, self.stream("sample"), number)
        return ops.convert_to_numpy(
            self.kernel_quantizer(self.kernel, training=True, uniform=uniform)
        )

    def propagated_kernel(self, training: bool):
        """Return the weights that this call multiplies by, in the layer's compute dtype."""
        if training:
            kernel = self._quantize(self.kernel_quantizer, self.kernel, training, "")
            self.count_draw()
        elif self.weights_mode == "deployed":
            kernel = self.kernel_quantizer(self.kernel, training=False)
        else:
            kernel = self.kernel
        return ops.cast(kernel, self.compute_dtype)

    def call(self, inputs, training=False):
        if self.input_quantizer is not None:
            inputs = self._quantize(self.input_quantizer, inputs, training, "inputs")
        shifts = self.shifts(inputs, training)  # before the next draw is counted
        outputs = self.multiplied(inputs, self.propagated_kernel(training), shifts)
        if self.use_bias:
            outputs = ops.add(outputs, self._bias_like(outputs))
        return outputs if self.activation is None else self.activation(outputs)

    def shifts(self, inputs, training: bool):
        """Return the powers of two for the inputs in the kernel's gradient; None for no others."""
        if not training or self.backprop_quantizer is None:
            return None
        return self.backprop_quantizer(inputs, self.uniform_like(inputs, "backprop"))

    def multiplied(self, inputs, kernel, shifts):
        """Return the product of what `call` gets, `propagated_kernel` and `shifts` gave."""
        if shifts is None:
            return self._product(inputs, kernel)
        return backprop.bilinear(self._product, inputs, kernel, shifts)

    def _quantize(self, quantizer, tensor, training, purpose):
        draw = training and quantizer.draws
        uniform = self.uniform_like(tensor, purpose) if draw else None
        return quantizer(tensor, training=bool(training), uniform=uniform)

    def _product(self, inputs, kernel):
        """The layer's linear operation."""
        raise NotImplementedError

    def _bias_like(self, outputs):
        if getattr(self, "data_format", "channels_last") == "channels_last":
            return self.bias
        return ops.reshape(self.bias, (-1,) + (1,) * (len(outputs.shape) - 2))

    # Keras's Dense and convolutions list the weights that they save one by one; the plain layer
    # saves all that there are, the draw counter too.
    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self):
        config = super().get_config()
        return {
            "kernel_constraint": config.pop(self._constraint_argument),
            **config,
            "kernel_quantizer": quantizers.serialize(self.kernel_quantizer),
            "input_quantizer": _config(self.input_quantizer),
            "backprop_quantizer": _config(self.backprop_quantizer),
        }


def _config(quantizer) -> dict | None:
    return None if quantizer is None else keras.saving.serialize_keras_object(quantizer)
