import keras
import numpy as np
import pytest

from keras_bc.constraints import WeightClip


def test_clips_to_the_limit():
    w = np.array([-3.0, -0.5, 0.0, 0.4, 2.0], "float32")
    assert np.array_equal(WeightClip(0.5)(w), np.float32([-0.5, -0.5, 0, 0.4, 0.5]))


def test_glorot_limit_is_that_of_the_weights():
    # sqrt(1.5 / (3 * 3 * 2 + 3 * 3 * 4)) = 1 / 6
    assert np.asarray(WeightClip("glorot")(np.ones((3, 3, 2, 4)))).max() == pytest.approx(1 / 6)


def test_serializes():
    config = keras.constraints.serialize(WeightClip(0.25))
    assert keras.constraints.deserialize(config).limit == 0.25


def test_refuses_no_limit():
    with pytest.raises(ValueError, match="Invalid value for argument `limit`"):
        WeightClip(-1)
