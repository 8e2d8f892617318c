"""Fold batch norms, activations, poolings and additions into the linear ops that they follow."""

import collections
from dataclasses import replace

import numpy as np

from keras_bc.deploy.fuse.steps import LINEAR, NO_BOUNDS, PLAIN, POINTWISE, Step, Steps
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.windows import IDENTITY, Window

_JOINS = ("add", "subtract", "multiply")


def fold(graph: Graph) -> Steps:
    """The ops of a float graph as steps, as many as possible folded into others."""
    return _Folder(graph).run()


class _Folder:
    """The steps so far.

    Attributes:
        made: The tensor of the steps that stands for a tensor of the float graph.
        readers: How often that is read by float ops that are still to come.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.result = Steps(graph)
        self.steps = self.result.steps
        self.made = {name: name for name in graph.inputs}
        self.consumers = collections.defaultdict(list)
        for op in graph.ops:
            for name in op.inputs:
                self.consumers[name].append(op)
        self.reads = {name: len(found) for name, found in self.consumers.items()}
        for name in graph.outputs:
            self.reads[name] = self.reads.get(name, 0) + 1
        self.readers = {name: self.reads.get(name, 0) for name in graph.inputs}

    def run(self) -> Steps:
        for op in self.graph.ops:
            handler = _HANDLERS.get(op.kind, _Folder._append)
            output = handler(self, op)
            self.made[op.outputs[0]] = output
            # What was there before loses this op for a reader, and gains the readers of this op.
            others = self.readers.get(output, 1) - 1
            self.readers[output] = others + self.reads.get(op.outputs[0], 0)
        self.result.outputs = [self.made[name] for name in self.graph.outputs]
        return self.result

    # What there is

    def _input(self, op: Op, number: int = 0) -> str:
        return self.made[op.inputs[number]]

    def _constants(self, op: Op) -> list[np.ndarray]:
        tensors = [self.graph.tensors[name] for name in op.inputs]
        return [tensor.data for tensor in tensors if tensor.data is not None]

    def _producer(self, tensor: str) -> Step | None:
        """What makes a tensor, if nothing else reads it."""
        return self.steps.get(tensor) if self.readers[tensor] == 1 else None

    def _target(self, tensor: str, through: tuple[str, ...]) -> Step | None:
        """The linear op that makes a tensor, but for ops of the kinds `through`."""
        step = self._producer(tensor)
        while step is not None and step.kind in through:
            step = self._producer(step.inputs[0])
        return step if step is not None and step.linear else None

    def _is_signs(self, tensor: str) -> bool:
        step = self.steps.get(tensor)
        while step is not None and step.kind in ("max_pool_2d", "reshape"):
            step = self.steps.get(step.inputs[0])
        return step is not None and (step.kind == "sign" or step.options.get("sign", False))

    def _keeps_channels(self, tensor: str) -> bool:
        """Whether the reshapes behind a linear op leave its last axis."""
        step = self.steps.get(tensor)
        while step is not None and not step.linear:
            if step.shape[-1] != self.result.shape(step.inputs[0])[-1]:
                return False
            step = self.steps.get(step.inputs[0])
        return True

    # Appending

    def _append(self, op: Op, options: dict | None = None, **constants: np.ndarray) -> str:
        output = op.outputs[0]
        inputs = [self.made[name] for name in op.inputs if name in self.made]
        if not constants and len(inputs) < len(op.inputs):
            constants = {"alpha": self._constants(op)[0]}  # of a PReLU
        options = dict(op.options if options is None else options)
        shape = self.graph.tensors[output].shape
        self.result.append(Step(op.kind, op.name, inputs, output, shape, options, constants))
        return output

    def _stand_alone(self, op: Op, scale: np.ndarray, offset: np.ndarray, **options) -> str:
        """clip(x * scale + offset), or its sign, as a depthwise convolution."""
        options = {
            **PLAIN,
            **POINTWISE,
            "weights": "binary",
            "groups": len(scale),
            **options,
        }
        weights = np.ones((len(scale), 1, 1, 1))
        output = self._append(op, options, weights=weights, scale=scale, offset=offset)
        self.steps[output].kind = "conv_2d"
        return output

    # Linear ops

    def _linear(self, op: Op) -> str:
        weights, bias = self._constants(op)
        options = op.options | PLAIN
        scale = np.ones(len(bias))
        if options["weights"] != "real":
            scale = np.abs(weights).reshape(len(weights), -1).max(axis=1)
            weights = np.sign(weights)
            scale[scale == 0] = 1.0  # a channel of zeros alone
        if op.kind == "conv_2d":
            options["pool"] = IDENTITY
        output = self._append(op, options, weights=weights, scale=scale, offset=bias)
        step = self.steps[output]
        if op.kind == "conv_2d" and step.few_bit:
            self._absorb_padding(step)
        self._absorb_affine(step)
        return output

    def _absorb_padding(self, step: Step) -> None:
        before = self._producer(step.inputs[0])
        if before is not None and before.kind == "pad_2d" and not step.options["transposed"]:
            step.options["window"] = _padded(step.options["window"], before.options["window"])
            step.inputs[0] = before.inputs[0]
            del self.steps[before.output]

    def _absorb_affine(self, step: Step) -> None:
        """w (s x + o) = s w x + o sum(w) of the model's input, where no tap is padding."""
        before = self._target(step.inputs[0], ("reshape",))
        if before is None or not _is_affine(before) or _pads(step):
            return
        if before.inputs[0] not in self.graph.inputs:
            return
        scale, offset = (np.unique(before.constants[key]) for key in ("scale", "offset"))
        if len(scale) > 1 or len(offset) > 1:
            return
        weights = step.constants["weights"]
        sums = weights.reshape(len(weights), -1).sum(axis=1)
        step.constants["offset"] = step.constants["offset"] + (
            step.constants["scale"] * sums * offset
        )
        step.constants["scale"] = step.constants["scale"] * scale
        self._bypass(before, step)

    def _bypass(self, skipped: Step, reader: Step) -> None:
        """Let what reads a step's output read its input."""
        path = self.steps[reader.inputs[0]]
        if path is skipped:
            reader.inputs[0] = skipped.inputs[0]
        while path is not skipped:
            if path.inputs[0] == skipped.output:
                path.inputs[0], path = skipped.inputs[0], skipped
            else:
                path = self.steps[path.inputs[0]]
        del self.steps[skipped.output]

    def _batch_norm(self, op: Op) -> str:
        scale, offset = self._constants(op)
        x = self._input(op)
        through = ("max_pool_2d", "reshape") if (scale >= 0).all() else ("reshape",)
        target = self._target(x, through)
        if target is None or target.bounded or not self._keeps_channels(x):
            return self._stand_alone(op, scale, offset)
        constants = target.constants
        constants["offset"] = constants["offset"] * scale + offset
        constants["scale"] = constants["scale"] * scale
        return x

    def _clip(self, op: Op) -> str:
        x, options = self._input(op), op.options
        target = self._clipped(x, levels=bool(options["levels"]))
        if target is None:
            channels = self.graph.tensors[op.outputs[0]].shape[-1]
            return self._stand_alone(op, np.ones(channels), np.zeros(channels), **options)
        _bound(target.options, options["low"], options["high"])
        if options["levels"]:
            target.options["levels"] = options["levels"]
        return x

    def _clipped(self, tensor: str, levels: bool) -> Step | None:
        """The op that can take bounds for the tensor, and levels between them."""
        target = self._target(tensor, ("max_pool_2d", "reshape"))
        if target is not None:
            return None if target.options["sign"] or target.options["levels"] else target
        target = self._producer(tensor)
        joins = target is not None and target.kind in _JOINS
        return target if joins and not levels else None

    def _sign(self, op: Op) -> str:
        x = self._input(op)
        if self._is_signs(x):
            return x
        target = self._target(x, ("max_pool_2d", "reshape"))
        takes = target is not None and target.few_bit and len(target.inputs) == 1
        if not takes or target.options["sign"] or target.options["levels"]:
            return self._append(op)
        target.options["sign"] = True
        return x

    # What moves nothing, or joins

    def _reshape(self, op: Op) -> str:
        x, shape = self._input(op), self.graph.tensors[op.outputs[0]].shape
        before = self._producer(x)
        if before is not None and before.kind == "reshape":
            del self.steps[x]
            x = before.inputs[0]
        if self.result.shape(x) == shape:
            return x
        self.made[op.inputs[0]] = x
        return self._append(op)

    def _max_pool(self, op: Op) -> str:
        target = self._producer(self._input(op))
        if target is None or not self._pools_accumulators(op, target):
            return self._append(op)
        constants, window = target.constants, op.options["window"]
        flip = np.where(constants["scale"] < 0, -1.0, 1.0)
        constants["weights"] = constants["weights"] * flip[:, None, None, None]
        constants["scale"] = constants["scale"] * flip
        target.options["pool"] = window
        return self._rename(target, op.outputs[0])

    def _pools_accumulators(self, op: Op, target: Step) -> bool:
        if target.kind != "conv_2d" or not target.few_bit or len(target.inputs) > 1:
            return False
        # Overlapping windows compute accumulators more than once: only where a batch norm
        # follows, whose scales may be negative, must the pooling come before it all the same.
        follows = [reader.kind for reader in self.consumers[op.outputs[0]]] == ["batch_norm"]
        return target.options["pool"] == IDENTITY and (
            not op.options["window"].overlaps or (follows and not target.bounded)
        )

    def _rename(self, step: Step, output: str) -> str:
        """Let a step make another tensor, behind all others."""
        del self.steps[step.output]
        step.output, step.shape = output, self.graph.tensors[output].shape
        self.result.append(step)
        return output

    def _add(self, op: Op) -> str:
        a, b = self._input(op), self._input(op, 1)
        for x, other in ((b, a), (a, b)):
            step = self._producer(x)
            same = self.result.shape(x) == self.result.shape(other) and x != other
            if same and step is not None and step.few_bit and not step.bounded:
                step.inputs.append(other)
                return self._rename(step, op.outputs[0])
        return self._join(op)

    def _join(self, op: Op) -> str:
        return self._append(op, NO_BOUNDS)


def _is_affine(step: Step) -> bool:
    """Whether a step is a batch norm that stands alone."""
    options = step.options
    return (
        step.kind == "conv_2d"
        and step.few_bit
        and not step.bounded
        and options["groups"] == len(step.constants["scale"])
        and options["window"] == options["pool"] == IDENTITY
        and options["input_dilation"] == (1, 1)
        and bool((step.constants["weights"] == 1).all())
    )


def _pads(step: Step) -> bool:
    """Whether a tap may be absent."""
    if step.kind == "fully_connected":
        return False
    window = step.options["window"]
    sides = window.pad_top, window.pad_left, window.pad_bottom, window.pad_right
    return any(sides) or step.options["input_dilation"] != (1, 1)


def _bound(options: dict, low: float, high: float) -> None:
    """Narrow the bounds of an op."""
    for key in NO_BOUNDS:
        options[key] = float(np.clip(options[key], low, high))


def _padded(window: Window, padding: Window) -> Window:
    """The window with the padding of another on top of its own."""
    sides = ("pad_top", "pad_left", "pad_bottom", "pad_right")
    return replace(window, **{s: getattr(window, s) + getattr(padding, s) for s in sides})


_HANDLERS = {
    **dict.fromkeys(LINEAR, _Folder._linear),
    "add": _Folder._add,
    "batch_norm": _Folder._batch_norm,
    "clip": _Folder._clip,
    "max_pool_2d": _Folder._max_pool,
    "multiply": _Folder._join,
    "reshape": _Folder._reshape,
    "sign": _Folder._sign,
    "subtract": _Folder._join,
}
