"""The state of a training at the end of an epoch: one file, replaced whole after each epoch."""

import json
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_bc import files
from keras_bc.datasets import UNREADABLE
from keras_bc.errors import UserError

Weights = list[np.ndarray]


def path_of(output: Path) -> Path:
    """Return where the state of the training that writes `output` lies meanwhile."""
    return output.with_suffix(".resume.npz")


def model_weights(model: keras.Model) -> Weights:
    """Copy all that a model is: weights, statistics, draw counters, seed generators."""
    return [ops.convert_to_numpy(variable) for variable in _model_variables(model)]


def assign(model: keras.Model, weights: Weights) -> None:
    """Give a model what `model_weights` copied."""
    _assign(_model_variables(model), weights)


def save(path: Path, model: keras.Model, best: Weights, progress: dict) -> None:
    """Write the model, its optimizer, the best weights so far and the progress.

    Args:
        path: Replaced whole, so that a kill at any time leaves this epoch's state or the last's.
        model: Trained to the end of an epoch.
        best: From `model_weights`.
        progress: What else there is to know, as JSON takes it.
    """
    arrays = {f"model.{i}": w for i, w in enumerate(model_weights(model))}
    arrays |= {f"optimizer.{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    arrays |= {f"best.{i}": w for i, w in enumerate(best)}
    arrays["progress"] = np.frombuffer(json.dumps(progress).encode(), dtype="uint8")
    with files.replacing(path) as partial:
        np.savez(partial, **arrays)


def load(path: Path, model: keras.Model) -> tuple[Weights, dict]:
    """Give the model and its optimizer the saved state; return the best weights and the progress.

    Raises:
        UserError: There is no such file, it is damaged, or it is of another network.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            saved = {key: arrays[key] for key in arrays.files}
        progress = json.loads(saved.pop("progress").tobytes())
    except FileNotFoundError as error:
        raise UserError(
            f"There is no {path} to resume from. Train without --resume to start anew."
        ) from error
    except (KeyError, *UNREADABLE) as error:
        raise UserError(
            f"{path} is damaged or no training state. Delete it and train without --resume."
        ) from error
    model.optimizer.build(model.trainable_variables)
    _assign(_model_variables(model), _section(saved, "model"))
    _assign(model.optimizer.variables, _section(saved, "optimizer"))
    return _section(saved, "best"), progress


def _model_variables(model):
    # The metrics' variables come with a model's; they start each epoch anew.
    metrics = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in metrics]


def _section(saved: dict, name: str) -> Weights:
    count = sum(key.startswith(f"{name}.") for key in saved)
    return [saved[f"{name}.{i}"] for i in range(count)]


def _assign(variables, values) -> None:
    if [tuple(v.shape) for v in variables] != [v.shape for v in values]:
        raise UserError(
            "The saved training is of another network. Train without --resume to start anew."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
