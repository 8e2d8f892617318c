"""Graph (float) -> Graph (fused): what a kernel does in one go becomes one op.

Fused ops, beside softmax, max_pool_2d, average_pool_2d, pad_2d and reshape as `trace` made them:

================ ============================================== ================================
kind             inputs                                         options
================ ============================================== ================================
fully_connected  x, weights [out, k], scale [out], offset [out] binary (always), low, high
conv_2d          x, weights [out, kh, kw, c/groups],            binary, groups, window, pool,
                 scale [out], offset [out]                      low, high
================ ============================================== ================================

    y = clip(pool(w * x) * scale + offset, low, high)

Binary weights are +1 and -1 here, their size stands in `scale`. The rules:

- Batch norm folds into scale and offset, ReLU into low and high, of the op that they follow.
- Both move up through what they commute with: a clip through poolings of maxima and reshapes, a
  batch norm without negative scales through poolings of maxima.
- A max-pooling after a binary convolution is done on its accumulators. It then comes before the
  scale: where batch norm was before the pooling and a scale is negative, the channel's weights and
  scale change sign, which is exact in one bit.
- What has no op to fold into becomes one of its own: a 1x1 depthwise convolution with weights +1.
- Zero padding folds into the binary convolution that follows it.
- A dense layer of real weights becomes a 1x1 convolution.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import IDENTITY, Window


def fuse(graph: Graph) -> Graph:
    """A new graph of fused ops that computes what `graph` computes."""
    fuser = _Fuser(graph)
    for index, op in enumerate(graph.ops):
        following = graph.ops[index + 1].kind if index + 1 < len(graph.ops) else None
        fuser.take(op, following)
    return _graph(graph, _as_images(fuser.steps))


@dataclass
class _Step:
    """A fused op in the making, with its constants and its output."""

    kind: str
    name: str
    output: str
    shape: tuple[int, ...]
    options: dict[str, Any]
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def linear(self) -> bool:
        return self.kind in ("fully_connected", "conv_2d")

    @property
    def clips(self) -> bool:
        return self.options["low"] > -math.inf or self.options["high"] < math.inf


NO_CLIP = {"low": -math.inf, "high": math.inf}


class _Fuser:
    """The chain of fused ops so far."""

    def __init__(self, graph: Graph):
        self.tensors = graph.tensors
        self.steps: list[_Step] = []

    def take(self, op: Op, following: str | None) -> None:
        """Fold `op` into the chain, or append it."""
        if op.kind in ("fully_connected", "conv_2d"):
            self._linear(op)
        elif op.kind == "batch_norm":
            self._batch_norm(op)
        elif op.kind == "clip":
            self._clip(op)
        elif op.kind == "max_pool_2d" and self._pools_accumulators(op, following):
            self._pool(op)
        else:
            self._append(op, dict(op.options))

    def _append(self, op: Op, options: dict, **constants: np.ndarray) -> None:
        output = op.outputs[0]
        shape = self.tensors[output].shape
        self.steps.append(_Step(op.kind, op.name, output, shape, options, constants))

    def _linear(self, op: Op) -> None:
        weights, bias = (self.tensors[name].data for name in op.inputs[1:])
        options = op.options | NO_CLIP
        scale = np.ones(len(bias))
        if op.options["binary"]:
            scale = np.abs(weights).reshape(len(weights), -1)[:, 0]
            weights = np.where(weights >= 0, 1.0, -1.0)
        if op.kind == "conv_2d":
            options["pool"] = IDENTITY
            if op.options["binary"] and self.steps and self.steps[-1].kind == "pad_2d":
                options["window"] = _padded(options["window"], self.steps.pop().options["window"])
        self._append(op, options, weights=weights, scale=scale, offset=bias)

    def _batch_norm(self, op: Op) -> None:
        scale, offset = (self.tensors[name].data for name in op.inputs[1:])
        target = self._target(("max_pool_2d",) if (scale >= 0).all() else ())
        if target is not None and not target.clips:
            constants = target.constants
            constants["offset"] = constants["offset"] * scale + offset
            constants["scale"] = constants["scale"] * scale
        else:
            self._stand_alone(op, scale, offset, dict(NO_CLIP))

    def _clip(self, op: Op) -> None:
        target = self._target(("max_pool_2d", "reshape"))
        if target is not None:
            bounds = op.options["low"], op.options["high"]
            for bound in ("low", "high"):
                target.options[bound] = float(np.clip(target.options[bound], *bounds))
        else:
            channels = self.tensors[op.outputs[0]].shape[-1]
            self._stand_alone(op, np.ones(channels), np.zeros(channels), dict(op.options))

    def _target(self, through: tuple[str, ...]) -> _Step | None:
        """The linear op that computes the loose end, but for ops of the kinds `through`."""
        for step in reversed(self.steps):
            if step.linear:
                return step
            if step.kind not in through:
                break
        return None

    def _stand_alone(self, op: Op, scale: np.ndarray, offset: np.ndarray, bounds: dict) -> None:
        """clip(x * scale + offset) as a depthwise convolution."""
        weights = np.ones((len(scale), 1, 1, 1))
        options = {"binary": True, "groups": len(scale), "window": IDENTITY, "pool": IDENTITY}
        self._append(op, options | bounds, weights=weights, scale=scale, offset=offset)
        self.steps[-1].kind = "conv_2d"

    def _pools_accumulators(self, op: Op, following: str | None) -> bool:
        target = self.steps[-1] if self.steps else None
        if target is None or target.kind != "conv_2d" or not target.options["binary"]:
            return False
        # Overlapping windows compute accumulators more than once: only where a batch norm
        # follows, whose scales may be negative, must the pooling come before it all the same.
        return target.options["pool"] == IDENTITY and (
            not op.options["window"].overlaps or (following == "batch_norm" and not target.clips)
        )

    def _pool(self, op: Op) -> None:
        target = self.steps[-1]
        sign = np.where(target.constants["scale"] < 0, -1.0, 1.0)
        target.constants["weights"] = target.constants["weights"] * sign[:, None, None, None]
        target.constants["scale"] = target.constants["scale"] * sign
        target.options["pool"] = op.options["window"]
        target.output, target.shape = op.outputs[0], self.tensors[op.outputs[0]].shape


def _as_images(steps: list[_Step]) -> list[_Step]:
    """Convolutions of what is no image get reshapes around them; int8 dense layers become such.

    TensorFlow Lite's own FULLY_CONNECTED has per-channel weights in its newest runtimes only; a
    1x1 convolution has them in all.
    """
    result = []
    for step in steps:
        if step.kind == "fully_connected" and not step.options["binary"]:
            step.kind = "conv_2d"
            step.options |= {"groups": 1, "window": IDENTITY, "pool": IDENTITY}
            step.constants["weights"] = step.constants["weights"][:, None, None, :]
        if step.kind == "conv_2d" and len(step.shape) != 4:
            pixels, channels = math.prod(step.shape[1:-1]), step.constants["weights"].shape[-1]
            inputs = channels * step.options["groups"]
            before = _Step("reshape", step.name, f"{step.output}/x", (1, 1, pixels, inputs), {})
            after = _Step("reshape", step.name, step.output, step.shape, {})
            step.output, step.shape = f"{step.output}/y", (1, 1, pixels, step.shape[-1])
            result += [before, step, after]
        else:
            result.append(step)
    return result


def _graph(source: Graph, steps: list[_Step]) -> Graph:
    """The steps as a graph."""
    graph = Graph(source.name, inputs=list(source.inputs))
    current = source.tensors[source.inputs[0]]
    graph.tensors[current.name] = current
    for step in steps:
        op = Op(step.kind, step.name, [current.name], [step.output], step.options)
        for key, value in step.constants.items():
            constant = Tensor(f"{step.output}/{key}", value.shape, data=value)
            graph.tensors[constant.name] = constant
            op.inputs.append(constant.name)
        current = Tensor(step.output, step.shape)
        graph.tensors[current.name] = current
        graph.ops.append(op)
    graph.outputs = [current.name]
    return graph


def _padded(window: Window, padding: Window) -> Window:
    """The window with the padding of another on top of its own."""
    sides = ("pad_top", "pad_left", "pad_bottom", "pad_right")
    return replace(window, **{s: getattr(window, s) + getattr(padding, s) for s in sides})
