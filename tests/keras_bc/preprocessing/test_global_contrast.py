import numpy as np
import pytest

from keras_bc.preprocessing import GlobalContrastNormalization
from tests.keras_bc.preprocessing.checks import check_layer

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 5, 6, 3)).astype("uint8")


@pytest.mark.parametrize(
    ("arguments", "factor"),
    [
        ({"scale": 1.0}, 1 / 6),  # c = (-3, 3, 3, -3), sqrt(36)
        ({"scale": 10.0}, 10 / 6),
        ({"scale": 1.0, "sqrt_bias": 64.0}, 1 / 10),  # sqrt(64 + 36)
        ({"scale": 1.0, "sqrt_bias": 4.0, "use_std": True}, 1 / 4),  # sqrt(4 + 36 / 3)
        ({"scale": 1.0, "min_divisor": 7.0}, 1),  # 6 is too small to divide by
    ],
)
def test_hand_worked(arguments, factor):
    outputs = GlobalContrastNormalization(**arguments)(np.array([[[1.0], [7.0], [7.0], [1.0]]]))
    np.testing.assert_allclose(np.ravel(outputs), factor * np.array([-3, 3, 3, -3]), rtol=1e-6)


def test_images_have_the_mean_0_and_the_norm():
    outputs = np.asarray(GlobalContrastNormalization()(IMAGES)).reshape(20, -1)
    np.testing.assert_allclose(outputs.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(outputs, axis=1), 55, rtol=1e-5)


def test_images_have_the_standard_deviation():
    outputs = GlobalContrastNormalization(scale=2.0, use_std=True)(IMAGES)
    np.testing.assert_allclose(np.reshape(outputs, (20, -1)).std(1, ddof=1), 2, rtol=1e-5)


@pytest.mark.parametrize("use_std", [False, True])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_an_image_of_one_color_is_0(level, use_std):
    image = np.full((1, 32, 32, 3), level, "uint8")
    assert not np.any(GlobalContrastNormalization(use_std=use_std)(image))


def test_a_single_number_is_0():
    assert np.asarray(GlobalContrastNormalization(use_std=True)(np.array([[5.0]]))) == 0


def test_does_what_every_layer_must(tmp_path):
    arguments = {"scale": 3.0, "sqrt_bias": 10.0, "use_std": True, "min_divisor": 1e-3}
    check_layer(
        GlobalContrastNormalization(**arguments), arguments, IMAGES, tmp_path / "model.keras"
    )


@pytest.mark.parametrize("arguments", [{"scale": 0}, {"scale": -1.0}, {"sqrt_bias": -1.0}])
def test_refuses(arguments):
    with pytest.raises(ValueError, match=f"argument `{next(iter(arguments))}`"):
        GlobalContrastNormalization(**arguments)
