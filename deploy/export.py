"""From a trained model to its artefacts: the one function that walks the steps."""

from dataclasses import dataclass
from pathlib import Path

import keras

from keras_bc import datasets, files, models
from keras_bc.deploy import c_source, calibrate, flatbuffer, workspace
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.graph import Graph, Op
from keras_bc.deploy.quantize import check_supported, quantize
from keras_bc.deploy.trace import trace
from keras_bc.inputs import Inputs, NamedInputs, head
from keras_bc.model_inputs import input_names, ordered

CALIBRATION_SAMPLES = 1000
"""How many of a data set's first examples."""


@dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        model: The `.tflite`.
        tflite_bytes: Its size.
        weight_bytes: Of the constants in it: weights, biases and per-channel parameters.
        layers: For each op its `name`, `op`, output `shape` and `weight_bytes`.
    """

    model: Path
    tflite_bytes: int
    weight_bytes: int
    layers: list[dict]


def export(
    model: keras.Model,
    samples: NamedInputs,
    folder: str | Path,
    calibration: str = calibrate.DEFAULT,
) -> Export:
    """Write `model` as `folder/model.tflite` and as C sources for any CPU.

    Args:
        model: Trained, batch-norm statistics estimated with the deployed weights.
        samples: float32 `[n, ...]` inputs, to calibrate the activations' ranges on; for several
            inputs one such array each, in the model's order or by their names.
        folder: Made if there is none; what an earlier export wrote there is replaced.
        calibration: How the ranges are chosen: "minmax", "mse", "percentile" or "percentile:P"; see
            `keras_bc.deploy.calibrate.methods`.

    Returns:
        What was written.

    Raises:
        UserError: The model or the samples cannot be exported, or the folder is not ours.
    """
    folder = Path(folder)
    data = flatbuffer.write(to_integers(model, samples, calibration))
    graph = flatbuffer.read(data)  # what the chip runs is what the file says
    workspace.check(folder)
    with files.staging(folder) as stage:
        (stage / workspace.MODEL).write_bytes(data)
        c_source.emit(graph, stage)
        workspace.sign(stage, [path.name for path in stage.iterdir()])
    layers = describe(graph)
    weight_bytes = sum(layer["weight_bytes"] for layer in layers)
    return Export(folder / workspace.MODEL, len(data), weight_bytes, layers)


def check(model: keras.Model) -> None:
    """Stop with a UserError where the model cannot be exported, whatever the samples."""
    check_supported(fuse(trace(model)))


def calibration_samples(model: keras.Model, dataset: str | None = None) -> Inputs:
    """Inputs to calibrate `model` on: of a data set or a `.npz` file, or of its recipe's data."""
    name = models.dataset_of(model.name, dataset)
    samples = datasets.load_calibration(name, input_names(model))
    return models.fit_input(model, head(samples.x, CALIBRATION_SAMPLES))


def to_integers(
    model: keras.Model, samples: NamedInputs, calibration: str = calibrate.DEFAULT
) -> Graph:
    """The integer graph of a trained model; see `export` for the arguments."""
    fused = fuse(trace(model))
    return quantize(fused, calibrate.calibrate(fused, ordered(model, samples), calibration))


def describe(graph: Graph) -> list[dict]:
    """Name, op, output shape and bytes of constants of each op of an integer graph.

    Constants that several ops share count for the first of them.
    """
    counted: set[str] = set()
    return [
        {
            "name": op.name,
            "op": op.kind,
            "shape": list(graph.tensors[op.outputs[0]].shape),
            "weight_bytes": _constant_bytes(graph, op, counted),
        }
        for op in graph.ops
    ]


def _constant_bytes(graph: Graph, op: Op, counted: set[str]) -> int:
    fresh = {name for name in op.inputs if graph.tensors[name].data is not None} - counted
    counted |= fresh
    return sum(graph.tensors[name].data.nbytes for name in fresh)
