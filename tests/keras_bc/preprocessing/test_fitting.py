import doctest
import importlib

import keras
import numpy as np
import pytest

import keras_bc
from keras_bc import preprocessing

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 2)).astype("uint8")


def test_each_layer_is_adapted_to_what_those_before_it_give():
    layers = [keras.layers.Rescaling(1 / 255), preprocessing.PixelCentering()]
    model = preprocessing.fit(layers, IMAGES, "centered")
    assert model.name == "centered" and model.input_shape == (None, 4, 4, 2)
    np.testing.assert_allclose(model.layers[1].mean, IMAGES.mean(0) / 255, atol=1e-6)
    np.testing.assert_allclose(np.mean(model(IMAGES), axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 7, 50, 1000])
def test_applies_in_batches(batch_size):
    model = preprocessing.fit([preprocessing.GlobalContrastNormalization()], IMAGES)
    outputs = preprocessing.apply(model, IMAGES, batch_size)
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(outputs, model(IMAGES), atol=1e-5)


@pytest.mark.parametrize("file", ["centering", "global_contrast", "local_contrast", "whitening"])
def test_examples_run(file):
    module = importlib.import_module(f"keras_bc.preprocessing.{file}")
    failed, tried = doctest.testmod(module, extraglobs={"np": np, "keras_bc": keras_bc})
    assert failed == 0 and tried > 0
