"""The multiplications of one training step, with and without each method.

For a layer of N inputs and M outputs, h its activation, δ the error that comes back to it and η the
learning rate, one example takes (Neural Networks with Few Multiplications, Lin et al. 2016,
sections 3 and 4)

    forward                  h(W x + b)                            N M
    weight gradient          ΔW = η [δ ∘ h'] xᵀ,  Δb = η [δ ∘ h']  N M
    gradient of the inputs   [Wᵀ δ] ∘ h'                           N M
    element-wise             the two ∘                             2 M
    update                   η, a factor of the M errors           M

Few-bit weights W leave sign changes of the first and the third, and signs or powers of two for x
of the second. The paper counts 2 M of ∘ although the h' of ReLU and of a sign are 0 or 1, and so
does this. A convolution takes one N M at each place, and M is the values of its outputs.

The paper's table, of 784-3x1024-10 and 200 examples, with K = Σ N M = 2,910,208 and Σ M = 3,082:

    full precision      3 · 200 K + 3 · 200 Σ M = 1.7480e9      with batch norm  1.7535e9
    ternary, quantized              3 · 200 Σ M = 1.8492e6      with batch norm  7.4245e6

and `count` gives these to all printed digits, with `input_gradient=True`: the paper counts the
gradient of the images, too. What it counts for batch norm we take from its numbers: 9 for each
value and 9 for each channel give them, and the printed equations of batch norm take as many (see
`keras_bc.costs.batch_norm`).

Not counted: the loss, the functions of activations, and draws.
"""

import collections
import math

import keras

from keras_bc.calls import calls
from keras_bc.costs.batch_norm import KINDS
from keras_bc.costs.training import Methods, is_trained

PHASES = ("forward", "backward", "weight_gradient", "element_wise", "update")


def count(
    model: keras.Model,
    batch_size: int,
    *,
    kernel_quantizer: bool | None = None,
    input_quantizer: bool | None = None,
    backprop_quantizer: bool | None = None,
    batch_norm: str | None = None,
    input_gradient: bool = False,
    update_per_weight: int | None = None,
) -> dict:
    """Return the multiplications of one training step; this module's docstring has the equations.

    The first four arguments after the batch size are the methods. None: as the model's layers have
    it; True: as if all layers had it, kernels with H = 1; False: as if none had it.

    A kernel's scale H costs a multiplication for each output, forward and backward, if it is not a
    power of two; the paper does not count it. "magnitude_aware" also multiplies the gradient of
    each weight, and divides once a channel.

    Args:
        model: Built, sequential or functional.
        batch_size: Examples a step.
        kernel_quantizer: One- or two-bit kernels.
        input_quantizer: Signs for the inputs of all layers with kernels. True leaves the model's
            own inputs as they are. False takes `SignActivation` for a real-valued one.
        backprop_quantizer: Quantized back-propagation.
        batch_norm: None for the model's own layers; "none", "plain" or "shift" for all of them.
        input_gradient: Whether to count the gradient of the model's inputs too. The paper does;
            no training needs it.
        update_per_weight: None: plain SGD that scales the errors by the rate, as in the paper. Or
            how often the optimizer multiplies for each trainable parameter: 1 for SGD that
            scales the gradients, 2 with momentum, 6 for Adam (2 for each average, one for the
            square, one for the rate), 3 for `ShiftAdaMax`.

    Returns:
        `{"layers": [{"name", "type", **phases, "total"}, ...], **phases, "total", "unknown"}` with
        the phases "forward", "backward" (to the inputs), "weight_gradient", "element_wise" and
        "update". Layers without multiplications are left out; `unknown` names those with weights
        that are of no kind known here, and not in the sums.

    Raises:
        ValueError: The batch size or `batch_norm` is not such.
        UserError: The model's shapes are not known.

    Example:

    >>> model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)])
    >>> count(model, batch_size=200)["forward"]
    1568000
    >>> count(model, batch_size=200, kernel_quantizer=True)["forward"]
    0
    """
    if not isinstance(batch_size, int) or batch_size < 1 or batch_norm not in (None, *KINDS):
        raise ValueError(
            "Invalid value for arguments `batch_size` and `batch_norm`. Expected a positive "
            f"integer, and None or one of {KINDS}. Received: "
            f"batch_size={batch_size!r}, batch_norm={batch_norm!r}"
        )
    methods = Methods(kernel_quantizer, input_quantizer, backprop_quantizer, batch_norm)
    rows, unknown, learned = [], [], {}
    for call in calls(model):
        # Whether an error must go further down than this layer.
        below = input_gradient or any(learned.get(source, False) for source in call.sources)
        learned[call] = below or is_trained(call.layer)
        counted = methods.of_call(call, batch_size, below, learned[call])
        if counted is None:
            unknown.append(call.layer.name)
            counted = collections.Counter()
        if update_per_weight is not None:
            counted["update"] = 0 if call.repeated else update_per_weight * _trained(call.layer)
        if counted.total():
            rows.append(
                {"name": call.layer.name, "type": type(call.layer).__name__, **_row(counted)}
            )
    sums = {key: sum(row[key] for row in rows) for key in (*PHASES, "total")}
    return {"layers": rows, **sums, "unknown": unknown}


def _row(counted: collections.Counter) -> dict:
    return {**{phase: counted[phase] for phase in PHASES}, "total": counted.total()}


def _trained(layer) -> int:
    """The parameters of a layer that a step updates."""
    return sum(math.prod(weight.shape) for weight in getattr(layer, "trainable_weights", ()))
