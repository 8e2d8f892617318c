import warnings

import keras
import numpy as np
import pytest

from keras_bc import quantizers
from keras_bc.constraints import WeightClip
from keras_bc.layers import BinaryConv2D, BinaryDense
from tests.keras_bc.layer_checks import check_saving
from tests.keras_bc.running_backend import MODES

X = np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 1)).astype("float32")


def _model(**arguments):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            BinaryConv2D(4, 3, kernel_quantizer="stochastic_binary", **arguments),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            BinaryDense(3, kernel_quantizer="stochastic_binary", **arguments),
        ]
    )


def _stochastic(**arguments):
    layer = BinaryDense(64, kernel_quantizer="stochastic_binary", use_bias=False, **arguments)
    layer.build((1, 64))
    return layer


def _drawn(layer):
    """The weights of one training step: the outputs for the unit vectors."""
    return np.asarray(layer(np.eye(64, dtype="float32"), training=True))


@pytest.mark.parametrize("compiled", MODES)
def test_a_saved_model_goes_on_as_it_would_have(compiled, tmp_path):
    model = _model()
    model.compile("adam", "mse", **compiled)
    model.fit(X, np.ones((8, 3)), epochs=2, verbose=0)
    check_saving(model, X, tmp_path / "model.keras")


def test_keras_clips_the_kernel_after_the_step():
    for scale in (0.05, "glorot"):
        quantizer = quantizers.Binary(scale)
        layer = BinaryDense(3, kernel_quantizer=quantizer)
        model = keras.Sequential([keras.Input((8,)), layer])
        model.compile(keras.optimizers.SGD(100.0), "mse")
        model.fit(np.ones((4, 8)), np.zeros((4, 3)), verbose=0)
        limit = quantizer.scale_of((8, 3))
        assert np.abs(layer.get_weights()[0]).max() == pytest.approx(limit)
        assert np.abs(layer.get_weights()[1]).max() > limit


def test_no_clip_warns_and_another_constraint_does_not():
    with pytest.warns(UserWarning, match="no kernel_constraint"):
        layer = BinaryDense(3, kernel_constraint=None)
    assert layer.kernel_constraint is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(BinaryDense(3).kernel_constraint, WeightClip)
        assert BinaryDense(3, kernel_constraint=WeightClip(2.0)).kernel_constraint.limit == 2


def test_draws_afresh_each_training_step_and_never_at_inference():
    layer = _stochastic()
    assert (_drawn(layer) != _drawn(layer)).mean() > 0.4
    unit = np.eye(64, dtype="float32")
    deployed = np.asarray(layer(unit))
    assert np.array_equal(deployed, layer(unit))
    assert np.array_equal(deployed, layer.deployed_kernel())
    assert int(layer.variables[-1].numpy()) == 2


@pytest.mark.parametrize("mode", MODES)
def test_draws_are_the_same_in_every_mode_of_execution(mode):
    layer = _stochastic(seed=7, kernel_initializer="zeros", name="layer")
    expected = _stochastic(seed=7, kernel_initializer="zeros", name="layer")
    model = keras.Sequential([keras.Input((64,)), layer])
    # The rate is zero, so the losses differ by the draws alone.
    model.compile(
        keras.optimizers.SGD(0.0), lambda target, y: keras.ops.sum(y * target, -1), **mode
    )
    targets = np.random.default_rng(1).uniform(-1, 1, (64, 64)).astype("float32")
    unit = np.eye(64, dtype="float32")
    for _ in range(3):
        loss = model.train_on_batch(unit, targets)
        drawn = _drawn(expected)
        np.testing.assert_allclose(loss, np.sum(drawn * targets) / 64, rtol=1e-4, atol=1e-4)


def test_draws_follow_from_the_seed():
    same = [_drawn(_stochastic(seed=1, name="a", kernel_initializer="zeros")) for _ in range(2)]
    assert np.array_equal(*same)
    assert (_drawn(_stochastic(seed=2, name="a", kernel_initializer="zeros")) != same[0]).any()


def test_layers_of_one_model_never_share_a_stream():
    draws = [
        _drawn(_stochastic(seed=1, kernel_initializer="zeros", name=name)) for name in ("a", "b")
    ]
    assert 0.4 < (draws[0] != draws[1]).mean() < 0.6


def test_keras_global_seed_seeds_layers_without_one():
    def layer():
        keras.utils.set_random_seed(3)
        return _stochastic(name="layer")

    assert np.array_equal(_drawn(layer()), _drawn(layer()))


def test_refuses_an_unknown_mode():
    with pytest.raises(ValueError, match="Expected one of"):
        BinaryDense(3).weights_mode = "drawn"


def test_the_kernel_is_not_rounded_in_mixed_precision():
    layer = BinaryDense(1, dtype="mixed_float16", kernel_quantizer="stochastic_binary")
    layer.build((1, 4))
    tiny = np.full((4, 1), -1e-9, "float32")  # zero in float16, where its sign would be +1
    layer.set_weights([tiny, *layer.get_weights()[1:]])
    assert np.array_equal(layer(np.ones((1, 4))), [[-4]])
