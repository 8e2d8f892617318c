"""What range each activation is quantized for: the fused graph, run on real data.

`equations` runs it in floating point, `histogram` keeps what each activation was, and `methods`
chooses the ranges.
"""

import numpy as np

from keras_bc.deploy.calibrate.equations import run
from keras_bc.deploy.calibrate.histogram import Histogram
from keras_bc.deploy.calibrate.methods import DEFAULT, find_method
from keras_bc.deploy.feeds import batch_size, name_inputs
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.scales import Range
from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, batches

__all__ = ["DEFAULT", "calibrate", "check_samples", "find_method", "run"]


def calibrate(graph: Graph, samples: Inputs, method: str = DEFAULT) -> dict[str, Range]:
    """The range of each activation over `samples`.

    Args:
        graph: Fused.
        samples: float32 `[n, ...]`, the model's inputs, as in training; some hundred are enough.
        method: "minmax", "mse", "percentile" or "percentile:P"; see `methods`.

    Returns:
        (least, greatest) by the tensor's name.

    Raises:
        UserError: `samples` is empty, has another shape than the input, or is not finite; or there
            is no such method.
    """
    choose, choose_input = find_method(method)
    check_samples(graph, samples)
    histograms: dict[str, Histogram] = {}
    for batch in batches(samples, batch_size(graph)):
        for name, values in run(graph, batch).items():
            histograms.setdefault(name, Histogram()).add(values)
    return {
        name: (choose_input if name in graph.inputs else choose)(histogram)
        for name, histogram in histograms.items()
    }


def check_samples(graph: Graph, samples: Inputs) -> None:
    """Stop with a UserError where `samples` cannot be inputs of `graph`."""
    for name, array in name_inputs(graph, samples).items():
        expected = graph.tensors[name].shape[1:]
        if len(array) == 0:
            raise UserError(
                "The calibration set is empty. Give at least one sample; 500 are usual."
            )
        if array.shape[1:] != expected:
            raise UserError(
                f"The calibration samples have the shape {array.shape[1:]}, the model's input "
                f"{expected}. Give samples shaped as the input."
            )
        if not np.isfinite(array).all():
            raise UserError("The calibration samples hold NaN or infinity. Remove those samples.")
