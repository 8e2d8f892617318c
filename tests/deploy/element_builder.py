"""Random ops that join tensors, bend them by a curve, cut them or repeat them."""

from collections.abc import Callable

import numpy as np

from keras_bc.deploy import builtin_tables
from keras_bc.deploy.graph import Tensor


class ElementBuilder:
    """The part of `graph_builder.Builder` that appends them."""

    def _add_pair(self, kind: str) -> None:
        pair = [self.x, self._partner()]
        if self.rng.random() < 0.5:
            pair.reverse()
        # An output that is about as wide as what it holds.
        a, b = (float(tensor.scale[0]) for tensor in pair)
        typical = 74 * a * b if kind == "MUL" else np.hypot(a, b)
        output = self._output_scale(typical)
        self._append(kind, self.x.shape, [], {}, pair, **output)

    def _partner(self) -> Tensor:
        """What an op takes beside the chain's end: an earlier tensor, or a branch of its own."""
        end = self.x
        if self.rng.random() < 0.5:
            same = [tensor for tensor in self._flows() if tensor.shape == end.shape]
            return same[self.rng.integers(len(same))]
        smaller = self.rng.random() < 0.6
        if smaller and len(end.shape) == 4:
            self._add_global_pool()
        if not smaller or len(self.x.shape) == 2 or self.rng.random() < 0.3:
            self._add_dense_int8(1 if smaller else end.shape[-1])
        partner, self.x = self.x, end
        return partner

    def _add_dense_int8(self, out: int) -> None:
        given, self.outputs = self.outputs, "int8"
        self.add("KbcFullyConnected", out)
        self.outputs = given

    def _add_curve(self, kind: str) -> None:
        scale = float(self.x.scale[0])
        options = {}
        if kind == "LEAKY_RELU":
            options["alpha"] = float(np.float32(self.rng.choice([0.5, 1, self.rng.random()])))
        output = self._output_scale(scale)
        if kind == "LOGISTIC":
            output = {"scale": np.array([1 / 256], np.float32), "zero_point": -128}
        elif kind == "TANH":
            output = {"scale": np.array([1 / 128], np.float32), "zero_point": 0}
        elif kind == "QUANTIZE":  # for values that are not multiples of half a step
            output["scale"] = np.minimum(output["scale"], 2 * self.x.scale)
        self._append(kind, self.x.shape, [], options, **output)

    def _add_slice(self, kind: str) -> None:
        sizes = [int(self.rng.integers(1, n + 1)) for n in self.x.shape[1:]]
        begins = [
            int(self.rng.integers(0, n - size + 1))
            for n, size in zip(self.x.shape[1:], sizes, strict=True)
        ]
        constants = [
            constant("begin", np.array([0, *begins], np.int32)),
            constant("size", np.array([-1, *sizes], np.int32)),
        ]
        self._append(kind, (1, *sizes), constants, {}, **self._same_quantization())

    def _add_resize(self, kind: str) -> None:
        _, height, width, channels = self.x.shape
        rows, columns = (int(self.rng.integers(1, max(18 // n, 1) + 1)) for n in (height, width))
        size = constant("size", np.array([height * rows, width * columns], np.int32))
        shape = (1, height * rows, width * columns, channels)
        self._append(kind, shape, [size], {}, **self._same_quantization())

    def _add_prelu(self, kind: str) -> None:
        shape = self.x.shape[1:] if self.rng.random() < 0.5 else self.x.shape[-1:]
        scale = np.exp2(self.rng.uniform(-9, -6, 1)).astype(np.float32)
        alpha = self.rng.integers(-128, 128, shape).astype(np.int8)
        alpha = constant("alpha", alpha, scale)
        alpha.zero_point = int(self.rng.integers(-128, 128))
        self._append(kind, self.x.shape, [alpha], {}, **self._output_scale(float(self.x.scale[0])))

    def _add_concatenation(self, kind: str) -> None:
        axis = int(self.rng.integers(1, len(self.x.shape)))
        inputs = [self.x]
        if self.rng.random() < 0.6:
            inputs.append(self._longer_or_shorter(axis))
        while len(inputs) == 1 or self.rng.random() < 0.3:
            inputs.append(self._alike(axis))
        inputs = [inputs[number] for number in self.rng.permutation(len(inputs))]
        shape = list(self.x.shape)
        shape[axis] = sum(tensor.shape[axis] for tensor in inputs)
        self._append(kind, tuple(shape), [], {"axis": axis}, inputs, **self._same_quantization())

    def _longer_or_shorter(self, axis: int) -> Tensor:
        """A branch that differs from the chain's end in the size of an axis."""
        end = self.x
        if axis == len(end.shape) - 1:
            self._add_dense_int8(int(self.rng.integers(1, 9)))
            self.x.scale, self.x.zero_point = end.scale, end.zero_point  # which it heeds not
        else:
            self._add_pad("PAD", axis)
        branch, self.x = self.x, end
        return branch

    def _alike(self, axis: int) -> Tensor:
        """An earlier tensor that differs from the chain's end in no more than the size of an axis.

        It may be the end itself.
        """

        def rest(tensor: Tensor) -> tuple:
            shape = [None if number == axis else n for number, n in enumerate(tensor.shape)]
            return shape, float(tensor.scale[0]), tensor.zero_point

        alike = [tensor for tensor in self._flows() if rest(tensor) == rest(self.x)]
        return alike[self.rng.integers(len(alike))]

    def _flows(self) -> list[Tensor]:
        """The int8 tensors that are computed."""
        tensors = self.graph.tensors.values()
        return [tensor for tensor in tensors if tensor.data is None and tensor.dtype == "int8"]

    def _output_scale(self, typical: float) -> dict:
        """A scale for values of which `typical` is one step of int8, and a zero point."""
        scale = typical * np.exp2(self.rng.uniform(-1, 1, 1))
        zero_point = int(self.rng.choice([-128, 127, *self.rng.integers(-100, 100, 4)]))
        return {"scale": scale.astype(np.float32), "zero_point": zero_point}

    def _add_global_pool(self) -> None:
        _, height, width, channels = self.x.shape
        options = {"filter_h": height, "filter_w": width, "stride_h": 1, "stride_w": 1}
        options["padding"] = "VALID"
        shape = (1, 1, 1, channels)
        self._append("AVERAGE_POOL_2D", shape, [], options, **self._same_quantization())


def constant(name: str, data: np.ndarray, scale: np.ndarray | None = None, axis: int = 0) -> Tensor:
    """A constant tensor of the data's shape and type."""
    return Tensor(name, data.shape, str(data.dtype), data, scale, axis=axis)


ADDERS: dict[str, Callable[..., None]] = {
    "ADD": ElementBuilder._add_pair,
    "SUB": ElementBuilder._add_pair,
    "MUL": ElementBuilder._add_pair,
    "CONCATENATION": ElementBuilder._add_concatenation,
    "SLICE": ElementBuilder._add_slice,
    "RESIZE_NEAREST_NEIGHBOR": ElementBuilder._add_resize,
    "PRELU": ElementBuilder._add_prelu,
    **dict.fromkeys(builtin_tables.KINDS, ElementBuilder._add_curve),
}
