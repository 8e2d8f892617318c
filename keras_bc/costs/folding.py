"""Which layers become operations of their own once deployed, and which fold into another's.

The exporter's rules (`deploy/fuse`), for layers that it knows and for those that it will:

- Batch norm and a clip (ReLU) fold into the linear operation that they follow: through poolings of
  maxima, a clip also through reshapes, a batch norm only if no scale is negative, and not behind a
  clip.
- A pooling of maxima is done on the accumulators of the few-bit convolution that it follows, unless
  its windows overlap and no batch norm comes behind it.
- What has nothing to fold into becomes an operation: a depthwise 1x1 convolution with one-bit
  weights.
- A sign folds into a threshold of the accumulators, with all that folded before it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import keras
from keras import layers, ops

from keras_bc.calls import Call
from keras_bc.costs import one_bit
from keras_bc.costs.products import products
from keras_bc.layers.activation import SignActivation
from keras_bc.layers.normalization import ShiftBatchNormalization

_CLIPS = (keras.activations.relu, keras.activations.relu6, keras.activations.hard_tanh)
_POOLS = (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)
_GLOBAL_POOLS = (layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D)
_NOTHING = (layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.GaussianNoise)


@dataclass
class Operation:
    """A deployed operation with accumulators.

    Attributes:
        values: Of its outputs for one example.
        pools: Whether a pooling of its accumulators can still fold into it.
        alone: Whether it is a batch norm or a clip that had nothing to fold into.
        shifts: Whether it is a shift-based batch norm.
        clips: Whether a clip folded into it.
        threshold: Whether a sign folded into it, so that its outputs are one bit.
    """

    values: int
    pools: bool = True
    alone: bool = True
    shifts: bool = False
    clips: bool = False
    threshold: bool = False


class _End(NamedTuple):
    """What a call gives: an operation's outputs, behind poolings and reshapes."""

    operation: Operation | None = None
    behind: frozenset[str] = frozenset()

    def folds(self, *through: str) -> bool:
        return self.operation is not None and self.behind.issubset(through)


def fold(calls: list[Call]) -> dict[Call, Operation]:
    """Return the operations with accumulators, by the calls that they come from.

    A separable convolution has two; here is its second. Recurrent layers are not among them.
    """
    found: dict[Call, Operation] = {}
    ends: dict[Call, _End] = {}
    for call in calls:
        end = ends.get(call.source, _End())
        for step in _steps(call):
            end = _STEPS[step](call, end, found)
        ends[call] = end
    return found


def _steps(call: Call) -> list[str]:
    """What the call does, in the terms of `_STEPS`."""
    layer = call.layer
    if isinstance(layer, layers.RNN | layers.Bidirectional):
        return ["other"]
    activation = getattr(layer, "activation", None)
    found = products(call)
    if found:
        signs = ["sign"] if one_bit.is_sign(found[0].input_quantizer) else []
        linear = "other" if found[0].floating else "linear"
        return [*signs, linear, *_activation(activation)]
    if isinstance(layer, layers.Activation):
        return _activation(activation)
    for kinds, steps in _BY_KIND:
        if isinstance(layer, kinds):
            return steps
    return ["other"]


_BY_KIND = (
    (layers.BatchNormalization, ["batch_norm"]),
    (layers.ReLU, ["clip"]),
    (SignActivation, ["sign"]),
    (_POOLS + _GLOBAL_POOLS, ["max_pool"]),
    ((layers.Flatten, layers.Reshape), ["reshape"]),
    (_NOTHING, []),
)


def _activation(activation) -> list[str]:
    if one_bit.is_linear(activation):
        return []
    if one_bit.is_sign(activation):
        return ["sign"]
    return ["clip" if activation in _CLIPS else "other"]


def _linear(call, end, found) -> _End:
    *_, product = products(call)
    pools = product.signs_only and not isinstance(call.layer, layers.Dense)
    found[call] = Operation(product.outputs, pools, alone=False)
    return _End(found[call])


def _batch_norm(call, end, found) -> _End:
    layer = call.layer
    negative = layer.scale and bool((ops.convert_to_numpy(layer.gamma) < 0).any())
    if end.folds(*([] if negative else ["max_pool"])) and not end.operation.clips:
        return end
    shifts = isinstance(layer, ShiftBatchNormalization)
    found[call] = Operation(call.outputs_size, shifts=shifts)
    return _End(found[call])


def _clip(call, end, found) -> _End:
    if end.folds("max_pool", "reshape"):
        end.operation.clips = True
        return end
    found[call] = Operation(call.outputs_size, clips=True)
    return _End(found[call])


def _max_pool(call, end, found) -> _End:
    operation = end.operation
    if end.folds() and operation.pools:
        overlaps = not isinstance(call.layer, _GLOBAL_POOLS) and any(
            stride < size
            for stride, size in zip(call.layer.strides, call.layer.pool_size, strict=True)
        )
        if not overlaps or (_batch_norm_follows(call) and not operation.clips):
            operation.pools, operation.values = False, call.outputs_size
            return end
    return _End(operation, end.behind | {"max_pool"})


def _batch_norm_follows(call: Call) -> bool:
    """Whether batch norm comes next, but for layers that do nothing at inference."""
    while len(call.readers) == 1 and not call.outputs:
        (call,) = call.readers
        steps = _steps(call)
        if steps:
            return steps[0] == "batch_norm"
    return False


def _reshape(call, end, found) -> _End:
    return _End(end.operation, end.behind | {"reshape"})


def _sign(call, end, found) -> _End:
    if end.folds("max_pool", "reshape"):
        end.operation.threshold = True
    return _End()


_STEPS = {
    "linear": _linear,
    "batch_norm": _batch_norm,
    "clip": _clip,
    "max_pool": _max_pool,
    "reshape": _reshape,
    "sign": _sign,
    "other": lambda call, end, found: _End(),
}
