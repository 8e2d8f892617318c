"""One-bit weights as words."""

import numpy as np
import pytest

from keras_bc.deploy import layouts
from keras_bc.deploy.native import Conv2DParams, WindowParams


def test_bits_are_packed_from_the_least_significant_and_1_means_minus_1():
    signs = np.array([[-1, 1, -1, -1], [1, 1, 1, 1]])
    assert layouts.pack_bits(signs).tolist() == [[0b1101], [0]]


def test_the_33rd_weight_starts_a_word_and_bit_31_is_the_sign_of_the_int32():
    signs = np.ones((1, 33))
    signs[0, [31, 32]] = -1
    words = layouts.pack_bits(signs)
    assert words.dtype == np.int32
    assert words.tolist() == [[-(2**31), 1]]


@pytest.mark.parametrize("k", [1, 31, 32, 33, 100])
def test_unpacking_gives_back_what_was_packed(k):
    signs = np.random.default_rng(k).choice([-1, 1], (5, k)).astype(np.int8)
    words = layouts.pack_bits(signs)
    assert words.shape == (5, layouts.words_for(k))
    np.testing.assert_array_equal(layouts.unpack_bits(words, k), signs)


@pytest.mark.parametrize("signs", [np.zeros((2, 3)), np.ones(4), np.full((1, 1), np.nan)])
def test_only_matrices_of_signs_are_packed(signs):
    with pytest.raises(ValueError, match="`signs`"):
        layouts.pack_bits(signs)


def test_words_that_do_not_fit_their_number_of_weights_are_refused():
    with pytest.raises(ValueError, match=r"Expected shape \[out, 2\]"):
        layouts.unpack_bits(np.zeros((3, 1), np.int32), 33)


def test_columns_hold_the_first_word_of_every_output_first():
    words = np.array([[1, 2], [3, 4], [5, 6]], np.int32)
    packed = layouts.pack("columns", words, None)
    assert packed.ravel().tolist() == [1, 3, 5, 2, 4, 6]
    assert packed.flags.c_contiguous
    np.testing.assert_array_equal(layouts.pack("canonical", words, None), words)


def test_counted_columns_hold_signs_and_non_zeros_side_by_side_and_then_how_many_are_not_zero():
    signs, used = [[1, 2], [3, -4], [5, 6]], [[7, 0], [-1, 0], [1, 1 << 30]]
    packed = layouts.pack("counted_columns", np.array([signs, used], np.int32), None)
    assert packed.tolist() == [[1, 3, 5], [7, -1, 1], [2, -4, 6], [0, 0, 1 << 30], [3, 32, 2]]


def test_byte_pairs_hold_the_first_16_bits_of_every_output_first():
    words = np.array([[0x00010002, 0x00030004], [0x00050006, 0x00070008]], np.int32)
    packed = layouts.pack("byte_pairs", words, None)
    assert packed.view("<i2").tolist() == [2, 6, 1, 5, 4, 8, 3, 7]


def test_strips_hold_4_words_of_every_output_first_and_then_single_ones():
    words = np.arange(20, dtype=np.int32).reshape(2, 10)
    first = [0, 1, 2, 3, 10, 11, 12, 13]
    second = [4, 5, 6, 7, 14, 15, 16, 17]
    assert layouts.pack("strips", words, None).tolist() == [*first, *second, 8, 18, 9, 19]


def convolution(channels, filters, taps, groups=1):
    window = WindowParams(height=1, width=taps)
    return Conv2DParams(in_channels=channels, out_channels=filters, groups=groups, kernel=window)


def test_lanes_hold_four_channels_of_eight_filters():
    signs = np.random.default_rng(0).choice([-1, 1], (9, 2, 5))  # filter, tap, channel
    packed = layouts.pack("lanes", layouts.pack_bits(signs.reshape(9, 10)), convolution(5, 9, 2))
    assert packed.shape == (2, 2, 2)  # block of filters, tap, block of channels
    for (f, tap, c), sign in np.ndenumerate(signs):
        lane = packed[f // 8, tap, c // 4] >> 4 * (f % 8)
        assert lane >> c % 4 & 1 == (sign < 0)
    assert packed[1, 0, 0] == packed[1, 0, 0] & 0xF  # there are no filters but the ninth


def test_taps_hold_the_channels_of_a_depthwise_convolution():
    signs = np.random.default_rng(1).choice([-1, 1], (33, 6))  # channel, tap
    packed = layouts.pack("taps", layouts.pack_bits(signs), convolution(33, 33, 6, groups=33))
    np.testing.assert_array_equal(packed, layouts.pack_bits(signs.T))


@pytest.mark.parametrize(("layout", "groups"), [("lanes", 1), ("taps", 8)])
def test_ternary_weights_are_two_planes_of_a_layout(layout, groups):
    values = np.random.default_rng(2).choice([-1, 0, 1], (8, 3 * 8 // groups))
    planes = layouts.pack_ternary(values)
    params = convolution(8, 8, 3, groups)
    packed = layouts.pack(layout, planes, params)
    for plane, words in zip(packed, planes, strict=True):
        np.testing.assert_array_equal(plane, layouts.pack(layout, words, params))


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="layout=diagonal"):
        layouts.pack("diagonal", np.zeros((1, 1), np.int32), None)
