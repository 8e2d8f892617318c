import keras
import numpy as np
import pytest

from keras_bc import checkpoint
from keras_bc.errors import UserError
from keras_bc.layers import BinaryDense

X, Y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")


def _model(units=2):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dropout(0.5),
            BinaryDense(units, kernel_quantizer="stochastic_binary", seed=1, name="binary"),
        ]
    )
    model.compile("adam", "mse")
    return model


def test_brings_back_all_that_a_training_is(tmp_path):
    path = tmp_path / "state.npz"
    model = _model()
    model.fit(X, Y, batch_size=2, verbose=0)
    best = [w + 1 for w in checkpoint.model_weights(model)]
    checkpoint.save(path, model, best, {"loss": [0.25]})
    again = _model()
    best_again, progress = checkpoint.load(path, again)
    assert progress == {"loss": [0.25]}
    for a, b in zip(best, best_again, strict=True):
        np.testing.assert_array_equal(a, b)
    # Dropout masks, draws and moments go on where they were.
    for each in (model, again):
        each.fit(X, Y, batch_size=2, verbose=0)
    for a, b in zip(checkpoint.model_weights(model), checkpoint.model_weights(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_missing_state_says_how_to_start(tmp_path):
    with pytest.raises(UserError, match="to resume from"):
        checkpoint.load(tmp_path / "state.npz", _model())


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no zip"])
def test_a_damaged_state_is_the_users_message(tmp_path, damage):
    path = tmp_path / "state.npz"
    model = _model()
    model.fit(X, Y, verbose=0)
    checkpoint.save(path, model, [], {})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="damaged or no training state"):
        checkpoint.load(path, _model())


def test_another_networks_state_is_refused(tmp_path):
    model = _model()
    model.fit(X, Y, verbose=0)
    checkpoint.save(tmp_path / "state.npz", model, [], {})
    with pytest.raises(UserError, match="of another network"):
        checkpoint.load(tmp_path / "state.npz", _model(3))
