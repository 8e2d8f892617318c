"""Test errors, each with the weights that it was measured with."""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_bc.batch_norm import reestimate_batch_norm
from keras_bc.classification import check_labels, error_percent
from keras_bc.errors import UserError
from keras_bc.layers.quantized_kernel import WEIGHTS_MODES
from keras_bc.models import fit_input
from keras_bc.traversal import batch_norms, quantized


def evaluate(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    weights: str = "deployed",
    train_x: np.ndarray | None = None,
    batch_size: int = 1000,
) -> dict:
    """Return the share of examples whose largest output is not their label's.

    Args:
        model: A classifier with one output a class.
        x: Examples, `(n, ...)`; reshaped to the model's input where only the axes differ.
        y: Integer labels, `(n,)`.
        weights: "deployed" for the weights that export packs, "real" for the float ones, with
            which the BinaryConnect paper tests its stochastically trained networks.
        train_x: Training examples on which batch-norm statistics are re-estimated for these weights
            while this runs. A saved model's statistics fit its deployed weights, so "real" is only
            meaningful with it. The model is as before afterwards.
        batch_size: Examples at a time; it bounds the memory.

    Returns:
        `{"error": percent, "samples": n, "weights": weights}`.

    Raises:
        UserError: The examples, the labels or `weights` do not fit the model.
    """
    if weights not in WEIGHTS_MODES:
        raise UserError(
            f"Cannot evaluate with weights '{weights}'. Expected {' or '.join(WEIGHTS_MODES)}."
        )
    x = fit_input(model, x)
    with _restored_statistics(model), inference_weights(model, weights):
        if train_x is not None:
            reestimate_batch_norm(model, fit_input(model, train_x), batch_size)
        error = measure_error(model, x, y, batch_size)
    return {"error": error, "samples": len(x), "weights": weights}


def measure_error(
    model: keras.Model, x: np.ndarray, y: np.ndarray, batch_size: int = 1000
) -> float:
    """Return the percentage of wrong classes of the model as it is, in its inference mode.

    Raises:
        UserError: The labels do not fit.
    """
    check_labels(y, len(x))
    # Not `predict`: that would keep the weights' mode which it was compiled in.
    batches = (x[start : start + batch_size] for start in range(0, len(x), batch_size))
    outputs = [ops.convert_to_numpy(model(batch, training=False)) for batch in batches]
    return error_percent(np.concatenate(outputs), y)


@contextlib.contextmanager
def inference_weights(model: keras.Model, mode: str):
    """Let every quantized layer infer with "deployed" or "real" weights while the block runs."""
    before = [(layer, layer.weights_mode) for layer in quantized(model)]
    try:
        for layer, _ in before:
            layer.weights_mode = mode
        yield
    finally:
        for layer, mode_before in before:
            layer.weights_mode = mode_before


@contextlib.contextmanager
def _restored_statistics(model: keras.Model):
    variables = [v for norm in batch_norms(model) for v in norm.non_trainable_variables]
    before = [ops.convert_to_numpy(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
