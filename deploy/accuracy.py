"""What the integers of an export cost in accuracy, against the float network that it is made of.

The integers are those of the NumPy reference: bit for bit what the host and a chip compute, where
no layer stays in floating point.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

import keras
import numpy as np

from keras_bc import datasets, models
from keras_bc.classification import check_classes, check_one_output, error_percent
from keras_bc.deploy import calibrate, reference
from keras_bc.deploy.feeds import batch_size, name_inputs
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.layouts import unpack_signs
from keras_bc.deploy.scales import of_type, to_type
from keras_bc.deploy.trace import trace
from keras_bc.evaluation import infer, inference_weights
from keras_bc.inputs import Inputs, NamedInputs, batches, head
from keras_bc.model_inputs import input_names, ordered

NOISE_SAMPLES = 100
"""How many of the first are enough for the noise."""

_MOVES = ("reshape", "pad_2d", "slice", "resize")  # as noisy as what they move


@dataclass(frozen=True)
class Accuracy:
    """Errors on the same labelled samples.

    Attributes:
        samples: How many.
        float_error: Of the Keras model with its deployed weights, in percent.
        integer_error: Of the export, in percent.
        changed: Samples to which the two give different classes, in percent.
    """

    samples: int
    float_error: float
    integer_error: float
    changed: float

    @property
    def drop(self) -> float:
        """What the integers add to the error, in points; below 0 where they happen to be better."""
        return round(self.integer_error - self.float_error, 4)


def as_dict(accuracy: Accuracy) -> dict:
    """Its attributes and the drop by their names."""
    return asdict(accuracy) | {"drop": accuracy.drop}


def labelled_samples(model: keras.Model, dataset: str, count: int | None = None) -> datasets.Split:
    """What the errors of a model are measured on: the test samples of a data set, or a whole file.

    Args:
        model: A classifier.
        dataset: A name, or a `.npz` file with labels.
        count: Of the first samples; None means all.

    Raises:
        UserError: There are none, they do not fit, or the model is no classifier.
    """
    check_one_output(len(model.outputs))
    test = datasets.load_test(dataset, input_names(model)).head(count)
    check_classes(test.y, math.prod(model.outputs[0].shape[1:]))
    return datasets.Split(models.fit_input(model, test.x), test.y)


def compare(
    model: keras.Model,
    graph: Graph,
    test: datasets.Split,
    progress: Callable[[int], None] = lambda done: None,
) -> Accuracy:
    """Measure a model and its export on the same samples.

    Args:
        model: With one output a class.
        graph: The integer graph that it became.
        test: As `labelled_samples` gives them.
        progress: Called with the number of samples done.

    Raises:
        UserError: The samples or the labels do not fit.
    """
    with inference_weights(model, "deployed"):
        expected = infer(model, test.x)
    found = []
    for batch in batches(test.x, batch_size(graph)):
        found.extend(_integers(graph, batch)[graph.outputs[0]])
        progress(len(found))
    outputs = [array.reshape(len(test), -1) for array in (expected, np.array(found))]
    differ = outputs[0].argmax(axis=1) != outputs[1].argmax(axis=1)
    errors = [error_percent(array, test.y) for array in outputs]
    return Accuracy(len(test), *errors, round(100 * float(differ.mean()), 4))


def noise(model: keras.Model, graph: Graph, samples: NamedInputs) -> list[dict]:
    """The signal-to-noise ratio of each activation, the least first.

    That is the power of the values of the float network by that of what the integers, from the
    model's input on, differ from them. What only moves other activations is left out, but for the
    model's outputs.

    Args:
        model: Trained.
        graph: The integer graph that it became.
        samples: float32 `[n, ...]`, as for the calibration; the first hundred are taken.

    Returns:
        For each its `layer`, its name as `tensor`, and `snr_db`, in decibels, None where the
        integers are exact.
    """
    fused = fuse(trace(model))
    made = [op for op in fused.ops if op.kind not in _MOVES or op.outputs[0] in fused.outputs]
    powers = {op.outputs[0]: np.zeros(2) for op in made}
    for batch in batches(head(ordered(model, samples), NOISE_SAMPLES), batch_size(graph)):
        exact, integers = calibrate.run(fused, batch), _integers(graph, batch)
        for name, power in powers.items():
            difference = _real(fused, graph, name, integers[name]) - exact[name]
            power += (exact[name] ** 2).sum(), (difference**2).sum()
    rows = [
        {"layer": op.name, "tensor": op.outputs[0], "snr_db": _decibels(*powers[op.outputs[0]])}
        for op in made
    ]
    return sorted(rows, key=lambda row: math.inf if row["snr_db"] is None else row["snr_db"])


def _integers(graph: Graph, x: Inputs) -> dict[str, np.ndarray]:
    """All activations of an integer graph, of real inputs."""
    tensors = [graph.tensors[name] for name in graph.inputs]
    arrays = name_inputs(graph, x).values()
    pairs = zip(arrays, tensors, strict=True)
    x = [to_type(x, tensor.dtype, tensor.scale, tensor.zero_point) for x, tensor in pairs]
    return reference.run(graph, x)


def _real(fused: Graph, graph: Graph, name: str, integers: np.ndarray) -> np.ndarray:
    """An activation's integers, or words of signs, as real numbers."""
    if fused.tensors[name].dtype == "bits":
        return unpack_signs(integers, fused.tensors[name].shape[-1])
    tensor = graph.tensors[name]
    return of_type(integers, tensor.dtype, tensor.scale, tensor.zero_point)


def _decibels(signal: float, noise: float) -> float | None:
    if noise == 0:
        return None
    tiny = np.finfo(np.float64).tiny  # where the float network gives nothing but zeros
    return round(10 * math.log10(max(signal, tiny) / noise), 2)
