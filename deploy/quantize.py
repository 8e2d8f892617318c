"""Graph (fused) and ranges -> Graph (integer): int8 activations, packed weights, int32 parameters.

Activations are affine, real = s * (q - z), over the calibrated range cut to the activation's
bounds and widened to hold 0, which every tensor must represent exactly (padding is 0).
"""

import math

import numpy as np

from keras_bc.deploy.calibrate import Range
from keras_bc.deploy.fixed_point import quantize_multiplier
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.layouts import pack_bits
from keras_bc.deploy.windows import IDENTITY, Window, to_options, window_for
from keras_bc.errors import UserError

LOW, HIGH = -128, 127
LIMIT = 2**30  # of accumulators and biases, so that their sum times a multiplier fits 63 bits


def quantize(graph: Graph, ranges: dict[str, Range]) -> Graph:
    """The integer graph that approximates `graph`.

    Args:
        graph: Fused.
        ranges: Of each activation, from `calibrate`.

    Raises:
        UserError: A layer sums more products than 32 bits hold.
    """
    check_supported(graph)
    quantizer = _Quantizer(graph, ranges)
    for op in graph.ops:
        quantizer.take(op)
    return quantizer.graph


def affine(low: float, high: float) -> tuple[np.ndarray, int]:
    """Scale (float32 `[1]`) and zero point of int8 values from `low` to `high`, and 0."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / (HIGH - LOW)) if high > low else np.float32(1)
    scale = max(scale, np.finfo(np.float32).tiny)  # the least that has all its digits
    zero_point = int(np.clip(math.floor(LOW - low / float(scale) + 0.5), LOW, HIGH))
    return np.array([scale], np.float32), zero_point


class _Quantizer:
    """The integer graph under construction."""

    def __init__(self, fused: Graph, ranges: dict[str, Range]):
        self.fused = fused
        self.ranges = ranges
        self.graph = Graph(fused.name, inputs=list(fused.inputs), outputs=list(fused.outputs))
        for name in fused.inputs:
            self._activation(name, *affine(*ranges[name]))

    def take(self, op: Op) -> None:
        """Append the integer form of `op`."""
        if op.kind == "fully_connected":
            self._binary_fully_connected(op)
        elif op.kind == "conv_2d" and op.options["weights"] == "binary":
            self._binary_conv_2d(op)
        elif op.kind == "conv_2d":
            self._int8_conv_2d(op)
        elif op.kind == "softmax":
            self._activation(op.outputs[0], np.array([1 / 256], np.float32), LOW)
            self._append("SOFTMAX", op, beta=1)
        else:
            self._same_scale(op)

    # Tensors and ops

    def _activation(self, name: str, scale: np.ndarray, zero_point: int) -> Tensor:
        shape = self.fused.tensors[name].shape
        self.graph.tensors[name] = Tensor(name, shape, "int8", None, scale, zero_point)
        return self.graph.tensors[name]

    def _constant(self, op: Op, key: str, data: np.ndarray, scale=None) -> str:
        name = f"{op.outputs[0]}/{key}"
        self.graph.tensors[name] = Tensor(name, data.shape, str(data.dtype), data, scale)
        return name

    def _append(self, kind: str, op: Op, *constants: str, **options) -> None:
        """Append an op that reads and writes what `op` does."""
        inputs = [op.inputs[0], *constants]
        self.graph.ops.append(Op(kind, op.name, inputs, list(op.outputs), options))

    def _same_scale(self, op: Op) -> None:
        """Ops whose output is a choice, or a mean, of values of their input."""
        x = self.graph.tensors[op.inputs[0]]
        y = self._activation(op.outputs[0], x.scale, x.zero_point)
        if op.kind == "reshape":
            shape = np.array([-1, *y.shape[1:]], np.int32)
            self._append("RESHAPE", op, self._constant(op, "shape", shape))
            return
        window = op.options["window"]
        if op.kind == "pad_2d":
            sides = [[window.pad_top, window.pad_bottom], [window.pad_left, window.pad_right]]
            paddings = np.array([[0, 0], *sides, [0, 0]], np.int32)
            self._append("PAD", op, self._constant(op, "paddings", paddings))
            return
        options = {"filter_h": window.height, "filter_w": window.width}
        self._append(op.kind.upper(), op, **options, **_builtin_window(window, x.shape))

    # Linear ops

    def _linear_output(self, op: Op) -> tuple[Tensor, dict[str, int]]:
        """The output tensor of an op with bounds, and the bounds in its integers."""
        low, high = (op.options[bound] for bound in ("low", "high"))
        least, greatest = np.clip(self.ranges[op.outputs[0]], low, high)
        scale, zero_point = affine(float(least), float(greatest))
        y = self._activation(op.outputs[0], scale, zero_point)
        bounds = {}
        for key, bound, beyond in (("activation_min", low, LOW), ("activation_max", high, HIGH)):
            level = beyond
            if math.isfinite(bound):
                level = math.floor(bound / float(scale[0]) + 0.5) + zero_point
            bounds[key] = int(np.clip(level, LOW, HIGH))
        return y, bounds

    def _binary(self, op: Op) -> tuple[list[str], dict]:
        """Packed weights and per-channel parameters of an op with one-bit weights."""
        x = self.graph.tensors[op.inputs[0]]
        y, bounds = self._linear_output(op)
        weights, scale, offset = (self.fused.tensors[name].data for name in op.inputs[1:])
        rows = weights.reshape(len(weights), -1)
        _check_products(op, rows.shape[1])
        real = float(x.scale[0]) * scale
        _check_multipliers(op, real / float(y.scale[0]), LIMIT)
        channels = channel_parameters(real, offset, float(y.scale[0]), rows.shape[1])
        constants = [
            self._constant(op, "weights", pack_bits(rows)),
            self._constant(op, "channels", channels),
        ]
        return constants, {"weights": "binary", **bounds}

    def _binary_fully_connected(self, op: Op) -> None:
        constants, options = self._binary(op)
        self._append("KbcFullyConnected", op, *constants, **options)

    def _binary_conv_2d(self, op: Op) -> None:
        constants, options = self._binary(op)
        groups = op.options["groups"]
        options |= to_options("kernel", op.options["window"])
        options |= to_options("pool", op.options["pool"])
        if groups > 1 and groups == self.fused.tensors[op.inputs[0]].shape[-1]:
            self._append("KbcDepthwiseConv2D", op, *constants, **options)
        else:
            self._append("KbcConv2D", op, *constants, groups=groups, **options)

    def _int8(self, op: Op) -> list[str]:
        """int8 weights, a scale for each output channel, and int32 bias.

        scale and offset of batch norm fold into them; the bounds need no place, since the output's
        range ends at them and int8 saturates there.
        """
        x = self.graph.tensors[op.inputs[0]]
        y, _ = self._linear_output(op)
        weights, scale, offset = (self.fused.tensors[name].data for name in op.inputs[1:])
        weights = weights * scale.reshape(-1, *[1] * (weights.ndim - 1))
        rows = np.abs(weights).reshape(len(weights), -1)
        _check_products(op, rows.shape[1] * HIGH)
        # A channel of tiny weights takes a scale that its bias fits into.
        size = np.maximum(rows.max(axis=1) / HIGH, np.abs(offset) / (float(x.scale[0]) * LIMIT))
        size = np.where(size > 0, size, 1.0).astype(np.float32)
        steps = size.astype(np.float64).reshape(-1, *[1] * (weights.ndim - 1))
        quantized = np.clip(np.rint(weights / steps), -HIGH, HIGH).astype(np.int8)
        bias_scale = x.scale * size
        bias = np.clip(np.rint(offset / bias_scale.astype(np.float64)), -LIMIT, LIMIT)
        # A builtin shifts its accumulator to the left, in 32 bits, by a multiplier above 1.
        sums = (HIGH - LOW) * np.abs(quantized.astype(np.int64)).reshape(len(size), -1).sum(axis=1)
        most = np.maximum(LIMIT / (sums + np.abs(bias) + 1), 1)
        _check_multipliers(op, bias_scale / y.scale, most)
        return [
            self._constant(op, "weights", quantized, size),
            self._constant(op, "bias", bias.astype(np.int32), bias_scale),
        ]

    def _int8_conv_2d(self, op: Op) -> None:
        if op.options["groups"] != 1:
            raise UserError(
                f"Layer `{op.name}` is a Conv2D with groups={op.options['groups']}; only "
                "BinaryConv2D can be exported with groups. Use one, or groups=1."
            )
        window = op.options["window"]
        shape = self.fused.tensors[op.inputs[0]].shape
        options = {"dilation_h": window.dilation_height, "dilation_w": window.dilation_width}
        self._append("CONV_2D", op, *self._int8(op), **options, **_builtin_window(window, shape))


_KINDS = (
    *("fully_connected", "conv_2d", "softmax", "max_pool_2d", "average_pool_2d", "pad_2d"),
    "reshape",
)


def check_supported(graph: Graph) -> None:
    """Stop with a UserError at what has no integer form yet.

    Args:
        graph: Fused.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise UserError(
            f"Model `{graph.name}` has {len(graph.inputs)} inputs and {len(graph.outputs)} "
            "outputs; only one of each can be exported."
        )
    for op in graph.ops:
        if not _is_supported(graph, op):
            raise UserError(f"Layer `{op.name}` ({op.kind}) cannot be exported yet.")


def _is_supported(graph: Graph, op: Op) -> bool:
    options = op.options
    real = options.get("weights") == "real"
    return (
        op.kind in _KINDS
        and "bits" not in [graph.tensors[name].dtype for name in (*op.inputs, *op.outputs)]
        and options.get("weights") != "ternary"
        and len(op.inputs) <= 4
        and options.get("transposed") is None
        and not options.get("levels")
        and not (real and options["groups"] == graph.tensors[op.inputs[0]].shape[-1] > 1)
    )


def _builtin_window(window: Window, shape: tuple[int, ...]) -> dict:
    """Strides and padding of a TensorFlow Lite builtin, which knows no padding but these two."""
    size, stride = (window.height, window.width), (window.stride_height, window.stride_width)
    dilation = window.dilation_height, window.dilation_width
    same = window == window_for("same", shape[1:3], size, stride, dilation)
    padding = "SAME" if same and window != IDENTITY else "VALID"
    return {"stride_h": stride[0], "stride_w": stride[1], "padding": padding}


def _check_products(op: Op, products: int) -> None:
    if products * (HIGH - LOW) > LIMIT:
        raise UserError(f"Layer `{op.name}` sums too many products for a 32-bit accumulator.")


def _check_multipliers(op: Op, real: np.ndarray, most: np.ndarray | float) -> None:
    """A step of an accumulator is ever so many of the output's only where that hardly moves."""
    if not (np.abs(real) < most).all():
        raise UserError(
            f"Layer `{op.name}` gives next to nothing on the calibration samples, so that 8 bits "
            "cannot hold what it may give. Calibrate on samples like those of its use."
        )


def channel_parameters(
    scale: np.ndarray, offset: np.ndarray, output_scale: float, products: int
) -> np.ndarray:
    """bias, multiplier and shift of each output channel of an op with one-bit weights.

    Derivation. Let a[c] = sum_k w[c,k] (x[k] - zx) be the accumulator of the integers, w one bit.
    Real inputs are sx (x - zx); the layer's weights are H w; its bias, and the batch norm that
    follows, multiply by g and add: the real output is

        y_real = g (H sx a + bias) + ... = S a + B,      S = H g sx,  B = all that is added

    where `fuse` collected H g in its scale, B in its offset. With y_real = sy (y - zy),

        y = zy + (S a + B) / sy = zy + (a + B / S) (S / sy) = zy + (a + bias) M

    bias = round(B / S) is off by at most half a step of the accumulator, which is |M| / 2 of an
    output step: far below one where many products are summed. A batch norm that stands alone sums
    one, and its |M| may be above 1; even so the bias adds no more error than the rounding of the
    input did, half a step of it. M = multiplier * 2^-shift keeps 31 bits. The bounds of ReLU
    become the clamp's. S may be negative: so are M and the multiplier, and nothing else changes.

    Where S is so small that B / S leaves the bias's range (a channel that batch norm has all but
    switched off, or S = 0) the output is B / sy for any input: M is then chosen such that the
    largest bias gives just that, and the accumulator can only move it by its share
    |a| / bias < 2^-30 `products` 255.

    Args:
        scale: S, float64 `[out]`.
        offset: B, float64 `[out]`.
        output_scale: sy.
        products: K, the number of taps.

    Returns:
        int32 `[out, 3]`.
    """
    largest = LIMIT - 1
    rows = []
    for s, b in zip(scale.tolist(), offset.tolist(), strict=True):
        if abs(b) < abs(s) * largest:
            bias, multiplier = math.floor(b / s + 0.5), s / output_scale
        else:
            # Beyond 512 output steps the clamp decides.
            steps = float(np.clip(b / output_scale, -512, 512))
            bias, multiplier = largest, steps / largest
        rows.append((bias, *quantize_multiplier(multiplier)))
    return np.array(rows, np.int32).reshape(-1, 3)
