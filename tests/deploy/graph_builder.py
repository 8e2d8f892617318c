"""Grows random integer graphs, op by op."""

from collections.abc import Callable
from math import prod

import numpy as np

from keras_bc.deploy.fixed_point import quantize_multiplier
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.layouts import pack_bits, pack_ternary, words_for
from keras_bc.deploy.windows import IDENTITY, Window, to_options, window_for
from tests.deploy.element_builder import ADDERS, ElementBuilder
from tests.deploy.element_builder import constant as _constant


class Builder(ElementBuilder):
    """Grows a chain, now and then with a branch beside it that an op joins.

    Each op's sizes, options and constants are drawn from a seed.
    """

    def __init__(
        self,
        seed: int,
        weights: str | None = None,
        outputs: str | None = None,
        shortcut: bool | None = None,
    ):
        """What is given of few-bit ops is not drawn.

        Args:
            seed: Of all that is drawn.
            weights: "binary" or "ternary".
            outputs: "int8" or "bits".
            shortcut: Whether a tensor is added where one fits.
        """
        self.weights, self.outputs, self.shortcut = weights, outputs, shortcut
        self.rng = np.random.default_rng(seed)
        self.graph = Graph(f"random-{seed}")
        self.x: Tensor | None = None
        self.bits: dict[str, int] = {}  # channels of the tensors of bits

    def input(self, shape: tuple[int, ...]) -> None:
        """Start with an input of `shape`."""
        self.x = self._activation("input", shape)
        self.graph.inputs = [self.x.name]

    def add(self, kind: str, *sizes: int) -> None:
        """Append an op of `kind`; a fully connected one takes its width.

        What cannot read bits gets them unpacked.
        """
        if self.x.name in self.bits and (not kind.startswith("Kbc") or kind == "KbcPack"):
            self._add_unpack("KbcUnpack")
        _ADDERS[kind](self, kind, *sizes)

    def finish(self) -> Graph:
        """The graph, which ends where the chain does; bits are unpacked there."""
        if self.x.name in self.bits:
            self.add("KbcUnpack")
        self.graph.outputs = [self.x.name]
        return self.graph

    def _append(
        self,
        kind: str,
        shape: tuple[int, ...],
        constants: list[Tensor],
        options: dict,
        flows: list[Tensor] | None = None,
        bits: int | None = None,
        **output,
    ) -> None:
        """One op from the chain's end to a new tensor, which becomes the end.

        `flows` are its computed inputs, if not the end alone: constants stand behind the first. Its
        output may be words of as many `bits`. `output` may fix the new tensor's scale and zero
        point.
        """
        name = f"{kind.lower()}_{len(self.graph.ops)}"
        y = self._activation(f"{name}/output", shape, **output)
        if bits is not None:
            y.dtype, y.scale, y.zero_point = "int32", None, 0
            self.bits[y.name] = bits
        for constant in constants:
            constant.name = f"{name}/{constant.name}"
            self.graph.tensors[constant.name] = constant
        first, *others = [tensor.name for tensor in flows or [self.x]]
        inputs = [first, *(constant.name for constant in constants), *others]
        self.graph.ops.append(Op(kind, name, inputs, [y.name], options))
        self.x = y

    def _activation(self, name: str, shape: tuple[int, ...], scale=None, zero_point=None) -> Tensor:
        if scale is None:
            scale = np.exp2(self.rng.uniform(-8, -1, 1)).astype(np.float32)
            zero_point = int(self.rng.choice([-128, 127, self.rng.integers(-128, 128)]))
        tensor = Tensor(name, shape, "int8", None, scale, zero_point)
        self.graph.tensors[name] = tensor
        return tensor

    def _same_quantization(self) -> dict:
        return {"scale": self.x.scale, "zero_point": self.x.zero_point}

    @property
    def channels(self) -> int:
        """Of the chain's end: its last axis, or what its words of bits hold."""
        return self.bits.get(self.x.name, self.x.shape[-1])

    def _few_bit(self, kind: str, shape: tuple[int, ...], taps: int, options: dict) -> None:
        """A Kbc op of `taps` products an output, with weights and outputs of either kind."""
        rng, out = self.rng, shape[-1]
        ternary = self._is("ternary", self.weights, 0.3)
        values = rng.choice([-1, 0, 1] if ternary else [-1, 1], (out, taps))
        options = {"weights": "ternary" if ternary else "binary", **options}
        words = _constant("weights", (pack_ternary if ternary else pack_bits)(values))
        size = 74.0
        if self.x.name in self.bits:
            options["in_channels"], size = self.channels, 1.0
        if self._is("bits", self.outputs, 0.3):
            channels = self._thresholds(out, size * np.sqrt(taps))
            shape = (*shape[:-1], words_for(out))
            self._append(kind, shape, [words, channels], options, bits=out)
            return
        shortcut = self._shortcut(shape)
        channels, bounds = self._channels(out, size * np.sqrt(taps), shortcut is not None)
        options |= bounds
        if shortcut is not None:
            pair = quantize_multiplier(256 * rng.uniform(0.2, 1.5))
            options |= dict(zip(("shortcut_multiplier", "shortcut_shift"), pair, strict=True))
        flows = [self.x] if shortcut is None else [self.x, self.graph.tensors[shortcut]]
        self._append(kind, shape, [words, channels], options, flows=flows)

    def _shortcut(self, shape: tuple[int, ...]) -> str | None:
        """An int8 tensor of the shape, if there is one and chance wants it."""
        fitting = [name for name, tensor in self.graph.tensors.items() if _fits(tensor, shape)]
        wanted = fitting and self._is(True, self.shortcut, 0.5)
        return str(self.rng.choice(fitting)) if wanted else None

    def _is(self, choice, given, probability: float) -> bool:
        drawn = self.rng.random() < probability
        return drawn if given is None else given == choice

    def _thresholds(self, out: int, reach: float) -> Tensor:
        """Some that no sum meets, some that all do."""
        thresholds = np.rint(self.rng.normal(0, reach, out))
        thresholds[self.rng.random(out) < 0.05] = -(2**30)
        directions = self.rng.choice([-1, 1], out)
        return _constant("channels", np.stack([thresholds, directions], axis=1).astype(np.int32))

    def _channels(self, out: int, reach: float, shortcut: bool) -> tuple[Tensor, dict]:
        """Parameters that spread sums of about `reach` over the range of int8, and the bounds."""
        exponent = np.round(np.log2(reach / 60)) - 8 * shortcut
        shift = np.clip(31 + exponent + self.rng.integers(-1, 3, out), 1, 62)
        multiplier = self.rng.integers(2**30, 2**31, out) * self.rng.choice(
            [-1, 1], out, p=[0.2, 0.8]
        )
        multiplier[self.rng.random(out) < 0.05] = 0
        bias = np.rint(self.rng.uniform(-1.5, 1.5, out) * reach)
        low = int(self.rng.choice([-128, self.rng.integers(-128, 0)]))
        bounds = {
            "activation_min": low,
            "activation_max": int(self.rng.integers(max(low, 0), 128)),
        }
        rows = np.stack([bias, multiplier, shift], axis=1).astype(np.int32)
        return _constant("channels", rows), bounds

    def _int8(self, kind: str, shape: tuple[int, ...], weights: np.ndarray, options: dict) -> None:
        """A builtin with int8 weights, one scale a channel, or one for all where it must."""
        out = shape[-1]
        taps = weights.size // out
        scales = 1 if kind == "FULLY_CONNECTED" else out
        output_scale = np.exp2(self.rng.uniform(-8, -1, 1)).astype(np.float32)
        spread = self.rng.uniform(0.3, 3, scales) * 60 / (74 * 74 * np.sqrt(taps))
        scale = (spread * output_scale / self.x.scale).astype(np.float32)
        limit = int(74 * 74 * np.sqrt(taps))
        bias = self.rng.integers(-limit, limit + 1, out).astype(np.int32)
        constants = [
            _constant("weights", weights, scale, axis=3 if kind == "DEPTHWISE_CONV_2D" else 0),
            _constant("bias", bias, self.x.scale * scale),
        ]
        zero_point = int(self.rng.choice([-128, self.rng.integers(-128, 128)]))
        if kind == "DEPTHWISE_CONV_2D":
            zero_point = -128
        self._append(kind, shape, constants, options, scale=output_scale, zero_point=zero_point)

    def _add_few_bit_fully_connected(self, kind: str, out: int = 0) -> None:
        most = 150 if len(self.x.shape) == 2 else 12
        out = out or int(self.rng.choice([1, 31, 32, 33, self.rng.integers(2, most)]))
        self._few_bit(kind, (*self.x.shape[:-1], out), self.channels, {})

    def _add_int8_fully_connected(self, kind: str, out: int = 0) -> None:
        out = out or int(self.rng.integers(1, 40))
        weights = self.rng.integers(-127, 128, (out, prod(self.x.shape))).astype(np.int8)
        self._int8(kind, (1, out), weights, {})

    def _add_few_bit_conv(self, kind: str) -> None:
        channels, dilation = self.channels, (1, 1)
        if self.rng.random() < 0.15:
            dilation = tuple(self.rng.integers(1, 4, 2).tolist())
        image = [(n - 1) * d + 1 for n, d in zip(self.x.shape[1:3], dilation, strict=True)]
        kernel = self._window(image, dilates=True)
        groups = channels if kind == "KbcDepthwiseConv2D" else self._divisor(channels)
        out = groups * int(self.rng.integers(1, 4))
        size = kernel.output_size(*image)
        pool = self._window(size) if self.rng.random() < 0.4 else IDENTITY
        options = to_options("kernel", kernel) | to_options("pool", pool)
        if dilation != (1, 1):
            options |= {"input_dilation_h": dilation[0], "input_dilation_w": dilation[1]}
        if kind == "KbcConv2D":
            options["groups"] = groups
        taps = kernel.height * kernel.width * channels // groups
        self._few_bit(kind, (1, *pool.output_size(*size), out), taps, options)

    def _add_max_pool_bits(self, kind: str) -> None:
        if self.x.name not in self.bits:
            self._add_pack("KbcPack")
        _, height, width, words = self.x.shape
        pool = self._window((height, width))
        shape = (1, *pool.output_size(height, width), words)
        self._append(kind, shape, [], to_options("pool", pool), bits=self.channels)

    def _add_pack(self, kind: str) -> None:
        channels = self.channels
        self._append(kind, (*self.x.shape[:-1], words_for(channels)), [], {}, bits=channels)

    def _add_unpack(self, kind: str) -> None:
        if self.x.name not in self.bits:
            self._add_pack("KbcPack")
        positive, negative = self.rng.integers(-128, 128, 2).tolist()
        options = {"positive": positive, "negative": negative}
        self._append(kind, (*self.x.shape[:-1], self.channels), [], options)

    def _add_int8_conv(self, kind: str) -> None:
        _, height, width, channels = self.x.shape
        window, padding = self._padded_window((height, width), dilates=self.rng.random() < 0.3)
        options = _strides(window) | {
            "dilation_h": window.dilation_height,
            "dilation_w": window.dilation_width,
            "padding": padding,
        }
        if kind == "CONV_2D":
            groups = self._divisor(channels) if self.rng.random() < 0.5 else 1
            out = groups * int(self.rng.integers(1, 9 if groups == 1 else 4))
            shape = out, window.height, window.width, channels // groups
        else:
            options["depth_multiplier"] = int(self.rng.integers(1, 4))
            out = channels * options["depth_multiplier"]
            shape = 1, window.height, window.width, out
        weights = self.rng.integers(-127, 128, shape).astype(np.int8)
        self._int8(kind, (1, *window.output_size(height, width), out), weights, options)

    def _add_pool(self, kind: str) -> None:
        _, height, width, channels = self.x.shape
        window, padding = self._padded_window((height, width))
        options = _strides(window) | {
            "filter_h": window.height,
            "filter_w": window.width,
            "padding": padding,
        }
        shape = (1, *window.output_size(height, width), channels)
        self._append(kind, shape, [], options, **self._same_quantization())

    def _add_pad(self, kind: str, axis: int | None = None) -> None:
        paddings = np.zeros((4, 2), np.int32)
        paddings[1:3] = self.rng.integers(0, 3, (2, 2))
        if axis is not None:
            paddings[3 - axis] = 0
        shape = tuple((np.array(self.x.shape) + paddings.sum(axis=1)).tolist())
        constant = _constant("paddings", paddings)
        self._append(kind, shape, [constant], {}, **self._same_quantization())

    def _add_reshape(self, kind: str) -> None:
        shape = (1, prod(self.x.shape))
        constant = _constant("shape", np.array((-1, *shape[1:]), np.int32))
        self._append(kind, shape, [constant], {}, **self._same_quantization())

    def _add_softmax(self, kind: str) -> None:
        scale = np.array([1 / 256], np.float32)
        self._append(kind, self.x.shape, [], {"beta": 1}, scale=scale, zero_point=-128)

    def _window(self, image: tuple[int, int], dilates: bool = False) -> Window:
        """A window with at least one position on the image, its padding shorter than itself."""
        rng = self.rng
        size = [int(rng.integers(1, min(n, 4) + 1)) for n in image]
        dilation = [
            int(rng.integers(1, (n - 1) // (k - 1) + 1)) if dilates and k > 1 else 1
            for n, k in zip(image, size, strict=True)
        ]
        dilation = [min(d, 3) for d in dilation]
        stride = rng.integers(1, 4, 2).tolist()
        pads = [int(rng.integers(0, k)) for k in size + size]
        return Window(*size, *stride, *dilation, *pads)

    def _padded_window(self, image: tuple[int, int], dilates: bool = False) -> tuple[Window, str]:
        """A window whose padding is "SAME" or "VALID"; one that is dilated has no stride."""
        window = self._window(image, dilates)
        size, stride = (window.height, window.width), (window.stride_height, window.stride_width)
        dilation = window.dilation_height, window.dilation_width
        if dilation != (1, 1):
            stride = 1, 1
        padding = str(self.rng.choice(["SAME", "VALID"]))
        return window_for(padding, image, size, stride, dilation), padding

    def _divisor(self, number: int) -> int:
        return int(self.rng.choice([n for n in range(1, number + 1) if number % n == 0]))


def _fits(tensor: Tensor, shape: tuple[int, ...]) -> bool:
    return tensor.data is None and tensor.dtype == "int8" and tensor.shape == shape


def _strides(window: Window) -> dict[str, int]:
    return {"stride_h": window.stride_height, "stride_w": window.stride_width}


_ADDERS: dict[str, Callable[..., None]] = {
    "KbcFullyConnected": Builder._add_few_bit_fully_connected,
    "KbcConv2D": Builder._add_few_bit_conv,
    "KbcDepthwiseConv2D": Builder._add_few_bit_conv,
    "KbcMaxPool2D": Builder._add_max_pool_bits,
    "KbcPack": Builder._add_pack,
    "KbcUnpack": Builder._add_unpack,
    "FULLY_CONNECTED": Builder._add_int8_fully_connected,
    "CONV_2D": Builder._add_int8_conv,
    "DEPTHWISE_CONV_2D": Builder._add_int8_conv,
    "MAX_POOL_2D": Builder._add_pool,
    "AVERAGE_POOL_2D": Builder._add_pool,
    "PAD": Builder._add_pad,
    "RESHAPE": Builder._add_reshape,
    "SOFTMAX": Builder._add_softmax,
    **ADDERS,
}
