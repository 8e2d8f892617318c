"""One-bit weights as words."""

import numpy as np
import pytest

from keras_bc.deploy import layouts
from keras_bc.deploy.native import FullyConnectedParams


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


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="layout=diagonal"):
        layouts.pack("diagonal", np.zeros((1, 1), np.int32), None)


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
