"""Reference convolutions against the sum over taps, by NumPy, one tap of all pixels at a time.

The other variants are compared by test_variants.py.
"""

import numpy as np
import pytest

from keras_bc.deploy import layouts

FULL_RANGE = [0, -128, 127]

NO_PADS, BORDER = (0, 0, 0, 0), (1, 1, 1, 1)
NO_POOL = ((1, 1), (1, 1), NO_PADS)
PADDED_POOL = ((3, 2), (2, 1), (1, 0, 1, 1))

# (in_h, in_w), in_channels, out_channels, groups, (kernel_h, kernel_w), stride, dilation, pads
# (top, left, bottom, right), then pool size, pool stride and pool pads
SHAPES = {
    "one pixel, one channel": ((1, 1), 1, 1, 1, (1, 1), (1, 1), (1, 1), NO_PADS, NO_POOL),
    "3x3 same": ((5, 7), 3, 4, 1, (3, 3), (1, 1), (1, 1), BORDER, NO_POOL),
    "33 channels": ((4, 3), 33, 2, 1, (2, 2), (1, 1), (1, 1), NO_PADS, NO_POOL),
    "31 channels": ((3, 3), 31, 3, 1, (1, 3), (1, 1), (1, 1), (0, 1, 0, 1), NO_POOL),
    "odd strides": ((9, 8), 2, 3, 1, (3, 2), (3, 2), (1, 1), (1, 0, 2, 1), NO_POOL),
    "dilated": ((8, 9), 2, 3, 1, (3, 2), (1, 1), (2, 3), (2, 1, 2, 2), NO_POOL),
    "two groups": ((4, 4), 6, 4, 2, (3, 3), (1, 1), (1, 1), BORDER, NO_POOL),
    "depthwise": ((5, 4), 5, 5, 5, (3, 3), (2, 2), (1, 1), BORDER, NO_POOL),
    "depthwise, two each": ((4, 4), 3, 6, 3, (2, 2), (1, 1), (1, 1), (0, 0, 1, 1), NO_POOL),
    "wide pads": ((2, 2), 2, 2, 1, (2, 2), (1, 1), (1, 1), (3, 4, 4, 3), NO_POOL),
    "pool 2x2": ((6, 7), 3, 4, 1, (3, 3), (1, 1), (1, 1), BORDER, ((2, 2), (2, 2), NO_PADS)),
    "overlapping pool": ((5, 5), 2, 3, 1, (3, 3), (1, 1), (1, 1), BORDER, PADDED_POOL),
}


def sizes(image, kernel, stride, dilation, pads):
    """The positions of a window on an image, by axis."""
    totals = (pads[0] + pads[2], pads[1] + pads[3])
    return tuple(
        (n + p - (k - 1) * d - 1) // s + 1
        for n, p, k, d, s in zip(image, totals, kernel, dilation, stride, strict=True)
    )


def taps_of(values, absent, kernel, stride, dilation, pads):
    """For each tap, the value [n, out_h, out_w, c] that it meets at every position."""
    edges = ((0, 0), (pads[0], pads[2]), (pads[1], pads[3]), (0, 0))
    padded = np.pad(values, edges, constant_values=absent)
    rows, columns = sizes(values.shape[1:3], kernel, stride, dilation, pads)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = i * dilation[0], j * dilation[1]
            yield padded[:, top:, left:][:, :: stride[0], :: stride[1]][:, :rows, :columns]


def convolve(x, weights, zero_point, groups, window):
    """acc [n, out_h, out_w, out] of x [n, h, w, c] and weights [out, kh, kw, c / groups]."""
    outs, kh, kw, n = weights.shape
    flat = weights.reshape(outs, kh * kw, n).astype(np.int64)
    taps = list(taps_of(x.astype(np.int64) - zero_point, 0, (kh, kw), *window))
    acc = np.zeros((*taps[0].shape[:3], outs), np.int64)
    for o in range(outs):
        group = o // (outs // groups)
        for t, tap in enumerate(taps):
            acc[..., o] += tap[..., group * n : (group + 1) * n] @ flat[o, t]
    return acc


def build(rng, shape, weights_of):
    """Random x, weights and the kernel's parameters, and the accumulators after the pooling."""
    image, c, outs, groups, kernel, stride, dilation, pads, (pool, pool_stride, pool_pads) = shape
    batch = int(rng.integers(1, 3))
    x = rng.integers(-128, 128, (batch, *image, c), dtype=np.int8)
    weights = weights_of((outs, *kernel, c // groups))
    zero_point = int(rng.integers(-128, 128))
    conv = convolve(x, weights, zero_point, groups, (stride, dilation, pads))
    pool_window = (pool, pool_stride, (1, 1), pool_pads)
    acc = np.max(list(taps_of(conv, np.iinfo(np.int64).min, *pool_window)), axis=0)
    params = [batch, *image, c, *conv.shape[1:3], *acc.shape[1:], groups, 1, 1, zero_point]
    params += [*kernel, *stride, *dilation, *pads]
    params += [*pool, *pool_stride, 1, 1, *pool_pads]
    return x, weights, params, acc


def random_channels(rng, acc):
    """Multipliers of either sign that spread these accumulators over the int8 range."""
    outs = acc.shape[-1]
    reach = max(int(np.abs(acc).max()), 1)
    multiplier = rng.integers(2**30, 2**31, outs) * rng.choice([-1, 1], outs)
    bias = rng.integers(-reach, reach + 1, outs)
    shift = np.full(outs, 24 + reach.bit_length())
    return np.stack([bias, multiplier, shift], axis=1)


def check(run, make_case, requantize, op, variant, weights_of, pack, twice=False, shapes=SHAPES):
    """One kernel on some shapes."""
    rng = np.random.default_rng(3)
    cases, expected = [], []
    for shape in shapes.values():
        x, weights, params, acc = build(rng, shape, lambda size: weights_of(rng, size))
        channels = random_channels(rng, acc)
        output = [int(rng.integers(-20, 20)), -100, 120]
        cases.append(
            make_case(op, variant, [*params, *output], x, acc.shape, pack(weights), channels)
        )
        expected.append(requantize(acc, channels, output, twice))
    for name, y, correct in zip(shapes, run(cases), expected, strict=True):
        np.testing.assert_array_equal(y, correct, name)


def test_one_bit_weights(run, make_case, requantize):
    def pack(signs):
        return layouts.pack_bits(signs.reshape(len(signs), -1))

    signs = lambda rng, size: rng.choice([-1, 1], size)
    check(run, make_case, requantize, "conv_2d_s8", "reference", signs, pack)


def any_int8(rng, size):
    return rng.integers(-128, 128, size, dtype=np.int8)


def unpooled(has_groups):
    """The shapes without a pooling whose groups are as `has_groups(groups, channels)` says."""
    plain = {name: shape for name, shape in SHAPES.items() if shape[-1][0] == (1, 1)}
    return {name: shape for name, shape in plain.items() if has_groups(shape[3], shape[1])}


@pytest.mark.parametrize(
    ("op", "shapes", "pack"),
    [
        ("int8_conv_2d", unpooled(lambda groups, _: groups == 1), lambda w: w),
        (
            "int8_depthwise_conv_2d",
            unpooled(lambda groups, channels: groups == channels),
            lambda w: np.moveaxis(w[..., 0], 0, 2),
        ),
        ("int8_grouped_conv_2d", SHAPES, lambda w: w),
    ],
    ids=["int8_conv_2d", "int8_depthwise_conv_2d", "int8_grouped_conv_2d"],
)
def test_int8_weights(op, shapes, pack, run, make_case, requantize):
    assert len(shapes) > 2
    check(run, make_case, requantize, op, "builtin", any_int8, pack, twice=True, shapes=shapes)


@pytest.mark.parametrize("sign", [-1, 1])
def test_saturation(sign, run, make_case):
    """A tap that is absent adds 0, whatever the zero point: the corner has 4 of 9 taps."""
    x = np.full((1, 3, 3, 1), 127, np.int8)
    params = [1, 3, 3, 1, 3, 3, 3, 3, 1, 1, 1, 1, -128]
    params += [3, 3, 1, 1, 1, 1, 1, 1, 1, 1] + [1, 1, 1, 1, 1, 1, 0, 0, 0, 0] + FULL_RANGE
    words = layouts.pack_bits(np.full((1, 9), sign))
    exact = make_case("conv_2d_s8", "reference", params, x, (1, 3, 3, 1), words)
    exact.channels = np.array([[0, 2**30, 38]])  # 2^-8
    steep = make_case("conv_2d_s8", "reference", params, x, (1, 3, 3, 1), words)
    steep.channels = np.array([[0, 2**30, 30]])
    y, saturated = run([exact, steep])
    # 255 * (4, 6, 9) / 256 = 3.98, 5.98, 8.96
    assert (sign * y[0, :, :, 0]).tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
    assert np.unique(saturated).tolist() == [127 if sign > 0 else -128]
