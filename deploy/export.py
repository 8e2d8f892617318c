"""From a trained model to its artefacts: the one function that walks the steps."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_bc import datasets, files, models
from keras_bc.deploy import c_source, flatbuffer, library, workspace
from keras_bc.deploy.c_text import check_namespace
from keras_bc.deploy.calibrate import calibrate, check_samples
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.inspection import layer_rows
from keras_bc.deploy.quantize import check_supported, quantize
from keras_bc.deploy.trace import trace

CALIBRATION_SAMPLES = 1000
"""How many of a data set's first examples."""


@dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        model: The `.tflite`; None where C sources alone were asked for.
        tflite_bytes: Its size, or None.
        weight_bytes: Of the constants in it: weights, biases and per-channel parameters.
        layers: For each op its `name`, `op`, output `shape` and `weight_bytes`.
    """

    model: Path | None
    tflite_bytes: int | None
    weight_bytes: int
    layers: list[dict]


def export(
    model: keras.Model,
    samples: np.ndarray,
    folder: str | Path,
    c_only: bool = False,
    namespace: str = "model",
    const_in_flash: bool = False,
) -> Export:
    """Write `model` as `folder/model.tflite` and as C sources for any CPU.

    The sources come with the kernels that they call, in `folder/kbc`, and compile as they stand.

    Args:
        model: Trained, batch-norm statistics estimated with the deployed weights.
        samples: float32 `[n, ...]` inputs, to calibrate the activations' ranges on.
        folder: Made if there is none; what an earlier export wrote there is replaced.
        c_only: Leave the `.tflite` out.
        namespace: Prefix of the C sources, their functions and their constants.
        const_in_flash: Whether the C sources insist on flash for all that is constant; see
            `c_source.emit`.

    Returns:
        What was written.

    Raises:
        UserError: The model or the samples cannot be exported, or the folder is not ours.
    """
    check_namespace(namespace)
    folder = Path(folder)
    data = flatbuffer.write(to_integers(model, samples))
    graph = flatbuffer.read(data)  # what the chip runs is what the file says
    workspace.check(folder)
    earlier = workspace.exported_files(folder)
    options = {"namespace": namespace, "const_in_flash": const_in_flash}
    with files.staging(folder) as stage:
        if not c_only:
            (stage / workspace.MODEL).write_bytes(data)
        c_source.emit(graph, stage, **options)
        library.copy(c_source.plan(graph), stage)
        workspace.sign(stage, workspace.contents(stage), options)
    _remove(set(earlier) - set(workspace.exported_files(folder)))
    layers = layer_rows(graph)
    weight_bytes = sum(layer["weight_bytes"] for layer in layers)
    if c_only:
        return Export(None, None, weight_bytes, layers)
    return Export(folder / workspace.MODEL, len(data), weight_bytes, layers)


def _remove(stale: set[Path]) -> None:
    """Remove files of an earlier export; one that cannot be is no reason to fail this one."""
    for path in stale:
        with contextlib.suppress(OSError):
            path.unlink()


def check(model: keras.Model) -> None:
    """Stop with a UserError where the model cannot be exported, whatever the samples."""
    check_supported(fuse(trace(model)))


def calibration_samples(model: keras.Model, dataset: str | None = None) -> np.ndarray:
    """Inputs to calibrate `model` on: of a data set or a `.npz` file, or of its recipe's data."""
    samples = datasets.load_calibration(models.dataset_of(model.name, dataset))
    return models.fit_input(model, samples.x[:CALIBRATION_SAMPLES])


def to_integers(model: keras.Model, samples: np.ndarray) -> Graph:
    """The integer graph of a trained model; see `export` for the arguments."""
    fused = fuse(trace(model))
    check_samples(fused, samples)
    return quantize(fused, calibrate(fused, samples))
