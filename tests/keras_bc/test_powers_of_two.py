import keras
import numpy as np
import pytest

from keras_bc.powers_of_two import ap2
from tests.keras_bc.running_backend import FLOATS, WAYS, compiled, tensorflow_only

POWERS = np.exp2(np.arange(-126, 128)).astype("float32")
BELOW = np.float32(1.4142135)  # the float32 numbers around sqrt(2)
ABOVE = np.nextafter(BELOW, np.float32(2))


@pytest.fixture(params=WAYS)
def rounded(request):
    function = compiled(ap2, request.param)
    return lambda x: np.asarray(function(x))


def test_worked_by_hand(rounded):
    # log2 of 1.4 is 0.49 and of 1.5 is 0.58; of 0.3 it is -1.74 and of 100 it is 6.64.
    x = np.float32([0, 1, 1.4, 1.5, -1.5, 3, -0.3, 100, 0.7])
    assert rounded(x).tolist() == [0, 1, 1, 2, -2, 4, -0.25, 128, 0.5]


def test_powers_stay_over_the_whole_range(rounded):
    np.testing.assert_array_equal(rounded(POWERS), POWERS)
    np.testing.assert_array_equal(rounded(-POWERS), -POWERS)


def test_rounds_up_from_sqrt_2_on(rounded):
    assert float(BELOW) ** 2 < 2 < float(ABOVE) ** 2
    np.testing.assert_array_equal(rounded(BELOW * POWERS), POWERS)
    np.testing.assert_array_equal(rounded(ABOVE * POWERS[:-1]), POWERS[1:])
    np.testing.assert_array_equal(rounded(-ABOVE * POWERS[:-1]), -POWERS[1:])


def test_is_the_equation(rounded):
    bits = np.random.default_rng(0).integers(0x00800000, 0x7F000000, 100_000, "int32")
    x = bits.view("float32") * np.float32([1, -1])[bits % 2]
    expected = np.sign(x) * np.exp2(np.round(np.log2(np.abs(x.astype("float64")))))
    np.testing.assert_array_equal(rounded(x), expected.astype("float32"))


def test_beyond_its_range(rounded):
    x = np.float32([np.inf, -np.inf, np.nan, ABOVE * POWERS[-1], 1e-45])
    np.testing.assert_array_equal(rounded(x), np.float32([np.inf, -np.inf, np.nan, np.inf, 0]))


@pytest.mark.parametrize("dtype", FLOATS)
def test_keeps_the_dtype(dtype):
    result = ap2(keras.ops.convert_to_tensor([3.0, -0.7, 0.0], dtype))
    assert keras.backend.standardize_dtype(result.dtype) == dtype
    assert keras.ops.convert_to_numpy(keras.ops.cast(result, "float32")).tolist() == [4, -0.5, 0]


def test_takes_numbers_and_variables():
    assert float(ap2(3.0)) == 4
    assert np.asarray(ap2(keras.Variable([3.0, 5.0]))).tolist() == [4, 4]


@tensorflow_only
def test_takes_unknown_shapes():
    import tensorflow as tf

    single = tf.function(ap2, input_signature=[tf.TensorSpec([None])])
    several = tf.function(ap2, input_signature=[tf.TensorSpec([None, None])])
    assert np.asarray(single([3.0])).tolist() == [4]
    assert np.asarray(several([[3.0], [5.0]])).tolist() == [[4], [4]]
