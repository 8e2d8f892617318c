"""Test errors, each with the weights that it was measured with."""

import contextlib
import re

import keras
import numpy as np
from keras import ops

from keras_bc.batch_norm import reestimate_batch_norm
from keras_bc.classification import check_labels, check_one_output, error_percent
from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, NamedInputs, batches, samples
from keras_bc.layers.quantized_kernel import WEIGHTS_MODES
from keras_bc.model_inputs import call
from keras_bc.models import fit_input
from keras_bc.traversal import batch_norms, quantized


def evaluate(
    model: keras.Model,
    x: NamedInputs,
    y: np.ndarray,
    weights: str = "deployed",
    train_x: NamedInputs | None = None,
    batch_size: int = 1000,
) -> dict:
    """Return the share of examples whose largest output is not their label's.

    Args:
        model: A classifier with one output a class.
        x: Examples, `(n, ...)`; reshaped to the model's input where only the axes differ. Of
            several inputs a list of such arrays in the model's order, or a dictionary by the
            inputs' names.
        y: Integer labels, `(n,)`.
        weights: "deployed" for the weights that export packs; "real" for the float ones, with
            which the BinaryConnect paper tests its stochastically trained networks;
            "ensemble:N" for the mean output of N networks with drawn weights, the third method of
            section 2.6, the same N every time.
        train_x: Training examples on which batch-norm statistics are re-estimated for these weights
            while this runs. A saved model's statistics fit its deployed weights, so "real" is only
            meaningful with it. The model is as before afterwards.
        batch_size: Examples at a time; it bounds the memory.

    Returns:
        `{"error": percent, "samples": n, "weights": weights}`.

    Raises:
        UserError: The examples, the labels or `weights` do not fit the model.
    """
    ensemble = re.fullmatch(r"ensemble:([1-9]\d*)", weights)
    if weights not in WEIGHTS_MODES and not ensemble:
        raise UserError(
            f"Cannot evaluate with weights '{weights}'. Expected {', '.join(WEIGHTS_MODES)}, or "
            "ensemble:N with N from 1."
        )
    check_one_output(len(getattr(model, "outputs", None) or [model]))
    x, y = fit_input(model, x), np.asarray(y)
    check_labels(y, samples(x))
    networks = (
        _samples(model, int(ensemble[1])) if ensemble else [inference_weights(model, weights)]
    )
    outputs = []
    for network in networks:
        with _restored_statistics(model), network:
            if train_x is not None:
                reestimate_batch_norm(model, fit_input(model, train_x), batch_size)
            outputs.append(infer(model, x, batch_size))
    error = error_percent(np.mean(outputs, axis=0), y)
    return {"error": error, "samples": len(y), "weights": weights}


def measure_error(model: keras.Model, x: Inputs, y: np.ndarray, batch_size: int = 1000) -> float:
    """Return the percentage of wrong classes of the model as it is, in its inference mode.

    Raises:
        UserError: The labels do not fit.
    """
    check_labels(y, samples(x))
    return error_percent(infer(model, x, batch_size), y)


def infer(model: keras.Model, x: Inputs, batch_size: int = 1000) -> np.ndarray:
    """Return the outputs of the model as it is, in its inference mode, `(n, ...)`."""
    # Not `predict`: that would keep the weights' mode which it was compiled in.
    outputs = [ops.convert_to_numpy(call(model, batch)) for batch in batches(x, batch_size)]
    return np.concatenate(outputs)


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


def _samples(model, count):
    """`count` contexts, in each of which the model has another draw of its weights."""
    layers = quantized(model)
    if not any(layer.kernel_quantizer.draws for layer in layers):
        raise UserError(
            f"The model '{model.name}' draws no weights, so all networks of an ensemble are the "
            "same. Evaluate it with deployed weights."
        )
    return [_sampled_weights(model, layers, number) for number in range(count)]


@contextlib.contextmanager
def _sampled_weights(model, layers, number):
    before = [ops.convert_to_numpy(layer.kernel) for layer in layers]
    try:
        for layer in layers:
            layer.kernel.assign(layer.sampled_kernel(number))
        with inference_weights(model, "real"):  # which the samples are now
            yield
    finally:
        for layer, kernel in zip(layers, before, strict=True):
            layer.kernel.assign(kernel)


@contextlib.contextmanager
def _restored_statistics(model: keras.Model):
    variables = [v for norm in batch_norms(model) for v in norm.non_trainable_variables]
    before = [ops.convert_to_numpy(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
