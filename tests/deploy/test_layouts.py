"""One-bit weights as words."""

import numpy as np
import pytest

from keras_bc.deploy import layouts
from keras_bc.deploy.native import Conv2DParams, FullyConnectedParams, WindowParams


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


def _signs(planes, outs, k):
    return np.random.default_rng(k).choice([-1, 1] if planes == 1 else [-1, 0, 1], (outs, k))


def _packed(layout, signs, planes, params):
    words = layouts.pack_bits(signs) if planes == 1 else layouts.pack_ternary(signs)
    return np.ascontiguousarray(layouts.pack(layout, words, params), "<i4").view(np.uint8)


def _weights(octets, k):
    """What bytes of 8 weights each stand for, of `[planes, groups]`: their sum, `[k]`."""
    bits = np.unpackbits(octets, axis=-1, bitorder="little").astype(int)
    planes = 1 - 2 * bits.reshape(len(octets), -1)[:, :k]
    return planes.sum(0) // len(octets)


@pytest.mark.parametrize("planes", [1, 2])
def test_lanes_have_the_outputs_of_a_vector_side_by_side(planes):
    outs, k = 11, 140
    signs = _signs(planes, outs, k)
    octets = _packed("mve_lanes", signs, planes, FullyConnectedParams(in_features=k))
    first, last = np.split(octets, [2 * 2 * 8 * planes * 8])
    first = first.reshape(2, 2, 8, planes, 8)  # [pass, block, group, plane, lane]
    last = last.reshape(2, 2, planes, 8)
    groups = np.concatenate([*first.swapaxes(1, 2), last.swapaxes(0, 1)])
    assert groups.shape == (18, 2, planes, 8)
    for o in range(outs):
        lane = 2 * (o % 4) + o % 8 // 4
        found = _weights(groups[:, o // 8, :, lane].T.copy()[..., np.newaxis], k)
        np.testing.assert_array_equal(found, signs[o])


@pytest.mark.parametrize("planes", [1, 2])
def test_quads_are_passes_of_eight_words_and_one_of_four(planes):
    outs, k = 3, 32 * 10
    signs = _signs(planes, outs, k)
    words = _packed("quads", signs, planes, FullyConnectedParams(in_features=k)).view("<u4")
    assert words.size == planes * 4 * 12
    eight = words[: planes * 4 * 8].reshape(planes, 4, 8)
    four = words[planes * 4 * 8 :].reshape(planes, 4, 4)
    every = np.concatenate([eight, four], axis=2)
    assert (every[:, outs:] == 0).all()
    for o in range(outs):
        found = _weights(np.ascontiguousarray(every[:, o]).view(np.uint8), k)
        np.testing.assert_array_equal(found, signs[o])


@pytest.mark.parametrize("planes", [1, 2])
def test_channels_of_a_tap_stand_together(planes):
    signs = _signs(planes, 33, 6)
    window = WindowParams(height=2, width=3)
    octets = _packed("tap_channels", signs, planes, Conv2DParams(kernel=window))
    words = octets.view("<i4").reshape(planes, 6, 2)
    np.testing.assert_array_equal(layouts.unpack_signs(words[0], 33) < 0, signs.T < 0)
    if planes == 2:
        np.testing.assert_array_equal(layouts.unpack_signs(words[1], 33) < 0, signs.T != 0)


def test_fives_number_ternary_weights():
    values = np.zeros((2, 23), np.int8)
    values[0, :5] = 1, -1, 0, 0, 1  # 1 - 3 + 81
    values[1, 20:] = 0, 0, -1  # -9
    params = FullyConnectedParams(1, 23, 2)
    words = layouts.pack("fives", layouts.pack_ternary(values), params)
    assert words.shape == (2, 2)  # [4 bytes of 5 weights, out]
    octets = np.ascontiguousarray(words.T).view(np.uint8)
    assert octets.tolist() == [[158, 0, 0, 0] + [0] * 4, [0] * 4 + [19, 0, 0, 0]]


def test_carry_save_keeps_what_is_left_of_a_group():
    words = np.arange(18, dtype=np.int32).reshape(2, 9) ** 2
    packed = layouts.pack("carry_save", words, FullyConnectedParams(1, 288, 2))
    w = words[1]
    group = [w[0], w[0] ^ w[1], w[1] ^ w[2], w[3], w[3] ^ w[4], w[4] ^ w[5]]
    assert packed[8:14].tolist() == group
    assert packed[14:].tolist() == [w[3] ^ w[4] ^ w[5] ^ w[6], w[7], words[0, 8], w[8]]


def test_ternary_carry_save_begins_with_the_number_of_weights():
    values = np.random.default_rng(3).choice([-1, 0, 1], (3, 290))
    planes = layouts.pack_ternary(values)
    packed = layouts.pack("ternary_carry_save", planes, FullyConnectedParams(1, 290, 3))
    assert packed.shape == (3 + planes.size,)
    assert packed[:3].tolist() == np.abs(values).sum(axis=1).tolist()
    signs, used = planes[:, 0]
    assert packed[3:9].tolist() == [*signs[:3], *used[:3]]
