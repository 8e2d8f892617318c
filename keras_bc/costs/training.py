"""What one call of a layer multiplies in a training step, by the methods in use."""

import collections
from dataclasses import dataclass

from keras import layers

from keras_bc.calls import Call
from keras_bc.costs import batch_norm, one_bit
from keras_bc.costs.averages import divisions, is_power_of_two
from keras_bc.costs.products import Product, gate_products, products
from keras_bc.quantizers import MagnitudeAware


@dataclass(frozen=True)
class Methods:
    """Which of the methods are in use; see `keras_bc.multiplications.count`."""

    kernel_quantizer: bool | None = None
    input_quantizer: bool | None = None
    backprop_quantizer: bool | None = None
    batch_norm: str | None = None

    def of_call(self, call: Call, batch: int, below: bool, learned: bool):
        """Return the count of a call by phase, or None for a kind that is not known.

        Args:
            call: Of the layer.
            batch: Examples.
            below: Whether its inputs need a gradient.
            learned: Whether it gets an error at all.
        """
        layer, counted = call.layer, collections.Counter()
        found = products(call)
        if isinstance(layer, layers.BatchNormalization):
            counted["element_wise"] = batch_norm.multiplications(call, batch, self.batch_norm)
        elif found:
            for product in found:
                inner = below or not product.reads_call
                counted += self._of_product(product, call, batch, inner, learned)
            # Backward, each factor of a product has its own.
            counted["element_wise"] += (3 if learned else 1) * batch * gate_products(call)
        elif is_trained(layer):
            return None
        counted["element_wise"] += (2 if below else 1) * batch * _factors(call)
        return counted

    def _of_product(self, product: Product, call: Call, batch, below, learned):
        counted = collections.Counter()
        signs = _choose(self.kernel_quantizer, product.signs_only)
        full, outputs = batch * product.macs, batch * product.outputs
        scaled = signs and self.kernel_quantizer is None and not _is_shift(product)
        sign_inputs = self._reads_signs(product, call)
        counted["forward"] = (0 if signs or sign_inputs else full) + (outputs if scaled else 0)
        if below:
            counted["backward"] = (0 if signs else full) + (outputs if scaled else 0)
        if is_trained(product.owner):
            shifts = _choose(self.backprop_quantizer, product.backprop_quantizer is not None)
            counted["weight_gradient"] = 0 if shifts or sign_inputs else full
            if scaled and isinstance(product.kernel_quantizer, MagnitudeAware):
                counted["weight_gradient"] += product.weights
                counted["forward"] += product.channels
            counted["update"] = outputs
        if learned:
            counted["element_wise"] = 2 * outputs
        return counted

    def _reads_signs(self, product: Product, call: Call) -> bool:
        if self.input_quantizer is None:
            return one_bit.reads(product, call)
        # The first layer's inputs are the data, which no quantizer of activations touches.
        data = product.reads_call and _reads_data(call)
        return self.input_quantizer and not data


def _choose(method: bool | None, own: bool) -> bool:
    return own if method is None else method


def _reads_data(call: Call) -> bool:
    """Whether no kernel stands between the model's inputs and this call."""
    return all(
        source is None or (not products(source) and _reads_data(source)) for source in call.sources
    )


def is_trained(owner) -> bool:
    """Whether a step updates weights of a layer or of a cell."""
    return bool(getattr(owner, "trainable_weights", ()))


def _is_shift(product: Product) -> bool:
    """Whether the kernel's scale is a power of two."""
    if isinstance(product.kernel_quantizer, MagnitudeAware):
        return False
    return is_power_of_two(product.kernel_quantizer.scale_of(product.kernel_shape))


def _factors(call: Call) -> int:
    """The outputs of dropout or an average, which one factor multiplies, if it is no shift."""
    dropouts = (layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D)
    if isinstance(call.layer, dropouts):
        return 0 if is_power_of_two(1 - call.layer.rate) else call.outputs_size
    return divisions(call)
