import dataclasses
import json
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_bc import models, recipes, training
from keras_bc.errors import UserError
from keras_bc.evaluation import evaluate
from keras_bc.training import train

RECIPE = recipes.Recipe(
    name="tiny",
    summary="draws, dropout and batch norm: all that has a state",
    dataset="digits",
    input_shape=(64,),
    layers=(
        ("BinaryDense", {"units": 16, "kernel_quantizer": "stochastic_binary", "use_bias": False}),
        ("BatchNormalization", {}),
        ("ReLU", {}),
        ("Dropout", {"rate": 0.1}),
        ("BinaryDense", {"units": 10}),
    ),
    optimizer=("Adam", {}),
    learning_rates=(1e-2, 1e-4),
    epochs=4,
    batch_size=100,
)

KILLED = """
import os, signal, sys
import keras
from keras_bc import training
from tests.keras_bc.test_training import RECIPE

class Killer(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 7 and self.model.optimizer.iterations > 30:
            os.kill(os.getpid(), signal.SIGKILL)

fit = keras.Model.fit
keras.Model.fit = lambda *arguments, callbacks, **keywords: fit(
    *arguments, callbacks=[Killer()], **keywords
)
training.train(RECIPE, sys.argv[1], quiet=True)
"""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    return folder, train(RECIPE, folder / "model.keras", quiet=True)


def _without_times(history):
    return {key: value for key, value in history.items() if key != "seconds"}


def test_writes_the_model_the_history_and_the_curves(unbroken):
    folder, history = unbroken
    assert sorted(path.name for path in folder.iterdir()) == [
        "model.history.json",
        "model.keras",
        "model.png",
    ]
    assert json.loads((folder / "model.history.json").read_text()) == history
    assert len(history["loss"]) == len(history["validation_error"]) == 4
    assert history["loss"][-1] < history["loss"][0]
    assert keras.saving.load_model(folder / "model.keras").name == "tiny"


def test_keeps_the_best_epoch_with_statistics_for_the_deployed_weights(unbroken):
    from keras_bc import datasets

    folder, history = unbroken
    best = min(history["validation_error"])
    assert history["best_validation_error"] == best
    assert history["validation_error"].index(best) + 1 == history["best_epoch"]
    model, data = keras.saving.load_model(folder / "model.keras"), datasets.load("digits")
    error = evaluate(model, data.validation.x, data.validation.y)["error"]
    # Validation re-estimated on all 1,439 training examples too: 5,000 would have been allowed.
    assert error == best
    inputs = np.asarray(model.layers[0](data.train.x.reshape(-1, 64)))
    np.testing.assert_allclose(model.layers[1].moving_mean, inputs.mean(0), rtol=1e-4, atol=1e-4)


def test_killed_and_resumed_equals_unbroken(unbroken, tmp_path):
    folder, history = unbroken
    output = tmp_path / "model.keras"
    ran = subprocess.run([sys.executable, "-c", KILLED, str(output)], capture_output=True)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert not output.exists() and (tmp_path / "model.resume.npz").exists()
    resumed = train(RECIPE, output, resume=True, quiet=True)
    assert _without_times(resumed) == _without_times(history)
    a, b = (keras.saving.load_model(path / "model.keras") for path in (folder, tmp_path))
    for x, y in zip(a.weights, b.weights, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy())
    assert not (tmp_path / "model.resume.npz").exists()


@pytest.mark.parametrize("name", ["model.keras", "model.png", "model.history.json"])
def test_files_of_somebody_else_are_not_overwritten(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=f"{name} is in the way"):
        train(RECIPE, tmp_path / "model.keras", quiet=True)
    assert (tmp_path / name).read_text() == "mine"


def test_a_training_may_replace_an_earlier_one(unbroken, tmp_path):
    folder, _ = unbroken
    for path in folder.iterdir():
        shutil.copy(path, tmp_path)
    history = train(RECIPE, tmp_path / "model.keras", epochs=1, quiet=True)
    assert json.loads((tmp_path / "model.history.json").read_text()) == history


def test_refuses_a_folder_for_an_output_before_it_trains(tmp_path):
    (tmp_path / "model.keras").mkdir()
    with pytest.raises(UserError, match="it is a folder"):
        train(RECIPE, tmp_path / "model.keras", quiet=True)


class _Stop(Exception):
    pass


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory):
    from keras_bc.progress import Progress

    def stop(self, epoch, text):
        raise _Stop

    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(_Stop):
        patch.setattr(Progress, "done", stop)
        train(RECIPE, folder / "model.keras", quiet=True)
    return folder


@pytest.fixture
def stopped(stopped_once, tmp_path):
    """A training that stopped after its first epoch."""
    return shutil.copytree(stopped_once, tmp_path / "stopped") / "model.keras"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 5}, "another epochs"),
        ({"seed": 1}, "another seed"),
        ({"recipe": dataclasses.replace(RECIPE, batch_size=50)}, "another batch_size"),
        ({"recipe": recipes.find("digits-mlp")}, "of another network"),
    ],
)
def test_refuses_to_resume_with_other_settings(stopped, change, message):
    with pytest.raises(UserError, match=message):
        train(**{"recipe": RECIPE, "output": stopped, "resume": True, "quiet": True, **change})


def test_resumes_when_only_the_words_have_changed(stopped):
    recipe = dataclasses.replace(RECIPE, summary="better words", published_error="5")
    history = train(recipe, stopped, resume=True, quiet=True)
    assert len(history["loss"]) == 4
    assert history["settings"]["summary"] == "better words"


def test_does_not_throw_an_unfinished_training_away(stopped):
    with pytest.raises(UserError, match="Add --resume"):
        train(RECIPE, stopped, quiet=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "no-such"}, "no recipe"),
        ({"output": "model.h5"}, r"ends in \.keras"),
        ({"output": "no/such/folder/model.keras"}, "no folder"),
        ({"epochs": 0}, "0 epochs"),
        ({"epochs": 1.5}, "for 1.5 epochs"),
        ({"seed": -1}, "the seed -1"),
        ({"resume": True}, "to resume from"),
        ({"dataset": "no-such"}, "no data set"),
    ],
)
def test_refuses(tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        train(**{"recipe": RECIPE, "output": "model.keras", "quiet": True, **change})
    assert not list(tmp_path.iterdir())


def test_trains_on_a_users_own_arrays(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mine.npz"
    np.savez(path, x=rng.uniform(-1, 1, (200, 8, 8)).astype("float32"), y=rng.integers(0, 3, 200))
    history = train(RECIPE, tmp_path / "model.keras", epochs=1, dataset=str(path), quiet=True)
    assert history["dataset"] == str(path) and history["examples"] == 160
    # Its name must not say that the recipe's data belong to it.
    assert keras.saving.load_model(tmp_path / "model.keras").name == "tiny-on-other-data"
    assert models.own_data(tmp_path / "model.keras") == str(path)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.full((20, 64), 1e38, "float32"), np.arange(20) % 10, "The loss is (nan|inf)"),
        (np.ones((20, 64), "float32"), np.arange(20), "has 20 classes"),
        (np.ones((20, 63), "float32"), np.arange(20) % 10, "Give a data set of the model's shape"),
    ],
)
def test_refuses_data_that_does_not_fit(tmp_path, x, y, message):
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    with pytest.raises(UserError, match=message):
        train(RECIPE, tmp_path / "model.keras", dataset=str(tmp_path / "mine.npz"), quiet=True)
    assert not (tmp_path / "model.keras").exists()


def test_an_epoch_in_parts_is_an_epoch_in_one(unbroken, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "FIT_EXAMPLES", 399)  # three batches of 100 at a time
    history = train(RECIPE, tmp_path / "model.keras", quiet=True)
    assert history["validation_error"] == unbroken[1]["validation_error"]
    np.testing.assert_allclose(history["loss"], unbroken[1]["loss"], rtol=1e-6)
