"""What a kernel variant costs on a core: its instructions, estimated from a layer's sizes.

A variant does a few kinds of work, each so and so often (WORK). How many instructions each kind
takes on a core was fitted to exact counts: benchmarks/fit_costs.py writes costs.json from what
benchmarks/kernels.py counted.
"""

import json
from collections.abc import Callable
from ctypes import Structure
from functools import cache
from pathlib import Path

from keras_bc.deploy.layouts import words_for

COSTS = Path(__file__).with_name("costs.json")

CORES = {
    "cortex-m0": "M0",
    "cortex-m0plus": "M0",
    "cortex-m1": "M0",
    "cortex-m23": "M0",
    "cortex-m3": "M3",
    "cortex-m55": "M55",
    "cortex-m85": "M55",
    "rv32imac": "RV32",
    "rv32imac_zbb": "RV32 Zbb",
    "atmega328p": "AVR cycles",
    "atmega2560": "AVR cycles",
    "any": "M3",
}
"""The core that was measured, by a CPU as the compiler names it; M4 stands for all others."""

Work = Callable[[Structure], tuple[float, ...]]


def estimate(function: str, params: Structure, cpu: str) -> float | None:
    """The instructions of one call of a kernel, about; None where no core was measured.

    Args:
        function: Its name in C.
        params: Its sizes and options.
        cpu: As the compiler names it, such as "cortex-m4", or "any".
    """
    each = _costs().get(CORES.get(cpu, "M4"), {}).get(function)
    if each is None or function not in WORK:
        return None
    return sum(cost * often for cost, often in zip(each, WORK[function](params), strict=True))


@cache
def _costs() -> dict[str, dict[str, list[float]]]:
    """Instructions by core, function and kind of work."""
    return json.loads(COSTS.read_text())


def _fully_connected(p: Structure) -> tuple[float, ...]:
    """Products, outputs, rows."""
    outputs = p.rows * p.out_features
    return outputs * p.in_features, outputs, p.rows


def _conv_2d(p: Structure) -> tuple[float, ...]:
    """Products, taps, outputs before the pooling, and after it."""
    sums = _positions(p) * p.out_channels
    taps = sums * p.kernel.height * p.kernel.width
    return taps * (p.in_channels // p.groups), taps, sums, _outputs(p)


def _look_ups(inputs: int) -> Work:
    """Passes over the inputs, look-ups of a pass for each output; outputs, rows."""

    def work(p: Structure) -> tuple[float, ...]:
        passes = p.rows * -(-p.in_features // inputs)
        return passes, passes * p.out_features, p.rows * p.out_features, p.rows

    return work


def _carry_save(p: Structure) -> tuple[float, ...]:
    """Groups of 8 words of an output, words that are left; groups, outputs, rows."""
    words, outputs = words_for(p.in_features), p.rows * p.out_features
    groups, rest = divmod(words, 8)
    return outputs * groups, outputs * rest, p.rows * groups, outputs, p.rows


def _filter_tables(p: Structure) -> tuple[float, ...]:
    """Tables of 32 inputs and 8 filters, look-ups in them; sums of 8 filters, outputs."""
    filters = p.batch * -(-p.out_channels // 8)
    words = p.kernel.height * p.kernel.width * words_for(p.in_channels)
    # As in convolve_b1.c: what 6 KB holds beside the tables is a band of rows.
    lines = (6 * 1024 - 1792) // (16 * p.conv_width)
    rows = 1 + max(lines - p.pool.height, 0) // p.pool.stride_height
    sums = filters * p.conv_height * p.conv_width
    outputs = filters * p.out_height * p.out_width
    return filters * words * -(-p.out_height // rows), sums * words, sums, outputs


def _channel_words(p: Structure) -> tuple[float, ...]:
    """Taps of 32 channels, their accumulators, outputs."""
    words = p.batch * words_for(p.in_channels)
    positions = words * p.conv_height * p.conv_width
    taps = positions * p.kernel.height * p.kernel.width
    return taps, positions, words * p.out_height * p.out_width


def _words(p: Structure) -> tuple[float, ...]:
    """Words of an output's weights, outputs, rows."""
    outputs = p.rows * p.out_features
    return outputs * words_for(p.in_features), outputs, p.rows


def _octets(capacity: int) -> Work:
    """Tables, their entries, look-ups of 8 pixels; rows of sums, sums (both of each block of
    channels), outputs.

    Args:
        capacity: Inputs that 16 bits hold. How they and the image are cut is as conv_2d_octets.h
            plans it.
    """

    def work(p: Structure) -> tuple[float, ...]:
        kernel, row = p.kernel, p.kernel.width * p.in_channels
        whole = kernel.width > 1 and row <= 8  # of a row of the kernel there is one table
        taps, inputs = (1, row) if whole else (kernel.width, p.in_channels)
        groups = -(-inputs // 8)
        group = -(-inputs // groups)
        most = min(capacity // (kernel.height * taps * group), 257 // (taps * group))
        blocks = -(-groups // most) if most else 1
        strip, reach = -(-p.conv_width // 8), (taps - 1) * kernel.dilation_width
        seams = reach > 0 and 8 * strip * kernel.stride_width < p.in_width  # too narrow to fold
        columns = strip * kernel.stride_width + (reach if seams else 0)
        filters = -(-p.out_channels // 4) * 4
        line = 16 * (strip + reach // kernel.stride_width) * (filters + kernel.height)
        rows = max(p.pool.height, 2, (11 * 1024 - (16 << group)) // line)
        rows = min(rows, p.conv_height, 16)
        bands = -(-p.conv_height // rows)
        again = -(-rows * line // (16 << 10))  # once for each block of filters
        met = (rows - 1) * kernel.stride_height + kernel.height
        tables = p.batch * bands * again * min(met, p.in_height) * columns * groups
        looked_up = p.batch * p.conv_height * strip * kernel.height * taps * groups * filters
        sums = blocks * _positions(p)
        read = sums * (kernel.height + 6)  # a call is worth about six
        return tables, tables << group, looked_up, read, sums * p.out_channels, _outputs(p)

    return work


def _patches(p: Structure) -> tuple[float, ...]:
    """Tables of 4 inputs and 8 patches, words of a filter's look-ups; rows of a patch that are
    copied, inputs in them; outputs."""
    taps = p.kernel.height * p.kernel.width
    inputs, octets = taps * p.in_channels, -(-_positions(p) // 8)
    copied = _positions(p) if taps > 1 else 0
    looked_up = octets * words_for(inputs) * p.out_channels
    tables = octets * -(-inputs // 4)
    rows = copied * p.kernel.height
    calls = _positions(p) * -(-p.out_channels // 32)  # of finish, each worth about 16 outputs
    outputs = _positions(p) * p.out_channels + 16 * calls
    return tables, looked_up, rows, copied * inputs, outputs


def _depthwise(p: Structure) -> tuple[float, ...]:
    """Taps of outputs; what else becomes of an output is worth about four."""
    return (_positions(p) * p.out_channels * (p.kernel.height * p.kernel.width + 4),)


def _positions(p: Structure) -> int:
    """Of the convolution, before the pooling."""
    return p.batch * p.conv_height * p.conv_width


def _outputs(p: Structure) -> int:
    return p.batch * p.out_height * p.out_width * p.out_channels


WORK: dict[str, Work] = {
    "kbc_fully_connected_s8": _fully_connected,
    "kbc_fully_connected_s8_nibbles": _look_ups(32),
    "kbc_fully_connected_s8_tables": _look_ups(32),
    "kbc_fully_connected_s8_ternary": _fully_connected,
    "kbc_fully_connected_s8_ternary_nibbles": _look_ups(32),
    "kbc_fully_connected_s8_ternary_tables": _look_ups(20),
    "kbc_fully_connected_b1": _fully_connected,
    "kbc_fully_connected_b1_carry_save": _carry_save,
    "kbc_fully_connected_b1_ternary": _fully_connected,
    "kbc_fully_connected_b1_ternary_carry_save": _carry_save,
    "kbc_fully_connected_s8_lpm": _fully_connected,
    "kbc_fully_connected_s8_lpm_tables": _look_ups(8),
    "kbc_fully_connected_s8_mve": _look_ups(8),
    "kbc_fully_connected_s8_ternary_mve": _look_ups(8),
    "kbc_fully_connected_b1_lpm": _fully_connected,
    "kbc_fully_connected_b1_lpm_popcount": _words,
    "kbc_fully_connected_b1_popcount": _words,
    "kbc_fully_connected_b1_ternary_popcount": _words,
    "kbc_fully_connected_b1_mve": _look_ups(8),
    "kbc_fully_connected_b1_ternary_mve": _look_ups(8),
    "kbc_conv_2d_s8_octets": _octets(514),
    "kbc_conv_2d_s8_patches": _patches,
    "kbc_conv_2d_s8_depthwise": _depthwise,
    "kbc_conv_2d_s8_ternary_octets": _octets(257),
    "kbc_conv_2d_s8_ternary_patches": _patches,
    "kbc_conv_2d_s8_ternary_depthwise": _depthwise,
    "kbc_conv_2d_s8": _conv_2d,
    "kbc_conv_2d_s8_ternary": _conv_2d,
    "kbc_conv_2d_b1": _conv_2d,
    "kbc_conv_2d_b1_depthwise": _channel_words,
    "kbc_conv_2d_b1_tables": _filter_tables,
    "kbc_conv_2d_b1_ternary": _conv_2d,
    "kbc_conv_2d_b1_ternary_depthwise": _channel_words,
    "kbc_conv_2d_b1_ternary_tables": _filter_tables,
}
"""How often a variant does each kind of its work. Those that convolve with vectors have none: what
they take is not linear in such sizes, and the table's order names the best of them."""
