import pytest

from keras_bc import glorot


@pytest.mark.parametrize(
    ("shape", "fans"),
    [((784, 256), (784, 256)), ((3, 5, 2, 8), (30, 120)), ((3, 4, 5), (12, 15))],
)
def test_fans(shape, fans):
    assert glorot.fans(shape) == fans


def test_coefficient():
    # The released code: sqrt(1.5 / (num_inputs + num_units)).
    assert glorot.coefficient((784, 1024)) == pytest.approx(0.0288, abs=1e-4)
    assert glorot.coefficient((2, 4)) == 0.5


def test_resolve():
    assert glorot.resolve("glorot", (2, 4)) == 0.5
    assert glorot.resolve(2, (2, 4)) == 2.0


def test_refuses_a_vector():
    with pytest.raises(ValueError, match="rank 2 or more"):
        glorot.fans((3,))
