"""Integer graphs of single layers with few-bit weights, side by side."""

from dataclasses import dataclass

import numpy as np

from keras_bc.deploy import layouts
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.windows import IDENTITY, Window, to_options

NO_PADS = (0, 0, 0, 0)


def window(size=(3, 3), stride=(1, 1), dilation=(1, 1), pads=NO_PADS) -> Window:
    """A window with pads (top, left, bottom, right)."""
    return Window(*size, *stride, *dilation, *pads)


@dataclass(frozen=True)
class Convolution:
    """What a convolution's kernel has to cope with."""

    image: tuple[int, int]
    channels: int
    filters: int
    kernel: Window
    pool: Window = IDENTITY
    groups: int = 1
    input_dilation: tuple[int, int] = (1, 1)


class LayerGraph:
    """Grows a graph of layers, side by side or one behind the other.

    An op is named as its kernel: "conv_2d_b1_ternary" and so on. Each layer ends in what `finish`
    says: "s8", "s8_shortcut" or "b1".
    """

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.graph = Graph("layers")

    def fully_connected(self, op: str, k: int, outs: int, finish: str, rows: int = 2) -> str:
        """Add a fully connected layer; gives its output."""
        x, y = (1, rows, k), (1, rows, outs)
        return self._layer("KbcFullyConnected", op, x, y, k, finish, {})

    def conv_2d(self, op: str, case: Convolution, finish: str, x: str | None = None) -> str:
        """Add a convolution, of an input of its own or of what a layer gave; gives its output."""
        sides = zip(case.image, case.input_dilation, strict=True)
        conv = case.kernel.output_size(*((n - 1) * step + 1 for n, step in sides))
        options = {
            "groups": case.groups,
            "input_dilation_h": case.input_dilation[0],
            "input_dilation_w": case.input_dilation[1],
            **to_options("kernel", case.kernel),
            **to_options("pool", case.pool),
        }
        fan_in = case.kernel.height * case.kernel.width * case.channels // case.groups
        shapes = (1, *case.image, case.channels), (1, *case.pool.output_size(*conv), case.filters)
        return self._layer("KbcConv2D", op, *shapes, fan_in, finish, options, x)

    def end(self, tensor: str, channels: int) -> None:
        """Make a layer's output, which has so many channels, one of the model's."""
        found = self.graph.tensors[tensor]
        if found.dtype == "int32":
            signs = {"positive": 1, "negative": -1}
            shape = (*found.shape[:-1], channels)
            tensor = self._op("KbcUnpack", [tensor], shape, "int8", signs)
        self.graph.outputs.append(tensor)

    def _layer(self, kind, op, x_shape, y_shape, fan_in, finish, options, x=None):
        one_bit_inputs = "_b1" in op
        options = {"weights": "ternary" if op.endswith("ternary") else "binary", **options}
        x = x or self._input(x_shape)
        if one_bit_inputs:
            options["in_channels"] = x_shape[-1]
        if one_bit_inputs and self.graph.tensors[x].dtype == "int8":
            x = self._op("KbcPack", [x], (*x_shape[:-1], -(-x_shape[-1] // 32)), "int32", {})
        inputs = [x, self._weights(options["weights"], y_shape[-1], fan_in)]
        reach = fan_in if one_bit_inputs else 150 * fan_in
        if finish == "b1":
            return self._bits(kind, inputs, y_shape, reach, options)
        inputs.append(self._channels(y_shape[-1], reach, 8 if finish == "s8_shortcut" else 0))
        options |= {"activation_min": -120, "activation_max": 125}
        if finish == "s8_shortcut":
            inputs.append(self._input(y_shape))
            options |= {"shortcut_multiplier": 1 << 30, "shortcut_shift": 23}
        return self._op(kind, inputs, y_shape, "int8", options)

    def _bits(self, kind, inputs, y_shape, reach, options):
        """A layer whose outputs are bits."""
        outs = y_shape[-1]
        threshold = self.rng.normal(0, reach**0.5 + 1, outs).astype(np.int32)
        direction = self.rng.choice([-1, 1], outs).astype(np.int32)
        inputs.append(self._constant("channels", np.stack([threshold, direction], axis=1)))
        return self._op(kind, inputs, (*y_shape[:-1], -(-outs // 32)), "int32", options)

    def _weights(self, kind: str, outs: int, fan_in: int) -> str:
        if kind == "ternary":
            values = self.rng.choice([-1, 0, 0, 1], (outs, fan_in))
            return self._constant("weights", layouts.pack_ternary(values))
        signs = self.rng.choice([-1, 1], (outs, fan_in))
        signs[0], signs[-1] = 1, -1  # the corners: all +1, and all -1
        return self._constant("weights", layouts.pack_bits(signs))

    def _channels(self, outs: int, reach: int, fraction: int) -> str:
        """Multipliers of either sign; some accumulators saturate."""
        multiplier = self.rng.integers(2**30, 2**31, outs) * self.rng.choice([-1, 1], outs)
        bits = int(reach**0.5 + 1).bit_length()
        shift = np.full(outs, 31 + max(bits - 6, 0) - fraction)
        bias = self.rng.integers(-reach // 8, reach // 8 + 1, outs)
        return self._constant("channels", np.stack([bias, multiplier, shift], 1).astype(np.int32))

    def _input(self, shape) -> str:
        name = self._tensor("x", shape, "int8", int(self.rng.integers(-128, 128)))
        self.graph.inputs.append(name)
        return name

    def _op(self, kind, inputs, shape, dtype, options) -> str:
        name = self._tensor("y", shape, dtype, int(self.rng.integers(-128, 128)))
        self.graph.ops.append(Op(kind, f"layer{len(self.graph.ops)}", inputs, [name], options))
        return name

    def _tensor(self, stem, shape, dtype, zero_point) -> str:
        name = f"{stem}{len(self.graph.tensors)}"
        scale = np.ones(1, np.float32) if dtype == "int8" else None
        tensor = Tensor(name, shape, dtype, None, scale, zero_point if dtype == "int8" else 0)
        self.graph.tensors[name] = tensor
        return name

    def _constant(self, stem, data: np.ndarray) -> str:
        name = f"{stem}{len(self.graph.tensors)}"
        self.graph.tensors[name] = Tensor(name, data.shape, str(data.dtype), data)
        return name
